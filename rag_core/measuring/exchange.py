"""Read and write question sets, judgments and orders: CSV for spreadsheets, TREC's formats for trec_eval's kin."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rag_core.datatypes import Chunk, Judgment, Qrels, Span
from rag_core.errors import (
    BadGrade,
    BadPage,
    BadQrels,
    BadRow,
    NoQuestionColumn,
    NotText,
    RowTooLong,
    RowWithoutQuestion,
    TooManyQuestions,
    UnknownChunk,
    UnknownQuestion,
)
from rag_core.measuring.judge import GRADES, span_of
from rag_core.settings import MAX_QUERY

MOST_QUESTIONS = 2000
COLUMNS = ("question", "page", "quote", "grade", "judge", "document")
ENCODINGS = ("utf-8-sig", "gb18030")
"""The second is what a spreadsheet program writes in China."""

DANGEROUS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


@dataclass(frozen=True, slots=True)
class Questions:
    """What a file of questions holds; ``repeated`` counts rows that say what an earlier one said."""

    questions: tuple[str, ...]
    judgments: tuple[Judgment, ...]
    repeated: int


def read_questions(data: bytes) -> Questions:
    """Read a CSV with a ``question`` column, or lines with a question each.

    Where a row has a ``quote`` too, it is a judgment: ``grade`` is 2 unless given, ``page`` helps to find the words,
    ``document`` is the id of a collection's member.

    Raises:
        BadFile: it is no text, or a row does not fit; nothing of the file is taken then.
    """
    text = _decoded(data)
    header = next(csv.reader(io.StringIO(text)), [])
    if "question" not in [name.strip().lower() for name in header]:
        if len(header) > 1 and set(COLUMNS) & {name.strip().lower() for name in header}:
            raise NoQuestionColumn(f"no column is called question, only: {', '.join(header)}", found=", ".join(header))
        text = "question\n" + "".join(f"{_quoted(line)}\n" for line in text.splitlines())
    rows = list(_rows(text))
    questions = [question for _, question, _ in rows]
    judgments = [judgment for _, _, judgment in rows if judgment]
    unique, once = list(dict.fromkeys(questions)), list(dict.fromkeys(judgments))
    if len(unique) > MOST_QUESTIONS:
        raise TooManyQuestions(
            f"{len(unique)} questions; at most {MOST_QUESTIONS} are taken: split the file",
            count=len(unique),
            limit=MOST_QUESTIONS,
        )
    plain = len(questions) - len(judgments)
    repeated = len(judgments) - len(once) + max(0, plain - len({q for _, q, j in rows if j is None}))
    return Questions(tuple(unique), tuple(once), repeated)


def _decoded(data: bytes) -> str:
    for encoding in ENCODINGS:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise NotText("the file is neither UTF-8 nor GB18030 text: save it as CSV in UTF-8")


def _quoted(line: str) -> str:
    return '"' + line.replace('"', '""') + '"'


def _rows(text: str) -> Iterator[tuple[int, str, Judgment | None]]:
    reader = csv.reader(io.StringIO(text))
    try:
        names = [name.strip().lower() for name in next(reader)]
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield _row(reader.line_num, names, cells)
    except csv.Error as error:
        raise BadRow(f"line {reader.line_num}: {error}", line=reader.line_num, cells="?", columns="?") from error


def _row(line: int, names: Sequence[str], cells: Sequence[str]) -> tuple[int, str, Judgment | None]:
    if len(cells) != len(names):
        raise BadRow(
            f"line {line} has {len(cells)} cells, the header {len(names)}: put text with commas in double quotes",
            line=line,
            cells=len(cells),
            columns=len(names),
        )
    values = {name: unharmed(cell) for name, cell in zip(names, cells, strict=True)}
    question = _question(line, values["question"])
    if not values.get("quote", "").strip():
        return line, question, None
    span = Span(_page(line, values.get("page", "")), 0, values["quote"], values.get("document", "").strip())
    return line, question, Judgment(question, span, _grade(line, values.get("grade", "")), values.get("judge", ""))


def _question(line: int, text: str) -> str:
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


def _page(line: int, text: str) -> int:
    """Return the page, or 0 where none is named: then the words are looked for on every page."""
    if not text.strip():
        return 0
    if not (text.strip().isascii() and text.strip().isdigit() and len(text.strip()) < 7):
        raise BadPage(f"line {line}: {text!r} is no page number", line=line, value=text)
    return int(text)


def _grade(line: int, text: str) -> int:
    if not text.strip():
        return max(GRADES)
    if text.strip() not in map(str, GRADES):
        raise BadGrade(f"line {line}: the grade is {text!r}; choose 0, 1 or 2", line=line, value=text)
    return int(text)


def write_judgments(questions: Iterable[str], judgments: Sequence[Judgment]) -> bytes:
    """Write a CSV that ``read_questions`` reads: a row a judgment, and a row a question that has none.

    The document is named where there are several.
    """
    judged = {judgment.question for judgment in judgments}
    several = len({judgment.span.doc_id for judgment in judgments}) > 1
    rows = [_judgment_row(judgment) for judgment in judgments]
    rows += [(text, "", "", "", "", "") for text in questions if text not in judged]
    columns = COLUMNS if several else COLUMNS[:-1]
    return write_csv(columns, [row[: len(columns)] for row in rows])


def _judgment_row(judgment: Judgment) -> tuple[object, ...]:
    span = judgment.span
    return judgment.question, span.page or "", span.quote, judgment.grade, judgment.judge, span.doc_id


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


def read_qrels(data: bytes, questions: Mapping[int, str], chunks: Sequence[Chunk], judge: str = "") -> list[Judgment]:
    """Read TREC qrels of this document, cut as it is now: each line judges a whole chunk.

    Raises:
        BadFile: a line does not fit, or names a question or chunk that is not here; nothing is taken then.
    """
    by_id = {chunk.id: chunk for chunk in chunks}
    judgments: list[Judgment] = []
    for line, text in enumerate(_decoded(data).splitlines(), start=1):
        fields = text.split()
        if not fields:
            continue
        if len(fields) != 4:
            message = f"line {line} has {len(fields)} fields; qrels have four: question 0 chunk grade"
            raise BadQrels(message, line=line, fields=len(fields))
        number, _, chunk_id, grade = fields
        if chunk_id not in by_id:
            message = f"line {line}: this document, cut as it is now, has no chunk {chunk_id!r}"
            raise UnknownChunk(message, line=line, chunk=chunk_id)
        question = _by_number(line, number, questions)
        judgments.append(Judgment(question, span_of(by_id[chunk_id]), _grade(line, grade), judge))
    return list(dict.fromkeys(judgments))


def _by_number(line: int, name: str, questions: Mapping[int, str]) -> str:
    digits = name.removeprefix("q")
    if not (digits.isascii() and digits.isdigit() and int(digits[:9]) in questions):
        raise UnknownQuestion(f"line {line}: the question set has no {name!r}", line=line, name=name)
    return questions[int(digits)]


def write_run(orders: Mapping[str, Sequence[str]], numbers: Mapping[str, int], tag: str) -> str:
    """Write a TREC run: ``q1 Q0 chunk rank score tag``.

    trec_eval sorts by score and breaks ties its own way, so the score written is one that falls with the rank; the
    models' own scores stand in the CSV.
    """
    name = "".join(character if character.isalnum() or character in "-_.@" else "-" for character in tag)
    lines = [
        f"q{numbers[question]} Q0 {chunk_id} {rank} {len(order) - rank + 1} {name}"
        for question, order in orders.items()
        for rank, chunk_id in enumerate(order, start=1)
    ]
    return "".join(f"{line}\n" for line in lines)
