"""Read what was filled into a form, and the notes written onto a page, at their places between the printed words.

A value stands in brackets: ``[Ann Example]``, ``[x]`` and ``[ ]`` for a box that is ticked or not; a note begins with
an asterisk: ``[* please check]``. Brackets are signs that every tokenizer knows, and no word of a value is changed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from ctypes import POINTER, c_ushort, cast, create_string_buffer
from functools import reduce
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from rag_core.reading.geometry import Box
from rag_core.reading.places import AHEAD, BEHIND, LINE, Entry, letters
from rag_core.reading.tables import ends_sentence
from rag_core.reading.text import join_two, repair_characters

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument, PdfPage, PdfTextPage

FIELD, NOTE = "fields", "notes"
TICKED, UNTICKED = "x", " "

MOST = 2000
"""More values and notes than this are not read on one page."""

MOST_LETTERS = 20_000
"""So many printed letters are looked at for a place."""

LABEL = 8.0
"""Points: printed words that near above a field are its label."""

LABEL_LETTERS = 30
"""A label before what is filled in has at most so many letters."""

SLACK = 2.0
"""Points: what is printed that near to a field is in it."""

NEIGHBOURS = 80
"""So many letters before and after a place are kept to find it again."""

_TAG = re.compile(r"<[^<>]*>")


class Written(NamedTuple):
    """What was written onto a page."""

    text: str
    box: Box
    why: str
    ticked: bool = False
    """Whether it is a box to tick, whose words stand behind it."""


class Sign(NamedTuple):
    """A printed letter."""

    letter: str
    box: Box


def read(document: PdfDocument, page: PdfPage, textpage: PdfTextPage) -> list[Entry]:
    """Return the values and notes of a page from top to bottom, each with the printed letters around its place.

    The document's forms are to be initialised before. A value that is printed as well is not given again.
    """
    found = list(_written(document, page))
    if not found:
        return []
    printed = _signs(textpage)
    found = [written for written in found if not _is_printed(written, printed)]
    turns = _turns([sign.box for sign in printed])
    signs = [sign._replace(box=sign.box.turned(turns)) for sign in printed]
    found = [written._replace(box=written.box.turned(turns)) for written in found]
    found.sort(key=lambda written: (-round(written.box.top / 6), written.box.left))
    line = "".join(sign.letter for sign in signs)
    placed = sorted((_entry(written, signs, line) for written in found), key=lambda entry: entry[0])
    return [entry for _, entry in placed]


def _written(document: PdfDocument, page: PdfPage) -> Iterator[Written]:
    from pypdfium2 import raw

    hidden = raw.FPDF_ANNOT_FLAG_HIDDEN | raw.FPDF_ANNOT_FLAG_NOVIEW
    for number in range(min(raw.FPDFPage_GetAnnotCount(page), MOST)):
        note = raw.FPDFPage_GetAnnot(page, number)
        if note:
            if not raw.FPDFAnnot_GetFlags(note) & hidden:
                yield from _of(document, note)
            raw.FPDFPage_CloseAnnot(note)


def _of(document: PdfDocument, note: Any) -> Iterator[Written]:
    """Yield what an annotation says on the page, where it says anything."""
    from pypdfium2 import raw

    kind = raw.FPDFAnnot_GetSubtype(note)
    if kind == raw.FPDF_ANNOT_FREETEXT:
        text = _line(_string(note, b"Contents") or _TAG.sub(" ", _string(note, b"RC")))
        if text:
            yield Written(f"[* {text}]", _place(note), NOTE)
    elif kind == raw.FPDF_ANNOT_WIDGET:
        text = _value(document.formenv, note) if document.formenv else _line(_string(note, b"V"))
        if text:
            yield Written(f"[{text}]", _place(note), FIELD, text in (TICKED, UNTICKED))


def _value(form: Any, note: Any) -> str:
    """Return what a field holds, as a reader sees it; nothing of a button, a signature and a password."""
    from pypdfium2 import raw

    kind = raw.FPDFAnnot_GetFormFieldType(form, note)
    if kind in (raw.FPDF_FORMFIELD_CHECKBOX, raw.FPDF_FORMFIELD_RADIOBUTTON):
        return TICKED if _is_ticked(form, note) else UNTICKED
    if kind in (raw.FPDF_FORMFIELD_COMBOBOX, raw.FPDF_FORMFIELD_LISTBOX):
        return _line(", ".join(_selected(form, note)) or _field_value(form, note))
    secret = raw.FPDFAnnot_GetFormFieldFlags(form, note) & raw.FPDF_FORMFLAG_TEXT_PASSWORD
    if kind == raw.FPDF_FORMFIELD_TEXTFIELD and not secret:
        return _line(_field_value(form, note))
    # A field that the form does not list is shown by viewers all the same.
    return _line(_string(note, b"V")) if kind == raw.FPDF_FORMFIELD_UNKNOWN else ""


def _field_value(form: Any, note: Any) -> str:
    from pypdfium2.raw import FPDFAnnot_GetFormFieldValue

    return _utf16(lambda buffer, size: FPDFAnnot_GetFormFieldValue(form, note, buffer, size))


def _is_ticked(form: Any, note: Any) -> bool:
    """Say whether a box is ticked; where it was never drawn, its state says so."""
    from pypdfium2.raw import FPDFAnnot_IsChecked

    return bool(FPDFAnnot_IsChecked(form, note)) or _string(note, b"AS") not in ("", "Off")


def _selected(form: Any, note: Any) -> list[str]:
    """Return the words of the choices that were made."""
    from pypdfium2 import raw

    def label(number: int) -> str:
        return _utf16(lambda buffer, size: raw.FPDFAnnot_GetOptionLabel(form, note, number, buffer, size))

    numbers = range(min(raw.FPDFAnnot_GetOptionCount(form, note), MOST))
    return [label(number) for number in numbers if raw.FPDFAnnot_IsOptionSelected(form, note, number)]


def _string(note: Any, key: bytes) -> str:
    from pypdfium2.raw import FPDFAnnot_GetStringValue

    return _utf16(lambda buffer, size: FPDFAnnot_GetStringValue(note, key, buffer, size))


def _utf16(read: Callable[[Any, int], int]) -> str:
    """Ask for the length of a text, and then for the text."""
    size = read(None, 0)
    buffer = create_string_buffer(size)
    read(_as_words(buffer), size)
    return buffer.raw[: max(0, size - 2)].decode("utf-16-le", "replace")


def _as_words(buffer: Any) -> Any:
    return cast(buffer, POINTER(c_ushort))


def _line(text: str) -> str:
    """Return a value of several lines as one, with right characters."""
    lines = [line.strip() for line in repair_characters(text).split("\n") if line.strip()]
    return reduce(join_two, lines, lines.pop(0)) if lines else ""


def _place(note: Any) -> Box:
    from pypdfium2.raw import FS_RECTF, FPDFAnnot_GetRect

    rect = FS_RECTF()
    FPDFAnnot_GetRect(note, rect)
    return Box(rect.left, min(rect.bottom, rect.top), rect.right, max(rect.bottom, rect.top))


def _turns(boxes: Sequence[Box]) -> int:
    """Return by how many right angles a page is to be turned for its lines to run from left to right."""
    steps = [(right.left - left.left, right.bottom - left.bottom) for left, right in pairwise(boxes[:MOST])]
    ways = Counter((0 if x > 0 else 2) if abs(x) >= abs(y) else (1 if y > 0 else 3) for x, y in steps)
    return max(ways, key=lambda way: (ways[way], -way), default=0)


def _is_printed(written: Written, printed: Sequence[Sign]) -> bool:
    """Say whether a form was filled and then printed into the page, fields and all."""
    text = letters(written.text.strip("[* ]"))[0]
    return len(text) > 1 and text in "".join(sign.letter for sign in printed if written.box.holds(sign.box, SLACK))


def _signs(textpage: PdfTextPage) -> list[Sign]:
    """Return the printed letters in the order of the text."""
    return [
        Sign(letter, Box(*textpage.get_charbox(number)))
        for number in range(min(textpage.count_chars(), MOST_LETTERS))
        for letter in letters(textpage.get_text_range(number, 1, errors="replace"))[0]
    ]


def _entry(written: Written, signs: Sequence[Sign], line: str) -> tuple[int, Entry]:
    """Return how many letters stand before what was written, and both."""
    place, how = _between(written, signs)
    before, after = line[max(0, place - NEIGHBOURS) : place], line[place : place + NEIGHBOURS]
    inline = written.why == FIELD or _fills_in(written.box, signs)
    return place, Entry(written.text, before, after, how if inline else LINE, written.why)


def _fills_in(box: Box, signs: Sequence[Sign]) -> bool:
    """Say whether a note was typed behind a label, as forms without fields are filled in; a remark stands apart."""
    level = _level(box, signs)
    behind = 0 < len(level) <= LABEL_LETTERS and all(signs[number].box.right <= box.left + 3 for number in level)
    return behind and not ends_sentence("".join(signs[number].letter for number in level).rstrip(":："))


def _between(written: Written, signs: Sequence[Sign]) -> tuple[int, str]:
    """Return the place of what was written, and how it stands there."""
    box, level = written.box, _level(written.box, signs)
    left = [number for number in level if signs[number].box.right <= box.left + 3]
    right = [number for number in level if signs[number].box.left >= box.right - 3]
    last = max(left, key=lambda number: signs[number].box.right, default=None)
    first = min(right, key=lambda number: signs[number].box.left, default=None)
    if first is not None and (last is None or (written.ticked and _is_nearer(box, signs[last].box, signs[first].box))):
        return first, AHEAD
    label = _label(box, signs)
    if label is not None and (last is None or box.left - signs[last].box.right > 3 * LABEL):
        return label + 1, BEHIND
    if last is not None:
        return last + 1, BEHIND
    above = _last(box, [number for number, sign in enumerate(signs) if sign.box.bottom >= box.top - 2], signs)
    return (0, LINE) if above is None else (above + 1, LINE)


def _level(box: Box, signs: Sequence[Sign]) -> list[int]:
    """Return the letters at the height of a box, or of the first line of a high one."""
    heights = sorted(sign.box.top - sign.box.bottom for sign in signs)
    line = 2 * heights[len(heights) * 9 // 10] if heights else 0.0
    bottom = max(box.bottom - 1, box.top - line) if box.top - box.bottom > 1.5 * line else box.bottom - 1
    return [n for n, sign in enumerate(signs) if bottom <= (sign.box.bottom + sign.box.top) / 2 <= box.top + 1]


def _is_nearer(box: Box, left: Box, right: Box) -> bool:
    """Say whether the words behind a box to tick are its own, and not those before it."""
    return right.left - box.right <= max(box.left - left.right, box.top - box.bottom)


def _label(box: Box, signs: Sequence[Sign]) -> int | None:
    """Return the last letter of the words right above a box that begin where it does."""
    near = _near_above(box, signs)
    over = [
        number for number in near if box.left - 4 <= signs[number].box.left and signs[number].box.right <= box.right
    ]
    begin = min((signs[number].box.left for number in over), default=0.0)
    goes_on = any(begin - LABEL <= signs[number].box.right <= begin + 1 for number in near if number not in over)
    return None if goes_on else _last(box, over, signs)


def _near_above(box: Box, signs: Sequence[Sign]) -> list[int]:
    """Return the letters near above a box: of a line that reaches down to it, those too that do not."""
    near = [number for number, sign in enumerate(signs) if -2 <= sign.box.bottom - box.top <= LABEL]
    if not near:
        return near
    lowest = min((signs[number].box for number in near), key=lambda other: other.bottom)
    line = (n for n, sign in enumerate(signs) if sign.box.bottom >= box.top and _is_level(sign.box, lowest))
    return sorted({*near, *line})


def _last(box: Box, higher: Sequence[int], signs: Sequence[Sign]) -> int | None:
    """Return the last letter of the lowest line above a box: of what stands over it, where something does."""
    over = [number for number in higher if signs[number].box.left < box.right and signs[number].box.right > box.left]
    if not higher:
        return None
    lowest = min(over or higher, key=lambda number: signs[number].box.bottom)
    line = [number for number in over or higher if _is_level(signs[number].box, signs[lowest].box)]
    return max(line, key=lambda number: signs[number].box.right)


def _is_level(box: Box, other: Box) -> bool:
    return abs(box.bottom - other.bottom) <= max(box.top - box.bottom, other.top - other.bottom, 1.0) / 2
