"""How the two answers are made: what is set for them, in one line, and asking."""

from typing import Literal

import streamlit as st

from pages.ui.shell import cached, form, models, state, work
from pages.ui.shell.frame import errors_shown
from pages.ui.shell.i18n import plain, t
from rag_core.comparing import answer
from rag_core.comparing.answer import EXTRACTIVE
from rag_core.datatypes import Answer, Comparison, Hit
from rag_core.models import catalog
from rag_core.sharing.replay import SIDES

LLM = "llm"

state.keep(answer_source=EXTRACTIVE)


def line(comparison: Comparison) -> bool:
    """Draw what is set, and the button that asks; say whether it was pressed."""
    names = {source: t(f"answer.source_{source}") for source in (EXTRACTIVE, LLM)}
    with st.container(horizontal=True, vertical_alignment="center", key="answer_with"):
        with st.popover(summary(comparison), icon=":material/tune:"):
            st.radio(t("answer.source"), list(names), key="answer_source", format_func=names.__getitem__)
            form.llm_fields()
        answered = bool(st.session_state["answers"]) or at_once(comparison)
        kind: Literal["primary", "secondary"] = "secondary" if answered else "primary"
        pressed = st.button(t("answer.ask"), type=kind, icon=":material/forum:")
    if st.session_state["answer_source"] == EXTRACTIVE and comparison.settings.reranker not in answer.CLEAR:
        st.caption(t("answer.no_threshold", model=plain(comparison.settings.reranker)))
    return pressed


def summary(comparison: Comparison) -> str:
    """Name in one line what answers, from what."""
    source = st.session_state["answer_source"]
    model = comparison.settings.reranker if source == EXTRACTIVE else form.llm_settings().model
    return t(f"answer.with_{source}", k=min(comparison.cutoff, len(comparison.moves)), model=plain(model))


def at_once(comparison: Comparison) -> bool:
    """Say whether nobody need press: nothing was answered yet, and a bundled model does so in half a second."""
    bundled = catalog.find(catalog.RERANKERS, comparison.settings.reranker).kind == "onnx"
    return bundled and st.session_state["answers"] is None and st.session_state["answer_source"] == EXTRACTIVE


def ask(comparison: Comparison) -> None:
    """Answer both sides; an error on either leaves the former answers as they were."""
    drawn = st.empty()
    with drawn.container():
        places = [column.empty() for column in st.columns(2)]
    with errors_shown():
        st.session_state["answers"] = {
            side: answer_side(comparison, side, place) for side, place in zip(SIDES, places, strict=True)
        }
    drawn.empty()


def answer_side(comparison: Comparison, side: str, place: st.delta_generator.DeltaGenerator) -> Answer:
    hits = comparison.ranking(side).top(comparison.cutoff)
    if st.session_state["answer_source"] == EXTRACTIVE:
        return extracted(comparison, hits, place)
    model, text = form.chat_model(), ""
    place.text(t("work.asking"))
    for piece in answer.by_llm(comparison.query, hits, model):
        text += piece
        place.text(model.peer.without_key(text))
    return answer.finish(model.peer.without_key(text), hits, model.settings.model)


def extracted(comparison: Comparison, hits: tuple[Hit, ...], place: st.delta_generator.DeltaGenerator) -> Answer:
    """Quote the best sentences; what a model on this machine chose is kept with the document."""
    doc_id, reranker = comparison.doc_id, comparison.settings.reranker

    def make() -> Answer:
        place.text(t("work.loading"))
        with work.my_turn(place, reranker):
            return answer.extractive(comparison.query, hits, cached.parts(doc_id), models.reranker(reranker))

    if catalog.leaves(catalog.RERANKERS, reranker):
        return make()
    return cached.keep(doc_id, ("answer", reranker, comparison.query, *(hit.chunk.id for hit in hits)), make)
