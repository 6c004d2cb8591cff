"""Why did it move: leave one unit out at a time, and shade the text by what each model loses."""

from collections.abc import Callable

import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from pages.ui.explain import chosen_chunk
from pages.ui.parts import tables
from pages.ui.shell import cached, state
from pages.ui.shell.i18n import t
from pages.ui.shell.switch import switch
from rag_core.datatypes import Chunk, Comparison
from rag_core.explaining import units
from rag_core.explaining.probe import (
    Probe,
    Score,
    cosine_of_questions,
    cosine_of_texts,
    in_place_of,
    leave_one_out,
    of_questions,
    of_texts,
)
from rag_core.explaining.units import Span
from rag_core.reading.language import sentences

UNITS: dict[str, Callable[[str], list[Span]]] = {
    "sentence": lambda text: list(sentences(text)),
    "clause": units.clauses,
    "words": units.groups,
}
SUPPORTS, AGAINST = "37, 99, 168", "217, 119, 6"
STRONGEST_SHADE = 0.55
STRONGEST_COLUMNS = 60
DIGITS = {"reranker": 2, "embedder": 4}
TEXT_PIXELS = 225  # all columns fit at 800 pixels; a wider page stretches this one
LINE_COLUMNS, LINE_PIXELS = 32, 21
WRAPS_FROM = 66  # a table wraps its texts only in rows higher than this many pixels
MOST_PIXELS = 1400

state.keep(explain_part="why", probe_unit="clause", probe_stopped=None)


def show(comparison: Comparison) -> None:
    chunk = chosen_chunk.pick(comparison)
    chosen_chunk.standing(comparison, chunk)
    chosen_chunk.cut_notice(comparison, chunk.passage)
    names = {unit: t(f"probe.unit_{unit}") for unit in UNITS}
    wanted = switch(t("probe.unit"), names, "probe_unit")
    unit = fitting(chunk.text, wanted)
    if unit != wanted:
        st.info(t("probe.smaller", unit=names[unit]), icon=":material/content_cut:")
    asked = (chunk.id, comparison.query, unit)
    if st.session_state["probe_stopped"] == asked:
        st.info(t("probe.stopped"), icon=":material/stop_circle:")
        st.button(t("probe.again"), on_click=stop_at, args=[None], icon=":material/play_arrow:")
        return
    st.markdown(f"**{t('probe.of_text')}**")
    side_by_side(comparison, text_probes(comparison, chunk, unit, asked))
    st.markdown(f"**{t('probe.of_question')}**")
    if len(units.groups(comparison.query)) < 2:
        st.info(t("probe.short_question"), icon=":material/short_text:")
    else:
        side_by_side(comparison, question_probes(comparison, chunk, asked))
    st.caption(t("probe.no_proof"))


def fitting(text: str, unit: str) -> str:
    """Return the unit, or the next smaller one of which the text has at least two, or the smallest."""
    smaller = list(UNITS)[list(UNITS).index(unit) :]
    return next((finer for finer in smaller if len(UNITS[finer](text)) > 1), smaller[-1])


def stop_at(asked: tuple | None) -> None:
    st.session_state["probe_stopped"] = asked


def text_probes(comparison: Comparison, chunk: Chunk, unit: str, asked: tuple) -> dict[str, Probe]:
    """Probe the chunk's text with both models."""
    reranker, embedder = chosen_chunk.models_of(comparison)
    read = (comparison.query, chunk.text, unit, chunk.head)
    return {
        name: probe_of(chunk.doc_id, (name, model.id, "text", *read), UNITS[unit], ask, asked)
        for name, model, ask in (
            ("reranker", reranker, lambda: in_place_of(chunk, of_texts(reranker, comparison.query))),
            ("embedder", embedder, lambda: in_place_of(chunk, cosine_of_texts(embedder, comparison.query))),
        )
    }


def question_probes(comparison: Comparison, chunk: Chunk, asked: tuple) -> dict[str, Probe]:
    """Probe the question's words with both models."""
    reranker, embedder = chosen_chunk.models_of(comparison)
    read = (comparison.query, chunk.text, "", chunk.head)
    return {
        name: probe_of(chunk.doc_id, (name, model.id, "question", *read), units.groups, ask, asked)
        for name, model, ask in (
            ("reranker", reranker, lambda: of_questions(reranker, chunk.passage)),
            ("embedder", embedder, lambda: cosine_of_questions(embedder, chunk.passage)),
        )
    }


def probe_of(
    doc_id: str, key: tuple, cut: Callable[[str], list[Span]], ask: Callable[[], Score], asked: tuple
) -> Probe:
    """Return a probe that was made before, or make it with a count and a button that stops it.

    ``key`` names the model's role and id, ``text`` or ``question``, both of them, the unit, and the table's head.
    """
    role, _, target, query, chunk, *_ = key
    text = chunk if target == "text" else query
    made = cached.kept(doc_id, key, Probe)
    if made is not None:
        return made
    place = st.empty()
    with place.container():
        bar = st.empty()
        st.button(t("probe.stop"), key=f"stop_{role}_{target}", on_click=stop_at, args=[asked])

    def count(done: int, total: int) -> None:
        # Streamlit ends a run that the reader stopped at the next thing it draws, which is here.
        bar.progress(done / total, text=t(f"probe.counting_{role}", done=done, total=total))

    try:
        return cached.keep(doc_id, key, lambda: leave_one_out(text, cut(text), ask(), count))
    finally:
        place.empty()


def side_by_side(comparison: Comparison, probes: dict[str, Probe]) -> None:
    for column, (name, probe) in zip(st.columns(2), probes.items(), strict=True):
        with column:
            st.caption(t(f"probe.view_{name}"))
            first = probe.ordered[0]
            st.text(t("probe.strongest", text=tables.one_line(probe.text[first.start : first.end], STRONGEST_COLUMNS)))
            unit = tables.unit(comparison.scale) if name == "reranker" else t("table.cosine")
            st.dataframe(
                shaded(probe, unit, DIGITS[name]),
                hide_index=True,
                height=table_height(probe),
                row_height=row_height(probe),
                column_config={
                    t("table.rank"): st.column_config.NumberColumn(width=50),
                    t("probe.drop", unit=unit): st.column_config.NumberColumn(width=90),
                    t("table.text"): st.column_config.TextColumn(width=TEXT_PIXELS),
                },
            )
            summary(probe, unit, DIGITS[name])


def shaded(probe: Probe, unit: str, digits: int) -> Styler:
    """Return the text's units in their order, shaded by the drop, each model on a scale of its own."""
    names = [t("table.rank"), t("probe.drop", unit=unit), t("table.text")]
    rows = [
        [rank, unit.drop, tables.one_line(probe.text[unit.start : unit.end])]
        for rank, unit in zip(probe.ranks, probe.units, strict=True)
    ]
    widest = max(abs(unit.drop) for unit in probe.units) or 1.0
    shades = [shade(unit.drop / widest) for unit in probe.units]
    style = pd.DataFrame(rows, columns=names).style.format({names[1]: f"{{:+.{digits}f}}"})
    return style.apply(lambda row: [shades[row.name]] * len(row), axis=1)


def shade(share: float) -> str:
    return f"background-color: rgba({SUPPORTS if share > 0 else AGAINST}, {abs(share) * STRONGEST_SHADE:.3f})"


def row_height(probe: Probe) -> int:
    """Return the height of as many lines as the longest unit needs: long sentences wrap."""
    widest = max(tables.columns_of(probe.text[unit.start : unit.end]) for unit in probe.units)
    lines = -(-widest // LINE_COLUMNS)
    return tables.ROW_PIXELS if lines == 1 else max(WRAPS_FROM, lines * LINE_PIXELS + 12)


def table_height(probe: Probe) -> int:
    return min(len(probe.units) * row_height(probe) + tables.ROW_PIXELS + 3, MOST_PIXELS)


def summary(probe: Probe, unit: str, digits: int) -> None:
    """Say what the drops add up to, and that they need not."""
    st.caption(t("probe.sum", unit=unit, score=f"{probe.score:.{digits}f}", total=f"{probe.total:+.{digits}f}"))
    if probe.without_two is not None:
        first, second = probe.ordered[:2]
        st.caption(
            t(
                "probe.two",
                together=f"{probe.score - probe.without_two:+.{digits}f}",
                apart=f"{first.drop + second.drop:+.{digits}f}",
            )
        )
