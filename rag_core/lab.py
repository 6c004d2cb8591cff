"""The program: the order of the steps, and nothing else.

bytes ─ pdf → pages ─ chunk → chunks ─ embed → index
question ─ expand → questions ─ search each → rankings ─ fuse → candidates ─ rerank → new order ─ compare → moves
questions ─ the same for each → orders ─ measure against judgments (``evaluate.py``)

Reading a PDF, and what else is kept with a document, stands in ``documents.py``.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path

from rag_core import settings
from rag_core.comparing import orders
from rag_core.datatypes import (
    Chunk,
    ChunkSettings,
    Comparison,
    Expansion,
    PageReading,
    Progress,
    Ranking,
    Settings,
)
from rag_core.documents import Documents, emptied, timed
from rag_core.errors import ChunkMissing, NoText, NothingFound
from rag_core.keeping.library import Embeddings
from rag_core.models import rerank
from rag_core.models.embed import Embedder
from rag_core.reading import chunk, extract
from rag_core.search import expand, fuse
from rag_core.search.index import Address, Index, Searched, Together
from rag_core.search.lexical import Lexical


class Lab(Documents):
    """A reader's documents, and the comparison of a vector search with a cross-encoder on them."""

    def __init__(self, home: Path, chroma: Path | settings.ChromaServer | None = None) -> None:
        super().__init__(home, chroma)
        self._lexical = lru_cache(maxsize=8)(self._words)

    def choose(self, doc_id: str, readings: Sequence[PageReading], drop_repeated: bool) -> None:
        """Search the pages as these readings say from now on, by words too."""
        super().choose(doc_id, readings, drop_repeated)
        self._lexical.cache_clear()

    def cut(self, doc_id: str, how: ChunkSettings) -> list[Chunk]:
        """Cut a document into chunks, or return them as they were cut before; of a collection, every member.

        Raises:
            NoText: no page that is searched holds a letter.
        """
        chunks = self.library.chunks(doc_id, how.key)
        if chunks is None:
            document = self.library.load(doc_id)
            if document.is_collection:
                return [piece for member in document.members for piece in self._titled(member, how)]
            pages = extract.with_letters(document.pages)
            chunks = chunk.split(pages, how.preset, how.size, how.overlap, doc_id)
            self.library.save_chunks(doc_id, how.key, chunks)
        return chunks

    def _titled(self, member: str, how: ChunkSettings) -> list[Chunk]:
        """Cut a member of a collection into chunks that name it: none where all its pages are left out."""
        title = self.library.title(member)
        try:
            return [replace(piece, title=title) for piece in self.cut(member, how)]
        except NoText:
            return []

    def chunk(self, doc_id: str, how: ChunkSettings, chunk_id: str) -> Chunk:
        """Return a chunk that is still here.

        Raises:
            ChunkMissing: the document was cut in another way since, or is another one.
            DocumentMissing: the document is gone.
        """
        for piece in self.cut(doc_id, how):
            if piece.id == chunk_id:
                return piece
        raise ChunkMissing(f"no chunk {chunk_id!r} here: compare again and pick another", chunk=chunk_id)

    def recommend(self, doc_id: str) -> ChunkSettings:
        """Return how a document, or all of a collection alike, is best cut."""
        return chunk.recommend([page for part in self.parts(doc_id) for page in part.pages])

    def index(
        self,
        doc_id: str,
        how: ChunkSettings,
        embedder: Embedder,
        progress: Progress | None = None,
        within: Collection[str] = (),
    ) -> Searched:
        """Embed the chunks unless that was done before, and open the index.

        Of a collection, ``within`` names the members that are searched; without names, or when none of them is a
        member any more, all are.

        Raises:
            EmptyCollection: all members were deleted, or have no page that is searched.
        """
        document = self.library.load(doc_id)
        if not document.is_collection:
            return self._index(doc_id, how, embedder, self.cut(doc_id, how), progress)
        members = [member for member in document.members if member in within] or document.members
        chunks = {member: self._titled(member, how) for member in members}
        if not any(chunks.values()):
            raise emptied()
        parts, done, total = [], 0, sum(map(len, chunks.values()))
        for member, pieces in chunks.items():
            if pieces:
                counted = progress and partial(_shifted, progress, done, total)
                parts.append(self._index(member, how, embedder, pieces, counted))
                done += len(pieces)
        return Together(Address(doc_id, how.key, embedder.id), parts)

    def _index(
        self, doc_id: str, how: ChunkSettings, embedder: Embedder, chunks: list[Chunk], progress: Progress | None
    ) -> Index:
        address = Address(doc_id, how.key, embedder.id)
        index = Index(self.store, address, chunks, lambda: self.library.vectors(doc_id, how.key, embedder.id))
        if self.library.has_embeddings(doc_id, how.key, embedder.id):
            return index.prepare()
        if progress:
            progress(0, len(chunks))
        with self.library.claim(doc_id, how.key, embedder.id):
            self._embed(index, embedder, progress)
            return index.prepare()

    def _embed(self, index: Index, embedder: Embedder, progress: Progress | None) -> None:
        """Embed the chunks, unless somebody did while this waited."""
        which = (index.address.doc_id, index.address.chunks, embedder.id)
        if self.library.has_embeddings(*which):
            return
        timings: dict[str, float] = {}
        with timed(timings, "embed"):
            vectors = embedder.embed_texts([piece.text for piece in index.chunks], progress)
        self.library.save_embeddings(*which, Embeddings(vectors, timings["embed"]))

    def lexical(self, index: Searched) -> Lexical:
        """Return the index of words over the same chunks."""
        return self._lexical(index.doc_ids, index.address.chunks, named=isinstance(index, Together))

    def _words(self, doc_ids: tuple[str, ...], key: str, named: bool) -> Lexical:
        chunks = [piece for doc_id in doc_ids for piece in self.library.chunks(doc_id, key)]
        titles = {doc_id: self.library.title(doc_id) for doc_id in doc_ids if named}
        return Lexical([replace(piece, title=titles.get(piece.doc_id, "")) for piece in chunks])

    def search(
        self, index: Searched, queries: Sequence[str], how: Settings, embedder: Embedder, timings: dict[str, float]
    ) -> list[Ranking]:
        """Search with every query in the first stage, or in both."""
        rankings = []
        if how.first_stage != "bm25":
            with timed(timings, "question"):
                embeddings = embedder.embed_queries(queries)
            with timed(timings, "search"):
                rankings += index.search(queries, embeddings, how.depth)
        if how.first_stage != "vector":
            with timed(timings, "bm25"):
                rankings += self.lexical(index).search(queries, how.depth)
        return rankings

    def _prepared(self, index: Searched) -> dict[str, float]:
        """Return the seconds that reading and embedding took when they were done, of all members together."""
        known = [self.library.seconds(part, index.address.chunks, index.address.embedder) for part in index.doc_ids]
        return {step: sum(one.get(step, 0.0) for one in known) for step in ("parse", "embed")}

    def feedback(self, index: Searched, query: str, embedder: Embedder, depth: int = 10) -> list[Expansion]:
        """Expand the question from the first results themselves."""
        [first] = index.search([query], embedder.embed_queries([query]), depth)
        return expand.by_feedback(query, first, index.chunks)

    def compare(
        self,
        index: Searched,
        query: str,
        expansions: Sequence[Expansion],
        how: Settings,
        embedder: Embedder,
        reranker: rerank.Reranker,
        progress: Progress | None = None,
        turn: AbstractContextManager[float] | None = None,
    ) -> Comparison:
        """Search with the question and its expansions, rerank against the question alone, compare both orders.

        ``turn`` is entered before the reranker is asked, and gives the seconds that were waited for it.
        """
        query, how = settings.check_query(query), settings.check(how)
        queries = [query, *(expansion.text for expansion in expansions)]
        timings = self._prepared(index)
        rankings = self.search(index, queries, how, embedder, timings)
        candidates = fuse.fuse(rankings)
        if not candidates.hits:
            raise NothingFound(f"no chunk shares a word with {query!r}: search by vectors too", query=query)
        with turn or nullcontext(0.0) as waited, timed(timings, "rerank"):
            if waited:
                timings["wait"] = waited
            settle_at = how.cutoff if how.adaptive else None
            reranked = rerank.rerank(query, candidates, reranker, progress, settle_at)
        vector = replace(candidates, hits=candidates.top(len(reranked)))
        return Comparison(
            doc_id=index.address.doc_id,
            query=query,
            expansions=tuple(expansions),
            settings=how,
            vector=vector,
            reranked=reranked,
            moves=orders.moves(vector, reranked),
            ledger=fuse.record(rankings, expansions),
            scale=reranker.scale,
            available=len(index.chunks),
            found=len(candidates),
            timings=timings,
        )

    def with_queries(self, comparison: Comparison, kept: Collection[str]) -> Comparison:
        """Return the comparison as it had been with these expansions alone; nothing is searched or scored again.

        The ledger has every query's ranking, and the cross-encoder scored against the question, which stays. The
        comparison must have all its candidates scored.
        """
        expansions = [expansion for expansion in comparison.expansions if expansion.text in kept]
        queries = [comparison.query, *(expansion.text for expansion in expansions)]
        chunks = {hit.chunk.id: hit.chunk for hit in comparison.vector.hits}
        rankings = fuse.rankings(comparison.ledger, chunks, queries)
        vector = fuse.fuse(rankings)
        found = set(vector.ids)
        reranked = replace(
            comparison.reranked, hits=tuple(hit for hit in comparison.reranked.hits if hit.chunk.id in found)
        )
        return replace(
            comparison,
            expansions=tuple(expansions),
            vector=vector,
            reranked=reranked,
            moves=orders.moves(vector, reranked),
            ledger=fuse.record(rankings, expansions),
            found=len(vector),
        )


def _shifted(progress: Progress, before: int, total: int, done: int, _: int) -> None:
    progress(before + done, total)
