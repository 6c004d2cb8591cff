"""Documents and collections: their pages, how each page was read, their files, and whose they are.

What is not as it was kept is made again where that gives the same, or named as damaged; it is never shown.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from rag_core import clock
from rag_core.datatypes import Collection, Document, Page, PageReading, Readings
from rag_core.errors import DocumentDamaged, DocumentError, DocumentMissing
from rag_core.keeping import checksums
from rag_core.keeping.database import Database
from rag_core.reading import document as reading
from rag_core.reading import quality
from rag_core.settings import VISITOR_BYTES, VISITOR_DOCUMENTS

# Not a replacement: what refers to the row would go with it.
UPSERT = """
INSERT INTO documents (id, title, language, added, read_seconds, owner) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET title = excluded.title, language = excluded.language, added = excluded.added,
    read_seconds = excluded.read_seconds, owner = excluded.owner
"""

NOT_KEPT = Readings()
log = logging.getLogger(__name__)


class Row(NamedTuple):
    """What is known of a document besides its pages, in the order of ``checksums.DOCUMENT``."""

    id: str
    title: str
    language: str
    added: float
    read_seconds: float
    owner: str
    drop_repeated: int
    drop_contents: int
    keep_unseen: int
    pages_checksum: str
    readings_checksum: str
    checksum: str

    @property
    def choices(self) -> dict[str, bool]:
        """What was chosen among the readings for the whole document."""
        return {name: bool(getattr(self, name)) for name in ("drop_repeated", "drop_contents", "keep_unseen")}

    @property
    def whole(self) -> bool:
        """Whether all of it is as it was kept."""
        return checksums.holds(self)


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
                file = checksums.sealed(document.id, data)
                connection.execute("INSERT OR REPLACE INTO files VALUES (?, ?, ?)", file)
            checksums.seal_document(connection, document.id)

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
            checksums.seal_document(connection, document.id)

    def file(self, doc_id: str) -> bytes | None:
        """Return the bytes that a document was read from, or None for one that was read before they were kept.

        Raises:
            DocumentDamaged: they are not as they were.
        """
        with self._database.open() as connection:
            query = "SELECT doc_id, data, checksum FROM files WHERE doc_id = ?"
            row = connection.execute(query, (doc_id,)).fetchone()
        if row and not checksums.holds(row):
            raise _damaged(doc_id, doc_id)
        return row and row[1]

    def readings(self, doc_id: str) -> Readings:
        """Return how a document's pages were read; none for one that was read before this was kept.

        Raises:
            DocumentDamaged: that is not as it was, and its file, read again, does not give the same.
        """
        with self._database.open() as connection:
            row = _row(connection, doc_id)
            rows = connection.execute(checksums.READINGS, (doc_id,)).fetchall()
        if row is None:
            return NOT_KEPT
        if checksums.of_rows(rows) == row.readings_checksum:
            return _readings(row, rows)
        return self._made_again(row)[1]

    def _made_again(self, row: Row) -> tuple[Document, Readings]:
        """Make a document whose text or readings are damaged from what is left of it: only the same text will do."""
        for readings in self._whole_readings(row):
            document = reading.made(row.id, row.title, readings)
            if checksums.of_rows(_pages(document)) == row.pages_checksum:
                log.warning("document %s was damaged and is as it was again", row.id)
                self._put_back(document, readings)
                return document, readings
        raise _damaged(row.id, row.title)

    def _whole_readings(self, row: Row) -> Iterator[Readings]:
        """Yield how the pages were read, where that is whole, and how its file, read again, reads."""
        with self._database.open() as connection:
            rows = connection.execute(checksums.READINGS, (row.id,)).fetchall()
        if rows and checksums.of_rows(rows) == row.readings_checksum:
            yield _readings(row, rows)
        data = self.file(row.id)
        if data is not None:
            try:
                yield Readings(reading.read(data, row.title)[1].pages, **row.choices)
            except DocumentError as error:
                log.warning("the file of document %s cannot be read again: %s", row.id, error)

    def _put_back(self, document: Document, readings: Readings) -> None:
        """Write pages and readings in place of damaged ones; what was computed from the same text stays."""
        with self._database.open() as connection:
            connection.execute("DELETE FROM pages WHERE doc_id = ?", (document.id,))
            connection.executemany("INSERT INTO pages VALUES (?, ?, ?)", _paged(document))
            _put_readings(connection, document.id, readings)
            checksums.seal_document(connection, document.id)

    def titles(self, owner: str = "", collections: bool = True) -> dict[str, str]:
        """Return ids and titles of an owner's documents, newest first; without collections only those with pages.

        A title that is not as it was kept is the id. Whose such a document is may have changed too: who sees
        everybody's sees it.
        """
        paged = "" if collections else "AND EXISTS (SELECT 1 FROM pages WHERE doc_id = id) "
        with self._database.open() as connection:
            query = f"SELECT {checksums.DOCUMENT} FROM documents WHERE (owner = ?1 OR ?1 = '') {paged}"
            rows = [Row(*row) for row in connection.execute(f"{query}ORDER BY added DESC, id", (owner,))]
        damaged = {row.id for row in rows if not row.whole}
        here = [row for row in rows if row.owner == owner or row.id in damaged]
        return {row.id: row.id if row.id in damaged else row.title for row in here}

    def title(self, doc_id: str) -> str:
        """Return a document's title.

        Raises:
            DocumentMissing: it is not here; DocumentDamaged: its title is not as it was.
        """
        with self._database.open() as connection:
            return _there(_row(connection, doc_id), doc_id).title

    def load(self, doc_id: str) -> Document:
        """Return a document.

        Raises:
            DocumentMissing: the library does not hold it.
            DocumentDamaged: it is not as it was, and neither the readings of its pages nor its file give the same.
        """
        with self._database.open() as connection:
            row = _there(_row(connection, doc_id), doc_id)
            pages = connection.execute(checksums.PAGES, (doc_id,)).fetchall()
            query = "SELECT doc_id FROM members WHERE collection_id = ? ORDER BY rowid"
            members = tuple(member for (member,) in connection.execute(query, (doc_id,)))
        if checksums.of_rows(pages) != row.pages_checksum:
            return self._made_again(row)[0]
        # The library says of neither what it is: whatever was read has pages, left out or not.
        if pages:
            return Document(doc_id, row.title, row.language, tuple(Page(*page) for page in pages))
        return Collection(doc_id, row.title, row.language, members=members)

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
            checksums.seal_document(connection, collection.id)

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
        """Return the ids of documents whose owner no process has seen since, and of those that are older.

        Where it is not certain whose a document is, or since when it is here, it stays.
        """
        with self._database.open() as connection:
            query = (
                f"SELECT {checksums.DOCUMENT} FROM documents LEFT JOIN stays USING (owner) "
                "WHERE owner != '' AND (COALESCE(seen, added) < ? OR added < ?)"
            )
            rows = [Row(*row) for row in connection.execute(query, (unseen_since, added_before))]
        return [row.id for row in rows if row.whole]


def _put_pages(connection: sqlite3.Connection, document: Document) -> None:
    """Write the pages; chunks and embeddings go where the pages are not the same as before."""
    if connection.execute(checksums.PAGES, (document.id,)).fetchall() != _pages(document):
        for table in ("pages", "chunkings"):
            connection.execute(f"DELETE FROM {table} WHERE doc_id = ?", (document.id,))
        connection.executemany("INSERT INTO pages VALUES (?, ?, ?)", _paged(document))


def _pages(document: Document) -> list[tuple[int, str]]:
    return [(page.number, page.text) for page in document.pages]


def _paged(document: Document) -> list[tuple[str, int, str]]:
    return [(document.id, *page) for page in _pages(document)]


def _put_readings(connection: sqlite3.Connection, doc_id: str, readings: Readings) -> None:
    rows = [
        (doc_id, page.number, quality.dump(page.extracts), page.extractor, page.left_out) for page in readings.pages
    ]
    connection.execute("DELETE FROM readings WHERE doc_id = ?", (doc_id,))
    connection.executemany("INSERT INTO readings VALUES (?, ?, ?, ?, ?)", rows)
    choices = (readings.drop_repeated, readings.drop_contents, readings.keep_unseen, doc_id)
    query = "UPDATE documents SET drop_repeated = ?, drop_contents = ?, keep_unseen = ? WHERE id = ?"
    connection.execute(query, choices)


def _readings(row: Row, rows: Iterable[tuple]) -> Readings:
    pages = tuple(
        PageReading(number, quality.load(extracts), extractor, bool(left_out))
        for number, extracts, extractor, left_out in rows
    )
    return Readings(pages, **row.choices)


def _row(connection: sqlite3.Connection, doc_id: str) -> Row | None:
    """Return what is known of a document, None where it is not here."""
    values = connection.execute(f"SELECT {checksums.DOCUMENT} FROM documents WHERE id = ?", (doc_id,)).fetchone()
    if values and not Row(*values).whole:
        raise _damaged(doc_id, doc_id)
    return Row(*values) if values else None


def _there(row: Row | None, doc_id: str) -> Row:
    if row is None:
        raise DocumentMissing(f"no document {doc_id!r} here: upload it again", doc_id=doc_id)
    return row


def _damaged(doc_id: str, title: str) -> DocumentDamaged:
    return DocumentDamaged(
        f"the document {title!r} is damaged in the library: add its PDF again, which takes its place, or delete it",
        doc_id=doc_id,
        title=title,
    )
