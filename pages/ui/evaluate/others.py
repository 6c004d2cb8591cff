"""The rankings of other systems, for a document's candidates as they are cut and filtered now."""

from collections.abc import Mapping

import streamlit as st

from pages.ui.shell import cached, state, work
from pages.ui.shell.i18n import t
from rag_core.datatypes import Chunk
from rag_core.measuring import runs
from rag_core.measuring.evaluate import IMPORTED
from rag_core.measuring.metrics import Run

state.keep(others=None)


def now(doc_id: str) -> Mapping[str, Run]:
    """Return each kept ranking by its name; carried over again only when one came or went, or the chunks are others."""
    chunks, key = work.current_candidates(doc_id), (cached.lab().runs.entries(doc_id), state.settings().within)
    kept = st.session_state["others"]
    if kept is None or kept[0] is not chunks or kept[1] != key:
        searched = [chunk for chunk in chunks if chunk.doc_id in (key[1] or cached.document(doc_id).parts)]
        kept = st.session_state["others"] = (chunks, key, carried(doc_id, searched))
    return kept[2]


def carried(doc_id: str, chunks: list[Chunk]) -> Mapping[str, Run]:
    parts, imported = cached.parts(doc_id), cached.lab().runs.load(doc_id)
    return {run.name: runs.carry(run, parts, chunks).orders for run in imported}


def shown_name(system: str) -> str:
    """Name an imported ranking in the reader's language."""
    return t("runs.named", name=system.removesuffix(IMPORTED))
