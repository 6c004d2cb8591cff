"""What is evaluated, in one line: the document, all that is set for it, and its questions."""

import streamlit as st

from pages.ui.evaluate import begin, judged
from pages.ui.parts import judgments, question_file
from pages.ui.shell import cached, form, state
from pages.ui.shell.i18n import plain, t
from rag_core.models import catalog
from rag_core.settings import DEPTHS

MOST_MODELS = 4
SELECT_PIXELS = 260

state.keep(rerankers=[state.HOW.reranker])


def show() -> tuple[str, bool]:
    """Draw the line; return the document, and whether its evaluation was asked for."""
    alone = st.empty()
    if not cached.lab().documents.titles(state.owner()):
        with alone.container():
            begin.say()
            form.pick_document()  # there is none, so it leads to adding one, and ends the page
    with st.container(horizontal=True, vertical_alignment="center", key="ask_with"):
        with st.container(width=SELECT_PIXELS):
            doc_id = form.pick_document(filtered=False, labelled=False)
        gone = form.settle_members(doc_id)
        with st.popover(settings_line(), key="settings", icon=":material/tune:"):
            settings(doc_id)
        said = judged.now(doc_id)
        with st.popover(judgments.summary(doc_id, said), key="question_set_open", icon=":material/quiz:"):
            judgments.show(doc_id, said)
        label, forget = t("evaluate.run"), question_file.forget_added
        asked = st.button(label, key="evaluate", type="primary", icon=":material/rule:", on_click=forget)
    if gone:
        form.members_gone()
    return doc_id, asked


def settings_line() -> str:
    """Name what is set, in one line."""
    chosen = st.session_state["rerankers"] or [state.chosen("reranker")]
    values = {"depth": st.session_state["depth"], "stage": t(f"form.first_{st.session_state['first_stage']}")}
    return t("evaluate.settings", **values, models=plain(", ".join(chosen)))


def settings(doc_id: str) -> None:
    """Let the reader choose what is evaluated, and say where models answer."""
    form.pick_members(doc_id)
    st.multiselect(
        t("panel.rerankers"),
        [line.id for line in catalog.offered(catalog.RERANKERS)],
        key="rerankers",
        accept_new_options=form.may_name_models(),
        max_selections=MOST_MODELS,
        placeholder=t("form.reranker_other"),
        help=t("form.other_help"),
    )
    st.slider(t("form.depth"), *DEPTHS, key="depth", help=t("evaluate.depth_help"))
    form.first_stage()
    form.server_fields()
