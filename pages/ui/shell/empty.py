"""What stands on a page before there is anything to show."""

from typing import NoReturn

import streamlit as st

from pages.ui.shell.i18n import t
from rag_core.datatypes import Comparison


def stop(text: str) -> NoReturn:
    """Say what to do first, and end the page there."""
    st.info(text, icon=":material/help:")
    st.stop()


def comparison_or_stop(text: str) -> Comparison:
    """Return the comparison of this visit; without one, say what to do, lead to it, and end the page there."""
    comparison = st.session_state["comparison"]
    if comparison is None:
        st.info(text, icon=":material/help:")
        link_to_compare()
        st.stop()
    return comparison


def link_to_compare() -> None:
    st.page_link("pages/compare.py", label=t("compare.title"), icon=":material/swap_vert:")
