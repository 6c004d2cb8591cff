"""axe-core finds nothing serious on the pages that are read first, in either language and either theme."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest
import running_app
from axe_playwright_python.sync_playwright import Axe
from running_app import settle

from pages.ui.shell import i18n
from rag_core.reading.pdf import document_id

if TYPE_CHECKING:
    from playwright.sync_api import Page

QUESTIONS = {
    "en": ("annual-report-en", "What made the company miss its leakage goal?"),
    "zh": ("city-report-zh", "2025年一般公共预算收入打算增长多少？"),
}
GRAVE = {"serious", "critical"}


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", QUESTIONS)
def test_nothing_serious_is_found(address, person, language, scheme):
    page = person(color_scheme=scheme).new_page()
    for path in ("", "documents", f"compare?{urlencode(asked(language))}"):
        page.goto(f"{address}/{path}{'&' if '?' in path else '?'}lang={language}")
        if path.startswith("compare"):
            page.get_by_text(i18n.texts(language)["result.save"]).first.wait_for()
        settle(page)
        assert grave(page) == [], path


@pytest.mark.slow
@pytest.mark.parametrize(("language", "scheme"), [("en", "light"), ("zh", "dark")])
def test_nothing_serious_is_found_where_is_measured_and_where_a_result_is_opened(address, person, language, scheme):
    page, said = person(color_scheme=scheme).new_page(), i18n.texts(language)
    page.goto(f"{address}/evaluate?lang={language}")
    page.get_by_role("button", name=said[f"evaluate.sample_{language}"]).click()
    page.locator(".questions .row").nth(1).wait_for()
    page.get_by_role("button", name=said["evaluate.stop"], exact=True).click()
    page.get_by_text(said["evaluate.stopped"]).wait_for()
    assert grave(page) == []
    page.locator(".questions .row").first.press("ArrowDown")
    page.keyboard.press("Enter")
    page.locator(".orders .after .row").first.wait_for()
    settle(page)
    assert page.locator(".questions .row.opened").count() == 1
    assert grave(page) == []
    page.goto(f"{address}/replay?lang={language}")
    settle(page)
    assert grave(page) == []
    page.get_by_role("button", name=said["replay.example"]).click()
    page.locator(".orders .after .row").first.wait_for()
    settle(page)
    assert grave(page) == []


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", QUESTIONS)
def test_nothing_serious_is_found_in_the_workshop(address, person, language, scheme):
    page, said = person(color_scheme=scheme).new_page(), i18n.texts(language)
    page.goto(f"{address}/workshop?lang={language}")
    hand_in(page, said)
    page.get_by_text(said["running.own"], exact=True).wait_for()
    settle(page)
    assert grave(page) == [], "revealed"
    for part, sign in (("lessons", "lesson.judging_title"), ("inside", "inside.scales"), ("room", "room.open_title")):
        page.get_by_test_id("stButtonGroup").get_by_text(said[f"workshop.{part}"], exact=True).click()
        page.get_by_text(said[sign]).wait_for()
        settle(page)
        assert grave(page) == [], part
    page.get_by_role("button", name=said["room.open"]).click()
    page.get_by_role("button", name=said["room.reveal"]).wait_for()
    code = re.search(r"desk=(\w+)", page.url).group(1)
    seat, wall = (person(color_scheme=scheme, width=width).new_page() for width in (390, 1920))
    seat.goto(f"{address}/workshop?lang={language}&room={code}")
    hand_in(seat, said)
    wall.goto(f"{address}/workshop?lang={language}&wall={code}")
    wall.get_by_text("1 / 1").wait_for()
    the_room_is_sound(page, seat, wall)
    page.get_by_role("button", name=said["room.reveal"]).click()
    for view in (page, seat, wall):
        view.locator(".room .votes .row").last.wait_for()
    the_room_is_sound(page, seat, wall)


def hand_in(page: Page, said: dict[str, str]) -> None:
    """Pick the first five of the ten chunks, and hand them in; before that, nothing serious is found."""
    page.get_by_role("button", name=said["pick.submit"]).wait_for()
    settle(page)
    assert grave(page) == [], "chunks to pick from"
    for place in range(5):
        page.get_by_test_id("stCheckbox").nth(place).locator("label").click()
        page.get_by_text(said["pick.count"].replace("**", "").format(picked=place + 1, wanted=5)).wait_for()
    page.get_by_role("button", name=said["pick.submit"]).click()


def the_room_is_sound(desk: Page, seat: Page, wall: Page) -> None:
    for name, view in {"desk": desk, "seat": seat, "wall": wall}.items():
        settle(view)
        assert grave(view) == [], name


def asked(language: str) -> dict[str, str]:
    name, question = QUESTIONS[language]
    return {"doc": document_id((running_app.ROOT / "data" / "samples" / f"{name}.pdf").read_bytes()), "q": question}


def grave(page: Page) -> list[tuple[str, str]]:
    """Return rule and element of each finding that keeps a reader out, in the page and in our components."""
    found = Axe().run(page).response["violations"]
    return [(one["id"], node["html"]) for one in found if one["impact"] in GRAVE for node in one["nodes"]]


@pytest.mark.slow
def test_a_fault_would_be_found(page):
    page.set_content("<html lang=en><title>t</title><main><img src=data:,><p style='color: #999'>small</p></main>")
    assert {rule for rule, _ in grave(page)} == {"image-alt", "color-contrast"}
