"""A batch in a real browser: its first rows are seen and opened while it is made, it is stopped, and it is finished."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from running_app import ROOT, settle

pytestmark = pytest.mark.slow

LOCALE = json.loads((ROOT / "pages" / "ui" / "locales" / "en.json").read_text(encoding="utf-8"))
QUESTIONS, JUDGED = 30, 14
RANKED = {
    "en": ("Who assessed the Board?", "The Board met eleven times, and attendance was 97%."),
    "zh": ("停电多久才恢复？", "灾后42小时内恢复了全部村庄的供电，72小时内抢通了全部道路。"),
}
"""A question of each sample, and words that stand in it."""


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


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_file_is_previewed_and_then_added(app_home, address, person, language):
    def asked() -> list[str]:
        with sqlite3.connect(app_home / "library.sqlite") as library:
            return [text for (text,) in library.execute("SELECT text FROM questions")]

    before, texts = asked(), json.loads((ROOT / "pages" / "ui" / "locales" / f"{language}.json").read_text("utf-8"))
    page = person(language={"en": "en-GB", "zh": "zh-CN"}[language], width=390).new_page()
    page.goto(f"{address}/evaluate")
    page.locator(".st-key-question_set_open button").first.click()
    rows = "問題；頁碼；引文\n公司今年的營業收入是多少？；３；營業收入為六千萬元\n誰出席了會議？\n"
    file = {"name": "q.csv", "mimeType": "text/csv", "buffer": rows.encode("big5")}

    def preview() -> None:
        page.locator("[data-testid=stFileUploaderDropzoneInput]").last.set_input_files(file)
        page.get_by_text("q.csv").first.wait_for()
        settle(page)
        page.get_by_role("button", name=texts["questions.preview"], exact=True).click()
        page.get_by_text(texts["questions.understood"].format(questions=2, judgments=1)).wait_for()
        settle(page)

    preview()
    page.get_by_text(texts["questions.encoding"].format(name="Big5")).wait_for()
    assert page.get_by_role("button", name=texts["questions.add"], exact=True).bounding_box()["y"] < 800
    page.get_by_role("button", name=texts["questions.cancel"], exact=True).click()
    page.get_by_role("button", name=texts["questions.preview"], exact=True).wait_for()
    settle(page)
    assert asked() == before
    preview()
    page.get_by_role("button", name=texts["questions.add"], exact=True).click()
    page.get_by_text(texts["questions.added"].format(questions=2, judgments=1, repeated=0)).wait_for()
    assert asked() == [*before, "公司今年的營業收入是多少？", "誰出席了會議？"]


@pytest.mark.parametrize(("language", "width"), [("en", 1280), ("zh", 390)])
def test_another_systems_ranking_is_previewed_added_and_stands_in_the_measures(address, person, language, width):
    texts = json.loads((ROOT / "pages" / "ui" / "locales" / f"{language}.json").read_text("utf-8"))
    page = person(language={"en": "en-GB", "zh": "zh-CN"}[language], width=width).new_page()
    page.goto(f"{address}/evaluate")
    page.get_by_role("button", name=texts[f"evaluate.sample_{language}"]).click()
    page.get_by_role("tab").first.wait_for()
    settle(page)
    question, words = RANKED[language]
    rows = f'question,text,rank\n{question},"{words}",1\n{question},Nobody wrote this sentence.,2\n'
    file = {"name": "acme.csv", "mimeType": "text/csv", "buffer": rows.encode("utf-16")}
    page.locator(".st-key-question_set_open button").first.click()
    page.locator("[data-testid=stFileUploaderDropzoneInput]").last.set_input_files(file)
    page.get_by_text("acme.csv").first.wait_for()
    settle(page)
    page.get_by_role("button", name=texts["questions.preview"], exact=True).click()
    page.get_by_text(texts["runs.understood"].format(matched=1, lines=2, questions=1)).wait_for()
    settle(page)
    page.get_by_text(texts["runs.unmatched"].format(count=1)).click()
    with page.expect_download() as fetched:
        page.get_by_role("button", name=texts["runs.unmatched_file"]).click()
    assert "Nobody wrote this sentence." in Path(fetched.value.path()).read_text("utf-8-sig")
    name = page.get_by_role("textbox", name=texts["runs.name"])
    assert name.input_value() == "acme"
    name.fill("A & <b>")
    page.get_by_role("button", name=texts["questions.add"], exact=True).click()
    page.get_by_text("A & <b>").first.wait_for()
    settle(page)
    page.keyboard.press("Escape")
    shown = texts["runs.named"].format(name="A & <b>")
    page.get_by_text(texts["runs.partial"].format(name=shown, count=1, total=JUDGED)).wait_for()
