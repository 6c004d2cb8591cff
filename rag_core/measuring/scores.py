"""Have a reranker score an opened document's chunks, as many as it takes, and keep what is there when it is stopped."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter

from rag_core.datatypes import Chunk, Progress
from rag_core.keeping.embeddings import Scores
from rag_core.models.rerank import Reranker, finite
from rag_core.search.once import keep_scores, kept_scores
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
        scored = reranker.score_parts(question, [chunk.passage for chunk in part])
        finite(reranker, scored.scores)
        fresh = Scores.made([chunk.id for chunk in part], scored, perf_counter() - start)
        known = keep_scores(opened, reranker, question, known, fresh)
        if progress:
            progress(first + len(part), len(missing))
    return known
