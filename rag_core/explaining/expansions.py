"""What each expansion brought: the comparison as it had been without some of them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from rag_core.comparing import orders
from rag_core.datatypes import Comparison
from rag_core.search import fuse


def with_queries(comparison: Comparison, kept: Collection[str]) -> Comparison:
    """Return the comparison as it had been with these expansions alone; nothing is searched or scored again.

    The ledger has every query's ranking, and the cross-encoder scored against the question, which stays. The
    comparison must have all its candidates scored.
    """
    expansions = [expansion for expansion in comparison.expansions if expansion.text in kept]
    queries = [comparison.query, *(expansion.text for expansion in expansions)]
    chunks = {hit.chunk.id: hit.chunk for hit in comparison.before.hits}
    searches = fuse.rankings(comparison.ledger, chunks, queries)
    before = fuse.fuse(searches)
    candidates = set(before.ids)
    hits = tuple(hit for hit in comparison.reranked.hits if hit.chunk.id in candidates)
    reranked = replace(comparison.reranked, hits=hits)
    return replace(
        comparison,
        expansions=tuple(expansions),
        before=before,
        reranked=reranked,
        moves=orders.moves(before, reranked),
        ledger=fuse.record(searches, expansions),
        found=len(before),
    )
