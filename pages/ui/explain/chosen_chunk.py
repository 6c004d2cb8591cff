"""The chunk that is explained: choose it, see where it stands, and what of it the models read."""

import streamlit as st

from pages.ui.parts import best_part, chunk_text, page_beside, tables
from pages.ui.shell import cached, form, models
from pages.ui.shell.i18n import t
from rag_core.datatypes import Chunk, Comparison, Move

LABEL_COLUMNS = 90


def models_of(comparison: Comparison) -> tuple[models.Reranker, models.Embedder]:
    """Return the cross-encoder and the embedder that made a comparison."""
    how = comparison.settings
    return models.reranker(how.reranker), models.embedder(how.embedder, form.llm_settings())


def pick(comparison: Comparison) -> Chunk:
    """Let the reader choose a chunk: the picked one stays, else it is the one that moved most."""
    moves = {move.chunk.id: move for move in comparison.moves}
    picked = st.session_state["picked"]
    if picked is None:
        picked = st.session_state["picked"] = most_moved(comparison).chunk.id
    labels = {chunk_id: label(moves.get(chunk_id)) for chunk_id in (*moves, picked)}
    chosen = st.selectbox(
        t("explain.chunk"),
        list(labels),
        key="picked",
        format_func=labels.__getitem__,
        label_visibility="collapsed",
    )
    return cached.lab().chunk(comparison.doc_id, comparison.settings.chunks, chosen)


def most_moved(comparison: Comparison) -> Move:
    """Return the move that crossed the cutoff from farthest away; where none crossed, the longest one."""
    crossed = (*comparison.entered, *comparison.left)
    return max(crossed or comparison.moves, key=lambda move: abs(move.delta))


def label(move: Move | None) -> str:
    if move is None:
        return t("explain.no_candidate")
    place = t("result.from_to", before=move.before, after=move.after)
    return f"{place}  ·  {tables.where(move.chunk)}  ·  {tables.one_line(move.chunk.text, LABEL_COLUMNS)}"


def move_of(comparison: Comparison, chunk: Chunk) -> Move | None:
    return next((move for move in comparison.moves if move.chunk.id == chunk.id), None)


def outcome(comparison: Comparison, chunk: Chunk) -> None:
    """Say in a sentence what reranking did to a chunk, and below it where it stands with which scores."""
    move = move_of(comparison, chunk)
    with st.container(gap=None):
        if move is None:
            st.markdown(f"**{t('explain.not_ranked', page=chunk.page)}**")
        else:
            k = min(comparison.cutoff, len(comparison.moves))
            st.markdown(f"**{t(f'explain.{way(move, k)}', before=move.before, after=move.after, k=k)}**")
            st.caption(tables.place(comparison, move))


def way(move: Move, k: int) -> str:
    """Name which way a chunk went, and whether it crossed the cutoff."""
    if not move.delta:
        return "stayed"
    if move.delta > 0:
        return "entered" if move.after <= k < move.before else "rose"
    return "left" if move.before <= k < move.after else "fell"


def text(comparison: Comparison, chunk: Chunk) -> None:
    """Show a chunk beside its page; one from the map may be no candidate."""
    move = move_of(comparison, chunk)
    with page_beside.box(chunk, move.part if move else None):
        if move is None:
            chunk_text.show(chunk)
        else:
            best_part.text(move)


def cut_notice(comparison: Comparison, text: str) -> None:
    """Say what the embedder does not read of a text; a cross-encoder reads a long one part by part."""
    read = models.embedder(comparison.settings.embedder, form.llm_settings()).reads(text)
    if read < len(text):
        cut = t("explain.cut", model=t("explain.embedder"), read=read, length=len(text))
        st.warning(cut, icon=":material/content_cut:")
        st.text(t("explain.last_read", text=text[max(read - 30, 0) : read]))
