"""The page itself, beside what was read on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias, TypedDict, Unpack

import streamlit as st

from pages.ui.parts import chunk_text
from pages.ui.parts.tables import Columns
from pages.ui.shell import cached, state
from pages.ui.shell.frame import errors_shown
from pages.ui.shell.i18n import t
from rag_core.datatypes import Chunk, Part

if TYPE_CHECKING:
    import pandas as pd
    from pandas.io.formats.style import Styler

Table: TypeAlias = "pd.DataFrame | Styler"


class Look(TypedDict, total=False):
    """How a table is drawn, as ``st.dataframe`` takes it."""

    height: int
    column_config: Columns


def chunk(shown: Chunk, part: Part | None = None) -> None:
    """Show the page of a chunk with the chunk's place marked, or say that the place is not known."""
    if shown.title:
        st.text(shown.title)
    page(shown.doc_id, shown.page, shown.text, part)


def page(doc_id: str, number: int, words: str = "", part: Part | None = None) -> None:
    with errors_shown(), st.spinner(t("beside.drawing")):
        png, marked = cached.page_picture(doc_id, number, words, (part.start, part.end) if part else None)
        with st.container(border=True):
            st.image(png, width="stretch", alt=t("table.page_short", page=number))
        if words:
            known = "beside.part_marked" if part else "beside.marked"
            st.caption(t(known if marked else "beside.unmarked", page=number))


@contextmanager
def box(shown: Chunk, part: Part | None = None) -> Iterator[None]:
    """Draw what is said inside to the left of the chunk's page; ``part`` is marked on it more strongly."""
    with st.container(border=True):
        text, picture = st.columns([3, 2])
        with text:
            yield
        with picture:
            chunk(shown, part)


def whole(shown: Chunk) -> None:
    with box(shown):
        chunk_text.show(shown)


def stacked(shown: Chunk) -> None:
    """Show a chunk above its page, where there is no room for both side by side."""
    with st.container(border=True):
        chunk_text.show(shown)
        chunk(shown)


@state.fragment
def table(
    rows: Table, chunks: Sequence[Chunk], key: str, show: Callable[[Chunk], None] = whole, **look: Unpack[Look]
) -> None:
    """Draw a table with a chunk in each row; a click on a row shows the chunk and its page below, Escape hides them.

    Only this part is drawn again. Without the documents in the visitor's own library nothing can be clicked.
    """
    if not at_hand(chunks):
        st.dataframe(rows, key=key, hide_index=True, **look)
        return
    chosen = choose(rows, chunks, key, **look)
    if chosen:
        show(chosen)
    else:
        st.caption(t("beside.click"))


def at_hand(chunks: Sequence[Chunk]) -> bool:
    """Say whether the visitor may see the pages: on a server, only those of what they uploaded themselves."""
    return {piece.doc_id for piece in chunks} <= cached.lab().documents.titles(state.owner()).keys()


def choose(rows: Table, chunks: Sequence[Chunk], key: str, **look: Unpack[Look]) -> Chunk | None:
    """Draw a table with a chunk in each row, and return the one whose row was clicked, anywhere in it."""
    event = st.dataframe(
        rows,
        key=state.key_of(key, (piece.id for piece in chunks)),
        hide_index=True,
        on_select="rerun",
        selection_mode="single-cell",
        **look,
    )
    return next((chunks[row] for row, _ in event["selection"]["cells"]), None)
