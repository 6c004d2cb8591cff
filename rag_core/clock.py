"""The time of day by which what is kept grows old: it goes on evenly where this machine's clock is set meanwhile.

A clock that is put forward by a day would have the documents of everybody who is here taken for those of yesterday.
"""

import time


def passed() -> float:
    """Return the seconds since some moment; where the system tells, those in which the machine slept too."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot is None else time.clock_gettime(boot)


BEGAN = time.time() - passed()


def now() -> float:
    """Return seconds of the epoch, by the clock as it was when this process began."""
    return BEGAN + passed()
