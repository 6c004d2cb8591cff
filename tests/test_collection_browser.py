"""A reader puts two documents together, searches them as one, and takes one away, in a real browser."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import running_app
from running_app import browser_page, settle
from running_app import running_app as serve

ROOT = running_app.ROOT
SHOTS = os.environ.get("COLLECTION_SHOTS")
NAME = "Reader 读本"
TITLES = ("annual-report-en.pdf", "city-report-zh.pdf")


def shot(page, name: str) -> None:
    """Keep a picture of the page where somebody asked for pictures."""
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"{name}.png", full_page=True)


@pytest.mark.skipif(running_app.CHROMIUM is None, reason="Chromium is not installed")
@pytest.mark.parametrize(("language", "width"), [("en", 1280), ("zh", 800)])
def test_two_documents_are_searched_as_one(tmp_path, language, width):
    texts = json.loads((ROOT / "pages" / "ui" / "locales" / f"{language}.json").read_text(encoding="utf-8"))

    def button(name: str):
        return page.get_by_role("button", name=texts[name], exact=True)

    with serve(tmp_path / "home") as address, browser_page() as page:
        page.set_default_timeout(60_000)
        page.set_viewport_size({"width": width, "height": 1000})
        page.goto(f"{address}/documents?lang={language}")
        for sample, title in (("documents.sample_en", TITLES[0]), ("documents.sample_zh", TITLES[1])):
            page.get_by_role("button", name=texts[sample]).click()
            page.get_by_text(title).first.wait_for()
            settle(page)
        page.get_by_text(texts["collection.make"]).click()
        page.get_by_label(texts["collection.name"]).fill(NAME)
        members = page.get_by_label(texts["collection.members"])
        for title in TITLES:
            members.fill(title)
            page.keyboard.press("Enter")
        page.keyboard.press("Escape")
        shot(page, f"{language}-make")
        button("collection.put").click()
        settle(page)
        shot(page, f"{language}-put")
        page.get_by_text(NAME, exact=False).first.wait_for()
        settle(page)
        shot(page, f"{language}-collection")
        page.goto(f"{address}/compare?lang={language}")
        page.get_by_label(texts["form.question"], exact=True).fill("财政收入增长了多少？")
        button("form.compare").click()
        page.get_by_text(texts["result.link"][:20]).wait_for()
        settle(page)
        shot(page, f"{language}-compared")
        page.get_by_label(texts["form.within"]).fill(TITLES[0])
        page.keyboard.press("Enter")
        page.keyboard.press("Escape")
        settle(page)
        page.get_by_text(texts["compare.stale"]).wait_for()
        button("form.compare").click()
        page.get_by_text(texts["compare.stale"]).wait_for(state="hidden")
        settle(page)
        shot(page, f"{language}-filtered")
        assert "within=" in page.url
