"""Chunks of one document with the same words are one candidate: the first, which knows where the others stand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from rag_core.datatypes import Chunk, Hit, Ranking

Firsts = Mapping[str, Chunk]
"""Chunk id to the candidate that stands for the chunk."""


def firsts(chunks: Sequence[Chunk]) -> Firsts:
    """Return, for each chunk, the first of its document with the same words, white space aside, with its twins.

    Rows with the same words below different heads say different things.
    """
    same: dict[tuple[str, str, str], list[Chunk]] = {}
    for chunk in chunks:
        same.setdefault((chunk.doc_id, chunk.head, "".join(chunk.text.split())), []).append(chunk)
    together = [(_first(group), group) for group in same.values()]
    return {chunk.id: first for first, group in together for chunk in group}


def _first(group: Sequence[Chunk]) -> Chunk:
    first, *others = group
    return replace(first, twins=tuple((twin.page, twin.start, twin.end) for twin in others)) if others else first


def candidates(known: Firsts) -> list[Chunk]:
    """Return the chunks that can be candidates, in reading order: those whose words did not stand before."""
    return list({first.id: first for first in known.values()}.values())


def distinct(ranking: Ranking, known: Firsts) -> Ranking:
    """Return a ranking with each candidate once: where the best of its chunks stood, with that one's score."""
    best: dict[str, Hit] = {}
    for hit in ranking.hits:
        first = known[hit.chunk.id]
        best.setdefault(first.id, hit if first is hit.chunk else replace(hit, chunk=first))
    return replace(ranking, hits=tuple(best.values()))


def search(find: Callable[[int], Sequence[Ranking]], depth: int, known: Firsts) -> list[Ranking]:
    """Return rankings of ``depth`` candidates each, or of all that there are to find; ``find`` searches so deep."""
    reach, found = depth, find(depth)
    once = [distinct(ranking, known) for ranking in found]
    while any(len(ranking) == reach and len(some) < depth for ranking, some in zip(found, once, strict=True)):
        reach, found = 2 * reach, find(2 * reach)
        once = [distinct(ranking, known) for ranking in found]
    return [replace(ranking, hits=ranking.top(depth)) for ranking in once]
