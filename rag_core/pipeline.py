"""The program: the order of the steps, and nothing else.

bytes ─ pdf → pages ─ chunk → chunks ─ embed → index
question ─ expand → questions ─ search each → rankings ─ fuse → candidates ─ rerank → new order ─ compare → moves
questions ─ the same for each → orders ─ measure against judgments (``evaluate.py``)
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from time import perf_counter

from rag_core import chunk, compare, expand, extract, fuse, judge, pdf, rerank, sandbox, settings, text
from rag_core.datatypes import (
    Chunk,
    ChunkSettings,
    Comparison,
    Document,
    Expansion,
    Judgment,
    Page,
    PageReading,
    Ranking,
    Settings,
)
from rag_core.embed import Embedder
from rag_core.errors import ChunkMissing, EmptyCollection, FileNotKept, NothingFound
from rag_core.index import Address, Index, Searched, Together, open_store
from rag_core.lexical import Lexical
from rag_core.library import Embeddings, Entry, Library

Progress = Callable[[int, int], None]


class Lab:
    """A reader's documents, and the comparison of a vector search with a cross-encoder on them."""

    def __init__(self, home: Path, chroma: Path | settings.ChromaServer | None = None) -> None:
        """Open the library in a folder, and Chroma in a folder of its own, by default inside it, or on a server."""
        self.library = Library(home / "library.sqlite")
        self.store = open_store(chroma or home / "chroma")
        self._lexical = lru_cache(maxsize=8)(self._words)

    def add(
        self,
        data: bytes,
        title: str,
        password: str | None = None,
        progress: Progress | None = None,
        owner: str = "",
    ) -> Document:
        """Read a PDF into the library; the same bytes of the same owner give the same document.

        Added again, it keeps what the reader chose among its readings.

        Raises:
            DocumentError: the file cannot be read; NoText: there is nothing on its pages, not even a picture of text.
        """
        timings: dict[str, float] = {}
        with timed(timings, "parse"):
            document, readings = read_document(data, title, password, progress, owner)
        before, drop_repeated = self.library.readings(document.id)
        readings = extract.chosen_before(readings, before)
        document = _document(document.id, document.title, extract.pages(readings, drop_repeated))
        self.library.save(document, timings["parse"], owner, readings, drop_repeated, data)
        return document

    def readings(self, doc_id: str) -> tuple[list[PageReading], bool]:
        """Return how each page was read, and whether lines that repeat are dropped; no page of an old document."""
        return self.library.readings(doc_id)

    def choose(self, doc_id: str, readings: Sequence[PageReading], drop_repeated: bool) -> None:
        """Search the pages as these readings say from now on; what was cut and embedded goes where a page changes."""
        pages = extract.pages(readings, drop_repeated)
        self.library.choose(_document(doc_id, self.document(doc_id).title, pages), readings, drop_repeated)
        self._lexical.cache_clear()

    def recognise(self, doc_id: str, numbers: Sequence[int], progress: Progress | None = None) -> None:
        """Read these pages from their pictures, and search what is found there."""
        found = sandbox.recognise(self._file(doc_id), numbers, progress)
        readings, drop_repeated = self.readings(doc_id)
        self.choose(doc_id, extract.recognised(readings, found), drop_repeated)

    def picture(self, doc_id: str, number: int, words: str = "") -> tuple[bytes, bool]:
        """Return a page as PNG, and whether the words were found and marked on it.

        Raises:
            FileNotKept: the document was added before files were kept.
            PageNotDrawn: the page cannot be drawn, for instance because a password protects the file.
        """
        return sandbox.draw_page(self._file(doc_id), number, words)

    def _file(self, doc_id: str) -> bytes:
        data = self.library.file_of(doc_id)
        if data is None:
            raise FileNotKept(f"the file of document {doc_id!r} is not kept: add the PDF again", doc_id=doc_id)
        return data

    def titles(self, owner: str = "", collections: bool = True) -> dict[str, str]:
        """Return ids and titles of an owner's documents, newest first, with or without collections."""
        return self.library.titles(owner, collections)

    def sweep(self, staying: Collection[str], gone: Collection[str], unseen_since: float, added_before: float) -> None:
        """Delete the documents of owners who are gone, of those whom no process on this library has seen since, and
        what was added before (both in seconds of the epoch).

        Documents without an owner are never touched.
        """
        self.library.report_stays(staying, gone)
        for doc_id in self.library.left_behind(unseen_since, added_before):
            self.delete(doc_id)

    def document(self, doc_id: str) -> Document:
        """Return a document that was read before."""
        return self.library.load(doc_id)

    def parts(self, doc_id: str) -> list[Document]:
        """Return the members of a collection, or the document alone."""
        document = self.library.load(doc_id)
        return [self.library.load(member) for member in document.members] if document.is_collection else [document]

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
        """Cut a member of a collection into chunks that name it."""
        title = self.library.title(member)
        return [replace(piece, title=title) for piece in self.cut(member, how)]

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
            EmptyCollection: all members were deleted.
        """
        document = self.library.load(doc_id)
        if not document.is_collection:
            return self._index(doc_id, how, embedder, self.cut(doc_id, how), progress)
        members = [member for member in document.members if member in within] or document.members
        if not members:
            raise _emptied()
        chunks = {member: self._titled(member, how) for member in members}
        parts, done, total = [], 0, sum(map(len, chunks.values()))
        for member, pieces in chunks.items():
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
            moves=compare.moves(vector, reranked),
            ledger=fuse.record(rankings, expansions),
            scale=reranker.scale,
            available=len(index.chunks),
            found=len(candidates),
            timings=timings,
        )

    def questions(self, doc_id: str) -> dict[int, str]:
        """Return the document's question set by number."""
        return self.library.questions(doc_id)

    def ask(self, doc_id: str, questions: Sequence[str]) -> None:
        """Add questions to the document's set."""
        self.library.add_questions(doc_id, [settings.check_query(question) for question in questions])

    def drop(self, doc_id: str, question: str) -> None:
        """Remove a question from the document's set, with its judgments."""
        self.library.remove_question(doc_id, question)

    def judgments(self, doc_id: str) -> list[Judgment]:
        """Return the judgments on the document, or on every member of a collection, oldest first."""
        return [one for part in self.library.load(doc_id).parts for one in self.library.judgments(part)]

    def judge(self, doc_id: str, judgments: Sequence[Judgment]) -> None:
        """Keep judgments with the document, or with those members of a collection that they are about.

        Raises:
            DocumentMissing: the library does not hold it; EmptyCollection: all members were deleted.
        """
        parts = self.parts(doc_id)
        if not parts:
            raise _emptied()
        self.library.add_judgments(list(judge.assign(judgments, parts)))
        self.library.add_questions(doc_id, [judgment.question for judgment in judgments])

    def undo(self, doc_id: str, judge: str) -> Judgment | None:
        """Take back this judge's last judgment on the document."""
        return self.library.undo_judgment(self.library.load(doc_id).parts, judge)

    def remember(self, doc_id: str, name: str, made: str, content: str) -> None:
        """Keep a comparison's replay file with its document; the oldest beyond the last ``MOST_KEPT`` goes."""
        self.library.add_history(doc_id, name, made, content)

    def history(self, doc_id: str) -> list[Entry]:
        """Return the document's last comparisons, newest first, without their content."""
        return self.library.history(doc_id)

    def recall(self, doc_id: str, number: int) -> bytes:
        """Return a comparison's replay file.

        Raises:
            HistoryMissing: it is no longer kept.
        """
        return self.library.recall(doc_id, number)

    def rename(self, doc_id: str, number: int, name: str) -> None:
        """Give a comparison of the history another name; an empty one changes nothing."""
        self.library.rename_history(doc_id, number, name)

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
            moves=compare.moves(vector, reranked),
            ledger=fuse.record(rankings, expansions),
            found=len(vector),
        )

    def delete(self, doc_id: str) -> None:
        self.store.delete(doc_id)
        self.library.delete(doc_id)

    def close(self) -> None:
        self.store.close()
        self.library.close()


def _document(doc_id: str, title: str, pages: Sequence[Page]) -> Document:
    return Document(doc_id, title, chunk.language(pages), tuple(pages))


def read_document(
    data: bytes, title: str, password: str | None = None, progress: Progress | None = None, owner: str = ""
) -> tuple[Document, list[PageReading]]:
    """Read a PDF: the document as it is searched, and how each page was read."""
    readings = extract.with_something(sandbox.read_pages(data, password, progress))
    return _document(pdf.document_id(data, owner), text.title_of(title), extract.pages(readings)), readings


def _emptied() -> EmptyCollection:
    return EmptyCollection("all documents of this collection were deleted: add some, or delete it")


def _shifted(progress: Progress, before: int, total: int, done: int, _: int) -> None:
    progress(before + done, total)


@contextmanager
def timed(timings: dict[str, float], step: str) -> Iterator[None]:
    """Write the seconds a step takes into ``timings``."""
    start = perf_counter()
    yield
    timings[step] = perf_counter() - start
