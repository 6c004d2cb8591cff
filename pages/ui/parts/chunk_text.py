"""A chunk's text, and before it, told apart, the head of its table that models read with it."""

import streamlit as st

from pages.ui.shell.i18n import t
from rag_core.datatypes import Chunk
from rag_core.reading.text import CELL


def show(chunk: Chunk) -> None:
    head(chunk)
    st.text(apart(chunk.text))


def apart(text: str) -> str:
    """Return a text whose cells nowhere touch: up to the next stop a tab may be narrower than a letter."""
    return text.replace(CELL, f"{CELL} ")


def head(chunk: Chunk) -> None:
    """Show the head of the table that a chunk begins in, where it stands earlier on the page."""
    if chunk.head:
        st.caption(t("part.head"))
        st.code(chunk.head, language=None, wrap_lines=True)


def whole(chunk: Chunk) -> str:
    """Return head and text as one text, for where nothing can be told apart but by a mark."""
    return f"{before(chunk)}{chunk.text}"


def before(chunk: Chunk) -> str:
    return f"{chunk.head} / " if chunk.head else ""
