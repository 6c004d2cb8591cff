"""How a document is cut: chosen, and seen at once in figures, lengths and chunks."""

from statistics import median

import streamlit as st

from pages.ui.documents import chunk_table, collection
from pages.ui.parts import charts, foreign
from pages.ui.shell import cached, state
from pages.ui.shell.i18n import t
from rag_core.datatypes import Chunk, Collection, Document
from rag_core.reading import chunk


def show(document: Document) -> None:
    """Let the reader choose how the document is cut; the effect below follows at once."""
    choice()
    how = state.chunk_settings()
    chunks = cached.chunks(document.id, how.preset, how.size, how.overlap)
    figures(document, chunks)
    if isinstance(document, Collection):
        collection.show(document)
    st.altair_chart(charts.length_histogram([len(piece.text) for piece in chunks]))
    chunk_table.show(document.id, how, chunks)


def choice() -> None:
    columns = st.columns(3)
    names = {preset: t(f"preset.{preset}") for preset in chunk.PRESETS}
    columns[0].selectbox(t("documents.preset"), list(names), key="preset", format_func=names.__getitem__)
    window = st.session_state["preset"] == "window"
    columns[1].number_input(t("documents.size"), *chunk.SIZES, key="size", step=50, disabled=not window)
    columns[2].number_input(t("documents.overlap"), *state.OVERLAPS, key="overlap", step=10, disabled=not window)
    st.caption(t(f"preset.{st.session_state['preset']}_help"))


def figures(document: Document, chunks: list[Chunk]) -> None:
    """Show how much there is of the document, and its language, or of a collection how many documents."""
    last: tuple[str, str | int] = (t("documents.language"), foreign.name(cached.language(document.id)))
    if isinstance(document, Collection):  # it may speak several languages; the table of its documents names them
        last = (t("collection.members"), len(document.members))
    numbers: list[tuple[str, str | int]] = [
        (t("documents.pages"), sum(len(part.pages) for part in cached.parts(document.id))),
        (t("documents.chunks"), len(chunks)),
        (t("documents.median"), int(median(len(piece.text) for piece in chunks))),
        last,
    ]
    for column, (name, value) in zip(st.columns(4), numbers, strict=True):
        column.metric(name, value, border=True)
