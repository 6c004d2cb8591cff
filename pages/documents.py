"""Documents: add PDFs, see how they are read and cut, and index them."""

import streamlit as st

from pages.ui.documents import actions, collection, cutting, quality, upload
from pages.ui.shell import cached, form
from pages.ui.shell.frame import frame
from pages.ui.shell.i18n import t
from rag_core.datatypes import Collection

with frame("documents"):
    upload.show()
    collection.make()
    st.divider()
    document = cached.document(form.pick_document(filtered=False))
    if not isinstance(document, Collection):
        quality.show(document)
    texts = [page.text for part in cached.parts(document.id) for page in part.pages]
    readable = any(letter.isalpha() for text in texts for letter in text)
    if readable:
        cutting.show(document)
    elif isinstance(document, Collection):
        collection.change(document)
    else:
        st.info(t("gate.nothing"), icon=":material/image:")
    actions.show(document, readable)
