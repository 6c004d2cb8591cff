"""The bundled samples: their files, their questions, and what we judged ourselves."""

import json
from pathlib import Path

import streamlit as st

from pages.ui.shell.cached import document, of_document
from rag_core.datatypes import Judgment, Span
from rag_core.reading import pdf

FOLDER = Path(__file__).parents[3] / "data" / "samples"
JUDGE = "Rerank Lab"
FILES = {"zh": "city-report-zh", "en": "annual-report-en"}


@st.cache_data(show_spinner=False)
def load(language: str) -> tuple[str, bytes, list[str]]:
    """Return a bundled sample: its title, its bytes, and its questions."""
    name = FILES[language]
    asked = [row["question"] for row in rows(language)]
    return f"{name}.pdf", (FOLDER / f"{name}.pdf").read_bytes(), asked


@st.cache_data(show_spinner=False)
def rows(language: str) -> list[dict]:
    return json.loads((FOLDER / f"{FILES[language]}.questions.json").read_text(encoding="utf-8"))


@st.cache_data(show_spinner=False)
def judgments(language: str) -> list[Judgment]:
    """Return what we judged ourselves: the words of a bundled sample that answer its questions."""
    return [
        Judgment(row["question"], Span(answer["page"], 0, answer["quote"]), 2, JUDGE)
        for row in rows(language)
        for answer in row["answers"]
    ]


@of_document
def questions(doc_id: str, owner: str) -> list[str]:
    """Return the questions of a bundled sample, or of those in a collection; none for any other document."""
    asked = {pdf.document_id(data, owner): questions for _, data, questions in map(load, FILES)}
    return [question for part in document(doc_id).parts for question in asked.get(part, [])]


@st.cache_data(show_spinner=False)
def translation(question: str) -> str:
    """Return a sample's question in the other language, or nothing for any other question."""
    asked = (row for language in FILES for row in rows(language))
    return next((row["translation"] for row in asked if row["question"] == question), "")
