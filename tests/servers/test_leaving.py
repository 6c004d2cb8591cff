"""Who closes the page gives up their turn at a silent server, and the next one has it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import urlencode

import pytest
from llm_server import LLMServer, Reply
from rerank_server import answer
from running_app import running_app
from screens import SMALL

from benchmarks import live_tab
from benchmarks.live_tab import LiveTab, live
from benchmarks.tab import play
from rag_core.lab import Lab

pytestmark = pytest.mark.slow

MOST_SECONDS = 120
SILENT, HELD, NEXT = 25, "How many nurses were hired?", "How many beds were opened?"


def silent(asked: dict[str, Any]) -> Reply:
    """Answer whoever asks in other words than these two, as the self-test does, and keep silent to them."""
    texts = asked["texts"]
    scores = [-float(place) for place in range(len(texts))]
    return Reply(json.dumps(answer("tei", texts, scores)), delay=SILENT if asked["query"] in (HELD, NEXT) else 0)


def test_who_leaves_gives_up_their_turn_at_a_silent_server(tmp_path, monkeypatch):
    monkeypatch.setattr(live_tab, "PATIENCE_SECONDS", 300)
    lab = Lab(tmp_path / "home")
    document = lab.add(SMALL, "small.pdf")
    lab.close()
    with LLMServer(silent) as server:
        extra = {"RERANK_LAB_RERANK_URL": server.root, "RERANK_LAB_RERANK_FORM": "tei"}
        with running_app(tmp_path / "home", extra) as address:
            waited = play(leave(int(address.rpartition(":")[2]), document.id, server))
    assert waited < SILENT / 2


async def leave(port: int, doc_id: str, server: LLMServer) -> float:
    """Have one leave whose turn it is; return how long it took until the next one's question was asked."""
    async with AsyncExitStack() as stack:

        async def opened(question: str) -> LiveTab:
            """Open a link and press the button, as a link to somebody's server asks for."""
            tab = await stack.enter_async_context(live(port, "compare", link(doc_id, question)))
            await tab.until(lambda: tab.button_of("-compare") is not None)
            await tab.press("-compare")
            return tab

        before = await opened("What was repaired?")  # what is loaded and indexed for it takes nobody's time below
        await before.until(lambda: len(before.orders) == 2)
        first = await opened(HELD)
        await came(server, HELD)
        second = await opened(NEXT)
        await true(lambda: waits(second))
        start = time.monotonic()
        await first.connection.close()
        await came(server, NEXT)
        return time.monotonic() - start


def link(doc_id: str, question: str) -> str:
    return urlencode({"doc": doc_id, "q": question, "reranker": "rerank-server", "lang": "en"})


def waits(tab: LiveTab) -> bool:
    return any("before you" in one.progress.text for one in tab.places.values())


async def came(server: LLMServer, question: str) -> None:
    await true(lambda: any(asked["body"]["query"] == question for asked in server.requests))


async def true(said: Callable[[], bool]) -> None:
    """Wait for what shows in the middle of a run of the page."""
    async with asyncio.timeout(MOST_SECONDS):
        while not said():
            await asyncio.sleep(0.05)
