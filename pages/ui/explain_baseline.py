"""The unrelated baseline: what texts on other subjects get for this question."""

import pandas as pd
import streamlit as st

from pages.ui import cached, charts, tables
from pages.ui.explain_probe import DIGITS
from pages.ui.i18n import t
from rag_core.baseline import Baseline
from rag_core.datatypes import Comparison

MODELS = {"vector": "embedder", "reranked": "reranker"}


def show(comparison: Comparison) -> None:
    for column, side in zip(st.columns(2), MODELS, strict=True):
        with column:
            st.markdown(f"**{t('explain.reranker' if side == 'reranked' else 'explain.embedder')}**")
            found = cached.baseline(comparison, side)
            if found is None:
                st.info(t("baseline.none"), icon=":material/info:")
            else:
                one_model(comparison, side, found)


def one_model(comparison: Comparison, side: str, found: Baseline) -> None:
    digits, hits = DIGITS[MODELS[side]], getattr(comparison, side).hits
    below = sum(hit.score <= found.median for hit in hits)
    st.markdown(t("baseline.median", score=f"{found.median:.{digits}f}", unit=tables.score_unit(comparison, side)))
    st.markdown(t("baseline.below", below=below, count=len(hits)))
    st.altair_chart(charts.score_chart(comparison, side, st.session_state["picked"], found.median), key=f"base_{side}")
    names = [tables.score_unit(comparison, side), t("baseline.text")]
    rows = pd.DataFrame(zip(found.scores, found.texts, strict=True), columns=names)
    st.dataframe(rows.style.format({names[0]: f"{{:.{digits}f}}"}), hide_index=True, key=f"unrelated_{side}")
