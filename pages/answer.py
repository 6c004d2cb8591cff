"""Answer: the same question from the first chunks of either order."""

import streamlit as st

from pages.ui.answer import answers, setup
from pages.ui.shell import empty
from pages.ui.shell.frame import frame
from pages.ui.shell.i18n import t

with frame("answer", lead=False):
    comparison = empty.comparison_or_stop(t("answer.empty"))
    st.text(comparison.query)
    shown = st.container(gap="small")
    asked = setup.line(comparison)
    with shown:
        if asked or setup.at_once(comparison):
            setup.ask(comparison)
        made = st.session_state["answers"]
        if made:
            answers.outcome(comparison, made)
            answers.show(comparison, made, pages=True)
    if made:
        answers.sources(comparison, made, pages=True)
