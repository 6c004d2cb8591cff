"""How deep a reranker must look: what it would choose from the whole document, and what the first stage shows it."""

from __future__ import annotations

from dataclasses import dataclass

from rag_core.datatypes import Chunk, Progress, Ranking
from rag_core.measuring.scores import score
from rag_core.models.rerank import Reranker
from rag_core.search.opened import Opened
from rag_core.settings import check_query

DEPTHS = (5, 10, 20, 50, 100)


@dataclass(frozen=True, slots=True)
class Ceiling:
    """What a reranker would choose from the whole document, and what the first stage lets it see.

    ``first`` is all that the first stage finds, ``whole`` ranks every chunk by the reranker. ``per_pair`` is seconds.
    """

    first: Ranking
    whole: Ranking
    k: int
    per_pair: float

    @property
    def ideal(self) -> list[Chunk]:
        """Return the first ``k`` of the whole document in the reranker's order."""
        return self.whole.chunks[: self.k]

    def reached(self, depth: int) -> int:
        """Return how many of the ideal top k lie within the first stage's first ``depth``."""
        return len({chunk.id for chunk in self.ideal} & set(self.first.ids[:depth]))

    def seconds(self, depth: int) -> float:
        """Return what scoring that many candidates takes on this machine."""
        return min(depth, len(self.first)) * self.per_pair


def ceiling(opened: Opened, query: str, reranker: Reranker, progress: Progress | None = None) -> Ceiling:
    """Score every chunk of the document once, and the same words once; the scores are kept."""
    query, chunks = check_query(query), opened.distinct_chunks
    scores = score(opened, query, chunks, reranker, progress)
    whole = Ranking.from_scores("reranked", query, chunks, [scores.by_chunk[chunk.id] for chunk in chunks])
    return Ceiling(opened.whole(query), whole, opened.settings.cutoff, scores.per_pair)
