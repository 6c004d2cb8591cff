"""The unrelated baseline: what texts on other subjects get for this question."""

import pandas as pd
import streamlit as st

from pages.ui.explain.probe import DIGITS
from pages.ui.parts import charts, tables
from pages.ui.shell import models
from pages.ui.shell.i18n import t
from rag_core.datatypes import Comparison
from rag_core.models.baseline import Baseline

MODELS = {"vector": "embedder", "reranked": "reranker"}


def show(comparison: Comparison) -> None:
    for column, (side, model) in zip(st.columns(2), MODELS.items(), strict=True):
        with column:
            st.markdown(f"**{t(f'explain.{model}')}**")
            baseline = models.baseline(comparison, model)
            if baseline is None:
                st.info(t("baseline.none"), icon=":material/info:")
                continue
            scores(comparison, side, baseline)


def scores(comparison: Comparison, side: str, baseline: Baseline) -> None:
    unit = tables.unit(comparison.scale) if side == "reranked" else t("table.cosine")
    digits, hits = DIGITS[MODELS[side]], comparison.ranking(side).hits
    st.markdown(t("baseline.median", score=f"{baseline.median:.{digits}f}", unit=unit))
    if side == "vector" and comparison.order != "vector":
        st.caption(t("baseline.other"))
    else:
        below = sum(hit.score <= baseline.median for hit in hits)
        st.markdown(t("baseline.below", below=below, count=len(hits)))
        drawn = charts.score_chart(comparison, side, st.session_state["picked"], baseline.median)
        st.altair_chart(drawn, key=f"base_{side}")
    rows = pd.DataFrame(zip(baseline.scores, baseline.texts, strict=True), columns=[unit, t("baseline.text")])
    st.dataframe(rows.style.format({unit: f"{{:.{digits}f}}"}), hide_index=True, key=f"unrelated_{side}")
