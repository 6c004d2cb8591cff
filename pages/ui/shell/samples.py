"""The bundled samples: their files, their questions with what each teaches, and what we judged ourselves."""

from itertools import chain, zip_longest
from pathlib import Path
from typing import Literal, get_args

import streamlit as st
from pydantic import BaseModel, ConfigDict, TypeAdapter, field_validator

from pages.ui.shell.cached import document, of_document
from rag_core.datatypes import Judgment, Span
from rag_core.explaining import lessons
from rag_core.reading import pdf

FOLDER = Path(__file__).parents[3] / "data" / "samples"
JUDGE = "Rerank Lab"
FILES = {"zh": "city-report-zh", "en": "annual-report-en"}

Effect = Literal["helps", "none", "harms"]
"""What reranking does to the best answer: it comes within the cutoff, stays on its side of it, or falls out of it."""

Kind = Literal["number", "cause", "negation", "paraphrase", "nearby", "table", "tail"]
"""What makes a question hard: a figure or a reason is asked for, or what did not happen; other words than the text's;
chunks near the answer in subject; a row of a table; an answer deep in the vector ranking."""

EFFECTS, KINDS = get_args(Effect), get_args(Kind)


class Answer(BaseModel):
    """Words of a sample that answer a question, and their page."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    page: int
    quote: str


class Question(BaseModel):
    """A question of a sample; ``effect`` is what `data/samples/make_results.py` found, the rest was written by hand.

    ``lesson`` is the one that is shown with it, ``wording`` another wording that is searched with it there.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    question: str
    translation: str
    answers: tuple[Answer, ...]
    note: str
    effect: Effect
    kind: Kind
    lesson: str = ""
    wording: str = ""
    chosen: bool = False

    @field_validator("lesson")
    @classmethod
    def known(cls, lesson: str) -> str:
        """Refuse what is no lesson."""
        if lesson and lesson not in lessons.NAMES:
            raise ValueError(f"{lesson!r} is no lesson: take one of {', '.join(lessons.NAMES)}")
        return lesson


@st.cache_data(show_spinner=False)
def load(language: str) -> tuple[str, bytes, list[str]]:
    """Return a bundled sample: its title, its bytes, and its questions in the order in which they are told."""
    name = FILES[language]
    asked = [row.question for row in story(rows(language))]
    return f"{name}.pdf", (FOLDER / f"{name}.pdf").read_bytes(), asked


@st.cache_resource(show_spinner=False)
def rows(language: str) -> tuple[Question, ...]:
    """Return a sample's questions as they stand in its file; nobody may change them."""
    data = (FOLDER / f"{FILES[language]}.questions.json").read_bytes()
    return TypeAdapter(tuple[Question, ...]).validate_json(data)


def story(asked: tuple[Question, ...]) -> list[Question]:
    """Return questions in the order that tells what reranking does: it helps, does nothing, harms, and so on again."""
    by_effect = [[row for row in asked if row.effect == effect] for effect in EFFECTS]
    return [row for row in chain(*zip_longest(*by_effect)) if row]


@st.cache_data(show_spinner=False)
def judgments(language: str) -> list[Judgment]:
    """Return what we judged ourselves: the words of a bundled sample that answer its questions."""
    return [
        Judgment(row.question, Span(answer.page, 0, answer.quote), 2, JUDGE)
        for row in rows(language)
        for answer in row.answers
    ]


@of_document
def questions(doc_id: str, owner: str) -> list[str]:
    """Return the questions of a bundled sample, or of those in a collection; none for any other document."""
    asked = {pdf.document_id(data, owner): questions for _, data, questions in map(load, FILES)}
    return [question for part in document(doc_id).parts for question in asked.get(part, [])]


def known(question: str) -> Question | None:
    """Return a sample's question with what it teaches; None for any other question."""
    return next((row for language in FILES for row in rows(language) if row.question == question), None)


def of_lesson(language: str, lesson: str) -> Question:
    """Return the question of a sample that a lesson is shown with."""
    return next(row for row in rows(language) if row.lesson == lesson)


def translation(question: str) -> str:
    """Return a sample's question in the other language, or nothing for any other question."""
    row = known(question)
    return row.translation if row else ""
