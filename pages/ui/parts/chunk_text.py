"""A chunk's text, and before it, told apart, the head of its table that models read with it."""

import streamlit as st

from pages.ui.shell.i18n import t
from rag_core.datatypes import Chunk


def show(chunk: Chunk) -> None:
    head(chunk)
    st.text(chunk.text)


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
