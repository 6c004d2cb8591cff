"""Find the rows of a question file, whatever it is: separated values, lines, JSON, a workbook."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from rag_core.errors import BadJson, BadRow, OpenQuote, QuestionsTooLarge
from rag_core.measuring import cells, columns, separated, workbook
from rag_core.measuring.columns import QUESTIONS, Vocabulary
from rag_core.measuring.separated import Row
from rag_core.reading.encoding import Decoded, decoded

MOST_BYTES = 16 * 2**20
MOST_LINES = 50_000

FORMS = LINES, TABLE, COLUMN, JSON, WORKBOOK, QRELS, RUN = (
    *("lines", "table", "column", "json", "workbook", "qrels"),
    "run",
)

_LINE_END = re.compile(r"\r\n|\r|\n")
_NO_TEXT = re.compile("[\0\ud800-\udfff]")
"""What JSON and workbooks can hold and no text can."""


@dataclass(frozen=True, slots=True)
class Source:
    """What a file was taken for, one of FORMS, and what of it was not taken as it stands."""

    form: str = LINES
    encoding: str = ""
    possible: tuple[str, ...] = ()
    separator: str = ""
    sheet: str = ""
    unread: tuple[str, ...] = ()
    filled: int = 0
    joined: int = 0


@dataclass(frozen=True, slots=True)
class Record:
    """A row by the names of its columns, and the line or row that it begins in."""

    line: int
    values: Mapping[str, str]


def read(data: bytes, encoding: str = "", kind: Vocabulary = QUESTIONS) -> tuple[Source, list[Record]]:
    """Return what a file was taken for, and its records; see ``questions.read_questions`` and ``runs.read_run``."""
    text = text_of(data, encoding)
    if text is None:
        return _of_workbook(data, kind)
    source, records = _of_text(text, kind)
    return replace(source, encoding=text.encoding, possible=text.possible), records


def text_of(data: bytes, encoding: str = "") -> Decoded | None:
    """Return a file's text, or nothing where it is a workbook.

    Raises:
        BadFile: it is larger than is read, has too many lines, or is no text.
    """
    if len(data) > MOST_BYTES:
        size, limit = round(len(data) / 2**20), MOST_BYTES // 2**20
        message = f"the file has {size} MB; at most {limit} are read: split it, or leave out what is not asked"
        raise QuestionsTooLarge(message, size_mb=size, limit_mb=limit)
    if workbook.is_workbook(data):
        return None
    text = decoded(data, encoding)
    lines = max(text.text.count("\n"), text.text.count("\r"))
    if lines > MOST_LINES:
        raise separated.too_many_lines(lines, MOST_LINES)
    return text


def _of_text(text: Decoded, kind: Vocabulary) -> tuple[Source, list[Record]]:
    return _of_json(text.text, kind) or _of_table(text.text, kind) or _of_lines(text.text, kind)


# Lines


def _of_lines(text: str, kind: Vocabulary) -> tuple[Source, list[Record]]:
    if kind is not QUESTIONS:
        raise kind.missing(record.values["question"] for record in islice(_lines(text), 1))
    return Source(LINES), list(_lines(text))


def _lines(text: str) -> Iterator[Record]:
    for line, words in enumerate(_LINE_END.split(text), start=1):
        if words.strip():
            yield Record(line, {"question": words})


# Separated values


def _of_table(text: str, kind: Vocabulary) -> tuple[Source, list[Record]] | None:
    """Read a table by the separator that makes most columns known; nothing where it is a list of questions.

    Raises:
        BadFile: it is a table, but not of questions, or a row of it does not fit.
    """
    named = separated.named_separator(text)
    heads = {separator: _head(text, separator) for separator in named or separated.SEPARATORS}
    found = {sep: place for sep, head in heads.items() if (place := kind.header_place(_cells(head))) is not None}
    if not found:
        _refuse_other_tables(heads, bool(named), kind)
        lines = [[record.values["question"]] for record in islice(_lines(text), columns.LOOKED_AT)]
        if columns.is_table(lines):
            raise kind.missing(lines[0])
        return None
    separator = max(found, key=lambda sep: len(kind.places(heads[sep][found[sep]].cells)))
    rows = islice(separated.rows(text, separator), found[separator], None)
    return _of_rows(Source(TABLE, separator=separator), rows, kind)


def _head(text: str, separator: str) -> list[Row]:
    """Return the first rows, up to one that cannot be read: that is told once the file is known to be a table."""
    rows: list[Row] = []
    try:
        rows.extend(islice(separated.rows(text, separator), columns.LOOKED_AT))
    except OpenQuote:
        return rows
    return rows


def _cells(rows: Iterable[Row]) -> list[list[str]]:
    return [row.cells for row in rows]


def _refuse_other_tables(heads: Mapping[str, list[Row]], surely: bool, kind: Vocabulary) -> None:
    for separator, head in heads.items():
        if head and (surely or (len(head[0].cells) > 1 and columns.is_table(_cells(head), separator))):
            raise kind.missing(head[0].cells)


def _of_rows(source: Source, rows: Iterable[Row], kind: Vocabulary) -> tuple[Source, list[Record]]:
    """Read rows of which the first is the header."""
    header, *others = rows
    names = [name.strip() for name in header.cells]
    places = kind.places(names)
    kinds = {place: column for column, place in places.items()}
    known = [kinds.get(place, "") for place in range(len(names))]
    count: Counter[str] = Counter()
    records = [Record(row.line, _values(_fitted(row, known, source.separator, count), places)) for row in others]
    unread = tuple(kind.unread(names))
    if source.form == TABLE and len(names) == 1:
        source = replace(source, form=COLUMN, separator="")
    return replace(source, unread=unread, filled=count["filled"], joined=count["joined"]), records


def _values(row: Sequence[str], places: Mapping[str, int]) -> dict[str, str]:
    return {column: row[place] for column, place in places.items()}


def _fitted(row: Row, known: Sequence[str], separator: str, count: Counter[str]) -> list[str]:
    """Return as many cells as the header has: blank ones are added and left out, others are joined."""
    width, found = len(known), row.cells
    if len(found) < width:
        count["filled"] += 1
        return found + [""] * (width - len(found))
    surplus = any(cell.strip() for cell in found[width:])
    if len(found) == width or not separator or (not surplus and cells.fits(found, known)):
        return found[:width]  # a workbook's cells, which have no separator, were never cut
    whole = cells.joined(found, known, separator)
    if whole is None:
        raise BadRow(
            f"line {row.line} has {len(found)} cells, the header {width}, and nothing says which belong together:"
            f' put text that holds {separator!r} in double quotes (")',
            line=row.line,
            cells=len(found),
            columns=width,
        )
    count["joined"] += 1
    return whole


# JSON


def _of_json(text: str, kind: Vocabulary) -> tuple[Source, list[Record]] | None:
    """Read a line a JSON object, or one array of them; nothing where the first line is no such thing."""
    if not text.lstrip().startswith(("{", "[")):
        return None
    objects = list(_array(text) or _lines_of_json(text))
    if not objects:
        return None
    names = list(dict.fromkeys(name for _, fields in objects for name in fields))
    if not kind.fits(names):
        raise kind.missing(names)
    records = [Record(line, _fields(line, fields, kind)) for line, fields in objects]
    return Source(JSON, unread=tuple(kind.unread(names))), records


def _array(text: str) -> list[tuple[int, dict]]:
    try:
        array = json.loads(text)
    except (ValueError, RecursionError):
        return []
    objects = [{"question": entry} if isinstance(entry, str) else entry for entry in _listed(array)]
    return list(enumerate(objects, start=1)) if all(isinstance(entry, dict) for entry in objects) else []


def _listed(value: object) -> list:
    return value if isinstance(value, list) else [value]


def _lines_of_json(text: str) -> Iterator[tuple[int, dict]]:
    begun = False
    for record in _lines(text):
        line, words = record.line, record.values["question"]
        try:
            fields = json.loads(words)
        except (ValueError, RecursionError) as error:
            if not begun and not words.lstrip().startswith('{"'):
                return  # a list of questions may begin with a bracket
            raise _bad_json(line, getattr(error, "msg", "") or "it is nested too deeply") from error
        if not isinstance(fields, dict):
            raise _bad_json(line, "it is no object in braces")
        begun = True
        yield line, fields


def _bad_json(line: int, reason: str) -> BadJson:
    message = f'line {line} is no JSON object of texts and numbers ({reason}): write {{"question": "…"}} on each line'
    return BadJson(message, line=line, reason=reason)


def _fields(line: int, fields: Mapping[str, object], kind: Vocabulary) -> dict[str, str]:
    places, names = kind.places(list(fields)), list(fields)
    return {column: _text_of(line, names[place], fields[names[place]]) for column, place in places.items()}


def _text_of(line: int, name: str, value: object) -> str:
    if isinstance(value, (list, dict, bool)):
        raise _bad_json(line, f"{name[:40]} is neither text nor a number")
    return "" if value is None else _NO_TEXT.sub("", str(value))


# A workbook


def _of_workbook(data: bytes, kind: Vocabulary) -> tuple[Source, list[Record]]:
    """Read the first sheet that has a question column, or else the first, as lines where it has one column."""
    first: tuple[str, list[Row]] | None = None
    for name, rows in workbook.sheets(data, MOST_LINES):
        place = kind.header_place(_cells(rows[: columns.LOOKED_AT]))
        if place is not None:
            return _of_rows(Source(WORKBOOK, sheet=name), _trimmed(rows[place:]), kind)
        first = first or (name, rows)
    if not first:
        return Source(WORKBOOK), []
    return _of_sheet(*first, kind)


def _of_sheet(name: str, rows: list[Row], kind: Vocabulary) -> tuple[Source, list[Record]]:
    """Read a sheet without a header: a list of questions, one a row."""
    filled = [[cell for cell in row.cells if cell.strip()] for row in rows]
    surely = kind is not QUESTIONS or any(len(row) > 1 for row in filled)
    if surely or columns.is_table(filled[: columns.LOOKED_AT]):
        raise kind.missing(filled[0])
    records = [Record(row.line, {"question": _clean(cells[0])}) for row, cells in zip(rows, filled, strict=True)]
    return Source(WORKBOOK, sheet=name), records


def _trimmed(rows: Sequence[Row]) -> list[Row]:
    """Return rows without the blank cells behind the header's last."""
    width = max(place for place, cell in enumerate(rows[0].cells) if cell.strip()) + 1
    return [Row(row.line, [_clean(cell) for cell in row.cells[:width]]) for row in rows]


def _clean(cell: str) -> str:
    return _NO_TEXT.sub("", cell)
