"""The last comparisons of each document, as their replay files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rag_core.errors import HistoryMissing
from rag_core.keeping import checksums
from rag_core.keeping.database import Database

MOST_KEPT = 20
"""So many comparisons of a document are kept."""

LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Entry:
    """A comparison of a document's history; ``made`` is its time in UTC."""

    number: int
    name: str
    made: str


class HistoryStore:
    """The comparisons that were made of a library's documents."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, doc_id: str, name: str, made: str, content: str) -> None:
        """Keep a comparison, and of all of this document the last ``MOST_KEPT``."""
        with self._database.open() as connection:
            row = checksums.seal_entry(doc_id, name[:LONGEST_NAME], made, content)
            connection.execute("INSERT INTO history VALUES (NULL, ?, ?, ?, ?, ?, ?)", row)
            connection.execute(
                "DELETE FROM history WHERE doc_id = ? AND number NOT IN "
                "(SELECT number FROM history WHERE doc_id = ? ORDER BY number DESC LIMIT ?)",
                (doc_id, doc_id, MOST_KEPT),
            )

    def entries(self, doc_id: str) -> list[Entry]:
        """Return a document's comparisons, newest first.

        Raises:
            LibraryDamaged: one is not as it was kept.
        """
        with self._database.open() as connection:
            query = f"SELECT number, {checksums.ENTRY} FROM history WHERE doc_id = ? ORDER BY number DESC"
            rows = connection.execute(query, (doc_id,)).fetchall()
        return [Entry(number, *self._whole(entry)[1:3]) for number, *entry in rows]

    def load(self, doc_id: str, number: int) -> bytes:
        """Return a comparison as it was kept.

        Raises:
            HistoryMissing: it is no longer kept.
            LibraryDamaged: it is not as it was.
        """
        with self._database.open() as connection:
            query = f"SELECT content, {checksums.ENTRY} FROM history WHERE doc_id = ? AND number = ?"
            row = connection.execute(query, (doc_id, number)).fetchone()
        if row is None:
            raise HistoryMissing(f"comparison {number} is no longer kept: compare again", number=number)
        content, *entry = row
        if checksums.digest([content]) != self._whole(entry)[3]:
            raise self._database.damaged(f"comparison {number}")
        return content.encode()

    def rename(self, doc_id: str, number: int, name: str) -> None:
        """Give a comparison another name; an empty one changes nothing."""
        name = " ".join(name.split())[:LONGEST_NAME]
        with self._database.open() as connection:
            query = f"SELECT {checksums.ENTRY} FROM history WHERE doc_id = ? AND number = ?"
            row = connection.execute(query, (doc_id, number)).fetchone()
            if row and name:
                _, _, made, content_checksum, _ = self._whole(row)
                checksum = checksums.digest([doc_id, name, made, content_checksum])
                query = "UPDATE history SET name = ?, checksum = ? WHERE doc_id = ? AND number = ?"
                connection.execute(query, (name, checksum, doc_id, number))

    def _whole(self, entry: Sequence) -> Sequence:
        if not checksums.holds(entry):
            raise self._database.damaged("a comparison of the history")
        return entry
