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
    """Let the reader choose a chunk: the picked one stays, else it is the first of the new order."""
    moves = {move.chunk.id: move for move in comparison.moves}
    picked = st.session_state["picked"]
    if picked is None:
        picked = st.session_state["picked"] = comparison.reranked.ids[0]
    labels = {chunk_id: label(moves.get(chunk_id)) for chunk_id in (*moves, picked)}
    chosen = st.selectbox(t("explain.chunk"), list(labels), key="picked", format_func=labels.__getitem__)
    return cached.lab().chunk(comparison.doc_id, comparison.settings.chunks, chosen)


def label(move: Move | None) -> str:
    if move is None:
        return t("explain.no_candidate")
    place = t("result.from_to", before=move.before, after=move.after)
    return f"{place}  ·  {tables.where(move.chunk)}  ·  {tables.one_line(move.chunk.text, LABEL_COLUMNS)}"


def move_of(comparison: Comparison, chunk: Chunk) -> Move | None:
    return next((move for move in comparison.moves if move.chunk.id == chunk.id), None)


def standing(comparison: Comparison, chunk: Chunk) -> None:
    """Show ranks first, then scores, then the text; a chunk from the map may have neither."""
    move = move_of(comparison, chunk)
    with page_beside.box(chunk, move.part if move else None):
        if move is None:
            st.markdown(t("explain.not_ranked", page=chunk.page))
            chunk_text.show(chunk)
        else:
            st.markdown(tables.place(comparison, move))
            best_part.text(move)


def cut_notice(comparison: Comparison, text: str) -> None:
    """Say what the embedder does not read of a text; a cross-encoder reads a long one part by part."""
    read = models_of(comparison)[1].reads(text)
    if read < len(text):
        cut = t("explain.cut", model=t("explain.embedder"), read=read, length=len(text))
        st.warning(cut, icon=":material/content_cut:")
        st.text(t("explain.last_read", text=text[max(read - 30, 0) : read]))
