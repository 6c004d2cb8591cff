"""What can be done with a document that was read: it is indexed, or deleted."""

from dataclasses import replace

import streamlit as st

from pages.ui.documents import quality
from pages.ui.shell import cached, state, work
from pages.ui.shell.frame import errors_shown
from pages.ui.shell.i18n import plain, t
from rag_core.datatypes import Collection, Document
from rag_core.errors import RerankLabError


def show(document: Document, readable: bool) -> None:
    if readable and isinstance(document, Collection):
        quality.remind(document.id)
    elif readable:
        quality.warn(document)
    build, remove = st.columns(2)
    label, icon = t("documents.index"), ":material/bolt:"
    if build.button(label, icon=icon, key="build", width="stretch", disabled=not readable):
        index(document.id)
    with remove:
        removal(document.id, isinstance(document, Collection))


def removal(doc_id: str, collection: bool = False) -> None:
    """Let the reader delete a document."""
    label = t("collection.delete" if collection else "documents.delete")
    with st.popover(label, icon=":material/delete:", width="stretch"):
        st.markdown(t("collection.delete_sure" if collection else "documents.delete_sure"))
        st.button(t("documents.delete_yes"), key="delete", on_click=delete, args=[doc_id])


def index(doc_id: str) -> None:
    """Embed the whole document now, so that no question has to wait for it."""
    place = st.empty()
    with errors_shown():
        try:
            work.open_document(doc_id, replace(state.settings(), within=()), place)
        except RerankLabError:
            place.empty()
            raise
        place.success(t("documents.indexed", embedder=plain(state.chosen("embedder"))))


def delete(doc_id: str) -> None:
    """Delete a document, and take it out of everything that was kept of it."""
    with errors_shown():
        cached.lab().delete(doc_id)
        work.forget(doc_id)
        st.session_state["doc_id"] = None
