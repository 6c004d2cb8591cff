"""What was judged of a document, for its chunks as they are cut now."""

import streamlit as st

from pages.ui.shell import cached, state, work
from rag_core.measuring.judge import Judged

state.keep(judged=None)


def now(doc_id: str) -> Judged:
    """Return what the judgments of now say; carried over again only when one came, or the chunks are others."""
    chunks, judgments = work.current_candidates(doc_id), cached.lab().judgments.load(doc_id)
    kept = st.session_state["judged"]
    if kept is None or kept[0] is not chunks or kept[1] != judgments:
        kept = st.session_state["judged"] = (chunks, judgments, cached.lab().judged(doc_id, chunks))
    return kept[2]
