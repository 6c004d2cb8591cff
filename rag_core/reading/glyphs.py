"""The characters that PDFium finds on a page, each with its place, and none painted twice in the same place."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from ctypes import byref, c_double
from typing import TYPE_CHECKING, NamedTuple

from rag_core.reading.geometry import Box, point_turned, quarters

if TYPE_CHECKING:
    from pypdfium2 import PdfTextPage

MOST = 100_000
"""Characters of a page that are looked at: more of them stand on no paper."""

SAME_PLACE = 0.3
"""Bold is faked by painting a character again, moved by less than this part of its width and height."""

GRID = 8.0
"""Points between the lines of the grid in which characters are looked up."""

HYPHENS = {0x02: "-", 0xFFFE: "-"}
"""What PDFium makes of a hyphen at a line's end."""


class Glyph(NamedTuple):
    """A character with its box and base line, seen with the text running to the right.

    ``spaced`` says that white space stands before it in the file; ``turns`` are the quarters by which its text was
    turned counter-clockwise, None for a slope.
    """

    character: str
    box: Box
    base: float
    number: int
    spaced: bool
    turns: int | None


def glyphs(textpage: PdfTextPage) -> list[Glyph]:
    """Return the characters of a page that print something, in the order in which they were painted."""
    return list(_read(textpage))


def _read(textpage: PdfTextPage) -> Iterator[Glyph]:
    from pypdfium2 import raw

    handle, rectangle, x, y = textpage.raw, raw.FS_RECTF(), c_double(), c_double()
    place, across, up = byref(rectangle), byref(x), byref(y)
    unicode_of, box_of, origin_of = raw.FPDFText_GetUnicode, raw.FPDFText_GetLooseCharBox, raw.FPDFText_GetCharOrigin
    spaced = False
    for number in range(min(textpage.count_chars(), MOST)):
        code = unicode_of(handle, number)
        character = HYPHENS.get(code) or chr(code)
        if not code or character.isspace():
            # A space that PDFium made up says no more than the gap does.
            spaced = spaced or (bool(code) and not raw.FPDFText_IsGenerated(handle, number))
            continue
        box_of(handle, number, place)
        origin_of(handle, number, across, up)
        turns = quarters(-math.degrees(raw.FPDFText_GetCharAngle(handle, number)))
        box, base = Box(rectangle.left, rectangle.bottom, rectangle.right, rectangle.top), y.value
        if turns:
            box, base = box.turned(turns), point_turned(x.value, base, turns)[1]
        yield Glyph(character, box, base, number, spaced, turns)
        spaced = False


def painted_once(all_of_them: Sequence[Glyph]) -> list[Glyph]:
    """Return the characters without those that only make others bold: the same ones, painted again where they stand."""
    seen: dict[tuple[str, int, int], list[Box]] = {}
    former: Glyph | None = None
    kept = []
    for glyph in all_of_them:
        # PDFium gives the letters of a ligature one after the other in one place.
        ligature = former is not None and glyph.box == former.box and glyph.number == former.number + 1
        if ligature or not _is_repeat(glyph, seen):
            kept.append(glyph)
        former = glyph
    return kept


def _is_repeat(glyph: Glyph, seen: dict[tuple[str, int, int], list[Box]]) -> bool:
    """Say whether the character was seen where it stands, and remember it in the four cells of a grid around there."""
    character, box = glyph.character, glyph.box
    column, row = int(box.left / GRID), int(box.bottom / GRID)
    if any(_same_place(box, before) for before in seen.get((character, column, row), ())):
        return True
    for x in (column, column + 1 if box.left % GRID > GRID / 2 else column - 1):
        for y in (row, row + 1 if box.bottom % GRID > GRID / 2 else row - 1):
            seen.setdefault((character, x, y), []).append(box)
    return False


def _same_place(box: Box, other: Box) -> bool:
    across = SAME_PLACE * max(box.width, 1.0)
    along = SAME_PLACE * max(box.height, 1.0)
    return abs(box.left - other.left) < across and abs(box.bottom - other.bottom) < along


def running(all_of_them: Iterable[Glyph], turns: int | None) -> list[Glyph]:
    """Return the characters that run in this direction."""
    return [glyph for glyph in all_of_them if glyph.turns == turns]


def lines_as_painted(all_of_them: Sequence[Glyph]) -> Iterator[str]:
    """Yield text that runs at a slope, a line wherever the next character was painted elsewhere."""
    line = ""
    for former, glyph in zip([None, *all_of_them], all_of_them, strict=False):
        if former and _far(former.box, glyph.box):
            yield line
            line = ""
        line += " " * (glyph.spaced and bool(line)) + glyph.character
    if line:
        yield line


def _far(former: Box, box: Box) -> bool:
    reach = 2 * max(former.height, box.height)
    return abs(former.left - box.left) > reach or abs(former.bottom - box.bottom) > reach
