"""A reader puts two documents together, searches them as one, and takes one away, in a real browser."""

from __future__ import annotations

import contextlib
import json

import pytest
from playwright.sync_api import TimeoutError
from running_app import ROOT, settle

pytestmark = pytest.mark.slow

NAME = "Reader 读本"
TITLES = ("annual-report-en.pdf", "city-report-zh.pdf")


@pytest.mark.parametrize(("language", "width"), [("en", 1280), ("zh", 800)])
def test_two_documents_are_searched_as_one(address, page, language, width):
    texts = json.loads((ROOT / "pages" / "ui" / "locales" / f"{language}.json").read_text(encoding="utf-8"))

    def button(name: str):
        return page.get_by_role("button", name=texts[name], exact=True)

    def pick(field, option):
        """Pick from a list; one that opens while the page is drawn or scrolled closes again, also under the hand."""
        for last in (False, False, False, True):
            field.click()
            with contextlib.nullcontext() if last else contextlib.suppress(TimeoutError):
                option.click(timeout=7_000)
                return
            page.keyboard.press("Escape")

    def choose(label: str, title: str) -> None:
        box = page.get_by_test_id("stMultiSelect").filter(has_text=label)
        settle(page)
        box.scroll_into_view_if_needed()
        settle(page)
        pick(box.locator("input"), page.get_by_role("option", name=title))
        settle(page)
        page.keyboard.press("Escape")
        page.get_by_role("listbox").wait_for(state="hidden")  # while it closes it takes the next click
        settle(page)

    page.set_default_timeout(25_000)
    page.set_viewport_size({"width": width, "height": 1000})
    page.goto(f"{address}/documents?lang={language}")
    for sample in ("documents.sample_en", "documents.sample_zh"):
        page.get_by_role("button", name=texts[sample]).click()
        page.get_by_role("combobox", name=texts["form.document"], exact=True).wait_for()
        settle(page)
    page.get_by_text(texts["collection.make"]).click()
    page.get_by_label(texts["collection.name"]).fill(NAME)
    for title in TITLES:
        choose(texts["collection.members"], title)
    button("collection.put").click()
    settle(page)
    page.get_by_text(NAME).first.wait_for()
    settle(page)
    page.goto(f"{address}/compare?lang={language}")
    page.get_by_label(texts["form.question"], exact=True).fill("财政收入增长了多少？")
    button("form.compare").click()
    page.get_by_text(texts["result.link"][:20]).wait_for()
    settle(page)
    page.locator(".st-key-settings button").first.click()
    choose(texts["form.within"], TITLES[0])
    settle(page)
    page.get_by_text(texts["compare.stale"]).wait_for()
    button("form.compare").click()
    page.get_by_text(texts["compare.stale"]).wait_for(state="hidden")
    settle(page)
    assert "within=" in page.url
