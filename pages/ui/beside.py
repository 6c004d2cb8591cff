"""The page itself, beside what was read on it."""

import streamlit as st

from pages.ui import cached
from pages.ui.frame import told
from pages.ui.i18n import t
from rag_core.datatypes import Chunk


def chunk(shown: Chunk) -> None:
    """Show the page of a chunk with the chunk's place marked, or say that the place is not known."""
    if shown.title:
        st.text(shown.title)
    page(shown.doc_id, shown.page, shown.text)


def page(doc_id: str, number: int, words: str = "") -> None:
    with told(), st.spinner(t("beside.drawing")):
        png, marked = cached.page_picture(doc_id, number, words)
        with st.container(border=True):
            st.image(png, width="stretch")
        if words:
            st.caption(t("beside.marked" if marked else "beside.unmarked", page=number))
