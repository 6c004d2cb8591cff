"""Documents and collections: their pages, how each page was read, their files, and whose they are."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from rag_core import clock
from rag_core.datatypes import Collection, Document, Page, PageReading, Readings
from rag_core.errors import DocumentMissing
from rag_core.keeping.database import Database
from rag_core.reading import quality
from rag_core.settings import VISITOR_BYTES, VISITOR_DOCUMENTS

# Not a replacement: what refers to the row would go with it.
UPSERT = """
INSERT INTO documents (id, title, language, added, read_seconds, owner) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET title = excluded.title, language = excluded.language, added = excluded.added,
    read_seconds = excluded.read_seconds, owner = excluded.owner
"""

NOT_KEPT = Readings()


class DocumentStore:
    """The documents of a library."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(
        self,
        document: Document,
        read_seconds: float = 0.0,
        owner: str = "",
        readings: Readings = NOT_KEPT,
        data: bytes | None = None,
    ) -> None:
        """Add a document with its pages, or put it in place of the one with the same id.

        Without an owner it is everybody's. ``readings`` say how its pages were read, ``data`` is its file.
        Where the pages are the same as before, its chunks and embeddings stay; its judgments stay in any case.
        """
        row = (document.id, document.title, document.language, clock.now(), read_seconds, owner)
        with self._database.open() as connection:
            connection.execute(UPSERT, row)
            _put_pages(connection, document)
            _put_readings(connection, document.id, readings)
            if data is not None:
                connection.execute("INSERT OR REPLACE INTO files VALUES (?, ?)", (document.id, data))

    def room(self, owner: str, besides: str = "") -> tuple[int, int]:
        """Return how many documents and bytes a visitor may still add, ``besides`` one that is not counted."""
        with self._database.open() as connection:
            query = "SELECT length(data) FROM files JOIN documents ON id = doc_id WHERE owner = ? AND id != ?"
            sizes = [row[0] for row in connection.execute(query, (owner, besides))]
        return max(0, VISITOR_DOCUMENTS - len(sizes)), max(0, VISITOR_BYTES - sum(sizes))

    def choose(self, document: Document, readings: Readings) -> None:
        """Put these pages in place of a document's, with the choices among its readings that they follow from."""
        with self._database.open() as connection:
            connection.execute("UPDATE documents SET language = ? WHERE id = ?", (document.language, document.id))
            _put_pages(connection, document)
            _put_readings(connection, document.id, readings)

    def file(self, doc_id: str) -> bytes | None:
        """Return the bytes that a document was read from, or None for one that was read before they were kept."""
        with self._database.open() as connection:
            row = connection.execute("SELECT data FROM files WHERE doc_id = ?", (doc_id,)).fetchone()
        return row and row[0]

    def readings(self, doc_id: str) -> Readings:
        """Return how a document's pages were read; none for one that was read before this was kept."""
        with self._database.open() as connection:
            query = "SELECT number, extracts, extractor, left_out FROM readings WHERE doc_id = ? ORDER BY number"
            rows = connection.execute(query, (doc_id,)).fetchall()
            query = "SELECT drop_repeated, drop_contents, keep_unseen FROM documents WHERE id = ?"
            choices = connection.execute(query, (doc_id,)).fetchone() or ()
        pages = tuple(
            PageReading(number, quality.load(extracts), extractor, bool(left_out))
            for number, extracts, extractor, left_out in rows
        )
        return Readings(pages, *map(bool, choices))

    def titles(self, owner: str = "", collections: bool = True) -> dict[str, str]:
        """Return ids and titles of an owner's documents, newest first; without collections only those with pages."""
        paged = "" if collections else "AND EXISTS (SELECT 1 FROM pages WHERE doc_id = id) "
        with self._database.open() as connection:
            query = f"SELECT id, title FROM documents WHERE owner = ? {paged}ORDER BY added DESC, id"
            return dict(connection.execute(query, (owner,)))

    def title(self, doc_id: str) -> str:
        """Return a document's title.

        Raises:
            DocumentMissing: it is not here.
        """
        with self._database.open() as connection:
            row = connection.execute("SELECT title FROM documents WHERE id = ?", (doc_id,)).fetchone()
        if row is None:
            raise _missing(doc_id)
        return row[0]

    def load(self, doc_id: str) -> Document:
        """Return a document.

        Raises:
            DocumentMissing: the library does not hold it.
        """
        with self._database.open() as connection:
            row = connection.execute("SELECT title, language FROM documents WHERE id = ?", (doc_id,)).fetchone()
            query = "SELECT number, text FROM pages WHERE doc_id = ? ORDER BY number"
            pages = tuple(Page(*page) for page in connection.execute(query, (doc_id,)))
            query = "SELECT doc_id FROM members WHERE collection_id = ? ORDER BY rowid"
            members = tuple(row[0] for row in connection.execute(query, (doc_id,)))
        if row is None:
            raise _missing(doc_id)
        title, language = row
        # The library says of neither what it is: whatever was read has pages, left out or not.
        if pages:
            return Document(doc_id, title, language, pages)
        return Collection(doc_id, title, language, members=members)

    def parts(self, doc_id: str) -> list[Document]:
        """Return the members of a collection, or the document alone."""
        document = self.load(doc_id)
        return [self.load(member) for member in document.members] if isinstance(document, Collection) else [document]

    def save_collection(self, collection: Collection, owner: str = "") -> None:
        """Add a collection with its members, or give the one with the same id this title and these members."""
        row = (collection.id, collection.title, collection.language, clock.now(), 0.0, owner)
        with self._database.open() as connection:
            connection.execute(UPSERT, row)
            connection.execute("DELETE FROM members WHERE collection_id = ?", row[:1])
            connection.executemany(
                "INSERT INTO members VALUES (?, ?)", [(collection.id, member) for member in collection.members]
            )

    def delete(self, doc_id: str) -> None:
        """Remove a document with its chunks and embeddings; nothing happens when it is not there."""
        with self._database.open() as connection:
            connection.execute("DELETE FROM documents WHERE id = ?", (doc_id,))

    def report_stays(self, staying: Iterable[str], gone: Iterable[str]) -> None:
        """Write down which owners are seen by this process now, and which of its own have left."""
        rows = [(owner, clock.now()) for owner in staying] + [(owner, 0.0) for owner in gone]
        with self._database.open() as connection:
            connection.executemany("INSERT OR REPLACE INTO stays VALUES (?, ?)", rows)

    def left_behind(self, unseen_since: float, added_before: float) -> list[str]:
        """Return the ids of documents whose owner no process has seen since, and of those that are older."""
        with self._database.open() as connection:
            query = (
                "SELECT id FROM documents LEFT JOIN stays USING (owner) "
                "WHERE owner != '' AND (COALESCE(seen, added) < ? OR added < ?)"
            )
            return [row[0] for row in connection.execute(query, (unseen_since, added_before))]


def _put_pages(connection: sqlite3.Connection, document: Document) -> None:
    """Write the pages; chunks and embeddings go where the pages are not the same as before."""
    pages = [(document.id, page.number, page.text) for page in document.pages]
    query = "SELECT * FROM pages WHERE doc_id = ? ORDER BY number"
    if connection.execute(query, (document.id,)).fetchall() != pages:
        for table in ("pages", "chunkings"):
            connection.execute(f"DELETE FROM {table} WHERE doc_id = ?", (document.id,))
        connection.executemany("INSERT INTO pages VALUES (?, ?, ?)", pages)


def _put_readings(connection: sqlite3.Connection, doc_id: str, readings: Readings) -> None:
    rows = [
        (doc_id, page.number, quality.dump(page.extracts), page.extractor, page.left_out) for page in readings.pages
    ]
    connection.execute("DELETE FROM readings WHERE doc_id = ?", (doc_id,))
    connection.executemany("INSERT INTO readings VALUES (?, ?, ?, ?, ?)", rows)
    choices = (readings.drop_repeated, readings.drop_contents, readings.keep_unseen, doc_id)
    query = "UPDATE documents SET drop_repeated = ?, drop_contents = ?, keep_unseen = ? WHERE id = ?"
    connection.execute(query, choices)


def _missing(doc_id: str) -> DocumentMissing:
    return DocumentMissing(f"no document {doc_id!r} here: upload it again", doc_id=doc_id)
