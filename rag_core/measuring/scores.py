"""A reranker's scores of an opened document's chunks, kept with the document so that none is computed twice."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter

from rag_core.datatypes import Chunk, Progress
from rag_core.keeping.embeddings import Scores
from rag_core.models.rerank import Reranker, finite
from rag_core.search.opened import Opened

KEPT_AT_ONCE = 100


def score(
    opened: Opened, question: str, chunks: Sequence[Chunk], reranker: Reranker, progress: Progress | None = None
) -> Scores:
    """Return the reranker's scores of these chunks; only those not yet in the library are computed.

    They are kept ``KEPT_AT_ONCE`` at a time, so that little is lost when the work is stopped.
    """
    known = kept_scores(opened, reranker, question)
    missing = [chunk for chunk in chunks if chunk.id not in known.by_chunk]
    for first in range(0, len(missing), KEPT_AT_ONCE):
        part, start = missing[first : first + KEPT_AT_ONCE], perf_counter()
        scores = finite(reranker, reranker.score(question, [chunk.text for chunk in part]))
        by_chunk = {chunk.id: float(value) for chunk, value in zip(part, scores, strict=True)}
        known = Scores({**known.by_chunk, **by_chunk}, known.seconds + perf_counter() - start)
        keep_scores(opened, reranker, question, known)
        if progress:
            progress(first + len(part), len(missing))
    return known


def kept_scores(opened: Opened, reranker: Reranker, question: str) -> Scores:
    """Return the scores that are kept with each searched document."""
    index = opened.index
    parts = [opened.kept.scores(part, index.address.chunks, reranker.weights, question) for part in index.doc_ids]
    by_chunk = {chunk_id: score for part in parts for chunk_id, score in part.by_chunk.items()}
    return Scores(by_chunk, sum(part.seconds for part in parts))


def keep_scores(opened: Opened, reranker: Reranker, question: str, scores: Scores) -> None:
    """Keep scores with the document of each chunk; every pair takes its share of the seconds along."""
    by_part: dict[str, dict[str, float]] = {}
    for chunk_id, value in scores.by_chunk.items():
        by_part.setdefault(opened.index.by_id[chunk_id].doc_id, {})[chunk_id] = value
    for part, mine in by_part.items():
        kept = Scores(mine, scores.per_pair * len(mine))
        opened.kept.save_scores(part, opened.index.address.chunks, reranker.weights, question, kept)
