"""Models on servers, as a reader meets them: typed in, said to leave the machine, tried, and kept to oneself."""

from __future__ import annotations

import json
from functools import partial

import pytest
import streamlit as st
from llm_server import LLMServer, Reply, embeddings
from rerank_server import reranking, saying
from screens import CHUNKS, QUESTION, SENTENCES, open_page, orders, press, run, says, says_anywhere, text_of
from streamlit.testing.v1 import AppTest

from pages.ui.shell import cached
from rag_core.datatypes import Comparison, Kept
from rag_core.models import selftest
from rag_core.reading.pdf import document_id
from rag_core.servers import rerank

KEY = "key-1234567890"
TRIED = 15  # requests of the self-test


def shared_words(question: str, text: str) -> float:
    """Answer like Cohere: between 0 and 1."""
    asked, found = set(question.lower().split()), set(text.lower().split())
    return len(asked & found) / (len(asked) + len(found)) + len(text) / 1e6


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch):
    monkeypatch.setattr(rerank, "PAUSE_SECONDS", 0.01)


def typed(server: LLMServer, form: str = "tei", **state: object) -> dict[str, object]:
    chosen = {"rerank_url": server.root, "rerank_form": form, "rerank_model": "m", "rerank_key": KEY}
    return {"question": QUESTION, "depth": 10, "reranker": "rerank-server", **chosen, **state}


def compare_page(**state: object) -> AppTest:
    how = {"preset": SENTENCES.preset, "size": SENTENCES.size, "overlap": SENTENCES.overlap}
    return open_page("compare", **{"doc_id": None, **how, **state})


@pytest.fixture
def small(library) -> str:
    from screens import SMALL

    return document_id(SMALL)


@pytest.mark.parametrize(
    ("form", "unit", "named"),
    [
        ("tei", "logit", "score.logit"),
        ("cohere", "unit.relevance", "score.relevance"),
        ("vllm", "unit.unknown", "score.unknown"),
    ],
)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_typed_server_reranks_and_its_scale_is_named(small, form, unit, named, language):
    with reranking(form, shared_words) as server:
        at = compare_page(**typed(server, form, doc_id=small, lang=language))
        at.session_state["lang"] = language
        at = press(run(at), "form.compare")
        comparison: Comparison = at.session_state["comparison"]
    assert comparison.reranked.hits[0].chunk.text == "Tax revenue grew by eight percent over the year."
    assert {request["authorization"] for request in server.requests} == {f"Bearer {KEY}"}
    assert len(server.requests) == TRIED + 1
    assert says(at, "remote.rerank_leaves")
    assert orders(at)["sides"][1]["unit"] == (text_of(at, unit) if "." in unit else unit)
    assert text_of(at, named)


def test_the_self_test_is_run_once_and_not_at_every_look(small):
    with reranking("tei", shared_words) as server:
        at = press(compare_page(**typed(server, doc_id=small)), "form.compare")
        before = len(server.requests)
        run(run(at))
        assert len(server.requests) == before == TRIED + 1


RIGHT = {answer for cases in selftest.CASES.values() for _, answer, _ in cases}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_server_whose_scores_follow_length_is_warned_of(small, language):
    with reranking("tei", lambda _, text: 100.0 * (text in RIGHT) + len(text)) as server:
        at = compare_page(**typed(server, doc_id=small))
        at.session_state["lang"] = language
        at = press(run(at), "form.compare")
    assert says(at, "selftest.leans") and not says(at, "selftest.beyond")
    assert len(at.session_state["comparison"].moves) > 1


def test_a_server_that_gives_everything_one_score_shows_no_order(small):
    with reranking("cohere", lambda *_: 0.5) as server:
        at = press(compare_page(**typed(server, "cohere", doc_id=small)), "form.compare")
    assert says(at, "error.constant_scores")
    assert at.session_state["comparison"] is None


@pytest.mark.parametrize(
    ("server", "error"),
    [
        (partial(saying, {"results": [{"index": 0, "score": 1}]}), "error.server_bad_answer"),
        (partial(saying, "<html></html>", content_type="text/html"), "error.server_address"),
        (partial(saying, {"message": "no"}, status=401), "error.server_key"),
        (partial(saying, {"message": "no"}, status=500), "error.server_refused"),
        (partial(saying, "", status=307, headers={"Location": "http://elsewhere.invalid/"}), "error.server_moved"),
    ],
)
def test_a_bad_answer_is_told_and_nothing_is_ranked(small, server, error):
    with server() as running:
        at = press(compare_page(**typed(running, "cohere", doc_id=small)), "form.compare")
    assert says(at, error) and says_anywhere(at, text_of(at, "service.reranker"))
    assert at.session_state["comparison"] is None


@pytest.mark.parametrize("status", [200, 404])
def test_the_servers_own_words_reach_the_page(small, status):
    with saying({"message": "接口不存在"}, status=status) as running:
        at = press(compare_page(**typed(running, "cohere", doc_id=small)), "form.compare")
    assert says_anywhere(at, "接口不存在")


def test_without_an_address_the_reader_is_told_what_to_type(small):
    at = press(compare_page(doc_id=small, question=QUESTION, reranker="rerank-server"), "form.compare")
    assert says(at, "error.server_missing")
    assert not says(at, "remote.rerank_leaves")


def test_a_visitor_of_a_shared_server_cannot_reach_its_network(monkeypatch, embedder):
    from screens import SMALL

    from rag_core import settings
    from rag_core.lab import Lab

    option = st.get_option
    monkeypatch.setattr(st, "get_option", lambda name: "0.0.0.0" if name == "server.address" else option(name))
    lab = Lab(settings.home())
    document = lab.add(SMALL, "small.pdf", owner="visitor")
    lab.close()
    with reranking("tei", shared_words) as server:
        at = compare_page(**typed(server, doc_id=document.id, owner="visitor"))
        at = press(at, "form.compare")
        assert server.requests == []
    assert says(at, "error.server_internal")


def test_a_typed_embedding_server_embeds_the_document(small):
    def reply(asked: dict) -> Reply:
        return embeddings({i: [1.0, len(text) / 50] for i, text in enumerate(asked["input"])})

    with LLMServer(reply) as server:
        state = {"embedder": "embedding-server", "embed_url": server.base_url, "embed_model": "m", "embed_key": KEY}
        at = press(compare_page(doc_id=small, question=QUESTION, depth=10, **state), "form.compare")
    assert len(at.session_state["comparison"].moves) == 10
    assert sum(len(request["body"]["input"]) for request in server.requests) == CHUNKS + 1
    assert {request["authorization"] for request in server.requests} == {f"Bearer {KEY}"}
    assert says(at, "remote.embed_leaves")


def test_a_key_is_written_nowhere(small, tmp_path):
    with reranking("tei", shared_words) as server:
        at = press(compare_page(**typed(server, doc_id=small)), "form.compare")
    assert KEY not in json.dumps(dict(at.query_params), default=str)
    files = [file for file in (tmp_path / "home").rglob("*") if file.is_file()]
    assert files
    assert not [file for file in files if KEY.encode() in file.read_bytes()]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_evaluate_says_that_texts_leave(small, language):
    with reranking("tei", shared_words) as server:
        at = open_page("evaluate", language, doc_id=small, **typed(server, rerankers=["rerank-server"]))
    assert says(at, "remote.rerank_leaves")


def test_a_server_is_asked_each_time_and_none_of_its_scores_are_kept(small):
    with reranking("tei", shared_words) as server:
        at = press(press(compare_page(**typed(server, doc_id=small)), "form.compare"), "form.compare")
        assert len(server.requests) == TRIED + 2
    assert at.session_state["comparison"].kept == Kept()
    with cached.lab().library.database.open() as connection:
        assert connection.execute("SELECT count(*) FROM scores").fetchone() == (0,)
