"""Questions that a document itself proposes, each one press away from its comparison."""

from itertools import chain, zip_longest

import streamlit as st

from pages.ui.shell import cached, form, samples, state
from pages.ui.shell.frame import errors_shown
from pages.ui.shell.i18n import plain, t
from rag_core.datatypes import Document, Page
from rag_core.reading import document
from rag_core.reading.quality import GOOD
from rag_core.search import propose

state.keep(proposed={})
"""The questions that a language model proposed in this visit, by document."""


def show(doc_id: str) -> None:
    """Offer some questions that the document answers; a press on one compares with it at once."""
    questions = st.session_state["proposed"].get(doc_id) or offline(doc_id, state.owner())
    how, better = form.llm_settings(), False
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if questions:
            st.caption(t("proposed.title"), help=t("proposed.help"), width="content")
        for number, question in enumerate(questions):
            chip(doc_id, question, number)
        if how.key:
            address = t("proposed.better_help", address=form.in_code(how.address), characters=propose.EXCERPT)
            label, icon = t("proposed.better"), ":material/neurology:"
            better = st.button(label, key="proposed_better", icon=icon, type="tertiary", help=address)
    if better:
        ask_model(doc_id)


def chip(doc_id: str, question: str, number: int) -> None:
    pressed = st.button(plain(question), key=f"proposed_{number}", on_click=choose, args=[doc_id, question])
    if pressed and st.session_state["autorun"]:  # the compare page itself has begun by now
        st.switch_page("pages/compare.py")


def choose(doc_id: str, question: str) -> None:
    """Make a question the one that the compare page asks as soon as it is drawn."""
    st.session_state.update(doc_id=doc_id, question=question, typed="", suggested=[], kept=[], autorun=True)


@cached.of_document
def offline(doc_id: str, owner: str) -> list[str]:
    """Return a bundled sample's own questions, else those that the document, or each of a collection, proposes."""
    asked = samples.questions(doc_id, owner)
    proposals = zip_longest(*(propose.by_rule(*read_well(part)) for part in cached.parts(doc_id)))
    return (asked or [question for question in chain(*proposals) if question])[: propose.MOST]


def read_well(*parts: Document) -> tuple[list[Page], str]:
    """Return the pages whose text is not doubted, and their language: made of a garbled one, a question is nonsense."""
    bad = {part.id: doubted(part.id) for part in parts}
    pages = [page for part in parts for page in part.pages if page.number not in bad[part.id]]
    return pages, document.language(pages)


def doubted(doc_id: str) -> set[int]:
    readings = cached.readings(doc_id).pages
    return {reading.number for reading in readings if reading.chosen.quality.verdict != GOOD}


def ask_model(doc_id: str) -> None:
    """Have a language model propose questions in place of those shown."""
    place = st.empty()
    with errors_shown():
        try:
            place.progress(0.0, text=t("work.asking"))
            questions = propose.by_llm(*read_well(*cached.parts(doc_id)), form.chat_model())
        finally:
            place.empty()
        st.session_state["proposed"] = st.session_state["proposed"] | {doc_id: questions}
        st.rerun()
