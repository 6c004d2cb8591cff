"""Question sets and judgments."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from rag_core.datatypes import Judgment, Span
from rag_core.keeping import checksums
from rag_core.keeping.database import Database
from rag_core.settings import check_query

JUDGMENT = checksums.ROWS["judgments"]
PARTS = "(SELECT ? UNION SELECT doc_id FROM members WHERE collection_id = ?)"
"""A document and, where it is a collection, its members."""


class JudgmentStore:
    """The questions and judgments of a library's documents."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def questions(self, doc_id: str) -> dict[int, str]:
        """Return a document's question set in the order it grew; a number stays with its question.

        Raises:
            LibraryDamaged: one is not as it was kept.
        """
        with self._database.open() as connection:
            query = f"SELECT {checksums.ROWS['questions']}, checksum FROM questions WHERE doc_id = ? ORDER BY number"
            rows = [self._whole(row, "question") for row in connection.execute(query, (doc_id,))]
        return {number: text for _, number, text, _ in rows}

    def _whole(self, row: Sequence, kind: str) -> Sequence:
        if not checksums.holds(row):
            raise self._database.damaged(f"a {kind}")
        return row

    def ask(self, doc_id: str, questions: Sequence[str]) -> None:
        """Add questions to a document's set; one that is there stays as it is."""
        with self._database.open() as connection:
            _put_questions(connection, doc_id, [check_query(question) for question in questions])

    def drop(self, doc_id: str, question: str) -> None:
        """Remove a question with its judgments, and with what other systems ranked for it."""
        with self._database.open() as connection:
            connection.execute("DELETE FROM questions WHERE doc_id = ? AND text = ?", (doc_id, question))
            for table in ("judgments", "runs"):
                connection.execute(f"DELETE FROM {table} WHERE doc_id = ? AND question = ?", (doc_id, question))

    def load(self, doc_id: str) -> list[Judgment]:
        """Return the judgments on a document, or on every member of a collection, oldest first.

        A later one of the same judge on the same span counts.

        Raises:
            LibraryDamaged: one is not as it was kept.
        """
        with self._database.open() as connection:
            query = f"SELECT {JUDGMENT}, checksum FROM judgments WHERE doc_id IN {PARTS} ORDER BY number"
            rows = connection.execute(query, (doc_id, doc_id)).fetchall()
        return [_judgment(self._whole(row, "judgment")) for row in rows]

    def add(self, judgments: Sequence[tuple[str, Judgment]]) -> None:
        """Add judgments, each to a document, and their questions to its question set."""
        rows = [checksums.sealed(doc_id, *_row(judgment)) for doc_id, judgment in judgments]
        with self._database.open() as connection:
            for doc_id, judgment in judgments:
                _put_questions(connection, doc_id, [judgment.question])
            connection.executemany("INSERT INTO judgments VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?)", rows)

    def undo(self, doc_id: str, judge: str) -> Judgment | None:
        """Take back this judge's last judgment on a document, or on any member of a collection, and return it."""
        with self._database.open() as connection:
            query = (
                f"SELECT number, {JUDGMENT}, checksum FROM judgments "
                f"WHERE doc_id IN {PARTS} AND judge = ? ORDER BY number DESC LIMIT 1"
            )
            row = connection.execute(query, (doc_id, doc_id, judge)).fetchone()
            if row is None:
                return None
            judgment = _judgment(self._whole(row[1:], "judgment"))
            connection.execute("DELETE FROM judgments WHERE number = ?", row[:1])
        return judgment


def _put_questions(connection: sqlite3.Connection, doc_id: str, questions: Sequence[str]) -> None:
    for text in questions:
        connection.execute(
            "INSERT OR IGNORE INTO questions SELECT ?, COALESCE(MAX(number), 0) + 1, ?, '' FROM questions "
            "WHERE doc_id = ?",
            (doc_id, text, doc_id),
        )
    checksums.seal_rows(connection, "questions")


def _row(judgment: Judgment) -> tuple[str, int, int, str, int, str]:
    span = judgment.span
    return judgment.question, span.page, span.start, span.quote, judgment.grade, judgment.judge


def _judgment(row: Sequence) -> Judgment:
    doc_id, question, page, start, quote, grade, judge, _ = row
    return Judgment(question, Span(page, start, quote, doc_id), grade, judge)
