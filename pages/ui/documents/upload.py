"""The ways in for a document: PDFs of one's own, which are read as soon as they are chosen, and the bundled samples."""

from collections.abc import Mapping, Sequence

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from pages.ui.documents import outcome
from pages.ui.shell import cached, samples, state, work
from pages.ui.shell.frame import errors_shown, show_error
from pages.ui.shell.i18n import plain, t
from rag_core.errors import PasswordNeeded, RerankLabError, WrongPassword
from rag_core.reading.pdf import MAX_BYTES

MOST_MEGABYTES = MAX_BYTES // 2**20

state.keep(files_read={})
"""What came of each file that is chosen, by the id of this choice: its document's id, or what went wrong."""


def show() -> None:
    """Read the PDFs that the reader chooses, each once, or the sample that is taken."""
    own, ready_made = st.columns([5, 4], gap="medium")
    with own:
        files = st.file_uploader(
            t("documents.upload"), type="pdf", accept_multiple_files=True, key="files", max_upload_size=MOST_MEGABYTES
        )
        room()
    with ready_made:
        sample_buttons()
    read_new(files)
    titles = cached.lab().documents.titles(state.owner())
    for file in files:
        say(file, titles)


def room() -> None:
    """Say how much a visitor may still add."""
    if state.owner():
        documents, size = cached.lab().documents.room(state.owner())
        st.caption(t("documents.room", documents=documents, megabytes=size // 2**20))


def read_new(files: Sequence[UploadedFile]) -> None:
    """Read what was not read yet, and forget what is no longer chosen: its document stays."""
    known = st.session_state["files_read"]
    st.session_state["files_read"] = {file.file_id: known[file.file_id] for file in files if file.file_id in known}
    for file in files:
        if file.file_id not in known:
            read(file)


def read(file: UploadedFile, password: str | None = None) -> None:
    came: str | RerankLabError
    with errors_shown():
        try:
            came = work.add_document(file.getvalue(), file.name, password).id
        except RerankLabError as error:
            came = error
        st.session_state["files_read"] = st.session_state["files_read"] | {file.file_id: came}


def say(file: UploadedFile, titles: Mapping[str, str]) -> None:
    """Say under a file's name what went wrong, or how it was read where another document is shown below."""
    came = st.session_state["files_read"].get(file.file_id)
    if isinstance(came, RerankLabError):
        st.text(file.name)
        if isinstance(came, PasswordNeeded):
            st.info(t("documents.password_needed"), icon=":material/lock:")
        else:
            show_error(came)
        if isinstance(came, PasswordNeeded | WrongPassword):
            password_form(file)
    elif came in titles and came != st.session_state["doc_id"]:
        st.caption(f"{plain(titles[came])}: {outcome.truth(cached.readings(came).pages)}")


def password_form(file: UploadedFile) -> None:
    with st.form(f"open_{file.file_id}", border=False):
        field, button = st.columns([3, 1], vertical_alignment="bottom")
        password = field.text_input(
            t("documents.password"),
            type="password",
            key=f"password_{file.file_id}",
            help=t("documents.password_help"),
            autocomplete="off",
        )
        pressed = button.form_submit_button(t("documents.open"), icon=":material/lock_open:", width="stretch")
    if pressed:
        read(file, password)
        st.rerun()


def sample_buttons() -> None:
    st.caption(t("documents.samples"))
    with st.container(horizontal=True, gap="small"):
        for language in samples.FILES:
            label = t(f"documents.sample_{language}")
            if st.button(label, key=f"sample_{language}", icon=":material/menu_book:"):
                with errors_shown():
                    work.add_sample(language)
