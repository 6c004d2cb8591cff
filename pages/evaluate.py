"""Evaluate: a question set, judgments, and what they say of every ranking."""

import streamlit as st

from pages.ui.evaluate import ask, begin, evaluation, running
from pages.ui.parts import question_file
from pages.ui.shell import form
from pages.ui.shell.frame import errors_shown, frame

with frame("evaluate", lead=False):
    with st.container():
        taken = begin.taken()
    doc_id, asked = ask.show()
    question_file.added_notice(doc_id)
    form.leaving(st.session_state["rerankers"])
    # Both have their places in every run: else what stood there before would show, faded, while the next is made.
    place, beginning = st.empty(), st.empty()
    models = st.session_state["rerankers"]
    shown = running.of(doc_id) or evaluation.of_now(doc_id)
    if asked or taken or (shown is None and running.costs_nothing(doc_id, models)):
        with errors_shown():
            running.start(doc_id, models, place)
    if running.of(doc_id) is None and evaluation.of_now(doc_id) is None:
        with beginning.container():
            begin.stop()
    evaluation.show(doc_id)
