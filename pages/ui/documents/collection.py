"""Collections: several documents put together, and what is in one."""

import pandas as pd
import streamlit as st

from pages.ui.documents import quality
from pages.ui.parts import foreign, tables
from pages.ui.shell import cached, form, state, work
from pages.ui.shell.frame import errors_shown
from pages.ui.shell.i18n import plain, t
from rag_core.datatypes import Collection
from rag_core.settings import LONGEST_TITLE


def make() -> None:
    """Let the reader put documents together; with one document there is nothing to put."""
    titles = single()
    if len(titles) < 2:
        return
    with st.expander(t("collection.make"), icon=":material/library_books:"):
        st.caption(t("collection.help"))
        with st.form("collection", clear_on_submit=True, border=False):
            title = st.text_input(t("collection.name"), key="collection_name", max_chars=LONGEST_TITLE)
            members = member_select(titles, "collection_members")
            submitted = st.form_submit_button(t("collection.put"), icon=":material/create_new_folder:")
    if submitted:
        with errors_shown():
            collection = cached.lab().library.collect(title, members, state.owner())
            form.choose_document(collection.id)
            st.success(t("collection.made", title=plain(collection.title), count=len(collection.members)))


def member_select(titles: dict[str, str], key: str) -> list[str]:
    return st.multiselect(
        t("collection.members"),
        list(titles),
        key=key,
        format_func=titles.__getitem__,
        placeholder=t("collection.members_hint"),
    )


def single() -> dict[str, str]:
    """Return ids and titles of the visitor's documents that are no collections."""
    return cached.lab().documents.titles(state.owner(), collections=False)


def change(document: Collection) -> None:
    """Let the reader rename a collection, and add or remove documents."""
    titles, name, chosen = single(), f"name_of_{document.id}", f"members_of_{document.id}"
    st.session_state.setdefault(name, document.title)
    kept = st.session_state.get(chosen, document.members)
    st.session_state[chosen] = [doc_id for doc_id in kept if doc_id in titles]
    with st.form("change_collection", border=False):
        st.text_input(t("collection.name"), key=name, max_chars=LONGEST_TITLE)
        member_select(titles, chosen)
        if not st.form_submit_button(t("collection.save"), icon=":material/save:"):
            return
    with errors_shown():
        cached.lab().library.collect(st.session_state[name], st.session_state[chosen], state.owner(), document.id)
        work.forget(document.id)
        st.rerun()


def show(document: Collection) -> None:
    """List the members of a collection, with what of each is searched."""
    how = state.chunk_settings()
    pieces = [piece.doc_id for piece in cached.chunks(document.id, how.preset, how.size, how.overlap)]
    rows = [
        [
            part.title,
            len(part.pages),
            pieces.count(part.id),
            len(quality.doubted(part.id)),
            foreign.name(cached.language(part.id)),
        ]
        for part in cached.parts(document.id)
    ]
    names = [
        t("form.document"),
        t("documents.pages"),
        t("documents.chunks"),
        t("collection.doubted"),
        t("documents.language"),
    ]
    st.dataframe(
        pd.DataFrame(rows, columns=names),
        hide_index=True,
        height=tables.height(len(rows)),
        key="members",
        column_config={names[0]: st.column_config.TextColumn(width="large")},
    )
    with st.expander(t("collection.change"), icon=":material/edit:"):
        change(document)
