"""How long something takes."""

import time
from collections.abc import Callable
from typing import NamedTuple


class Time(NamedTuple):
    """Seconds on the wall, and of all cores together; the shorter of two is the one with fewer on the wall."""

    wall: float
    cpu: float


def timed(work: Callable[[], object]) -> Time:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return Time(time.perf_counter() - wall, time.process_time() - cpu)


def seconds(work: Callable[[], object]) -> float:
    return timed(work).wall


def best_of(work: Callable[[], object], times: int) -> float:
    """Return the shortest of several times: what else the machine does can only lengthen one."""
    return min(seconds(work) for _ in range(times))
