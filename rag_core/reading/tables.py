"""Put together what a table's cells broke over several lines: labels, heads, and text in cells."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise, takewhile
from statistics import median

from rag_core.reading.geometry import Box
from rag_core.reading.rows import Cell, Row, step
from rag_core.reading.text import CELL, join_two

TIGHT = 1.4
"""The lines of one cell stand at most so many times their height apart."""

CLOSE = 0.8
"""And closer than the rows of the table, by this part."""

MOST_HEADS = 6
"""A table's head has at most so many lines."""

_END = re.compile(r"[。！？；…!?;.:：][”’」』）》】〉\"')\]]*$")
_FIGURE = re.compile(r"[(（]?[-+−–—$¥€£]?\d[\d.,]*[%)）]?|[-–—]|n/?a", re.IGNORECASE)

Span = tuple[float, float]


def ends_sentence(line: str) -> bool:
    """Say whether a line ends with a mark that ends a sentence, or a heading."""
    return bool(_END.search(line[-8:]))


def goes_on(upper: Cell, lower: Cell, edge: float) -> bool:
    """Say whether a sentence runs on from one line to the next in a column that ends at ``edge``."""
    first = lower.text[0]
    if ends_sentence(upper.text) and first.isupper():
        return False
    if first.islower() or upper.text.endswith(("-", "\u2010")):
        return True
    cased = first.upper() != first.lower()
    return not cased and not upper.text[-1].isdigit() and upper.box.right >= edge - 1.5 * upper.box.height


def whole_rows(band: Sequence[Row], spans: Sequence[Span]) -> list[Row]:
    """Return the rows of a table, with what stands in one cell in one row; ``spans`` are the table's columns."""
    rows = [*_head(band, spans)]
    edges = [
        max((cell.box.right for row in band for cell in row if _within(cell, span)), default=0.0) for span in spans
    ]
    pitch = median([step(upper, lower) for upper, lower in pairwise(rows)] or [0.0])
    whole = rows[:1]
    for former, row in pairwise(rows):
        near = step(former, row)
        tight = near <= TIGHT * row[0].box.height
        if tight and (
            _is_rest(former, row, spans, edges) or _is_start(former, row, spans, edges, near < CLOSE * pitch)
        ):
            whole[-1] = _joined(whole[-1], row, spans)
        else:
            whole.append(row)
    return whole


def _head(band: Sequence[Row], spans: Sequence[Span]) -> Iterator[Row]:
    """Yield the rows; those of the head, close above the first row of figures, are one."""
    first = len([*takewhile(lambda row: not _has_figures(row), band)])
    start = first
    while start > 1 and step(band[start - 2], band[start - 1]) <= TIGHT * band[start - 1][0].box.height:
        start -= 1
    start = max(start - 1, 0)
    head = band[start:first]
    if not 1 < len(head) <= MOST_HEADS or first == len(band) or max(map(len, head)) < 2:
        yield from band
        return
    yield from band[:start]
    whole = head[0]
    for row in head[1:]:
        whole = _joined(whole, row, spans)
    yield whole
    yield from band[first:]


def is_figure(text: str) -> bool:
    """Say whether a cell holds a figure and nothing else, or the sign that there is none."""
    return bool(_FIGURE.fullmatch(text))


def _has_figures(row: Row) -> bool:
    figures = sum(is_figure(cell.text) for cell in row[1:])
    return len(row) > 1 and figures * 2 >= len(row) - 1


def _is_rest(former: Row, row: Row, spans: Sequence[Span], edges: Sequence[float]) -> bool:
    """Say whether every cell of a row goes on with the one above it, and some cells above do not go on."""
    above = {_column(cell, spans): cell for cell in former}
    below = {_column(cell, spans): cell for cell in row}
    if not below.keys() < above.keys():
        return False
    return all(goes_on(above[column], cell, edges[column]) for column, cell in below.items())


def _is_start(former: Row, row: Row, spans: Sequence[Span], edges: Sequence[float], close: bool) -> bool:
    """Say whether a label begins in the row above, which holds nothing else."""
    if len(former) > 1 or len(row) < 2 or _column(former[0], spans) != _column(row[0], spans):
        return False
    cased = row[0].text[0].islower()
    return (cased or close) and goes_on(former[0], row[0], edges[_column(row[0], spans)])


def _joined(upper: Row, lower: Row, spans: Sequence[Span]) -> Row:
    cells = {_column(cell, spans): cell for cell in upper}
    for cell in lower:
        column = _column(cell, spans)
        former = cells.get(column)
        cells[column] = _both(former, cell) if former else cell
    return [cells[column] for column in sorted(cells)]


def _both(upper: Cell, lower: Cell) -> Cell:
    around: Box = upper.box.around(lower.box)
    box = Box(around.left, lower.box.bottom, around.right, lower.box.top)
    return Cell(join_two(upper.text, lower.text), box, (*upper.glyphs, *lower.glyphs))


def _column(cell: Cell, spans: Sequence[Span]) -> int:
    return next((number for number, span in enumerate(spans) if _within(cell, span)), 0)


def _within(cell: Cell, span: Span) -> bool:
    return span[0] <= cell.box.left and cell.box.right <= span[1]


def line_of(row: Row) -> str:
    """Return a row as a line, with a sign between its cells."""
    return CELL.join(cell.text for cell in row)
