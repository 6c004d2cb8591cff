"""Read the rows of a page in a person's order: columns one after the other, the rows of a table as they stand.

Rows that leave the same gaps free belong together. Where the text in all the columns between the gaps runs on from line
to line, they are columns; elsewhere they are a table, whose rows stay whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce
from itertools import pairwise
from statistics import median

from rag_core.reading import tables
from rag_core.reading.geometry import Box
from rag_core.reading.rows import Cell, Row, starts_item, step
from rag_core.reading.tables import Span, ends_sentence
from rag_core.reading.text import Block

LEAST_LINES = 4
"""Fewer lines than this are no column."""

RUNS_ON = 0.4
"""In running text at least this share of the lines goes on in the next."""

RAGGED = 0.2
"""Lines of running text end at most so much of the column's width before its edge, and a word."""

FIGURES = 0.3
"""With more figures than this among its characters, a column is one of a table."""

LEAST_WIDTH = 5.0
"""A column of running text is at least so many times as wide as its lines are high; a table's cells are not."""

FAR = 2.5
"""So many lines' room between two rows parts what stands above from what stands below."""

JUSTIFIED, EVEN = 3.0, 0.3
"""The words of a justified line stand at most so many times its height apart, and the gaps differ by less than this."""

GUTTER = 0.5
"""A gap between columns is at least this part of a line's height wide."""


def blocks(rows: Sequence[Row]) -> list[Block]:
    """Return the text of the rows in reading order."""
    result: list[Block] = []
    for band in _bands(rows):
        columns = _columns(band)
        block = _side_by_side(columns) if columns else Block(tuple(_lines(band)))
        if result and not block.columns and not result[-1].columns:
            block = Block(result.pop().lines + block.lines)
        result.append(block)
    return result


def in_order(rows: Sequence[Row]) -> Iterator[Row]:
    """Yield the rows in reading order, each of one column."""
    for band in _bands(rows):
        columns = _columns(band)
        yield from (row for column in columns for row in in_order(column)) if columns else band


def has_columns(result: Sequence[Block]) -> bool:
    """Say whether some of the blocks are columns."""
    return any(block.columns for block in result)


def _side_by_side(columns: list[list[Row]]) -> Block:
    """Return the columns' lines one after the other; what one column holds may be columns again."""
    lines: list[str] = []
    for column in columns:
        ended = lines and ends_sentence(lines[-1])
        lines += [*([""] if ended else []), *(line for block in blocks(column) for line in block.lines)]
    return Block(tuple(lines), columns=True)


# Bands


def _bands(rows: Sequence[Row]) -> Iterator[list[Row]]:
    """Yield runs of rows that leave the same gaps free, or none."""
    band: list[Row] = []
    taken: list[Span] = []
    far = FAR * _pitch(rows)
    for row in rows:
        own, both = _taken([], row), _taken(taken, row)
        together = len(both) > 1 or len(own) == len(taken) == 1
        if band and (not together or step(band[-1], row) > far):
            ahead = _ahead(band, row) if len(taken) == 1 < len(own) else len(band)
            yield from _headed(band[:ahead])
            band = band[ahead:]
            both = _spans([*band, row])
        band.append(row)
        taken = both
    if band:
        yield from _headed(band)


def _headed(band: list[Row]) -> Iterator[list[Row]]:
    """Yield a band, or in two: lines across the page, and columns whose lines stand at other heights below them."""
    spans: list[Span] = []
    for place in range(len(band) - 1, -1, -1):
        both = _taken(spans, band[place])
        if len(both) < len(spans):
            below = band[place + 1 :]
            yield from [band[: place + 1], below] if _columns(below) else [band]
            return
        spans = both
    yield band


def _ahead(band: list[Row], row: Row) -> int:
    """Return where the rows begin that belong to the columns below: one column begins a little above the others."""
    spans, start = _taken([], row), len(band)
    while start > 1 and step(band[start - 1], row) < step(band[start - 2], band[start - 1]):
        if not any(_fills(band[start - 1], span) for span in spans):
            break
        start, row = start - 1, band[start - 1]
    return start


def _fills(row: Row, span: Span) -> bool:
    """Say whether a row is a line of text in a column that is about as wide as this."""
    (left, right), room = span, row[0].box.height / 2
    inside = left - room <= row[0].box.left and row[-1].box.right <= right + room
    return len(row) == 1 and inside and _width(row) >= 0.6 * (right - left)


def _taken(spans: list[Span], row: Row) -> list[Span]:
    """Return the parts of the page's width that these rows take, with the gaps between them left out."""
    least = GUTTER * max(cell.box.height for cell in row)
    merged: list[Span] = []
    for left, right in sorted([*spans, *((cell.box.left, cell.box.right) for cell in row)]):
        if merged and left - merged[-1][1] < least:
            merged[-1] = merged[-1][0], max(merged[-1][1], right)
        else:
            merged.append((left, right))
    return merged


def _spans(band: list[Row]) -> list[Span]:
    """Return what lies between the gaps that all these rows leave free."""
    taken: list[Span] = []
    for row in band:
        taken = _taken(taken, row)
    return taken


def _columns(band: list[Row]) -> list[list[Row]]:
    """Return the rows of each column where the band is columns of running text, else nothing."""
    columns = [_evened(_between(band, span)) for span in _spans(band)]
    long = [column for column in columns if len(column) >= LEAST_LINES]
    if len(long) < 2 or not all(_runs_on(column) for column in long):
        return _beside_text(band)
    return columns if all(_as_wide(column, long[0]) for column in columns if column not in long) else []


def _beside_text(band: list[Row]) -> list[list[Row]]:
    """Return columns where one is running text, and what stands beside it has rows of its own; else nothing."""
    spans = _spans(band)
    running = [len(column) >= LEAST_LINES and _runs_on(column) for column in (_between(band, span) for span in spans)]
    units: list[tuple[bool, Span]] = []
    for runs, (left, right) in zip(running, spans, strict=True):
        if units and not runs and not units[-1][0]:
            left = units.pop()[1][0]
        units.append((runs, (left, right)))
    columns = [_between(band, span) for _, span in units]
    apart = sum(map(len, columns)) - len(band) < 0.5 * min(map(len, columns))
    return columns if any(running) and len(units) > 1 and apart else []


def _between(band: list[Row], span: Span) -> list[Row]:
    within = ([cell for cell in row if span[0] <= cell.box.left and cell.box.right <= span[1]] for row in band)
    return [cells for cells in within if cells]


def _evened(column: list[Row]) -> list[Row]:
    """Return a column with the words of justified lines together, however far apart they stand in a narrow one."""
    if not 0 < sum(len(row) > 1 for row in column) * 2 < len(column):
        return column
    left, right = min(row[0].box.left for row in column), max(row[-1].box.right for row in column)
    return [[_together(row)] if _is_justified(row, left, right) else row for row in column]


def _is_justified(row: Row, left: float, right: float) -> bool:
    """Say whether words fill a line from edge to edge with even gaps."""
    height = row[0].box.height
    gaps = [cell.box.left - former.box.right for former, cell in pairwise(row)]
    full = row[0].box.left - left < 3 * height and right - row[-1].box.right < height / 2
    even = bool(gaps) and max(gaps) < JUSTIFIED * height and max(gaps) - min(gaps) < EVEN * height
    return full and even and not any(map(tables.is_figure, (cell.text for cell in row)))


def _together(row: Row) -> Cell:
    box = reduce(Box.around, (cell.box for cell in row))
    return Cell(_line(row), box, [glyph for cell in row for glyph in cell.glyphs])


def _as_wide(column: list[Row], other: list[Row]) -> bool:
    return max(map(_width, column)) >= 0.5 * max(map(_width, other))


def _width(row: Row) -> float:
    return row[-1].box.right - row[0].box.left


def _runs_on(column: list[Row]) -> bool:
    """Say whether a column's lines are running text: most fill it, few are figures, sentences run over line ends."""
    text = "".join(cell.text for row in column for cell in row)
    widest = max(map(_width, column))
    if widest < LEAST_WIDTH * median(row[0].box.height for row in column):
        return False
    full = sum(_width(row) >= 0.8 * widest for row in column)
    figures = sum(map(str.isdigit, text))
    if full * 2 < len(column) or figures > FIGURES * len(text):
        return False
    edge = max(row[-1].box.right for row in column)
    pairs = [(upper[-1], lower[0]) for upper, lower in pairwise(column)]
    on = sum(tables.goes_on(*pair, edge) and not _has_room(*pair, edge - RAGGED * widest) for pair in pairs)
    return on >= RUNS_ON * (len(column) - 1)


def _has_room(upper: Cell, lower: Cell, edge: float) -> bool:
    """Say whether the first word of a line would have stood on the one above it: there is no reason to break there."""
    word = len(lower.text.split(" ")[0]) if lower.text[0].isascii() else 1
    return upper.box.right + (word + 1) * lower.box.width / len(lower.text) <= edge


# Lines


def _lines(band: list[Row]) -> Iterator[str]:
    """Yield a line for each row, an empty one where the page leaves more room than between lines."""
    table = sum(len(row) > 1 for row in band) > 1
    rows = tables.whole_rows(band, _spans(band)) if table else band
    pitch = _pitch(band)
    left = min(row[0].box.left for row in rows)
    former: Row | None = None
    for row, following in zip(rows, [*rows[1:], rows[-1]], strict=True):
        if former and step(former, row) > 1.7 * pitch:
            yield ""
        line = tables.line_of(row) if table or _is_wide(row) else _line(row)
        yield line if former and _hangs(former, row) else _indent(row, following, left) + line
        former = row


def indented(block: Block, lines: Sequence[Box]) -> Block:
    """Return a block whose lines stand here, each that begins a paragraph behind a sentence with spaces before it."""
    written = [line for line in block.lines if line.strip()]
    if len(written) != len(lines):  # a line of signs that print nothing
        return block
    height = median(box.height for box in lines)
    rows = [[Cell(line, box._replace(top=box.bottom + height))] for line, box in zip(written, lines, strict=True)]
    left = min(box.left for box in lines)
    behind = (ends_sentence(line) for line in ["", *written])
    inward = (_indent(row, following, left) for row, following in zip(rows, [*rows[1:], rows[-1]], strict=True))
    begun = (spaces * ends + line for spaces, ends, line in zip(inward, behind, written, strict=False))
    return Block(tuple(begun), block.columns)


def _hangs(former: Row, row: Row) -> bool:
    """Say whether a row goes on under an item's text, to the right of its mark."""
    return starts_item(former) or former[0].box.left >= row[0].box.left - 0.7 * row[0].box.height


def _pitch(rows: Sequence[Row]) -> float:
    """Return how far rows stand apart that stand below each other: those of another column may lie between."""
    below = (
        (row, next((lower for lower in rows[place : place + 3] if _is_over(row, lower)), None))
        for place, row in enumerate(rows, 1)
    )
    steps = [step(upper, lower) for upper, lower in below if lower]
    return median(steps) if steps else 0.0


def _is_over(upper: Row, lower: Row) -> bool:
    return upper[0].box.left < lower[-1].box.right and lower[0].box.left < upper[-1].box.right


def _indent(row: Row, following: Row, left: float) -> str:
    """Return two spaces for a line that begins a paragraph: it stands farther to the right than the next."""
    inward = row[0].box.left - max(left, following[0].box.left)
    return "  " if len(row) == 1 and 0.7 * row[0].box.height < inward < 4 * row[0].box.height else ""


def _is_wide(row: Row) -> bool:
    """Say whether the gaps of a row by itself are wider than any between words."""
    return all(cell.box.left - former.box.right >= 1.6 * former.box.height for former, cell in pairwise(row))


def _line(row: Row) -> str:
    return " ".join(cell.text for cell in row)
