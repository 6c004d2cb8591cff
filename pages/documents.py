"""Documents: add PDFs, see how they are cut, and index them."""

from contextlib import AbstractContextManager
from dataclasses import replace

import pandas as pd
import streamlit as st

from pages.ui.documents import chunk_table, collection, quality
from pages.ui.parts import charts
from pages.ui.shell import cached, form, samples, state, work
from pages.ui.shell.frame import errors_shown, frame
from pages.ui.shell.i18n import LANGUAGES, plain, t
from rag_core.datatypes import Collection, Document
from rag_core.errors import RerankLabError
from rag_core.reading import chunk
from rag_core.reading.pdf import MAX_BYTES


def add() -> None:
    """Upload PDFs or take a sample."""
    with st.form("upload", clear_on_submit=False):
        files = st.file_uploader(
            t("documents.upload"),
            type="pdf",
            accept_multiple_files=True,
            key="files",
            max_upload_size=MAX_BYTES // 2**20,
        )
        password = st.text_input(t("documents.password"), type="password", help=t("documents.password_help"))
        submitted = st.form_submit_button(t("documents.add"), type="primary", icon=":material/upload_file:")
    if submitted and not files:
        st.warning(t("documents.no_file"))
    for file in files if submitted else ():
        with under_name(file.name):
            document = work.add_document(file.getvalue(), file.name, password or None)
            st.success(t("documents.added", title=plain(document.title), pages=len(document.pages)))
    for column, language in zip(st.columns(2), samples.FILES, strict=True):
        label = t(f"documents.sample_{language}")
        if column.button(label, key=f"sample_{language}", icon=":material/menu_book:", width="stretch"):
            with errors_shown():
                work.add_sample(language)


def under_name(name: str) -> AbstractContextManager[None]:
    """Tell errors under the name of the file they are about."""
    st.text(name)
    return errors_shown()


def cutting() -> None:
    """Choose how the document is cut; the effect below follows at once."""
    columns = st.columns(3)
    names = {preset: t(f"preset.{preset}") for preset in chunk.PRESETS}
    columns[0].selectbox(t("documents.preset"), list(names), key="preset", format_func=names.__getitem__)
    window = st.session_state["preset"] == "window"
    columns[1].number_input(t("documents.size"), *chunk.SIZES, key="size", step=50, disabled=not window)
    columns[2].number_input(t("documents.overlap"), *state.OVERLAPS, key="overlap", step=10, disabled=not window)
    st.caption(t(f"preset.{st.session_state['preset']}_help"))


def overview(document: Document) -> None:
    how = state.chunk_settings()
    chunks = cached.chunks(document.id, how.preset, how.size, how.overlap)
    lengths = [len(piece.text) for piece in chunks]
    last: tuple[str, str | int] = (t("documents.language"), LANGUAGES[document.language])
    if isinstance(document, Collection):  # it may speak several languages; the table of its documents names them
        last = (t("collection.members"), len(document.members))
    numbers: list[tuple[str, str | int]] = [
        (t("documents.pages"), sum(len(part.pages) for part in cached.parts(document.id))),
        (t("documents.chunks"), len(chunks)),
        (t("documents.median"), int(pd.Series(lengths).median())),
        last,
    ]
    for column, (name, value) in zip(st.columns(4), numbers, strict=True):
        column.metric(name, value, border=True)
    if isinstance(document, Collection):
        collection.show(document)
    st.altair_chart(charts.length_histogram(lengths))
    chunk_table.show(document.id, how, chunks)


def actions(document: Document, readable: bool) -> None:
    if readable and isinstance(document, Collection):
        quality.remind(document.id)
    elif readable:
        quality.warn(document)
    build, remove = st.columns(2)
    label, icon = t("documents.index"), ":material/bolt:"
    if build.button(label, type="primary", icon=icon, key="build", width="stretch", disabled=not readable):
        index(document.id)
    label = t("collection.delete" if isinstance(document, Collection) else "documents.delete")
    with remove.popover(label, icon=":material/delete:", width="stretch"):
        st.markdown(t("collection.delete_sure" if isinstance(document, Collection) else "documents.delete_sure"))
        st.button(t("documents.delete_yes"), key="delete", on_click=delete, args=[document.id])


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
    with errors_shown():
        cached.lab().delete(doc_id)
        forget(doc_id)


def forget(doc_id: str) -> None:
    """Take a deleted document out of everything that was kept of it."""
    work.forget(doc_id)
    st.session_state["doc_id"] = None


frame("documents")
st.caption(t("documents.lead"))
with errors_shown():
    add()
    collection.make()
    st.divider()
    document = cached.document(form.pick_document(filtered=False))
    if not isinstance(document, Collection):
        quality.show(document)
    texts = [page.text for part in cached.parts(document.id) for page in part.pages]
    readable = any(letter.isalpha() for text in texts for letter in text)
    if readable:
        cutting()
        overview(document)
    elif isinstance(document, Collection):
        collection.change(document)
    else:
        st.info(t("gate.nothing"), icon=":material/image:")
    actions(document, readable)
