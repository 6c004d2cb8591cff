"""The indexes of a library: what is embedded, opened, and searched together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache, partial

from rag_core.datatypes import Chunk, Progress
from rag_core.errors import EmptyCollection
from rag_core.keeping.chroma import Address, Store
from rag_core.keeping.embeddings import Embeddings
from rag_core.keeping.library import Library
from rag_core.models.embed import Embedder
from rag_core.search.index import Index, Searched, Together
from rag_core.search.lexical import Lexical
from rag_core.search.opened import timed


class Indexes:
    """What searches the documents of a library: vectors in a store, words in memory."""

    def __init__(self, library: Library, store: Store) -> None:
        self._library, self._embeddings, self._store = library, library.embeddings, store
        self._lexical = lru_cache(maxsize=8)(self._read_words)

    def of(
        self, address: Address, chunks: Sequence[Chunk], embedder: Embedder, progress: Progress | None = None
    ) -> Index:
        """Embed the chunks of a document unless that was done before, and return its index."""
        where = (address.doc_id, address.chunks, address.embedder)
        index = Index(self._store, address, chunks, lambda: self._embeddings.vectors(*where))
        if self._embeddings.has(*where):
            return index.prepare()
        if progress:
            progress(0, len(chunks))
        with self._library.database.claim(*where):
            if not self._embeddings.has(*where):  # somebody may have embedded them while this waited
                timings: dict[str, float] = {}
                with timed(timings, "embed"):
                    vectors = embedder.embed_texts([chunk.text for chunk in chunks], progress)
                self._embeddings.save(*where, Embeddings(vectors, timings["embed"]))
            return index.prepare()

    def together(
        self,
        address: Address,
        chunks: Mapping[str, Sequence[Chunk]],
        embedder: Embedder,
        progress: Progress | None = None,
    ) -> Together:
        """Return the indexes of a collection's members as one; ``chunks`` are by member.

        Raises:
            EmptyCollection: no member has a chunk.
        """
        if not any(chunks.values()):
            raise emptied()
        parts: list[Index] = []
        done, total = 0, sum(map(len, chunks.values()))
        for member, pieces in chunks.items():
            if pieces:
                counted = progress and partial(_shifted, progress, done, total)
                parts.append(self.of(replace(address, doc_id=member), pieces, embedder, counted))
                done += len(pieces)
        return Together(address, parts)

    def words(self, index: Searched) -> Callable[[], Lexical]:
        """Return what gives the index of words over the same chunks, built when it is first asked for."""
        return partial(self._lexical, index.doc_ids, index.address.chunks, isinstance(index, Together))

    def _read_words(self, doc_ids: Iterable[str], key: str, named: bool) -> Lexical:
        titles = {doc_id: self._library.documents.title(doc_id) if named else "" for doc_id in doc_ids}
        chunks = [chunk for doc_id in titles for chunk in self._embeddings.chunks(doc_id, key) or ()]
        return Lexical([replace(chunk, title=titles[chunk.doc_id]) for chunk in chunks])

    def forget_words(self) -> None:
        """Drop the indexes of words: a document is read otherwise from now on."""
        self._lexical.cache_clear()


def emptied() -> EmptyCollection:
    """Return the error for a collection that has nothing left to search."""
    return EmptyCollection("no document of this collection has a page to search: add some, or delete it")


def _shifted(progress: Progress, before: int, total: int, done: int, _: int) -> None:
    progress(before + done, total)
