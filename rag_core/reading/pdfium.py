"""Read and draw pages with PDFium, the engine of a browser's viewer: a second opinion on what a page says.

Untrusted files come here, so all of it runs in the process that ``sandbox`` starts.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from rag_core.errors import PageNotDrawn
from rag_core.reading import fields, unseen
from rag_core.reading.places import Entry, Piece
from rag_core.reading.text import repair_characters

if TYPE_CHECKING:
    from PIL.Image import Image
    from pypdfium2 import PdfDocument, PdfPage, PdfTextPage

PICTURE_PIXELS = 1200
"""The width of a page's picture; a page that is higher than four times its width is drawn smaller."""

Colour = tuple[int, int, int, int]
MARK: Colour = (255, 196, 0, 90)
FAINT: Colour = (255, 196, 0, 40)
LEAST_LINES = 6
"""Fewer lines than this on a side are no column."""

PICTURES, DRAWN, COLUMNS, VERTICAL = "pictures", "drawn", "columns", "vertical"
"""What a page shows: images, other marks without text, text in two columns, text from top to bottom."""

UNSEARCHED = "unsearched"
"""Words that nobody sees were not looked for to the end."""


class Seen(NamedTuple):
    """What PDFium finds on a page: its text, raw, and what it shows."""

    text: str
    marks: tuple[str, ...]
    unseen: tuple[Piece, ...] = ()
    """What stands there and nobody sees; it is not in ``text``."""

    entries: tuple[Entry, ...] = ()
    """What was written into its form, or onto it; it is not in ``text`` either."""


class Box(NamedTuple):
    """A rectangle in points, from the lower left corner of the page."""

    left: float
    bottom: float
    right: float
    top: float


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


def look(data: bytes, password: str | None = None, alive: Callable[[], None] = lambda: None) -> list[Seen]:
    """Look at every page; ``alive`` is called after each. A page that PDFium cannot read is seen as empty."""
    seen = []
    with opened(data, password) as document:
        document.init_forms()
        for number in range(len(document)):
            seen.append(_look(document, number))
            alive()
    return seen


def _look(document: PdfDocument, number: int) -> Seen:
    from pypdfium2 import PdfiumError

    try:
        page = document[number]
        hidden = unseen.take_away(page)
        textpage = page.get_textpage()
    except PdfiumError:
        return Seen("", ())
    lines = _lines(textpage)
    gutter = find_gutter(lines, page.get_width())
    marks = [*_drawn(page, textpage), *([COLUMNS] if gutter else []), *([VERTICAL] if is_vertical(textpage) else [])]
    text = _by_column(textpage, page, gutter) if gutter else textpage.get_text_range(errors="replace")
    marks += [UNSEARCHED] if hidden is None else []
    entries = fields.read(document, page, textpage)
    page.close()
    return Seen(text, tuple(marks), tuple(hidden or ()), tuple(entries))


def _drawn(page: PdfPage, textpage: PdfTextPage) -> list[str]:
    from pypdfium2.raw import FPDF_PAGEOBJ_IMAGE, FPDF_PAGEOBJ_PATH, FPDF_PAGEOBJ_SHADING

    kinds = _kinds(page)
    if FPDF_PAGEOBJ_IMAGE in kinds:
        return [PICTURES]
    return [DRAWN] if kinds & {FPDF_PAGEOBJ_PATH, FPDF_PAGEOBJ_SHADING} and not textpage.count_chars() else []


def _kinds(page: PdfPage) -> set[int]:
    """Return the kinds of what stands on a page; a page may hold a thousand letters, each by itself."""
    from pypdfium2 import raw

    count = raw.FPDFPage_CountObjects(page)
    kinds = {raw.FPDFPageObj_GetType(raw.FPDFPage_GetObject(page, number)) for number in range(count)}
    if raw.FPDF_PAGEOBJ_FORM in kinds:
        kinds |= {thing.type for thing in page.get_objects(max_depth=3)}
    return kinds


def _lines(textpage: PdfTextPage) -> list[Box]:
    """Return the boxes of the lines in the order of the text; runs that stand beside each other are one line."""
    lines: list[Box] = []
    for number in range(min(textpage.count_rects(), 2000)):
        box = Box(*textpage.get_rect(number))
        if lines and _beside(lines[-1], box):
            lines[-1] = _around(lines[-1], box)
        else:
            lines.append(box)
    return lines


def _beside(box: Box, other: Box) -> bool:
    height = max(box.top - box.bottom, other.top - other.bottom, 1.0)
    level = abs((box.top + box.bottom) / 2 - (other.top + other.bottom) / 2) < height / 2
    return level and -height < other.left - box.right < height


def _around(box: Box, other: Box) -> Box:
    return Box(
        min(box.left, other.left), min(box.bottom, other.bottom), max(box.right, other.right), max(box.top, other.top)
    )


def find_gutter(lines: list[Box], width: float) -> float | None:
    """Return where the gap between two columns of running text is, or None for a page that has no two.

    On both sides of it stand lines of which most fill their column, at the same heights; almost none crosses it.
    """
    for step in range(40, 61):
        place = width * step / 100
        left = [line for line in lines if line.right <= place]
        right = [line for line in lines if line.left >= place]
        crossing = len(lines) - len(left) - len(right)
        if min(len(left), len(right)) < LEAST_LINES or crossing * 5 > len(lines):
            continue
        if _fills(left) and _fills(right) and _level(left, right):
            return place
    return None


def _fills(lines: list[Box]) -> bool:
    widest = max(line.right - line.left for line in lines)
    full = sum(line.right - line.left >= 0.8 * widest for line in lines)
    return full * 2 >= len(lines)


def _level(left: list[Box], right: list[Box]) -> bool:
    common = min(_top(left), _top(right)) - max(_bottom(left), _bottom(right))
    return common * 2 >= min(_top(left) - _bottom(left), _top(right) - _bottom(right))


def _top(lines: list[Box]) -> float:
    return max(line.top for line in lines)


def _bottom(lines: list[Box]) -> float:
    return min(line.bottom for line in lines)


def _by_column(textpage: PdfTextPage, page: PdfPage, gutter: float) -> str:
    """Read the left column to its end, then the right one."""
    width, height = page.get_size()
    left = textpage.get_text_bounded(0, 0, gutter, height, errors="replace")
    right = textpage.get_text_bounded(gutter, 0, width, height, errors="replace")
    return f"{left}\n{right}"


def is_vertical(textpage: PdfTextPage) -> bool:
    """Say whether most characters stand below the one before them, and not beside it."""
    places = [textpage.get_charbox(number) for number in range(min(textpage.count_chars(), 400))]
    boxes = [box for box in map(Box._make, places) if box.right > box.left and box.top > box.bottom]
    below = sum(
        abs(upper.left - lower.left) < (upper.right - upper.left) / 2 and lower.top <= upper.bottom + 1
        for upper, lower in pairwise(boxes)
    )
    return len(boxes) >= 20 and below * 2 > len(boxes)


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
            return _png(page, [(whole, FAINT if inside else MARK), (inside, MARK)]), bool(whole)
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

    scale_x, scale_y = picture.width / page.get_width(), picture.height / page.get_height()
    layer = Image.new("RGBA", picture.size)
    pen = ImageDraw.Draw(layer)
    for box in boxes:
        top, bottom = picture.height - box.top * scale_y, picture.height - box.bottom * scale_y
        pen.rectangle((box.left * scale_x - 2, top - 2, box.right * scale_x + 2, bottom + 2), fill=colour)
    return Image.alpha_composite(picture.convert("RGBA"), layer).convert("RGB")


def find_words(textpage: PdfTextPage, words: str, part: tuple[int, int] | None = None) -> tuple[list[Box], list[Box]]:
    """Return a box a line around the words and around their ``part``; none when PDFium reads the page otherwise.

    White space does not count, and wrong code points are repaired on both sides before they are compared.
    """
    kept = [
        (character, number)
        for number in range(textpage.count_chars())
        for character in repair_characters(textpage.get_text_range(number, 1, errors="replace"))
        if not character.isspace()
    ]
    wanted = _without_space(words)
    start = "".join(character for character, _ in kept).find(wanted) if wanted else -1
    if start < 0:
        return [], []
    numbers = [number for _, number in kept[start : start + len(wanted)]]
    inside = numbers[slice(*(len(_without_space(words[:end])) for end in part))] if part else []
    return _boxes(textpage, numbers), _boxes(textpage, inside)


def _without_space(text: str) -> str:
    return "".join(repair_characters(text).split())


def _boxes(textpage: PdfTextPage, numbers: Iterable[int]) -> list[Box]:
    """Return a box around the characters of each line."""
    lines: list[Box] = []
    for number in numbers:
        box = Box._make(textpage.get_charbox(number, loose=True))
        if lines and _beside(lines[-1], box):
            lines[-1] = _around(lines[-1], box)
        else:
            lines.append(box)
    return lines
