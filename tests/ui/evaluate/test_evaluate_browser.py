"""A batch in a real browser: its first rows are seen and opened while it is made, it is stopped, and it is finished."""

from __future__ import annotations

import json
import sqlite3

import pytest
from running_app import ROOT, settle

pytestmark = pytest.mark.slow

LOCALE = json.loads((ROOT / "pages" / "ui" / "locales" / "en.json").read_text(encoding="utf-8"))
QUESTIONS, JUDGED = 30, 14


def test_a_batch_is_watched_stopped_and_goes_on(app_home, address, page):
    def scored() -> int:
        with sqlite3.connect(app_home / "library.sqlite") as library:
            return library.execute("SELECT count(*) FROM scores").fetchone()[0]

    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto(f"{address}/evaluate")
    page.get_by_role("button", name=LOCALE["evaluate.sample_en"]).click()
    rows = page.locator(".questions .row")
    rows.first.wait_for()
    page.get_by_text("So far, ").first.wait_for()
    assert rows.count() < JUDGED
    rows.first.click()  # while it is made
    page.locator(".orders .after .row").first.wait_for()
    assert page.locator(".orders .after .row").first.bounding_box()["y"] < 560
    page.get_by_role("tab").first.wait_for()
    settle(page)
    assert rows.count() == JUDGED and page.locator(".questions .row.opened").count() == 1
    page.locator(".st-key-question_set_open button").first.click()
    box = page.get_by_role("textbox", name=LOCALE["questions.paste"])
    box.fill("\n".join(f"What was said about item {number}?" for number in range(QUESTIONS)))
    page.get_by_role("button", name=LOCALE["questions.preview"], exact=True).click()
    page.get_by_role("button", name=LOCALE["questions.add"], exact=True).click()
    page.get_by_text(f"Read: {QUESTIONS} questions").wait_for()
    settle(page)
    page.keyboard.press("Escape")
    before = scored()
    page.get_by_role("button", name=LOCALE["evaluate.run"], exact=True).click()
    page.get_by_text(f"So far, {JUDGED + 1} of").or_(page.get_by_text(f"So far, {JUDGED + 2} of")).wait_for()
    page.get_by_role("button", name=LOCALE["evaluate.stop"], exact=True).click()
    page.get_by_text(LOCALE["evaluate.stopped"]).wait_for()
    settle(page)
    stopped = scored()
    assert before < stopped < QUESTIONS + JUDGED
    assert rows.count() == stopped
