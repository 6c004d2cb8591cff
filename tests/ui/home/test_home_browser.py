"""What is seen of Home without scrolling, in a real browser."""

from __future__ import annotations

import pytest
from running_app import settle

from pages.ui.shell import saved
from pages.ui.shell.samples import FILES

pytestmark = pytest.mark.slow

ROWS_IN_VIEW = """rows => rows.filter(row => {
    const box = row.getBoundingClientRect(), frame = row.closest(".scroll").getBoundingClientRect();
    return box.top >= frame.top && box.bottom <= Math.min(frame.bottom, innerHeight);
}).length"""


def open_home(page, address: str, language: str) -> None:
    page.goto(f"{address}?lang={language}")
    page.locator(".after .row").first.wait_for()
    settle(page)


@pytest.mark.parametrize("language", FILES)
@pytest.mark.parametrize(("width", "height", "row", "rows"), [(1280, 800, 260, 8), (390, 844, 500, 4)])
def test_the_comparison_is_seen_without_scrolling(address, person, language, width, height, row, rows):
    page = person(width=width, height=height).new_page()
    open_home(page, address, language)
    assert page.locator(".st-key-what").bounding_box()["y"] < 72
    assert page.locator(".after .row").first.bounding_box()["y"] <= row
    assert page.locator(".after .row").evaluate_all(ROWS_IN_VIEW) >= rows
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    if width == 1280:
        answers = page.locator(".st-key-home_answers").bounding_box()
        assert answers["y"] + answers["height"] <= height


def test_a_click_on_a_row_shows_its_chunk(address, page):
    open_home(page, address, "en")
    page.locator(".after .row .lines").first.click()
    text = page.locator(".st-key-picked_chunk")
    text.wait_for()
    settle(page)
    move = saved.results("en")[0].replay.comparison.moves[0]
    assert move.chunk.text.split("\n")[-1][:40] in text.inner_text()
    assert text.bounding_box()["y"] < page.viewport_size["height"]
