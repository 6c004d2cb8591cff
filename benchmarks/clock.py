"""How long something takes."""

import time
from collections.abc import Callable


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def best_of(work: Callable[[], object], times: int) -> float:
    """Return the shortest of several times: what else the machine does can only lengthen one."""
    return min(seconds(work) for _ in range(times))
