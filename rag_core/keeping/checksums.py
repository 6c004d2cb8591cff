"""Checksums, by which a text or a vector that changed on disk is told from the one that was kept."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Sequence

DIGITS = 32
"""So many hexadecimal digits of a SHA-256: 16 bytes."""

DOCUMENT = (
    "id, title, language, added, read_seconds, owner, drop_repeated, drop_contents, keep_unseen, pages_checksum, "
    "readings_checksum, checksum"
)
ENTRY = "doc_id, name, made, content_checksum, checksum"
PAGES = "SELECT number, text FROM pages WHERE doc_id = ? ORDER BY number"
READINGS = "SELECT number, extracts, extractor, left_out FROM readings WHERE doc_id = ? ORDER BY number"

ROWS = {
    "files": "doc_id, data",
    "chunkings": "doc_id, key, spans",
    "words": "doc_id, key, rule, counted",
    "embeddings": "doc_id, key, embedder, dimension, vectors, seconds",
    "scores": "doc_id, key, weights, query, scores, seconds",
    "questions": "doc_id, number, text",
    "judgments": "doc_id, question, page, start, quote, grade, judge",
    "runs": "doc_id, name, question, part, page, start, quote",
}
"""Tables whose rows carry a checksum of these columns; a document's and the history's have more than one."""


def digest(values: Iterable[object]) -> str:
    """Return the checksum of values as SQLite gives them; a whole number is the same as the real one of its size."""
    made = hashlib.sha256()
    for value in values:
        data = _bytes(value)
        made.update(len(data).to_bytes(8, "big"))
        made.update(data)
    return made.hexdigest()[:DIGITS]


def _bytes(value: object) -> bytes:
    if isinstance(value, bytes):
        return value
    return (repr(float(value)) if isinstance(value, int | float) else str(value)).encode()


def sealed(*values: object) -> tuple[object, ...]:
    """Return a row with its checksum behind it."""
    return (*values, digest(values))


def holds(row: Sequence[object]) -> bool:
    """Say whether a row's last value is the checksum of the others."""
    return digest(row[:-1]) == row[-1]


def of_rows(rows: Iterable[Iterable[object]]) -> str:
    """Return the checksum of rows together, in their order."""
    return digest(value for row in rows for value in row)


def seal_document(connection: sqlite3.Connection, doc_id: str) -> None:
    """Write down the checksums of a document: of its pages, of how they were read, and of what is known of it."""
    parts = [of_rows(connection.execute(query, (doc_id,))) for query in (PAGES, READINGS)]
    update = "UPDATE documents SET pages_checksum = ?, readings_checksum = ? WHERE id = ?"
    connection.execute(update, (*parts, doc_id))
    for row in connection.execute(f"SELECT {DOCUMENT} FROM documents WHERE id = ?", (doc_id,)).fetchall():
        connection.execute("UPDATE documents SET checksum = ? WHERE id = ?", (digest(row[:-1]), doc_id))


def seal_entry(doc_id: str, name: str, made: str, content: str) -> tuple[object, ...]:
    """Return a row of the history with its checksums: its content's own, so that it can be listed without that."""
    content_checksum = digest([content])
    return doc_id, name, made, content, content_checksum, digest([doc_id, name, made, content_checksum])


def seal_rows(connection: sqlite3.Connection, table: str) -> None:
    """Give a checksum to the rows of a table that have none."""
    columns = ROWS[table]
    for [row] in connection.execute(f"SELECT rowid FROM {table} WHERE checksum = ''").fetchall():
        [values] = connection.execute(f"SELECT {columns} FROM {table} WHERE rowid = ?", (row,))
        connection.execute(f"UPDATE {table} SET checksum = ? WHERE rowid = ?", (digest(values), row))


def seal_all(connection: sqlite3.Connection) -> None:
    """Give a checksum to whatever has none: it was kept before there were any."""
    for table in ROWS:
        seal_rows(connection, table)
    for [doc_id] in connection.execute("SELECT id FROM documents WHERE checksum = ''").fetchall():
        seal_document(connection, doc_id)
    entries = "SELECT number, doc_id, name, made, content FROM history WHERE checksum = ''"
    for number, *values in connection.execute(entries).fetchall():
        row = (*seal_entry(*values)[-2:], number)
        connection.execute("UPDATE history SET content_checksum = ?, checksum = ? WHERE number = ?", row)
