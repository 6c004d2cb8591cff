"""Kinds of values in a replay file, and their limits."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from rag_core.models.selftest import CASES
from rag_core.reading.chunk import PRESETS
from rag_core.reading.pdf import MAX_PAGES
from rag_core.search.expand import LONGEST_EXPANSION, MOST_EXPANSIONS
from rag_core.search.fuse import SOURCES
from rag_core.settings import CUTOFFS, DEPTHS, FIRST_STAGES, MAX_QUERY
from rag_core.sharing.replay import SIDES
from rag_core.sharing.rows import one_of

ORIGINS = ("typed", "llm", "feedback")
STEPS = ("parse", "embed", "question", "search", "bm25", "wait", "rerank")
SCALES = ("logit", "sigmoid", "relevance", "unknown")

MOST_QUERIES = 2 * MOST_EXPANSIONS
MOST_CANDIDATES = 2 * DEPTHS[1] * (1 + MOST_QUERIES)
MOST_JUDGMENTS, MOST_MEMBERS, MOST_TWINS = 10_000, 10_000, 100_000
MOST_CITED, MOST_VERSIONS, MOST_UNRELATED = 1000, 50, 100
LONGEST_NAME, LONGEST_TEXT, LONGEST_TIME = 300, 200_000, 40
LONGEST_DOCUMENT = 10**9
"""In chunks or characters: nothing real comes near it."""
LARGEST = 1e9


def _utc(value: str) -> str:
    try:
        return datetime.fromisoformat(value).astimezone(UTC).isoformat(timespec="seconds")
    except (ValueError, OverflowError) as error:
        raise ValueError("should be a time as ISO 8601 writes it") from error


def given(value: object) -> object:
    """Refuse null where a name may be left out altogether."""
    if value is None:
        raise ValueError("should be an object, or not be named at all")
    return value


def _few(value: object) -> object:
    if isinstance(value, dict) and len(value) > MOST_VERSIONS:
        raise ValueError(f"should have at most {MOST_VERSIONS} names")
    return value


def _steps(value: object) -> object:
    if isinstance(value, dict) and not ("rerank" in value and set(value) <= {*STEPS}):
        raise ValueError(f"should be the seconds of {', '.join(STEPS)}, the last at least")
    return value


def _ran(value: dict[str, float]) -> dict[str, float]:
    if not value["rerank"]:
        raise ValueError("should have taken some time to rerank")
    return value


def for_both(value: object) -> object:
    """Refuse answers from one order without those from the other."""
    if isinstance(value, dict) and value and set(value) != {*SIDES}:
        raise ValueError(f"should be answers for {' and '.join(SIDES)}, or for none")
    return value


Text = Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT)]
AnswerText = Annotated[str, Field(max_length=LONGEST_TEXT)]
Question = Annotated[str, Field(min_length=1, max_length=MAX_QUERY)]
Query = Annotated[str, Field(min_length=1, max_length=MAX_QUERY + LONGEST_EXPANSION)]
Name = Annotated[str, Field(max_length=LONGEST_NAME)]
Id = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]
Time = Annotated[str, Field(max_length=LONGEST_TIME), AfterValidator(_utc)]

Origin = Annotated[str, one_of(ORIGINS)]
Scale = Annotated[str, one_of(SCALES)]
Language = Annotated[str, one_of(CASES)]
Preset = Annotated[str, one_of(PRESETS)]
FirstStage = Annotated[str, one_of(FIRST_STAGES)]
Source = Annotated[str, one_of(SOURCES)]

Place = Annotated[int, Field(ge=0, le=LONGEST_DOCUMENT)]
End = Annotated[int, Field(ge=1, le=LONGEST_DOCUMENT + LONGEST_TEXT)]
Count = Annotated[int, Field(ge=1, le=LONGEST_DOCUMENT)]
PageNumber = Annotated[int, Field(ge=1, le=MAX_PAGES)]
Rank = Annotated[int, Field(ge=1, le=MOST_CANDIDATES)]
Characters = Annotated[int, Field(ge=0, le=10**6)]
Depth = Annotated[int, Field(ge=DEPTHS[0], le=DEPTHS[1])]
Cutoff = Annotated[int, Field(ge=CUTOFFS[0], le=CUTOFFS[1])]
Number = Annotated[float, Field(ge=-LARGEST, le=LARGEST)]
Duration = Annotated[float, Field(ge=0, le=LARGEST)]

# A list ends at its first fault: a file of nothing else would fill the memory with them.
Scores = Annotated[list[Number], Field(min_length=1, max_length=MOST_UNRELATED, fail_fast=True)]
Ids = Annotated[list[Id], Field(max_length=MOST_MEMBERS, fail_fast=True)]
Sources = Annotated[list[Id], Field(max_length=CUTOFFS[1], fail_fast=True)]
Cited = Annotated[list[Count], Field(max_length=MOST_CITED, fail_fast=True)]
Versions = Annotated[dict[Name, Name], BeforeValidator(_few)]
Timings = Annotated[dict[str, Duration], BeforeValidator(_steps), AfterValidator(_ran)]
