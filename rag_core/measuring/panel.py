"""Several orders of the same candidates, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from time import perf_counter

from rag_core.comparing.orders import agreement, most_disputed
from rag_core.datatypes import Chunk, FirstStage, Progress, Ranking
from rag_core.models.rerank import Reranker, finite
from rag_core.search import fuse
from rag_core.search.opened import Opened
from rag_core.settings import check_query


@dataclass(frozen=True, slots=True)
class Panel:
    """Several orders of the same candidates. ``seconds`` is by reranker; first stages take next to none.

    Candidates that share no word with the question have a BM25 score of 0; they keep the candidates' order.
    """

    candidates: Ranking
    rankings: Mapping[str, Ranking]
    seconds: Mapping[str, float]
    k: int

    @property
    def agreement(self) -> dict[tuple[str, str], tuple[float | None, float]]:
        """Return Kendall's tau and the overlap of the first ``k`` for each pair of orders."""
        return agreement(self.rankings, self.k)

    @property
    def consensus(self) -> Ranking:
        """Return the candidates by reciprocal rank fusion of all orders."""
        return fuse.fuse(list(self.rankings.values()))

    @property
    def disputed(self) -> tuple[Chunk, dict[str, int]]:
        """Return the chunk on which the orders differ most, and its rank in each."""
        return most_disputed(self.rankings)


def panel(
    opened: Opened,
    query: str,
    stages: Sequence[FirstStage],
    rerankers: Sequence[Reranker],
    progress: Progress | None = None,
) -> Panel:
    """Rank the first stage's candidates by every first stage and reranker named."""
    query = check_query(query)
    candidates = opened.candidates(query, opened.settings.depth)
    rankings = {stage.order: among(candidates, opened.whole(query, stage)) for stage in stages}
    seconds = {}
    for reranker in rerankers:
        start = perf_counter()
        scores = finite(reranker, reranker.score(query, [chunk.passage for chunk in candidates.chunks], progress))
        seconds[reranker.id] = perf_counter() - start
        rankings[reranker.id] = Ranking.from_scores(reranker.id, query, candidates.chunks, scores)
    return Panel(candidates, rankings, seconds, opened.settings.cutoff)


def beside(panel: Panel, imported: Mapping[str, Sequence[str]]) -> Panel:
    """Return the panel with other systems' orders, by name: best first, chunk ids that may be no candidates.

    Candidates that such an order does not hold follow behind, in the candidates' order.
    """
    rankings = {name: _placed(panel.candidates, name, order) for name, order in imported.items()}
    return replace(panel, rankings={**panel.rankings, **rankings})


def _placed(candidates: Ranking, name: str, order: Sequence[str]) -> Ranking:
    """Return the candidates in an order without scores: each is its place counted from the end, 0 without one."""
    places = {chunk_id: float(len(order) - place) for place, chunk_id in enumerate(order)}
    scores = [places.get(chunk.id, 0.0) for chunk in candidates.chunks]
    return Ranking.from_scores(name, candidates.query, candidates.chunks, scores)


def among(candidates: Ranking, ranking: Ranking) -> Ranking:
    """Return the candidates in a ranking's order; what it does not hold scores 0."""
    by_chunk = {hit.chunk.id: hit.score for hit in ranking.hits}
    scores = [by_chunk.get(chunk.id, 0.0) for chunk in candidates.chunks]
    return Ranking.from_scores(ranking.name, candidates.query, candidates.chunks, scores)
