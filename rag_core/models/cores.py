"""How many of the machine's cores this process may use."""

from __future__ import annotations

import math
import os
from contextlib import suppress
from functools import cache
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")


@cache
def cores() -> int:
    """Return how many cores this process may keep busy at once: at least one.

    A container is often given fewer than the machine has, by an affinity mask or by a quota of time.
    """
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    limit = quota(CGROUPS)
    return max(1, allowed if math.isinf(limit) else min(allowed, math.ceil(limit)))


def quota(folder: Path) -> float:
    """Return how many cores' time the control group at ``folder`` gives, of either version; infinity where no limit."""
    with suppress(OSError, ValueError):
        given, period = (folder / "cpu.max").read_text().split()
        return math.inf if given == "max" else int(given) / int(period)
    with suppress(OSError, ValueError):
        microseconds, each = (int((folder / "cpu" / f"cpu.cfs_{name}_us").read_text()) for name in ("quota", "period"))
        return microseconds / each if microseconds > 0 else math.inf
    return math.inf
