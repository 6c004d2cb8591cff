"""Everything that is kept between reruns. Failures are never kept."""

import gc
import json
import logging
import math
import time
from collections.abc import Callable
from functools import cache, wraps
from pathlib import Path
from threading import Event, Thread
from typing import TypeVar

import numpy as np
import psutil
import streamlit as st

from pages.ui.shell import state
from rag_core import settings
from rag_core.datatypes import (
    Chunk,
    ChunkSettings,
    Comparison,
    Document,
    Judgment,
    Readings,
    Settings,
    Span,
)
from rag_core.errors import RerankLabError
from rag_core.explaining import probe
from rag_core.lab import Lab
from rag_core.models import baseline as unrelated
from rag_core.models import catalog, selftest, tokens
from rag_core.models.embed import Embedder, load_embedder
from rag_core.models.rerank import Reranker, load_reranker, server_of
from rag_core.reading import pdf
from rag_core.servers import llm
from rag_core.workshop.room import Rooms
from rag_core.workshop.waiting import Line

log = logging.getLogger(__name__)
Made = TypeVar("Made")

SAMPLES = Path(__file__).parents[3] / "data" / "samples"
SAMPLE_JUDGE = "Rerank Lab"
MOST_KEPT = 500
STAYING = math.inf
GRACE_SECONDS = 120
SWEEP_SECONDS = 60
UNHEARD_SECONDS = 3 * SWEEP_SECONDS
LONGEST_STAY_SECONDS = 24 * 3600
SAMPLE_FILES = {"zh": "city-report-zh", "en": "annual-report-en"}


@st.cache_resource(show_spinner=False, on_release=lambda made: made.close())
def lab() -> Lab:
    return Lab(settings.home(), settings.chroma())


@st.cache_resource(show_spinner=False)
def stays() -> dict[str, float]:
    """Return when each visitor of a server left, and ``STAYING`` for those who are here."""
    return {}


@st.cache_resource(show_spinner=False, scope="session", on_release=lambda owner: leave(owner))
def stay(owner: str) -> str:
    """Keep a visitor's documents as long as the session lasts."""
    stays()[owner] = STAYING
    sweeper()
    return owner


def leave(owner: str) -> None:
    """Note that a session ended; its documents go a while later, for a lost connection may come back."""
    stays()[owner] = time.monotonic()


@st.cache_resource(show_spinner=False, on_release=lambda stop: stop.set())
def sweeper() -> Event:
    """Sweep every minute, until the returned event is set."""
    stop, swept, known = Event(), lab(), stays()

    def work() -> None:
        while not stop.wait(SWEEP_SECONDS):
            try:
                sweep(swept, known)
            except RerankLabError as error:
                log.error("nothing is swept this time: %s", error)

    Thread(target=work, daemon=True).start()
    return stop


def sweep(swept: Lab, known: dict[str, float]) -> None:
    """Delete what belongs to visitors who left, here or from a process that ended, and what is older than a day."""
    moment, now = time.monotonic() - GRACE_SECONDS, time.time()
    gone = [owner for owner, left in list(known.items()) if left <= moment]
    staying = [owner for owner in list(known) if owner not in gone]
    swept.sweep(staying, gone, now - UNHEARD_SECONDS, now - LONGEST_STAY_SECONDS)


def embedder(model_id: str, how: llm.LLMSettings) -> Embedder:
    """Return an embedder; one that uses a visitor's key or server is made for that visitor alone."""
    if catalog.find(catalog.EMBEDDERS, model_id).kind == "server":
        return load_embedder(model_id, state.embedding_server())
    if catalog.find(catalog.EMBEDDERS, model_id).kind == "openai":
        return load_embedder(model_id, how)
    return shared_embedder(model_id)


@st.cache_resource(show_spinner=False, max_entries=3)
def shared_embedder(model_id: str) -> Embedder:
    return load_embedder(model_id)


@st.cache_data(show_spinner=False, max_entries=50)
def vector_length(model_id: str) -> int:
    """Return the length of a bundled embedder's vectors."""
    return shared_embedder(model_id).embed_queries(["?"]).shape[1]


def reranker(model_id: str) -> Reranker:
    """Return a reranker; one on a visitor's server is made for that visitor alone."""
    if catalog.leaves(catalog.RERANKERS, model_id):
        return load_reranker(model_id, state.rerank_server())
    return loaded_reranker(model_id)[0]


def megabytes(model_id: str) -> float:
    """Return by how many MB this process grew while the reranker was loaded; one on a server takes none."""
    return 0 if catalog.leaves(catalog.RERANKERS, model_id) else loaded_reranker(model_id)[1]


def rerank_address(model_id: str) -> str:
    """Return where a reranker's texts are sent, as it may be shown; nothing where no server is set."""
    return server_of(catalog.find(catalog.RERANKERS, model_id), state.rerank_server()).shown


@st.cache_resource(show_spinner=False, max_entries=4)
def loaded_reranker(model_id: str) -> tuple[Reranker, float]:
    process = psutil.Process()
    before = process.memory_info().rss
    return load_reranker(model_id), max(0, process.memory_info().rss - before) / 2**20


def self_test(model_id: str) -> selftest.SelfTest:
    tried = reranker(model_id)
    return tested(tried.weights, tried)


@st.cache_resource(show_spinner=False, max_entries=50)
def tested(weights: str, _reranker: Reranker) -> selftest.SelfTest:
    return selftest.check(_reranker)


@st.cache_resource(show_spinner=False)
def shelf() -> dict[tuple, object]:
    """Return the place of what is made from documents, each thing under the document's id and what else it depends on.

    Streamlit's own caches cannot forget one document alone, and what counts while it is made would play its bar again.
    """
    return {}


def kept(doc_id: str, key: tuple) -> object | None:
    return shelf().get((doc_id, *key))


def keep(doc_id: str, key: tuple, make: Callable[[], object]) -> object:
    """Return what was made from a document for a key of ids and texts, or make it; the oldest is dropped first."""
    found, place = kept(doc_id, key), shelf()
    if found is None:
        found = make()
        while len(place) >= MOST_KEPT:
            place.pop(next(iter(place)), None)
        place[doc_id, *key] = found
    return found


def of_document(make: Callable[..., Made]) -> Callable[..., Made]:
    """Keep what a function returns for a document; all visitors share it, so nobody may change it."""

    @wraps(make)
    def made(doc_id: str, *rest: object) -> Made:
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
def parts(doc_id: str) -> list[Document]:
    """Return the members of a collection, or the document alone."""
    return lab().documents.parts(doc_id)


@of_document
def readings(doc_id: str) -> Readings:
    return lab().documents.readings(doc_id)


@of_document
def page_picture(doc_id: str, number: int, words: str, part: tuple[int, int] | None) -> tuple[bytes, bool]:
    """Return a page as PNG, and whether the words are marked on it, a part of them more strongly."""
    return lab().picture(doc_id, number, words, part)


@of_document
def token_counts(doc_id: str, how: ChunkSettings, role: str, model_id: str, question: str) -> list[int] | None:
    """Return the tokens of each chunk for a model; None where they cannot be counted."""
    texts = [piece.text for piece in chunks(doc_id, how.preset, how.size, how.overlap)]
    return tokens.of_texts(model_id, texts) if role == "embedder" else tokens.of_pairs(model_id, question, texts)


@of_document
def chunks(doc_id: str, preset: str, size: int, overlap: int) -> list[Chunk]:
    return lab().cut(doc_id, ChunkSettings(preset, size, overlap))


@st.cache_data(show_spinner=False)
def sample(language: str) -> tuple[str, bytes, list[str]]:
    """Return a bundled sample: its title, its bytes, and its questions."""
    name = SAMPLE_FILES[language]
    asked = [row["question"] for row in sample_rows(language)]
    return f"{name}.pdf", (SAMPLES / f"{name}.pdf").read_bytes(), asked


@st.cache_data(show_spinner=False)
def sample_rows(language: str) -> list[dict]:
    return json.loads((SAMPLES / f"{SAMPLE_FILES[language]}.questions.json").read_text(encoding="utf-8"))


@st.cache_data(show_spinner=False)
def sample_judgments(language: str) -> list[Judgment]:
    """Return what we judged ourselves: the words of a bundled sample that answer its questions."""
    return [
        Judgment(row["question"], Span(answer["page"], 0, answer["quote"]), 2, SAMPLE_JUDGE)
        for row in sample_rows(language)
        for answer in row["answers"]
    ]


@of_document
def recommended(doc_id: str) -> ChunkSettings:
    return lab().recommend(doc_id)


@of_document
def sample_questions(doc_id: str, owner: str) -> list[str]:
    """Return the questions of a bundled sample, or of those in a collection; none for any other document."""
    questions = {pdf.document_id(data, owner): asked for _, data, asked in map(sample, SAMPLE_FILES)}
    return [question for part in document(doc_id).parts for question in questions.get(part, [])]


@st.cache_data(show_spinner=False)
def translation(question: str) -> str:
    """Return a sample question in the other language, or nothing for any other question."""
    rows = [row for language in SAMPLE_FILES for row in sample_rows(language)]
    return next((row["translation"] for row in rows if row["question"] == question), "")


def baseline(comparison: Comparison, model: str) -> unrelated.Baseline | None:
    """Return what a comparison's ``reranker`` or ``embedder`` gives unrelated texts; None for one paid by the text."""
    return baseline_for(comparison.doc_id, comparison.query, comparison.settings, model)


def baseline_for(doc_id: str, query: str, how: Settings, model: str) -> unrelated.Baseline | None:
    """Return it for a comparison that is to be made."""
    language = document(doc_id).language
    if model == "reranker":
        if catalog.leaves(catalog.RERANKERS, how.reranker):
            return None
        return reranker_baseline(how.reranker, query, language)
    if catalog.leaves(catalog.EMBEDDERS, how.embedder):
        return None
    return embedder_baseline(how.embedder, query, language)


@st.cache_data(show_spinner=False, max_entries=200)
def reranker_baseline(model_id: str, query: str, language: str) -> unrelated.Baseline:
    return unrelated.measure(language, probe.of_texts(reranker(model_id), query))


@st.cache_data(show_spinner=False, max_entries=200)
def embedder_baseline(model_id: str, query: str, language: str) -> unrelated.Baseline:
    [question] = shared_embedder(model_id).embed_queries([query])
    return unrelated.measure(language, lambda _: unrelated_vectors(model_id, language) @ question)


@st.cache_data(show_spinner=False, max_entries=50)
def unrelated_vectors(model_id: str, language: str) -> np.ndarray:
    """Return the embeddings of the unrelated texts: they are the same whatever is asked."""
    return shared_embedder(model_id).embed_texts(unrelated.UNRELATED[language])


@st.cache_resource(show_spinner=False)
def rooms() -> Rooms:
    """Return the rooms of this server: all sessions see the same."""
    return Rooms()


@st.cache_resource(show_spinner=False, max_entries=50)
def line(model_id: str) -> Line:
    """Return the line of those who wait for a reranker: all sessions stand in the same."""
    return Line()


@cache
def settle_in() -> None:
    """Spare the garbage collector what is loaded by now, once a process: it stays until the end.

    Streamlit collects after every script. Looking at the libraries' objects each time took as long as drawing a page.
    """
    gc.collect()
    gc.freeze()
