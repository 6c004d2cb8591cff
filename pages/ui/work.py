"""Work that takes a while, with progress that counts."""

from collections.abc import Callable, Sequence

import streamlit as st

from pages.ui import cached, form, state
from pages.ui.i18n import t
from rag_core import expand
from rag_core.datatypes import Comparison, Document, Expansion
from rag_core.index import Index
from rag_core.settings import check_query

Progress = Callable[[int, int], None]


def counting(place: st.delta_generator.DeltaGenerator, key: str) -> Progress:
    """Return a progress callback that shows ``done`` of ``total`` in a bar; its text is the key's."""

    def show(done: int, total: int) -> None:
        place.progress(done / max(total, 1), text=t(key, done=done, total=total))

    return show


def add_document(data: bytes, title: str, password: str | None = None) -> Document:
    """Read a PDF and make it the chosen document."""
    place = st.empty()
    place.progress(0.0, text=t("work.opening"))
    try:
        document = cached.lab().add(data, title, password, counting(place, "work.reading"))
    finally:
        place.empty()
    state.remember(document.id)
    form.choose_document(document.id)
    return document


def open_index(doc_id: str, place: st.delta_generator.DeltaGenerator) -> Index:
    place.progress(0.0, text=t("work.loading"))
    embedder = cached.embedder(state.chosen("embedder"), form.llm_settings())
    return cached.lab().index(doc_id, state.chunk_settings(), embedder, counting(place, "work.embedding"))


def compare(doc_id: str) -> Comparison:
    """Compare with what the form says."""
    query = check_query(st.session_state["question"])
    return compare_with(doc_id, query, state.expansions(expand.typed(st.session_state["typed"], query)))


def compare_with(doc_id: str, query: str, expansions: Sequence[Expansion]) -> Comparison:
    """Compare with the settings chosen."""
    how, place = state.settings(), st.empty()
    try:
        index = open_index(doc_id, place)
        place.progress(0.0, text=t("work.loading"))
        embedder = cached.embedder(how.embedder, form.llm_settings())
        reranker = cached.reranker(how.reranker)
        cached.self_test(how.reranker)  # before any of its scores is shown
        scoring = counting(place, "work.scoring")
        return cached.lab().compare(index, query, expansions, how, embedder, reranker, scoring)
    finally:
        place.empty()


def suggest(doc_id: str, origin: str) -> bool:
    """Fill the list of suggested expansions, from the first results or by a language model; say whether any came."""
    query, place = check_query(st.session_state["question"]), st.empty()
    try:
        if origin == "llm":
            place.progress(0.0, text=t("work.asking"))
            found = expand.by_llm(query, form.chat_model())
        else:
            embedder = cached.embedder(state.chosen("embedder"), form.llm_settings())
            found = cached.lab().feedback(open_index(doc_id, place), query, embedder)
    finally:
        place.empty()
    if found:
        st.session_state["pending_suggestions"] = found
    return bool(found)
