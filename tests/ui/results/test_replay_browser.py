"""A result goes from one person to another and back, in real browsers over two servers that share nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import running_app
from running_app import order_rows, settle
from running_app import running_app as serve

from rag_core.sharing import replay_file

pytestmark = pytest.mark.slow

LOCALE = json.loads((running_app.ROOT / "pages" / "ui" / "locales" / "en.json").read_text(encoding="utf-8"))
NAME = "Bo Li"


def save(page, file: Path, button: str = "result.save") -> Path:
    with page.expect_download() as found:
        page.get_by_role("button", name=LOCALE[button]).click()
    found.value.save_as(file)
    return file


def open_file(page, address: str, file: Path) -> None:
    page.goto(f"{address}/replay")
    page.get_by_test_id("stFileUploader").locator("input[type=file]").set_input_files(file)
    page.get_by_text("Saved result of").wait_for()
    page.get_by_text("Both tables rank").wait_for()
    settle(page)


def test_a_result_goes_out_is_judged_and_comes_home(tmp_path, address, person):
    page = person().new_page()
    page.goto(address)
    page.get_by_role("button", name=LOCALE["home.change"]).click()
    page.get_by_text("Both tables rank").wait_for()
    settle(page)
    sent = save(page, tmp_path / "sent.json")
    report = save(page, tmp_path / "report.html", "result.html").read_text(encoding="utf-8")
    assert LOCALE["report.method"] in report and report.startswith("<!doctype html>")
    back = judged_elsewhere(tmp_path, sent, person().new_page())
    page = person().new_page()
    open_file(page, address, back)
    page.locator(".st-key-news_open button").first.click()
    page.get_by_role("button", name=LOCALE["replay.take"]).click()
    page.get_by_text("and so are all judgments of the file").wait_for()
    before, after = replay_file.read(sent.read_bytes()), replay_file.read(back.read_bytes())
    assert after.comparison == before.comparison
    assert [one.judge for one in after.judgments] == [*(one.judge for one in before.judgments), NAME]


def judged_elsewhere(tmp_path: Path, sent: Path, page) -> Path:
    """Open the file where there is no document, look at every chart, judge a chunk, and save it again."""
    with serve(tmp_path / "second") as address:
        open_file(page, address, sent)
        drawn = page.get_by_test_id("stVegaLiteChart").locator("canvas, svg.marks")
        drawn.first.wait_for()
        scores = 2  # those of both sides are always drawn
        for tab, charts in (("result.slope", 1), ("result.times", 1)):
            page.get_by_role("tab", name=LOCALE[tab]).click()
            settle(page)
            drawn.nth(scores + charts - 1).wait_for()
        assert page.get_by_test_id("stException").count() == 0
        first_row(page)
        page.get_by_label(LOCALE["replay.name"], exact=True).fill(NAME)
        page.keyboard.press("Enter")
        page.get_by_role("button", name=LOCALE["judge.grade_1"]).click()
        page.get_by_text("Judgments added here: 1").wait_for()
        settle(page)
        return save(page, tmp_path / "back.json")


def first_row(page) -> None:
    """Pick the first row of the new order."""
    order_rows(page, 1).first.click()
    page.get_by_label(LOCALE["replay.name"], exact=True).wait_for()
    settle(page)


def test_a_file_dropped_anywhere_opens_and_the_two_rankings_are_in_view(address, person):
    page = person(width=1280, height=800).new_page()
    page.goto(f"{address}/replay")
    settle(page)
    data = (running_app.ROOT / "data" / "samples" / "annual-report-en.1.json").read_text(encoding="utf-8")
    page.evaluate(DROP, data)
    page.locator(".orders .after .row").first.wait_for()
    settle(page)
    assert page.locator(".orders .after .row").nth(4).bounding_box()["y"] < 800 - 47
    assert page.get_by_text("Saved result of").count() == 1


DROP = """data => {
    const files = new DataTransfer();
    files.items.add(new File([data], "result.json", { type: "application/json" }));
    const at = document.querySelector("[data-testid=stMain]");
    for (const kind of ["dragover", "drop"]) {
        at.dispatchEvent(new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer: files }));
    }
}"""
