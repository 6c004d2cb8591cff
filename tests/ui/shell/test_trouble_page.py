"""A language model or an embedding server in trouble: told in both languages, with the comparison still on screen."""

from __future__ import annotations

from dataclasses import replace

import pytest
from llm_server import LLMServer, Reply, completion, refusal, stream
from screens import QUESTION, answered, open_page, press, says, says_anywhere, still_shows, with_model

from rag_core.comparing import answer
from rag_core.servers import limits, llm

pytestmark = pytest.mark.slow

KEY = "sk-distinctive-0123456789wxyz"
SILENCE = 0.4
EVENTS = "text/event-stream"
DELTA = stream(["Tax rev"], finish=None, end="").body
ELSEWHERE = {"Location": "http://192.0.2.1/v1"}
BUSY = refusal(429, f"quota of {KEY}", **{"Retry-After": "3600"})

WHOLE = {
    "never": (Reply("{}", delay=30), "server_timeout"),
    "down": (refusal(500, f"down, sk-di***, {KEY}"), "server_refused"),
    "busy": (BUSY, "server_busy"),
    "html": (Reply(f"<html>{KEY}</html>", content_type="text/html"), "server_address"),
    "broken": (Reply('{"choices": [{"mess'), "server_bad_answer"),
    "fields": (Reply('{"choices": [{"message": {"content": 5}}]}'), "server_bad_answer"),
    "utf-8": (Reply(b'{"choices": [{"message": {"content": "\xff"}}]}'), "server_bad_answer"),
    "endless": (Reply("{", again=" "), "server_too_long"),
    "huge": (completion("x" * 10_000_000), "server_too_long"),
    "redirect": (Reply("", status=308, headers=ELSEWHERE), "server_moved"),
}
STREAMED = {
    "never": WHOLE["never"],
    "down": WHOLE["down"],
    "busy": WHOLE["busy"],
    "html": WHOLE["html"],
    "cut": (stream(["Tax rev", KEY], finish=None, end="", length=10_000), "server_bad_answer"),
    "silent": (Reply(DELTA, content_type=EVENTS, again=" ", pause=60), "server_timeout"),
    "fields": (Reply(DELTA.replace('"Tax rev"', "5"), content_type=EVENTS), "server_bad_answer"),
    "utf-8": (Reply(DELTA.encode() + b"data: \xff\n\n", content_type=EVENTS), "server_bad_answer"),
    "endless": (Reply(DELTA, content_type=EVENTS, again=DELTA), "server_too_long"),
    "huge": (stream(["x" * 10_000_000]), "server_too_long"),
    "redirect": WHOLE["redirect"],
}
both_languages = pytest.mark.parametrize("language", ["en", "zh"])


@pytest.fixture(autouse=True)
def short_patience(monkeypatch):
    opened = llm.open_client
    monkeypatch.setattr(llm, "open_client", lambda settings, timeout=SILENCE: opened(settings, SILENCE))
    monkeypatch.setattr(limits, "LONGEST_SECONDS", 0.5)


@both_languages
@pytest.mark.parametrize("trouble", WHOLE)
def test_expansions_that_do_not_come_leave_the_comparison(library, compared, trouble, language):
    reply, code = WHOLE[trouble]
    with LLMServer(reply) as server:
        given = with_model(server, question=QUESTION, comparison=compared, llm_key=KEY)
        at = press(open_page("compare", language, **given), "form.by_llm")
    assert says(at, f"error.{code}")
    assert not says_anywhere(at, "sk-di")
    assert still_shows(at, compared)


@both_languages
@pytest.mark.parametrize("trouble", STREAMED)
def test_an_answer_that_does_not_come_leaves_the_former_ones(library, compared, trouble, language):
    at = press(open_page("answer", language, comparison=compared), "answer.ask")
    former = at.session_state["answers"]
    reply, code = STREAMED[trouble]
    with LLMServer(reply) as server:
        for field, value in with_model(server, llm_key=KEY).items():
            at.text_input(key=field).set_value(value)
        at.radio(key="answer_source").set_value("llm")
        at = press(at, "answer.ask")
    assert says(at, f"error.{code}")
    assert not says_anywhere(at, "sk-di")
    assert at.session_state["comparison"] is compared
    assert at.session_state["answers"] is former
    assert answered(at) == [[part.words for part in answer.said(former[side])] for side in former]


@both_languages
@pytest.mark.parametrize("trouble", ["never", "down", "busy", "html", "broken", "endless", "redirect"])
def test_embeddings_that_do_not_come_leave_the_comparison(library, compared, trouble, language):
    reply, code = WHOLE[trouble]
    with LLMServer(reply) as server:
        given = with_model(server, question=QUESTION, comparison=compared, llm_key=KEY)
        at = open_page("compare", language, **given, embedder="text-embedding-3-small")
        at = press(at, "form.compare")
    assert says(at, f"error.{code}")
    assert not says_anywhere(at, "sk-di")
    assert still_shows(at, compared)


def test_a_model_that_is_slow_but_in_time_is_waited_for(compared):
    with LLMServer(replace(stream(["Eight percent [1]."]), delay=SILENCE / 2)) as server:
        given = with_model(server, comparison=compared, answer_source="llm", llm_key=KEY)
        at = press(open_page("answer", **given), "answer.ask")
    assert at.session_state["answers"]["reranked"].text == "Eight percent [1]."


def test_a_key_that_comes_back_inside_an_answer_is_not_drawn(compared):
    with LLMServer(stream(["Your key is sk-dist", "inctive-0123456789wxyz."])) as server:
        given = with_model(server, comparison=compared, answer_source="llm", llm_key=KEY)
        at = press(open_page("answer", **given), "answer.ask")
    assert at.session_state["answers"]["vector"].text.startswith("Your key is ***")
    assert not says_anywhere(at, "sk-") and "sk-" not in str(answered(at))
