"""How both models read: drawn with the reader's own question and chunk, their tokens and their scores."""

import streamlit as st

from pages.ui.parts import tables
from pages.ui.shell import empty, models, state
from pages.ui.shell.i18n import plain, t
from pages.ui.workshop import diagram
from rag_core.datatypes import Chunk, Comparison, Move
from rag_core.models import tokens
from rag_core.models.tokens import Reading
from rag_core.reading.table_heads import head_of

state.keep(inside_chunk=None)


def show() -> None:
    comparison = empty.comparison_or_stop(t("inside.empty"))
    st.caption(t("inside.lead"))
    move = pick_chunk(comparison)
    apart(comparison, move)
    together(comparison, move)
    st.caption(t("inside.scales"))


def pick_chunk(comparison: Comparison) -> Move:
    """Let a candidate be chosen; one that this comparison does not hold, from before, is given up with a word."""
    moves = {move.chunk.id: move for move in comparison.moves}
    if st.session_state["inside_chunk"] not in moves:
        if st.session_state["inside_chunk"]:
            st.warning(t("inside.chunk_gone"), icon=":material/find_in_page:")
        st.session_state["inside_chunk"] = next(iter(moves))
    names = {chunk_id: name(move) for chunk_id, move in moves.items()}
    st.text(comparison.query)
    st.selectbox(t("inside.chunk"), list(names), key="inside_chunk", format_func=names.__getitem__)
    return moves[st.session_state["inside_chunk"]]


def name(move: Move) -> str:
    place = t("result.from_to", before=move.before, after=move.after)
    return f"{place} · {tables.where(move.chunk)} · {tables.one_line(move.chunk.text, 80)}"


def apart(comparison: Comparison, move: Move) -> None:
    """Draw the bi-encoder: two runs, two vectors, one cosine."""
    model = comparison.settings.embedder
    read = tokens.alone(model, comparison.query, move.chunk.passage)
    st.subheader(t("inside.apart"))
    st.markdown(t("inside.apart_text"))
    length = models.vector_length(model) if read else None
    vector = t("inside.vector", length=length) if length else t("inside.vector_unknown")
    question = [counted("inside.question", read.question if read else None), comparison.query]
    chunk = [
        counted("inside.chunk_page", read.chunk if read else None, page=tables.pages(move.chunk)),
        move.chunk.passage,
    ]
    end = nearness(comparison, move.chunk)
    drawn(diagram.two_runs(question, chunk, [t("form.embedder"), model], vector, end), "apart", t("inside.apart"))
    if read:
        token_lists({"inside.question_tokens": read.question, "inside.chunk_tokens": read.chunk}, "apart")
    else:
        st.caption(t("inside.unknown", model=plain(model)))


def together(comparison: Comparison, move: Move) -> None:
    """Draw the cross-encoder: one run, one score."""
    model, text = comparison.settings.reranker, read_together(move)
    read = tokens.together(model, comparison.query, text)
    st.subheader(t("inside.together"))
    st.markdown(t("inside.together_text"))
    if move.part:
        st.markdown(t("inside.part", of=move.part.of))
    texts = [counted("inside.pair", read), comparison.query, text]
    score = [t("inside.rank", rank=move.after), f"{tables.unit(comparison.scale)} {move.after_score:.2f}"]
    drawn(diagram.one_run(texts, [t("form.reranker"), model], score), "together", t("inside.together"))
    if read:
        st.markdown(t("inside.meetings", tokens=len(read), meetings=f"{len(read) ** 2:,}"))
        token_lists({"inside.pair_tokens": read}, "together")
    else:
        st.caption(t("inside.unknown", model=plain(model)))


def drawn(svg: str, name: str, alt: str) -> None:
    """Show a drawing, on a telephone as wide as its words can be read, to be swiped."""
    with st.container(key=f"diagram_{name}"):
        st.image(svg, width="stretch", alt=alt)


def read_together(move: Move) -> str:
    """Return what was read with the question: head and text, or the best part, of a table below its head."""
    if move.part is None:
        return move.chunk.passage
    head, words = head_of(move.chunk, move.part.start), move.part.words(move.chunk.text)
    return f"{head}\n{words}" if head else words


def nearness(comparison: Comparison, chunk: Chunk) -> list[str]:
    """Return rank and cosine that the question itself found the chunk with; only an expansion may have found it."""
    own = next((entry for entry in comparison.ledger[chunk.id] if entry.origin == "question"), None)
    if own is None:
        return [t("inside.not_found"), t("inside.no_cosine")]
    return [t("inside.rank", rank=own.rank), f"{t('table.cosine')} {own.score:.3f}"]


def counted(key: str, read: Reading | None, **values: object) -> str:
    count = t("inside.tokens", count=len(read)) if read else t("inside.tokens_unknown")
    return f"{t(key, **values)} · {count}"


def token_lists(readings: dict[str, Reading], key: str) -> None:
    with st.expander(t("inside.show_tokens"), icon=":material/data_array:", key=f"tokens_{key}"):
        for title, read in readings.items():
            st.markdown(f"**{t(title)}**")
            st.text(" ¦ ".join(read.tokens))
            if read.cut:
                st.caption(t("inside.cut", read=len(read), whole=read.whole))
        st.caption(t("inside.tokens_help"))
