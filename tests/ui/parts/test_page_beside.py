"""A click on a row that stands for a chunk opens its page, wherever such a row is, and nowhere else."""

from __future__ import annotations

import pytest
from running_app import settle
from screens import QUESTION, SMALL, TYPED, asked, open_page, open_part, press, run, says
from streamlit.testing.v1 import AppTest

from pages.ui.shell import cached
from pages.ui.workshop.open_rooms import rooms
from rag_core import settings
from rag_core.datatypes import Judgment, Span
from rag_core.lab import Lab
from rag_core.reading.pdf import document_id
from tests.ui.compare import test_history_page
from tests.ui.results import test_replay_page
from tests.ui.workshop import test_workshop_page

pytestmark = pytest.mark.slow

DOC = document_id(SMALL)
CUT = {"doc_id": DOC, "preset": "sentence", "size": 600, "overlap": 120}
FIRST = "The river town opened a new library in spring."
ANSWER = "Tax revenue grew by eight percent over the year."


@pytest.fixture
def drawn(monkeypatch) -> list[tuple[str, int, str]]:
    """Note which pages are really drawn, with which words."""
    draw, noted = cached.lab().pages.picture, []

    def noting(doc_id: str, number: int, words: str = "", part: object = None) -> tuple[bytes, bool]:
        noted.append((doc_id, number, words))
        return draw(doc_id, number, words, part)

    monkeypatch.setattr(cached.lab().pages, "picture", noting)
    return noted


def table(at: AppTest, key: str):
    """Return a table by its name; AppTest knows no name of one in which nothing can be selected."""
    return next(frame for frame in at.dataframe if (frame.key or "").partition(":")[0] == key)


def select(at: AppTest, key: str, row: int) -> AppTest:
    at.session_state[table(at, key).key] = {"selection": {"rows": [], "columns": [], "cells": [(row, "")]}}
    return run(at)


def opens(at: AppTest, drawn: list, key: str, row: int) -> tuple[int, str]:
    """Select a row: one picture more is shown, of the right document, marked. Return its page and the words."""
    before = len(at.get("image"))
    at = select(at, key, row)
    assert len(at.get("image")) == before + 1
    assert says(at, "beside.marked")
    doc_id, page, words = drawn[-1]
    assert doc_id == DOC
    return page, words


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_chunk_of_the_document(library, drawn, language):
    at = open_page("documents", language, **CUT)
    assert says(at, "beside.click")
    assert opens(at, drawn, "chunks", 8) == (2, "Spending on schools grew faster than spending on roads.")
    assert not says(at, "beside.click")


def test_a_row_of_the_ledger_is_the_chunk_at_its_new_rank(library, drawn):
    at = open_part(asked(typed=TYPED), "result.ledger")
    chunk = at.session_state["comparison"].moves[3].chunk
    select(at, "ledger", 3)
    assert drawn == [(DOC, chunk.page, chunk.text)]


def test_both_tops_of_the_history(library, drawn):
    at = test_history_page.again(test_history_page.asked(typed=TYPED), "Who paid for the bridge?", typed="")
    at = test_history_page.choose(at, "history_one", 1)
    at = test_history_page.choose(at, "history_other", 0)
    for side in ("one", "other"):
        text = table(at, f"history_top_{side}").value.iloc[2, -1]
        assert opens(at, drawn, f"history_top_{side}", 2)[1] == text


def test_the_ideal_order_of_an_evaluation(library, drawn):
    cached.lab().judge(DOC, [Judgment(QUESTION, Span(1, 0, ANSWER), 2)])
    at = press(open_page("evaluate", **CUT, evaluation_part="Depth"), "evaluate.run")
    at = press(at, "depth.score_all")
    assert opens(at, drawn, "ideal", 0) == (1, ANSWER)


def test_the_map_shows_the_page_of_what_is_picked(library, compared, drawn):
    at = open_page("explain", comparison=compared, explain_part="map", picked=compared.before.ids[1])
    assert len(at.get("image")) == 1
    assert drawn == [(DOC, compared.before.chunks[1].page, compared.before.chunks[1].text)]


def test_what_stands_among_the_first_in_one_language_alone(library, compared, drawn):
    at = open_page("explain", comparison=compared, explain_part="languages")
    at.text_input(key="other_question").set_value("谁付了桥的钱？")
    at = press(at, "languages.ask")
    made = at.session_state["two_languages"]
    key = next(frame.key.partition(":")[0] for frame in at.dataframe)
    text = table(at, key).value.iloc[0, -1]
    assert opens(at, drawn, key, 0)[1] == text
    assert at.session_state["two_languages"] == made, "nothing is asked again"
    assert at.text_input(key="other_question").value == "谁付了桥的钱？"


def test_the_sources_of_an_answer(compared, library, drawn):
    at = press(open_page("answer", comparison=compared), "answer.ask")
    assert opens(at, drawn, "sources_reranked", 1)[1] == compared.reranked.chunks[1].text


def test_the_game_opens_pages_after_the_reveal_alone(library, drawn):
    at = test_workshop_page.dealt()
    assert not at.dataframe and not at.get("image")
    at = test_workshop_page.hand_in(at)
    dealt = at.session_state["game"].dealt
    first = next(chunk for chunk in dealt.chunks if chunk.id == dealt.reranked[0])
    assert opens(at, drawn, "revealed", 0) == (first.page, first.text)


def test_the_teacher_opens_the_page_of_a_chunk_of_the_room(library, drawn):
    at = press(test_workshop_page.workshop("room", question=QUESTION), "room.open")
    chunk = rooms().look(astuple(at)[0]).dealt.chunks[4]
    assert opens(at, drawn, "tally", 4) == (chunk.page, chunk.text)


def astuple(at: AppTest) -> tuple[str, str]:
    keys = at.session_state["teaching"]
    return keys.code, keys.control


def clickable(at: AppTest, key: str) -> bool:
    return any((frame.key or "").partition(":")[0] == key for frame in at.dataframe)


def test_a_participant_on_a_shared_server_is_offered_no_page_of_the_teachers(monkeypatch):
    monkeypatch.setattr("pages.ui.shell.state.LOOPBACK", ())
    teacher = test_workshop_page.upload(open_page("documents"), ("small.pdf", SMALL))
    run(teacher.switch_page("pages/workshop.py"))
    teacher.session_state["workshop_part"] = "room"
    teacher.session_state["question"] = QUESTION
    teacher = press(run(teacher), "room.open")
    code, control = astuple(teacher)
    participant = test_workshop_page.workshop("room", joined=code)
    rooms().reveal(code, control)
    assert test_workshop_page.has_picture(run(participant))
    assert not clickable(participant, "revealed")
    assert not says(participant, "beside.click")
    assert clickable(run(teacher), "revealed")


def test_an_opened_result_offers_no_page(library, drawn):
    at = asked(typed=TYPED)
    data = test_replay_page.replay_file.write(at.session_state["recorded"])
    there = open_part(test_replay_page.opened(data), "result.ledger")
    ledger = there.dataframe[-1].value
    assert len(ledger) == len(at.session_state["comparison"].moves)
    assert [name[:2] for name in ledger.columns[3:]] == ["0.", "1."]
    assert not clickable(there, "ledger")
    there.session_state["picked"] = there.session_state["opened"].comparison.before.ids[0]
    assert not run(there).get("image")
    assert drawn == []


def test_judgments_that_came_home_open_on_the_page_of_the_document_here(library, drawn):
    replay = asked().session_state["recorded"].judged(Judgment(QUESTION, Span(1, 0, FIRST, DOC), 1, "Ann"))
    at = test_replay_page.opened(test_replay_page.replay_file.write(replay))
    assert opens(at, drawn, "news", 0) == (1, FIRST)


def test_a_result_finds_its_own_document_before_a_collection_that_holds_it(library):
    replay = asked().session_state["recorded"].judged(Judgment(QUESTION, Span(1, 0, FIRST, DOC), 1, "Ann"))
    cached.lab().library.collect("Reader", [DOC])
    at = test_replay_page.opened(test_replay_page.replay_file.write(replay))
    [said] = [text.value for text in at.markdown if "is in your library" in text.value]
    assert "Reader" not in said


def test_another_comparison_begins_with_no_row_selected(library, drawn):
    at = select(open_part(asked(typed=TYPED), "result.ledger"), "ledger", 3)
    assert at.get("image")
    at.text_input(key="question").set_value("Who paid for the bridge?")
    at = press(at, "form.compare")
    assert not at.get("image")


def test_a_document_that_is_gone_cannot_be_opened(library, compared):
    at = press(open_page("answer", comparison=compared), "answer.ask")
    assert clickable(at, "sources_vector")
    cached.lab().delete(DOC)
    assert not clickable(run(at), "sources_vector")


HINT = "Click a row to see the chunk on its page"


def test_the_ceiling_is_drawn_with_its_table(served, library, page):
    lab = Lab(settings.home())
    lab.judge(DOC, [Judgment(QUESTION, Span(1, 0, ANSWER), 2)])
    lab.close()
    page.goto(f"{served.open(settings.home())}/evaluate")
    page.get_by_role("button", name="Evaluate", exact=True).click()
    page.get_by_role("tab", name="Depth", exact=True).click()
    page.get_by_role("button", name="Score every chunk for this question").click()
    page.get_by_text("the first stage finds").wait_for()
    settle(page)
    assert page.get_by_test_id("stException").count() == 0


def test_a_click_anywhere_in_a_row_opens_the_page_and_escape_closes_it(address, page):
    page.goto(address)
    page.get_by_role("button", name="Change this question").click()
    page.get_by_text("Both tables rank").wait_for()
    settle(page)
    page.get_by_role("button", name="Other wordings").click()
    page.get_by_label("One per line").fill("How many parks were built?")
    page.get_by_role("button", name="Compare", exact=True).click()
    page.get_by_role("tab", name="Sources by query").click()
    page.get_by_text(HINT).wait_for()
    settle(page)
    page.get_by_label("Question", exact=True).fill("Not asked yet")
    grid = page.get_by_test_id("stDataFrame").last
    grid.scroll_into_view_if_needed()
    box = grid.bounding_box()
    page.mouse.click(box["x"] + 200, box["y"] + 52)
    page.get_by_text("the chunk is marked").wait_for()
    settle(page)
    assert page.get_by_test_id("stImage").count() == 1
    page.keyboard.press("Escape")
    page.get_by_text(HINT).wait_for()
    settle(page)
    assert page.get_by_test_id("stImage").count() == 0
    assert page.get_by_label("Question", exact=True).input_value() == "Not asked yet"
