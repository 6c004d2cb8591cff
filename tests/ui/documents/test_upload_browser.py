"""Choosing files in a real browser: read at once, told truly, one press away from a comparison."""

from __future__ import annotations

import json

import pytest
from pdfs import encrypted_pdf, image_pdf
from running_app import ROOT, settle
from screens import OTHER, SMALL

pytestmark = pytest.mark.slow

LANGUAGES = ("en", "zh")
SAID = {
    language: json.loads((ROOT / "pages" / "ui" / "locales" / f"{language}.json").read_text(encoding="utf-8"))
    for language in LANGUAGES
}
FILES = {"small.pdf": SMALL, "other.pdf": OTHER, "bad.pdf": b"<html>", "scan.pdf": image_pdf(8)}
DRAG = """zone => {
    const dragged = new DataTransfer();
    dragged.items.add(new File(["x"], "x.pdf", {type: "application/pdf"}));
    for (const kind of ["dragenter", "dragover"])
        zone.dispatchEvent(new DragEvent(kind, {bubbles: true, cancelable: true, dataTransfer: dragged}));
}"""
WORDS = """zone => {
    const shown = [...zone.querySelectorAll("p, span")].filter(one => one.checkVisibility());
    const own = shown.filter(one => parseFloat(getComputedStyle(one).fontSize) > 0
        && getComputedStyle(one).visibility === "visible" && !one.dataset.testid);
    const put = shown.map(one => getComputedStyle(one, "::after").content).filter(text => text.startsWith('"'));
    const texts = own.flatMap(one => [...one.childNodes].filter(node => node.nodeType === 3).map(node => node.data));
    return [...texts, ...put.map(text => text.slice(1, -1))].filter(text => text.trim());
}"""


def choose(page, *names: str) -> None:
    files = [{"name": name, "mimeType": "application/pdf", "buffer": FILES[name]} for name in names]
    page.locator("[data-testid=stFileUploader] input[type=file]").set_input_files(files)
    page.get_by_test_id("stFileChipName").get_by_text(names[-1]).wait_for()
    settle(page)


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_upload_field_speaks_the_language_of_the_page(address, page, language):
    page.goto(f"{address}/documents?lang={language}")
    settle(page)
    zone = page.get_by_test_id("stFileUploaderDropzone")
    assert zone.evaluate(WORDS) == [SAID[language]["upload.choose"]]
    zone.evaluate(DRAG)
    page.wait_for_function("() => document.querySelector('[data-testid=stFileUploaderDropzone] > input + div > span')")
    assert SAID[language]["upload.drop"] in zone.evaluate(WORDS)
    assert not [text for text in zone.evaluate(WORDS) if "Drag" in text]


@pytest.mark.parametrize(("language", "width", "height"), [("en", 1280, 800), ("zh", 1280, 800), ("zh", 390, 1200)])
def test_from_a_file_to_its_comparison_in_two_presses(served, tmp_path, page, language, width, height):
    said, address = SAID[language], served.open(tmp_path / "empty")
    page.set_viewport_size({"width": width, "height": height})
    page.goto(f"{address}/documents?lang={language}")
    settle(page)
    choose(page, "small.pdf")
    truth = page.get_by_text(said["read.all_good"].format(count=2))
    ask = page.get_by_role("button", name=said["documents.ask"])
    question = page.get_by_role("button", name="How many nurses were hired by the hospital?")
    for shown in (truth, ask, question):
        box = shown.bounding_box()
        assert box["y"] >= 0 and box["y"] + box["height"] <= height, "in view without scrolling"
    question.click()
    page.get_by_text(said["result.link"][:20]).wait_for()
    settle(page)
    assert "q=How+many+nurses" in page.url


def test_what_went_wrong_stays_under_its_name_in_either_language(served, tmp_path, page, monkeypatch):
    monkeypatch.setitem(FILES, "secret.pdf", encrypted_pdf(SMALL, "open sesame"))
    page.goto(f"{served.open(tmp_path / 'empty')}/documents?lang=en")
    settle(page)
    choose(page, "scan.pdf", "bad.pdf", "secret.pdf")
    assert page.get_by_text(SAID["en"]["error.not_a_pdf"]).is_visible()
    assert page.get_by_text(SAID["en"]["read.all_scan"].format(count=8)).is_visible()
    page.get_by_role("radio", name="中文").or_(page.get_by_role("button", name="中文")).click()
    page.get_by_text(SAID["zh"]["error.not_a_pdf"]).wait_for()
    settle(page)
    assert page.get_by_test_id("stFileChipName").all_inner_texts() == ["scan.pdf", "bad.pdf", "secret.pdf"]
    page.locator("input[type=password]").fill("open sesame")
    page.keyboard.press("Enter")
    page.get_by_text(SAID["zh"]["read.all_good"].format(count=2)).wait_for()
    settle(page)
    assert page.locator("input[type=password]").count() == 0
    assert page.get_by_text(SAID["zh"]["error.not_a_pdf"]).is_visible()
