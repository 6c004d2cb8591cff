"""The part of a chunk that scored best, marked in its text."""

from collections.abc import Iterator

import streamlit as st

from pages.ui.parts import chunk_text
from pages.ui.shell.i18n import t
from rag_core.datatypes import Comparison, Move, Part

STYLE = """
p { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; font-family: var(--st-font); line-height: 1.6;
    color: var(--st-text-color); }
mark { color: inherit; background: color-mix(in srgb, var(--st-primary-color) 22%, transparent); border-radius: 3px; }
"""
SCRIPT = """
export default function ({ data, parentElement }) {
  const runs = data.map(([words, marked]) => {
    const run = document.createElement(marked ? "mark" : "span");
    run.textContent = words;
    return run;
  });
  parentElement.querySelector("p").replaceChildren(...runs);
}
"""


def text(move: Move) -> None:
    """Show a chunk's text, and say and mark what of it was scored where that is a part."""
    chunk_text.head(move.chunk)
    if move.part is None:
        st.text(chunk_text.apart(move.chunk.text))
        return
    st.caption(t("part.scored", of=move.part.of))
    draw = st.components.v2.component("best_part", html="<p></p>", css=STYLE, js=SCRIPT)
    shown = [(chunk_text.apart(words), marked) for words, marked in runs(move.chunk.text, move.part)]
    draw(data=shown, key=f"best_part_{move.chunk.id}")


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
