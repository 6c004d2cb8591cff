"""In the line before a silent server: who closes the page gives up their turn, who asks for less keeps their place."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import AsyncExitStack
from threading import Event
from typing import Any
from urllib.parse import urlencode

import pytest
from llm_server import LLMServer, Reply
from rerank_server import answer
from running_app import running_app
from screens import SMALL
from streamlit.proto.WidgetStates_pb2 import WidgetState

from benchmarks import live_tab
from benchmarks.live_tab import LiveTab, live
from benchmarks.tab import play
from rag_core.lab import Lab

pytestmark = pytest.mark.slow

MOST_SECONDS = 120
SILENT, HELD, NEXT, LAST = 25, "How many nurses were hired?", "How many beds were opened?", "Who paid for it?"
CUT = {"chunks": "sentence-600-120", "depth": 20}
SLOW, FEWER, ENOUGH = "What does the report say?", 10, Event()

Opened = Callable[[str], Awaitable[LiveTab]]


def silent(asked: dict[str, Any]) -> Reply:
    """Answer whoever asks in other words than these, as the self-test does, and keep silent to them."""
    texts = asked["texts"]
    scores = [-float(place) for place in range(len(texts))]
    if asked["query"] == SLOW:
        assert ENOUGH.wait(MOST_SECONDS)
    return Reply(json.dumps(answer("tei", texts, scores)), delay=SILENT if asked["query"] in (HELD, NEXT) else 0)


@pytest.fixture
def server() -> Iterator[LLMServer]:
    with LLMServer(silent) as server:
        yield server


@pytest.fixture
def readers(server, tmp_path, monkeypatch) -> Iterator[Callable[[Callable[[Opened], Coroutine[Any, Any, Any]]], Any]]:
    """Return what plays readers of one document, who each open a link with a question and press the button."""
    monkeypatch.setattr(live_tab, "PATIENCE_SECONDS", 300)
    lab = Lab(tmp_path / "home")
    document = lab.add(SMALL, "small.pdf")
    lab.close()
    extra = {"RERANK_LAB_RERANK_URL": server.root, "RERANK_LAB_RERANK_FORM": "tei"}
    with running_app(tmp_path / "home", extra) as address:
        yield lambda acts: play(seated(int(address.rpartition(":")[2]), document.id, acts))


async def seated(port: int, doc_id: str, acts: Callable[[Opened], Coroutine[Any, Any, Any]]) -> Any:
    async with AsyncExitStack() as stack:

        async def opened(question: str) -> LiveTab:
            tab = await stack.enter_async_context(live(port, "compare", link(doc_id, question)))
            await tab.until(lambda: tab.button_of("-compare") is not None)
            await tab.press("-compare")
            return tab

        before = await opened("What was repaired?")  # what is loaded and indexed for it takes nobody's time below
        await before.until(lambda: len(before.orders) == 2)
        return await acts(opened)


def test_who_leaves_gives_up_their_turn_at_a_silent_server(readers, server):
    async def leave(opened: Opened) -> float:
        first = await opened(HELD)
        await came(server, HELD)
        second = await opened(NEXT)
        await true(lambda: waits(second))
        start = time.monotonic()
        await first.connection.close()
        await came(server, NEXT)
        return time.monotonic() - start

    assert readers(leave) < SILENT / 2


def test_who_takes_fewer_candidates_while_waiting_keeps_their_place(readers, server):
    async def take_fewer(opened: Opened) -> None:
        await opened(SLOW)
        await came(server, SLOW)
        second = await opened(HELD)
        await true(lambda: waits(second) and shown(second, "-fewer") is not None)
        third = await opened(LAST)
        await true(lambda: waits(third))
        await second.ask(WidgetState(id=shown(second, "-fewer"), trigger_value=True))
        await true(lambda: waits(second) and shown(second, "-fewer") is None)
        ENOUGH.set()
        await second.until(lambda: len(second.orders) == 2)
        await third.until(lambda: len(third.orders) == 2)

    readers(take_fewer)
    asked = [(one["body"]["query"], len(one["body"]["texts"])) for one in server.requests]
    [held] = [count for question, count in asked if question == HELD]
    [last] = [count for question, count in asked if question == LAST]
    assert held <= FEWER < last, "candidates and what is scored beside them"
    order = [question for question, _ in asked]
    assert order.index(SLOW) < order.index(HELD) < order.index(LAST)


def link(doc_id: str, question: str) -> str:
    return urlencode({"doc": doc_id, "q": question, "reranker": "rerank-server", "lang": "en", **CUT})


def shown(tab: LiveTab, ending: str) -> str | None:
    """Return the id of a button that this run of the page has drawn."""
    drawn = (tab.places[place] for place in tab.fresh)
    return next((one.button.id for one in drawn if one.HasField("button") and ending in one.button.id), None)


def waits(tab: LiveTab) -> bool:
    """Say whether this run of the page has drawn that others are before."""
    return any("before you" in tab.places[place].progress.text for place in tab.fresh)


async def came(server: LLMServer, question: str) -> None:
    await true(lambda: any(asked["body"]["query"] == question for asked in server.requests))


async def true(said: Callable[[], bool]) -> None:
    """Wait for what shows in the middle of a run of the page."""
    async with asyncio.timeout(MOST_SECONDS):
        while not said():
            await asyncio.sleep(0.05)
