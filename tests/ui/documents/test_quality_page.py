"""The gate on the documents page: quiet on a good document, plain about a bad one, and what is chosen is searched."""

from __future__ import annotations

from dataclasses import replace

import hostile
import pdfs
import pytest
from running_app import settle
from screens import open_page, says, text_of, titles, upload
from streamlit.testing.v1 import AppTest

from pages.ui.shell import cached
from rag_core.datatypes import ChunkSettings, Document, Page, Readings
from rag_core.reading.quality import doubt

EN = ["Revenue of the utility grew by eight percent in the year,", "mostly because of new customers in the north."] * 6
GARBLED = pdfs.garbled_pdf(*EN)
HOW = ChunkSettings("sentence")


def table(at: AppTest, key: str):
    return next(frame for frame in at.dataframe if frame.key.partition(":")[0] == key).value


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_good_document_is_told_in_one_line(language):
    at = upload(open_page("documents", language), ("small.pdf", pdfs.text_pdf(["全市收入增长8.2%。"])))
    assert [message.value for message in at.success] == [text_of(at, "read.one_good")]
    assert at.expander[0].proto.expanded is False
    assert list(table(at, "gate_pages").iloc[:, 7 + 1]) == ["PDFium"]
    assert not says(at, "gate.warn")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_garbled_document_is_shown_beside_its_picture_and_warned_of(language):
    at = upload(open_page("documents", language), ("bad.pdf", GARBLED))
    assert at.expander[0].proto.expanded is True
    assert says(at, "gate.warn")
    assert "✗" in table(at, "gate_pages").iloc[0, 1]
    assert len(at.get("image")) == 1


def test_both_readings_of_a_page_that_is_not_good_stand_beside_its_picture():
    at = upload(open_page("documents"), ("columns.pdf", pdfs.columns_pdf(["Columns"] * 3, ["of words"] * 3)))
    readings = cached.readings(at.session_state["doc_id"])
    page = readings.pages[0]
    bad = {name: replace(extract, quality=doubt(extract.quality, "spaced")) for name, extract in page.extracts.items()}
    bad["pdfium"] = replace(bad["pdfium"], text="Read otherwise.")
    cached.lab().pages.choose(at.session_state["doc_id"], Readings((replace(page, extracts=bad),)))
    cached.forget(at.session_state["doc_id"])
    at.run()
    shown = [text.value for text in at.text]
    assert {bad["pypdf"].text, "Read otherwise."} <= set(shown)
    for extractor in ("pypdf", "PDFium"):
        heading = text_of(at, "gate.text", extractor=extractor, verdict=text_of(at, "verdict.doubtful"))
        assert f"**{heading}**" in [element.value for element in at.markdown]
    assert len(at.get("image")) == 1


def test_of_a_good_page_one_reading_is_shown():
    at = upload(open_page("documents", gate_page=1), ("small.pdf", pdfs.text_pdf(["全市收入增长8.2%。"])))
    headings = [element.value for element in at.markdown if "read: " in element.value]
    assert headings == ["**" + text_of(at, "gate.text", extractor="PDFium", verdict="good") + "**"]


def test_a_scan_cannot_be_indexed_and_says_what_it_needs():
    at = upload(open_page("documents"), ("scan.pdf", pdfs.image_pdf()))
    assert titles(at) == ["scan.pdf"]
    assert says(at, "gate.nothing")
    assert at.button(key="build").disabled
    assert not at.exception


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_scan_is_no_success(language):
    at = upload(open_page("documents", language), ("scan.pdf", pdfs.image_pdf(8)))
    assert not at.success
    assert at.warning[0].value == text_of(at, "read.all_scan", count=8)
    assert list(table(at, "gate_pages").iloc[:, -1]) == ["–"] * 8
    assert "ask" not in [button.key for button in at.button]


PARTLY = pdfs.joined(pdfs.text_pdf(["全市收入增长8.2%。"]), GARBLED, pdfs.image_pdf(), pdfs.text_pdf([]))


@pytest.mark.parametrize(
    ("language", "line"),
    [("en", "4 pages, 1 readable, 2 unreadable, 1 blank"), ("zh", "共 4 页，1 页可读，2 页不可读，1 页空白")],
)
def test_what_is_not_readable_is_counted_first_of_all(language, line):
    at = upload(open_page("documents", language), ("half.pdf", PARTLY))
    assert not at.success
    assert at.warning[0].value == line
    assert list(table(at, "gate_pages").iloc[:, -1]) == ["✓", "✓", "–", "–"]
    at.button(key="leave_all").click().run()
    assert at.success[0].value == text_of(at, "read.and").join(
        text_of(at, f"read.{kind}", count=count)
        for kind, count in (("pages", 4), ("good", 1), ("blank", 1), ("left_out", 2))
    )


def test_a_document_that_is_left_out_is_no_success():
    at = upload(open_page("documents"), ("small.pdf", pdfs.text_pdf(["The river is wide."])))
    cached.lab().pages.choose(
        at.session_state["doc_id"],
        Readings(tuple(replace(page, left_out=True) for page in cached.readings(at.session_state["doc_id"]).pages)),
    )
    cached.forget(at.session_state["doc_id"])
    at.run()
    assert not at.success
    assert at.warning[0].value == text_of(at, "read.one_left_out")


def test_a_garbled_document_is_neither_a_scan_nor_a_success():
    at = upload(open_page("documents"), ("bad.pdf", pdfs.joined(GARBLED, GARBLED)))
    assert not at.success
    assert at.warning[0].value == text_of(at, "read.all_unreadable", count=2)


def test_of_a_document_from_before_pages_were_judged_nothing_is_claimed():
    old = Document("0123456789abcdef", "old.pdf", "en", (Page(1, "The hospital hired ninety nurses."),))
    cached.lab().documents.save(old)
    at = open_page("documents")
    assert says(at, "gate.unknown")
    assert not at.success and not at.warning
    assert at.button(key="proposed_0")


def test_a_page_that_is_left_out_is_no_longer_warned_of():
    data = pdfs.joined(pdfs.text_pdf(["全市收入增长8.2%。"]), GARBLED)
    at = upload(open_page("documents"), ("half.pdf", data))
    at.button(key="leave_all").click().run()
    assert not says(at, "gate.warn")
    assert list(table(at, "gate_pages").iloc[:, -1]) == ["✓", "–"]
    assert set(table(at, "chunks").iloc[:, 0]) == {"1"}
    at.button(key="leave_out").click().run()
    assert list(table(at, "gate_pages").iloc[:, -1]) == ["✓", "✓"]


def test_chunks_that_a_model_does_not_read_to_the_end_are_counted():
    at = upload(open_page("documents"), ("long.pdf", pdfs.text_pdf(*[["长" * 40] * 40] * 3)))
    at.selectbox(key="preset").set_value("window").run()
    at.number_input(key="size").set_value(1500).run()
    assert says(at, "chunks.cut") and says(at, "chunks.parts")


def test_chunks_that_are_read_whole_are_not_counted_as_long():
    at = upload(open_page("documents"), ("short.pdf", pdfs.text_pdf(["全市收入增长8.2%。"])))
    assert not says(at, "chunks.cut") and not says(at, "chunks.parts")


@pytest.mark.parametrize("name", hostile.HOSTILE_NAMES, ids=range(len(hostile.HOSTILE_NAMES)))
def test_a_hostile_name_is_only_a_name(lab, name):
    document = lab.add(pdfs.text_pdf(["全市收入增长8.2%。"]), name)
    assert lab.documents.titles() == {document.id: document.title}
    assert document.title.isprintable()
    assert 0 < len(document.title) <= 200
    assert lab.cut(document.id, HOW)


@pytest.mark.slow
def test_a_click_on_a_row_opens_the_page(address, page):
    page.goto(f"{address}/documents")
    page.get_by_role("button", name="Use the Chinese sample").click()
    page.get_by_text("Click a row to see the chunk").wait_for()
    settle(page)
    grid = page.get_by_test_id("stDataFrame").last
    grid.scroll_into_view_if_needed()
    box = grid.bounding_box()
    page.mouse.click(box["x"] + 200, box["y"] + 90)
    page.get_by_text("the chunk is marked").wait_for()
    settle(page)  # the words may stand there before the picture does
    assert page.get_by_test_id("stImage").count() == 1
