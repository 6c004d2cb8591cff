"""The ways in for a document: PDFs of one's own, and the bundled samples."""

from contextlib import AbstractContextManager

import streamlit as st

from pages.ui.shell import samples, work
from pages.ui.shell.frame import errors_shown
from pages.ui.shell.i18n import plain, t
from rag_core.reading.pdf import MAX_BYTES

MOST_MEGABYTES = MAX_BYTES // 2**20


def show() -> None:
    """Let the reader upload PDFs or take a sample."""
    with st.form("upload", clear_on_submit=False):
        files = st.file_uploader(
            t("documents.upload"),
            type="pdf",
            accept_multiple_files=True,
            key="files",
            max_upload_size=MOST_MEGABYTES,
        )
        password = st.text_input(t("documents.password"), type="password", help=t("documents.password_help"))
        submitted = st.form_submit_button(t("documents.add"), type="primary", icon=":material/upload_file:")
    if submitted and not files:
        st.warning(t("documents.no_file"))
    for file in files if submitted else ():
        with under_name(file.name):
            document = work.add_document(file.getvalue(), file.name, password or None)
            st.success(t("documents.added", title=plain(document.title), pages=len(document.pages)))
    sample_buttons()


def under_name(name: str) -> AbstractContextManager[None]:
    """Tell errors under the name of the file they are about."""
    st.text(name)
    return errors_shown()


def sample_buttons() -> None:
    for column, language in zip(st.columns(2), samples.FILES, strict=True):
        label = t(f"documents.sample_{language}")
        if column.button(label, key=f"sample_{language}", icon=":material/menu_book:", width="stretch"):
            with errors_shown():
                work.add_sample(language)
