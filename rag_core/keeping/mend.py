"""Copy what is whole of a damaged library into a new one, and keep the damaged file beside it."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from rag_core.errors import DocumentDamaged
from rag_core.keeping import checksums
from rag_core.keeping.database import Database, text_of
from rag_core.keeping.disk import unwritable
from rag_core.keeping.library import Library

COMPANIONS = ("", "-wal", "-shm")
"""What SQLite keeps beside a file has the file's name with these behind it."""

HEAD = 100
"""Bytes in which SQLite says, among others, how large a page is and how many there are."""

TABLES = ("documents", "members", "pages", "readings", "stays", *checksums.ROWS, "history")
"""In an order in which what refers to a row comes after it."""


@dataclass(frozen=True, slots=True)
class Mended:
    """What came of it: rows kept and lost by table, and titles of the documents whose PDFs are to be added again."""

    kept: Mapping[str, int]
    lost: Mapping[str, int]
    damaged: list[str]
    put_aside: Path


def mend(file: Path) -> Mended:
    """Put a new library with everything that is whole in place of a damaged one.

    Raises:
        LibraryUnwritable, DiskFull: there is no room for it, or no right to write it; the damaged file stays.
    """
    fresh, readable = (file.with_name(f"{file.stem}.{word}{file.suffix}") for word in ("mending", "reading"))
    _remove(fresh)
    library = Library(fresh)
    try:
        _duplicate(file, readable)
        kept, lost = _copy(readable, library.database)
        damaged = _damaged(library)
        library.database.blank()
    except OSError as error:
        raise unwritable(file.parent, error) from error
    finally:
        library.close()
        _remove(readable)
    put_aside = next(path for path in _names(file) if not path.exists())
    _move(file, put_aside)
    _move(fresh, file)
    return Mended(kept, lost, damaged, put_aside)


def _duplicate(file: Path, to: Path) -> None:
    """Copy a file to read it; in place of an end that is lost it gets zeros, without which SQLite reads none of it."""
    _remove(to)
    for companion in ("", "-wal"):
        source = file.with_name(file.name + companion)
        if source.exists():
            shutil.copyfile(source, to.with_name(to.name + companion))
    with to.open("r+b") as copied:
        head = copied.read(HEAD)
        length = int.from_bytes(head[16:18], "big") * int.from_bytes(head[28:32], "big")
        if head.startswith(b"SQLite format 3\0") and length > copied.seek(0, os.SEEK_END):
            copied.truncate(length)


def _copy(file: Path, into: Database) -> tuple[Counter[str], Counter[str]]:
    kept, lost = Counter[str](), Counter[str]()
    with closing(sqlite3.connect(file)) as source, into.open() as target:
        source.text_factory = text_of
        columns = into.columns()
        for table in TABLES:
            for row in _rows(source, table, columns[table]):
                (kept if row and _put(target, table, row) else lost)[table] += 1
        checksums.seal_all(target)
    return kept, lost


def _rows(source: sqlite3.Connection, table: str, wanted: set[str]) -> Iterator[dict[str, object] | None]:
    """Yield the rows of a table by column, None for one that cannot be read or is not as it was kept."""
    for number in _numbers(source, table):
        try:
            cursor = source.execute(f"SELECT * FROM {table} WHERE rowid = ?", (number,))
            row = dict(zip((name for name, *_ in cursor.description), next(cursor, ()), strict=True))
        except (sqlite3.DatabaseError, ValueError):
            yield None
            continue
        yield {name: value for name, value in row.items() if name in wanted} if _whole(table, row) else None


def _numbers(source: sqlite3.Connection, table: str) -> list[int]:
    """Return the numbers of the rows that can be reached: before a damaged page, and from the end behind it."""
    numbers: set[int] = set()
    for beyond, order, last in ((">", "ASC", -(2**63)), ("<", "DESC", 2**63 - 1)):
        query = f"SELECT rowid FROM {table} NOT INDEXED WHERE rowid {beyond} ? ORDER BY rowid {order} LIMIT 1"
        try:
            while row := source.execute(query, (last,)).fetchone():
                [last] = row
                numbers.add(last)
        except sqlite3.DatabaseError:
            continue
        break
    return sorted(numbers)


def _whole(table: str, row: Mapping[str, object]) -> bool:
    """Say whether a row is as it was kept; an older library had no checksums.

    A document's row is taken as it is: with a wrong checksum it is named as damaged, and the PDF, added again, finds
    its judgments.
    """
    if "checksum" not in row or table not in (*checksums.ROWS, "history"):
        return True
    if table == "history" and row["content_checksum"] != checksums.digest([row["content"]]):
        return False
    columns = checksums.ENTRY if table == "history" else f"{checksums.ROWS[table]}, checksum"
    return checksums.holds([row[name] for name in columns.split(", ")])


def _put(target: sqlite3.Connection, table: str, row: Mapping[str, object]) -> bool:
    """Copy a row, unless what it belongs to is lost."""
    names, places = ", ".join(row), ", ".join("?" * len(row))
    try:
        target.execute(f"INSERT INTO {table} ({names}) VALUES ({places})", tuple(row.values()))
    except sqlite3.IntegrityError:
        return False
    return True


def _damaged(library: Library) -> list[str]:
    """Return the titles of documents that are damaged even when they are made again from what is left of them."""
    titles = []
    with library.database.open() as connection:
        doc_ids = [doc_id for (doc_id,) in connection.execute("SELECT id FROM documents ORDER BY added, id")]
    for doc_id in doc_ids:
        try:
            library.documents.load(doc_id)
            library.documents.readings(doc_id)
        except DocumentDamaged as error:
            titles.append(str(error.values["title"]))
    return titles


def _names(file: Path) -> Iterator[Path]:
    return (file.with_name(f"{file.stem}.damaged-{number}{file.suffix}") for number in count(1))


def _move(file: Path, to: Path) -> None:
    for companion in COMPANIONS:
        source = file.with_name(file.name + companion)
        if source.exists():
            source.replace(to.with_name(to.name + companion))


def _remove(file: Path) -> None:
    for companion in COMPANIONS:
        file.with_name(file.name + companion).unlink(missing_ok=True)
