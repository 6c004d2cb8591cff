"""Read and draw pages with PDFium, the engine of a browser's viewer: a second opinion on what a page says.

Untrusted files come here, so all of it runs in the process that ``sandbox`` starts.
"""

from __future__ import annotations

import io
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from ctypes import c_double
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from rag_core.errors import PageNotDrawn
from rag_core.reading import fields, layout, pdf, unseen
from rag_core.reading.geometry import Box, PictureMap, main_direction
from rag_core.reading.glyphs import Glyph, glyphs, lines_as_painted, painted_once, running
from rag_core.reading.layout import has_columns
from rag_core.reading.places import Entry, Piece
from rag_core.reading.rows import rows
from rag_core.reading.text import CELL, Block, repair_characters, words_of

if TYPE_CHECKING:
    from PIL.Image import Image
    from pypdfium2 import PdfDocument, PdfPage, PdfTextPage

PICTURE_PIXELS = 1200
"""The width of a page's picture; a page that is higher than four times its width is drawn smaller."""

Colour = tuple[int, int, int, int]
MARK: Colour = (255, 196, 0, 90)
FAINT: Colour = (255, 196, 0, 40)

_HYPHENS = {ord(hyphen): "" for hyphen in "-\u2010\u00ad"}
"""Cleaning mends a word that a hyphen broke."""
PICTURES, DRAWN, COLUMNS, VERTICAL = "pictures", "drawn", "columns", "vertical"
"""What a page shows: images, other marks without text, text in columns, text from top to bottom."""

DEPTH = 3
"""How deep forms are looked into that hold what a page shows."""

LEAST_LINE = 4
"""Lines of fewer characters than this are letters that stand one below the other, or a table's cells."""

LEAST_HEIGHT = 0.6
"""What is lower than this part of its line may be a superscript."""

_ROW = re.compile(r"^ +\d", re.MULTILINE)

BROKEN = "\ufffe"
"""PDFium's sign for a hyphen at a line's end, and for the break behind it."""

FROM_RIGHT = 0.2
"""From this share of the characters on, text runs from right to left, and PDFium's own order is kept."""

UNSEARCHED = "unsearched"
"""Words that nobody sees were not looked for to the end."""

SLOW = "slow"
"""The page took too long before: it is not looked at."""


class Seen(NamedTuple):
    """What PDFium finds on a page: its text in a person's order, raw, and what it shows."""

    blocks: tuple[Block, ...] = ()
    marks: tuple[str, ...] = ()
    unseen: tuple[Piece, ...] = ()
    """What stands there and nobody sees; it is not in ``text``."""

    entries: tuple[Entry, ...] = ()
    """What was written into its form, or onto it; it is not in ``text`` either."""

    sure: bool = False
    """Whether the order of painting and the places on the page come to the same lines and words."""

    @property
    def text(self) -> str:
        """All lines, one under the other."""
        return "\n".join(line for block in self.blocks for line in block.lines)


@contextmanager
def opened(data: bytes, password: str | None = None) -> Iterator[PdfDocument]:
    """Open a PDF.

    Raises:
        PdfiumError: it cannot be read, or another password opens it.
    """
    from pypdfium2 import PdfDocument

    document = PdfDocument(data, password=password or None)
    try:
        yield document
    finally:
        document.close()


def look(
    data: bytes,
    password: str | None = None,
    step: Callable[[int, int], None] = lambda number, count: None,
    slow: Collection[int] = (),
) -> list[Seen]:
    """Look at every page but the ``slow`` ones; ``step`` is called before each with its number and their count.

    A page that PDFium cannot read is seen as empty, and nothing is looked at in a file of more than ``MAX_PAGES``.
    """
    seen: list[Seen] = []
    with opened(data, password) as document:
        if len(document) > pdf.MAX_PAGES:
            return seen
        document.init_forms()
        for number in range(1, len(document) + 1):
            step(number, len(document))
            seen.append(Seen(marks=(SLOW,)) if number in slow else _look(document, number - 1))
    return seen


def _look(document: PdfDocument, number: int) -> Seen:
    from pypdfium2 import PdfiumError

    try:
        page = document[number]
        things = unseen.things_on(page)
        hidden = unseen.take_away(page, things)
        textpage = page.get_textpage()
    except PdfiumError:
        return Seen()
    blocks, order, sure = _read(textpage)
    marks = [*_drawn(things, any(block.lines for block in blocks)), *([COLUMNS] if has_columns(blocks) else []), *order]
    marks += [UNSEARCHED] if hidden is None else []
    entries = fields.read(document, page, textpage)
    page.close()
    return Seen(tuple(blocks), tuple(marks), tuple(hidden or ()), tuple(entries), sure)


def _read(textpage: PdfTextPage) -> tuple[list[Block], list[str], bool]:
    """Return the text by position, marks of its order, and whether it is sure; see ``Seen``."""
    painted = _as_painted(textpage)
    lines = plain_lines(textpage)
    if lines:  # what PDFium gives takes less time, and comes to the same
        return [layout.indented(painted, lines)], [], True
    blocks, order = _placed(textpage, painted)
    return blocks, order, not order and _comes_to(painted, blocks)


def _comes_to(painted: Block, blocks: Sequence[Block]) -> bool:
    """Say whether the text by position, no table and no columns, has the characters and words as they were painted."""
    one, other = "\n".join(painted.lines), "\n".join(line for block in blocks for line in block.lines)
    # A lone return stands in the place of a sign that PDFium drops; a line in from the edge with a figure may be a row.
    if has_columns(blocks) or CELL in other or "\r" in one or _ROW.search(other) or _bare(one) != _bare(other):
        return False
    return words_of(one) == words_of(other)


def _placed(textpage: PdfTextPage, painted: Block) -> tuple[list[Block], list[str]]:
    once = painted_once(glyphs(textpage))
    turns = main_direction(glyph.turns for glyph in once)
    main = running(once, turns)
    vertical = is_vertical(main)
    if vertical or turns is None or _runs_to_the_left(once):
        return [painted], [VERTICAL] if vertical else []
    others = sorted({glyph.turns for glyph in once if glyph.turns is not None} - {turns})
    beside = [block for other in others for block in layout.blocks(rows(running(once, other)))]
    sloping = Block(tuple(lines_as_painted(running(once, None))))
    return [*layout.blocks(rows(main)), *beside, *([sloping] if sloping.lines else [])], []


def _drawn(things: Sequence[unseen.Thing], has_text: bool) -> list[str]:
    from pypdfium2.raw import FPDF_PAGEOBJ_IMAGE, FPDF_PAGEOBJ_PATH, FPDF_PAGEOBJ_SHADING

    kinds = _kinds(things)
    if FPDF_PAGEOBJ_IMAGE in kinds:
        return [PICTURES]
    return [DRAWN] if kinds & {FPDF_PAGEOBJ_PATH, FPDF_PAGEOBJ_SHADING} and not has_text else []


def _kinds(things: Sequence[unseen.Thing]) -> set[int]:
    """Return the kinds of what was painted on a page, and in the forms that it shows."""
    from pypdfium2 import raw

    kinds = {kind for kind, _ in things}
    for _ in range(DEPTH - 1):
        forms = [thing for kind, thing in things if kind == raw.FPDF_PAGEOBJ_FORM]
        inside = [
            raw.FPDFFormObj_GetObject(form, number)
            for form in forms
            for number in range(raw.FPDFFormObj_CountObjects(form))
        ]
        things = [(raw.FPDFPageObj_GetType(thing), thing) for thing in inside]
        kinds |= {kind for kind, _ in things}
    return kinds


def plain_lines(textpage: PdfTextPage) -> list[Box]:
    """Return where lines of whole words stand below each other as they were painted, with nothing small in them.

    Of a page that is anything else, none.
    """
    lines: list[Box] = []
    count, small = textpage.count_rects(), False
    for box in _rectangles(textpage, count):
        if not lines or box.top <= lines[-1].bottom + lines[-1].height / 4:
            lines.append(box)
        elif lines[-1].beside(box):
            small = small or box.height < LEAST_HEIGHT * lines[-1].height
            lines[-1] = lines[-1].around(box)
        else:
            return []
    text = textpage.get_text_range(errors="replace").replace(BROKEN, "\n").strip()
    # Where every character was painted alone, a comma is as small as a superscript.
    alone = count >= LEAST_LINE * len(lines)
    as_many = text.count("\n") + 1 == len(lines) and len(text) >= LEAST_LINE * len(lines)
    return lines if as_many and (alone or not small) and not is_spread(text) else []


def _rectangles(textpage: PdfTextPage, count: int) -> Iterator[Box]:
    from pypdfium2.raw import FPDFText_GetRect

    handle, left, top, right, bottom = textpage.raw, c_double(), c_double(), c_double(), c_double()
    for number in range(count):
        FPDFText_GetRect(handle, number, left, top, right, bottom)
        yield Box(left.value, bottom.value, right.value, top.value)


def is_spread(text: str) -> bool:
    """Say whether one word in five is a single Latin letter: the letters stand apart."""
    words = text.split()
    single = sum(len(word) == 1 and word.isascii() and word.isalpha() for word in words)
    return len(words) >= LEAST_LINE and single * 5 >= len(words)


def _as_painted(textpage: PdfTextPage) -> Block:
    text = textpage.get_text_range(errors="replace").replace("\r\n", "\n").replace(BROKEN, "-\n")
    return Block(tuple(text.split("\n")) if text else ())


def is_vertical(main: Sequence[Glyph]) -> bool:
    """Say whether most characters stand below the one before them, and not beside it."""
    boxes = [glyph.box for glyph in main[:400]]
    below = sum(
        abs(upper.left - lower.left) < upper.width / 2 and lower.top <= upper.bottom + upper.height / 4
        for upper, lower in pairwise(boxes)
    )
    return len(boxes) >= 20 and below * 2 > len(boxes)


def _runs_to_the_left(once: Sequence[Glyph]) -> bool:
    leftward = sum(unicodedata.bidirectional(glyph.character) in ("R", "AL") for glyph in once)
    return leftward > FROM_RIGHT * len(once)


def draw(
    data: bytes, number: int, password: str | None = None, words: str = "", part: tuple[int, int] | None = None
) -> tuple[bytes, bool]:
    """Return a page as PNG, and whether ``words`` were found and marked on it, ``part`` of them more strongly.

    Raises:
        PageNotDrawn: there is no such page, or PDFium cannot read the file.
    """
    from pypdfium2 import PdfiumError

    try:
        with opened(data, password) as document:
            document.init_forms()  # else a value that no program drew is not in the picture
            page = document[number - 1]
            whole, inside = find_words(page.get_textpage(), words, part)
            seen = any(map(PictureMap(page, PICTURE_PIXELS, PICTURE_PIXELS).pixels, whole))
            return _png(page, [(whole, FAINT if inside else MARK), (inside, MARK)]), seen
    except (PdfiumError, IndexError, ValueError) as fault:
        raise PageNotDrawn(f"page {number} cannot be drawn ({fault}): open the PDF in a viewer", page=number) from fault


def _png(page: PdfPage, marks: Iterable[tuple[list[Box], Colour]]) -> bytes:
    picture = render(page, PICTURE_PIXELS)
    for boxes, colour in marks:
        if boxes:
            picture = _marked(page, picture, boxes, colour)
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def render(page: PdfPage, pixels: int) -> Image:
    """Draw a page so many pixels wide, or less where it is very high."""
    width, height = page.get_size()
    if min(width, height) < 1:
        raise ValueError("its sides have no length")
    scale = min(pixels / width, 4 * pixels / height)
    return page.render(scale=scale).to_pil().convert("RGB")


def _marked(page: PdfPage, picture: Image, boxes: list[Box], colour: Colour) -> Image:
    from PIL import Image, ImageDraw

    to_picture = PictureMap(page, *picture.size)
    layer = Image.new("RGBA", picture.size)
    pen = ImageDraw.Draw(layer)
    for left, top, right, bottom in filter(None, map(to_picture.pixels, boxes)):
        pen.rectangle((left - 2, top - 2, right + 2, bottom + 2), fill=colour)
    return Image.alpha_composite(picture.convert("RGBA"), layer).convert("RGB")


def find_words(textpage: PdfTextPage, words: str, part: tuple[int, int] | None = None) -> tuple[list[Box], list[Box]]:
    """Return a box a line around the words and around their ``part``; none where the page does not hold them so.

    They are looked for in a person's order and as they were painted. White space and hyphens do not count, and wrong
    code points are repaired on both sides before they are compared.
    """
    once = painted_once(glyphs(textpage))
    wanted = _bare(words)
    for ordered in (_in_order(once), once) if wanted else ():
        kept = [(letter, glyph) for glyph in ordered for letter in _bare(glyph.character)]
        start = "".join(letter for letter, _ in kept).find(wanted)
        if start >= 0:
            whole = [glyph for _, glyph in kept[start : start + len(wanted)]]
            inside = whole[slice(*(len(_bare(words[:end])) for end in part))] if part else []
            return _boxes(whole), _boxes(inside)
    return [], []


def _in_order(once: Sequence[Glyph]) -> list[Glyph]:
    turns = main_direction(glyph.turns for glyph in once)
    lines = layout.in_order(rows(running(once, turns)))
    return [glyph for row in lines for cell in row for glyph in cell.glyphs]


def _bare(text: str) -> str:
    return "".join(repair_characters(text).split()).translate(_HYPHENS)


def _boxes(found: Iterable[Glyph]) -> list[Box]:
    """Return a box in the page's user space around the characters of each line."""
    lines: list[tuple[Box, int]] = []
    for glyph in found:
        box, turns = glyph.box, glyph.turns or 0
        if lines and lines[-1][1] == turns and lines[-1][0].beside(box):
            lines[-1] = lines[-1][0].around(box), turns
        else:
            lines.append((box, turns))
    return [box.turned(-turns) for box, turns in lines]
