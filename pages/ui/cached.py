"""Everything that is kept between reruns. Failures are never kept."""

import json
from collections.abc import Callable
from pathlib import Path

import streamlit as st

from rag_core import baseline as unrelated
from rag_core import catalog, chunk, llm, pdf, probe, selftest, settings
from rag_core.datatypes import Chunk, ChunkSettings, Comparison, Document
from rag_core.embed import Embedder, load_embedder
from rag_core.pipeline import Lab
from rag_core.rerank import Reranker, load_reranker

SAMPLES = Path(__file__).parents[2] / "data" / "samples"
MOST_KEPT = 300
SAMPLE_FILES = {"zh": "city-report-zh", "en": "annual-report-en"}


@st.cache_resource(show_spinner=False, on_release=lambda made: made.close())
def lab() -> Lab:
    return Lab(settings.home())


def embedder(model_id: str, how: llm.LLMSettings) -> Embedder:
    """Return an embedder; one that uses a visitor's key is made for that visitor alone."""
    if catalog.find(catalog.EMBEDDERS, model_id).kind == "openai":
        return load_embedder(model_id, how)
    return shared_embedder(model_id)


@st.cache_resource(show_spinner=False, max_entries=3)
def shared_embedder(model_id: str) -> Embedder:
    return load_embedder(model_id)


@st.cache_resource(show_spinner=False, max_entries=3)
def reranker(model_id: str) -> Reranker:
    return load_reranker(model_id)


@st.cache_resource(show_spinner=False, max_entries=50)
def self_test(model_id: str) -> selftest.SelfTest:
    return selftest.check(reranker(model_id))


@st.cache_data(show_spinner=False, max_entries=50)
def document(doc_id: str) -> Document:
    return lab().document(doc_id)


@st.cache_data(show_spinner=False, max_entries=50)
def chunks(doc_id: str, preset: str, size: int, overlap: int) -> list[Chunk]:
    return lab().cut(doc_id, ChunkSettings(preset, size, overlap))


@st.cache_data(show_spinner=False)
def sample(language: str) -> tuple[str, bytes, list[str]]:
    """Return a bundled sample: its title, its bytes, and its questions."""
    name = SAMPLE_FILES[language]
    questions = json.loads((SAMPLES / f"{name}.questions.json").read_text(encoding="utf-8"))
    return f"{name}.pdf", (SAMPLES / f"{name}.pdf").read_bytes(), [row["question"] for row in questions]


@st.cache_data(show_spinner=False, max_entries=50)
def recommended(doc_id: str) -> ChunkSettings:
    return chunk.recommend(document(doc_id).pages)


@st.cache_data(show_spinner=False)
def sample_questions(doc_id: str) -> list[str]:
    """Return the questions of a bundled sample, or none for any other document."""
    questions = {pdf.document_id(data): asked for _, data, asked in map(sample, SAMPLE_FILES)}
    return questions.get(doc_id, [])


@st.cache_data(show_spinner=False)
def translation(question: str) -> str:
    """Return a sample question in the other language, or nothing for any other question."""
    files = (SAMPLES / f"{name}.questions.json" for name in SAMPLE_FILES.values())
    rows = [row for file in files for row in json.loads(file.read_text(encoding="utf-8"))]
    return next((row["translation"] for row in rows if row["question"] == question), "")


def baseline(comparison: Comparison, model: str) -> unrelated.Baseline | None:
    """Return what a comparison's ``reranker`` or ``embedder`` gives unrelated texts; None for one paid by the text."""
    how, language = comparison.settings, document(comparison.doc_id).language
    if model == "reranker":
        return reranker_baseline(how.reranker, comparison.query, language)
    if catalog.find(catalog.EMBEDDERS, how.embedder).kind == "openai":
        return None
    return embedder_baseline(how.embedder, comparison.query, language)


def unrelated_score(comparison: Comparison, side: str) -> float | None:
    """Return where the unrelated texts stand among a side's scores; a fused score is no model's: None."""
    if side == "vector" and comparison.fused:
        return None
    found = baseline(comparison, "reranker" if side == "reranked" else "embedder")
    return found and found.median


@st.cache_data(show_spinner=False, max_entries=200)
def reranker_baseline(model_id: str, query: str, language: str) -> unrelated.Baseline:
    return unrelated.measure(language, probe.of_texts(reranker(model_id), query))


@st.cache_data(show_spinner=False, max_entries=200)
def embedder_baseline(model_id: str, query: str, language: str) -> unrelated.Baseline:
    return unrelated.measure(language, probe.cosine_of_texts(shared_embedder(model_id), query))


@st.cache_resource(show_spinner=False)
def shelf() -> dict[tuple, object]:
    """Return the place of what counts while it is made: Streamlit's own caches would play the bar again."""
    return {}


def kept(key: tuple) -> object | None:
    return shelf().get(key)


def keep(key: tuple, make: Callable[[], object]) -> object:
    """Return what was made for a key of ids and texts, or make it; the oldest is dropped first."""
    found, place = kept(key), shelf()
    if found is None:
        found = make()
        while len(place) >= MOST_KEPT:
            place.pop(next(iter(place)), None)
        place[key] = found
    return found
