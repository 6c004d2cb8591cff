"""Two languages: the same question asked again in the other one, and how far the orders agree."""

import pandas as pd
import streamlit as st

from pages.ui.explain import chosen_chunk
from pages.ui.parts import page_beside, tables
from pages.ui.shell import cached, samples, state, work
from pages.ui.shell.i18n import LANGUAGES, plain, t
from rag_core.comparing.orders import overlap_at, rank_biased_overlap
from rag_core.datatypes import Chunk, Comparison, Ranking
from rag_core.reading.language import language_of
from rag_core.settings import check_query

SIDES = ("vector", "reranked")

state.keep(other_question="", other_question_of=None, two_languages=None)


def show(comparison: Comparison) -> None:
    if st.session_state["other_question_of"] != comparison.query:
        st.session_state.update(other_question_of=comparison.query, two_languages=None)
        st.session_state["other_question"] = samples.translation(comparison.query)
    with st.form("two_languages_form"):
        st.text_input(t("languages.other"), key="other_question", placeholder=t("languages.other_hint"))
        asked = st.form_submit_button(t("languages.ask"), type="primary", icon=":material/translate:")
    if asked:
        st.session_state["two_languages"] = both(comparison, check_query(st.session_state["other_question"]))
    made = st.session_state["two_languages"]
    if made is None or made[0].settings != comparison.settings or made[0].doc_id != comparison.doc_id:
        return
    first, second = made
    spoken = language_of(first.query)
    if spoken == language_of(second.query):
        st.warning(t("languages.same", language=LANGUAGES[spoken]), icon=":material/translate:")
    if comparison.expansions:
        st.caption(t("languages.plain"))
    agreement(first, second)
    for side in SIDES:
        alone(first, second, side)


def both(comparison: Comparison, other: str) -> tuple[Comparison, Comparison]:
    """Ask both questions without expansions, with the settings of the comparison."""
    first = ask(comparison, comparison.query) if comparison.expansions else comparison
    return first, ask(comparison, other)


def ask(comparison: Comparison, query: str) -> Comparison:
    reranker, embedder = chosen_chunk.models_of(comparison)
    opened = cached.lab().open(comparison.doc_id, comparison.settings, embedder)
    place = st.empty()
    try:
        scoring, turn = work.counting(place, "work.scoring"), work.my_turn(place, comparison.settings.reranker)
        return work.once(opened, comparison.settings.reranker).compare(query, [], reranker, scoring, turn)
    finally:
        place.empty()


def agreement(first: Comparison, second: Comparison) -> None:
    """Show how far the orders of both languages agree, for each side."""
    k = min(first.cutoff, len(first.moves), len(second.moves))
    for column, side in zip(st.columns(2), SIDES, strict=True):
        ids, others = first.ranking(side).ids, second.ranking(side).ids
        length = min(len(ids), len(others))
        with column.container(border=True):
            st.markdown(f"**{t('result.vector' if side == 'vector' else 'result.reranked')}**")
            shares = st.columns(2)
            shares[0].metric(t("metric.overlap", k=k), f"{overlap_at(ids, others, k):.0%}")
            shares[1].metric(t("metric.rbo"), f"{rank_biased_overlap(ids[:length], others[:length]):.2f}")
    st.caption(t("languages.help", k=k))


def alone(first: Comparison, second: Comparison, side: str) -> None:
    """List what stands among the first in one language and not in the other, and where it stands there."""
    name = t("result.vector" if side == "vector" else "result.reranked")
    st.markdown(f"**{t('languages.alone', side=name, k=first.cutoff)}**")
    pairs = ((first, second), (second, first))
    for number, (column, (comparison, other)) in enumerate(zip(st.columns(2), pairs, strict=True)):
        with column:
            st.caption(plain(comparison.query))
            missing = alone_chunks(comparison.ranking(side), other.ranking(side), comparison.cutoff)
            if missing:
                alone_table(missing, f"alone_{side}_{number}")
            else:
                st.caption(t("result.nobody"))


def alone_table(missing: list[tuple[int, int | None, Chunk]], key: str) -> None:
    chunks = [chunk for _, _, chunk in missing]
    rows = [
        [rank, str(there or t("languages.not_found")), tables.page(chunk), tables.one_line(chunk.text)]
        for rank, there, chunk in missing
    ]
    names = [t("table.rank"), t("languages.rank_there"), t("table.page"), t("table.text")]
    widths = {
        names[0]: st.column_config.NumberColumn(width=50),
        names[1]: st.column_config.TextColumn(width=80),
        names[2]: tables.page_column(chunks),
    }
    page_beside.table(pd.DataFrame(rows, columns=names), chunks, key, page_beside.stacked, column_config=widths)


def alone_chunks(ranking: Ranking, other: Ranking, k: int) -> list[tuple[int, int | None, Chunk]]:
    """Return the rank in either order, and the chunk, of what is in the top of one alone."""
    top = set(other.ids[:k])
    return [
        (rank, other.rank_of(hit.chunk.id), hit.chunk)
        for rank, hit in enumerate(ranking.top(k), start=1)
        if hit.chunk.id not in top
    ]
