"""Two answers to one question, from the first chunks of either order, side by side."""

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from pages.ui.parts import chunk_text, page_beside, tables
from pages.ui.shell import state
from pages.ui.shell.i18n import t
from rag_core.comparing.answer import CITATION, EXTRACTIVE
from rag_core.datatypes import Answer, Comparison, Move
from rag_core.reading.language import sentences
from rag_core.sharing.replay import SIDES

state.keep(answer_source="extractive")


def show(comparison: Comparison, answers: Mapping[str, Answer], pages: bool = False) -> None:
    """Show both; with ``pages``, the document is at hand."""
    changed = change(answers)
    st.subheader(t(f"answer.{changed}"))
    if changed != "same":
        st.caption(t("answer.changed_help"))
    for column, side in zip(st.columns(2), SIDES, strict=True):
        with column:
            show_side(comparison, side, answers[side], pages)


def change(answers: Mapping[str, Answer]) -> str:
    """Say how two answers differ in their words: ``same``, ``same_start`` (the first sentence is) or ``changed``.

    Citations are compared as chunks, for their numbers differ.
    """
    before, after = (said(answer.text) for answer in answers.values())
    if before == after:
        return "same"
    return "same_start" if before[:1] == after[:1] != [] else "changed"


def said(text: str) -> list[str]:
    """Return the sentences of an answer, without citations and white space."""
    plain = CITATION.sub("", text)
    return ["".join(plain[start:end].split()) for start, end in sentences(plain)]


def show_side(comparison: Comparison, side: str, answer: Answer, pages: bool) -> None:
    with st.container(border=True):
        st.markdown(f"**{tables.order_name(comparison, side)}**")
        extractive = answer.source == EXTRACTIVE
        st.badge(t("answer.extractive") if extractive else t("answer.by_llm"), icon=":material/format_quote:")
        if not extractive:
            st.text(answer.source)
        st.text(answer.text or t("answer.nothing"))
    sources(answer, side, pages)


def sources(answer: Answer, side: str, pages: bool) -> None:
    """List what an answer was made from; a click shows the chunk, on its page where that is at hand."""
    rows = [
        ["●" if number in answer.cited else "○", f"[{number}]", tables.page(chunk), tables.one_line(chunk.text)]
        for number, chunk in enumerate(answer.chunks, start=1)
    ]
    names = [t("answer.cited"), t("answer.number"), t("table.page"), t("table.text")]
    look = {
        names[0]: st.column_config.TextColumn(width=50),
        names[1]: st.column_config.TextColumn(width=50),
        names[2]: tables.page_column(answer.chunks),
        names[3]: st.column_config.TextColumn(width="large"),
    }
    table = pd.DataFrame(rows, columns=names)
    if pages:
        page_beside.table(table, answer.chunks, f"sources_{side}", page_beside.stacked, column_config=look)
        return
    shown = page_beside.choose(table, answer.chunks, f"sources_{side}", column_config=look)
    if shown:
        chunk_text.show(shown)


def shared_sources(comparison: Comparison) -> None:
    """Say how many sources both sides share, and show which were swapped."""
    k, entered = min(comparison.cutoff, len(comparison.moves)), len(comparison.entered)
    st.markdown(t("answer.sources", shared=k - entered, k=k, entered=entered))
    vector, reranked = st.columns(2)
    swapped(vector, t("answer.only_vector"), comparison.left)
    swapped(reranked, t("answer.only_reranked"), comparison.entered)


def swapped(column: st.delta_generator.DeltaGenerator, heading: str, moves: tuple[Move, ...]) -> None:
    column.markdown(f"**{heading}**")
    for move in moves:
        column.text(f"{tables.where(move.chunk)}  {tables.one_line(move.chunk.text, 90)}")
