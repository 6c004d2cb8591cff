"""Find the heads of a page's tables, so that a row that is cut off from its head can be read with it.

A row is a line with CELL between its cells. The first row of some is their head where nothing in it is an amount and
most rows below hold one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise, takewhile
from typing import NamedTuple

from rag_core.datatypes import Chunk
from rag_core.reading.text import CELL, line_width

Span = tuple[int, int]

WIDEST_HEAD = 160
"""A head of more columns than this is not repeated: it would outweigh the row."""

WIDEST_CELL, WIDEST_LABEL = 50, 60
"""No cell of a head is wider, nor a line between rows that names a group of them; such a line is text."""

FARTHEST_YEARS = 10
"""Years in neighbouring cells of a head are no farther apart: 2014 beside 1998 are more likely amounts."""

_YEAR = re.compile(r"(?<![\d.,])(?:19|20)\d\d(?![\d.,]*\d)")
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|June?|July?|Aug|Sept?|Oct|Nov|Dec)[a-z]*\.?"
_PERIOD = re.compile(
    rf"(?:FY ?)?{_YEAR.pattern}(?: ?[/–—-] ?\d\d(?:\d\d)?(?!\d))? ?年?|FY ?\d\d|[QH][1-4]|[1-4][QH](?:\d\d)?"
    rf"|\d{{1,2}} ?月(?: ?\d{{1,2}} ?[日号])?|\d{{1,2}} {_MONTH}|{_MONTH} \d{{1,2}}(?!\d)"
)
_NUMBERED = re.compile(r"(?:[A-Z][a-z]+ |[\u4e00-\u9fff]{2,} ?)\d{1,2}")
_NOTHING = re.compile(r"[-–—]+|n/?a", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[。！？；.!?;]$")
_CELL_SENTENCE = re.compile(r"[。！？；!?;]$|\s\S+\s\S+\.$")
_CAPTION = re.compile(r"(?:表|图|圖|Table|Figure) ?\d")


class Table(NamedTuple):
    """Where a table's head stands, and from where to where the rows below it."""

    head: Span
    start: int
    end: int


class _Line(NamedTuple):
    start: int
    end: int
    cells: tuple[str, ...]


def tables(text: str) -> list[Table]:
    """Return the tables of a page that have a head, and no longer one than can be repeated, in reading order."""
    known = (table for run in _runs(_lines(text)) for table in _tables(run)) if CELL in text else ()
    return [table for table in known if line_width(text[slice(*table.head)]) <= WIDEST_HEAD]


def head_over(text: str, known: Sequence[Table], start: int, end: int) -> str:
    """Return the head of the table in which a piece of text begins; nothing where it holds none of its rows."""
    table = next((table for table in known if table.start <= start < table.end), None)
    if table is None or (CELL not in text[start:end] and not _is_in_row(text, start)):
        return ""
    return text[slice(*table.head)]


def head_of(chunk: Chunk, place: int) -> str:
    """Return the head that a chunk brings along, where its text is rows of a table alone up to this place."""
    before = filter(str.strip, chunk.text[:place].split("\n"))
    return chunk.head if all(CELL in line for line in before) else ""


def _is_in_row(text: str, place: int) -> bool:
    first = text.rfind("\n", 0, place) + 1
    return CELL in text[first:].split("\n", 1)[0]


def _lines(text: str) -> Iterator[_Line]:
    start = 0
    for line in text.split("\n"):
        cells = tuple(cell.strip() for cell in line.split(CELL))
        yield _Line(start, start + len(line), tuple(filter(None, cells)))
        start += len(line) + 1


def _runs(lines: Iterator[_Line]) -> Iterator[list[_Line]]:
    """Yield rows that follow one another, with the single lines between them that name a group of rows."""
    run: list[_Line] = []
    for line in lines:
        if len(line.cells) > 1 or (run and len(run[-1].cells) > 1 and _is_label(line)):
            run.append(line)
        else:
            yield run
            run = []
    yield run


def _is_label(line: _Line) -> bool:
    label = "".join(line.cells)
    is_text = _SENTENCE_END.search(label) or _CAPTION.match(label) or line_width(label) > WIDEST_LABEL
    return bool(label) and not is_text


def _tables(run: Sequence[_Line]) -> Iterator[Table]:
    """Yield the tables of a run: another begins with a head after a single line, and with one of periods."""
    starts = [place for place, line in enumerate(run) if _is_head(line) and _begins(run, place)]
    for place, following in pairwise([*starts, len(run)]):
        head, rows = _divided(run[place:following])
        rows = _fitting(head, rows)
        if _hold_figures(head, rows):
            yield Table((head[0].start, head[-1].end), rows[0].start, rows[-1].end)


def _begins(run: Sequence[_Line], place: int) -> bool:
    if place == 0 or len(run[place - 1].cells) < 2:
        return True
    periods = run[place].cells[1:]
    if _is_head(run[place - 1]) or not all(map(_PERIOD.search, periods)):
        return False
    # Below columns that are no periods, bare years are amounts: when each was opened.
    return not all(map(_YEAR.fullmatch, periods)) or any(map(_YEAR.search, run[0].cells[1:]))


def _divided(lines: Sequence[_Line]) -> tuple[Sequence[_Line], Sequence[_Line]]:
    """Return the lines of the head, of which a second one holds periods or units alone, and the rows."""
    second = lines[1].cells if len(lines) > 1 else ()
    count = 2 if len(second) > 1 and all(map(_is_period_or_unit, second)) else 1
    return lines[:count], lines[count:]


def _is_period_or_unit(cell: str) -> bool:
    return _is_name(cell) and bool(_PERIOD.search(cell) or re.fullmatch(r"[(（].*[)）]|%", cell))


def _fitting(head: Sequence[_Line], rows: Sequence[_Line]) -> Sequence[_Line]:
    """Return the rows as far as they have no more cells than the head, whose first column may have no name."""
    most = 1 + max(len(line.cells) for line in head)
    fitting = [*takewhile(lambda row: len(row.cells) <= most, rows)]
    while fitting and len(fitting[-1].cells) < 2:  # what follows the last row names nothing of this table
        fitting.pop()
    return fitting


def _hold_figures(head: Sequence[_Line], rows: Sequence[_Line]) -> bool:
    """Say whether so many rows hold an amount that the first one is their head: of mere words nearly all must."""
    rows = [row for row in rows if len(row.cells) > 1]
    figures = sum(any(map(_is_amount, row.cells[1:])) for row in rows)
    if any(_PERIOD.search(cell) for line in head for cell in line.cells[1:]):
        return figures > 0 and figures * 2 >= len(rows)
    return figures > 1 and figures * 4 >= len(rows) * 3


def _is_head(line: _Line) -> bool:
    """Say whether a row can be a head: words, units, years and periods, and no sentence."""
    if len(line.cells) < 2 or not all(map(_is_name, line.cells)):
        return False
    years = [int(cell) for cell in line.cells if _YEAR.fullmatch(cell)]
    return all(abs(year - other) <= FARTHEST_YEARS for year, other in pairwise(years))


def _is_name(cell: str) -> bool:
    return line_width(cell) <= WIDEST_CELL and not _is_amount(cell) and not _CELL_SENTENCE.search(cell)


def _is_amount(cell: str) -> bool:
    """Say whether a cell holds a number that is no period and no name's, or says that there is none."""
    if _NOTHING.fullmatch(cell):
        return True
    return not _NUMBERED.fullmatch(cell) and any(map(str.isdigit, _PERIOD.sub("", cell)))
