"""What a hostile server can do to a question: nothing but an error of ours, in time."""

from __future__ import annotations

import gzip
import itertools
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from llm_server import LLMServer, Reply, completion, embeddings, refusal, stream

from rag_core.errors import (
    RerankLabError,
    ServerAddress,
    ServerBadAnswer,
    ServerBusy,
    ServerError,
    ServerMoved,
    ServerRefused,
    ServerTimeout,
    ServerTooLong,
    ServerUnreachable,
)
from rag_core.models.embed import load_embedder
from rag_core.servers import http, limits
from rag_core.servers.llm import ChatModel, LLMSettings

pytestmark = pytest.mark.slow

KEY = "sk-distinctive-0123456789wxyz"
QUESTION = [{"role": "user", "content": "预算收入增长多少？"}]
DELTA = stream(["根据"], finish=None, end="").body
SILENCE = 0.4
IN_TIME = 20.0  # far above what is measured on a busy machine, far below the hour or the forever that is tried


def completed(address: str) -> object:
    return ChatModel(LLMSettings(KEY, address, "m"), SILENCE).complete(QUESTION)


def streamed(address: str) -> object:
    return "".join(ChatModel(LLMSettings(KEY, address, "m"), SILENCE).stream(QUESTION))


def embedded(address: str) -> object:
    embedder = load_embedder("text-embedding-3-small", LLMSettings(KEY, address))
    embedder.client = embedder.client.with_options(timeout=SILENCE)
    return embedder.embed_queries(["x"]).shape


WAYS = {"complete": completed, "stream": streamed, "embed": embedded}
every_way = pytest.mark.parametrize("ask", WAYS.values(), ids=WAYS)


def failure(ask: Callable[[str], object], reply: Reply | Callable, address: str = "") -> RerankLabError:
    with LLMServer(reply) as server, pytest.raises(RerankLabError) as caught:
        began = time.monotonic()
        ask(address or server.base_url)
    assert time.monotonic() - began < IN_TIME
    assert KEY not in f"{caught.value} {caught.value.values}"
    return caught.value


def in_turn(*replies: Reply) -> Callable[[dict], Reply]:
    turn: Iterator[Reply] = itertools.chain(replies, itertools.repeat(replies[-1]))
    return lambda _: next(turn)


@every_way
@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply("{}", delay=30), ServerTimeout),
        (replace(completion("late"), delay=2 * SILENCE), ServerTimeout),
        (refusal(500, "down"), ServerRefused),
        (refusal(429, "slow down", **{"Retry-After": "3600"}), ServerBusy),
        (refusal(503, "slow down", **{"Retry-After": "3600"}), ServerBusy),
        (Reply("<html>Sign in</html>", content_type="text/html"), ServerAddress),
        (Reply('{"choices": [{"mess'), ServerBadAnswer),
        (Reply('{"answer": "8.2%"}'), ServerBadAnswer),
        (Reply(b'{"choices": [{"message": {"content": "\xff\xfe"}}]}'), ServerBadAnswer),
        (Reply(gzip.compress(b"{}"), headers={"Content-Encoding": "gzip"}), ServerBadAnswer),
        (Reply("", status=307, headers={"Location": "http://127.0.0.2:9/v1"}), ServerMoved),
    ],
    ids=["never", "late", "500", "429", "503", "html", "broken", "fields", "utf-8", "packed", "redirect"],
)
def test_each_trouble_has_its_error_in_time(ask, reply, error):
    assert type(failure(ask, reply)) is error


@pytest.mark.parametrize(
    "body",
    [b'data: {"choices": [{"delta": {"content": "\xff"}}]}\n\n', b'data: {"choices": [{"delta": {"content": 5}}]}\n\n'],
    ids=["utf-8", "number"],
)
def test_a_stream_of_something_else_is_a_bad_answer(body):
    caught = failure(streamed, Reply(DELTA.encode() + body, content_type="text/event-stream"))
    assert (type(caught), caught.values["text"]) == (ServerBadAnswer, "根据")


RIGHT = {"complete": completion("8.2%"), "stream": stream(["8.2%"]), "embed": embeddings({0: [3, 4]})}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "first", [refusal(500, "once"), refusal(429, "slow down", **{"Retry-After": "1"})], ids=["500", "429"]
)
def test_a_passing_trouble_is_asked_again_once(way, first):
    with LLMServer(in_turn(first, RIGHT[way])) as server:
        began = time.monotonic()
        assert WAYS[way](server.base_url) in ("8.2%", (1, 2))
    assert len(server.requests) == 2
    assert time.monotonic() - began >= (1 if first.status == 429 else 0.3)


def test_a_server_that_asks_for_an_hour_is_not_asked_again():
    with LLMServer(refusal(429, "quota", **{"Retry-After": "3600"})) as server, pytest.raises(ServerBusy) as caught:
        completed(server.base_url)
    assert len(server.requests) == 1
    told = {name: caught.value.values[name] for name in ("status", "seconds", "said")}
    assert told == {"status": 429, "seconds": "3600", "said": "quota"}


@pytest.mark.parametrize("date", ["Wed, 25 Nov 2026 09:00:00 GMT", "-1", "", "九", "1e9", "9" * 400])
def test_a_wait_that_is_no_number_of_seconds_is_none(date):
    import httpx2

    assert http.wait_seconds(httpx2.Headers([(b"Retry-After", date.encode())])) is None


@pytest.mark.parametrize(
    "reply",
    [
        stream(["根据"], finish=None, end=""),
        stream(["根据"], finish=None, end="", length=10_000),
        replace(stream(["根据"], finish=None, end=""), again=" ", pause=60),
    ],
    ids=["ended", "lost", "silent"],
)
def test_a_stream_is_not_asked_again_once_a_piece_was_given(reply):
    with LLMServer(reply) as server, pytest.raises(ServerError) as caught:
        streamed(server.base_url)
    assert len(server.requests) == 1
    assert type(caught.value) is (ServerTimeout if reply.again else ServerBadAnswer)


@pytest.mark.parametrize(
    ("ask", "reply"),
    [
        (streamed, Reply(DELTA, content_type="text/event-stream", again=DELTA)),
        (streamed, Reply(DELTA, content_type="text/event-stream", again=": alive\n\n")),
        (streamed, Reply("data: ", content_type="text/event-stream", again="x")),
        (completed, Reply("{", again=" ")),
        (embedded, Reply("{", again=" ")),
    ],
    ids=["answer", "comments", "line", "complete", "embed"],
)
def test_an_endless_answer_is_stopped(ask, reply, monkeypatch):
    monkeypatch.setattr(limits, "LONGEST_SECONDS", 0.5)
    with LLMServer(reply) as server, pytest.raises(ServerTooLong):
        began = time.monotonic()
        ask(server.base_url)
    assert 0.5 <= time.monotonic() - began < IN_TIME
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("ask", "reply"),
    [
        (streamed, stream(["x" * 10_000_000])),
        (streamed, stream(["根据"] * 10_001)),
        (completed, completion("根" * 20_001)),
        (completed, Reply('{"choices": [' + " " * 17 * 2**20)),
        (embedded, Reply('{"data": [' + " " * 17 * 2**20)),
    ],
    ids=["one chunk", "many chunks", "complete", "spaces", "embed"],
)
def test_a_huge_answer_is_stopped(ask, reply):
    with LLMServer(reply) as server, pytest.raises(ServerTooLong):
        ask(server.base_url)


def test_an_answer_of_the_longest_length_is_whole():
    with LLMServer(stream(["根" * 20_000])) as server:
        assert streamed(server.base_url) == "根" * 20_000


@pytest.mark.parametrize("ask", [completed, streamed], ids=["complete", "stream"])
def test_half_a_character_can_be_drawn(ask):
    half = '{"choices": [{"%s": {"content": "8\\ud83d"}, "finish_reason": "stop"}]}'
    body = half % "message" if ask is completed else f"data: {half % 'delta'}\n\n"
    with LLMServer(Reply(body, content_type="application/json" if ask is completed else "text/event-stream")) as server:
        assert ask(server.base_url) == "8?"


@every_way
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_carries_neither_key_nor_question(ask, status):
    with LLMServer(completion("stolen")) as elsewhere:
        location = f"{elsewhere.root}/v1?key={KEY}"
        caught = failure(ask, Reply("", status=status, headers={"Location": location}))
        assert elsewhere.requests == []
        assert (type(caught), caught.values["target"]) == (ServerMoved, elsewhere.root)


@every_way
def test_tls_to_a_plain_port_is_unreachable(ask):
    with LLMServer(completion("x")) as server:
        assert type(failure(ask, completion("x"), server.base_url.replace("http:", "https:"))) is ServerUnreachable


@every_way
def test_a_closed_port_is_unreachable(ask):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        assert (
            type(failure(ask, completion("x"), f"http://127.0.0.1:{closed.getsockname()[1]}/v1")) is ServerUnreachable
        )


def test_a_header_that_quotes_the_key_is_in_no_log(caplog):
    caplog.set_level("DEBUG")
    echo = Reply(completion("x").body, headers={"X-Request-Id": KEY, "X-Echo": f"Bearer {KEY}"})
    with LLMServer(echo) as server:
        completed(server.base_url)
    assert KEY not in caplog.text


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (f"no {KEY} here", "no *** here"),
        (f"Bearer {KEY}", "Bearer ***"),
        ("provided: sk-di****wxyz.", "provided: ***"),
        ("provided: sk-distin…", "provided: ***"),
        ("the key ...wxyz is blocked", "the key *** is blocked"),
        ("密钥sk-distinctive-01无效", "密钥***无效"),
        ("no risk-distinction here", "no risk-distinction here"),
    ],
)
def test_a_key_is_blanked_out_where_it_is_quoted_in_part(said, shown):
    assert LLMSettings(KEY).peer.without_key(said) == shown
    assert failure(completed, refusal(400, said)).values["said"] == shown


def test_a_short_key_of_a_local_server_hides_nothing_but_itself():
    assert LLMSettings("none").peer.without_key("none of the sources; nonetheless") == "*** of the sources; ***theless"


@pytest.mark.parametrize("address", [f"http://host/v1?api-key={KEY}x#{KEY}", "http://me:pa?ss@host/v1?a"])
def test_an_address_is_shown_and_kept_without_its_parameters(address):
    assert LLMSettings(KEY, address).address == "http://host/v1"
    assert load_embedder("text-embedding-3-small", LLMSettings(KEY, "http://h/v1?a=b")).id.endswith("@http://h/v1")


def test_an_answer_that_quotes_the_key_is_blanked_out():
    with LLMServer(completion(f"1. {KEY} asks")) as server:
        assert completed(server.base_url) == "1. *** asks"
    caught = failure(streamed, stream([KEY[:9], KEY[9:]], finish=None, end=""))
    assert caught.values["text"] == "***"
