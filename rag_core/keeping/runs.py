"""Rankings of other systems."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from rag_core.datatypes import ImportedRun, Span
from rag_core.errors import TooManyRuns
from rag_core.keeping import checksums
from rag_core.keeping.database import Database

MOST_RUNS = 8
ROW = checksums.ROWS["runs"]


class RunEntry(NamedTuple):
    """A ranking that is kept: for how many questions it ranks how many texts; ``last`` tells it from an older one."""

    name: str
    questions: int
    places: int
    last: int


class RunStore:
    """The rankings of other systems that were brought for a library's documents."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def entries(self, doc_id: str) -> list[RunEntry]:
        """Return what a document keeps of them, the oldest first; their texts are not read."""
        with self._database.open() as connection:
            query = (
                "SELECT name, count(DISTINCT question), count(*), max(number) FROM runs WHERE doc_id = ? "
                "GROUP BY name ORDER BY max(number)"
            )
            return [RunEntry(*row) for row in connection.execute(query, (doc_id,))]

    def load(self, doc_id: str) -> list[ImportedRun]:
        """Return a document's rankings by other systems, the oldest first.

        Raises:
            LibraryDamaged: a line is not as it was kept.
        """
        with self._database.open() as connection:
            query = f"SELECT {ROW}, checksum FROM runs WHERE doc_id = ? ORDER BY number"
            rows = connection.execute(query, (doc_id,)).fetchall()
        orders: dict[str, dict[str, list[Span]]] = {}
        for row in rows:
            if not checksums.holds(row):
                raise self._database.damaged("a ranking")
            _, name, question, part, page, start, quote, _ = row
            orders.setdefault(name, {}).setdefault(question, []).append(Span(page, start, quote, part))
        return [ImportedRun(name, {q: tuple(spans) for q, spans in run.items()}) for name, run in orders.items()]

    def add(self, doc_id: str, run: ImportedRun) -> None:
        """Keep a ranking with a document or a collection, in place of one of its name.

        Raises:
            TooManyRuns: the document has ``MOST_RUNS`` of other names.
        """
        rows = [checksums.sealed(doc_id, *row) for row in _rows(run)]
        with self._database.open() as connection:
            connection.execute("DELETE FROM runs WHERE doc_id = ? AND name = ?", (doc_id, run.name))
            [[kept]] = connection.execute("SELECT count(DISTINCT name) FROM runs WHERE doc_id = ?", (doc_id,))
            if kept >= MOST_RUNS:
                message = f"a document keeps {MOST_RUNS} rankings of other systems: remove one first"
                raise TooManyRuns(message, limit=MOST_RUNS)
            connection.executemany("INSERT INTO runs VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?)", rows)

    def remove(self, doc_id: str, name: str) -> None:
        """Remove a ranking; nothing happens when it is not there."""
        with self._database.open() as connection:
            connection.execute("DELETE FROM runs WHERE doc_id = ? AND name = ?", (doc_id, name))


def _rows(run: ImportedRun) -> Iterator[tuple[str, str, str, int, int, str]]:
    for question, spans in run.orders.items():
        for span in spans:
            yield run.name, question, span.doc_id, span.page, span.start, span.quote
