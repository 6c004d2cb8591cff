"""Merge the rankings of several queries into one, and keep the ledger: which query found what, at which rank."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from rag_core.datatypes import Chunk, Expansion, FirstStage, Found, Hit, Ledger, Ranking

RRF_K = 60
SOURCES = FirstStage.BOTH.searches


def fuse(rankings: Sequence[Ranking], k: int = RRF_K) -> Ranking:
    """Return the union of the rankings without duplicates, by reciprocal rank fusion.

    A chunk's score is the sum of 1 / (k + rank) over the rankings that hold it (Cormack, Clarke and Büttcher,
    SIGIR 2009). A single ranking is returned as it is: its order is the plain cosine order.
    """
    if len(rankings) == 1:
        return rankings[0]
    chunks: dict[str, Chunk] = {}
    shares: dict[str, list[float]] = {}
    for ranking in rankings:
        for rank, hit in enumerate(ranking.hits, start=1):
            chunks[hit.chunk.id] = hit.chunk
            shares.setdefault(hit.chunk.id, []).append(1 / (k + rank))
    # A plain sum depends on the order of its terms in the last digit, which would decide between equals.
    return Ranking.from_scores("fused", rankings[0].query, chunks.values(), map(math.fsum, shares.values()))


def record(rankings: Sequence[Ranking], expansions: Sequence[Expansion]) -> Ledger:
    """Return, for each chunk id, every query that found it, and in which first stage."""
    origins = {expansion.text: expansion.origin for expansion in expansions} | {rankings[0].query: "question"}
    ledger: dict[str, tuple[Found, ...]] = {}
    for ranking in rankings:
        for rank, hit in enumerate(ranking.hits, start=1):
            entry = Found(ranking.query, origins[ranking.query], rank, hit.score, ranking.name)
            ledger[hit.chunk.id] = (*ledger.get(hit.chunk.id, ()), entry)
    return ledger


def rankings(ledger: Ledger, chunks: Mapping[str, Chunk], queries: Sequence[str]) -> list[Ranking]:
    """Return these queries' rankings as the ledger recorded them, without searching again: vectors first, then BM25."""
    hits: dict[tuple[str, str], dict[int, Hit]] = {}
    for chunk_id, entries in ledger.items():
        for entry in entries:
            hits.setdefault((entry.source, entry.query), {})[entry.rank] = Hit(chunks[chunk_id], entry.score)
    searches = [(source, query) for source in SOURCES for query in queries if (source, query) in hits]
    return [
        Ranking(source, query, tuple(hits[source, query][rank] for rank in sorted(hits[source, query])))
        for source, query in searches
    ]
