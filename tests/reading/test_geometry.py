"""Where things stand on a page, and on its picture, whatever the page's box, origin and rotation."""

from __future__ import annotations

import io

import layouts
import pytest
from PIL import Image, ImageChops

from rag_core.reading import pdfium
from rag_core.reading.geometry import Box, main_direction, quarters


@pytest.mark.parametrize(
    ("turns", "turned"), [(0, (1, 2, 5, 4)), (1, (2, -5, 4, -1)), (2, (-5, -4, -1, -2)), (3, (-4, 1, -2, 5))]
)
def test_a_box_is_turned_clockwise_around_the_origin(turns, turned):
    assert Box(1, 2, 5, 4).turned(turns) == turned
    assert Box(1, 2, 5, 4).turned(turns).turned(-turns) == (1, 2, 5, 4)


def test_text_runs_in_quarters_or_at_a_slope():
    assert [quarters(degrees) for degrees in (0, 90, -90, 359.5, 181, 45)] == [0, 1, 3, 0, 2, None]
    assert main_direction([1, 1, None, 0]) == 1
    assert main_direction([]) == 0


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
@pytest.mark.parametrize(
    "moved",
    [
        {},
        {"crop": (40, 100, 560, 800)},
        {"shift": (300, 500)},
        {"shift": (-700, -40), "crop": (90, 300, 500, 730)},
    ],
    ids=str,
)
@pytest.mark.parametrize("words", ["水库工程历时三年", "The upper road was closed"])
def test_the_mark_is_on_the_words(rotate, moved, words):
    data = layouts.changed(layouts.page(lambda canvas: layouts.put(canvas, 130, 640, words, 14)), rotate, **moved)
    plain, none = pdfium.draw(data, 1)
    marked, found = pdfium.draw(data, 1, words=words)
    assert (none, found) == (False, True)
    left, top, right, bottom = ink(plain)
    mark = difference(plain, marked)
    assert mark[0] <= left and mark[1] <= top and mark[2] >= right and mark[3] >= bottom
    assert (mark[2] - mark[0]) * (mark[3] - mark[1]) < 2.5 * (right - left) * (bottom - top)


def ink(png: bytes) -> tuple[int, int, int, int]:
    return Image.open(io.BytesIO(png)).convert("L").point(lambda value: 255 * (value < 128)).getbbox()


def difference(one: bytes, other: bytes) -> tuple[int, int, int, int]:
    return ImageChops.difference(*(Image.open(io.BytesIO(png)) for png in (one, other))).getbbox()


def test_words_off_the_picture_are_not_said_to_be_marked():
    data = layouts.page(lambda canvas: layouts.put(canvas, 130, 640, "水库工程历时三年"))
    assert pdfium.draw(layouts.changed(data, crop=(0, 0, 400, 300)), 1, words="水库工程")[1] is False


def test_words_that_run_over_a_columns_line_are_marked_in_their_column():
    data = layouts.changed(layouts.page(layouts.TWO_ZH), crop=(50, 200, 560, 780))
    plain, marked = pdfium.draw(data, 1)[0], pdfium.draw(data, 1, words="阅览座位一千二百个")
    left, _, right, _ = difference(plain, marked[0])
    assert marked[1] is True
    assert right < 1200 * (320 - 50) / 510
    assert left < 1200 * 0.05
