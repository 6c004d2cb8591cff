"""Two answers to one question, from the first chunks of either order, side by side."""

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from pages.ui.answer import cards
from pages.ui.parts import best_part, chunk_text, page_beside, tables
from pages.ui.shell import state
from pages.ui.shell.i18n import t
from rag_core.comparing.answer import is_clear, plain, said
from rag_core.datatypes import Answer, Comparison
from rag_core.sharing.replay import SIDES

WIDTHS = (50, 50, 70)


def outcome(comparison: Comparison, answers: Mapping[str, Answer]) -> None:
    """Say in a sentence what reranking did to the answer, and below it to what it was made from."""
    k, entered = min(comparison.cutoff, len(comparison.moves)), len(comparison.entered)
    changed, swapped = change(answers), t("answer.sources", shared=k - entered, k=k, entered=entered)
    with st.container(gap=None):
        st.markdown(f"**{t(f'answer.{changed}', k=k)}**")
        st.caption(f"{swapped} {t('answer.changed_help')}" if changed in ("changed", "same_start") else swapped)


def change(answers: Mapping[str, Answer]) -> str:
    """Say how two answers differ in their words; nothing is said of their meaning.

    ``neither`` answers, only the reranked one does (``gained``) or only the other one (``lost``), they say the
    ``same``, or begin with the same sentence (``same_start``), or else ``changed``.
    """
    before, after = (words(answers[side]) for side in SIDES)
    if not before or not after:
        return "gained" if after else "lost" if before else "neither"
    if before == after:
        return "same"
    return "same_start" if before[0] == after[0] else "changed"


def words(answer: Answer) -> list[str]:
    """Return the sentences that are compared; what does not answer clearly has none."""
    return [plain(part.words) for part in said(answer)] if is_clear(answer) else []


@state.fragment
def show(comparison: Comparison, answers: Mapping[str, Answer], pages: bool = False) -> None:
    """Show both answers, and the chunk of the sentence that was clicked; with ``pages``, the document is at hand."""
    cards.show(comparison, answers)
    quoted = {chunk.id for answer in answers.values() for chunk in answer.chunks}
    move = next((move for move in comparison.moves if move.chunk.id == st.session_state["picked"]), None)
    if move is None or move.chunk.id not in quoted:
        st.caption(t("answer.pick_hint"))
        return
    at_hand = pages and page_beside.at_hand([move.chunk])
    with page_beside.box(move.chunk, move.part) if at_hand else st.container(border=True):
        best_part.text(move)


def sources(comparison: Comparison, answers: Mapping[str, Answer], pages: bool = False) -> None:
    """List what both answers were made from; a click shows the chunk, on its page where that is at hand."""
    for column, side in zip(st.columns(2), SIDES, strict=True):
        with column:
            st.markdown(f"**{t('answer.made_from', order=tables.order_name(comparison, side))}**")
            source_table(comparison, side, answers[side], pages)


def source_table(comparison: Comparison, side: str, answer: Answer, pages: bool) -> None:
    moves = {move.chunk.id: move for move in comparison.moves}
    rows = [
        [
            "●" if number in answer.cited else "○",
            f"[{number}]",
            t("result.from_to", before=moves[chunk.id].before, after=moves[chunk.id].after),
            tables.page(chunk),
            tables.one_line(chunk.text),
        ]
        for number, chunk in enumerate(answer.chunks, start=1)
    ]
    names = [t("answer.cited"), t("answer.number"), t("answer.moved"), t("table.page"), t("table.text")]
    look = {name: st.column_config.TextColumn(width=width) for name, width in zip(names, WIDTHS, strict=False)}
    look |= {names[3]: tables.page_column(answer.chunks), names[4]: st.column_config.TextColumn(width="large")}
    table = pd.DataFrame(rows, columns=names)
    if pages:
        page_beside.table(table, answer.chunks, f"sources_{side}", page_beside.stacked, column_config=look)
        return
    shown = page_beside.choose(table, answer.chunks, f"sources_{side}", column_config=look)
    if shown:
        chunk_text.show(shown)
