"""Evaluate: a question set, judgments, and what they say of every ranking."""

import streamlit as st

from pages.ui.evaluate import ask, begin, evaluation, running
from pages.ui.parts import judgments
from pages.ui.shell import form
from pages.ui.shell.frame import errors_shown, frame

with frame("evaluate", lead=False):
    with st.container():
        taken = begin.taken()
    doc_id, asked = ask.show()
    judgments.added_notice(doc_id)
    form.leaving(st.session_state["rerankers"])
    place = st.empty()  # it has its place in every run: what stands below must not move from one to the next
    if asked or taken:
        with errors_shown():
            running.start(doc_id, st.session_state["rerankers"], place)
    if running.of(doc_id) is None and evaluation.of_now(doc_id) is None:
        begin.stop()
    evaluation.show(doc_id)
