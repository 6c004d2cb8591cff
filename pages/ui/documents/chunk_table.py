"""The chunks of a document, what the models read of each, and the page where it stands."""

import pandas as pd
import streamlit as st

from pages.ui.parts import chunk_text, page_beside, tables
from pages.ui.shell import cached, state
from pages.ui.shell.i18n import plain, t
from rag_core.datatypes import Chunk, ChunkSettings
from rag_core.models import catalog
from rag_core.models.tokens import MOST, cut_share

WARNED = 0.05


def show(doc_id: str, how: ChunkSettings, chunks: list[Chunk]) -> None:
    counts = {role: tokens_of(doc_id, how, role) for role in ("embedder", "reranker")}
    known = {role: tokens for role, tokens in counts.items() if tokens is not None}
    for role in counts:
        unread(role, counts[role])
    names = [t("table.page"), t("documents.length"), *(t(f"chunks.{role}") for role in known), t("table.text")]
    rows = [
        [
            tables.page(piece),
            len(piece.text),
            *(tokens[place] for tokens in known.values()),
            tables.one_line(chunk_text.whole(piece)),
        ]
        for place, piece in enumerate(chunks)
    ]
    page_beside.table(
        pd.DataFrame(rows, columns=names),
        chunks,
        "chunks",
        height=tables.height(len(rows)),
        column_config={
            names[0]: tables.page_column(chunks),
            names[1]: st.column_config.NumberColumn(width=90),
            **{t(f"chunks.{role}"): meter(limit_of(role)) for role in known},
            t("table.text"): st.column_config.TextColumn(width="large"),
        },
    )


def tokens_of(doc_id: str, how: ChunkSettings, role: str) -> list[int] | None:
    question = st.session_state["question"].strip() or t("chunks.typical_question")
    return cached.token_counts(doc_id, how, role, state.chosen(role), question if role == "reranker" else "")


def limit_of(role: str) -> int:
    """Return how many tokens a bundled model reads well at a time."""
    return catalog.find(catalog.RERANKERS, state.chosen(role)).pair_tokens if role == "reranker" else MOST


def meter(limit: int) -> tables.ColumnConfig:
    return st.column_config.ProgressColumn(
        width=130, format=f"%d / {limit}", min_value=0, max_value=limit, help=t("chunks.tokens_help", limit=MOST)
    )


def unread(role: str, counts: list[int] | None) -> None:
    """Warn where an embedder cuts off more than a twentieth of the tokens, and say what is read in parts.

    Where tokens cannot be counted, that is said instead.
    """
    model, limit = plain(state.chosen(role)), limit_of(role)
    over = sum(count > limit for count in counts or ())
    if counts is None:
        st.caption(t("chunks.unknown", model=model))
    elif role == "reranker" and over:
        st.caption(t("chunks.parts", model=model, over=over, chunks=len(counts), limit=limit))
    elif role == "embedder" and cut_share(counts) > WARNED:
        share = f"{cut_share(counts):.0%}"
        cut = t("chunks.cut", model=model, share=share, over=over, chunks=len(counts), limit=limit)
        st.warning(cut, icon=":material/content_cut:")
