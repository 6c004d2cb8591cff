"""Put the characters of a page into rows as they stand, whatever order they were painted in.

A row is what stands on one base line, with the small characters above and below it; where a gap in it is wider than
between words, it falls into cells.
"""

from __future__ import annotations

import re
from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from math import inf, nextafter
from statistics import median
from typing import NamedTuple

from rag_core.reading.geometry import Box
from rag_core.reading.glyphs import Glyph

WORD_GAP = 0.15
"""From this part of the characters' height on, a gap parts words; Han characters stand farther apart."""

HAN_GAP = 0.6
CELL_GAP = 0.8
"""From this part on, a gap parts columns or the cells of a table."""

SPREAD_GAP = 0.08
"""Most characters of a row stand so far apart: they are letter-spaced, and the gaps count by the common one."""

SMALL = 0.85
"""A superscript is lower than this part of the row's characters."""

SMALLEST = 0.4
"""And higher than this one: a line of text is no superscript of a watermark."""

_LIST_MARK = re.compile(
    r"[•●○■□◆▪*·–—-]|[(（]?(?:\d{1,3}|[A-Za-z]|[ivx]{1,4}|[一二三四五六七八九十]{1,3})[.)、）．]|[①-⑳]|\d{1,2}(\.\d{1,2})+"
)
_UNCASED_FROM = "\u2e80"


class Cell(NamedTuple):
    """A piece of a row without a gap that parts columns."""

    text: str
    box: Box
    glyphs: Sequence[Glyph] = ()


Row = list[Cell]


class _Line:
    """Runs of characters that stand in one row."""

    def __init__(self, run: list[Glyph], box: Box) -> None:
        self.runs, self.box, self.base, self.height = [run], box, run[0].base, box.height

    def takes(self, run: list[Glyph], box: Box) -> bool:
        if box.height >= SMALL * self.height:
            return abs(run[0].base - self.base) <= 0.25 * min(box.height, self.height)
        inside = min(box.top, self.box.top) - max(box.bottom, self.box.bottom)
        level = abs(run[0].base - self.base) <= 0.1 * box.height
        raised = box.height >= SMALLEST * self.height and self._touches(box)
        return inside >= 0.5 * box.height and (level or raised)

    def _touches(self, box: Box) -> bool:
        reach = 0.5 * self.height
        return any(run[0].box.left - reach <= box.right and box.left <= run[-1].box.right + reach for run in self.runs)


def rows(glyphs: Sequence[Glyph]) -> list[Row]:
    """Return the rows from top to bottom, each with its cells from left to right."""
    bases: list[float] = []
    lines: dict[float, _Line] = {}
    runs = sorted(((run, _around(run)) for run in _runs(glyphs)), key=lambda pair: -pair[1].height)
    for run, box in runs:
        # Some fonts do not say how high a line is: then 一 floats above its base line.
        lowest = min(box.bottom - box.height, run[0].base - 0.1 * box.height)
        near = bases[bisect_left(bases, lowest) : bisect_left(bases, box.top + box.height)]
        near.sort(key=lambda base: abs(base - run[0].base))
        taker = next((base for base in near if lines[base].takes(run, box)), None)
        if taker is None:
            base = run[0].base
            while base in lines:
                base = nextafter(base, -inf)
            insort(bases, base)
            lines[base] = _Line(run, box)
        else:
            lines[taker].runs.append(run)
    return [_cells(lines[base].runs) for base in reversed(bases)]


def step(upper: Row, lower: Row) -> float:
    """Return how much lower a row stands than another."""
    return upper[0].box.bottom - lower[0].box.bottom


def starts_item(row: Row) -> bool:
    """Say whether a row begins with the mark of a list's item."""
    return bool(_LIST_MARK.fullmatch(row[0].text[:12].split(" ")[0]))


def _runs(glyphs: Sequence[Glyph]) -> Iterator[list[Glyph]]:
    """Yield characters that were painted one after the other and stand beside each other."""
    run: list[Glyph] = []
    for glyph in glyphs:
        if run and not _follows(run[-1], glyph):
            yield run
            run = []
        run.append(glyph)
    if run:
        yield run


def _follows(former: Glyph, glyph: Glyph) -> bool:
    _, bottom, right, top = former.box
    left, other_bottom, _, other_top = glyph.box
    height = top - bottom
    level = abs(former.base - glyph.base) <= 0.1 * height and abs(height - (other_top - other_bottom)) <= 0.25 * height
    return level and -0.3 * height <= left - right <= CELL_GAP * height


def _around(run: Iterable[Glyph]) -> Box:
    boxes = [glyph.box for glyph in run]
    lefts, bottoms, rights, tops = zip(*boxes, strict=True)
    return Box(min(lefts), min(bottoms), max(rights), max(tops))


def _cells(runs: list[list[Glyph]]) -> Row:
    line = [glyph for run in sorted(runs, key=lambda run: run[0].box.left) for glyph in run]
    word_gap, cell_gap, spaces_count = _gaps(line)
    cells = [[line[0]]]
    texts = [line[0].character]
    for former, glyph in pairwise(line):
        _, bottom, right, top = former.box
        left, other_bottom, _, other_top = glyph.box
        gap, height = left - right, max(top - bottom, other_top - other_bottom)
        if gap >= cell_gap * height:
            cells.append([glyph])
            texts.append(glyph.character)
            continue
        spaced = spaces_count and glyph.spaced and glyph.number > former.number
        if spaced or (gap >= word_gap * height and gap >= _least_gap(former, glyph) * height):
            texts[-1] += " "
        texts[-1] += glyph.character
        cells[-1].append(glyph)
    if len(cells) > 1 and _LIST_MARK.fullmatch(texts[0]) and _is_near(cells[0][-1].box, cells[1][0].box):
        cells, texts = [cells[0] + cells[1], *cells[2:]], [f"{texts[0]} {texts[1]}", *texts[2:]]
    return [Cell(text, _around(cell), cell) for text, cell in zip(texts, cells, strict=True)]


def _is_near(mark: Box, text: Box) -> bool:
    return text.left - mark.right <= 4 * text.height


def _least_gap(former: Glyph, glyph: Glyph) -> float:
    """Return from which part of the height on a gap parts these two, however narrow gaps between words are."""
    return HAN_GAP if former.character >= _UNCASED_FROM and glyph.character >= _UNCASED_FROM else 0.0


def _gaps(line: list[Glyph]) -> tuple[float, float, bool]:
    """Return from which parts of the height on a gap parts words and cells, and whether the file's spaces count."""
    # Dots that lead to a page's number stand apart in any row.
    letters = [pair for pair in pairwise(line) if pair[0].character.isalnum() and pair[1].character.isalnum()]
    gaps = [(glyph.box.left - former.box.right) / max(former.box.height, 1.0) for former, glyph in letters]
    common = median(gaps) if len(gaps) >= 4 else 0.0
    spaces = sum(glyph.spaced for _, glyph in letters)
    count = spaces * 2 <= len(gaps)
    if common < SPREAD_GAP:
        return WORD_GAP, CELL_GAP, count
    return (1.7 * common if not (count and spaces) else 9.0), max(CELL_GAP, 5 * common), count
