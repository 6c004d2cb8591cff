"""Play a room of the workshop: thirty join, hand in and see the reveal, each in a tab of their own."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack

import numpy as np
import psutil

from benchmarks.live_tab import LiveTab, live
from pages.ui.shell.i18n import texts
from rag_core.workshop.predict import PICKS, SHOWN

JOIN_SECONDS, HAND_IN_SECONDS, WAIT_SECONDS = 10.0, 20.0, 20.0
"""How long it takes a class to scan the code, to hand in, and how long it then waits for the teacher."""

SAID = texts("zh")


class Costs:
    """What each step took: its median, 95th percentile and slowest in wall seconds, CPU seconds a participant."""

    def __init__(self, pid: int) -> None:
        self.process, self.rows, self.looks = psutil.Process(pid), list[str](), ""

    def cpu(self) -> float:
        times = self.process.cpu_times()
        return times.user + times.system

    async def step(self, name: str, work: list[Coroutine[None, None, float]]) -> None:
        before = self.cpu()
        took = await asyncio.gather(*work)
        each = (self.cpu() - before) / len(took)
        p50, p95 = np.percentile(took, [50, 95])
        self.rows.append(f"| {name} | {p50:.2f} s | {p95:.2f} s | {max(took):.2f} s | {each:.3f} s |")


async def teacher_opens(tab: LiveTab, question: str) -> str:
    """Open a room with a question; return its code."""
    await tab.until(lambda: any(name.endswith("-workshop_part") for name in tab.values))
    part = next(value for name, value in tab.values.items() if name.endswith("-workshop_part"))
    part.string_array_value.data[:] = [SAID["workshop.room"]]
    await tab.ask()
    await tab.until(lambda: any(name.endswith("-room_code") for name in tab.values))
    next(value for name, value in tab.values.items() if name.endswith("-question")).string_value = question
    await tab.press("FormSubmitter:deal")
    await tab.until(lambda: bool(code_of(tab)))
    return code_of(tab)


def code_of(tab: LiveTab) -> str:
    shown = [one.metric.body for one in tab.drawn if one.metric.label == SAID["room.code"]]
    return shown[0].replace(" ", "") if shown else ""


async def timed(work: Callable[[], Coroutine[None, None, None]], within: float = 0.0) -> float:
    """Do it at some moment within these seconds; return how long it took."""
    await asyncio.sleep(random.uniform(0, within))
    start = time.monotonic()
    await work()
    return time.monotonic() - start


async def join(stack: AsyncExitStack, port: int, code: str, number: int, tabs: list[LiveTab]) -> None:
    tab = await stack.enter_async_context(live(port, "workshop", f"lang=zh&room={code}&me={number}"))
    await tab.until(lambda: sum(one.WhichOneof("type") == "checkbox" for one in tab.drawn) == SHOWN)
    tabs.append(tab)


async def hand_in(tab: LiveTab) -> float:
    """Tick five, one after another; return how long the button took."""
    await asyncio.sleep(random.uniform(0, HAND_IN_SECONDS))
    for place in random.sample(range(SHOWN), PICKS):
        await tab.set_box(place)

    async def press() -> None:
        await tab.press("-submit")
        await tab.until(lambda: tab.says(SAID["room.handed_in"]))

    return await timed(press)


async def shown(tab: LiveTab, component: str) -> None:
    await tab.until(lambda: tab.shows(component))


async def play(port: int, people: int, question: str, pid: int) -> Costs:
    costs, tabs = Costs(pid), list[LiveTab]()
    async with AsyncExitStack() as stack:
        teacher = await stack.enter_async_context(live(port, "workshop"))
        code = await teacher_opens(teacher, question)
        joining = [timed(lambda n=n: join(stack, port, code, n, tabs), JOIN_SECONDS) for n in range(people)]
        await costs.step("join", joining)
        await costs.step("hand in (with five ticks)", [hand_in(tab) for tab in tabs])
        await wait(costs, [teacher, *tabs])
        await teacher.press("-reveal")
        await costs.step("reveal", [timed(lambda tab=tab: shown(tab, "room_picture")) for tab in tabs])
    return costs


async def wait(costs: Costs, tabs: list[LiveTab]) -> None:
    """Let everybody wait; note what it costs that they look by themselves."""
    before, asked, start = costs.cpu(), sum(tab.asked for tab in tabs), time.monotonic()
    await asyncio.sleep(WAIT_SECONDS)
    seconds, looks, spent = time.monotonic() - start, sum(tab.asked for tab in tabs) - asked, costs.cpu() - before
    costs.looks = f"waiting: {looks / seconds:.1f} looks a second take {spent / seconds:.3f} CPU seconds a second"
