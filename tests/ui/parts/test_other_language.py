"""The hint under a question that is in another language than the document."""

from __future__ import annotations

import pytest
from screens import OTHER, QUESTION, SMALL, says, text_of
from streamlit.testing.v1 import AppTest

from pages.ui.shell import cached
from rag_core.reading.pdf import document_id

CHINESE = "税收增长了多少？"


def page(question: str, doc_id: str) -> None:
    from pages.ui.parts import other_language
    from pages.ui.shell import cached, state

    state.prepare()
    other_language.hint(question, cached.document(doc_id))


def hinted(question: str, doc_id: str, language: str = "en") -> AppTest:
    at = AppTest.from_function(page, kwargs={"question": question, "doc_id": doc_id}, default_timeout=60)
    at.session_state["lang"] = language
    at.run()
    assert not at.exception
    return at


@pytest.fixture
def other(library) -> str:
    return cached.lab().add(OTHER, "other.pdf").id


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_question_in_the_other_language_is_told(other, language):
    assert says(hinted(QUESTION, other, language), "other_language.hint_en")
    assert says(hinted(CHINESE, document_id(SMALL), language), "other_language.hint_zh")


@pytest.mark.parametrize("question", [CHINESE, "2025?", " ", ""])
def test_nothing_is_said_where_there_is_no_difference(other, question):
    at = hinted(question, other)
    assert not at.caption and not at.button


def test_a_collection_of_both_languages_has_no_other(other):
    both = cached.lab().library.collect("Both", [document_id(SMALL), other]).id
    for question in (QUESTION, CHINESE):
        assert not hinted(question, both).button


def test_its_link_leads_to_the_comparison_of_two_languages(other):
    at = hinted(QUESTION, other)
    assert at.button[0].label == text_of(at, "other_language.open")
    at.button[0].click().run()
    assert at.session_state["explain_part"] == "languages"
    assert "pages/explain.py" in at.exception[0].message, "this test's page stands alone, and knows no other"
