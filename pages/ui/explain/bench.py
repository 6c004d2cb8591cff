"""The bench: change the chunk or the question, and see what each model notices."""

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from pages.ui.explain import chosen_chunk
from pages.ui.explain.probe import DIGITS, key_of
from pages.ui.parts import chunk_text, tables
from pages.ui.shell import cached, state, work
from pages.ui.shell.i18n import t
from pages.ui.shell.switch import switch
from rag_core.datatypes import Chunk, Comparison, FirstStage
from rag_core.explaining import perturb, probe
from rag_core.explaining.units import Span
from rag_core.reading.language import sentences
from rag_core.settings import check_query, check_text

TARGETS = ("text", "question")
TRANSLATE = "translate"
MODELS = ("reranker", "embedder")
LABEL_COLUMNS = 60
MOST_CHARACTERS = 8000

state.keep(bench_target="text", bench_text="", bench_of=None, bench_kind=None, bench_wish=None, bench_log=[])


@dataclass(frozen=True, slots=True)
class Place:
    """Where the chunk stands among the candidates by one model's score."""

    rank: int
    score: float


def show(comparison: Comparison) -> None:
    chunk = chosen_chunk.pick(comparison)
    names = {target: t(f"bench.target_{target}") for target in TARGETS}
    target = switch(t("bench.target"), names, "bench_target")
    base = chunk.text if target == "text" else comparison.query
    begin_at(base, (chunk.id, comparison.query, target))
    with st.container(border=True):
        st.caption(t("bench.original"))
        if target == "text":
            chunk_text.head(chunk)
        chunk_text.lines(base)
    buttons(base)
    change_as_asked(comparison, chunk, base)
    st.text_area(t("bench.text"), key="bench_text", height="content", max_chars=MOST_CHARACTERS, on_change=by_hand)
    if note(st.session_state["bench_kind"], base):
        return
    compare_places(comparison, chunk, target, st.session_state["bench_text"])


def begin_at(base: str, of: tuple) -> None:
    """Begin with the text as it is, whenever the chunk, the question or what is changed has changed."""
    if st.session_state["bench_of"] != of:
        st.session_state.update(bench_of=of, bench_text=base, bench_kind=None, bench_log=[])


def strongest(comparison: Comparison, chunk: Chunk) -> list[Span]:
    """Return the sentences in the order of what the cross-encoder leans on: changes are made there first."""
    spans = list(sentences(chunk.text))
    if len(spans) < 2:
        return spans
    reranker, _ = chosen_chunk.models_of(comparison)
    score, place = probe.in_place_of(chunk, probe.of_texts(reranker, comparison.query)), st.empty()
    counting = work.counting(place, "probe.counting_reranker")
    key = key_of(comparison, chunk, "reranker", "text", "sentence")
    probed = cached.keep(chunk.doc_id, key, lambda: probe.leave_one_out(chunk.text, spans, score, counting))
    place.empty()
    return [(unit.start, unit.end) for unit in probed.ordered]


def buttons(base: str) -> None:
    with st.container(horizontal=True):
        for kind in (*perturb.CHANGES, TRANSLATE):
            st.button(t(f"bench.change_{kind}"), key=f"change_{kind}", on_click=wish, args=[kind])
        st.button(t("bench.reset"), key="bench_reset", on_click=reset, args=[base], icon=":material/undo:")


def wish(kind: str) -> None:
    """Note which change was asked for: where to make it, the models are asked while the page is drawn."""
    st.session_state["bench_wish"] = kind


def change_as_asked(comparison: Comparison, chunk: Chunk, base: str) -> None:
    """Make the change that was asked for, in the sentence that the cross-encoder leans on most."""
    kind = st.session_state["bench_wish"]
    if kind is None:
        return
    st.session_state["bench_wish"] = None
    focus = strongest(comparison, chunk) if st.session_state["bench_target"] == "text" and kind != TRANSLATE else []
    changed = "" if kind == TRANSLATE else perturb.change(base, kind, focus)
    st.session_state.update(bench_kind=kind, bench_text=base if changed is None else changed)


def reset(base: str) -> None:
    st.session_state.update(bench_kind=None, bench_text=base)


def by_hand() -> None:
    """Forget which button began a text that was edited since; a translation is by hand anyway."""
    if st.session_state["bench_kind"] != TRANSLATE:
        st.session_state["bench_kind"] = None


def note(kind: str | None, base: str) -> bool:
    """Say what is missing before anything can be compared; say whether something is."""
    text = st.session_state["bench_text"]
    if kind == TRANSLATE and not text.strip():
        st.info(t("bench.translate_help"), icon=":material/translate:")
    elif kind is not None and text == base:
        st.info(t("bench.nothing", kind=t(f"bench.change_{kind}")), icon=":material/edit:")
    elif text == base:
        st.info(t("bench.hint"), icon=":material/edit:")
    else:
        return False
    return True


def compare_places(comparison: Comparison, chunk: Chunk, target: str, text: str) -> None:
    text = check_text(text) if target == "text" else check_query(text)
    query, piece = (comparison.query, text) if target == "text" else (text, chunk.text)
    chosen_chunk.cut_notice(comparison, chunk.under_head(piece))
    before = places(comparison, chunk, comparison.query, chunk.text)
    after = places(comparison, chunk, query, piece)
    for column, name in zip(st.columns(2), MODELS, strict=True):
        with column.container(border=True):
            rank_change(comparison, name, before[name], after[name])
    st.caption(t("bench.ranks_help", count=len(comparison.moves)))
    record(comparison, text, before, after)
    if len(st.session_state["bench_log"]) > 1:
        st.markdown(f"**{t('bench.log')}**")
        st.dataframe(log_table(comparison), hide_index=True, key="bench_table")


def rank_change(comparison: Comparison, name: str, before: Place, after: Place) -> None:
    digits = DIGITS[name]
    unit = tables.unit(comparison.scale) if name == "reranker" else t("table.cosine")
    moved = before.rank - after.rank
    st.metric(
        t(f"explain.{name}"),
        t("result.from_to", before=before.rank, after=after.rank),
        delta=tables.arrow(moved) if moved else t("bench.same_rank"),
        delta_color="off" if not moved else "green" if moved > 0 else "red",
        delta_arrow="off",
    )
    st.caption(
        t(
            "bench.score",
            unit=unit,
            before=f"{before.score:.{digits}f}",
            after=f"{after.score:.{digits}f}",
            change=f"{after.score - before.score:+.{digits}f}",
        )
    )


def places(comparison: Comparison, chunk: Chunk, query: str, text: str) -> dict[str, Place]:
    """Return where a text in the chunk's place stands for a question, by each model among the same candidates."""
    others = [move.chunk for move in comparison.moves if move.chunk.id != chunk.id]
    reranker, embedder = chosen_chunk.models_of(comparison)
    passage = chunk.under_head(text)
    own = {
        "reranker": probe.of_texts(reranker, query)([passage]),
        "embedder": probe.cosine_of_texts(embedder, query)([passage]),
    }
    rivals = {"reranker": reranker_scores(comparison, query), "embedder": cosines(comparison, query)}
    return {
        name: Place(probe.rank_among(own[name][0], [rivals[name][other.id] for other in others]), float(own[name][0]))
        for name in MODELS
    }


def reranker_scores(comparison: Comparison, query: str) -> dict[str, float]:
    """Return each candidate's score for a question; those of the comparison's own question are there already."""
    if query == comparison.query:
        return {move.chunk.id: move.after_score for move in comparison.moves}
    reranker, _ = chosen_chunk.models_of(comparison)
    chunks, place = [move.chunk for move in comparison.moves], st.empty()
    key = ("candidates", reranker.id, query, *(chunk.id for chunk in chunks))
    counting = work.counting(place, "work.scoring")
    texts = [chunk.passage for chunk in chunks]
    scores = cached.keep(comparison.doc_id, key, lambda: reranker.score(query, texts, counting).tolist())
    place.empty()
    return dict(zip((chunk.id for chunk in chunks), scores, strict=True))


def cosines(comparison: Comparison, query: str) -> dict[str, float]:
    """Return each candidate's cosine with a question, from the embeddings that are stored."""
    _, embedder = chosen_chunk.models_of(comparison)
    by_cosine = cached.lab().open(comparison.doc_id, comparison.settings, embedder).whole(query, FirstStage.VECTOR)
    wanted = {move.chunk.id for move in comparison.moves}
    return {hit.chunk.id: hit.score for hit in by_cosine.hits if hit.chunk.id in wanted}


def record(comparison: Comparison, text: str, before: dict[str, Place], after: dict[str, Place]) -> None:
    """Keep what was tried, each text once."""
    kept = [row for row in st.session_state["bench_log"] if row[1] != text]
    st.session_state["bench_log"] = [*kept, (st.session_state["bench_kind"], text, before, after)]


def log_table(comparison: Comparison) -> pd.DataFrame:
    """Return a row a change: both ranks, then how far each score moved in its own unit."""
    rows = [
        [
            t(f"bench.change_{kind}") if kind else t("bench.by_hand"),
            *(t("result.from_to", before=before[name].rank, after=after[name].rank) for name in MODELS),
            f"{after['reranker'].score - before['reranker'].score:+.2f}",
            f"{after['embedder'].score - before['embedder'].score:+.4f}",
            tables.one_line(text, LABEL_COLUMNS),
        ]
        for kind, text, before, after in st.session_state["bench_log"]
    ]
    units = [f"Δ {tables.unit(comparison.scale)}", f"Δ {t('table.cosine')}"]
    return pd.DataFrame(
        rows, columns=[t("bench.change"), t("explain.reranker"), t("explain.embedder"), *units, t("table.text")]
    )
