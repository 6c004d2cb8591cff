"""Ask a model what it leaned on: leave one unit of a text out at a time and score again.

The drop is the whole text's score less the score without the unit. It is a probe and not a proof: a unit that another
one repeats drops little, two that need each other drop twice, and the drops need not add up to anything.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from rag_core.datatypes import Chunk, Progress
from rag_core.errors import OneUnit
from rag_core.explaining.units import Span

Score = Callable[[Sequence[str]], np.ndarray]
"""Texts to scores, float of shape (texts,)."""

TEXTS_PER_PASS = 8
"""Small enough that a reader who stops the work waits for little of it."""


class Scorer(Protocol):
    """The part of a cross-encoder that is asked."""

    id: str

    def score(self, query: str, texts: Sequence[str], progress: Progress | None = None) -> np.ndarray:
        """Return float of shape (texts,): higher answers the question better."""
        ...


class Embedder(Protocol):
    """The part of an embedder that is asked."""

    id: str

    def embed_queries(self, queries: Sequence[str]) -> np.ndarray:
        """Return rows of length 1, float32 of shape (queries, dimension)."""
        ...

    def embed_texts(self, texts: Sequence[str], progress: Progress | None = None) -> np.ndarray:
        """Return rows of length 1, float32 of shape (texts, dimension)."""
        ...


@dataclass(frozen=True, slots=True)
class Unit:
    """A piece of the text, and by how much the score falls without it; negative: without it the score is higher."""

    start: int
    end: int
    drop: float


@dataclass(frozen=True, slots=True)
class Probe:
    """What one model made of a text. ``without_two`` is the score without the two strongest units together."""

    text: str
    score: float
    units: tuple[Unit, ...]
    without_two: float | None = None

    @property
    def total(self) -> float:
        """The sum of all drops; only if effects were additive would it mean anything more."""
        return sum(unit.drop for unit in self.units)

    @property
    def ordered(self) -> tuple[Unit, ...]:
        """The units by drop, the strongest first; equal drops keep the order of the text."""
        return tuple(sorted(self.units, key=lambda unit: -unit.drop))

    @property
    def ranks(self) -> tuple[int, ...]:
        """The place of each unit, in the order of the text, among the drops: 1 is the strongest."""
        place = {(unit.start, unit.end): rank for rank, unit in enumerate(self.ordered, start=1)}
        return tuple(place[unit.start, unit.end] for unit in self.units)


def leave_one_out(text: str, spans: Sequence[Span], score: Score, progress: Progress | None = None) -> Probe:
    """Score the text without each span in turn, and without the two strongest together.

    ``progress`` is called between passes, with passes done and in all.

    Raises:
        OneUnit: there are not two spans, so that leaving one out leaves nothing.
    """
    if len(spans) < 2:
        raise OneUnit(
            "the text is a single unit, and leaving it out leaves nothing: choose smaller units or another text"
        )
    variants = [text, *(without(text, [span]) for span in spans)]
    whole, *rest = _scored(variants, score, progress)
    units = tuple(Unit(*span, whole - less) for span, less in zip(spans, rest, strict=True))
    probe = Probe(text, whole, units)
    if len(spans) == 2:
        return probe
    two = [(unit.start, unit.end) for unit in probe.ordered[:2]]
    [without_two] = _scored([without(text, two)], score, None)
    return Probe(text, whole, units, without_two)


def without(text: str, spans: Sequence[Span]) -> str:
    """Return the text less these spans."""
    for start, end in sorted(spans, reverse=True):
        text = text[:start].rstrip(" ") + (" " if text[:start].endswith(" ") else "") + text[end:].lstrip(" ")
    return text.strip()


def _scored(texts: Sequence[str], score: Score, progress: Progress | None) -> list[float]:
    scores: list[float] = []
    for start in range(0, len(texts), TEXTS_PER_PASS):
        scores.extend(map(float, score(texts[start : start + TEXTS_PER_PASS])))
        if progress:
            progress(len(scores), len(texts))
    return scores


def of_texts(reranker: Scorer, query: str) -> Score:
    """Score changing texts against one question."""
    return lambda texts: reranker.score(query, texts)


def in_place_of(chunk: Chunk, score: Score) -> Score:
    """Score changing texts in the place of a chunk's, each below the head of its table as the chunk's own was."""
    return lambda texts: score([chunk.under_head(text) for text in texts])


def of_questions(reranker: Scorer, text: str) -> Score:
    """Score one text against changing questions."""
    return lambda queries: np.concatenate([reranker.score(query, [text]) for query in queries])


def cosine_of_texts(embedder: Embedder, query: str) -> Score:
    """Return the cosine of changing texts with one question; embeddings have length 1."""
    [question] = embedder.embed_queries([query])
    return lambda texts: embedder.embed_texts(texts) @ question


def cosine_of_questions(embedder: Embedder, text: str) -> Score:
    """Return the cosine of one text with changing questions."""
    [embedding] = embedder.embed_texts([text])
    return lambda queries: embedder.embed_queries(queries) @ embedding


def rank_among(score: float, others: Sequence[float] | np.ndarray) -> int:
    """Return the rank that a score has among others, from 1; an equal one goes before."""
    return 1 + int((np.asarray(others) > score).sum())
