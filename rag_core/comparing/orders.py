"""Say what lies between two orders of the same candidates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from rag_core.datatypes import Chunk, Move, Ranking

RBO_PERSISTENCE = 0.9


def moves(vector: Ranking, reranked: Ranking) -> tuple[Move, ...]:
    """Return where each chunk stood and stands, in the new order.

    Raises:
        ValueError: the rankings do not hold the same chunks.
    """
    before = {hit.chunk.id: (rank, hit.score) for rank, hit in enumerate(vector.hits, start=1)}
    if before.keys() != set(reranked.ids):
        raise ValueError("both orders must rank the same candidates")
    return tuple(
        Move(hit.chunk, before[hit.chunk.id][0], rank, before[hit.chunk.id][1], hit.score, hit.part)
        for rank, hit in enumerate(reranked.hits, start=1)
    )


def overlap_at(first: Sequence[str], second: Sequence[str], k: int) -> float:
    """Return the share of the first ``k`` that both orders have in common, in [0, 1]; order inside does not count."""
    k = min(k, len(first), len(second))
    return len(set(first[:k]) & set(second[:k])) / k if k else 1.0


def kendall_tau(first: Sequence[str], second: Sequence[str]) -> float | None:
    """Return (concordant − discordant) / all pairs, in [−1, 1]: 1 same order, −1 reversed (Kendall 1938).

    None with fewer than two items, where there is no pair to compare.
    """
    if len(first) < 2:
        return None
    place = {item: rank for rank, item in enumerate(second)}
    ranks = np.array([place[item] for item in first])
    later = np.sign(ranks[None, :] - ranks[:, None])[np.triu_indices(len(ranks), 1)]
    return float(later.mean())


def rank_biased_overlap(first: Sequence[str], second: Sequence[str], p: float = RBO_PERSISTENCE) -> float:
    """Return the extrapolated rank-biased overlap, in [0, 1], of two orders of equal length.

    The agreement at each depth d weighs p^d, so the top counts most (Webber, Moffat and Zobel 2010, eq. 23):
    RBO = A_n · p^n + (1 − p)/p · Σ A_d · p^d, where A_d is the overlap of the first d.
    """
    if not first:
        return 1.0
    seen_first, seen_second, common, total = set(), set(), 0, 0.0
    for depth, (left, right) in enumerate(zip(first, second, strict=True), start=1):
        common += (left == right) + (left in seen_second) + (right in seen_first)
        seen_first.add(left)
        seen_second.add(right)
        total += common / depth * p**depth
    return common / depth * p**depth + (1 - p) / p * total


def agreement(rankings: Mapping[str, Ranking], k: int) -> dict[tuple[str, str], tuple[float | None, float]]:
    """Return, for each pair of names, Kendall's tau and the overlap of the first ``k``.

    Raises:
        ValueError: the rankings do not hold the same chunks.
    """
    if len({frozenset(ranking.ids) for ranking in rankings.values()}) > 1:
        raise ValueError("all orders must rank the same candidates")
    return {
        (name, other): (kendall_tau(first.ids, second.ids), overlap_at(first.ids, second.ids, k))
        for name, first in rankings.items()
        for other, second in rankings.items()
    }


def most_disputed(rankings: Mapping[str, Ranking]) -> tuple[Chunk, dict[str, int]]:
    """Return the chunk whose best and worst rank lie furthest apart, and its rank in each order.

    Among equals it is the one with the better best rank: a quarrel at the top matters more.
    """
    ranks: dict[str, dict[str, int]] = {}
    for name, ranking in rankings.items():
        for rank, chunk_id in enumerate(ranking.ids, start=1):
            ranks.setdefault(chunk_id, {})[name] = rank
    chosen = max(ranks, key=lambda i: (max(ranks[i].values()) - min(ranks[i].values()), -min(ranks[i].values())))
    chunks = {chunk.id: chunk for chunk in next(iter(rankings.values())).chunks}
    return chunks[chosen], ranks[chosen]
