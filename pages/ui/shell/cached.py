"""The library, and what was made from its documents, kept between reruns. Failures are never kept."""

import gc
from collections.abc import Callable
from functools import cache, wraps
from typing import Any, TypeVar, TypeVarTuple

import streamlit as st

from rag_core import settings
from rag_core.datatypes import Chunk, ChunkSettings, Document, Readings
from rag_core.lab import Lab
from rag_core.models import tokens
from rag_core.reading import extract
from rag_core.reading.dropped import Dropped
from rag_core.reading.language import name_of
from rag_core.search import distinct

Made = TypeVar("Made")
Rest = TypeVarTuple("Rest")

MOST_KEPT = 500


@st.cache_resource(show_spinner=False, on_release=lambda made: made.close())
def lab() -> Lab:
    return Lab(settings.home(), settings.chroma())


@st.cache_resource(show_spinner=False)
def shelf() -> dict[tuple, Any]:
    """Return the place of what is made from documents, each thing under the document's id and what else it depends on.

    Streamlit's own caches cannot forget one document alone, and what counts while it is made would play its bar again.
    """
    return {}


def kept(doc_id: str, key: tuple, kind: type[Made]) -> Made | None:
    """Return what was made from a document for a key, where it is there."""
    made = shelf().get((doc_id, *key))
    return made if isinstance(made, kind) else None


def keep(doc_id: str, key: tuple, make: Callable[[], Made]) -> Made:
    """Return what was made from a document for a key of ids and texts, or make it; the oldest is dropped first."""
    place = shelf()
    made: Made | None = place.get((doc_id, *key))
    if made is None:
        made = make()
        while len(place) >= MOST_KEPT:
            place.pop(next(iter(place)), None)
        place[doc_id, *key] = made
    return made


def of_document(make: Callable[[str, *Rest], Made]) -> Callable[[str, *Rest], Made]:
    """Keep what a function returns for a document; all visitors share it, so nobody may change it."""

    @wraps(make)
    def made(doc_id: str, *rest: *Rest) -> Made:
        return keep(doc_id, (make.__name__, *rest), lambda: make(doc_id, *rest))

    return made


def forget(doc_id: str) -> None:
    """Drop what was made from a document, and from every collection that holds it."""
    place = shelf()
    for key in list(place):
        known = place.get((key[0], "document"))
        if doc_id == key[0] or known is None or doc_id in known.parts:
            place.pop(key, None)


@of_document
def document(doc_id: str) -> Document:
    return lab().documents.load(doc_id)


@of_document
def language(doc_id: str) -> str:
    """Return the name, as an ISO 639-1 code, of the language that a document is in."""
    return name_of(*(page.text for page in document(doc_id).pages))


@of_document
def parts(doc_id: str) -> list[Document]:
    """Return the members of a collection, or the document alone."""
    return lab().documents.parts(doc_id)


@of_document
def readings(doc_id: str) -> Readings:
    return lab().documents.readings(doc_id)


@of_document
def dropped_lines(doc_id: str) -> list[Dropped]:
    """Return for each page which of its lines are running heads and feet, or list contents."""
    return extract.dropped_lines(readings(doc_id).pages)


@of_document
def contents_pages(doc_id: str) -> list[tuple[str, int]]:
    """Return the pages on which a list of contents is no candidate, each with the id of its document."""
    return [(part, number) for part in document(doc_id).parts for number in lab().pages.contents(part)]


@of_document
def page_picture(doc_id: str, number: int, words: str, part: tuple[int, int] | None) -> tuple[bytes, bool]:
    """Return a page as PNG, and whether the words are marked on it, a part of them more strongly."""
    return lab().pages.picture(doc_id, number, words, part)


@of_document
def token_counts(doc_id: str, how: ChunkSettings, role: str, model_id: str, question: str) -> list[int] | None:
    """Return the tokens of each chunk for a model; None where they cannot be counted."""
    texts = [piece.passage for piece in chunks(doc_id, how.preset, how.size, how.overlap)]
    return tokens.of_texts(model_id, texts) if role == "embedder" else tokens.of_pairs(model_id, question, texts)


@of_document
def chunks(doc_id: str, preset: str, size: int, overlap: int) -> list[Chunk]:
    return lab().cut(doc_id, ChunkSettings(preset, size, overlap))


@of_document
def candidates(doc_id: str, preset: str, size: int, overlap: int) -> list[Chunk]:
    """Return the chunks that can be candidates: those with the same words are one."""
    return distinct.candidates(distinct.firsts(chunks(doc_id, preset, size, overlap)))


@of_document
def recommended(doc_id: str) -> ChunkSettings:
    return lab().recommend(doc_id)


@cache
def settle_in() -> None:
    """Spare the garbage collector what is loaded by now, once a process: it stays until the end.

    Streamlit collects after every script. Looking at the libraries' objects each time took as long as drawing a page.
    """
    gc.collect()
    gc.freeze()
