"""Everything that is kept between reruns. Failures are never kept."""

import json
from pathlib import Path

import streamlit as st

from rag_core import catalog, chunk, llm, pdf, selftest, settings
from rag_core.datatypes import Chunk, ChunkSettings, Document
from rag_core.embed import Embedder, load_embedder
from rag_core.pipeline import Lab
from rag_core.rerank import Reranker, load_reranker
from rag_core.room import Rooms

SAMPLES = Path(__file__).parents[2] / "data" / "samples"
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


@st.cache_data(show_spinner=False, max_entries=50)
def vector_length(model_id: str) -> int:
    """Return the length of a bundled embedder's vectors."""
    return shared_embedder(model_id).embed_queries(["?"]).shape[1]


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
def sample_answers(doc_id: str) -> dict[str, list[tuple[int, str]]]:
    """Return the judged questions of a bundled sample with page and quote of each answer, or none."""
    for language, name in SAMPLE_FILES.items():
        if pdf.document_id(sample(language)[1]) == doc_id:
            rows = json.loads((SAMPLES / f"{name}.questions.json").read_text(encoding="utf-8"))
            quotes = [[(answer["page"], answer["quote"]) for answer in row["answers"]] for row in rows]
            return {
                row[asked]: found
                for asked in ("question", "translation")
                for row, found in zip(rows, quotes, strict=True)
            }
    return {}


@st.cache_resource(show_spinner=False)
def rooms() -> Rooms:
    """Return the rooms of this server: all sessions see the same."""
    return Rooms()
