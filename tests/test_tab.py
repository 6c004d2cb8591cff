"""The tab that plays a participant: it must not take an error or an old result for a comparison."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

import pytest

from benchmarks import crowd
from benchmarks.tab import Tab, opened
from tests.running_app import running_app

QUESTIONS = ("去年市里的财政收入为什么没有收够？", "2025年一般公共预算收入打算增长多少？")


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    home = tmp_path_factory.mktemp("class")
    crowd.prepare(home)
    with running_app(home) as address:
        yield urlsplit(address).port


def asked(port: int, *questions: str) -> tuple[Tab, list[bool]]:
    """Ask in one tab, one question after another; return it with what it says of each."""

    async def ask() -> tuple[Tab, list[bool]]:
        async with opened(port) as tab:
            return tab, [await tab.compare(question) for question in questions]

    return asyncio.run(ask())


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
            slider = next(value for name, value in tab.values.items() if name.endswith("-cutoff"))
            slider.double_array_value.data[:] = [7]
            await tab.run()
            return tab, tab.troubled

    tab, troubled = asyncio.run(changed())
    assert troubled
    assert len(tab.orders) == 2


def test_what_a_tab_holds_is_sent_once(port):
    async def reread() -> tuple[list[bytes], list[bytes], int]:
        async with opened(port) as tab:
            assert await tab.compare(QUESTIONS[0])
            before, held = tab.orders, dict(tab.held)
            await tab.run()
            return before, tab.orders, len(set(held) & set(tab.held))

    before, after, same = asyncio.run(reread())
    assert before == after
    assert same == 3  # both orders and the chart
