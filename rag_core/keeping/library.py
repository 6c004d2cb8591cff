"""The truth about the reader's documents: pages, chunks and embeddings in one SQLite file.

The vector index beside it can be lost at any time and is built again from here without embedding again.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from filelock import FileLock

from rag_core.datatypes import Chunk, Document, Judgment, Page, PageReading, Span
from rag_core.errors import DocumentMissing, HistoryMissing
from rag_core.keeping.disk import unwritable
from rag_core.reading import quality

SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    id TEXT PRIMARY KEY, title TEXT NOT NULL, language TEXT NOT NULL, added REAL NOT NULL, read_seconds REAL NOT NULL,
    owner TEXT NOT NULL DEFAULT '', drop_repeated INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS members (
    collection_id TEXT REFERENCES documents ON DELETE CASCADE, doc_id TEXT REFERENCES documents ON DELETE CASCADE,
    PRIMARY KEY (collection_id, doc_id));
CREATE TABLE IF NOT EXISTS pages (
    doc_id TEXT REFERENCES documents ON DELETE CASCADE, number INTEGER, text TEXT NOT NULL,
    PRIMARY KEY (doc_id, number));
CREATE TABLE IF NOT EXISTS readings (
    doc_id TEXT REFERENCES documents ON DELETE CASCADE, number INTEGER, extracts TEXT NOT NULL,
    extractor TEXT NOT NULL, left_out INTEGER NOT NULL, PRIMARY KEY (doc_id, number));
CREATE TABLE IF NOT EXISTS files (
    doc_id TEXT PRIMARY KEY REFERENCES documents ON DELETE CASCADE, data BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS chunkings (
    doc_id TEXT REFERENCES documents ON DELETE CASCADE, key TEXT, spans TEXT NOT NULL,
    PRIMARY KEY (doc_id, key));
CREATE TABLE IF NOT EXISTS embeddings (
    doc_id TEXT, key TEXT, embedder TEXT, dimension INTEGER NOT NULL, vectors BLOB NOT NULL, seconds REAL NOT NULL,
    PRIMARY KEY (doc_id, key, embedder),
    FOREIGN KEY (doc_id, key) REFERENCES chunkings ON DELETE CASCADE);
CREATE TABLE IF NOT EXISTS scores (
    doc_id TEXT, key TEXT, weights TEXT, query TEXT, scores TEXT NOT NULL, seconds REAL NOT NULL,
    PRIMARY KEY (doc_id, key, weights, query),
    FOREIGN KEY (doc_id, key) REFERENCES chunkings ON DELETE CASCADE);
CREATE TABLE IF NOT EXISTS questions (
    doc_id TEXT REFERENCES documents ON DELETE CASCADE, number INTEGER, text TEXT, PRIMARY KEY (doc_id, text));
CREATE TABLE IF NOT EXISTS judgments (
    number INTEGER PRIMARY KEY AUTOINCREMENT, doc_id TEXT REFERENCES documents ON DELETE CASCADE,
    question TEXT NOT NULL, page INTEGER NOT NULL, start INTEGER NOT NULL, quote TEXT NOT NULL, grade INTEGER NOT NULL,
    judge TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS history (
    number INTEGER PRIMARY KEY AUTOINCREMENT, doc_id TEXT REFERENCES documents ON DELETE CASCADE,
    name TEXT NOT NULL, made TEXT NOT NULL, content TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS stays (owner TEXT PRIMARY KEY, seen REAL NOT NULL);
"""

ADDED = {"owner": "TEXT NOT NULL DEFAULT ''", "drop_repeated": "INTEGER NOT NULL DEFAULT 0"}
"""Columns of documents that an older file lacks."""

# Not a replacement: what refers to the row would go with it.
UPSERT = """
INSERT INTO documents (id, title, language, added, read_seconds, owner) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET title = excluded.title, language = excluded.language, added = excluded.added,
    read_seconds = excluded.read_seconds, owner = excluded.owner
"""

FROM_OUTSIDE = (sqlite3.OperationalError, sqlite3.DatabaseError)
"""What SQLite raises for a disk, a folder or a file that fails it; the other kinds are faults of a statement."""


MOST_KEPT = 20
"""So many comparisons of a document are kept."""

LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Entry:
    """A comparison of a document's history; ``made`` is its time in UTC."""

    number: int
    name: str
    made: str


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


class Library:
    """One SQLite file. Every method opens its own connection, so threads need no care; each write is one transaction.

    Raises:
        LibraryUnwritable, DiskFull: the file cannot be created or written. Every method raises them.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with self._open() as connection:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.executescript(SCHEMA)
                known = {row[1] for row in connection.execute("PRAGMA table_info(documents)")}
                for column, kind in ADDED.items():
                    if column not in known:
                        connection.execute(f"ALTER TABLE documents ADD COLUMN {column} {kind}")
        except OSError as error:
            raise unwritable(file.parent, error) from error
        # While one connection is open SQLite keeps its log's index, and can read on a disk that has no room for it.
        self._reading = sqlite3.connect(file, check_same_thread=False)
        self._reading.execute("SELECT count(*) FROM documents").fetchall()

    def close(self) -> None:
        self._reading.close()

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """Open a connection for one transaction, which is rolled back where anything fails inside."""
        try:
            with closing(sqlite3.connect(self.file, timeout=30)) as connection, connection:
                connection.execute("PRAGMA foreign_keys = ON")
                yield connection
        except sqlite3.DatabaseError as error:
            if type(error) not in FROM_OUTSIDE:
                raise
            raise unwritable(self.file.parent, error) from error

    def save(
        self,
        document: Document,
        read_seconds: float = 0.0,
        owner: str = "",
        readings: Sequence[PageReading] = (),
        drop_repeated: bool = False,
        data: bytes | None = None,
    ) -> None:
        """Add a document with its pages, or put it in place of the one with the same id.

        Without an owner it is everybody's. ``readings`` say how its pages were read, ``data`` is its file.
        Where the pages are the same as before, its chunks and embeddings stay; its judgments stay in any case.
        """
        row = (document.id, document.title, document.language, time.time(), read_seconds, owner)
        with self._open() as connection:
            connection.execute(UPSERT, row)
            _put_pages(connection, document)
            _put_readings(connection, document.id, readings, drop_repeated)
            if data is not None:
                connection.execute("INSERT OR REPLACE INTO files VALUES (?, ?)", (document.id, data))

    def choose(self, document: Document, readings: Sequence[PageReading], drop_repeated: bool) -> None:
        """Put these pages in place of a document's, with the choices among its readings that they follow from."""
        with self._open() as connection:
            connection.execute("UPDATE documents SET language = ? WHERE id = ?", (document.language, document.id))
            _put_pages(connection, document)
            _put_readings(connection, document.id, readings, drop_repeated)

    def file_of(self, doc_id: str) -> bytes | None:
        """Return the bytes that a document was read from, or None for one that was read before they were kept."""
        with self._open() as connection:
            row = connection.execute("SELECT data FROM files WHERE doc_id = ?", (doc_id,)).fetchone()
        return row and row[0]

    def readings(self, doc_id: str) -> tuple[list[PageReading], bool]:
        """Return how the pages were read, and whether repeated lines are dropped.

        The list is empty for a document that was read before this was kept.
        """
        with self._open() as connection:
            query = "SELECT number, extracts, extractor, left_out FROM readings WHERE doc_id = ? ORDER BY number"
            rows = connection.execute(query, (doc_id,)).fetchall()
            dropped = connection.execute("SELECT drop_repeated FROM documents WHERE id = ?", (doc_id,)).fetchone()
        readings = [
            PageReading(number, quality.load(extracts), extractor, bool(left_out))
            for number, extracts, extractor, left_out in rows
        ]
        return readings, bool(dropped and dropped[0])

    def titles(self, owner: str = "", collections: bool = True) -> dict[str, str]:
        """Return ids and titles of an owner's documents, newest first; without collections only those with pages."""
        paged = "" if collections else "AND EXISTS (SELECT 1 FROM pages WHERE doc_id = id) "
        with self._open() as connection:
            query = f"SELECT id, title FROM documents WHERE owner = ? {paged}ORDER BY added DESC, id"
            return dict(connection.execute(query, (owner,)))

    def title(self, doc_id: str) -> str:
        """Return a document's title.

        Raises:
            DocumentMissing: it is not here.
        """
        with self._open() as connection:
            row = connection.execute("SELECT title FROM documents WHERE id = ?", (doc_id,)).fetchone()
        if row is None:
            raise _missing(doc_id)
        return row[0]

    def report_stays(self, staying: Collection[str], gone: Collection[str]) -> None:
        """Write down which owners are seen by this process now, and which of its own have left."""
        rows = [(owner, time.time()) for owner in staying] + [(owner, 0.0) for owner in gone]
        with self._open() as connection:
            connection.executemany("INSERT OR REPLACE INTO stays VALUES (?, ?)", rows)

    def left_behind(self, unseen_since: float, added_before: float) -> list[str]:
        """Return the ids of documents whose owner no process has seen since, and of those that are older."""
        with self._open() as connection:
            query = (
                "SELECT id FROM documents LEFT JOIN stays USING (owner) "
                "WHERE owner != '' AND (COALESCE(seen, added) < ? OR added < ?)"
            )
            return [row[0] for row in connection.execute(query, (unseen_since, added_before))]

    def load(self, doc_id: str) -> Document:
        """Return a document.

        Raises:
            DocumentMissing: the library does not hold it.
        """
        with self._open() as connection:
            row = connection.execute("SELECT title, language FROM documents WHERE id = ?", (doc_id,)).fetchone()
            query = "SELECT number, text FROM pages WHERE doc_id = ? ORDER BY number"
            pages = tuple(Page(*page) for page in connection.execute(query, (doc_id,)))
            query = "SELECT doc_id FROM members WHERE collection_id = ? ORDER BY rowid"
            members = tuple(row[0] for row in connection.execute(query, (doc_id,)))
        if row is None:
            raise _missing(doc_id)
        return Document(doc_id, *row, pages, members)

    def save_members(self, collection: Document, owner: str = "") -> None:
        """Add a collection with its members, or give the one with the same id this title and these members."""
        row = (collection.id, collection.title, collection.language, time.time(), 0.0, owner)
        with self._open() as connection:
            connection.execute(UPSERT, row)
            connection.execute("DELETE FROM members WHERE collection_id = ?", row[:1])
            connection.executemany(
                "INSERT INTO members VALUES (?, ?)", [(collection.id, member) for member in collection.members]
            )

    def delete(self, doc_id: str) -> None:
        """Remove a document with its chunks and embeddings; nothing happens when it is not there."""
        with self._open() as connection:
            connection.execute("DELETE FROM documents WHERE id = ?", (doc_id,))

    def save_chunks(self, doc_id: str, key: str, chunks: Sequence[Chunk]) -> None:
        spans = json.dumps([(chunk.page, chunk.start, chunk.end) for chunk in chunks])
        with self._open() as connection:
            connection.execute("INSERT OR IGNORE INTO chunkings VALUES (?, ?, ?)", (doc_id, key, spans))

    def chunks(self, doc_id: str, key: str) -> list[Chunk] | None:
        """Return the chunks as they were cut, or None when the document was not cut this way yet."""
        with self._open() as connection:
            query = "SELECT spans FROM chunkings WHERE doc_id = ? AND key = ?"
            row = connection.execute(query, (doc_id, key)).fetchone()
        if row is None:
            return None
        texts = {page.number: page.text for page in self.load(doc_id).pages}
        return [
            Chunk(f"{doc_id}-{key}-{number:05d}", doc_id, texts[page][start:end], page, start, end)
            for number, (page, start, end) in enumerate(json.loads(row[0]), 1)
        ]

    def save_embeddings(self, doc_id: str, key: str, embedder: str, embeddings: Embeddings) -> None:
        vectors = np.ascontiguousarray(embeddings.vectors, np.float32)
        row = (doc_id, key, embedder, vectors.shape[1], vectors.tobytes(), embeddings.seconds)
        with self._open() as connection:
            connection.execute("INSERT OR REPLACE INTO embeddings VALUES (?, ?, ?, ?, ?, ?)", row)

    def embeddings(self, doc_id: str, key: str, embedder: str) -> Embeddings | None:
        """Return the stored embeddings, or None when there are none; they were written whole or not at all."""
        with self._open() as connection:
            query = "SELECT dimension, vectors, seconds FROM embeddings WHERE doc_id = ? AND key = ? AND embedder = ?"
            row = connection.execute(query, (doc_id, key, embedder)).fetchone()
        return row and Embeddings(np.frombuffer(row[1], np.float32).reshape(-1, row[0]), row[2])

    def vectors(self, doc_id: str, key: str, embedder: str) -> np.ndarray:
        """Return the stored embeddings' vectors.

        Raises:
            DocumentMissing: the document is gone, and they with it.
        """
        found = self.embeddings(doc_id, key, embedder)
        if found is None:
            raise DocumentMissing(f"no document {doc_id!r} here: upload it again", doc_id=doc_id)
        return found.vectors

    @contextmanager
    def claim(self, *work: str) -> Iterator[None]:
        """Let one thread of one process at a time do this work; where it is killed, the next one goes on.

        The names are few, so that the files are too; now and then two works wait for each other.
        """
        name = hashlib.sha256("\0".join(work).encode()).hexdigest()[:3]
        lock = FileLock(self.file.parent / "claims" / f"{name}.lock")
        try:
            self.file.parent.joinpath("claims").mkdir(exist_ok=True)
            lock.acquire()
        except OSError as error:
            raise unwritable(self.file.parent, error) from error
        try:
            yield
        finally:
            lock.release()

    def has_embeddings(self, doc_id: str, key: str, embedder: str) -> bool:
        return "embed" in self.seconds(doc_id, key, embedder)

    def seconds(self, doc_id: str, key: str, embedder: str) -> dict[str, float]:
        """Return how long ``parse`` and ``embed`` took when they were done; a step not done yet is missing."""
        with self._open() as connection:
            parse = connection.execute("SELECT read_seconds FROM documents WHERE id = ?", (doc_id,)).fetchone()
            query = "SELECT seconds FROM embeddings WHERE doc_id = ? AND key = ? AND embedder = ?"
            embed = connection.execute(query, (doc_id, key, embedder)).fetchone()
        return {step: row[0] for step, row in (("parse", parse), ("embed", embed)) if row}

    def scores(self, doc_id: str, key: str, weights: str, query: str) -> Scores:
        """Return what a reranker with these weights gave for a question so far; it may be nothing."""
        with self._open() as connection:
            where = "SELECT scores, seconds FROM scores WHERE doc_id = ? AND key = ? AND weights = ? AND query = ?"
            row = connection.execute(where, (doc_id, key, weights, query)).fetchone()
        return Scores(json.loads(row[0]), row[1]) if row else Scores({}, 0.0)

    def save_scores(self, doc_id: str, key: str, weights: str, query: str, scores: Scores) -> None:
        row = (doc_id, key, weights, query, json.dumps(dict(scores.by_chunk)), scores.seconds)
        with self._open() as connection:
            connection.execute("INSERT OR REPLACE INTO scores VALUES (?, ?, ?, ?, ?, ?)", row)

    def questions(self, doc_id: str) -> dict[int, str]:
        """Return a document's question set in the order it grew; a number stays with its question."""
        with self._open() as connection:
            query = "SELECT number, text FROM questions WHERE doc_id = ? ORDER BY number"
            return dict(connection.execute(query, (doc_id,)))

    def add_questions(self, doc_id: str, questions: Sequence[str]) -> None:
        """Add questions to a document's set; one that is there stays as it is."""
        with self._open() as connection:
            _put_questions(connection, doc_id, questions)

    def remove_question(self, doc_id: str, question: str) -> None:
        """Remove a question with its judgments."""
        with self._open() as connection:
            connection.execute("DELETE FROM questions WHERE doc_id = ? AND text = ?", (doc_id, question))
            connection.execute("DELETE FROM judgments WHERE doc_id = ? AND question = ?", (doc_id, question))

    def judgments(self, doc_id: str) -> list[Judgment]:
        """Return a document's judgments, oldest first; a later one of the same judge on the same span counts."""
        with self._open() as connection:
            query = (
                "SELECT question, page, start, quote, grade, judge, doc_id FROM judgments "
                "WHERE doc_id = ? ORDER BY number"
            )
            return [_judgment(*row) for row in connection.execute(query, (doc_id,))]

    def add_judgments(self, judgments: Sequence[tuple[str, Judgment]]) -> None:
        """Add judgments, each to a document, and their questions to its question set."""
        rows = [
            (doc_id, one.question, one.span.page, one.span.start, one.span.quote, one.grade, one.judge)
            for doc_id, one in judgments
        ]
        with self._open() as connection:
            for doc_id, one in judgments:
                _put_questions(connection, doc_id, [one.question])
            connection.executemany("INSERT INTO judgments VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)", rows)

    def undo_judgment(self, doc_ids: Sequence[str], judge: str) -> Judgment | None:
        """Take back the last judgment that this judge made on any of the documents, and return it."""
        marks = ", ".join("?" * len(doc_ids))
        with self._open() as connection:
            query = (
                "SELECT number, question, page, start, quote, grade, judge, doc_id FROM judgments "
                f"WHERE doc_id IN ({marks}) AND judge = ? ORDER BY number DESC LIMIT 1"
            )
            row = connection.execute(query, (*doc_ids, judge)).fetchone()
            if row is None:
                return None
            connection.execute("DELETE FROM judgments WHERE number = ?", row[:1])
        return _judgment(*row[1:])

    def add_history(self, doc_id: str, name: str, made: str, content: str) -> None:
        """Keep a comparison, and of all of this document the last ``MOST_KEPT``."""
        with self._open() as connection:
            row = (doc_id, name[:LONGEST_NAME], made, content)
            connection.execute("INSERT INTO history VALUES (NULL, ?, ?, ?, ?)", row)
            connection.execute(
                "DELETE FROM history WHERE doc_id = ? AND number NOT IN "
                "(SELECT number FROM history WHERE doc_id = ? ORDER BY number DESC LIMIT ?)",
                (doc_id, doc_id, MOST_KEPT),
            )

    def history(self, doc_id: str) -> list[Entry]:
        """Return a document's comparisons, newest first."""
        with self._open() as connection:
            query = "SELECT number, name, made FROM history WHERE doc_id = ? ORDER BY number DESC"
            return [Entry(*row) for row in connection.execute(query, (doc_id,))]

    def recall(self, doc_id: str, number: int) -> bytes:
        """Return a comparison as it was kept.

        Raises:
            HistoryMissing: it is no longer kept.
        """
        with self._open() as connection:
            query = "SELECT content FROM history WHERE doc_id = ? AND number = ?"
            row = connection.execute(query, (doc_id, number)).fetchone()
        if row is None:
            raise HistoryMissing(f"comparison {number} is no longer kept: compare again", number=number)
        return row[0].encode()

    def rename_history(self, doc_id: str, number: int, name: str) -> None:
        """Give a comparison another name; an empty one changes nothing."""
        name = " ".join(name.split())[:LONGEST_NAME]
        if name:
            with self._open() as connection:
                query = "UPDATE history SET name = ? WHERE doc_id = ? AND number = ?"
                connection.execute(query, (name, doc_id, number))


def _put_pages(connection: sqlite3.Connection, document: Document) -> None:
    """Write the pages; chunks and embeddings go where the pages are not the same as before."""
    pages = [(document.id, page.number, page.text) for page in document.pages]
    query = "SELECT * FROM pages WHERE doc_id = ? ORDER BY number"
    if connection.execute(query, (document.id,)).fetchall() != pages:
        for table in ("pages", "chunkings"):
            connection.execute(f"DELETE FROM {table} WHERE doc_id = ?", (document.id,))
        connection.executemany("INSERT INTO pages VALUES (?, ?, ?)", pages)


def _put_readings(
    connection: sqlite3.Connection, doc_id: str, readings: Sequence[PageReading], drop_repeated: bool
) -> None:
    rows = [(doc_id, one.number, quality.dump(one.extracts), one.extractor, one.left_out) for one in readings]
    connection.execute("DELETE FROM readings WHERE doc_id = ?", (doc_id,))
    connection.executemany("INSERT INTO readings VALUES (?, ?, ?, ?, ?)", rows)
    connection.execute("UPDATE documents SET drop_repeated = ? WHERE id = ?", (drop_repeated, doc_id))


def _missing(doc_id: str) -> DocumentMissing:
    return DocumentMissing(f"no document {doc_id!r} here: upload it again", doc_id=doc_id)


def _put_questions(connection: sqlite3.Connection, doc_id: str, questions: Sequence[str]) -> None:
    for text in questions:
        connection.execute(
            "INSERT OR IGNORE INTO questions SELECT ?, COALESCE(MAX(number), 0) + 1, ? FROM questions WHERE doc_id = ?",
            (doc_id, text, doc_id),
        )


def _judgment(question: str, page: int, start: int, quote: str, grade: int, judge: str, doc_id: str) -> Judgment:
    return Judgment(question, Span(page, start, quote, doc_id), grade, judge)
