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

SAME_PLACE = 0.5, 0.3
"""Bold is faked by painting a character again, moved by less than these parts of its width and height.

The two letters of "ll" stand a whole width apart.
"""

NEIGHBOURS = 400
"""A character is compared with so many like it that begin as far to the right: a page has no more lines."""

HYPHENS = {"\x02": "-", "\ufffe": "-"}
"""What PDFium makes of a hyphen at a line's end."""

NOTHING = "\0"
"""What PDFium gives for a character that its font does not know."""

_new = tuple.__new__
"""A named tuple is made in half the time."""


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

    # Each call into C takes as long as all the rest for a character: none is made that can be spared.
    handle, rectangle, x, y = textpage.raw, raw.FS_RECTF(), c_double(), c_double()
    place, across, up = byref(rectangle), byref(x), byref(y)
    box_of, origin_of, angle_of = raw.FPDFText_GetLooseCharBox, raw.FPDFText_GetCharOrigin, raw.FPDFText_GetCharAngle
    spaced, base, turns, level = False, 0.0, None, None
    for number, character in enumerate(_characters(textpage)):
        if character == NOTHING or character.isspace():
            # A space that PDFium made up says no more than the gap does.
            spaced = spaced or (character != NOTHING and not raw.FPDFText_IsGenerated(handle, number))
            continue
        box_of(handle, number, place)
        left, bottom, right, top = rectangle.left, rectangle.bottom, rectangle.right, rectangle.top
        if turns != 0 or level != (bottom, top):  # else it runs as the one before, and on the same line
            origin_of(handle, number, across, up)
            angle = angle_of(handle, number)
            turns, base, level = quarters(-math.degrees(angle)) if angle else 0, y.value, (bottom, top)
        # Some fonts do not say how high they are.
        box = _new(Box, (left, bottom, right, top if top - bottom >= 1 else bottom + max(right - left, 1.0)))
        if turns:
            box, base = box.turned(turns), point_turned(x.value, base, turns)[1]
        yield _new(Glyph, (HYPHENS.get(character, character), box, base, number, spaced, turns))
        spaced = False


def _characters(textpage: PdfTextPage) -> str:
    """Return the characters of a page by their numbers."""
    from pypdfium2.raw import FPDFText_GetUnicode

    count = min(textpage.count_chars(), MOST)
    text = textpage.get_text_range(0, count, errors="replace") if count else ""
    # In its text PDFium leaves out what is no character, and gives half ones together.
    return text if len(text) == count else "".join(chr(FPDFText_GetUnicode(textpage, n)) for n in range(count))


def painted_once(all_of_them: Sequence[Glyph]) -> list[Glyph]:
    """Return the characters without those that only make others bold: the same ones, painted again where they stand."""
    alike: dict[str, list[_Placed]] = {}
    for character, box, _, number, _, _ in all_of_them:
        alike.setdefault(character, []).append((box[0], number, box))
    repeats = {number for group in alike.values() if len(group) > 1 for number in _repeats(group)}
    return [glyph for glyph in all_of_them if glyph.number not in repeats] if repeats else list(all_of_them)


_Placed = tuple[float, int, Box]
"""The left edge of a character, its number and its box."""


def _repeats(group: list[_Placed]) -> Iterator[int]:
    """Yield the numbers of those of the same characters that stand where one stands that was painted before."""
    across, along = SAME_PLACE
    ordered, count = sorted(group), len(group)
    for place, (left, number, box) in enumerate(ordered, start=1):
        _, bottom, right, top = box
        reach, low = left + across * max(right - left, 1.0), along * max(top - bottom, 1.0)
        last = min(count, place + NEIGHBOURS)
        while place < last and ordered[place][0] < reach:
            _, other_number, other = ordered[place]
            # PDFium gives the letters of a ligature one after the other in one place.
            if abs(other[1] - bottom) < low and not (other == box and abs(other_number - number) == 1):
                yield max(other_number, number)
            place += 1


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
