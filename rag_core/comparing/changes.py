"""Set two comparisons of one document beside each other: by where their chunks stand in the text, and by rank.

The document may have been cut in another way, so chunks are not the same ones; two models' scores say nothing about
each other, so they stay out of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rag_core.comparing.orders import kendall_tau
from rag_core.datatypes import Chunk, Comparison, Move, Place, Ranking

ENOUGH = 0.5
"""Chunks hold the same text where they share so much of the shorter one."""


@dataclass(frozen=True, slots=True)
class Change:
    """What became of the first places of one comparison in another, both in the cross-encoder's order.

    ``left`` are moves of the first comparison within its cutoff whose text is not within the other's; ``entered`` are
    those of the other. ``pairs`` are chunk ids of either that hold the same text, each once; ``tau`` is over them
    alone. ``alone`` counts the chunks of either that have no partner.
    """

    left: tuple[Move, ...]
    entered: tuple[Move, ...]
    pairs: tuple[tuple[str, str], ...]
    tau: float | None
    alone: tuple[int, int]


def change(comparison: Comparison, other: Comparison) -> Change:
    """Compare two comparisons of the same document."""
    first, second = top(comparison), top(other)
    pairs = partners(comparison.reranked, other.reranked)
    return Change(
        left=tuple(absent(first, second)),
        entered=tuple(absent(second, first)),
        pairs=pairs,
        tau=kendall_tau(*in_both(comparison.reranked, other.reranked, pairs)),
        alone=(len(comparison.reranked) - len(pairs), len(other.reranked) - len(pairs)),
    )


def top(comparison: Comparison) -> tuple[Move, ...]:
    """Return the moves within the cutoff, in the cross-encoder's order."""
    return comparison.moves[: comparison.cutoff]


def absent(moves: Iterable[Move], others: Sequence[Move]) -> Iterator[Move]:
    """Yield the moves whose text none of the others holds."""
    for move in moves:
        if not any(common(move.chunk, other.chunk) >= ENOUGH for other in others):
            yield move


def common(chunk: Chunk, other: Chunk) -> float:
    """Return how much of the shorter text both chunks have in common, in [0, 1]."""
    return max(chunk.shares(*place) for place in other.places) if chunk.doc_id == other.doc_id else 0.0


def partners(ranking: Ranking, other: Ranking) -> tuple[tuple[str, str], ...]:
    """Give each chunk at most one partner that shares half of the shorter text: first those that are most alike.

    Among equals the better ranks meet. The pairs follow the first ranking.
    """
    by_page: dict[tuple[str, int], list[tuple[int, Chunk]]] = {}
    for rank, chunk in enumerate(other.chunks):
        for page in chunk.pages:
            by_page.setdefault((chunk.doc_id, page), []).append((rank, chunk))
    near = sorted(
        (-likeness(chunk, candidate), rank, their_rank, chunk.id, candidate.id)
        for rank, chunk in enumerate(ranking.chunks)
        for page in chunk.pages
        for their_rank, candidate in by_page.get((chunk.doc_id, page), ())
        if common(chunk, candidate) >= ENOUGH
    )
    taken: dict[str, str] = {}
    theirs: set[str] = set()
    for *_, chunk_id, candidate_id in near:
        if chunk_id not in taken and candidate_id not in theirs:
            taken[chunk_id] = candidate_id
            theirs.add(candidate_id)
    return tuple((chunk_id, taken[chunk_id]) for chunk_id in ranking.ids if chunk_id in taken)


def likeness(chunk: Chunk, other: Chunk) -> float:
    """Return the common part of two chunks over all that either covers, in [0, 1] (Jaccard), where it is largest."""
    pairs = ((mine, theirs) for mine in chunk.places for theirs in other.places if mine[0] == theirs[0])
    return max(_jaccard(mine, theirs) for mine, theirs in pairs)


def _jaccard(place: Place, other: Place) -> float:
    (_, start, end), (_, other_start, other_end) = place, other
    both = max(min(end, other_end) - max(start, other_start), 0)
    return both / ((end - start) + (other_end - other_start) - both)


def in_both(ranking: Ranking, other: Ranking, pairs: Sequence[tuple[str, str]]) -> tuple[list[str], list[str]]:
    """Return both orders of the paired chunks, under the first one's ids."""
    names = {second: first for first, second in pairs}
    return [first for first, _ in pairs], [names[chunk_id] for chunk_id in other.ids if chunk_id in names]
