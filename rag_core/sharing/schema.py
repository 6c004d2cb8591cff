"""What stands in a replay file, as ``docs/replay.md`` tells it: every value's name, kind and limits.

Names that are not known are passed over. What the values must have to do with each other stands in ``agreement.py``.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from rag_core.measuring.judge import GRADES
from rag_core.models.selftest import CASES
from rag_core.sharing import kinds
from rag_core.sharing.rows import Row


class Head(Row):
    """What every version of the format has."""

    version: kinds.Count


class Document(Row):
    id: kinds.Id
    title: kinds.Name
    language: kinds.Language
    pages: kinds.Place


class Expansion(Row):
    text: kinds.Query
    origin: kinds.Origin


class Chunks(Row):
    preset: kinds.Preset
    size: kinds.Characters
    overlap: kinds.Characters


class Settings(Row):
    embedder: kinds.Id
    reranker: kinds.Id
    chunks: Chunks
    depth: kinds.Depth
    cutoff: kinds.Cutoff
    adaptive: bool
    first_stage: kinds.FirstStage
    within: kinds.Ids = Field([])


class SelfTestRight(Row):
    zh: Annotated[int, Field(ge=0, le=len(CASES["zh"]))]
    en: Annotated[int, Field(ge=0, le=len(CASES["en"]))]


class SelfTestLong(Row):
    zh: bool
    en: bool


class SelfTest(Row):
    model: kinds.Name
    scale: kinds.Scale
    right: SelfTestRight
    lowest: kinds.Number
    highest: kinds.Number
    milliseconds: kinds.Duration
    long: Annotated[SelfTestLong | None, BeforeValidator(kinds.given)] = None


class Weights(Row):
    embedder: kinds.Name
    reranker: kinds.Name


class Baselines(Row):
    embedder: kinds.Scores | None
    reranker: kinds.Scores | None


class Answer(Row):
    text: kinds.AnswerText
    source: kinds.Name
    chunks: kinds.Sources
    cited: kinds.Cited


class Judgment(Row):
    document: kinds.Name = ""
    page: kinds.PageNumber
    start: kinds.Place
    quote: kinds.Text
    grade: Annotated[int, Field(ge=GRADES[0], le=GRADES[-1])]
    judge: kinds.Name


class Part(Row):
    start: kinds.Place
    end: kinds.Place
    of: kinds.Count


class Before(Row):
    """Where a candidate stands in the first order."""

    rank: kinds.Rank
    score: kinds.Number


class After(Before):
    """Where it stands in the new one, and by which part of its text."""

    part: Annotated[Part | None, BeforeValidator(kinds.given)] = None


class Found(Row):
    query: Annotated[int, Field(ge=0, le=kinds.MOST_QUERIES)]
    source: kinds.Source
    rank: kinds.Rank
    score: kinds.Number


class Candidate(Row):
    id: kinds.Id
    document: kinds.Id
    title: kinds.Name = ""
    page: kinds.PageNumber
    start: kinds.Place
    end: Annotated[int, Field(ge=1, le=kinds.LONGEST_DOCUMENT + kinds.LONGEST_TEXT)]
    text: kinds.Text
    sha256: kinds.Name
    vector: Before
    reranked: After
    found: Annotated[list[Found], Field(min_length=1, max_length=2 + 2 * kinds.MOST_QUERIES, fail_fast=True)]


class File(Head):
    made: kinds.Time
    versions: kinds.Versions
    weights: Weights
    document: Document
    question: kinds.Question
    expansions: Annotated[list[Expansion], Field(max_length=kinds.MOST_QUERIES, fail_fast=True)]
    settings: Settings
    scale: kinds.Scale
    available: kinds.Count
    found: kinds.Count
    timings: kinds.Timings
    self_test: SelfTest
    baselines: Baselines
    answers: Annotated[dict[str, Answer], BeforeValidator(kinds.for_both)]
    judgments: Annotated[list[Judgment], Field(max_length=kinds.MOST_JUDGMENTS, fail_fast=True)]
    candidates: Annotated[list[Candidate], Field(min_length=1, max_length=kinds.MOST_CANDIDATES, fail_fast=True)]
