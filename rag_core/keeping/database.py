"""One SQLite file, and the rules by which it is opened.

The vector index beside it can be lost at any time and is built again from here without embedding again.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from filelock import FileLock

from rag_core.keeping.disk import unwritable

SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    id TEXT PRIMARY KEY, title TEXT NOT NULL, language TEXT NOT NULL, added REAL NOT NULL, read_seconds REAL NOT NULL,
    owner TEXT NOT NULL DEFAULT '', drop_repeated INTEGER NOT NULL DEFAULT 0,
    drop_contents INTEGER NOT NULL DEFAULT 0, keep_unseen INTEGER NOT NULL DEFAULT 0);
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

ADDED = {
    "owner": "TEXT NOT NULL DEFAULT ''",
    "drop_repeated": "INTEGER NOT NULL DEFAULT 0",
    "drop_contents": "INTEGER NOT NULL DEFAULT 0",
    "keep_unseen": "INTEGER NOT NULL DEFAULT 0",
}
"""Columns of documents that an older file lacks: what was searched before still is, chunks and judgments stay right."""

FROM_OUTSIDE = (sqlite3.OperationalError, sqlite3.DatabaseError)
"""What SQLite raises for a disk, a folder or a file that fails it; the other kinds are faults of a statement."""


class Database:
    """One SQLite file. Every use opens its own connection, so threads need no care; each is one transaction.

    Raises:
        LibraryUnwritable, DiskFull: the file cannot be created or written. Every use raises them.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with self.open() as connection:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.executescript(SCHEMA)
                _add_columns(connection)
        except OSError as error:
            raise unwritable(file.parent, error) from error
        # While one connection is open SQLite keeps its log's index, and can read on a disk that has no room for it.
        self._reading = sqlite3.connect(file, check_same_thread=False)
        self._reading.execute("SELECT count(*) FROM documents").fetchall()

    def close(self) -> None:
        """Close the connection that was kept open."""
        self._reading.close()

    @contextmanager
    def open(self) -> Iterator[sqlite3.Connection]:
        """Open a connection for one transaction, which is rolled back where anything fails inside."""
        try:
            with closing(sqlite3.connect(self.file, timeout=30)) as connection, connection:
                connection.execute("PRAGMA foreign_keys = ON")
                connection.execute("PRAGMA secure_delete = ON")
                yield connection
        except sqlite3.DatabaseError as error:
            if type(error) not in FROM_OUTSIDE:
                raise
            raise unwritable(self.file.parent, error) from error

    def blank(self) -> None:
        """Leave nothing on disk of what was deleted: the log, which still has it, is written into the file and emptied.

        A transaction that reads at this moment keeps its part of the log until the next time.
        """
        try:
            with closing(sqlite3.connect(self.file, timeout=30)) as connection:
                connection.execute("PRAGMA secure_delete = ON")
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.DatabaseError as error:
            raise unwritable(self.file.parent, error) from error

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


def _add_columns(connection: sqlite3.Connection) -> None:
    known = {row[1] for row in connection.execute("PRAGMA table_info(documents)")}
    for column, kind in ADDED.items():
        if column not in known:
            connection.execute(f"ALTER TABLE documents ADD COLUMN {column} {kind}")
