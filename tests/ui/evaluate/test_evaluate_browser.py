"""A batch in a real browser: stopped by its button, and finished from where it stood."""

from __future__ import annotations

import json
import re
import sqlite3

import pytest
from running_app import ROOT, settle

pytestmark = pytest.mark.slow

LOCALE = json.loads((ROOT / "pages" / "ui" / "locales" / "en.json").read_text(encoding="utf-8"))
QUESTIONS, JUDGED = 60, 14


def test_a_batch_is_stopped_and_goes_on(app_home, address, page):
    def scored() -> int:
        with sqlite3.connect(app_home / "library.sqlite") as library:
            return library.execute("SELECT count(*) FROM scores").fetchone()[0]

    page.goto(f"{address}/evaluate")
    page.get_by_role("button", name=LOCALE["evaluate.sample_en"]).click()
    page.get_by_text(f"Means over the {JUDGED}").wait_for()
    settle(page)
    page.get_by_text(re.compile(f"^Question set: {JUDGED}")).click()
    settle(page)
    box = page.get_by_role("textbox", name=LOCALE["questions.paste"])
    box.fill("\n".join(f"What was said about item {number}?" for number in range(QUESTIONS)))
    page.get_by_role("button", name=LOCALE["questions.add"], exact=True).click()
    page.get_by_text(f"Read: {QUESTIONS} questions").wait_for()
    settle(page)  # what was told moves the buttons below it: a click amid that would be lost
    page.get_by_role("slider").press("Home")  # few candidates a question: enough to be stopped amid many questions
    before = scored()
    page.get_by_role("button", name=LOCALE["evaluate.run"]).click()
    page.get_by_text(re.compile("Asking question (1[5-9]|[2-9][0-9])")).wait_for()
    page.get_by_role("button", name=LOCALE["evaluate.stop"], exact=True).click()
    page.get_by_text(LOCALE["evaluate.stopped"]).wait_for()
    stopped = scored()
    assert before < stopped < QUESTIONS
    page.get_by_role("button", name=LOCALE["evaluate.run"]).click()
    page.get_by_text(LOCALE["evaluate.stopped"]).wait_for(state="hidden")
    settle(page)
    page.get_by_text(f"Means over the {JUDGED}").wait_for()
    assert scored() == QUESTIONS + JUDGED
