"""To which addresses a visitor's server may lead, and how long the head of its answer may take."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from threading import Thread

import pytest
from llm_server import LLMServer, completion

from rag_core import presence
from rag_core.errors import ServerInternal, ServerTimeout
from rag_core.models import catalog
from rag_core.models.embed import load_embedder
from rag_core.servers import http
from rag_core.servers.llm import ChatModel, LLMSettings
from rag_core.servers.rerank import RemoteReranker, RerankServer

OWN = [
    "127.0.0.1",
    "localhost",
    "2130706433",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.0.1",
    "169.254.169.254",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "192.88.99.1",
    "224.0.0.1",
    "255.255.255.255",
    "0.0.0.0",
    "[::1]",
    "[::]",
    "[::7f00:1]",
    "[::ffff:127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::a01:203]",
    "[2002:7f00:1::]",
    "[2002:a9fe:a9fe::1]",
    "[2001:0:7f00:1::]",
    "[fe80::1]",
    "[fec0::1]",
    "[fd00:ec2::254]",
    "[ff0e::1]",
    "[5f00::1]",
    "no-such-host.invalid",
]
PUBLIC = ["1.1.1.1", "8.8.8.8", "[2606:4700::1111]", "[64:ff9b::808:808]", "[2002:808:808::1]", "[::ffff:8.8.8.8]"]
QUESTION = [{"role": "user", "content": "the text of a chunk"}]
NAME = "rebound.example"


@pytest.mark.parametrize("host", OWN)
def test_a_visitors_server_may_not_stand_in_the_hosts_network(host):
    RemoteReranker("rerank-server", RerankServer(f"http://{host}:80", "tei"))
    with pytest.raises(ServerInternal):
        RemoteReranker("rerank-server", RerankServer(f"http://{host}:80", "tei", guarded=True))


@pytest.mark.parametrize("host", PUBLIC)
def test_a_visitors_server_may_stand_outside(host):
    RemoteReranker("rerank-server", RerankServer(f"https://{host}", "tei", guarded=True))


def port_of(server: LLMServer) -> str:
    return server.root.rpartition(":")[2]


def chat(url: str) -> object:
    return ChatModel(LLMSettings("key", url, guarded=True)).complete(QUESTION)


def embed(url: str) -> object:
    where = LLMSettings("key", url, "m", guarded=True)
    return load_embedder(catalog.EMBEDDERS[-1].id, where).embed_texts(["the text of a chunk"])


def rerank(url: str) -> object:
    return RemoteReranker("rerank-server", RerankServer(url, "tei", guarded=True)).score("question", ["a chunk"])


ASKERS = pytest.mark.parametrize("ask", [chat, embed, rerank])


@pytest.fixture
def leads(monkeypatch) -> Callable[..., list[str]]:
    """Let the system look a name up to one address after the other, the last one for ever."""
    looked_up = socket.getaddrinfo

    def leading(*addresses: str) -> list[str]:
        said: list[str] = []

        def answer(host, *others, **options):
            if host == NAME:
                said.append(addresses[min(len(said), len(addresses) - 1)])
            return looked_up(said[-1] if host == NAME else host, *others, **options)

        monkeypatch.setattr(socket, "getaddrinfo", answer)
        return said

    return leading


@ASKERS
def test_a_name_that_leads_into_the_hosts_network_only_later_gets_nothing(leads, ask):
    said = leads("1.1.1.1", "127.0.0.1")
    with LLMServer(completion("caught")) as own, pytest.raises(ServerInternal):
        ask(f"http://{NAME}:{port_of(own)}/v1")
    assert own.requests == []
    assert "127.0.0.1" in said


@ASKERS
def test_a_visitors_server_is_not_asked_through_the_hosts_proxy(leads, monkeypatch, ask):
    leads("1.1.1.1", "127.0.0.1")
    with LLMServer(completion("caught")) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{port_of(proxy)}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        with pytest.raises(ServerInternal):
            ask(f"http://{NAME}:{port_of(proxy)}/v1")
    assert proxy.requests == []


def test_the_address_that_was_looked_at_is_connected_to_under_the_name_that_was_typed(leads, monkeypatch):
    said = leads("127.0.0.1")
    monkeypatch.setattr(http, "are_public", bool)  # nothing public answers here
    with LLMServer(completion("heard")) as server:
        assert chat(f"http://{NAME}:{port_of(server)}/v1") == "heard"
    assert server.hosts == [f"{NAME}:{port_of(server)}"]
    assert len(said) == 2, "once before anything is sent, and once for the connection"


@contextmanager
def dripping(head: bytes) -> Iterator[int]:
    """Serve a head and then a byte of a further header every 20 ms, for as long as somebody listens."""

    def serve(connection: socket.socket) -> None:
        with connection:
            connection.recv(65536)
            connection.sendall(head)
            try:
                while True:
                    connection.sendall(b"x")
                    time.sleep(0.02)
            except OSError:
                return

    with socket.create_server(("127.0.0.1", 0)) as listening:

        def accept() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                Thread(target=serve, args=(connection,), daemon=True).start()

        Thread(target=accept, daemon=True).start()
        yield listening.getsockname()[1]


def ask_chat(port: int) -> object:
    return ChatModel(LLMSettings("key", f"http://127.0.0.1:{port}/v1"), timeout=0.3).complete(QUESTION)


def ask_reranker(port: int) -> object:
    where = RerankServer(f"http://127.0.0.1:{port}", "tei")
    return RemoteReranker("rerank-server", where, timeout=0.3).score("question", ["a chunk"])


def ask_chat_patiently(root: str) -> object:
    return ChatModel(LLMSettings("key", f"{root}/v1")).complete(QUESTION)


def ask_reranker_patiently(root: str) -> object:
    return RemoteReranker("rerank-server", RerankServer(root, "tei")).score("question", ["a chunk"])


@pytest.mark.parametrize("ask", [ask_chat, ask_reranker])
@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\nx-a: "])
def test_a_head_that_drips_is_given_up(ask, head):
    start = time.monotonic()
    with dripping(head) as port, pytest.raises(ServerTimeout) as caught:
        ask(port)
    assert caught.value.values["seconds"] == "0.3"
    assert time.monotonic() - start < 10


@pytest.mark.parametrize("ask", [ask_chat_patiently, ask_reranker_patiently])
def test_nobody_waits_for_a_silent_server_whose_reader_has_left(ask):
    asked = list[float]()

    def left() -> None:
        asked.append(time.monotonic())
        if len(asked) > 2:
            raise KeyboardInterrupt

    silent = LLMServer(replace(completion("late"), delay=25))
    with silent as server, presence.asked(left), pytest.raises(KeyboardInterrupt):
        ask(server.root)
    assert len(server.requests) == 1
    assert time.monotonic() - asked[0] < 15


def test_an_answer_may_take_longer_than_its_head_and_each_request_has_its_own_time(monkeypatch):
    slow = completion("heard")
    with LLMServer(slow) as server:
        model = ChatModel(LLMSettings("key", server.base_url), timeout=0.5)
        for _ in range(3):
            assert model.complete(QUESTION) == "heard"
            time.sleep(0.3)
