"""Leave one expansion out: what each brought, and what the first places lose without it."""

import pandas as pd
import streamlit as st

from pages.ui.parts import tables
from pages.ui.shell import empty
from pages.ui.shell.i18n import t
from rag_core.datatypes import Comparison, Expansion, Move
from rag_core.explaining.expansions import with_queries


def show(comparison: Comparison) -> None:
    if not comparison.expansions:
        st.info(t("expansions.none"), icon=":material/alt_route:")
        empty.link_to_compare()
        return
    if len(comparison.moves) < comparison.found:
        st.info(t("expansions.adaptive", scored=len(comparison.moves), found=comparison.found), icon=":material/speed:")
        return
    st.dataframe(contributions(comparison), hide_index=True, key="contributions")
    st.caption(t("expansions.table_help", k=comparison.cutoff))
    st.markdown(f"**{t('expansions.switches')}**")
    kept = [expansion.text for expansion in comparison.expansions if switch(comparison, expansion)]
    effect(comparison, with_queries(comparison, kept))


def switch(comparison: Comparison, expansion: Expansion) -> bool:
    """Let the reader leave one expansion out; its text stands beside the switch, for a label is Markdown."""
    key = f"expansion_{expansion.origin}_{expansion.text}"
    st.session_state.setdefault(key, True)
    with st.container(horizontal=True, vertical_alignment="center"):
        on = st.toggle(t("origin." + expansion.origin), key=key, width="content")
        st.text(shown(comparison, expansion))
    return on


def shown(comparison: Comparison, expansion: Expansion) -> str:
    """Return the expansion on one line; where it begins with the question itself, what it adds."""
    text = tables.one_line(expansion.text)
    return f"… {text.removeprefix(comparison.query).strip()}" if text.startswith(comparison.query) else text


def contributions(comparison: Comparison) -> pd.DataFrame:
    """Return a row an expansion: found, found alone, of these in the new top, and what both tops lose without it."""
    rows = [
        [number, *counted(comparison, expansion), t("origin." + expansion.origin), shown(comparison, expansion)]
        for number, expansion in enumerate(comparison.expansions, start=1)
    ]
    k = comparison.cutoff
    names = [
        "#",
        t("expansions.found"),
        t("expansions.alone"),
        t("expansions.reached", k=k),
        t("expansions.lost_fused", k=k),
        t("expansions.lost_reranked", k=k),
        t("expansions.origin"),
        t("expansions.text"),
    ]
    return pd.DataFrame(rows, columns=names)


def counted(comparison: Comparison, expansion: Expansion) -> list[int]:
    queries = {chunk_id: {entry.query for entry in entries} for chunk_id, entries in comparison.ledger.items()}
    alone = {chunk_id for chunk_id, found_by in queries.items() if found_by == {expansion.text}}
    others = [other.text for other in comparison.expansions if other != expansion]
    fewer = with_queries(comparison, others)
    return [
        sum(expansion.text in found_by for found_by in queries.values()),
        len(alone),
        len(alone & top(comparison, "reranked")),
        len(top(comparison, "vector") - top(fewer, "vector")),
        len(top(comparison, "reranked") - top(fewer, "reranked")),
    ]


def top(comparison: Comparison, side: str) -> set[str]:
    return {hit.chunk.id for hit in comparison.ranking(side).top(comparison.cutoff)}


def effect(whole: Comparison, now: Comparison) -> None:
    """Show what the first places lost and gained with the expansions that are left out."""
    gone = len(whole.moves) - len(now.moves)
    st.markdown(
        t("expansions.effect", kept=len(now.expansions), all=len(whole.expansions), count=len(now.moves), gone=gone)
    )
    for column, side in zip(st.columns(2), ("vector", "reranked"), strict=True):
        with column.container(border=True):
            st.markdown(f"**{tables.order_name(now, side)}**")
            changed(t("expansions.lost", k=whole.cutoff), whole, now, side)
            changed(t("expansions.gained", k=whole.cutoff), now, whole, side)


def changed(heading: str, comparison: Comparison, other: Comparison, side: str) -> None:
    """List what is in the top of one and not of the other."""
    st.caption(heading)
    missing = top(comparison, side) - top(other, side)
    moves = [move for move in comparison.moves if move.chunk.id in missing]
    if not moves:
        st.caption(t("result.nobody"))
    for move in sorted(moves, key=lambda move: rank(move, side)):
        st.text(f"{rank(move, side)}.  {tables.where(move.chunk)}  {tables.one_line(move.chunk.text, 90)}")


def rank(move: Move, side: str) -> int:
    return move.before if side == "vector" else move.after
