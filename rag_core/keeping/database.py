"""One SQLite file, and the rules by which it is opened.

The vector index beside it can be lost at any time and is built again from here without embedding again.

On opening, SQLite looks through the whole file (``PRAGMA integrity_check``): 0.3 ms for a library of 0.1 MB, 30 ms for
one of 105 MB. A file that is not whole is not opened, for what is written into it could be lost too. What changed
inside a row, which SQLite does not see, is found by its checksum whenever it is read; see ``checksums``.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from functools import cache
from pathlib import Path

from filelock import FileLock

from rag_core.errors import DiskFull, LibraryDamaged, LibraryUnwritable
from rag_core.keeping.checksums import ROWS, seal_all
from rag_core.keeping.disk import unwritable

EMPTY_BYTES = 10_000_000
"""A file keeps so much empty room."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    id TEXT PRIMARY KEY, title TEXT NOT NULL, language TEXT NOT NULL, added REAL NOT NULL, read_seconds REAL NOT NULL,
    owner TEXT NOT NULL DEFAULT '', drop_repeated INTEGER NOT NULL DEFAULT 0,
    drop_contents INTEGER NOT NULL DEFAULT 0, keep_unseen INTEGER NOT NULL DEFAULT 0,
    pages_checksum TEXT NOT NULL DEFAULT '', readings_checksum TEXT NOT NULL DEFAULT '',
    checksum TEXT NOT NULL DEFAULT '');
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
    doc_id TEXT PRIMARY KEY REFERENCES documents ON DELETE CASCADE, data BLOB NOT NULL,
    checksum TEXT NOT NULL DEFAULT '');
CREATE TABLE IF NOT EXISTS chunkings (
    doc_id TEXT REFERENCES documents ON DELETE CASCADE, key TEXT, spans TEXT NOT NULL,
    checksum TEXT NOT NULL DEFAULT '', PRIMARY KEY (doc_id, key));
CREATE TABLE IF NOT EXISTS words (
    doc_id TEXT, key TEXT, rule INTEGER NOT NULL, counted BLOB NOT NULL, checksum TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (doc_id, key), FOREIGN KEY (doc_id, key) REFERENCES chunkings ON DELETE CASCADE);
CREATE TABLE IF NOT EXISTS embeddings (
    doc_id TEXT, key TEXT, embedder TEXT, dimension INTEGER NOT NULL, vectors BLOB NOT NULL, seconds REAL NOT NULL,
    checksum TEXT NOT NULL DEFAULT '', PRIMARY KEY (doc_id, key, embedder),
    FOREIGN KEY (doc_id, key) REFERENCES chunkings ON DELETE CASCADE);
CREATE TABLE IF NOT EXISTS scores (
    doc_id TEXT, key TEXT, weights TEXT, query TEXT, scores TEXT NOT NULL, seconds REAL NOT NULL,
    checksum TEXT NOT NULL DEFAULT '', PRIMARY KEY (doc_id, key, weights, query),
    FOREIGN KEY (doc_id, key) REFERENCES chunkings ON DELETE CASCADE);
CREATE TABLE IF NOT EXISTS questions (
    doc_id TEXT REFERENCES documents ON DELETE CASCADE, number INTEGER, text TEXT,
    checksum TEXT NOT NULL DEFAULT '', PRIMARY KEY (doc_id, text));
CREATE TABLE IF NOT EXISTS judgments (
    number INTEGER PRIMARY KEY AUTOINCREMENT, doc_id TEXT REFERENCES documents ON DELETE CASCADE,
    question TEXT NOT NULL, page INTEGER NOT NULL, start INTEGER NOT NULL, quote TEXT NOT NULL, grade INTEGER NOT NULL,
    judge TEXT NOT NULL, checksum TEXT NOT NULL DEFAULT '');
CREATE TABLE IF NOT EXISTS runs (
    number INTEGER PRIMARY KEY AUTOINCREMENT, doc_id TEXT REFERENCES documents ON DELETE CASCADE, name TEXT NOT NULL,
    question TEXT NOT NULL, part TEXT NOT NULL REFERENCES documents ON DELETE CASCADE, page INTEGER NOT NULL,
    start INTEGER NOT NULL, quote TEXT NOT NULL, checksum TEXT NOT NULL DEFAULT '');
CREATE INDEX IF NOT EXISTS runs_by_name ON runs (doc_id, name, question);
CREATE TABLE IF NOT EXISTS history (
    number INTEGER PRIMARY KEY AUTOINCREMENT, doc_id TEXT REFERENCES documents ON DELETE CASCADE,
    name TEXT NOT NULL, made TEXT NOT NULL, content TEXT NOT NULL, content_checksum TEXT NOT NULL DEFAULT '',
    checksum TEXT NOT NULL DEFAULT '');
CREATE TABLE IF NOT EXISTS stays (owner TEXT PRIMARY KEY, seen REAL NOT NULL);
"""

CHOICE, CHECKSUM = "INTEGER NOT NULL DEFAULT 0", "TEXT NOT NULL DEFAULT ''"
ADDED = {
    "documents": {
        "owner": "TEXT NOT NULL DEFAULT ''",
        "drop_repeated": CHOICE,
        "drop_contents": CHOICE,
        "keep_unseen": CHOICE,
        "pages_checksum": CHECKSUM,
        "readings_checksum": CHECKSUM,
        "checksum": CHECKSUM,
    },
    "history": {"content_checksum": CHECKSUM, "checksum": CHECKSUM},
    **{table: {"checksum": CHECKSUM} for table in ROWS},
}
"""Columns that an older file lacks: what was searched before still is, chunks and judgments stay right."""

LAYOUT = 2
"""What the file's ``user_version`` says once it has every table and column above: from then on none may be missing."""

SINCE = {"words": 2, "runs": 2}
"""The layout in which a table came that not every layout has."""

FROM_OUTSIDE = (sqlite3.OperationalError, sqlite3.DatabaseError)
"""What SQLite raises for a disk, a folder or a file that fails it; the other kinds are faults of a statement."""


OTHER_LAYOUT = re.compile(r"no such (table|column)|has no column|has \d+ columns")
DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class Database:
    """One SQLite file. Every use opens its own connection, so threads need no care; each is one transaction.

    Raises:
        LibraryUnwritable, DiskFull: the file cannot be created or written. Every use raises them.
        LibraryDamaged: the file, or the part of it that is used, is not as it was written. Every use raises it.
    """

    def __init__(self, file: Path) -> None:
        self.file, self._claims = file, file.parent / "claims"
        made_before = self._claims.is_dir() and file.exists()
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with self.open() as connection:
                self._check(connection, made_before)
                connection.execute("PRAGMA journal_mode = WAL")
                _bring_up_to_date(connection)
            self._claims.mkdir(exist_ok=True)
        except OSError as error:
            raise unwritable(file.parent, error) from error
        # While one connection is open SQLite keeps its log's index, and can read on a disk that has no room for it.
        self._reading = sqlite3.connect(file, check_same_thread=False)
        self._reading.execute("SELECT count(*) FROM documents").fetchall()

    def _check(self, connection: sqlite3.Connection, made_before: bool) -> None:
        """See that the file is whole.

        SQLite makes a file without a byte before it writes a table, and a first start may be killed there: such a file
        is a library's beginning, unless the folder of claims, which is made after the tables, says that it was one.
        """
        [[verdict]] = connection.execute("PRAGMA integrity_check(1)")
        if verdict != "ok":
            raise self.damaged(verdict)
        columns = _columns(connection)
        if made_before and "documents" not in columns:
            raise self.damaged("it is empty")
        if layout := _layout(connection):
            for table, wanted in _wanted().items():
                if layout >= SINCE.get(table, 1) and (missing := wanted - columns.get(table, set())):
                    raise self.damaged(f"{table} is without {', '.join(sorted(missing))}")

    @staticmethod
    def columns() -> dict[str, set[str]]:
        """Return the tables and columns that a file has to have."""
        return _wanted()

    def damaged(self, reason: object) -> LibraryDamaged:
        """Return the error for a file that is not as it was written."""
        folder = self.file.parent
        return LibraryDamaged(
            f"{self.file} is damaged ({reason}): close the app and run `python -m rag_core mend {folder}`, which "
            "copies what is whole into a new file and keeps the damaged one; or put a copy of yours in its place",
            file=str(self.file),
            folder=str(folder),
        )

    def _failed(self, error: sqlite3.DatabaseError) -> LibraryDamaged | LibraryUnwritable | DiskFull:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the rest of it says where in SQLite
        if code in DAMAGE or OTHER_LAYOUT.search(str(error)):
            return self.damaged(error)
        return unwritable(self.file.parent, error)

    def close(self) -> None:
        """Close the connection that was kept open."""
        self._reading.close()

    @contextmanager
    def open(self) -> Iterator[sqlite3.Connection]:
        """Open a connection for one transaction, which is rolled back where anything fails inside."""
        try:
            with closing(sqlite3.connect(self.file, timeout=30)) as connection, connection:
                connection.text_factory = text_of
                connection.execute("PRAGMA foreign_keys = ON")
                connection.execute("PRAGMA secure_delete = ON")
                yield connection
        except sqlite3.DatabaseError as error:
            if type(error) not in FROM_OUTSIDE:
                raise
            raise self._failed(error) from error

    def blank(self) -> None:
        """Leave nothing on disk of what was deleted: the log, which still has it, is written into the file and emptied.

        A transaction that reads at this moment keeps its part of the log until the next time.
        """
        try:
            with closing(sqlite3.connect(self.file, timeout=30)) as connection:
                connection.execute("PRAGMA secure_delete = ON")
                _give_back(connection)
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.DatabaseError as error:
            raise self._failed(error) from error

    @contextmanager
    def claim(self, *work: str) -> Iterator[None]:
        """Let one thread of one process at a time do this work; where it is killed, the next one goes on.

        The names are few, so that the files are too; now and then two works wait for each other.
        """
        name = hashlib.sha256("\0".join(work).encode()).hexdigest()[:3]
        lock = FileLock(self._claims / f"{name}.lock")
        try:
            self._claims.mkdir(exist_ok=True)
            lock.acquire()
        except OSError as error:
            raise unwritable(self.file.parent, error) from error
        try:
            yield
        finally:
            lock.release()


def text_of(data: bytes) -> str:
    """Read a text; one that is none any more must not keep others from being read: its checksum finds it."""
    return data.decode(errors="replace")


def _bring_up_to_date(connection: sqlite3.Connection) -> None:
    """Make what a new or an older file lacks; what an older one holds is taken as it stands."""
    if _layout(connection) >= LAYOUT:
        return
    connection.executescript(SCHEMA)
    connection.execute("BEGIN IMMEDIATE")  # two processes may open the same file
    columns = _columns(connection)
    for table, added in ADDED.items():
        for column, kind in added.items():
            if column not in columns[table]:
                connection.execute(f"ALTER TABLE {table} ADD COLUMN {column} {kind}")
    seal_all(connection)
    connection.execute(f"PRAGMA user_version = {LAYOUT}")


def _layout(connection: sqlite3.Connection) -> int:
    [[layout]] = connection.execute("PRAGMA user_version")
    return layout


def _columns(connection: sqlite3.Connection) -> dict[str, set[str]]:
    """Return the columns of every table."""
    query = "SELECT t.name, c.name FROM sqlite_master t, pragma_table_info(t.name) c WHERE t.type = 'table'"
    columns: dict[str, set[str]] = {}
    for table, column in connection.execute(query):
        columns.setdefault(table, set()).add(column)
    return columns


@cache
def _wanted() -> dict[str, set[str]]:
    """Return the tables and columns that a file has to have."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(SCHEMA)
        columns = _columns(connection)
    return {table: names for table, names in columns.items() if not table.startswith("sqlite_")}


def _give_back(connection: sqlite3.Connection) -> None:
    """Make the file small again where most of it is empty: SQLite would keep that room for what may come.

    It takes as much room once more while it is done; where there is none, or somebody else writes, it can wait.
    """
    pages, empty, size = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
    )
    if empty * size > EMPTY_BYTES and empty > pages / 2:
        with suppress(sqlite3.OperationalError):
            connection.execute("VACUUM")
