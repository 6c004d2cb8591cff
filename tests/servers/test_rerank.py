"""A real client against a real server on loopback: each form of the answer, and what hostile servers answer."""

from __future__ import annotations

import json
import logging
import time

import pytest
from llm_server import LLMServer, Reply
from rerank_server import answer, reranking, saying

from rag_core.errors import (
    BadSetting,
    ConstantScores,
    ServerAddress,
    ServerBadAnswer,
    ServerBusy,
    ServerKey,
    ServerKeyGarbled,
    ServerKeyMissing,
    ServerMissing,
    ServerMoved,
    ServerRefused,
    ServerScheme,
    ServerTimeout,
    ServerUnreachable,
)
from rag_core.models import catalog, selftest
from rag_core.models.rerank import load_reranker
from rag_core.servers import rerank
from rag_core.servers.rerank import FORMS, RemoteReranker, RerankServer

LINE = catalog.find(catalog.RERANKERS, "rerank-server")
KEY = "key-1234567890"
TEXTS = ["三", "一二三", "", "二二"]


@pytest.fixture(autouse=True)
def own_environment(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(rerank, "PAUSE_SECONDS", 0.01)


def at(server: LLMServer | str, form: str = "cohere", timeout: float = 5.0, **where: object) -> RemoteReranker:
    address = server if isinstance(server, str) else server.root
    return RemoteReranker(LINE.id, RerankServer(address, form, **{"model": "m", **where}), timeout)


def by_length(question: str, text: str) -> float:
    return len(text) / 4


def caught(server: LLMServer, form: str = "cohere", error: type = ServerBadAnswer, **where: object):
    with server, pytest.raises(error) as found:
        at(server, form, **where).score("问", TEXTS[:2])
    return found.value


# Forms


@pytest.mark.parametrize("form", FORMS)
def test_scores_come_back_in_the_order_of_the_texts(form):
    with reranking(form, by_length) as server:
        scores = at(server, form).score("问", TEXTS)
    assert scores.tolist() == [0.25, 0.75, 0, 0.5]


@pytest.mark.parametrize(
    ("form", "asked"),
    [
        ("cohere", {"model": "m", "query": "问", "documents": ["a"]}),
        ("jina", {"model": "m", "query": "问", "documents": ["a"], "return_documents": False}),
        (
            "voyage",
            {"model": "m", "query": "问", "documents": ["a"], "return_documents": False, "truncation": True},
        ),
        ("tei", {"model": "m", "query": "问", "texts": ["a"], "raw_scores": True, "truncate": True}),
        ("vllm", {"model": "m", "query": "问", "documents": ["a"], "truncate_prompt_tokens": -1}),
        ("infinity", {"model": "m", "query": "问", "documents": ["a"], "raw_scores": True, "return_documents": False}),
    ],
)
def test_each_form_is_asked_with_its_own_names(form, asked):
    with reranking(form, by_length) as server:
        at(server, form).score("问", ["a"])
    assert [request["body"] for request in server.requests] == [asked]


def test_without_a_model_none_is_named():
    with reranking("tei", by_length) as server:
        at(server, "tei", model="").score("问", ["a"])
    assert "model" not in server.requests[0]["body"]


@pytest.mark.parametrize(
    ("form", "address", "path"),
    [
        ("cohere", "", "/v2/rerank"),
        ("jina", "/", "/v1/rerank"),
        ("voyage", "", "/v1/rerank"),
        ("tei", "", "/rerank"),
        ("vllm", "/v1", "/v1/rerank"),
        ("infinity", "/prefix/", "/prefix/rerank"),
        ("cohere", "/own/rerank", "/own/rerank"),
        ("tei", "/rerank/", "/rerank"),
        ("cohere", "?api-version=2", "/v2/rerank?api-version=2"),
        ("jina", "/?api-version=2", "/v1/rerank?api-version=2"),
        ("vllm", "/v1?api-version=2&a=/b", "/v1/rerank?api-version=2&a=/b"),
        ("tei", "/own/rerank/?api-version=2", "/own/rerank?api-version=2"),
    ],
)
def test_the_address_may_end_at_the_host_or_at_the_path(form, address, path):
    with reranking(form, by_length) as server:
        at(server.root + address, form).score("问", ["a"])
    assert server.requests[0]["path"] == path


@pytest.mark.parametrize(
    ("form", "scale"),
    [
        ("cohere", "relevance"),
        ("jina", "unknown"),
        ("voyage", "unknown"),
        ("tei", "logit"),
        ("vllm", "unknown"),
        ("infinity", "logit"),
    ],
)
def test_the_scale_is_what_the_form_promises(form, scale):
    assert at("http://127.0.0.1:9", form).scale == scale


def test_logits_keep_their_digits_and_signs():
    exact = [-7.123456789012345, 11.25, 0.1]
    with saying(answer("tei", ["a", "b", "c"], exact)) as server:
        assert at(server, "tei").score("问", ["a", "b", "c"]).tolist() == exact


def test_nothing_is_sent_for_no_text():
    with reranking("tei", by_length) as server:
        assert at(server, "tei").score("问", []).shape == (0,)
    assert server.requests == []


# Batches


def test_progress_counts_the_texts_of_each_request():
    steps = []
    with reranking("tei", by_length) as server:
        scores = at(server, "tei").score("问", ["x"] * 70, lambda *step: steps.append(step))
    assert (len(scores), steps) == (70, [(32, 70), (64, 70), (70, 70)])


def test_a_server_that_takes_fewer_texts_is_asked_with_half_as_many_from_then_on():
    texts = ["x" * (i % 5) for i in range(50)]
    with reranking("infinity", by_length, most=20) as server:
        reranker = at(server, "infinity")
        scores = [reranker.score("问", texts).tolist() for _ in range(2)]
    sizes = [len(request["body"]["documents"]) for request in server.requests]
    assert sizes == [50, 25, 12, 12, 12, 12, 2, 12, 12, 12, 12, 2]
    assert scores == [[len(text) / 4 for text in texts]] * 2


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (422, {"detail": [{"type": "too_long", "msg": "List should have at most 1 items"}]}),
        (400, {"error": {"message": "batch size is invalid, it should not be larger than 1"}}),
    ],
)
def test_other_words_for_too_many_are_understood(status, said):
    def reply(asked):
        few = len(asked["documents"]) == 1
        return Reply(json.dumps(answer("jina", ["a"], [0.5]) if few else said), status=200 if few else status)

    with LLMServer(reply) as server:
        assert at(server, "jina").score("问", ["a", "b"]).tolist() == [0.5, 0.5]


def test_one_text_that_is_still_too_large_is_refused():
    found = caught(reranking("tei", by_length, most=0), "tei", ServerRefused)
    assert found.values["status"] == 413


# One more try


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_server_is_asked_once_more(status):
    replies = iter([Reply("{}", status=status), Reply(json.dumps(answer("tei", ["a"], [1.5])))])
    with LLMServer(lambda _: next(replies)) as server:
        assert at(server, "tei").score("问", ["a"]).tolist() == [1.5]
    assert len(server.requests) == 2


def test_a_server_that_stays_busy_is_not_asked_a_third_time():
    server = saying({"error": "Model is overloaded"}, status=429)
    found = caught(server, "tei", ServerRefused)
    assert (found.values["status"], found.values["said"]) == (429, "Model is overloaded")
    assert len(server.requests) == 2


def test_the_pause_a_server_asks_for_is_kept_up_to_a_limit(monkeypatch):
    pauses = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    for seconds in ("2", "3600"):
        busy = caught(saying({}, status=429, headers={"Retry-After": seconds}), "tei", ServerBusy)
        assert busy.values["seconds"] == seconds
    assert pauses == [2, 5]


def test_a_refusal_is_not_repeated():
    server = saying({"message": "invalid request: model 'x' not found"}, status=404)
    assert caught(server, error=ServerRefused).values["said"] == "invalid request: model 'x' not found"
    assert len(server.requests) == 1


def test_nobody_listens():
    start = time.perf_counter()
    with pytest.raises(ServerUnreachable) as found:
        at("http://127.0.0.1:9").score("问", ["a"])
    assert found.value.values["address"] == "http://127.0.0.1:9"
    assert time.perf_counter() - start < 20


def test_a_silent_server_is_given_up():
    with saying("{}", delay=5) as server, pytest.raises(ServerTimeout) as found:
        at(server, timeout=0.2).score("问", ["a"])
    assert found.value.values["seconds"] == "0.2"
    assert len(server.requests) == 1


def test_an_answer_that_is_cut_is_none():
    assert caught(saying("{}", length=1000), error=ServerUnreachable)


def test_an_endless_answer_is_given_up(monkeypatch):
    monkeypatch.setattr(rerank, "LONGEST_ANSWER_BYTES", 2**20)
    assert caught(saying(" " * 2**21)).values["reason"] == "> 1 MB"


def test_a_slow_trickle_is_given_up(monkeypatch):
    monkeypatch.setattr(rerank, "LONGEST_ANSWER_SECONDS", 0.0)
    assert caught(reranking("cohere", by_length), error=ServerTimeout)


# Hostile and mistaken answers: an error, never a score


def rows(*pairs: tuple[object, object]) -> dict:
    return {"results": [{"index": index, "relevance_score": score} for index, score in pairs]}


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        None,
        "",
        "not json",
        "[" * 100_000,
        {"results": None},
        {"results": {}},
        {"data": rows((0, 0.1), (1, 0.2))["results"]},
        rows(),
        rows((0, 0.1)),
        rows((0, 0.1), (1, 0.2), (2, 0.3)),
        rows((0, 0.1), (0, 0.2)),
        rows((0, 0.1), (2, 0.2)),
        rows((-1, 0.1), (0, 0.2)),
        rows((0, 0.1), ("1", 0.2)),
        rows((0, 0.1), (True, 0.2)),
        rows((0, 0.1), (1.0, 0.2)),
        rows((0, 0.1), (None, 0.2)),
        rows((0, 0.1), (1, None)),
        rows((0, 0.1), (1, "0.2")),
        rows((0, 0.1), (1, True)),
        rows((0, 0.1), (1, [0.2])),
        rows((0, 0.1), (1, float("nan"))),
        rows((0, 0.1), (1, float("inf"))),
        rows((0, 0.1), (1, 10**400)),
        {"results": [0.1, 0.2]},
        {"results": [{"index": 0, "relevance_score": 0.1}, {"index": 1}]},
        {"results": [{"index": 0, "score": 0.1}, {"index": 1, "score": 0.2}]},
        {"results": [{"index": 0, "relevanceScore": 0.1}, {"index": 1, "relevanceScore": 0.2}]},
    ],
    ids=lambda body: str(body)[:60],
)
@pytest.mark.parametrize("form", ["cohere", "vllm"])
def test_an_answer_without_one_score_a_text_is_an_error(body, form):
    caught(saying(body), form)


@pytest.mark.parametrize(
    "body",
    [
        {"results": [{"index": 0, "score": 1.0}, {"index": 1, "score": 2.0}]},
        [{"index": 0, "relevance_score": 1.0}, {"index": 1, "relevance_score": 2.0}],
        [1.0, 2.0],
    ],
)
def test_the_answer_of_another_form_is_an_error(body):
    caught(saying(body), "tei")


def test_a_score_outside_what_the_form_promises_is_an_error():
    assert caught(saying(rows((0, 0.1), (1, 7.5)))).values["reason"] == "[1].relevance_score = 7.5"


@pytest.mark.parametrize("score", [1.0000001, 1 + 2**-23, -1e-7])
def test_what_lies_outside_by_rounding_alone_is_the_end_of_the_scale(score):
    with saying(rows((0, 0.5), (1, score))) as server:
        assert at(server).score("问", ["a", "b"]).tolist() == [0.5, round(score)]


@pytest.mark.parametrize("form", ["cohere", "tei"])
@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"error": {"code": 1301, "message": f"模型正在加载 {KEY}"}}, "模型正在加载 ***"),
        ({"code": 20012, "message": "Model is\noverloaded", "results": None}, "Model is overloaded"),
        ({"error_code": 336, "error_msg": "额度已用完"}, "额度已用完"),
        ("upstream connect error", "JSON?: upstream connect error"),
    ],
)
def test_an_error_with_status_200_is_said_in_the_servers_words(body, said, form):
    assert caught(saying(body), form, key=KEY).values["reason"].endswith(said)


def test_results_that_are_none_are_shown():
    assert caught(saying({"results": None})).values["reason"] == "results = None"
    assert len(caught(saying({"message": "x" * 1000, "results": None})).values["reason"]) == 200


def test_what_is_not_found_is_said_in_the_servers_words():
    found = caught(saying({"message": "接口不存在"}, status=404), error=ServerAddress)
    assert found.values["said"] == "接口不存在" and str(found).endswith("接口不存在")
    assert caught(saying({"detail": "没有该模型"}, status=404), error=ServerRefused).values["said"] == "没有该模型"


def test_a_page_is_no_api():
    page = "<!doctype html><title>Login</title>"
    caught(saying(page, content_type="text/html"), error=ServerAddress)
    caught(saying(page), error=ServerAddress)
    caught(saying(page, status=404, content_type="text/html"), error=ServerAddress)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(status):
    with reranking("cohere", by_length) as other:
        headers = {"Location": f"http://user:pass@localhost:{other.root.rpartition(':')[2]}/v2/rerank"}
        found = caught(saying("", status=status, headers=headers), error=ServerMoved, key=KEY)
    assert other.requests == []
    assert found.values["target"].startswith("http://localhost:")


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_is_refused_is_not_told(status, caplog):
    caplog.set_level(logging.DEBUG)
    found = caught(saying({"message": f"invalid key {KEY}"}, status=status), error=ServerKey, key=KEY)
    assert found.values["said"] == "invalid key ***"
    assert KEY not in caplog.text + str(found) + repr(RerankServer("http://x", "tei", key=KEY))


# Settings


def test_the_key_goes_into_its_header():
    with reranking("cohere", by_length) as server:
        at(server, key=KEY).score("问", ["a"])
        at(server).score("问", ["a"])
    assert [request["authorization"] for request in server.requests] == [f"Bearer {KEY}", None]


def test_the_environment_names_the_server(monkeypatch):
    with reranking("infinity", by_length) as server:
        for name, value in {"URL": server.root, "FORM": "infinity", "MODEL": "own", "KEY": KEY}.items():
            monkeypatch.setenv(f"RERANK_LAB_RERANK_{name}", value)
        reranker = load_reranker("rerank-server")
        reranker.score("问", ["a"])
    assert server.requests[0]["authorization"] == f"Bearer {KEY}"
    assert (reranker.id, reranker.weights) == ("rerank-server", f"own@{server.root}#infinity")


def test_what_was_typed_wins_and_gets_nothing_of_the_environment_at_another_address(monkeypatch):
    for name, value in {"URL": "http://host", "FORM": "tei", "MODEL": "own", "KEY": KEY}.items():
        monkeypatch.setenv(f"RERANK_LAB_RERANK_{name}", value)
    own = RerankServer("http://host", "tei", "own", KEY)
    assert RerankServer.from_environment() == own
    assert RerankServer.from_environment(RerankServer("", "", guarded=True)) == own
    assert RerankServer.from_environment(RerankServer("http://host/", "", "other")) == RerankServer(
        "http://host", "tei", "other", KEY
    )
    elsewhere = RerankServer("http://elsewhere", "jina", guarded=True)
    assert RerankServer.from_environment(elsewhere) == elsewhere


def test_a_server_of_the_catalogue_has_its_own_key(monkeypatch):
    monkeypatch.setenv("COHERE_API_KEY", "cohere-key")
    monkeypatch.setenv("RERANK_LAB_RERANK_KEY", KEY)
    where = load_reranker("rerank-v5.0-fast", RerankServer("http://elsewhere", "tei", key="typed")).where
    assert (where.endpoint, where.form, where.model, where.key) == (
        "https://api.cohere.com/v2/rerank",
        "cohere",
        "rerank-v5.0-fast",
        "cohere-key",
    )
    with pytest.raises(ServerKeyMissing, match="JINA_API_KEY") as found:
        load_reranker("jina-reranker-v3.5")
    assert found.value.values["setting"] == "JINA_API_KEY"


@pytest.mark.parametrize(
    ("where", "error"),
    [
        (RerankServer("", "tei"), ServerMissing),
        (RerankServer("http://127.0.0.1:9", ""), BadSetting),
        (RerankServer("http://127.0.0.1:9", "openai"), BadSetting),
        (RerankServer("127.0.0.1:9", "tei"), ServerScheme),
        (RerankServer("localhost/rerank", "tei"), ServerScheme),
        (RerankServer("ftp://127.0.0.1", "tei"), ServerAddress),
        (RerankServer("http://", "tei"), ServerAddress),
        (RerankServer("http://127.0.0.1:9", "tei", key="钥匙"), ServerKeyGarbled),
        (RerankServer("http://127.0.0.1:9", "tei", key="a\nb"), ServerKeyGarbled),
    ],
)
def test_what_cannot_be_a_server_is_refused_before_anything_is_sent(where, error):
    with pytest.raises(error):
        RemoteReranker(LINE.id, where)


# As any reranker


def test_the_self_test_tries_it(reranker):
    def score(question: str, text: str) -> float:
        return float(reranker.score(question, [text])[0])

    with reranking("tei", score) as server:
        found = selftest.check(at(server, "tei"))
        own = selftest.check(reranker)
    assert (found.model, found.scale, found.right) == ("rerank-server", "logit", own.right)
    assert (found.lowest, found.highest) == (own.lowest, own.highest)


def test_one_that_gives_everything_the_same_score_is_refused():
    with reranking("cohere", lambda *_: 0.5) as server, pytest.raises(ConstantScores):
        selftest.check(at(server))
