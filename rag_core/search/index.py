"""Search embeddings by cosine: the chunks of one document, or of several together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from rag_core.datatypes import Chunk, Ranking
from rag_core.keeping.chroma import Address, Store


class Index:
    """The chunks of one document, ready to be searched."""

    def __init__(
        self, store: Store, address: Address, chunks: Sequence[Chunk], vectors: Callable[[], np.ndarray]
    ) -> None:
        self.store, self.address, self.chunks, self._vectors = store, address, list(chunks), vectors
        self.by_id = {chunk.id: chunk for chunk in self.chunks}

    def prepare(self) -> Index:
        """Build the collection now where it is missing or does not match, so that no search pays for it."""
        self.store.ready(self)
        return self

    @property
    def doc_ids(self) -> tuple[str, ...]:
        """The document that is searched."""
        return (self.address.doc_id,)

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


class Together:
    """The indexes of several documents, searched as one; a member comes or goes without another being embedded."""

    def __init__(self, address: Address, parts: Sequence[Index]) -> None:
        self.address, self.parts = address, list(parts)
        self.chunks = [chunk for part in self.parts for chunk in part.chunks]
        self.by_id = {chunk.id: chunk for chunk in self.chunks}

    @property
    def doc_ids(self) -> tuple[str, ...]:
        """The documents that are searched."""
        return tuple(part.address.doc_id for part in self.parts)

    def search(self, queries: Sequence[str], embeddings: np.ndarray, depth: int) -> list[Ranking]:
        """Return one ranking by cosine similarity per query over all members; one embedder made all the vectors."""
        by_part = [part.search(queries, embeddings, depth) for part in self.parts]
        return [
            _merge(query, rankings, depth) for query, rankings in zip(queries, zip(*by_part, strict=True), strict=True)
        ]

    def take_notice(self) -> bool:
        """Say, once, whether any of the collections was damaged and built again."""
        return any([part.take_notice() for part in self.parts])

    @property
    def vectors(self) -> np.ndarray:
        """The embeddings in the order of the chunks, float32 of shape (chunks, dimension)."""
        return np.concatenate([part.vectors for part in self.parts])


Searched = Index | Together


def _merge(query: str, rankings: Sequence[Ranking], depth: int) -> Ranking:
    hits = [hit for ranking in rankings for hit in ranking.hits]
    merged = Ranking.from_scores("vector", query, [hit.chunk for hit in hits], [hit.score for hit in hits])
    return replace(merged, hits=merged.top(depth))


def similarities(distances: Sequence[float]) -> np.ndarray:
    """Return cosine similarities; a server writes its float32 distances in decimals, and they are made those again."""
    return 1 - np.asarray(distances, np.float32).astype(float)
