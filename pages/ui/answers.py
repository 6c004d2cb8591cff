"""Two answers to one question, from the first chunks of either order, side by side."""

from collections.abc import Mapping

import streamlit as st

from pages.ui import tables
from pages.ui.i18n import t
from rag_core import answer
from rag_core.datatypes import Answer, Comparison
from rag_core.replay import SIDES


def show(comparison: Comparison, answers: Mapping[str, Answer]) -> None:
    st.subheader(t("answer.same" if same(answers) else "answer.changed"))
    if not same(answers):
        st.caption(t("answer.changed_help"))
    for column, side in zip(st.columns(2), SIDES, strict=True):
        with column:
            show_side(comparison, side, answers[side])


def same(answers: Mapping[str, Answer]) -> bool:
    """Say whether both sides give the same words; citations are compared as chunks, for their numbers differ."""
    plain = [" ".join(answer.CITATION.sub("", found.text).split()) for found in answers.values()]
    return plain[0] == plain[1]


def show_side(comparison: Comparison, side: str, found: Answer) -> None:
    with st.container(border=True):
        st.markdown(f"**{tables.order_name(comparison, side)}**")
        extractive = found.source == answer.EXTRACTIVE
        st.badge(t("answer.extractive") if extractive else t("answer.by_llm"), icon=":material/format_quote:")
        if not extractive:
            st.text(found.source)
        st.text(found.text or t("answer.nothing"))
    for number, chunk in enumerate(found.chunks, start=1):
        cited = "●" if number in found.cited else "○"
        st.text(f"{cited} [{number}] {t('table.page_short', page=chunk.page)}  {tables.one_line(chunk.text, 160)}")
