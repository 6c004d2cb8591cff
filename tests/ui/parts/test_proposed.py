"""Proposed questions as chips: by rule, a sample's own, by a language model; a press compares."""

from __future__ import annotations

from dataclasses import replace

import pytest
from llm_server import LLMServer, completion
from pdfs import garbled_pdf, joined, text_pdf
from screens import OTHER, SMALL, click, open_page, press, says, says_anywhere, text_of, upload, with_model

from pages.ui.shell import cached, samples
from rag_core.reading.pdf import document_id

PROPOSED = [
    "How many visitors were counted by the museum?",
    "By how much did Household income rise?",
    "How many nurses were hired by the hospital?",
]


def chips(at) -> list[str]:
    return [button.label for button in at.button if button.key.startswith("proposed_") and button.key[-1].isdigit()]


def plain(labels: list[str]) -> list[str]:
    return [label.replace("\\", "") for label in labels]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_document_offers_its_questions_in_its_own_language(library, language):
    at = open_page("documents", language)
    assert says(at, "proposed.title")
    assert plain(chips(at)) == PROPOSED
    at = upload(at, ("other.pdf", OTHER))
    assert plain(chips(at)) == ["一般公共预算收入增长多少？"]


def test_a_press_compares_with_the_question_at_once(library):
    at = open_page("documents", question="Something else?", typed="Another wording", kept=[0], suggested=["x"])
    at = click(at, at.button(key="proposed_2"))
    assert at.title[0].value == text_of(at, "compare.title")
    comparison = at.session_state["comparison"]
    assert (comparison.query, comparison.doc_id, comparison.expansions) == (PROPOSED[2], document_id(SMALL), ())
    assert at.text_input(key="question").value == PROPOSED[2]
    assert "nurses" in comparison.reranked.chunks[0].text


def test_a_document_without_anything_to_ask_offers_nothing():
    at = upload(open_page("documents"), ("quiet.pdf", text_pdf(["The river is wide.", "It rains."])))
    assert chips(at) == []
    assert not says(at, "proposed.title")
    assert at.button(key="ask")


def test_a_doubtful_page_is_asked_nothing():
    doubtful = text_pdf(["Port revenue grew by 8 %.", "§" * 40])
    at = upload(open_page("documents"), ("half.pdf", joined(doubtful, text_pdf(["Water revenue rose by 8 %."]))))
    assert says(at, "read.doubtful")
    assert plain(chips(at)) == ["By how much did Water revenue rise?"]


def test_garbled_pages_do_not_make_it_another_language():
    lines = ["Revenue of the utility grew by eight percent in the year,", "because of new customers in the north."] * 6
    data = joined(garbled_pdf(*lines), text_pdf(["Water revenue rose by 8 %."]))
    assert plain(chips(upload(open_page("documents"), ("half.pdf", data)))) == ["By how much did Water revenue rise?"]


def test_a_left_out_page_is_no_longer_asked(library):
    readings = cached.lab().documents.readings(document_id(SMALL))
    assert PROPOSED[2] in plain(chips(open_page("documents")))
    without_second = (readings.pages[0], replace(readings.pages[1], left_out=True))
    cached.lab().pages.choose(document_id(SMALL), replace(readings, pages=without_second))
    cached.forget(document_id(SMALL))
    at = open_page("documents")
    assert PROPOSED[2] not in plain(chips(at)) and chips(at)


@pytest.mark.parametrize("language", samples.FILES)
def test_a_sample_offers_its_own_questions(language):
    at = open_page("documents", language)
    at = click(at, at.button(key=f"sample_{language}"))
    assert plain(chips(at)) == samples.load(language)[2][:3]


def test_a_collection_offers_questions_of_each_document(library):
    other = cached.lab().add(OTHER, "other.pdf").id
    both = cached.lab().library.collect("Both", [document_id(SMALL), other]).id
    assert plain(chips(open_page("documents", doc_id=both))) == [PROPOSED[0], "一般公共预算收入增长多少？", PROPOSED[1]]


def test_without_a_key_no_language_model_is_offered(library):
    assert "proposed_better" not in [button.key for button in open_page("documents").button]


def test_a_language_model_proposes_better_ones_for_this_visit(library):
    with LLMServer(completion("1. Who nurses the town?\n2. How *much* grew?")) as server:
        at = press(open_page("documents", **with_model(server)), "proposed.better")
        [sent] = server.requests
    assert plain(chips(at)) == ["Who nurses the town?", "How *much* grew?"]
    assert chips(at)[1] == "How \\*much\\* grew?"
    assert "Tax revenue grew by eight percent" in sent["body"]["messages"][1]["content"]
    assert plain(chips(open_page("documents"))) == PROPOSED, "another visitor sees the document's own"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_language_model_that_proposes_nothing_leaves_the_rest(library, language):
    with LLMServer(completion("No idea.")) as server:
        at = press(open_page("documents", language, **with_model(server)), "proposed.better")
    assert says(at, "error.server_bad_answer")
    assert not says_anywhere(at, "sk-test")
    assert plain(chips(at)) == PROPOSED
