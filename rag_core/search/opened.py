"""An opened document: all that a question needs to be searched and compared."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from functools import cached_property, partial
from time import perf_counter

from rag_core.comparing import orders
from rag_core.datatypes import Chunk, Comparison, Expansion, FirstStage, Progress, Ranking, Settings
from rag_core.errors import NothingFound
from rag_core.keeping.embeddings import EmbeddingStore
from rag_core.models import rerank
from rag_core.models.embed import Embedder
from rag_core.models.rerank import Reranker
from rag_core.search import distinct, expand, fuse
from rag_core.search.distinct import Firsts
from rag_core.search.index import Searched
from rag_core.search.lexical import Lexical
from rag_core.settings import check, check_query


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

    @cached_property
    def firsts(self) -> Firsts:
        """Return the candidate that stands for each chunk: chunks with the same words are one."""
        return distinct.firsts(self.chunks)

    @property
    def distinct_chunks(self) -> list[Chunk]:
        """Return the chunks that can be candidates, in reading order."""
        return distinct.candidates(self.firsts)

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
                rankings += distinct.search(partial(self.index.search, queries, embeddings), depth, self.firsts)
        if stage != FirstStage.VECTOR:
            with timed(timings, "bm25"):
                rankings += distinct.search(partial(self.words().search, queries), depth, self.firsts)
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
        return fuse.fuse([distinct.distinct(ranking, self.firsts) for ranking in rankings])

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
    ) -> Comparison:
        """Search with the question and its expansions, rerank against the question alone, compare both orders.

        ``turn`` is entered before the reranker is asked, and gives the seconds that were waited for it.
        """
        query, how = check_query(query), check(self.settings)
        queries = [query, *(expansion.text for expansion in expansions)]
        timings = self._prepared()
        rankings = self.first_stage(queries, how.depth, timings=timings)
        candidates = fuse.fuse(rankings)
        if not candidates.hits:
            raise _nothing_found(query)
        with turn or nullcontext(0.0) as waited, timed(timings, "rerank"):
            if waited:
                timings["wait"] = waited
            settle_at = how.cutoff if how.adaptive else None
            reranked = rerank.rerank(query, candidates, reranker, progress, settle_at)
        before = replace(candidates, hits=candidates.top(len(reranked)))
        return Comparison(
            doc_id=self.doc_id,
            query=query,
            expansions=tuple(expansions),
            settings=how,
            before=before,
            reranked=reranked,
            moves=orders.moves(before, reranked),
            ledger=fuse.record(rankings, expansions),
            scale=reranker.scale,
            available=len(self.chunks),
            found=len(candidates),
            timings=timings,
        )

    def _prepared(self) -> dict[str, float]:
        """Return the seconds that reading and embedding took when they were done, of all members together."""
        address = self.index.address
        seconds = [self.kept.seconds(part, address.chunks, address.embedder) for part in self.index.doc_ids]
        return {step: sum(of_part.get(step, 0.0) for of_part in seconds) for step in ("parse", "embed")}


def _nothing_found(query: str) -> NothingFound:
    return NothingFound(f"no chunk shares a word with {query!r}: search by vectors too", query=query)


@contextmanager
def timed(timings: dict[str, float], step: str) -> Iterator[None]:
    """Write the seconds a step takes into ``timings``."""
    start = perf_counter()
    yield
    timings[step] = perf_counter() - start
