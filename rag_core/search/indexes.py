"""The indexes of a library: what is embedded, opened, and searched together."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from rag_core.datatypes import Chunk, Progress
from rag_core.errors import EmptyCollection
from rag_core.keeping.chroma import Address, Store
from rag_core.keeping.embeddings import Embeddings
from rag_core.keeping.library import Library
from rag_core.models.embed import Embedder
from rag_core.search.index import Index, Searched, Together
from rag_core.search.lexical import Lexical
from rag_core.search.opened import timed

MOST_KEPT = 8
"""So many indexes of words are kept in memory."""


class Indexes:
    """What searches the documents of a library: vectors in a store, words in memory."""

    def __init__(self, library: Library, store: Store) -> None:
        self._library, self._embeddings, self._store = library, library.embeddings, store
        self._known: dict[str, Lexical] = {}

    def of(
        self, address: Address, chunks: Sequence[Chunk], embedder: Embedder, progress: Progress | None = None
    ) -> Index:
        """Embed the chunks of a document unless that was done before, and return its index."""
        where = (address.doc_id, address.chunks, address.embedder)
        index = Index(self._store, address, chunks, lambda: self._vectors(address, chunks, embedder))
        if self._embeddings.has(*where):
            return index.prepare()
        if progress:
            progress(0, len(chunks))
        with self._library.database.claim(*where):
            if not self._embeddings.has(*where):  # somebody may have embedded them while this waited
                self._embed(address, chunks, embedder, progress)
            return index.prepare()

    def _embed(
        self, address: Address, chunks: Sequence[Chunk], embedder: Embedder, progress: Progress | None = None
    ) -> None:
        timings: dict[str, float] = {}
        with timed(timings, "embed"):
            vectors = embedder.embed_texts([chunk.passage for chunk in chunks], progress)
        made = Embeddings(vectors, timings["embed"])
        self._embeddings.save(address.doc_id, address.chunks, address.embedder, made)

    def _vectors(self, address: Address, chunks: Sequence[Chunk], embedder: Embedder) -> np.ndarray:
        """Return the stored vectors; damaged ones are made again.

        No claim is made: whoever searches holds the store, and who claims may wait for that.
        """
        where = (address.doc_id, address.chunks, address.embedder)
        stored = self._embeddings.load(*where)
        if stored is None and self._embeddings.has(*where):
            self._embed(address, chunks, embedder)
        return stored.vectors if stored else self._embeddings.vectors(*where)

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
        return partial(self._lexical, index.chunks)

    def _lexical(self, chunks: Sequence[Chunk]) -> Lexical:
        """Return the index of words over these very texts, made once; the oldest is dropped first."""
        texts = "\0".join(f"{chunk.id}\0{chunk.title}\0{chunk.passage}" for chunk in chunks)
        key = hashlib.sha256(texts.encode()).hexdigest()
        while key not in self._known and len(self._known) >= MOST_KEPT:
            self._known.pop(next(iter(self._known)), None)
        if key not in self._known:
            self._known[key] = Lexical(chunks)
        return self._known[key]


def emptied() -> EmptyCollection:
    """Return the error for a collection that has nothing left to search."""
    return EmptyCollection("no document of this collection has a page to search: add some, or delete it")


def _shifted(progress: Progress, before: int, total: int, done: int, _: int) -> None:
    progress(before + done, total)
