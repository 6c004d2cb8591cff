"""Understand a file of questions and judgments as people bring it, and say what was understood."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rag_core.datatypes import Judgment, Span
from rag_core.errors import BadPage, RowTooLong, RowWithoutQuestion, TooManyQuestions
from rag_core.measuring import cells, records
from rag_core.measuring.exchange import graded, unharmed
from rag_core.measuring.records import QRELS, Record, Source
from rag_core.settings import MAX_QUERY

MOST_QUESTIONS = 2000
SHOWN = 3
"""So many entries are kept for a look at what was understood."""

UNKNOWN = Source()

Entry = tuple[str, Judgment | None]
"""A question, and what was judged for it, if anything."""


@dataclass(frozen=True, slots=True)
class Questions:
    """What a file of questions holds; ``repeated`` counts rows that say what an earlier one said."""

    questions: tuple[str, ...]
    judgments: tuple[Judgment, ...]
    repeated: int
    first: tuple[Entry, ...] = ()
    source: Source = UNKNOWN

    @classmethod
    def judged(cls, judgments: Sequence[Judgment]) -> Questions:
        """Return judgments alone, of questions that are in a set already."""
        return cls(
            (),
            tuple(judgments),
            0,
            tuple((judgment.question, judgment) for judgment in judgments[:SHOWN]),
            Source(QRELS),
        )


def read_questions(data: bytes, encoding: str = "") -> Questions:
    """Read a table with a column of questions, a list of them, JSON, or a workbook; see ``columns.COLUMNS``.

    Where a row has a quote too, it is a judgment: ``grade`` is 2 unless given, ``page`` helps to find the words,
    ``document`` is the id of a collection's member. ``encoding`` is told by the bytes unless it is given.

    Raises:
        BadFile: it cannot be read, or a row does not fit; nothing of the file is taken then.
    """
    source, rows = records.read(data, encoding)
    entries = [_entry(row) for row in rows]
    unique, once = list(dict.fromkeys(question for question, _ in entries)), list(dict.fromkeys(entries))
    if len(unique) > MOST_QUESTIONS:
        raise TooManyQuestions(
            f"{len(unique)} questions; at most {MOST_QUESTIONS} are taken: split the file",
            count=len(unique),
            limit=MOST_QUESTIONS,
        )
    judgments = tuple(judgment for _, judgment in once if judgment)
    return Questions(tuple(unique), judgments, len(entries) - len(once), tuple(once[:SHOWN]), source)


def _entry(row: Record) -> Entry:
    line, values = row.line, {name: unharmed(cell) for name, cell in row.values.items()}
    question = question_of(line, values.get("question", ""))
    if not values.get("quote", "").strip():
        return question, None
    span = Span(page_of(line, values.get("page", "")), 0, values["quote"], values.get("document", "").strip())
    return question, Judgment(question, span, graded(line, values.get("grade", "")), values.get("judge", ""))


def question_of(line: int, text: str) -> str:
    """Return the question that a cell asks.

    Raises:
        RowWithoutQuestion, RowTooLong: it is blank, or longer than a question may be.
    """
    question = " ".join(text.split())
    if not question:
        raise RowWithoutQuestion(f"line {line} has no question", line=line)
    if len(question) > MAX_QUERY:
        raise RowTooLong(
            f"line {line}: the question has {len(question)} characters, at most {MAX_QUERY} are read",
            line=line,
            length=len(question),
            limit=MAX_QUERY,
        )
    return question


def page_of(line: int, text: str) -> int:
    """Return the page, or 0 where none is named: then the words are looked for on every page.

    Raises:
        BadPage: it is no page number.
    """
    page = cells.page(text)
    if page is None:
        raise BadPage(f"line {line}: {text!r} is no page number", line=line, value=text)
    return page
