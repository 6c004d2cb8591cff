"""Search the chunks of one document by cosine, in Chroma."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType

import numpy as np

from rag_core.datatypes import Chunk, Ranking
from rag_core.keeping.chroma import Address, Store
from rag_core.search import distinct
from rag_core.search.distinct import Firsts
from rag_core.search.lexical import Lexical

NOTHING: Mapping[str, float] = MappingProxyType({})


class Index:
    """The chunks of one document, ready to be searched.

    ``prepared`` are the seconds that reading and embedding took when they were done.
    """

    prepared = NOTHING

    def __init__(
        self, store: Store, address: Address, chunks: Sequence[Chunk], vectors: Callable[[], np.ndarray]
    ) -> None:
        self.store, self.address, self.chunks, self._vectors = store, address, list(chunks), vectors
        self.lexical: Lexical | None = None
        self.by_id = {chunk.id: chunk for chunk in self.chunks}

    @property
    def size(self) -> int:
        """How many chunks are searched."""
        return len(self.chunks)

    def prepare(self) -> Index:
        """Build the collection now where it is missing or does not match, so that no search pays for it."""
        self.store.ready(self)
        return self

    @property
    def doc_ids(self) -> tuple[str, ...]:
        """The document that is searched."""
        return (self.address.doc_id,)

    def at(self, rows: np.ndarray) -> list[Chunk]:
        """Return the chunks of some rows."""
        return [self.chunks[row] for row in rows]

    def cut(self, _: str) -> list[Chunk]:
        """Return the document's chunks."""
        return self.chunks

    @cached_property
    def firsts(self) -> Firsts:
        """Return the candidate that stands for each chunk: chunks with the same words are one."""
        return distinct.firsts(self.chunks)

    def take_notice(self) -> bool:
        """Say, once, whether the collection was damaged and built again."""
        rebuilt = self.address.name in self.store.rebuilt
        self.store.rebuilt.discard(self.address.name)
        return rebuilt

    def search(self, queries: Sequence[str], embeddings: np.ndarray, depth: int) -> list[Ranking]:
        """Return one ranking by cosine similarity per query, at most ``depth`` long.

        ``embeddings`` is float32 of shape (queries, dimension).
        """
        ids, distances = self.store.query(self, embeddings, min(depth, len(self.chunks)))
        return [
            Ranking.from_scores("vector", query, [self.by_id[i] for i in nearest], similarities(far))
            for query, nearest, far in zip(queries, ids, distances, strict=True)
        ]

    @property
    def vectors(self) -> np.ndarray:
        """The embeddings in the order of the chunks, float32 of shape (chunks, dimension)."""
        return self._vectors()


def similarities(distances: Sequence[float]) -> np.ndarray:
    """Return cosine similarities; a server writes its float32 distances in decimals, and they are made those again."""
    return 1 - np.asarray(distances, np.float32).astype(float)
