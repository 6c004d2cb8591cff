"""What is asked, in two lines: the question, and all that is set for it."""

import streamlit as st

from pages.ui.shell import form, state
from pages.ui.shell.i18n import plain, t
from rag_core.datatypes import Expansion
from rag_core.models import catalog
from rag_core.settings import DEPTHS, PATIENCE

SELECT_PIXELS = 220
ENTER = """
export default function () {
  const pressed = (event) => {
    // An input method takes Enter for itself while a word is being composed.
    if (event.key !== "Enter" || event.isComposing || !event.target.closest(".st-key-question")) return;
    setTimeout(() => document.querySelector(".st-key-compare button")?.click());
  };
  document.addEventListener("keydown", pressed);
  return () => document.removeEventListener("keydown", pressed);
}
"""
"""Enter in the question compares. In a form it would do so too, but what was typed there is lost with the page."""


def show() -> tuple[str, str | None]:
    """Draw both lines; return the document and what was asked for: ``compare``, ``llm``, ``feedback``, or None."""
    asking = st.container(horizontal=True, vertical_alignment="center", key="ask")
    with st.container(horizontal=True, vertical_alignment="center", key="ask_with"):
        with st.container(width=SELECT_PIXELS):
            doc_id = form.pick_document(filtered=False, labelled=False)
        gone = form.settle_members(doc_id)  # before their widget is drawn; what it says stands below both lines
        with st.container(width=SELECT_PIXELS):
            form.example_question(doc_id, "example", compare_at_once)
        with st.popover(settings_line(), key="settings", icon=":material/tune:"):
            settings(doc_id)
        with st.popover(wordings_line(), key="wordings", icon=":material/alt_route:"):
            wanted = wordings()
    with asking:
        compare = question()
    if gone:
        form.members_gone()
    return doc_id, "compare" if compare else wanted


def compare_at_once() -> None:
    st.session_state["autorun"] = True


def question() -> bool:
    """Draw the question with its button; say whether it was pressed, which Enter does too."""
    hint, label = t("form.question_example"), t("form.question")
    st.text_input(label, key="question", placeholder=hint, label_visibility="collapsed")
    with st.container(key="enter_compares", width=1):
        st.components.v2.component("enter", js=ENTER)(key="enter", height="content")
    return st.button(t("form.compare"), key="compare", type="primary", icon=":material/swap_vert:")


def settings_line() -> str:
    """Name what is set, in one line."""
    stage = t(f"form.first_{st.session_state['first_stage']}")
    values = {"depth": st.session_state["depth"], "cutoff": st.session_state["cutoff"], "stage": stage}
    return t("ask.settings", **values, model=plain(state.chosen("reranker")))


def settings(doc_id: str) -> None:
    """Let the reader set what decides a comparison, and say where models answer."""
    form.pick_members(doc_id)
    st.slider(t("form.depth"), *DEPTHS, key="depth", help=t("form.depth_help"))
    form.first_stage()
    st.checkbox(t("form.adaptive"), key="adaptive", help=t("form.adaptive_help", patience=PATIENCE))
    form.model_select("embedder", catalog.EMBEDDERS)
    form.model_select("reranker", catalog.RERANKERS)
    form.other_models()
    form.llm_fields()
    form.server_fields()


def wordings_line() -> str:
    """Say how many other wordings of the question are searched with it."""
    typed = sum(bool(line.strip()) for line in st.session_state["typed"].splitlines())
    return t("ask.wordings", count=typed + len(st.session_state["kept"]))


def wordings() -> str | None:
    """Let the reader type other wordings, and keep or drop suggested ones; return who is asked to suggest some."""
    st.caption(t("form.expansions_help"))
    st.text_area(t("form.typed"), key="typed", height=100)
    if st.session_state["suggested"]:
        labels = dict(enumerate(map(suggestion_label, st.session_state["suggested"])))
        st.multiselect(t("form.kept"), list(labels), key="kept", format_func=labels.__getitem__)
    feedback = st.button(t("form.by_feedback"), key="by_feedback", icon=":material/wifi_off:", width="stretch")
    by_llm = st.button(t("form.by_llm"), key="by_llm", icon=":material/neurology:", width="stretch")
    return "feedback" if feedback else "llm" if by_llm else None


def suggestion_label(expansion: Expansion) -> str:
    return f"{t('origin.' + expansion.origin)}: {expansion.text}"
