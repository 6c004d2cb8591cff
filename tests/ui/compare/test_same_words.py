"""Words that stand on several pages: one row on every screen, with all its pages."""

from __future__ import annotations

import pytest
from pdfs import text_pdf
from screens import asked, open_page, orders, press, run, said, says, says_anywhere, text_of
from streamlit.testing.v1 import AppTest

from pages.ui.shell import cached
from rag_core.datatypes import Judgment, Span

QUESTION = "How much did tax revenue grow?"
ANSWER = "Tax revenue grew by eight percent."
REPEATED = text_pdf(
    [ANSWER, "Twenty parks were built.", "The tram line opened in May."],
    ["Household income rose.", "A second bridge is planned.", "The museum counted its visitors."],
    ["Farmers brought in a good harvest.", ANSWER],
)
CUT = {"question": QUESTION, "preset": "sentence", "size": 600, "overlap": 120}
LANGUAGES = pytest.mark.parametrize(("language", "pages"), [("en", "1, 3"), ("zh", "1、3")])


@pytest.fixture
def repeated() -> str:
    return cached.lab().add(REPEATED, "repeated.pdf").id


def compared(doc_id: str, language: str) -> AppTest:
    return asked(language, doc_id=doc_id, **CUT)


def rows_of(at: AppTest, pages: str) -> int:
    """Return in how many rows of the tables on a page all pages are named."""
    column = text_of(at, "table.page")
    return sum(list(table.value[column]).count(pages) for table in at.dataframe if column in table.value)


@LANGUAGES
def test_compare_shows_one_row_with_all_pages_and_says_why(repeated, language, pages):
    at = compared(repeated, language)
    shown = orders(at)
    [chunk_id] = [name for name, chunk in shown["chunks"].items() if pages in chunk["place"]]
    assert [[row["id"] for row in side["rows"]].count(chunk_id) for side in shown["sides"]] == [1, 1]
    assert len(shown["chunks"]) == 7
    assert says(at, "result.twins")
    at.session_state["picked"] = chunk_id
    assert says_anywhere(run(at), pages)


def test_a_page_that_repeats_nothing_says_nothing_of_it(library):
    assert not says(asked(doc_id=next(iter(cached.lab().documents.titles())), **CUT), "result.twins")


@LANGUAGES
def test_a_judgment_of_a_later_page_is_a_grade_of_the_row(repeated, language, pages):
    cached.lab().judge(repeated, [Judgment(QUESTION, Span(3, 0, ANSWER), 2)])
    grades = {chunk["place"]: chunk["grade"] for chunk in orders(compared(repeated, language))["chunks"].values()}
    assert [place for place, grade in grades.items() if grade == "★★"] == [
        {"en": f"p. {pages}", "zh": f"第 {pages} 页"}[language]
    ]


@LANGUAGES
def test_answer_and_explain_name_all_pages(repeated, language, pages):
    comparison = compared(repeated, language).session_state["comparison"]
    at = press(open_page("answer", language, comparison=comparison, doc_id=repeated), "answer.ask")
    assert rows_of(at, pages) == 2, "a source of either answer"
    [chunk_id] = [chunk.id for chunk in comparison.before.chunks if chunk.twins]
    at = open_page("explain", language, comparison=comparison, doc_id=repeated, picked=chunk_id)
    assert says_anywhere(at, pages) and not at.error
    assert any(pages in label for label in at.selectbox(key="picked").options)


@LANGUAGES
def test_the_workshop_deals_it_once(repeated, language, pages):
    at = press(open_page("workshop", language, workshop_part="predict", doc_id=repeated, **CUT), "game.deal")
    labels = [box.label for box in at.checkbox]
    assert len(labels) == 7 and sum(pages in label for label in labels) == 1
    assert said(at).count(ANSWER) == 1
