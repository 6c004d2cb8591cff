"""Compare without scoring a pair twice: what a reranker gave is kept with the document, by weights, question and chunk.

An evaluation keeps its scores in the same place, so each finds what the other had scored.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import replace
from functools import partial
from time import perf_counter

import numpy as np

from rag_core.datatypes import Comparison, Expansion, Kept, Progress, Scored
from rag_core.errors import LibraryError
from rag_core.keeping.embeddings import Scores
from rag_core.models.rerank import Reranker
from rag_core.search.opened import Found, Opened, Retrieved

log = logging.getLogger(__name__)


class Once:
    """An opened document of which a reranker scores no chunk twice for a question."""

    def __init__(self, opened: Opened) -> None:
        self.opened = opened

    def compare(
        self,
        query: str,
        expansions: Sequence[Expansion],
        reranker: Reranker,
        progress: Progress | None = None,
        turn: AbstractContextManager[float] | None = None,
        found: Found | None = None,
    ) -> Comparison:
        """Compare as ``Opened.compare`` does, with the same scores; ``kept`` counts those that were there.

        ``progress`` counts what is scored, and ``turn`` is entered only where something is.
        """
        retrieved = self.opened.retrieve(query, expansions)
        if found:
            found(retrieved.candidates)
        with ExitStack() as entered:
            wait = partial(entered.enter_context, turn or nullcontext(0.0))
            asked = _Asked(self.opened, retrieved, reranker, wait)
            comparison = self.opened.rerank(retrieved, asked, progress)
        asked.keep()
        return asked.noted(comparison)


class _Asked:
    """A reranker within one comparison: it answers with what is ``known``, and has the rest scored."""

    def __init__(self, opened: Opened, retrieved: Retrieved, reranker: Reranker, wait: Callable[[], float]) -> None:
        self.id, self.scale, self.weights = reranker.id, reranker.scale, reranker.weights
        self.opened, self.query, self.reranker, self.wait = opened, retrieved.query, reranker, wait
        chunks = retrieved.candidates.chunks
        # Where documents share words, the first candidate is the same one at any depth.
        self.ids = {chunk.passage: chunk.id for chunk in reversed(chunks)}
        documents = list({chunk.doc_id: None for chunk in chunks})
        self.known, self.fresh = kept_scores(opened, reranker, self.query, documents), Scores({}, 0.0)
        self.waited = 0.0

    def score(self, query: str, texts: Sequence[str], progress: Progress | None = None) -> np.ndarray:
        """Return the scores of ``score_parts`` alone."""
        return self.score_parts(query, texts, progress).scores

    def score_parts(self, query: str, texts: Sequence[str], progress: Progress | None = None) -> Scored:
        """Return what is known of these texts, and have the others scored."""
        missing = [text for text in texts if self.ids[text] not in self.known.parts]
        if missing:
            self._score(query, missing, progress)
        scores, ids = self.known.extended(self.fresh), [self.ids[text] for text in texts]
        values = np.array([scores.by_chunk[chunk_id] for chunk_id in ids])
        return Scored(values, tuple(scores.parts[chunk_id] for chunk_id in ids), len(texts) - len(missing))

    def _score(self, query: str, texts: Sequence[str], progress: Progress | None) -> None:
        if not self.fresh.by_chunk:
            self.waited = self.wait()
        start = perf_counter()
        scored = self.reranker.score_parts(query, texts, progress)
        seconds = perf_counter() - start
        self.fresh = self.fresh.extended(Scores.made([self.ids[text] for text in texts], scored, seconds))

    def keep(self) -> None:
        """Keep what was scored; where that cannot be, the comparison is none the worse."""
        if not self.fresh.by_chunk:
            return
        try:
            keep_scores(self.opened, self.reranker, self.query, self.known, self.fresh)
        except LibraryError as error:
            log.warning("scores are not kept: %s", error)

    def noted(self, comparison: Comparison) -> Comparison:
        """Note in the comparison what was kept, and what scoring took, then and now."""
        moves = [move for move in comparison.moves if self.ids[move.chunk.passage] in self.known.parts]
        kept = Kept(sum(move.pairs for move in moves), self.known.per_pair * len(moves))
        timings = {step: seconds for step, seconds in comparison.timings.items() if step != "rerank"}
        if self.waited:
            timings["wait"] = self.waited
        timings["rerank"] = kept.seconds + self.fresh.seconds
        return replace(comparison, kept=kept, timings=timings)


def kept_scores(opened: Opened, reranker: Reranker, question: str, documents: Sequence[str] | None = None) -> Scores:
    """Return the scores that are kept with each searched document, or with these of them."""
    index = opened.index
    return opened.kept.scores(documents or index.doc_ids, index.address.chunks, reranker.weights, question)


def keep_scores(opened: Opened, reranker: Reranker, question: str, known: Scores, fresh: Scores) -> Scores:
    """Keep fresh scores beside the known ones, each with the document of its chunk; return them all."""
    together, key = known.extended(fresh), opened.index.address.chunks
    by_document: dict[str, list[str]] = {document_of(chunk_id, key): [] for chunk_id in fresh.by_chunk}
    for chunk_id in together.by_chunk:
        by_document.get(document_of(chunk_id, key), []).append(chunk_id)
    scores = {doc_id: together.of(chunk_ids) for doc_id, chunk_ids in by_document.items()}
    opened.kept.save_scores(key, reranker.weights, question, scores)
    return together


def document_of(chunk_id: str, key: str) -> str:
    """Return the id of the document that a chunk of this cut is of."""
    return chunk_id[: chunk_id.rindex(f"-{key}-")]
