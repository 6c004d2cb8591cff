"""Light and dark: as the reader's system has it, or as the reader chooses; and what language the page says it is in."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest
import running_app
from contrast import channels, luminance, read
from running_app import settle

from pages.ui.shell import i18n
from rag_core.reading.pdf import document_id

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.slow

SAMPLE = running_app.ROOT / "data" / "samples" / "annual-report-en.pdf"
ASKED = {"doc": document_id(SAMPLE.read_bytes()), "q": "What made the company miss its leakage goal?"}
GROUND = "getComputedStyle(document.querySelector('.stApp')).backgroundColor"


def theme(page: Page) -> str:
    return "light" if luminance(channels(page.evaluate(GROUND))[:3]) > 0.5 else "dark"


def choose(page: Page, name: str) -> None:
    """Choose another theme than the one that is seen, and wait until it is."""
    before = page.evaluate(GROUND)
    page.get_by_role("radio", name=i18n.texts("en")[f"theme.{name}"], exact=True).check()
    page.wait_for_function(f"{GROUND} !== '{before}'")


def test_the_system_has_its_way_until_the_reader_chooses(address, person):
    page = person(color_scheme="dark").new_page()
    page.goto(f"{address}/documents")
    settle(page)
    assert theme(page) == "dark"
    page.emulate_media(color_scheme="light")
    page.wait_for_function(f"{GROUND} === 'rgb(255, 255, 255)'")
    choose(page, "dark")
    page.emulate_media(color_scheme="dark")
    choose(page, "light")
    assert theme(page) == "light"


def test_a_choice_loads_nothing_anew_and_is_kept_on_every_page(address, page):
    page.goto(f"{address}/documents")
    settle(page)
    page.evaluate("window.stays = true")
    choose(page, "dark")
    assert page.evaluate("window.stays") and theme(page) == "dark"
    assert not page.get_by_test_id("stMainMenuPopover").is_visible()
    for path in ("/", "/compare"):
        page.goto(address + path)
        settle(page)
        assert theme(page) == "dark"
        assert page.get_by_role("radio", name=i18n.texts("en")["theme.dark"], exact=True).is_checked()


def test_the_keyboard_alone_chooses(address, page):
    page.goto(address)
    settle(page)
    page.get_by_role("radio", name=i18n.texts("en")["theme.system"]).focus()
    page.keyboard.press("ArrowLeft")
    page.wait_for_function(f"{GROUND} !== 'rgb(255, 255, 255)'")
    assert theme(page) == "dark"


def test_the_page_says_its_language(address, page):
    page.goto(address)
    settle(page)
    assert page.locator("html").get_attribute("lang") == "en"
    page.get_by_text("中文", exact=True).click()
    page.wait_for_function("document.documentElement.lang === 'zh'")
    settle(page)
    assert i18n.texts("zh")["home.title"] in page.title()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_is_small_is_read(address, person, scheme):
    page = person(color_scheme=scheme).new_page()
    page.goto(f"{address}/compare?{urlencode({**ASKED, 'lang': 'en'})}")
    page.get_by_text(i18n.texts("en")["result.save"]).first.wait_for()
    settle(page)
    written = page.locator("[data-testid=stCaptionContainer] p, [data-testid=stVegaLiteChart] svg text")
    # Of an axis's labels, those that would lie over others are drawn with nothing of their colour.
    shown = [element for element in written.all() if element.is_visible() and element.get_attribute("opacity") != "0"]
    elements = [element for element in shown if element.text_content().strip()]
    assert len(elements) > 10
    assert {element.text_content(): read(element) for element in elements if read(element) < 4.5} == {}


def test_a_field_says_nothing_in_a_language_that_is_not_the_page_s(address, page):
    page.goto(f"{address}/compare?lang=zh")
    settle(page)
    field = page.get_by_test_id("stTextInput").locator("input").first
    field.fill("收入")
    hint = page.get_by_test_id("InputInstructions")
    assert not any(element.is_visible() for element in hint.all())
