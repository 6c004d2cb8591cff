"""Documents: add PDFs, see what was read, go on to a question; below, how they are read, cut and indexed."""

import streamlit as st

from pages.ui.documents import actions, collection, cutting, dropped, outcome, quality, unseen, upload
from pages.ui.parts import foreign
from pages.ui.shell import cached, empty, form, state
from pages.ui.shell.frame import frame, show_error
from pages.ui.shell.i18n import t
from rag_core.datatypes import Collection
from rag_core.errors import DocumentDamaged

with frame("documents"):
    upload.show()
    if not cached.lab().documents.titles(state.owner()):
        empty.stop(t("form.no_document"))
    first, details = st.container(), st.container()
    collection.make()  # stands last, and is asked before the document is picked: what is put together is picked then
    with first:
        try:
            document, readable = outcome.show(lambda: form.pick_document(filtered=False))
        except DocumentDamaged as error:
            show_error(error)
            actions.removal(st.session_state["doc_id"], error.values["doc_id"] != st.session_state["doc_id"])
            st.stop()
        foreign.warn(document)
    with details:
        if not isinstance(document, Collection):
            quality.show(document)
            unseen.show(document)
            dropped.show(document)
        if readable:
            cutting.show(document)
        elif isinstance(document, Collection):
            collection.change(document)
        else:
            st.info(t("gate.nothing"), icon=":material/image:")
        actions.show(document, readable)
