"""Running heads and feet are told from text that comes again: on real PDFs, in both languages."""

from __future__ import annotations

from pathlib import Path

import edges
import pdfs
import pytest

from rag_core.datatypes import Page
from rag_core.reading import contents, dropped, extract, heads, pdf

SAMPLES = Path(__file__).parents[2] / "data" / "samples"


def lines_out(printed: edges.Printed) -> list[list[str]]:
    """Return the lines of each page that are dropped, as they are read from a PDF."""
    texts = extract.searched_texts(extract.read(pdfs.text_pdf(*printed.pages)))
    places = [lines.of(True, True) for lines in dropped.find(texts)]
    return [
        sorted(tight(text.split("\n")[place]) for place in those) for text, those in zip(texts, places, strict=True)
    ]


def tight(line: str) -> str:
    return "".join(line.split())


@pytest.mark.parametrize("kind", [edges.HEADS, edges.NO_HEADS, edges.LISTS, edges.NO_LISTS], ids=range(4))
def test_exactly_what_is_no_text_is_dropped(kind):
    got = {name: lines_out(printed) for name, printed in kind.items()}
    wanted = {name: [sorted(map(tight, lines)) for lines in printed.out] for name, printed in kind.items()}
    assert got == wanted


def test_a_sentence_does_not_run_into_a_foot_nor_a_head_into_a_sentence():
    printed = edges.HEADS["a foot below half a sentence"]
    [page, *_] = pdf.clean(["\n".join(lines) for lines in printed.pages])
    assert page.text.split("\n")[-2:] == ["Harbour Board", "1"]
    wide = edges.HEADS["a head as wide as the text"]
    pages = pdf.clean(["\n".join(lines) for lines in wide.pages])
    assert {page.text.split("\n")[0] for page in pages} == {wide.pages[0][0]}


def test_heads_may_be_read_last_where_they_were_drawn_last():
    texts = [f"第{n}段正文，各不相同的内容{'甲乙丙丁戊'[n]}。\n还有一行{n * n}。\n工作报告\n{n + 1}" for n in range(5)]
    assert [heads.without(text, those) for text, those in zip(texts, heads.dropped(texts), strict=True)] == [
        f"第{n}段正文，各不相同的内容{'甲乙丙丁戊'[n]}。\n还有一行{n * n}。" for n in range(5)
    ]


def test_a_repeated_line_within_a_page_stays():
    pages = [[f"{word}{done}" for word in edges.ZH[:7]] for done in edges.ZH_DID[:4]]
    texts = ["\n".join(["工作报告", *lines[:6], "工作报告", *lines[1:]]) for lines in pages]
    assert heads.found(texts) == [frozenset([0])] * 4


def test_pages_that_are_left_out_do_not_count():
    texts = ["Report\nThe harbour opened.", "", "Report\nThe bridge closed.", ""]
    assert heads.found(texts) == [frozenset()] * 4


@pytest.mark.parametrize("texts", [["机密\n机密"] * 4, ["Confidential", "Confidential", "Confidential"]])
def test_a_document_of_heads_alone_is_searched_as_it_is(texts):
    assert any(dropped.searched(texts, repeated=True, listed=True))


def test_a_document_of_contents_alone_is_searched_as_it_is():
    texts = ["Contents\nBridges ..... 3\nSchools ..... 7\nMarkets ..... 9"]
    assert contents.lines(texts) == [frozenset(range(4))]
    assert dropped.searched(texts, repeated=True, listed=True) == texts


def test_what_is_not_to_be_dropped_stays():
    texts = ["\n".join(lines) for lines in edges.LISTS["text below it"].pages]
    assert dropped.searched(texts, repeated=True, listed=False) == texts
    assert dropped.searched(texts, repeated=False, listed=True)[0] == "\n".join(edges.english(9))


def test_a_thousand_pages_are_looked_through_in_seconds():
    texts = ["\n".join(edges.HEADS["left and right heads"].pages[page % 16]) for page in range(1000)]
    assert len(dropped.find(texts)) == 1000


@pytest.mark.parametrize("name", ["city-report-zh", "annual-report-en"])
def test_each_page_of_a_sample_loses_its_head_and_its_number_alone(name):
    readings = extract.read((SAMPLES / f"{name}.pdf").read_bytes())
    before, after = extract.pages(readings), extract.pages(readings, True, True)
    lost = [lines_lost(*pages) for pages in zip(before, after, strict=True)]
    assert {len(lines) for lines in lost} == {2}
    assert len({heads.figureless(line) for lines in lost for line in lines}) == 2
    assert lost[0][0] in after[0].text


def lines_lost(before: Page, after: Page) -> list[str]:
    rest = after.text.split("\n")
    return [line for line in before.text.split("\n") if line not in rest or rest.remove(line)]


def test_of_a_real_report_without_heads_nothing_is_dropped(report):
    readings = extract.read(report)
    assert extract.pages(readings, True, True) == extract.pages(readings)
