"""One question of an evaluation, opened: its two rankings, and the way to judge what stands in them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd
import streamlit as st

from pages.ui.evaluate import others
from pages.ui.parts import best_part, chunk_text, orders, page_beside, proposed, sentences, tables
from pages.ui.parts.judgments import grade_buttons
from pages.ui.parts.tables import one_line
from pages.ui.shell import cached, state, work
from pages.ui.shell.i18n import plain, t
from rag_core.datatypes import Chunk, Comparison, Settings
from rag_core.measuring.evaluate import Evaluation
from rag_core.sharing import replay as replays
from rag_core.sharing.replay import Replay

state.keep(opened_question=None, opened_replay=None, judged_chunk="")


def show(evaluation: Evaluation, question: str, system: str) -> None:
    """Show what reranking did to one question, or how another system ranks for it, and let its chunks be judged."""
    if system in evaluation.imported:
        imported(evaluation, question, system)
        return
    replay = judged(recorded(evaluation.doc_id, question, settings(evaluation, system)))
    changed, begins = sentences.outcome(replay)
    with st.container(horizontal=True, vertical_alignment="center", key="opened_headline"):
        with st.container(gap=None):
            st.markdown(f"**{changed}**")
            st.caption(begins)
        label, icon, asked = t("questions.compare"), ":material/swap_vert:", [evaluation.doc_id, question]
        if st.button(label, key="compare_opened", icon=icon, on_click=proposed.choose, args=asked):
            st.switch_page("pages/compare.py")
    with st.container(key="evaluated_rankings"):
        orders.show(replay, "evaluated_orders")
    picked(replay)
    with st.expander(t("pool.title", count=len(evaluation.pool(question))), icon=":material/gavel:"):
        pool(evaluation, question)


def imported(evaluation: Evaluation, question: str, system: str) -> None:
    """Show another system's ranking, with each chunk's rank in the first stage's order, and let it be judged."""
    order, before = evaluation.orders[system].get(question), evaluation.orders[evaluation.baseline][question]
    if order is None:
        st.caption(t("runs.not_ranked"))
        return
    by_id = {chunk.id: chunk for chunk in work.current_candidates(evaluation.doc_id)}
    chunks, grades = [by_id[chunk_id] for chunk_id in order], evaluation.judged.qrels.get(question, {})
    st.markdown(f"**{t('runs.ranks', name=plain(others.shown_name(system)), count=len(order))}**")
    names = [t("table.rank"), t("depth.first_rank"), t("table.grade"), t("table.page"), t("table.text")]
    rows = [
        [rank, rank_in(before, chunk.id), tables.GRADES[grades.get(chunk.id)], tables.page(chunk), one_line(chunk.text)]
        for rank, chunk in enumerate(chunks, start=1)
    ]
    ranks = {
        names[0]: st.column_config.NumberColumn(width=50),
        names[1]: st.column_config.TextColumn(width=100),
    }
    clickable("imported", question, pd.DataFrame(rows, columns=names), chunks, ranks)
    graded(evaluation, question, chunks)


def rank_in(order: Sequence[str], chunk_id: str) -> str:
    return str(order.index(chunk_id) + 1) if chunk_id in order else "–"


def settings(evaluation: Evaluation, system: str) -> Settings:
    """Return how a system ranked: which reranker, and how deep; of a first stage, the largest depth is shown."""
    model, _, depth = system.rpartition(" @")
    reranked = {"reranker": model, "depth": int(depth)} if model else {"reranker": next(iter(evaluation.scores))}
    return replace(evaluation.how, adaptive=False, **reranked)


def recorded(doc_id: str, question: str, how: Settings) -> Replay:
    """Return the comparison of a question, from the scores that the evaluation kept."""
    kept: Replay | None = st.session_state["opened_replay"]
    if kept is None or not is_of(kept.comparison, doc_id, question, how):
        kept = work.record(work.compare_with(doc_id, question, (), how))
        st.session_state["opened_replay"] = kept
    return kept


def is_of(comparison: Comparison, doc_id: str, question: str, how: Settings) -> bool:
    return (comparison.doc_id, comparison.query, comparison.settings) == (doc_id, question, how)


def judged(replay: Replay) -> Replay:
    """Return a replay with the judgments of now."""
    doc_id = replay.comparison.doc_id
    return replays.brought_up(replay, cached.parts(doc_id), {}, cached.lab().judgments.load(doc_id))


def picked(replay: Replay) -> None:
    """Show the chunk of the row that was clicked, beside its page, and let it be graded."""
    comparison = replay.comparison
    move = next((move for move in comparison.moves if move.chunk.id == st.session_state["picked"]), None)
    if move:
        with st.container(key="picked_chunk"), page_beside.box(move.chunk, move.part):
            st.markdown(tables.place(comparison, move))
            best_part.text(move)
            grade_buttons(comparison.doc_id, comparison.query, move.chunk)


def pool(evaluation: Evaluation, question: str) -> None:
    """Let the reader judge what stands in the first ten of any ranking, in the order of the document."""
    pooled = evaluation.pool(question)
    chunks = [chunk for chunk in work.current_candidates(evaluation.doc_id) if chunk.id in pooled]
    st.caption(t("pool.help"))
    pool_table(question, chunks, evaluation.judged.qrels.get(question, {}))
    graded(evaluation, question, chunks)


def graded(evaluation: Evaluation, question: str, chunks: Sequence[Chunk]) -> None:
    """Show the chunk that was clicked in a table, beside its page, and let it be graded."""
    chunk = next((chunk for chunk in chunks if chunk.id == st.session_state["judged_chunk"]), None)
    if chunk and st.session_state["picked"] is None:
        with page_beside.box(chunk):
            chunk_text.show(chunk)
            grade_buttons(evaluation.doc_id, question, chunk)


def pool_table(question: str, chunks: list[Chunk], grades: Mapping[str, int]) -> None:
    rows = [[tables.GRADES[grades.get(chunk.id)], tables.page(chunk), tables.one_line(chunk.text)] for chunk in chunks]
    names = [t("table.grade"), t("table.page"), t("table.text")]
    clickable("pool", question, pd.DataFrame(rows, columns=names), chunks, {})


def clickable(kind: str, question: str, rows: pd.DataFrame, chunks: list[Chunk], more: tables.Columns) -> None:
    """Draw a chunk in each row, with its grade, page and text; a click shows it to be judged."""
    ids = [chunk.id for chunk in chunks]
    key = state.key_of(kind, [question, *ids])
    st.dataframe(
        rows,
        hide_index=True,
        key=key,
        height=tables.height(len(rows)),
        column_config={
            **more,
            t("table.grade"): st.column_config.TextColumn(width=58),
            t("table.page"): tables.page_column(chunks),
            t("table.text"): st.column_config.TextColumn(width="large"),
        },
        on_select=lambda: pick(key, ids),
        selection_mode="single-cell",
    )


def pick(key: str, ids: Sequence[str]) -> None:
    """Show the chunk that was clicked here; one picked in the rankings makes room: its grades have the same keys."""
    state.keep_clicked(key, "judged_chunk", ids)
    st.session_state["picked"] = None
