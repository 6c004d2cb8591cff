"""Find the text of a page that nobody sees: of its ground's colour, covered, hidden, off the page, or tiny.

Whether a colour is seen is looked up in the picture, drawn with and without the words in doubt: white is seen on a dark
bar, and a scanned page's invisible words are a picture's, which is seen.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from ctypes import POINTER, addressof, c_float, c_uint, c_ulong, c_ushort, cast, create_string_buffer
from functools import cache, partial, reduce
from itertools import groupby, islice, starmap
from typing import TYPE_CHECKING, Any, NamedTuple

from rag_core.reading import patience
from rag_core.reading.geometry import Box, PictureMap
from rag_core.reading.places import Piece, letters

if TYPE_CHECKING:
    from PIL.Image import Image
    from pypdfium2 import PdfObject, PdfPage, PdfTextPage

log = logging.getLogger(__name__)

PALE, COVERED, LAYER, INVISIBLE, OUTSIDE, TINY = WHYS = ("pale", "covered", "layer", "invisible", "outside", "tiny")

PAPER = 225
"""With all three colours above this, words may be lost on white paper."""

GLASS = 50
"""Less opaque than this, of 255, words may be lost on anything."""

NOTICED = 20
"""Colours of 256 that differ by less are not told apart."""

SMALLEST = 2.0
"""Points: smaller letters are not read by anyone."""

LEAST_GROUND = 4.0
"""Points: what is thinner is a line, and covers no words."""

MOST_OBJECTS = 20_000
"""A page of more things takes too long to be looked at one by one."""

SECONDS = 5.0
"""A page that takes longer is left."""

MOST_POINTS = 50
"""So many corners of a clip are looked at."""

_LAYER = "OC\0".encode("utf-16-le")
"""The mark of what stands on a layer, as the C functions write it."""

MOST_GROUNDS = 200
"""So many surfaces of a page are known, the largest first."""

PIXELS = 1400
"""The longer side of the picture that is looked at."""

_COLOUR = c_uint(), c_uint(), c_uint(), c_uint()
"""Red, green, blue and opacity, as the C functions write them; one page is looked at at a time."""

_NAME, _SIZE = create_string_buffer(8), c_ulong()
_NAME_CHARACTERS = cast(_NAME, POINTER(c_ushort))
"""The name of a mark and its size in bytes, likewise."""


Thing = tuple[int, Any]
"""What kind a thing is that was painted on a page, and what the C functions know it by."""


class Colour(NamedTuple):
    """Red, green, blue and opacity, each up to 255."""

    red: int
    green: int
    blue: int
    opacity: int

    def near(self, other: Colour) -> bool:
        """Say whether nobody tells the two apart."""
        return all(abs(one - two) < NOTICED for one, two in zip(self[:3], other[:3], strict=True))


class Ground(NamedTuple):
    """A filled surface, or a picture."""

    box: Box
    colour: Colour


class Doubt(NamedTuple):
    """Words that may not be seen, and why."""

    thing: PdfObject
    box: Box
    why: str
    pictured: bool = False
    """Whether a picture lies on them, as a scan does on the words that were recognised on it."""


def things_on(page: PdfPage) -> list[Thing]:
    """Return what was painted on a page, in that order; what stands in a form counts as one thing."""
    raw, handle = _raw(), page.raw
    things = [raw.FPDFPage_GetObject(handle, number) for number in range(raw.FPDFPage_CountObjects(handle))]
    return [(raw.FPDFPageObj_GetType(thing), thing) for thing in things]


@cache
def _raw() -> Any:
    """Return the C functions: to import them anew for every letter takes longer than to call them."""
    from pypdfium2 import raw

    return raw


def take_away(page: PdfPage, things: Sequence[Thing]) -> list[Piece] | None:
    """Take the words that nobody sees off a page, before its text is read, and return them in their order.

    None is a page of too many ``things``, or one that took too long: it is left as it is.
    """
    if len(things) > MOST_OBJECTS:
        return None
    if _is_plain(page, things):
        return []
    try:
        return patience.within(SECONDS, partial(_taken_away, page))
    except patience.TooLate:
        log.warning("A page was not searched for unseen words to the end: it took longer than %.0f s", SECONDS)
        return None


def _taken_away(page: PdfPage) -> list[Piece]:
    things = list(islice(page.get_objects(max_depth=5), MOST_OBJECTS))
    doubts = list(_doubts(page, things))
    unseen = _unseen(page, things, doubts) if doubts else []
    if not unseen:
        return []
    whole = page.get_textpage()
    pieces = list(_pieces(whole, unseen))
    whole.close()
    _show([doubt.thing for doubt in unseen], False)
    return pieces


def _is_plain(page: PdfPage, things: Sequence[Thing]) -> bool:
    """Say whether all words are dark, of ordinary size, on the page and on bare paper: most pages, and at once."""
    raw, paper, smallest = _raw(), Box(*page.get_bbox()), _smallest(page)
    text, image, path = raw.FPDF_PAGEOBJ_TEXT, raw.FPDF_PAGEOBJ_IMAGE, raw.FPDF_PAGEOBJ_PATH
    bounds = raw.FPDFPageObj_GetBounds
    left, bottom, right, top = sides = c_float(), c_float(), c_float(), c_float()
    words: list[tuple[float, ...]] = []
    for kind, thing in things:
        bounds(thing, *sides)
        box = left.value, bottom.value, right.value, top.value
        if kind == image:
            if words and reduce(Box.around, starmap(Box, words)).meets(Box(*box)):
                return False
        elif kind == text:
            if not _is_ink(thing) or not _is_inside(box, paper) or _is_small(thing, box, smallest):
                return False
            if _is_layered(thing) or _is_clipped(thing, box):
                return False
            words.append(box)
        elif kind != path or min(box[2] - box[0], box[3] - box[1]) >= LEAST_GROUND:
            return False
    return True


def _is_ink(thing: Any) -> bool:
    """Say whether words are filled with a colour that is no paper's."""
    raw = _raw()
    red, green, blue, opacity = _COLOUR
    raw.FPDFPageObj_GetFillColor(thing, red, green, blue, opacity)
    dark = red.value <= PAPER or green.value <= PAPER or blue.value <= PAPER
    return dark and opacity.value >= GLASS and raw.FPDFTextObj_GetTextRenderMode(thing) in (0, 2)


def _is_inside(box: Sequence[float], paper: Box) -> bool:
    empty = box[0] >= box[2]
    return empty or (paper.left < box[0] and box[2] < paper.right and paper.bottom < box[1] and box[3] < paper.top)


def _is_small(thing: Any, box: Sequence[float], smallest: float) -> bool:
    """Say whether letters are too small to read; a point and a dash are small in one way."""
    if min(box[2] - box[0], box[3] - box[1]) >= smallest or box[0] >= box[2]:
        return False
    raw = _raw()
    size, matrix = c_float(), raw.FS_MATRIX()
    raw.FPDFTextObj_GetFontSize(thing, size)
    raw.FPDFPageObj_GetMatrix(thing, matrix)
    return abs(size.value) * (matrix.c**2 + matrix.d**2) ** 0.5 < smallest


def _is_layered(thing: Any) -> bool:
    """Say whether words stand on a layer, which a viewer may hide."""
    raw = _raw()
    for number in range(raw.FPDFPageObj_CountMarks(thing)):
        mark = raw.FPDFPageObj_GetMark(thing, number)
        if raw.FPDFPageObjMark_GetName(mark, _NAME_CHARACTERS, 8, _SIZE) and _NAME.raw[: _SIZE.value] == _LAYER:
            return True
    return False


def _is_clipped(thing: Any, box: Sequence[float]) -> bool:
    """Say whether words lie outside what their clip leaves of the page."""
    raw = _raw()
    clip = raw.FPDFPageObj_GetClipPath(thing)
    count = raw.FPDFClipPath_CountPaths(clip) if clip else 0
    if count < 1:
        return False
    return any(left and not left.meets(Box(*box)) for left in (_clip_box(clip, number) for number in range(count)))


def _clip_box(clip: Any, number: int) -> Box | None:
    """Return a box around one path of a clip."""
    from pypdfium2 import raw

    count = min(raw.FPDFClipPath_CountPathSegments(clip, number), MOST_POINTS)
    points, x, y = [], c_float(), c_float()
    for place in range(count):
        raw.FPDFPathSegment_GetPoint(raw.FPDFClipPath_GetPathSegment(clip, number, place), x, y)
        points.append((x.value, y.value))
    across, up = zip(*points, strict=True) if points else ((), ())
    return Box(min(across), min(up), max(across), max(up)) if points else None


def _smallest(page: PdfPage) -> float:
    return min(SMALLEST, page.get_height() / 250)


def _doubts(page: PdfPage, things: Sequence[PdfObject]) -> Iterator[Doubt]:
    from pypdfium2.raw import FPDF_PAGEOBJ_IMAGE, FPDF_PAGEOBJ_TEXT

    seen, smallest = Box(*page.get_bbox()), _smallest(page)
    below, above = _grounds(things)
    pictures = {number: _box(thing) for number, thing in enumerate(things) if thing.type == FPDF_PAGEOBJ_IMAGE}
    for number, thing in enumerate(things):
        if thing.type == FPDF_PAGEOBJ_TEXT:
            box, colour = _box(thing), _colour(thing)
            why = _why(thing, box, colour, seen, smallest) or _hidden(thing, box, colour, number, below, above)
            pictured = not why and any(number < place and picture.holds(box) for place, picture in pictures.items())
            if why or pictured:
                yield Doubt(thing, box, why or COVERED, pictured)


def _why(thing: PdfObject, box: Box, colour: Colour, seen: Box, smallest: float) -> str:
    """Say why words may not be seen, from what they are alone."""
    from pypdfium2 import raw

    if not seen.meets(box) and box.right > box.left:
        return OUTSIDE
    if min(box.right - box.left, box.top - box.bottom) < smallest and _size(thing) < smallest:
        return TINY
    if raw.FPDFTextObj_GetTextRenderMode(thing) == raw.FPDF_TEXTRENDERMODE_INVISIBLE:
        return INVISIBLE
    return PALE if min(colour[:3]) > PAPER or colour.opacity < GLASS else ""


def _hidden(
    thing: PdfObject, box: Box, colour: Colour, number: int, below: dict[int, Ground], above: dict[int, Ground]
) -> str:
    """Say whether words may stand on a ground of their own colour, or under one."""
    if _is_layered(thing):
        return LAYER
    # Where a thing stands in a form, its clip is the form's own.
    clipped = thing.container is None and _is_clipped(thing, box)
    if clipped or any(number < place and ground.box.holds(box) for place, ground in above.items()):
        return COVERED
    same = any(
        number > place and ground.box.holds(box) and ground.colour.near(colour) for place, ground in below.items()
    )
    return PALE if same else ""


def _grounds(things: Sequence[PdfObject]) -> tuple[dict[int, Ground], dict[int, Ground]]:
    """Return the filled surfaces by their place in the order of painting: those with words above, and below them."""
    from pypdfium2.raw import FPDF_PAGEOBJ_PATH, FPDF_PAGEOBJ_TEXT

    words = [number for number, thing in enumerate(things) if thing.type == FPDF_PAGEOBJ_TEXT]
    if not words:
        return {}, {}
    paths = ((number, thing) for number, thing in enumerate(things) if thing.type == FPDF_PAGEOBJ_PATH)
    found = [(number, ground) for number, thing in paths if (ground := _ground(thing))]
    grounds = dict(sorted(found, key=lambda pair: -pair[1].box.size)[:MOST_GROUNDS])
    below = {number: ground for number, ground in grounds.items() if number < words[-1]}
    above = {number: ground for number, ground in grounds.items() if number > words[0] and ground.colour.opacity > 250}
    return below, above


def _ground(thing: PdfObject) -> Ground | None:
    """Return a path as a ground, or None for one that fills nothing."""
    from ctypes import c_int

    from pypdfium2.raw import FPDFPath_GetDrawMode

    box, fill, stroke = _box(thing), c_int(), c_int()
    if min(box.right - box.left, box.top - box.bottom) < LEAST_GROUND:
        return None
    FPDFPath_GetDrawMode(thing, fill, stroke)
    return Ground(box, _colour(thing)) if fill.value else None


def _colour(thing: PdfObject) -> Colour:
    from pypdfium2 import raw

    red, green, blue, opacity = _COLOUR
    outlined = thing.type == raw.FPDF_PAGEOBJ_TEXT and raw.FPDFTextObj_GetTextRenderMode(thing) in (1, 5)
    read = raw.FPDFPageObj_GetStrokeColor if outlined else raw.FPDFPageObj_GetFillColor
    return (
        Colour(red.value, green.value, blue.value, opacity.value)
        if read(thing, red, green, blue, opacity)
        else Colour(0, 0, 0, 255)
    )


def _box(thing: PdfObject) -> Box:
    """Return where a thing stands on the page, be it in a form or not."""
    from pypdfium2 import raw

    left, bottom, right, top = c_float(), c_float(), c_float(), c_float()
    raw.FPDFPageObj_GetBounds(thing, left, bottom, right, top)
    box, form = Box(left.value, bottom.value, right.value, top.value), thing.container
    while form is not None:
        matrix = form.get_matrix()
        corners = [matrix.on_point(x, y) for x in (box.left, box.right) for y in (box.bottom, box.top)]
        across, up = ([corner[side] for corner in corners] for side in (0, 1))
        box, form = Box(min(across), min(up), max(across), max(up)), form.container
    return box


def _size(thing: PdfObject) -> float:
    """Return how high the letters are, in points."""
    from pypdfium2.raw import FPDFTextObj_GetFontSize

    size, scale = c_float(), 1.0
    FPDFTextObj_GetFontSize(thing, size)
    while thing is not None:
        matrix, thing = thing.get_matrix(), thing.container
        scale *= (matrix.c**2 + matrix.d**2) ** 0.5
    return abs(size.value) * scale


def _unseen(page: PdfPage, things: Sequence[PdfObject], doubts: Sequence[Doubt]) -> list[Doubt]:
    """Keep of the words in doubt those that nobody sees."""
    sure = [doubt for doubt in doubts if doubt.why in (OUTSIDE, TINY)]
    drawn = [doubt for doubt in doubts if doubt.why in (PALE, COVERED, LAYER)]
    invisible = [doubt for doubt in doubts if doubt.why == INVISIBLE]
    return [*sure, *_unnoticed(page, drawn), *_of_nothing(page, things, invisible)]


def _unnoticed(page: PdfPage, doubts: Sequence[Doubt]) -> list[Doubt]:
    """Keep the words without which the picture is the same."""
    from PIL import ImageChops

    if not doubts:
        return []
    changed = ImageChops.difference(_picture(page), _picture_without(page, [doubt.thing for doubt in doubts]))
    unnoticed = [doubt for doubt in doubts if _contrast(page, changed, doubt.box, from_black=True) < NOTICED]
    if not any(doubt.pictured for doubt in unnoticed):
        return unnoticed
    # Words under a scan are those that it shows; a plain picture shows none.
    shown = _picture(page)
    return [doubt for doubt in unnoticed if not doubt.pictured or _contrast(page, shown, doubt.box) < 2 * NOTICED]


def _of_nothing(page: PdfPage, things: Sequence[PdfObject], doubts: Sequence[Doubt]) -> list[Doubt]:
    """Keep the invisible words that are not recognised from what a picture shows.

    Where most stand on something drawn, they are a scan's, and all of them are: recognised words stand a little apart
    from the printed ones.
    """
    from pypdfium2.raw import FPDF_PAGEOBJ_IMAGE, FPDF_PAGEOBJ_TEXT

    words = [thing for thing in things if thing.type == FPDF_PAGEOBJ_TEXT]
    pictures = [_box(thing) for thing in things if thing.type == FPDF_PAGEOBJ_IMAGE]
    if not doubts or (len(words) == len(doubts) and _all_on(pictures, doubts)):
        return []
    drawn = _picture_without(page, words)
    bare = [doubt for doubt in doubts if _contrast(page, drawn, doubt.box) < 2 * NOTICED]
    return bare if len(bare) * 2 >= len(doubts) else []


def _all_on(pictures: Sequence[Box], doubts: Sequence[Doubt]) -> bool:
    return all(any(picture.holds(doubt.box) for picture in pictures) for doubt in doubts)


def _picture(page: PdfPage) -> Image:
    width, height = page.get_size()
    return page.render(scale=PIXELS / max(width, height, 1.0)).to_pil().convert("RGB")


def _picture_without(page: PdfPage, things: Sequence[PdfObject]) -> Image:
    _show(things, False)
    try:
        return _picture(page)
    finally:
        _show(things, True)


def _show(things: Iterable[PdfObject], shown: bool) -> None:
    from pypdfium2.raw import FPDFPageObj_SetIsActive

    for thing in things:
        FPDFPageObj_SetIsActive(thing, shown)


def _contrast(page: PdfPage, picture: Image, box: Box, from_black: bool = False) -> int:
    """Return by how much the colours in a box of the page differ from each other, or from black."""
    pixels = PictureMap(page, *picture.size).pixels(box)
    if pixels is None:
        return 0
    left, top, right, bottom = pixels
    extremes: Any = picture.crop((left, top, max(right, left + 1), max(bottom, top + 1))).getextrema()
    return max(most - (0 if from_black else least) for least, most in extremes)


def _pieces(textpage: PdfTextPage, unseen: Sequence[Doubt]) -> Iterator[Piece]:
    """Yield the unseen words, those that follow each other together, with the letters before them."""
    from pypdfium2.raw import FPDFText_GetTextObject

    why = {addressof(doubt.thing.raw.contents): doubt.why for doubt in unseen}
    reasons: list[str] = []
    for number in range(textpage.count_chars()):
        thing = FPDFText_GetTextObject(textpage, number)
        # A space that PDFium sees in a gap belongs to no object.
        between = reasons[-1] if reasons else ""
        reasons.append(why.get(addressof(thing.contents), "") if thing else between)
    start = 0
    for reason, run in groupby(reasons):
        length = len(list(run))
        text = textpage.get_text_range(start, length, errors="replace")
        if reason and text.strip():
            before = textpage.get_text_range(max(0, start - 120), min(start, 120), errors="replace")
            yield Piece(" ".join(text.split()), letters(before)[0], reason)
        start += length
