"""The tab that plays a participant: it must not take an error or an old result for a comparison."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from benchmarks import crowd, room
from benchmarks.live_tab import LiveTab, live
from benchmarks.tab import Tab, opened, play

pytestmark = pytest.mark.slow

QUESTIONS = ("去年市里的财政收入为什么没有收够？", "2025年一般公共预算收入打算增长多少？")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory) -> Path:
    home = tmp_path_factory.mktemp("class")
    crowd.prepare(home)
    return home


@pytest.fixture
def port(served, prepared) -> int:
    return urlsplit(served.open(prepared)).port


def asked(port: int, *questions: str) -> tuple[Tab, list[bool]]:
    """Ask in one tab, one question after another; return it with what it says of each."""

    async def ask() -> tuple[Tab, list[bool]]:
        async with opened(port) as tab:
            return tab, [await tab.compare(question) for question in questions]

    return play(ask())


def test_a_tab_asks_again_and_again_in_one_session(port):
    tab, done = asked(port, *QUESTIONS, QUESTIONS[0], QUESTIONS[0])
    assert done == [True, True, True, True]
    assert tab.runs == 5


def test_an_error_above_an_old_result_is_no_comparison(port):
    tab, done = asked(port, QUESTIONS[0], " ", "长" * 10_000)
    assert done == [True, False, False]
    assert len(tab.orders) == 2


def test_a_note_that_the_result_is_old_is_no_comparison(port):
    async def changed() -> tuple[Tab, bool]:
        async with opened(port) as tab:
            assert await tab.compare(QUESTIONS[0])
            slider = next(value for name, value in tab.values.items() if name.endswith("-depth"))
            slider.double_array_value.data[:] = [7]
            await tab.run()
            return tab, tab.troubled

    tab, troubled = play(changed())
    assert troubled
    assert len(tab.orders) == 2


def test_what_a_tab_holds_is_sent_once(port):
    async def reread() -> tuple[list[object], list[object], list[str]]:
        async with opened(port) as tab:
            assert await tab.compare(QUESTIONS[0])
            before, held = tab.orders, dict(tab.held)
            await tab.run()
            kinds = sorted(element.WhichOneof("type") for name, (_, element) in tab.held.items() if name in held)
            return before, tab.orders, kinds

    before, after, same = play(reread())
    assert before == after
    assert same == ["bidi_component", "vega_lite_chart"]  # both orders in one, and the moves


def test_a_tick_outlasts_what_another_part_of_the_page_draws(port):
    async def ticked() -> tuple[bool, bool]:
        async with opened_room(port) as tab:
            first = next(one.checkbox.id for one in tab.drawn if one.WhichOneof("type") == "checkbox")
            before, runs = tab.values[first].bool_value, tab.finished
            tab.values[first].bool_value = True
            await tab.until(lambda: tab.finished > runs)  # the line that says how far the room is looks every second
            return before, tab.values[first].bool_value

    assert play(ticked()) == (False, True)


@asynccontextmanager
async def opened_room(port: int) -> AsyncIterator[LiveTab]:
    """Open a room, and give the tab of one who has joined."""
    async with AsyncExitStack() as stack:
        teacher = await stack.enter_async_context(live(port, "workshop"))
        tabs = list[LiveTab]()
        await room.join(stack, port, await room.teacher_opens(teacher, QUESTIONS[0]), 0, tabs)
        yield tabs[0]


def test_a_room_is_played_from_the_door_to_the_reveal_without_a_press_in_between(port, monkeypatch):
    for step in ("JOIN_SECONDS", "HAND_IN_SECONDS", "WAIT_SECONDS"):
        monkeypatch.setattr(room, step, 2.0)
    costs = play(room.play(port, 3, QUESTIONS[0], os.getpid()))
    assert [row.split(" | ")[0] for row in costs.rows] == ["| join", "| hand in (with five ticks)", "| reveal"]
    assert float(re.search(r"([\d.]+) looks", costs.looks).group(1)) > 0
