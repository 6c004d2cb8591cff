"""A result that travels: saved from the compare page, opened without its document, graded, and brought home."""

from __future__ import annotations

import pytest
import streamlit as st
from screens import (
    QUESTION,
    SMALL,
    answered,
    asked,
    click,
    has_orders,
    open_page,
    open_part,
    orders,
    press,
    run,
    said,
    says,
    text_of,
    upload,
)

from pages.ui.shell import cached, models, work
from pages.ui.shell.i18n import plain
from rag_core.datatypes import Judgment, Span
from rag_core.measuring import judge
from rag_core.reading.pdf import document_id
from rag_core.sharing import replay_file
from rag_core.sharing.replay import Replay

DOC = document_id(SMALL)
ANSWER = "Tax revenue grew by eight percent over the year."


@pytest.fixture
def no_models(monkeypatch):
    """Let nothing on the page load a model."""
    for name in ("load_embedder", "load_reranker"):
        monkeypatch.setattr(models, name, lambda *_: pytest.fail("a model is loaded"))


@pytest.fixture
def saved(library) -> bytes:
    """Compare, as a first person does, and save the result; the answer was judged before."""
    cached.lab().judge(DOC, [Judgment(QUESTION, Span(1, 0, ANSWER), 2, "Ann")])
    return replay_file.write(asked().session_state["recorded"])


def opened(data: bytes, language: str = "en", name: str = "result.json", **state: object):
    at = open_page("replay", language, **state)
    at.file_uploader(key="replay_file").set_value((name, data, "application/json"))
    return run(at)


def elsewhere(data: bytes, monkeypatch, tmp_path, language: str = "en", **state: object):
    """Open a file as a second person does, whose library is empty."""
    cached.st.cache_resource.clear()
    monkeypatch.setenv("RERANK_LAB_HOME", str(tmp_path / "other"))
    return opened(data, language, **state)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_empty_page_says_where_files_come_from(language):
    at = open_page("replay", language)
    assert says(at, "replay.empty")
    assert not at.dataframe
    click(at, at.button(key="example_result"))
    assert says(at, "replay.banner") and has_orders(at)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_result_opens_without_document_and_models(saved, monkeypatch, tmp_path, language, no_models):
    at = elsewhere(saved, monkeypatch, tmp_path, language)
    assert cached.lab().documents.titles() == {}
    assert says(at, "replay.banner")
    assert says(at, "result.same_candidates")
    assert says(at, "selftest.of")
    assert f"**{plain(QUESTION)}**" in [element.value for element in at.markdown]
    scores = 2  # those of both sides are always drawn
    for part, charts in (("result.slope", 1), ("result.times", 1)):
        assert len(open_part(at, part).get("vega_lite_chart")) == scores + charts
    assert says(at, "result.speed")
    assert not says(at, "result.link")
    assert says(at, "replay.not_held")


def test_the_tables_and_charts_are_those_of_the_compare_page(saved, monkeypatch, tmp_path, library):
    first = asked()
    drawn = [chart.proto.spec for chart in first.get("vega_lite_chart")]
    there = elsewhere(replay_file.write(first.session_state["recorded"]), monkeypatch, tmp_path)
    assert [chart.proto.spec for chart in there.get("vega_lite_chart")] == drawn
    assert len(drawn) == 3
    assert orders(there) == orders(first)


def test_the_cutoff_of_an_opened_result_is_moved_and_the_file_stays(saved, monkeypatch, tmp_path, no_models):
    at = elsewhere(saved, monkeypatch, tmp_path)
    before = at.session_state["opened"]
    at.slider(key="opened_cutoff").set_value(2)
    assert orders(run(at))["cutoff"] == 2
    assert text_of(at, "metric.overlap", k=2) in " ".join(said(at))
    assert at.session_state["opened"] is before and before.comparison.cutoff == 5


BROKEN = {
    "not_a_replay": lambda data: b"question,page\n",
    "replay_damaged": lambda data: data[: len(data) // 2],
    "replay_too_new": lambda data: data.replace(b'"version": 1', b'"version": 2'),
    "replay_invalid": lambda data: data.replace(b'"depth": 50', b'"depth": 5000'),
    "replay_altered": lambda data: data.replace(b'"text": "Tax', b'"text": "Tix'),
    "replay_too_large": lambda data: data + b"[]," * replay_file.MOST_VALUES,
}


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("code", BROKEN)
def test_a_file_that_does_not_open_is_told_and_what_is_open_stays(saved, language, code):
    at = opened(saved, language)
    at.file_uploader(key="replay_file").set_value(("other.json", BROKEN[code](saved), "application/json"))
    run(at)
    assert says(at, f"error.{code}")
    assert says(at, "result.same_candidates")


def test_text_of_a_file_is_no_markdown(saved):
    title = "**bold** ![x](http://x.invalid) <b>"
    data = saved.replace(b'"title": "small.pdf"', f'"title": "{title}"'.encode())
    at = opened(data)
    assert any(f"` {title} `" in caption.value for caption in at.caption)


def test_answers_travel_with_the_result(library, monkeypatch, tmp_path):
    at = asked()
    at = press(run(at.switch_page("pages/answer.py")), "answer.ask")
    for key in ("recorded", "answers"):
        monkeypatch.setitem(st.session_state, key, at.session_state[key])
    data = replay_file.write(work.recorded(at.session_state["comparison"]))
    there = elsewhere(data, monkeypatch, tmp_path)
    assert says(there, "report.answers")
    assert answered(there) == answered(at) and all(answered(at))


def pick(at, text: str):
    [chunk] = [hit.chunk for hit in at.session_state["opened"].comparison.before.hits if hit.chunk.text == text]
    at.session_state["picked"] = chunk.id
    return run(at)


def graded(at, text: str, grade: int, name: str = "Bo"):
    pick(at, text)
    assert says(at, "replay.name_first")
    at.text_input(key="judge").set_value(name)
    run(at)
    at.button(key=f"grade_{grade}").click()
    return run(at)


def test_a_second_person_grades_and_takes_back(saved, monkeypatch, tmp_path, no_models):
    at = graded(elsewhere(saved, monkeypatch, tmp_path), ANSWER, 1)
    assert says(at, "replay.added")
    assert text_of(at, "judge.so_far", grades=plain("2 (Ann), 1 (Bo)")) in [caption.value for caption in at.caption]
    assert [one.judge for one in at.session_state["opened"].judgments] == ["Ann", "Bo"]
    at.button(key="undo").click()
    assert [one.judge for one in run(at).session_state["opened"].judgments] == ["Ann"]
    assert "undo" not in [button.key for button in at.button], "what the sender judged cannot be taken back"


def second_opinion(saved: bytes) -> tuple[bytes, Judgment]:
    found = replay_file.read(saved)
    chunk = found.comparison.reranked.hits[-1].chunk
    judgment = Judgment(QUESTION, judge.span_of(chunk), 0, "Bo")
    return replay_file.write(found.judged(judgment)), judgment


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_first_person_takes_the_judgments_home(saved, language):
    data, judgment = second_opinion(saved)
    at = opened(data, language)
    assert says(at, "replay.news")
    press(at, "replay.take")
    assert cached.lab().judgments.load(DOC)[-1] == judgment
    assert len(cached.lab().judgments.load(DOC)) == 2
    assert says(at, "replay.nothing_new")


def test_judgments_come_home_to_the_same_words_under_another_id(saved, monkeypatch):
    monkeypatch.setattr("pages.ui.shell.state.LOOPBACK", ())
    at = upload(open_page("documents"), ("mine.pdf", SMALL))
    own = at.session_state["doc_id"]
    assert own != DOC
    data, _ = second_opinion(saved)
    at = run(at.switch_page("pages/replay.py"))
    at.file_uploader(key="replay_file").set_value(("result.json", data, "application/json"))
    press(run(at), "replay.take")
    assert [one.judge for one in cached.lab().judgments.load(own)] == ["Ann", "Bo"]


def test_what_was_judged_here_since_stands(saved):
    mine = Judgment(QUESTION, Span(1, 0, "The museum counted three hundred thousand visitors."), 2)
    found = replay_file.read(saved)
    span = next(judge.span_of(hit.chunk) for hit in found.comparison.before.hits if hit.chunk.text == mine.span.quote)
    old = [Judgment(QUESTION, span, 0), Judgment(QUESTION, span, 0, "Bo")]
    cached.lab().judge(DOC, [mine])
    at = opened(replay_file.write(old_and(found, old)))
    press(at, "replay.take")
    assert [one.judge for one in cached.lab().judgments.load(DOC)] == ["Ann", "", "Bo"]


def old_and(found: Replay, judgments: list[Judgment]) -> Replay:
    for one in judgments:
        found = found.judged(one)
    return found
