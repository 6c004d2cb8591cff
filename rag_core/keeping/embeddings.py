"""What was computed from a document: its chunks, their embeddings, and the scores that rerankers gave them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rag_core.datatypes import Chunk
from rag_core.errors import DocumentMissing
from rag_core.keeping.database import Database


@dataclass(frozen=True, slots=True)
class Embeddings:
    """Float32 vectors of shape (chunks, dimension), and the seconds it took to make them."""

    vectors: np.ndarray
    seconds: float


@dataclass(frozen=True, slots=True)
class Scores:
    """What a reranker gave for one question: scores by chunk id, and the seconds that scoring them took."""

    by_chunk: Mapping[str, float]
    seconds: float

    @property
    def per_pair(self) -> float:
        """Seconds for one pair."""
        return self.seconds / max(len(self.by_chunk), 1)


class EmbeddingStore:
    """What was computed from the documents of a library; it goes where their pages change."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save_chunks(self, doc_id: str, key: str, chunks: Sequence[Chunk]) -> None:
        """Keep where a document was cut; what is kept of this cut already stays."""
        spans = json.dumps([(chunk.page, chunk.start, chunk.end) for chunk in chunks])
        with self._database.open() as connection:
            connection.execute("INSERT OR IGNORE INTO chunkings VALUES (?, ?, ?)", (doc_id, key, spans))

    def chunks(self, doc_id: str, key: str) -> list[Chunk] | None:
        """Return the chunks as they were cut, or None when the document was not cut this way yet."""
        with self._database.open() as connection:
            query = "SELECT spans FROM chunkings WHERE doc_id = ? AND key = ?"
            row = connection.execute(query, (doc_id, key)).fetchone()
            texts = dict(connection.execute("SELECT number, text FROM pages WHERE doc_id = ?", (doc_id,)))
        if row is None:
            return None
        return [
            Chunk(f"{doc_id}-{key}-{number:05d}", doc_id, texts[page][start:end], page, start, end)
            for number, (page, start, end) in enumerate(json.loads(row[0]), 1)
        ]

    def save(self, doc_id: str, key: str, embedder: str, embeddings: Embeddings) -> None:
        """Keep a document's embeddings in place of those that this embedder made of this cut before."""
        vectors = np.ascontiguousarray(embeddings.vectors, np.float32)
        row = (doc_id, key, embedder, vectors.shape[1], vectors.tobytes(), embeddings.seconds)
        with self._database.open() as connection:
            connection.execute("INSERT OR REPLACE INTO embeddings VALUES (?, ?, ?, ?, ?, ?)", row)

    def load(self, doc_id: str, key: str, embedder: str) -> Embeddings | None:
        """Return the stored embeddings, or None when there are none; they were written whole or not at all."""
        with self._database.open() as connection:
            query = "SELECT dimension, vectors, seconds FROM embeddings WHERE doc_id = ? AND key = ? AND embedder = ?"
            row = connection.execute(query, (doc_id, key, embedder)).fetchone()
        return row and Embeddings(np.frombuffer(row[1], np.float32).reshape(-1, row[0]), row[2])

    def vectors(self, doc_id: str, key: str, embedder: str) -> np.ndarray:
        """Return the stored embeddings' vectors.

        Raises:
            DocumentMissing: the document is gone, and they with it.
        """
        stored = self.load(doc_id, key, embedder)
        if stored is None:
            raise DocumentMissing(f"no document {doc_id!r} here: upload it again", doc_id=doc_id)
        return stored.vectors

    def has(self, doc_id: str, key: str, embedder: str) -> bool:
        """Say whether an embedder's embeddings of this cut are kept."""
        return "embed" in self.seconds(doc_id, key, embedder)

    def seconds(self, doc_id: str, key: str, embedder: str) -> dict[str, float]:
        """Return how long ``parse`` and ``embed`` took when they were done; a step not done yet is missing."""
        with self._database.open() as connection:
            parse = connection.execute("SELECT read_seconds FROM documents WHERE id = ?", (doc_id,)).fetchone()
            query = "SELECT seconds FROM embeddings WHERE doc_id = ? AND key = ? AND embedder = ?"
            embed = connection.execute(query, (doc_id, key, embedder)).fetchone()
        return {step: row[0] for step, row in (("parse", parse), ("embed", embed)) if row}

    def scores(self, doc_id: str, key: str, weights: str, query: str) -> Scores:
        """Return what a reranker with these weights gave for a question so far; it may be nothing."""
        with self._database.open() as connection:
            where = "SELECT scores, seconds FROM scores WHERE doc_id = ? AND key = ? AND weights = ? AND query = ?"
            row = connection.execute(where, (doc_id, key, weights, query)).fetchone()
        return Scores(json.loads(row[0]), row[1]) if row else Scores({}, 0.0)

    def save_scores(self, doc_id: str, key: str, weights: str, query: str, scores: Scores) -> None:
        """Keep a reranker's scores for a question in place of those that are kept of this cut."""
        row = (doc_id, key, weights, query, json.dumps(dict(scores.by_chunk)), scores.seconds)
        with self._database.open() as connection:
            connection.execute("INSERT OR REPLACE INTO scores VALUES (?, ?, ?, ?, ?, ?)", row)
