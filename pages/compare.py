"""Compare: one question, two orders of the same chunks."""

import streamlit as st

from pages.ui.compare import ask, history, meanwhile
from pages.ui.documents import quality
from pages.ui.parts import foreign, judgments, other_language, proposed
from pages.ui.results import result
from pages.ui.shell import cached, empty, form, link, state, work
from pages.ui.shell.frame import errors_shown, frame
from pages.ui.shell.i18n import t
from rag_core.datatypes import Chunk


def judged(chunk: Chunk) -> None:
    """Let the reader grade a chunk, and lead on to why it moved."""
    comparison = st.session_state["comparison"]
    judgments.grade_buttons(comparison.doc_id, comparison.query, chunk)
    st.page_link("pages/explain.py", label=t("explain.open"), icon=":material/troubleshoot:")


def run(doc_id: str, asked: str) -> None:
    with errors_shown():
        if asked == "compare":
            comparison = work.compare(doc_id, meanwhile.show)
            st.session_state.update(comparison=comparison, picked=None, answers=None)
            work.remember(comparison, history.name_of(comparison))
            link.write(comparison)
        elif work.suggest(doc_id, asked):
            st.rerun()
        else:
            st.info(t("compare.no_suggestion"), icon=":material/info:")


def cut(cutoff: int) -> None:
    """Move the cutoff of the comparison on screen; its answers were written from other chunks."""
    comparison = st.session_state["comparison"].cut_at(cutoff)
    work.replace_comparison(comparison)
    link.write(comparison)


with frame("compare", lead=False):
    link.read()
    state.take_suggestions()
    doc_id, asked = ask.show()
    quality.remind(doc_id)
    foreign.warn_of_chosen(cached.document(doc_id))
    form.leaving([state.chosen("reranker")])
    if st.session_state["autorun"]:
        asked, st.session_state["autorun"] = "compare", False
    if asked:
        run(doc_id, asked)
    comparison = st.session_state["comparison"]
    if comparison is None or comparison.doc_id != doc_id:
        proposed.show(doc_id)
        history.show(doc_id)
        empty.stop(t("compare.empty"))
    if comparison.settings != state.settings() or comparison.query != " ".join(st.session_state["question"].split()):
        st.caption(t("compare.stale"))
    other_language.hint(comparison.query, cached.document(doc_id))
    result.show(lambda: work.recorded(comparison), judged, cut, pages=True)
    st.caption(t("result.link"))
    history.show(doc_id)
    cached.settle_in()
