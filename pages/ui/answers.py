"""Two answers to one question, from the first chunks of either order, side by side."""

from collections.abc import Callable, Mapping

import pandas as pd
import streamlit as st

from pages.ui import tables
from pages.ui.i18n import t
from rag_core import answer
from rag_core.datatypes import Answer, Chunk, Comparison
from rag_core.replay import SIDES

Picture = Callable[[Chunk], None] | None


def show(comparison: Comparison, answers: Mapping[str, Answer], picture: Picture = None) -> None:
    """Show both; ``picture`` draws the page of a chunk, where the document is at hand."""
    st.subheader(t("answer.same" if same(answers) else "answer.changed"))
    if not same(answers):
        st.caption(t("answer.changed_help"))
    for column, side in zip(st.columns(2), SIDES, strict=True):
        with column:
            show_side(comparison, side, answers[side], picture)


def same(answers: Mapping[str, Answer]) -> bool:
    """Say whether both sides give the same words; citations are compared as chunks, for their numbers differ."""
    plain = [" ".join(answer.CITATION.sub("", found.text).split()) for found in answers.values()]
    return plain[0] == plain[1]


def show_side(comparison: Comparison, side: str, found: Answer, picture: Picture) -> None:
    with st.container(border=True):
        st.markdown(f"**{tables.order_name(comparison, side)}**")
        extractive = found.source == answer.EXTRACTIVE
        st.badge(t("answer.extractive") if extractive else t("answer.by_llm"), icon=":material/format_quote:")
        if not extractive:
            st.text(found.source)
        st.text(found.text or t("answer.nothing"))
    sources(found, side, picture)


def sources(found: Answer, side: str, picture: Picture) -> None:
    """List what an answer was made from; a click shows the chunk, on its page where that is at hand."""
    rows = [
        ["●" if number in found.cited else "○", f"[{number}]", tables.page(chunk), tables.one_line(chunk.text)]
        for number, chunk in enumerate(found.chunks, start=1)
    ]
    names = [t("answer.cited"), t("answer.number"), t("table.page"), t("table.text")]
    st.dataframe(
        pd.DataFrame(rows, columns=names),
        hide_index=True,
        key=f"sources_{side}",
        on_select=lambda: pick(side, found),
        selection_mode="single-row",
        column_config={
            names[0]: st.column_config.TextColumn(width=50),
            names[1]: st.column_config.TextColumn(width=50),
            names[2]: tables.page_column(found.chunks),
            names[3]: st.column_config.TextColumn(width="large"),
        },
    )
    of, shown = st.session_state["shown_source"] or (None, None)
    if of == side and shown in found.chunks:
        st.text(shown.text)
        if picture:
            picture(shown)


def pick(side: str, found: Answer) -> None:
    for row in st.session_state[f"sources_{side}"]["selection"]["rows"]:
        st.session_state["shown_source"] = side, found.chunks[row]
