"""The indexes of a library: what is embedded, opened, and searched together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Collection as Many
from dataclasses import replace
from functools import partial
from threading import Lock

import numpy as np

from rag_core.datatypes import Chunk, Progress
from rag_core.errors import EmptyCollection
from rag_core.keeping.chroma import Address, Store
from rag_core.keeping.embeddings import Embeddings, Version
from rag_core.keeping.library import Library
from rag_core.models.embed import Embedder
from rag_core.search.index import Index
from rag_core.search.lexical import RULE, Lexical, counted
from rag_core.search.opened import timed
from rag_core.search.together import Searched, Stacked, Together, changed
from rag_core.search.words import Words

MOST_ROWS = 1_000_000
"""So many chunks of opened collections are kept in memory; one alone may be larger."""

Cut = Callable[[str], list[Chunk]]
"""What cuts a member of a collection into chunks, or returns them as they were cut."""


class Indexes:
    """What searches the documents of a library."""

    def __init__(self, library: Library, store: Store) -> None:
        self._library, self._embeddings, self._store = library, library.embeddings, store
        self._together: dict[tuple[Address, tuple[str, ...]], Together] = {}
        self._stacking = Lock()

    def of(
        self, address: Address, chunks: Sequence[Chunk], embedder: Embedder, progress: Progress | None = None
    ) -> Index:
        """Embed the chunks of a document unless that was done before, and return its index."""
        where = (address.doc_id, address.chunks, address.embedder)
        index = Index(self._store, address, chunks, lambda: self._vectors(address, chunks, embedder))
        if not self._embeddings.has(*where):
            if progress:
                progress(0, len(chunks))
            with self._library.database.claim(*where):
                self._embed_once(address, chunks, embedder, progress)
                index.prepare()
        index.prepared = self._embeddings.seconds(*where)
        return index.prepare()

    def _embed_once(
        self, address: Address, chunks: Sequence[Chunk], embedder: Embedder, progress: Progress | None = None
    ) -> None:
        """Embed chunks under a claim, unless somebody did while this waited for it."""
        if not self._embeddings.has(address.doc_id, address.chunks, address.embedder):
            self._embed(address, chunks, embedder, progress)

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
        self, address: Address, members: Sequence[str], cut: Cut, embedder: Embedder, progress: Progress | None = None
    ) -> Together:
        """Return the members of a collection as one index; it is kept until one of them is another.

        Raises:
            EmptyCollection: no member has a chunk.
        """
        versions = self._versions(address, members, cut)
        if not versions:
            raise emptied()
        if self._opened(address, versions) is None:
            self._embed_each([replace(address, doc_id=member) for member in versions], cut, embedder, progress)
        with self._stacking:  # whoever opens the same meanwhile waits for it
            together = self._opened(address, versions) or self._stack(address, versions, cut, embedder)
            self._keep(together)
        return together

    def _opened(self, address: Address, versions: Mapping[str, Version]) -> Together | None:
        """Return the index of these members, where it is kept and none of them is another."""
        known = self._together.get((address, tuple(versions)))
        return known if known is not None and known.versions == versions else None

    def _versions(self, address: Address, members: Sequence[str], cut: Cut) -> dict[str, Version]:
        """Return the versions of those members that have chunks, in their order, cut where they were not."""
        versions = self._embeddings.versions(members, address.chunks)
        uncut = [member for member in members if member not in versions]
        if any([cut(member) for member in uncut]):
            versions = self._embeddings.versions(members, address.chunks)
        return versions

    def _stack(self, address: Address, versions: Mapping[str, Version], cut: Cut, embedder: Embedder) -> Together:
        self._together.pop((address, tuple(versions)), None)  # its memory is free before the next one's is taken
        stacked = Stacked.made(self._stored([replace(address, doc_id=member) for member in versions], cut, embedder))
        return Together(address, versions, stacked, partial(self._cut_as_opened, address, versions, cut))

    def _embed_each(self, members: Sequence[Address], cut: Cut, embedder: Embedder, progress: Progress | None) -> None:
        """Embed the chunks of those members that were not embedded before."""
        doc_ids, first = [member.doc_id for member in members], members[0]
        embedded = self._embeddings.embedded(doc_ids, first.chunks, first.embedder)
        new = {member: cut(member.doc_id) for member in members if member.doc_id not in embedded}
        done, total = 0, sum(map(len, new.values()))
        for member, chunks in new.items():
            counted = progress and partial(_shifted, progress, done, total)
            with self._library.database.claim(member.doc_id, member.chunks, member.embedder):
                self._embed_once(member, chunks, embedder, counted)
            done += len(chunks)

    def _stored(self, members: Sequence[Address], cut: Cut, embedder: Embedder) -> Iterator[Embeddings]:
        """Yield the stored embeddings of each member; damaged ones are made again."""
        doc_ids, key = [member.doc_id for member in members], members[0].chunks
        each = self._embeddings.load_each(doc_ids, key, members[0].embedder)
        for member, stored in zip(members, each, strict=True):
            if stored is None:
                self._embed(member, cut(member.doc_id), embedder)
                stored = self._embeddings.load(member.doc_id, key, member.embedder)
            if stored is None:
                raise changed(member.doc_id)
            yield stored

    def _cut_as_opened(self, address: Address, versions: Mapping[str, Version], cut: Cut, member: str) -> list[Chunk]:
        chunks = cut(member)
        if self._embeddings.versions([member], address.chunks).get(member) != versions[member]:
            raise changed(member)
        return chunks

    def _keep(self, together: Together) -> None:
        """Keep an opened collection as the newest; the oldest are dropped."""
        key = together.address, together.doc_ids
        self._together.pop(key, None)
        while self._together and together.size + sum(kept.size for kept in self._together.values()) > MOST_ROWS:
            self._together.pop(next(iter(self._together)), None)
        self._together[key] = together

    def forget(self, doc_ids: Many[str]) -> None:
        """Drop what is in memory of documents that are deleted."""
        for (address, members), _ in list(self._together.items()):
            if not {address.doc_id, *members}.isdisjoint(doc_ids):
                self._together.pop((address, members), None)

    def words(self, index: Searched) -> Callable[[], Lexical]:
        """Return what gives the index of words over the same chunks, made when it is first asked for."""
        return partial(self._lexical, index)

    def _lexical(self, index: Searched) -> Lexical:
        if index.lexical is None:
            index.lexical = Lexical(Words.joined(self._counted(index)), index.at)
        return index.lexical

    def _counted(self, index: Searched) -> Iterator[Words]:
        """Yield the words of each document, counted unless that was done before."""
        key = index.address.chunks
        for doc_id, kept in zip(index.doc_ids, self._embeddings.words_each(index.doc_ids, key, RULE), strict=True):
            if kept is not None:
                yield Words.load(kept)
                continue
            words = counted(index.cut(doc_id))
            self._embeddings.save_words(doc_id, key, RULE, words.dump())
            yield words


def emptied() -> EmptyCollection:
    """Return the error for a collection that has nothing left to search."""
    return EmptyCollection("no document of this collection has a page to search: add some, or delete it")


def _shifted(progress: Progress, before: int, total: int, done: int, _: int) -> None:
    progress(before + done, total)
