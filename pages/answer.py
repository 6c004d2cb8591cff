"""Answer: the same question from the first chunks of either order."""

import pandas as pd
import streamlit as st

from pages.ui import beside, cached, form, tables
from pages.ui.frame import frame, told
from pages.ui.i18n import t
from rag_core import answer
from rag_core.datatypes import Answer, Comparison

SIDES = ("vector", "reranked")


def answer_side(comparison: Comparison, side: str, place: st.delta_generator.DeltaGenerator) -> Answer:
    hits = getattr(comparison, side).top(comparison.cutoff)
    if st.session_state["answer_source"] == "extractive":
        place.text(t("work.loading"))
        return answer.extractive(comparison.query, hits, cached.reranker(comparison.settings.reranker))
    model, text = form.chat_model(), ""
    place.text(t("work.asking"))
    for piece in answer.by_llm(comparison.query, hits, model):
        text += piece
        place.text(text)
    return answer.finish(text, hits, model.settings.model)


def ask(comparison: Comparison) -> None:
    """Answer both sides; an error on either leaves the former answers as they were."""
    places = [column.empty() for column in st.columns(2)]
    with told():
        found = {side: answer_side(comparison, side, place) for side, place in zip(SIDES, places, strict=True)}
        st.session_state["answers"] = found
    for place in places:
        place.empty()


def show(comparison: Comparison, answers: dict[str, Answer]) -> None:
    st.subheader(t("answer.same" if same(answers) else "answer.changed"))
    if not same(answers):
        st.caption(t("answer.changed_help"))
    for column, side in zip(st.columns(2), SIDES, strict=True):
        with column:
            show_side(comparison, side, answers[side])


def same(answers: dict[str, Answer]) -> bool:
    """Say whether both sides give the same words; citations are compared as chunks, for their numbers differ."""
    plain = [" ".join(answer.CITATION.sub("", found.text).split()) for found in answers.values()]
    return plain[0] == plain[1]


def show_side(comparison: Comparison, side: str, found: Answer) -> None:
    with st.container(border=True):
        st.markdown(f"**{tables.order_name(comparison, side)}**")
        extractive = found.source == answer.EXTRACTIVE
        st.badge(t("answer.extractive") if extractive else t("answer.by_llm"), icon=":material/format_quote:")
        if not extractive:
            st.text(found.source)
        st.text(found.text or t("answer.nothing"))
    sources_of(found, side)


def sources_of(found: Answer, side: str) -> None:
    """List what an answer was made from; a click shows the page."""
    rows = [
        ["●" if number in found.cited else "○", f"[{number}]", chunk.page, tables.one_line(chunk.text)]
        for number, chunk in enumerate(found.chunks, start=1)
    ]
    names = [t("answer.cited"), t("answer.number"), t("table.page"), t("table.text")]
    st.dataframe(
        pd.DataFrame(rows, columns=names),
        hide_index=True,
        key=f"sources_{side}",
        on_select=lambda: pick_source(side, found),
        selection_mode="single-row",
        column_config={
            names[0]: st.column_config.TextColumn(width=50),
            names[1]: st.column_config.TextColumn(width=50),
            names[2]: st.column_config.NumberColumn(width=50),
            names[3]: st.column_config.TextColumn(width="large"),
        },
    )
    shown = st.session_state["shown_source"]
    if shown in found.chunks:
        st.text(shown.text)
        beside.chunk(shown)


def pick_source(side: str, found: Answer) -> None:
    for row in st.session_state[f"sources_{side}"]["selection"]["rows"]:
        st.session_state["shown_source"] = found.chunks[row]


def sources(comparison: Comparison) -> None:
    """Say which sources both sides share and which were swapped."""
    k = min(comparison.cutoff, len(comparison.moves))
    shared = k - len(comparison.entered)
    st.markdown(t("answer.sources", shared=shared, k=k, entered=len(comparison.entered)))
    for column, moves, key in zip(
        st.columns(2),
        (comparison.left, comparison.entered),
        ("answer.only_vector", "answer.only_reranked"),
        strict=True,
    ):
        column.markdown(f"**{t(key)}**")
        for move in moves:
            column.text(f"{t('table.page_short', page=move.chunk.page)}  {tables.one_line(move.chunk.text, 90)}")


frame("answer")
st.caption(t("answer.lead"))
with told():
    comparison = st.session_state["comparison"]
    if comparison is None:
        st.info(t("answer.empty"), icon=":material/help:")
        st.page_link("pages/compare.py", label=t("compare.title"), icon=":material/swap_vert:")
        st.stop()
    st.markdown(t("answer.question"))
    st.text(comparison.query)
    names = {source: t(f"answer.source_{source}") for source in ("extractive", "llm")}
    st.radio(t("answer.source"), list(names), key="answer_source", horizontal=True, format_func=names.get)
    form.llm_fields()
    if st.button(t("answer.ask"), type="primary", icon=":material/forum:"):
        ask(comparison)
    if st.session_state["answers"]:
        show(comparison, st.session_state["answers"])
    st.divider()
    sources(comparison)
