"""Answer: the same question from the first chunks of either order."""

import streamlit as st

from pages.ui.answer import answers
from pages.ui.shell import empty, form, models
from pages.ui.shell.frame import errors_shown, frame
from pages.ui.shell.i18n import t
from rag_core.comparing import answer
from rag_core.datatypes import Answer, Comparison
from rag_core.sharing import replay


def answer_side(comparison: Comparison, side: str, place: st.delta_generator.DeltaGenerator) -> Answer:
    hits = comparison.ranking(side).top(comparison.cutoff)
    if st.session_state["answer_source"] == "extractive":
        place.text(t("work.loading"))
        return answer.extractive(comparison.query, hits, models.reranker(comparison.settings.reranker))
    model, text = form.chat_model(), ""
    place.text(t("work.asking"))
    for piece in answer.by_llm(comparison.query, hits, model):
        text += piece
        place.text(model.peer.without_key(text))
    return answer.finish(model.peer.without_key(text), hits, model.settings.model)


def ask(comparison: Comparison) -> None:
    """Answer both sides; an error on either leaves the former answers as they were."""
    places = [column.empty() for column in st.columns(2)]
    with errors_shown():
        st.session_state["answers"] = {
            side: answer_side(comparison, side, place) for side, place in zip(replay.SIDES, places, strict=True)
        }
    for place in places:
        place.empty()


with frame("answer"):
    comparison = empty.comparison_or_stop(t("answer.empty"))
    st.markdown(t("answer.question"))
    st.text(comparison.query)
    names = {source: t(f"answer.source_{source}") for source in ("extractive", "llm")}
    st.radio(t("answer.source"), list(names), key="answer_source", horizontal=True, format_func=names.__getitem__)
    form.llm_fields()
    if st.button(t("answer.ask"), type="primary", icon=":material/forum:"):
        ask(comparison)
    if st.session_state["answers"]:
        answers.show(comparison, st.session_state["answers"], pages=True)
    st.divider()
    answers.shared_sources(comparison)
