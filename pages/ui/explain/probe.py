"""Why did it move: leave one unit out at a time, and shade the text by what each model loses."""

from collections.abc import Callable, Iterator
from functools import partial

import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from pages.ui.explain import chosen_chunk
from pages.ui.parts import best_part, tables
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
STRONGEST_COLUMNS = 60
DIGITS = {"reranker": 2, "embedder": 4}
TEXT_PIXELS = 225  # all columns fit at 800 pixels; a wider page stretches this one

state.keep(explain_part="why", probe_unit="clause", probe_asked=None)


def show(comparison: Comparison) -> None:
    """Say how the chunk moved, and probe it when the reader asks for that; what was probed before is shown at once."""
    outcome = st.container()
    with st.container(horizontal=True, vertical_alignment="center", key="probe_with"):
        chunk = chosen_chunk.pick(comparison)
        names = {unit: t(f"probe.unit_{unit}") for unit in UNITS}
        wanted = switch(t("probe.unit"), names, "probe_unit", labelled=False)
        unit = fitting(chunk.text, wanted)
        asked = (chunk.id, comparison.query, unit)
        ready = st.session_state["probe_asked"] == asked or is_kept(comparison, chunk, unit)
        if not ready:
            label, icon = t("probe.run"), ":material/play_arrow:"
            st.button(label, key="probe_run", type="primary", icon=icon, on_click=ask, args=[asked])
    with outcome:
        chosen_chunk.outcome(comparison, chunk)
    chosen_chunk.cut_notice(comparison, chunk.passage)
    if unit != wanted:
        st.info(t("probe.smaller", unit=names[unit]), icon=":material/content_cut:")
    if ready:
        results(comparison, chunk, unit)
    chosen_chunk.text(comparison, chunk)


def results(comparison: Comparison, chunk: Chunk, unit: str) -> None:
    """Show what either model loses with each part of the chunk, and of the question."""
    st.markdown(f"**{t('probe.of_text')}**")
    side_by_side(comparison, text_probes(comparison, chunk, unit), "text")
    st.markdown(f"**{t('probe.of_question')}**")
    if len(units.groups(comparison.query)) < 2:
        st.info(t("probe.short_question"), icon=":material/short_text:")
    else:
        side_by_side(comparison, question_probes(comparison, chunk), "question")
    st.caption(t("probe.no_proof"))


def fitting(text: str, unit: str) -> str:
    """Return the unit, or the next smaller one of which the text has at least two, or the smallest."""
    smaller = list(UNITS)[list(UNITS).index(unit) :]
    return next((finer for finer in smaller if len(UNITS[finer](text)) > 1), smaller[-1])


def ask(asked: tuple | None) -> None:
    st.session_state["probe_asked"] = asked


def key_of(comparison: Comparison, chunk: Chunk, role: str, target: str, unit: str) -> tuple:
    """Return under what a probe is kept: the model's role and id, ``text`` or ``question``, both of them, the rest."""
    model = getattr(comparison.settings, role)
    return role, model, target, comparison.query, chunk.text, unit if target == "text" else "", chunk.head


def is_kept(comparison: Comparison, chunk: Chunk, unit: str) -> bool:
    """Say whether both models were asked before: then nothing is left to be computed."""
    targets = ("text", "question") if len(units.groups(comparison.query)) > 1 else ("text",)
    keys = (key_of(comparison, chunk, role, target, unit) for role in DIGITS for target in targets)
    return all(cached.kept(chunk.doc_id, key, Probe) for key in keys)


def text_probes(comparison: Comparison, chunk: Chunk, unit: str) -> dict[str, Probe]:
    """Probe the chunk's text with both models."""
    asks = {
        "reranker": lambda: of_texts(chosen_chunk.models_of(comparison)[0], comparison.query),
        "embedder": lambda: cosine_of_texts(chosen_chunk.models_of(comparison)[1], comparison.query),
    }
    return {
        role: probe_of(
            chunk.doc_id,
            key_of(comparison, chunk, role, "text", unit),
            UNITS[unit],
            partial(in_its_place, chunk, score),
        )
        for role, score in asks.items()
    }


def in_its_place(chunk: Chunk, score: Callable[[], Score]) -> Score:
    return in_place_of(chunk, score())


def question_probes(comparison: Comparison, chunk: Chunk) -> dict[str, Probe]:
    """Probe the question's words with both models."""
    asks = {
        "reranker": lambda: of_questions(chosen_chunk.models_of(comparison)[0], chunk.passage),
        "embedder": lambda: cosine_of_questions(chosen_chunk.models_of(comparison)[1], chunk.passage),
    }
    return {
        role: probe_of(chunk.doc_id, key_of(comparison, chunk, role, "question", ""), units.groups, score)
        for role, score in asks.items()
    }


def probe_of(doc_id: str, key: tuple, cut: Callable[[str], list[Span]], score: Callable[[], Score]) -> Probe:
    """Return a probe that was made before, or make it with a count and a button that stops it; see ``key_of``."""
    role, _, target, query, chunk, *_ = key
    text = chunk if target == "text" else query
    made = cached.kept(doc_id, key, Probe)
    if made is not None:
        return made
    place = st.empty()
    with place.container():
        bar = st.empty()
        st.button(t("probe.stop"), key=f"stop_{role}_{target}", on_click=ask, args=[None])

    def count(done: int, total: int) -> None:
        # Streamlit ends a run that the reader stopped at the next thing it draws, which is here.
        bar.progress(done / total, text=t(f"probe.counting_{role}", done=done, total=total))

    try:
        return cached.keep(doc_id, key, lambda: leave_one_out(text, cut(text), score(), count))
    finally:
        place.empty()


def side_by_side(comparison: Comparison, probes: dict[str, Probe], target: str) -> None:
    """Shade the text by what either model loses without each part; the figures stand folded below."""
    for column, (name, probe) in zip(st.columns(2), probes.items(), strict=True):
        unit = tables.unit(comparison.scale) if name == "reranker" else t("table.cosine")
        with column, st.container(border=True):
            st.caption(t(f"probe.view_{name}"))
            st.text(strongest(probe, DIGITS[name]))
            best_part.draw(shaded(probe, DIGITS[name]), f"probed_{target}_{name}")
            with st.expander(t("probe.figures"), key=f"figures_{target}_{name}", icon=":material/table_rows:"):
                st.dataframe(
                    figures(probe, unit, DIGITS[name]),
                    hide_index=True,
                    column_config={
                        t("table.rank"): st.column_config.NumberColumn(width=50),
                        t("probe.drop", unit=unit): st.column_config.NumberColumn(width=90),
                        t("table.text"): st.column_config.TextColumn(width=TEXT_PIXELS),
                    },
                )
                summary(probe, unit, DIGITS[name])


def strongest(probe: Probe, digits: int) -> str:
    """Name the part without which the score falls most, where it falls at all."""
    first = probe.ordered[0]
    if round(first.drop, digits) <= 0:
        return t("probe.none_carries")
    return t("probe.strongest", text=tables.one_line(probe.text[first.start : first.end], STRONGEST_COLUMNS))


def shaded(probe: Probe, digits: int) -> Iterator[best_part.Run]:
    """Yield the text piece by piece, each unit with its share of the largest drop: each model has its own scale."""
    widest, end = max(abs(unit.drop) for unit in probe.units) or 1.0, 0
    for unit in probe.units:
        yield probe.text[end : unit.start], False
        yield probe.text[unit.start : unit.end], unit.drop / widest, f"{unit.drop:+.{digits}f}"
        end = unit.end
    yield probe.text[end:], False


def figures(probe: Probe, unit: str, digits: int) -> Styler:
    """Return the text's units in their order, with rank and drop."""
    names = [t("table.rank"), t("probe.drop", unit=unit), t("table.text")]
    rows = [
        [rank, unit.drop, tables.one_line(probe.text[unit.start : unit.end])]
        for rank, unit in zip(probe.ranks, probe.units, strict=True)
    ]
    return pd.DataFrame(rows, columns=names).style.format({names[1]: f"{{:+.{digits}f}}"})


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
