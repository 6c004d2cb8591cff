"""A hint where the question is in another language than the document."""

import streamlit as st

from pages.ui.shell import cached
from pages.ui.shell.i18n import t
from rag_core.datatypes import Document
from rag_core.reading.language import KNOWN, language_of


def hint(question: str, document: Document) -> None:
    """Say that the question is in another language than all that is searched, and lead to asking in both."""
    asked = language_of(question)
    spoken = {cached.language(part) for part in document.parts}
    if not any(map(str.isalpha, question)) or asked in spoken or not spoken <= set(KNOWN):
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(t(f"other_language.hint_{asked}"), width="content")
        label, icon = t("other_language.open"), ":material/translate:"
        if st.button(label, key="other_language", icon=icon, type="tertiary"):
            st.session_state["explain_part"] = "languages"
            st.switch_page("pages/explain.py")
