"""Evaluate: a question set, judgments, and what they say of every order."""

import streamlit as st

from pages.ui.evaluate import evaluation
from pages.ui.parts import judgments
from pages.ui.shell import empty, form, samples, state, work
from pages.ui.shell.frame import frame
from pages.ui.shell.i18n import t
from rag_core.models import catalog
from rag_core.settings import DEPTHS

MOST_MODELS = 4


def sample_taken() -> bool:
    """Offer the bundled samples with their judged questions; say whether one was taken."""
    taken = False
    for column, language in zip(st.columns(2), samples.FILES, strict=True):
        label, icon, forget = t(f"evaluate.sample_{language}"), ":material/menu_book:", judgments.forget_added
        if column.button(label, key=f"evaluate_{language}", icon=icon, width="stretch", on_click=forget):
            work.add_sample(language)
            taken = True
    return taken


def controls() -> bool:
    """Let the reader choose what is evaluated; say whether it was asked for."""
    listed = [line.id for line in catalog.RERANKERS]
    with st.form("evaluation_form"):
        st.multiselect(
            t("panel.rerankers"),
            listed,
            key="rerankers",
            accept_new_options=True,
            max_selections=MOST_MODELS,
            placeholder=t("form.reranker_other"),
            help=t("form.other_help"),
        )
        left, right = st.columns(2)
        left.slider(t("form.depth"), *DEPTHS, key="depth", help=t("evaluate.depth_help"))
        with right:
            form.first_stage()
        return st.form_submit_button(
            t("evaluate.run"), type="primary", icon=":material/rule:", on_click=judgments.forget_added
        )


with frame("evaluate"):
    taken = sample_taken()
    doc_id = form.pick_document()
    judgments.added_notice(doc_id)
    judgments.show(doc_id)
    form.server_fields()
    form.leaving(st.session_state["rerankers"])
    if controls() or taken:
        st.session_state["evaluation"] = work.evaluate_all(doc_id, st.session_state["rerankers"])
    elif st.session_state["evaluating"]:
        st.info(t("evaluate.stopped"), icon=":material/pause_circle:")
    last = st.session_state["evaluation"]
    if last is None or not evaluation.current(last, doc_id):
        empty.stop(t("evaluate.empty"))
    if last.how != state.settings():
        st.caption(t("evaluate.stale"))
    evaluation.show(last)
