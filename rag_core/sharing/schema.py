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
    """The document or collection that was asked, without its pages."""

    id: kinds.Id
    title: kinds.Name
    language: kinds.Language
    pages: kinds.Place


class Expansion(Row):
    """Another wording of the question, and who found it."""

    text: kinds.Query
    origin: kinds.Origin


class Chunks(Row):
    """How the document was cut."""

    preset: kinds.Preset
    size: kinds.Characters
    overlap: kinds.Characters


class Settings(Row):
    """What decided the comparison besides document and question."""

    embedder: kinds.Id
    reranker: kinds.Id
    chunks: Chunks
    depth: kinds.Depth
    cutoff: kinds.Cutoff
    adaptive: bool
    first_stage: kinds.FirstStage
    within: kinds.Ids = Field([])


class Kept(Row):
    """How many pairs had been scored before, and the seconds that took."""

    pairs: kinds.Count
    seconds: kinds.Duration


class SelfTestRight(Row):
    """How many of a language's fixed questions the reranker got right."""

    zh: Annotated[int, Field(ge=0, le=len(CASES["zh"]))]
    en: Annotated[int, Field(ge=0, le=len(CASES["en"]))]


class SelfTestLong(Row):
    """Whether a language's short answer scored above its long text that is none."""

    zh: bool
    en: bool


class SelfTest(Row):
    """What the reranker did with the fixed pairs, before it was believed."""

    model: kinds.Name
    scale: kinds.Scale
    right: SelfTestRight
    lowest: kinds.Number
    highest: kinds.Number
    milliseconds: kinds.Duration
    long: Annotated[SelfTestLong | None, BeforeValidator(kinds.given)] = None


class Weights(Row):
    """The names of both models' weights."""

    embedder: kinds.Name
    reranker: kinds.Name


class Baselines(Row):
    """What both models gave unrelated texts, null where that was not measured."""

    embedder: kinds.Scores | None
    reranker: kinds.Scores | None


class Answer(Row):
    """An answer from one of the orders, with the chunks that it was written from."""

    text: kinds.AnswerText
    source: kinds.Name
    chunks: kinds.Sources
    cited: kinds.Cited


class Judgment(Row):
    """A grade of the words at one place; the question is the file's."""

    document: kinds.Name = ""
    page: kinds.PageNumber
    start: kinds.Place
    quote: kinds.Text
    grade: Annotated[int, Field(ge=GRADES[0], le=GRADES[-1])]
    judge: kinds.Name


class Part(Row):
    """The part of a candidate's text that scored best, out of how many."""

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
    """A search that found the candidate: by which query, at which rank."""

    query: Annotated[int, Field(ge=0, le=kinds.MOST_QUERIES)]
    source: kinds.Source
    rank: kinds.Rank
    score: kinds.Number


class Twin(Row):
    """Another place in the document where a candidate's words stand."""

    page: kinds.PageNumber
    start: kinds.Place
    end: kinds.End


class Candidate(Row):
    """A chunk with its place in both orders and all that found it."""

    id: kinds.Id
    document: kinds.Id
    title: kinds.Name = ""
    page: kinds.PageNumber
    start: kinds.Place
    end: kinds.End
    twins: Annotated[list[Twin], Field(max_length=kinds.MOST_TWINS, fail_fast=True)] = Field([])
    head: kinds.Name = ""
    text: kinds.Text
    sha256: kinds.Name
    vector: Before
    reranked: After
    found: Annotated[list[Found], Field(min_length=1, max_length=2 + 2 * kinds.MOST_QUERIES, fail_fast=True)]


class File(Head):
    """Everything that a file of this version holds."""

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
    kept: Annotated[Kept | None, BeforeValidator(kinds.given)] = None
    self_test: SelfTest
    baselines: Baselines
    answers: Annotated[dict[str, Answer], BeforeValidator(kinds.for_both)]
    judgments: Annotated[list[Judgment], Field(max_length=kinds.MOST_JUDGMENTS, fail_fast=True)]
    candidates: Annotated[list[Candidate], Field(min_length=1, max_length=kinds.MOST_CANDIDATES, fail_fast=True)]
