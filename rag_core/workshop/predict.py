"""Predict, then reveal: guess which of the vector search's first ten chunks the cross-encoder puts first."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from rag_core.datatypes import Chunk, Comparison
from rag_core.errors import PickCount, PickMissing, TooFewCandidates

SHOWN = 10
PICKS = 5


@dataclass(frozen=True, slots=True)
class Round:
    """One question and the chunks to choose from, in the vector order: a snapshot that needs no document.

    ``reranked`` holds the ids of the same chunks in the cross-encoder's order. ``relevant`` are the ids of those that
    answer, or None where nobody has judged. ``below`` counts the cross-encoder's first five that stood after the
    chunks shown, where nobody can pick them.
    """

    query: str
    chunks: tuple[Chunk, ...]
    reranked: tuple[str, ...]
    relevant: frozenset[str] | None = None
    below: int = 0

    @property
    def ids(self) -> list[str]:
        """The ids of the chunks shown, in the vector order."""
        return [chunk.id for chunk in self.chunks]

    @property
    def target(self) -> frozenset[str]:
        """The chunks to hit: the cross-encoder's first five of those shown."""
        return frozenset(self.reranked[:PICKS])

    @property
    def answer_rank(self) -> int | None:
        """The cross-encoder's rank, among those shown, of the first chunk that answers; None where none is known."""
        ranks = (rank for rank, chunk_id in enumerate(self.reranked, start=1) if chunk_id in (self.relevant or ()))
        return next(ranks, None)

    @property
    def first(self) -> frozenset[str]:
        """The pick of somebody who trusts the vector search."""
        return frozenset(self.ids[:PICKS])

    def check(self, picked: Collection[str]) -> frozenset[str]:
        """Return a pick.

        Raises:
            PickMissing: a chunk is not among those shown.
            PickCount: there are not five of them.
        """
        chosen = frozenset(picked)
        if not chosen <= set(self.ids):
            raise PickMissing("a chunk that was picked is not in this round: reload the page and pick again")
        if len(chosen) != PICKS:
            raise PickCount(f"{len(chosen)} chunks are picked: pick {PICKS}", picked=len(chosen), wanted=PICKS)
        return chosen


@dataclass(frozen=True, slots=True)
class Score:
    """Hits of some picks, beside those of the vector search's own first five.

    The three ``judged`` counts are chunks that answer; they and ``relevant`` are 0 where nobody has judged.
    """

    hits: int = 0
    vector: int = 0
    wanted: int = 0
    judged: int = 0
    judged_vector: int = 0
    judged_reranked: int = 0
    relevant: int = 0
    rounds: int = 0


def deal(comparison: Comparison, relevant: Collection[str] | None = None) -> Round:
    """Make a round of a comparison's first ten.

    Raises:
        TooFewCandidates: with five of them or fewer there is nothing to choose.
    """
    chunks = tuple(hit.chunk for hit in comparison.before.top(SHOWN))
    if len(chunks) <= PICKS:
        raise TooFewCandidates(
            f"there are {len(chunks)} candidates; {PICKS + 1} are needed: take a longer document, or a greater depth",
            candidates=len(chunks),
            wanted=PICKS + 1,
        )
    ids = {chunk.id for chunk in chunks}
    reranked = tuple(chunk_id for chunk_id in comparison.reranked.ids if chunk_id in ids)
    below = sum(hit.chunk.id not in ids for hit in comparison.reranked.top(PICKS))
    judged = None if relevant is None else frozenset(relevant) & ids
    return Round(comparison.query, chunks, reranked, judged, below)


def score(dealt: Round, picked: Collection[str]) -> Score:
    """Count what a pick hit, beside what the vector search's own first five did."""
    relevant = dealt.relevant or frozenset()
    return Score(
        hits=len(dealt.target & set(picked)),
        vector=len(dealt.target & dealt.first),
        wanted=PICKS,
        judged=len(relevant & set(picked)),
        judged_vector=len(relevant & dealt.first),
        judged_reranked=len(relevant & dealt.target),
        relevant=len(relevant),
        rounds=1,
    )


def total(scores: Iterable[Score]) -> Score:
    """Add scores up, field by field."""
    scores = list(scores)
    return Score(**{name: sum(getattr(scored, name) for scored in scores) for name in Score.__slots__})
