"""The part of a chunk that scored best, marked in its text."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeAlias

import streamlit as st

from pages.ui.parts import chunk_text
from pages.ui.parts.component import style_and_script
from pages.ui.shell.i18n import t
from rag_core.datatypes import Comparison, Move, Part
from rag_core.reading.text import CELL

HERE = Path(__file__)
CSS, SCRIPT = style_and_script(HERE.with_name("marked"))

Run: TypeAlias = tuple[str, bool | float] | tuple[str, bool | float, str]
"""Words, whether they are marked, or by how much of its colour: negative ones in the other. A text to it, at will."""


def draw(runs: Iterable[Run], key: str) -> None:
    """Draw a text with marks in it, the rows of a table as rows."""
    component = st.components.v2.component("marked", html='<div class="marked"></div>', css=CSS, js=SCRIPT)
    component(data=list(runs), key=key)


def text(move: Move) -> None:
    """Show a chunk's text, and say and mark what of it was scored where that is a part."""
    chunk_text.head(move.chunk)
    if move.part is None and CELL not in move.chunk.text:
        st.text(move.chunk.text)
        return
    if move.part:
        st.caption(t("part.scored", of=move.part.of))
    draw(runs(move.chunk.text, move.part), f"best_part_{move.chunk.id}")


def runs(words: str, part: Part | None) -> Iterator[tuple[str, bool]]:
    """Yield a text piece by piece, each with whether it is the part that scored best."""
    start, end = (part.start, part.end) if part else (0, 0)
    for first, last, marked in ((0, start, False), (start, end, True), (end, len(words), False)):
        if first < last:
            yield words[first:last], marked


def summary(comparison: Comparison) -> None:
    """Say how many chunks were scored by their best part, where any was."""
    count = sum(move.part is not None for move in comparison.moves)
    if count:
        st.caption(t("part.count", count=count, chunks=len(comparison.moves)))
