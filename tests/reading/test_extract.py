"""Two extractors on real PDFs: the better text is taken, both are kept, and the reader's choice lasts."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec

import edges
import forms
import hostile
import pdfs
import pytest

from rag_core.datatypes import ChunkSettings, Readings, Settings
from rag_core.errors import DamagedPdf, FileNotKept, NoText, OcrMissing, PageNotDrawn, PasswordNeeded
from rag_core.reading import extract, ocr, sandbox

EN = ["Revenue of the utility grew by eight percent in the year,", "mostly because of new customers in the north."] * 2
LEFT = [
    "Revenue of the utility grew by eight percent in",
    "the year, mostly because of new customers in the",
    "northern districts, where three estates were built",
    "and connected before the winter came to the city.",
    "The board expects the growth to go on next year,",
    "but slower, since the estates are finished and no",
    "other large one is planned before the year 2031.",
    "Costs rose by five percent; wages were the largest",
]
RIGHT = [
    "Water quality was tested four thousand times, and",
    "every sample met the limits that the law sets for",
    "drinking water. The new laboratory opened in June",
    "and now serves two neighbouring towns as well, for",
    "a fee which covers about half of what it costs us.",
    "Leaks were reduced to nine percent of all water,",
    "the lowest figure since they were first measured.",
    "A further drop would need new pipes in the centre.",
]
HOW = ChunkSettings("sentence")


def only(data: bytes):
    [reading] = extract.read(data)
    return reading


def test_a_good_page_is_read_by_pdfium_alone(monkeypatch):
    monkeypatch.setattr(extract.pdf, "extract_some", lambda *_: pytest.fail("pypdf reads it"))
    reading = only(pdfs.text_pdf(["全市收入增长8.2%，突破6000亿元。"]))
    assert (list(reading.extracts), reading.chosen.quality.verdict) == (["pdfium"], "good")
    assert reading.chosen.text == "全市收入增长8.2%，突破6000亿元。"


def test_pypdf_reads_what_is_not_sure_and_its_text_is_kept_beside_the_other():
    data = pdfs.joined(pdfs.text_pdf(EN), pdfs.columns_pdf(LEFT, RIGHT), pdfs.text_pdf(EN))
    assert [list(reading.extracts) for reading in extract.read(data)] == [["pdfium"], ["pypdf", "pdfium"], ["pdfium"]]


def indented(*lines: tuple[float, str]) -> bytes:
    def draw(canvas) -> None:
        for number, (left, line) in enumerate(lines):
            canvas.drawString(left, 700 - 16 * number, line)

    return forms.drawn(draw)


def test_a_line_in_from_the_edge_behind_a_sentence_begins_a_paragraph():
    first = "The tram opened on Monday and carried nine thousand people on its first day."
    second = "Costs rose by five percent in the year, because wages were higher than they had"
    reading = only(indented((60, first), (84, second), (60, "been before.")))
    assert list(reading.extracts) == ["pdfium"]
    assert reading.chosen.text.split("\n") == [first, f"{second} been before."]


def test_a_word_that_is_left_broken_is_not_sure():
    lines = "The mail was carried on skis by two brothers who lived in the hut under long-", "term staff agreements."
    assert list(only(pdfs.text_pdf(lines)).extracts) == ["pdfium"]
    assert list(only(pdfs.text_pdf(["Wages were long-", "term."])).extracts) == ["pypdf", "pdfium"]


def test_a_page_with_signs_that_print_nothing_is_not_sure_and_ends_nothing():
    assert only(hostile.mapped("0000", "0041")).chosen.text.endswith("Revenue grew.")
    assert list(only(hostile.mapped("0041", "2068")).extracts) == ["pypdf", "pdfium"]


def test_a_file_that_describes_more_pages_than_it_counts_is_counted_by_pypdf():
    data = pdfs.text_pdf(["The tram opened."], ["Revenue grew."], ["Up."])
    fewer = data.replace(b"/Count 3", b"/Count 1")
    assert fewer != data
    assert [reading.chosen.text for reading in extract.read(fewer)] == ["The tram opened.", "Revenue grew.", "Up."]


@pytest.mark.parametrize("first", [0x6000, 0xE000])
def test_a_font_with_a_wrong_map_is_unreadable(first):
    reading = only(pdfs.garbled_pdf(*EN, *EN, first=first))
    assert reading.chosen.quality.verdict == "unreadable"
    assert "Revenue" not in reading.chosen.text


def test_columns_that_were_read_across_are_read_one_after_the_other():
    reading = only(pdfs.columns_pdf(LEFT, RIGHT))
    assert reading.extractor == "pdfium"
    assert reading.extracts["pypdf"].quality.reasons == ("columns",)
    assert "next year, but slower, since" in reading.chosen.text
    assert "eight percent in Water" not in reading.chosen.text


def test_vertical_text_is_doubted():
    reading = only(pdfs.vertical_pdf("全市一般公共预算收入增长百分之八", "城镇调查失业率为百分之四点一"))
    assert "vertical" in reading.chosen.quality.reasons
    assert "公共预算收入" in reading.chosen.text


@pytest.mark.parametrize("data", [pdfs.image_pdf(), pdfs.outlined_pdf()])
def test_a_picture_is_unreadable(data):
    assert only(data).chosen.quality.reasons == ("image_only",)


FIGURES = ["411 548 685 822 959", "1,233 1,644 2,055 2,466", "−3.5 % 12.0 % 8.2 %"]


def test_a_page_of_figures_is_text(lab):
    document = lab.add(pdfs.text_pdf(FIGURES), "figures.pdf")
    assert lab.documents.readings(document.id).pages[0].chosen.quality.verdict == "good"
    assert "1,644" in " ".join(piece.text for piece in lab.cut(document.id, HOW))


def test_what_pypdf_takes_for_damaged_may_still_be_read(monkeypatch):
    def broken(*_args: object) -> extract.pdf.Written:
        raise extract.pdf.damaged("as if")

    monkeypatch.setattr(extract.pdf, "extract_some", broken)
    [reading] = extract.read(pdfs.columns_pdf(LEFT, RIGHT))
    assert (list(reading.extracts), reading.chosen.text.split(" in")[0]) == (["pdfium"], LEFT[0].split(" in")[0])
    with pytest.raises(DamagedPdf):
        extract.read(pdfs.blank_pdf(1))


def test_a_page_of_its_own_is_drawn_and_the_words_are_marked():
    data = pdfs.text_pdf(["全市收入增长8.2%，", "突破6000亿元。"], ["The tram opened."])
    plain, none = sandbox.draw_page(data, 1)
    marked, found = sandbox.draw_page(data, 1, "收入增长8.2%，突破")
    assert (none, found) == (False, True)
    changed = difference(plain, marked)
    left, top, right, bottom = changed
    # The words stand in two lines near the top of an A4 page that is drawn 1200 pixels wide.
    assert 100 < left < right < 400
    assert 80 < top < bottom < 180
    assert sandbox.draw_page(data, 2, "not on this page")[1] is False


def test_a_part_of_the_words_is_marked_more_strongly():
    data = pdfs.text_pdf(["The tram opened.", "The tram opened. It is long.", "The tram opened."])
    words = "opened. It is long. The tram opened."
    start = words.index("The tram")
    whole, (part, found) = sandbox.draw_page(data, 1, words)[0], sandbox.draw_page(data, 1, words, (start, len(words)))
    alone = sandbox.draw_page(data, 1, words, (0, len("opened.")))[0]
    assert found
    # Words that stand on the page three times are marked where they are part of the others: in the third line.
    plain = sandbox.draw_page(data, 1)[0]
    assert difference(plain, part) == difference(plain, whole) == difference(plain, alone)
    assert strongest(plain, part)[1] > strongest(plain, alone)[1]
    assert strongest(plain, alone)[0] > strongest(plain, part)[0]


def strongest(plain: bytes, marked: bytes) -> tuple[int, int]:
    """Return left and top of what has the stronger colour."""
    import io

    from PIL import Image, ImageChops

    blue = ImageChops.difference(*(Image.open(io.BytesIO(png)) for png in (plain, marked))).split()[2]
    return blue.point(lambda value: 255 * (value > 60)).getbbox()[:2]


def difference(one: bytes, other: bytes) -> tuple[int, int, int, int]:
    import io

    from PIL import Image, ImageChops

    pictures = [Image.open(io.BytesIO(png)) for png in (one, other)]
    assert {picture.width for picture in pictures} == {1200}
    return ImageChops.difference(*pictures).getbbox()


def test_a_page_of_a_kilometre_is_drawn_small():
    png, _ = sandbox.draw_page(hostile.page(hostile.shown(b"Revenue"), b"[0 0 14400 14400]"), 1)
    assert len(png) < 200_000
    with pytest.raises(PageNotDrawn):
        sandbox.draw_page(pdfs.text_pdf(["x"]), 2)


def test_the_file_is_kept_with_the_document_and_goes_with_it(lab):
    data = pdfs.text_pdf(["全市收入增长8.2%。"])
    document = lab.add(data, "a.pdf")
    assert lab.documents.file(document.id) == data
    assert lab.pages.picture(document.id, 1, "收入增长")[1]
    lab.delete(document.id)
    assert lab.documents.file(document.id) is None
    assert lab.documents.readings(document.id) == Readings()
    with pytest.raises(FileNotKept):
        lab.pages.picture(document.id, 1)


def test_a_file_with_a_password_is_read_and_not_drawn(lab):
    data = pdfs.encrypted_pdf(pdfs.columns_pdf(LEFT, RIGHT), "secret")
    with pytest.raises(PasswordNeeded):
        lab.add(data, "a.pdf")
    document = lab.add(data, "a.pdf", "secret")
    assert set(lab.documents.readings(document.id).pages[0].extracts) == {"pypdf", "pdfium"}
    with pytest.raises(PageNotDrawn):
        lab.pages.picture(document.id, 1)


def test_a_page_that_took_too_long_is_not_drawn(lab, monkeypatch):
    data = pdfs.text_pdf(["全市收入增长8.2%。"], ["The tram opened."])
    first, second = extract.read(data, slow=[2])
    monkeypatch.setattr(sandbox, "read_pages", lambda *_: [first, second])
    document = lab.add(data, "slow.pdf")
    assert lab.pages.picture(document.id, 1)[0].startswith(b"\x89PNG")
    monkeypatch.setattr(sandbox, "draw_page", lambda *_: pytest.fail("it is drawn"))
    with pytest.raises(PageNotDrawn):
        lab.pages.picture(document.id, 2)


def test_a_page_that_is_left_out_is_not_searched_and_the_others_keep_their_numbers(lab, embedder):
    document = lab.add(pdfs.text_pdf(["全市收入增长8.2%。"], ["公园二十处。"]), "a.pdf")
    before = lab.cut(document.id, HOW)
    lab.open(document.id, Settings(chunks=HOW), embedder)
    readings = lab.documents.readings(document.id)
    pages = (replace(readings.pages[0], left_out=True), readings.pages[1])
    lab.pages.choose(document.id, Readings(pages))
    assert [(piece.page, piece.text) for piece in lab.cut(document.id, HOW)] == [(2, "公园二十处。")]
    assert lab.embeddings.load(document.id, HOW.key, embedder.id) is None
    opened = lab.open(document.id, Settings(chunks=HOW), embedder)
    assert [hit.chunk.page for hit in opened.candidates("x", 5).hits] == [2]
    lab.pages.choose(document.id, readings)
    assert lab.cut(document.id, HOW) == before


def test_choices_stay_when_the_same_file_is_added_again(lab):
    data = pdfs.joined(pdfs.columns_pdf(LEFT, RIGHT), pdfs.headed_pdf(4))
    document = lab.add(data, "a.pdf")
    readings = lab.documents.readings(document.id)
    first, second, *rest = readings.pages
    assert first.extractor == "pdfium"
    pages = (replace(first, extractor="pypdf"), replace(second, left_out=True), *rest)
    chosen = Readings(pages, drop_repeated=False, drop_contents=False)
    lab.pages.choose(document.id, chosen)
    again = lab.add(data, "a.pdf")
    assert lab.documents.readings(again.id) == chosen
    assert again.pages[1].text == ""


def test_headers_and_footers_are_dropped_and_come_back_on_demand(lab):
    document = lab.add(pdfs.headed_pdf(4), "a.pdf")
    assert [page.text for page in document.pages[:2]] == [
        "市政府工作报告\n修路已经办完，居民普遍满意。",
        "建桥已经办完，居民普遍满意。",
    ]
    readings = lab.documents.readings(document.id)
    lab.pages.choose(document.id, replace(readings, drop_repeated=False))
    assert lab.documents.load(document.id).pages[1].text == "市政府工作报告\n建桥已经办完，居民普遍满意。\n第2页"


def test_contents_are_no_candidates_until_a_reader_wants_them(lab, embedder):
    listed = edges.LISTS["text below it"]
    document = lab.add(pdfs.text_pdf(*listed.pages), "a.pdf")
    opened = lab.open(document.id, Settings(chunks=HOW), embedder)
    assert opened.candidates("What comes next", 50).hits
    assert not [chunk for chunk in opened.chunks if "...." in chunk.text]
    readings = lab.documents.readings(document.id)
    assert extract.contents_pages(readings) == [1]
    lab.pages.choose(document.id, replace(readings, drop_contents=False))
    assert extract.contents_pages(lab.documents.readings(document.id)) == []
    opened = lab.open(document.id, Settings(chunks=HOW), embedder)
    assert [chunk.page for chunk in opened.chunks if "...." in chunk.text] == [1] * 5


def test_pictures_are_taken_in_and_cannot_be_cut_until_they_are_recognised(lab):
    document = lab.add(pdfs.image_pdf(2), "scan.pdf")
    with pytest.raises(NoText):
        lab.cut(document.id, HOW)


@pytest.mark.parametrize("data", [pdfs.blank_pdf(2), pdfs.text_pdf(["1"], ["- 2 -"])])
def test_a_file_of_nothing_is_refused(lab, data):
    with pytest.raises(NoText):
        lab.add(data, "nothing.pdf")
    assert lab.documents.titles() == {}


@pytest.mark.skipif(find_spec("rapidocr") is not None, reason="text recognition is installed here")
def test_recognition_that_is_not_installed_says_how(lab):
    document = lab.add(pdfs.image_pdf(), "scan.pdf")
    with pytest.raises(OcrMissing, match="requirements-ocr"):
        lab.pages.recognise(document.id, [1])


@pytest.mark.skipif(not ocr.is_installed(), reason="text recognition is not installed here")
def test_a_scan_is_read_from_its_picture(lab):
    document = lab.add(pdfs.scanned_pdf("全市收入增长8.2%，突破6000亿元。"), "scan.pdf")
    counts = []
    lab.pages.recognise(document.id, [1], lambda *count: counts.append(count))
    assert lab.cut(document.id, HOW)[0].text.startswith("全市收入增长8.2%")
    assert (counts, lab.documents.readings(document.id).pages[0].extractor) == ([(1, 1)], "ocr")


def test_a_page_of_question_marks_is_shown_and_not_refused():
    readings = extract.read(pdfs.text_pdf(["??? ????? ??????? ???? ???????? ??????? ?? ??? ?????? ?? ????? ??????."]))
    assert extract.with_something(readings)[0].chosen.quality.verdict == "unreadable"
