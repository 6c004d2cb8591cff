"""What a reader sees while others are before them: the candidates as they were found, and a way to be served sooner."""

import pandas as pd
import streamlit as st

from pages.ui.parts import tables
from pages.ui.shell.i18n import t
from rag_core.datatypes import Ranking

ROWS, TEXT_PIXELS = 10, 1000
FEWER = 10
"""A reader may take so many candidates instead: scoring them takes a fifth of the time of fifty."""


def show(candidates: Ranking) -> None:
    """Draw the first of them, each with its page; their place in the line stays theirs if they take fewer."""
    if st.session_state["depth"] > FEWER:
        label = t("work.fewer", count=FEWER)
        st.button(label, key="fewer", icon=":material/fast_forward:", help=t("work.fewer_help"), on_click=take_fewer)
    hits = candidates.top(ROWS)
    st.caption(t("work.meanwhile", shown=len(hits), count=len(candidates)))
    rows = [(rank, tables.page(hit.chunk), tables.one_line(hit.chunk.text)) for rank, hit in enumerate(hits, start=1)]
    st.dataframe(
        pd.DataFrame(rows, columns=[t("table.rank"), t("table.page"), t("table.text")]),
        hide_index=True,
        height=tables.height(len(rows)),
        column_config={
            t("table.rank"): st.column_config.NumberColumn(width=50),
            t("table.page"): tables.page_column([hit.chunk for hit in hits]),
            t("table.text"): st.column_config.TextColumn(width=TEXT_PIXELS),
        },
    )


def take_fewer() -> None:
    st.session_state.update(depth=FEWER, autorun=True)
