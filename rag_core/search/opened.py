"""An opened document: all that a question needs to be searched and compared."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from time import perf_counter

from rag_core.comparing import orders
from rag_core.datatypes import Chunk, Comparison, Expansion, FirstStage, Progress, Ranking, Settings
from rag_core.errors import NothingFound
from rag_core.keeping.embeddings import EmbeddingStore
from rag_core.models import rerank
from rag_core.models.embed import Embedder
from rag_core.models.rerank import Reranker
from rag_core.search import distinct, expand, fuse
from rag_core.search.lexical import Lexical
from rag_core.search.together import Searched
from rag_core.settings import check, check_query

Found = Callable[[Ranking], object]


@dataclass(frozen=True, slots=True)
class Retrieved:
    """What the first stage found for a question and its expansions; ``timings`` are the seconds of each step so far."""

    query: str
    expansions: tuple[Expansion, ...]
    rankings: list[Ranking]
    candidates: Ranking
    timings: dict[str, float]


class Opened:
    """A document, or a collection, that was cut and embedded as its settings say, and can be asked.

    ``words`` gives the index of words over the same chunks when it is needed; ``kept`` holds what was computed from
    the document before.
    """

    def __init__(
        self,
        index: Searched,
        words: Callable[[], Lexical],
        embedder: Embedder,
        settings: Settings,
        kept: EmbeddingStore,
    ) -> None:
        self.index, self.words, self.embedder, self.settings, self.kept = index, words, embedder, settings, kept

    @property
    def doc_id(self) -> str:
        """Return the id of the document, or of the collection."""
        return self.index.address.doc_id

    @property
    def chunks(self) -> list[Chunk]:
        """Return the chunks that are searched, in reading order, member after member."""
        return self.index.chunks

    @property
    def distinct_chunks(self) -> list[Chunk]:
        """Return the chunks that can be candidates, in reading order."""
        return distinct.candidates({chunk.id: self.index.firsts[chunk.id] for chunk in self.chunks})

    def first_stage(
        self,
        queries: Sequence[str],
        depth: int,
        stage: FirstStage | None = None,
        timings: dict[str, float] | None = None,
    ) -> list[Ranking]:
        """Search with every query: one ranking each by vectors, then one each by words; of both where both search.

        Each ranking holds ``depth`` candidates where the document has them: chunks with the same words count once.
        ``stage`` is by default that of the settings. ``timings`` receives the seconds of each step.
        """
        stage, timings = self.settings.first_stage if stage is None else stage, {} if timings is None else timings
        rankings: list[Ranking] = []
        if stage != FirstStage.BM25:
            with timed(timings, "question"):
                embeddings = self.embedder.embed_queries(queries)
            with timed(timings, "search"):
                rankings += distinct.search(partial(self.index.search, queries, embeddings), depth, self.index.firsts)
        if stage != FirstStage.VECTOR:
            with timed(timings, "bm25"):
                rankings += distinct.search(partial(self.words().search, queries), depth, self.index.firsts)
        return rankings

    def whole(self, query: str, stage: FirstStage | None = None) -> Ranking:
        """Rank the whole document by a first stage: exact, without the index; BM25 ranks what shares a word."""
        stage = self.settings.first_stage if stage is None else stage
        rankings: list[Ranking] = []
        if stage != FirstStage.BM25:
            [embedding] = self.embedder.embed_queries([query])
            rankings.append(Ranking.from_scores("vector", query, self.chunks, self.index.vectors @ embedding))
        if stage != FirstStage.VECTOR:
            rankings += self.words().search([query], len(self.chunks))
        return fuse.fuse([distinct.distinct(ranking, self.index.firsts) for ranking in rankings])

    def feedback(self, query: str, depth: int = 10) -> list[Expansion]:
        """Expand the question from the first results themselves."""
        [first] = self.first_stage([query], depth, FirstStage.VECTOR)
        return expand.by_feedback(query, first, self.chunks)

    def candidates(self, query: str, depth: int) -> Ranking:
        """Return what the first stage finds for one question, at most ``depth`` chunks.

        Raises:
            NothingFound: no chunk shares a word with the question, and nothing else searched.
        """
        fused = fuse.fuse(self.first_stage([query], depth))
        if not fused.hits:
            raise _nothing_found(query)
        return replace(fused, hits=fused.top(depth))

    def compare(
        self,
        query: str,
        expansions: Sequence[Expansion],
        reranker: Reranker,
        progress: Progress | None = None,
        turn: AbstractContextManager[float] | None = None,
        found: Found | None = None,
    ) -> Comparison:
        """Search with the question and its expansions, rerank against the question alone, compare both orders.

        ``turn`` is entered before the reranker is asked, and gives the seconds that were waited for it; before that,
        ``found`` is given the candidates in the order they were found in.
        """
        retrieved = self.retrieve(query, expansions)
        if found:
            found(retrieved.candidates)
        return self.rerank(retrieved, reranker, progress, turn)

    def retrieve(self, query: str, expansions: Sequence[Expansion]) -> Retrieved:
        """Search with the question and its expansions: the first half of a comparison."""
        query, how = check_query(query), check(self.settings)
        queries = [query, *(expansion.text for expansion in expansions)]
        timings = dict(self.index.prepared)
        rankings = self.first_stage(queries, how.depth, timings=timings)
        candidates = fuse.fuse(rankings)
        if not candidates.hits:
            raise _nothing_found(query)
        return Retrieved(query, tuple(expansions), rankings, candidates, timings)

    def rerank(
        self,
        retrieved: Retrieved,
        reranker: Reranker,
        progress: Progress | None = None,
        turn: AbstractContextManager[float] | None = None,
    ) -> Comparison:
        """Rerank what was found against the question alone, and compare both orders: the other half."""
        query, candidates, timings, how = retrieved.query, retrieved.candidates, retrieved.timings, self.settings
        with turn or nullcontext(0.0) as waited, timed(timings, "rerank"):
            if waited:
                timings["wait"] = waited
            settle_at = how.cutoff if how.adaptive else None
            reranked = rerank.rerank(query, candidates, reranker, progress, settle_at)
        before = replace(candidates, hits=candidates.top(len(reranked)))
        return Comparison(
            doc_id=self.doc_id,
            query=query,
            expansions=retrieved.expansions,
            settings=how,
            before=before,
            reranked=reranked,
            moves=orders.moves(before, reranked),
            ledger=fuse.record(retrieved.rankings, retrieved.expansions),
            scale=reranker.scale,
            available=self.index.size,
            found=len(candidates),
            timings=timings,
        )


def _nothing_found(query: str) -> NothingFound:
    return NothingFound(f"no chunk shares a word with {query!r}: search by vectors too", query=query)


@contextmanager
def timed(timings: dict[str, float], step: str) -> Iterator[None]:
    """Write the seconds a step takes into ``timings``."""
    start = perf_counter()
    yield
    timings[step] = perf_counter() - start
