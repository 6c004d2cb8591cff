"""What was computed from a document: its chunks, their words and embeddings, and the scores that rerankers gave them.

What is not as it was kept is taken as not there, and computed again.
"""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from rag_core.datatypes import Chunk, Part, Scored
from rag_core.errors import DocumentMissing
from rag_core.keeping import checksums
from rag_core.keeping.database import Database
from rag_core.keeping.documents import DocumentStore

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Embeddings:
    """Float32 vectors of shape (chunks, dimension), and the seconds it took to make them."""

    vectors: np.ndarray
    seconds: float


class Version(NamedTuple):
    """What a document and its cut are told by: another title, text or cut has another checksum.

    ``read_seconds`` is how long reading it took.
    """

    checksum: str
    read_seconds: float


@dataclass(frozen=True, slots=True)
class Scores:
    """What a reranker gave for one question: scores by chunk id, and the seconds that scoring them took.

    ``parts`` says what of a chunk's passage its score is of, None for the whole; of scores from an older version that
    is unknown.
    """

    by_chunk: Mapping[str, float]
    seconds: float
    parts: Mapping[str, Part | None] = field(default_factory=dict)

    @classmethod
    def made(cls, chunk_ids: Sequence[str], scored: Scored, seconds: float) -> Scores:
        """Return what a reranker made of these chunks in so many seconds."""
        by_chunk = dict(zip(chunk_ids, map(float, scored.scores), strict=True))
        return cls(by_chunk, seconds, dict(zip(chunk_ids, scored.parts, strict=True)))

    @property
    def per_pair(self) -> float:
        """Seconds for one pair."""
        return self.seconds / max(len(self.by_chunk), 1)

    def extended(self, fresh: Scores) -> Scores:
        """Return these scores together with others, which take the place of those of the same chunks."""
        stay = len(self.by_chunk.keys() - fresh.by_chunk.keys())
        by_chunk, parts = {**self.by_chunk, **fresh.by_chunk}, {**self.parts, **fresh.parts}
        return Scores(by_chunk, self.per_pair * stay + fresh.seconds, parts)

    def of(self, chunk_ids: Iterable[str]) -> Scores:
        """Return the scores of these chunks alone, with their share of the seconds."""
        by_chunk = {chunk_id: self.by_chunk[chunk_id] for chunk_id in chunk_ids}
        parts = {chunk_id: self.parts[chunk_id] for chunk_id in by_chunk if chunk_id in self.parts}
        return Scores(by_chunk, self.per_pair * len(by_chunk), parts)


class EmbeddingStore:
    """What was computed from the documents of a library; it goes where their pages change."""

    def __init__(self, database: Database, documents: DocumentStore) -> None:
        self._database, self._documents = database, documents

    def save_chunks(self, doc_id: str, key: str, chunks: Sequence[Chunk]) -> None:
        """Keep where a document was cut; what is kept of this cut already stays, unless it is damaged."""
        row = checksums.sealed(doc_id, key, json.dumps([_span(chunk) for chunk in chunks]))
        with self._database.open() as connection:
            query = f"SELECT rowid, {checksums.ROWS['chunkings']}, checksum FROM chunkings WHERE doc_id = ? AND key = ?"
            for number, *kept in connection.execute(query, (doc_id, key)).fetchall():
                if not checksums.holds(kept):
                    connection.execute("DELETE FROM chunkings WHERE rowid = ?", (number,))
            connection.execute("INSERT OR IGNORE INTO chunkings VALUES (?, ?, ?, ?)", row)

    def chunks(self, doc_id: str, key: str) -> list[Chunk] | None:
        """Return the chunks as they were cut, or None when the document was not cut this way yet.

        Raises:
            DocumentDamaged: the text of the document is not as it was.
        """
        with self._database.open() as connection:
            row = _whole(connection, "chunkings", "doc_id = ? AND key = ?", doc_id, key)
        if row is None:
            return None
        texts = {page.number: page.text for page in self._documents.load(doc_id).pages}
        return [
            Chunk(f"{doc_id}-{key}-{number:05d}", doc_id, texts[page][start:end], page, start, end, head="".join(head))
            for number, (page, start, end, *head) in enumerate(json.loads(row[2]), 1)
        ]

    def versions(self, doc_ids: Sequence[str], key: str) -> dict[str, Version]:
        """Return the versions of those documents that were cut this way, in their order."""
        query = (
            "SELECT documents.id, documents.checksum || chunkings.checksum, read_seconds FROM json_each(?) AS asked "
            "JOIN documents ON documents.id = asked.value JOIN chunkings ON doc_id = documents.id AND chunkings.key = ?"
        )
        with self._database.open() as connection:
            rows = connection.execute(query, (json.dumps(doc_ids), key)).fetchall()
        versions = {doc_id: Version(*version) for doc_id, *version in rows}
        return {doc_id: versions[doc_id] for doc_id in doc_ids if doc_id in versions}

    def save_words(self, doc_id: str, key: str, rule: int, counted: bytes) -> None:
        """Keep a document's words, counted in the chunks of this cut by a rule, unless it was cut otherwise since."""
        row = checksums.sealed(doc_id, key, rule, counted)
        there = "WHERE EXISTS (SELECT 1 FROM chunkings WHERE doc_id = ?1 AND key = ?2)"
        with self._database.open() as connection:
            connection.execute(f"INSERT OR REPLACE INTO words SELECT ?1, ?2, ?3, ?4, ?5 {there}", row)

    def words_each(self, doc_ids: Sequence[str], key: str, rule: int) -> Iterator[bytes | None]:
        """Yield each document's words as they were counted by this rule, or None where they were not."""
        with self._database.open() as connection:
            for doc_id in doc_ids:
                row = _whole(connection, "words", "doc_id = ? AND key = ? AND rule = ?", doc_id, key, rule)
                yield row[3] if row else None

    def save(self, doc_id: str, key: str, embedder: str, embeddings: Embeddings) -> None:
        """Keep a document's embeddings in place of those that this embedder made of this cut before."""
        vectors = np.ascontiguousarray(embeddings.vectors, np.float32)
        row = checksums.sealed(doc_id, key, embedder, vectors.shape[1], vectors.tobytes(), embeddings.seconds)
        with self._database.open() as connection:
            connection.execute("INSERT OR REPLACE INTO embeddings VALUES (?, ?, ?, ?, ?, ?, ?)", row)

    def load(self, doc_id: str, key: str, embedder: str) -> Embeddings | None:
        """Return the stored embeddings, or None when there are none; they were written whole or not at all."""
        [stored] = self.load_each([doc_id], key, embedder)
        return stored

    def load_each(self, doc_ids: Sequence[str], key: str, embedder: str) -> Iterator[Embeddings | None]:
        """Yield what ``load`` returns for each document, without opening the library for each."""
        with self._database.open() as connection:
            where = "doc_id = ? AND key = ? AND embedder = ?"
            for doc_id in doc_ids:
                row = _whole(connection, "embeddings", where, doc_id, key, embedder)
                yield Embeddings(np.frombuffer(row[4], np.float32).reshape(-1, row[3]), row[5]) if row else None

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

    def embedded(self, doc_ids: Sequence[str], key: str, embedder: str) -> set[str]:
        """Return those of the documents of which an embedder's embeddings of this cut are kept."""
        each = "doc_id IN (SELECT value FROM json_each(?))"
        query = f"SELECT doc_id FROM embeddings WHERE {each} AND key = ? AND embedder = ?"
        with self._database.open() as connection:
            return {doc_id for (doc_id,) in connection.execute(query, (json.dumps(doc_ids), key, embedder))}

    def seconds(self, doc_id: str, key: str, embedder: str) -> dict[str, float]:
        """Return how long ``parse`` and ``embed`` took when they were done; a step not done yet is missing.

        No checksum is looked at: that of the embeddings is over all their vectors.
        """
        with self._database.open() as connection:
            parse = connection.execute("SELECT read_seconds FROM documents WHERE id = ?", (doc_id,)).fetchone()
            query = "SELECT seconds FROM embeddings WHERE doc_id = ? AND key = ? AND embedder = ?"
            embed = connection.execute(query, (doc_id, key, embedder)).fetchone()
        return {step: row[0] for step, row in (("parse", parse), ("embed", embed)) if row and isinstance(row[0], float)}

    def scores(self, doc_ids: Sequence[str], key: str, weights: str, query: str) -> Scores:
        """Return what a reranker with these weights gave documents for a question so far; it may be nothing."""
        with self._database.open() as connection:
            each = "doc_id IN (SELECT value FROM json_each(?))"
            where = f"{each} AND key = ? AND weights = ? AND query = ?"
            rows = _all_whole(connection, "scores", where, json.dumps(doc_ids), key, weights, query)
        entries = {chunk_id: entry for row in rows for chunk_id, entry in json.loads(row[4]).items()}
        noted = {chunk_id: entry for chunk_id, entry in entries.items() if isinstance(entry, list)}
        by_chunk = entries | {chunk_id: entry[0] for chunk_id, entry in noted.items()}
        parts = {chunk_id: Part(*entry[1:]) if entry[1:] else None for chunk_id, entry in noted.items()}
        return Scores(by_chunk, sum(row[5] for row in rows), parts)

    def save_scores(self, key: str, weights: str, query: str, by_document: Mapping[str, Scores]) -> None:
        """Keep a reranker's scores for a question in place of those that are kept of these documents' cut.

        A document that is gone by now, or was read otherwise, takes none.
        """
        there = "WHERE EXISTS (SELECT 1 FROM chunkings WHERE doc_id = ?1 AND key = ?2)"
        rows = [
            checksums.sealed(doc_id, key, weights, query, json.dumps(_entries(scores)), scores.seconds)
            for doc_id, scores in by_document.items()
        ]
        with self._database.open() as connection:
            connection.executemany(f"INSERT OR REPLACE INTO scores SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 {there}", rows)


def _all_whole(connection: sqlite3.Connection, table: str, where: str, *values: str | int) -> list[tuple]:
    """Return the rows that are as they were kept, of those that there are."""
    query = f"SELECT {checksums.ROWS[table]}, checksum FROM {table} WHERE {where}"
    rows = connection.execute(query, values).fetchall()
    whole = [row for row in rows if checksums.holds(row)]
    if len(whole) < len(rows):
        log.warning("%s of %s are damaged and made again", table, values[0])
    return whole


def _whole(connection: sqlite3.Connection, table: str, where: str, *values: str | int) -> tuple | None:
    """Return a row that is as it was kept, or None."""
    return next(iter(_all_whole(connection, table, where, *values)), None)


def _span(chunk: Chunk) -> tuple[object, ...]:
    """Return a chunk's place, with its head where it has one: what was embedded without heads stays so."""
    place = (chunk.page, chunk.start, chunk.end)
    return (*place, chunk.head) if chunk.head else place


def _entries(scores: Scores) -> dict[str, object]:
    """Put a score in a list with its part, or with nothing where it is of the whole; it stands alone where unknown."""
    parts = {chunk_id: [part.start, part.end, part.of] if part else [] for chunk_id, part in scores.parts.items()}
    return {
        chunk_id: [score, *parts[chunk_id]] if chunk_id in parts else score
        for chunk_id, score in scores.by_chunk.items()
    }
