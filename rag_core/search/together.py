"""Search the chunks of several documents as one: every vector is looked at, so what is found is exact.

All members' vectors stand in one matrix in memory, read from the library: on disk there is nothing beside that. The
chunks of a member are made when the first of them is found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from rag_core.datatypes import Chunk, Ranking
from rag_core.errors import DocumentMissing
from rag_core.keeping.chroma import Address, other_size
from rag_core.keeping.embeddings import Embeddings, Version
from rag_core.search import distinct
from rag_core.search.index import Index
from rag_core.search.lexical import Lexical

ROUNDING = 1e-6
"""A product of float32 rows differs by less than this with the place of the row in a matrix."""


@dataclass(frozen=True, slots=True)
class Stacked:
    """The vectors of documents, one document below the other: float32 of shape (chunks, dimension).

    The first row of the document at ``i`` is ``starts[i]``; ``seconds`` is how long embedding them all took.
    """

    vectors: np.ndarray
    starts: np.ndarray
    seconds: float

    @classmethod
    def made(cls, parts: Iterable[Embeddings]) -> Stacked:
        """Stack the embeddings; of those that are not stacked yet only one is in memory at a time."""
        rows, starts, seconds, dimension = bytearray(), [0], 0.0, 1
        for part in parts:
            rows += np.ascontiguousarray(part.vectors).data
            starts.append(starts[-1] + len(part.vectors))
            seconds, dimension = seconds + part.seconds, part.vectors.shape[1]
        return cls(np.frombuffer(rows, np.float32).reshape(-1, dimension), np.array(starts), seconds)


class Together:
    """The chunks of several documents, ready to be searched; kept between comparisons, so nobody may change it.

    ``versions`` are those of the members that are searched. ``cut`` returns a member's chunks as they were embedded.
    """

    def __init__(
        self,
        address: Address,
        versions: Mapping[str, Version],
        stacked: Stacked,
        cut: Callable[[str], list[Chunk]],
    ) -> None:
        self.address, self.versions, self.vectors, self._starts = address, versions, stacked.vectors, stacked.starts
        self.doc_ids, self._cut = tuple(versions), cut
        self._sizes = dict(zip(self.doc_ids, np.diff(stacked.starts), strict=True))
        read = sum(version.read_seconds for version in versions.values())
        self.prepared = {"parse": read, "embed": stacked.seconds}
        self.lexical: Lexical | None = None
        self.firsts: dict[str, Chunk] = {}
        self._chunks: dict[str, list[Chunk]] = {}

    @property
    def size(self) -> int:
        """How many chunks are searched."""
        return len(self.vectors)

    @cached_property
    def chunks(self) -> list[Chunk]:
        """The chunks of all members, in reading order, member after member."""
        return [chunk for member in self.doc_ids for chunk in self._of(member)]

    @cached_property
    def by_id(self) -> dict[str, Chunk]:
        """All chunks by their ids."""
        return {chunk.id: chunk for chunk in self.chunks}

    def take_notice(self) -> bool:
        """Say that no index was damaged and built again: the library's vectors are searched themselves."""
        return False

    def search(self, queries: Sequence[str], embeddings: np.ndarray, depth: int) -> list[Ranking]:
        """Return one ranking by cosine similarity per query, at most ``depth`` long.

        ``embeddings`` is float32 of shape (queries, dimension).
        """
        asked, stored = embeddings.shape[1], self.vectors.shape[1]
        if asked != stored:
            raise other_size(asked, stored, self.address.embedder)
        near = embeddings @ self.vectors.T
        return [self._ranking(*one, depth) for one in zip(queries, embeddings, near, strict=True)]

    def _ranking(self, query: str, embedding: np.ndarray, near: np.ndarray, depth: int) -> Ranking:
        rows = nearest(near, depth)
        # Summed row by row, the same vectors have the same score wherever they stand.
        scores = (self.vectors[rows].astype(float) * embedding).sum(axis=1).astype(np.float32)
        best = np.argsort(-scores, kind="stable")[:depth]
        return Ranking.from_scores("vector", query, self.at(rows[best]), scores[best])

    def at(self, rows: np.ndarray) -> list[Chunk]:
        """Return the chunks of some rows."""
        places = np.searchsorted(self._starts, rows, side="right") - 1
        within = rows - self._starts[places]
        return [self._of(self.doc_ids[place])[row] for place, row in zip(places, within, strict=True)]

    def cut(self, member: str) -> list[Chunk]:
        """Return a member's chunks, which are made anew.

        Raises:
            DocumentMissing: they are not those that were opened.
        """
        chunks = self._cut(member)
        if len(chunks) != self._sizes[member]:
            raise changed(member)
        return chunks

    def _of(self, member: str) -> list[Chunk]:
        """Return a member's chunks, which are kept."""
        if member not in self._chunks:
            chunks = self.cut(member)
            self.firsts |= distinct.firsts(chunks)
            self._chunks[member] = chunks
        return self._chunks[member]


Searched = Index | Together


def nearest(near: np.ndarray, depth: int) -> np.ndarray:
    """Return the rows among which the nearest ``depth`` are, in their order."""
    if depth >= len(near):
        return np.arange(len(near))
    return np.flatnonzero(near >= np.partition(near, -depth)[-depth] - ROUNDING)


def changed(doc_id: str) -> DocumentMissing:
    """Return the error for a document that was deleted or read otherwise after it was opened."""
    return DocumentMissing(f"no document {doc_id!r} here as it was opened: compare again", doc_id=doc_id)
