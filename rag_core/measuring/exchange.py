"""Write question sets, judgments and orders, and read qrels: CSV for spreadsheets, TREC's formats for trec_eval."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from rag_core.datatypes import Chunk, Judgment, Qrels
from rag_core.errors import BadGrade, BadQrels, UnknownChunk, UnknownQuestion
from rag_core.measuring import cells
from rag_core.measuring.judge import span_of
from rag_core.reading.encoding import decoded

COLUMNS = ("id", "question", "page", "quote", "grade", "judge", "document")
BEIR = [b"query-id", b"corpus-id", b"score"]
"""The header of BEIR's qrels."""

DANGEROUS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


def write_judgments(numbers: Mapping[str, int], judgments: Sequence[Judgment]) -> bytes:
    """Write a CSV that ``questions.read_questions`` reads: a row a judgment, and a row a question that has none.

    ``numbers`` gives each question's number in the document's set, which is its id in every file; the document is named
    where there are several.
    """
    judged = {judgment.question for judgment in judgments}
    several = len({judgment.span.doc_id for judgment in judgments}) > 1
    rows = [(question_id(numbers, judgment.question), *_judgment_row(judgment)) for judgment in judgments]
    rows += [(question_id(numbers, text), text, "", "", "", "", "") for text in numbers if text not in judged]
    columns = COLUMNS if several else COLUMNS[:-1]
    return write_csv(columns, [row[: len(columns)] for row in rows])


def _judgment_row(judgment: Judgment) -> tuple[object, ...]:
    span = judgment.span
    return judgment.question, span.page or "", span.quote, judgment.grade, judgment.judge, span.doc_id


def question_id(numbers: Mapping[str, int], question: str) -> str:
    """Return a question's id, ``q1``; nothing where it is not in the set."""
    return f"q{numbers[question]}" if question in numbers else ""


def write_topics(numbers: Mapping[str, int]) -> str:
    """Write topics as TREC's newer tracks have them, ``q1``, a tab and the question: what qrels and runs are about."""
    return "".join(f"{question_id(numbers, question)}\t{' '.join(question.split())}\n" for question in numbers)


def write_csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """Return a CSV that spreadsheets open as UTF-8 and in which no text can start a formula."""
    sheet = io.StringIO()
    writer = csv.writer(sheet, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([[harmless(cell) for cell in row] for row in rows])
    return sheet.getvalue().encode("utf-8-sig")


def harmless(cell: object) -> object:
    """Put a ' before a text that a spreadsheet would take for a formula, or that ``unharmed`` would take for marked."""
    return f"'{cell}" if isinstance(cell, str) and _dangerous(cell.lstrip("'")) else cell


def unharmed(cell: str) -> str:
    """Take away the mark that ``harmless`` put before a text."""
    return cell[1:] if cell[:1] == "'" and _dangerous(cell.lstrip("'")) else cell


def _dangerous(text: str) -> bool:
    return text.lstrip()[:1] in DANGEROUS or text[:1] in ("\t", "\r", "\n")


def write_qrels(qrels: Qrels, numbers: Mapping[str, int]) -> str:
    """Write TREC qrels: ``q1 0 chunk grade``; ``numbers`` gives each question's number in the document's set."""
    lines = [
        f"q{numbers[question]} 0 {chunk_id} {grade}"
        for question, grades in sorted(qrels.items(), key=lambda entry: numbers[entry[0]])
        for chunk_id, grade in sorted(grades.items())
    ]
    return "".join(f"{line}\n" for line in lines)


def is_qrels(data: bytes) -> bool:
    """Say whether a text begins as qrels do: TREC's four fields, of which the second is 0, or BEIR's header."""
    fields = data.split(b"\n", 1)[0].split()
    return fields == BEIR or (len(fields) == 4 and fields[1] in (b"0", b"Q0") and fields[3].isdigit())


def read_qrels(data: bytes, questions: Mapping[int, str], chunks: Sequence[Chunk], judge: str = "") -> list[Judgment]:
    """Read qrels of this document, cut as it is now: each line judges a whole chunk.

    They are TREC's, ``q1 0 chunk grade``, or BEIR's, which leave out the second field and have a header.

    Raises:
        BadFile: a line does not fit, or names a question or chunk that is not here; nothing is taken then.
    """
    by_id = {chunk.id: chunk for chunk in chunks}
    judgments: list[Judgment] = []
    for line, number, chunk_id, grade in _qrels(decoded(data).text):
        if chunk_id not in by_id:
            message = f"line {line}: this document, cut as it is now, has no chunk {chunk_id!r}"
            raise UnknownChunk(message, line=line, chunk=chunk_id)
        question = _by_number(line, number, questions)
        judgments.append(Judgment(question, span_of(by_id[chunk_id]), graded(line, grade), judge))
    return list(dict.fromkeys(judgments))


def _qrels(text: str) -> Iterator[tuple[int, str, str, str]]:
    """Yield line, question, chunk and grade."""
    rows = [(line, words.split()) for line, words in enumerate(text.splitlines(), start=1) if words.strip()]
    beir = bool(rows) and [field.encode() for field in rows[0][1]] == BEIR
    width = 3 if beir else 4
    for line, fields in rows[beir:]:
        if len(fields) != width:
            message = f"line {line} has {len(fields)} fields; qrels have four: question 0 chunk grade"
            raise BadQrels(message, line=line, fields=len(fields))
        yield line, fields[0], fields[-2], fields[-1]


def graded(line: int, text: str) -> int:
    """Return the grade that a cell names.

    Raises:
        BadGrade: it names none of 0, 1 and 2.
    """
    grade = cells.grade(text)
    if grade is None:
        raise BadGrade(f"line {line}: the grade is {text!r}; choose 0, 1 or 2", line=line, value=text)
    return grade


def _by_number(line: int, name: str, questions: Mapping[int, str]) -> str:
    question = numbered(name, questions)
    if question is None:
        raise UnknownQuestion(f"line {line}: the question set has no {name!r}", line=line, name=name)
    return question


def numbered(name: str, questions: Mapping[int, str]) -> str | None:
    """Return the question that stands in exported files under this name, ``q1``, or its number alone."""
    digits = name.removeprefix("q")
    return questions.get(int(digits)) if digits.isascii() and digits.isdigit() and len(digits) < 10 else None


def write_run(
    orders: Mapping[str, Sequence[str]],
    numbers: Mapping[str, int],
    tag: str,
    scores: Mapping[str, Mapping[str, float]] | None = None,
) -> str:
    """Write a TREC run: ``q1 Q0 chunk rank score tag``.

    ``scores`` gives what the model itself gave each question's chunks; without them the score only falls with the rank.
    """
    name = "".join(character if character.isalnum() or character in "-_.@" else "-" for character in tag)
    lines = [
        f"q{numbers[question]} Q0 {chunk_id} {rank} {score!s} {name}"
        for question, order in orders.items()
        for rank, (chunk_id, score) in enumerate(
            zip(order, _falling(order, (scores or {}).get(question)), strict=True), start=1
        )
    ]
    return "".join(f"{line}\n" for line in lines)


def _falling(order: Sequence[str], scores: Mapping[str, float] | None) -> Iterator[object]:
    """Yield the scores of an order, each below the one before.

    trec_eval sorts by score, as float32, and breaks ties its own way. So an equal score, and that of a chunk below the
    depth to which the model put the candidates in order, becomes the next lower number.
    """
    if scores is None:
        yield from range(len(order), 0, -1)
        return
    last = np.float32(np.inf)
    for chunk_id in order:
        last = min(np.float32(scores[chunk_id]), np.nextafter(last, np.float32(-np.inf)))
        yield last
