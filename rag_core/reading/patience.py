"""Leave work that takes too long, in whatever thread it runs."""

from __future__ import annotations

import ctypes
import math
import time
from collections.abc import Callable
from threading import Event, Lock, Thread, get_ident
from typing import TypeVar

Result = TypeVar("Result")

LOOK = 0.05
"""Seconds between two looks at the clock, at least: a thread that waits for its turn has used none of its own."""

AGAIN = 1.0
"""A finalizer swallows whatever is raised in it: after so many seconds it is raised again."""


class TooLate(BaseException):
    """The time is over. It is no ``Exception``: nothing inside the work is to hold it up."""


def within(seconds: float, work: Callable[[], Result]) -> Result:
    """Do some work; raises TooLate in this thread once it has worked for so many seconds. One call into C ends first.

    The thread's own time counts, so that a busy machine reads what an idle one does; where the system does not tell it,
    all that passes.
    """
    thread, lock, over, rang = ctypes.c_ulong(get_ident()), Lock(), Event(), False
    clock = _own_clock(get_ident())
    end = clock() + seconds

    def watch() -> None:
        nonlocal rang
        patience = seconds
        while not over.wait(patience):
            if not rang and (left := end - clock()) > 0:
                patience = max(left, LOOK)
                continue
            with lock:
                if not over.is_set():
                    rang, patience = True, AGAIN
                    ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, ctypes.py_object(TooLate))

    try:
        try:
            Thread(target=watch, daemon=True).start()
            return work()
        finally:
            over.set()
    except TooLate:
        over.set()  # it may have come before the line above was done
        raise
    finally:
        with lock:
            over.set()
        # What rang at the very end is raised in here: it must not reach the work that comes after.
        for _ in range(100 if rang else 0):
            pass


def _own_clock(ident: int) -> Callable[[], float]:
    """Return the clock of a thread's own time, of all that passes where the system has none."""
    if not hasattr(time, "pthread_getcpuclockid"):
        return time.monotonic
    number = time.pthread_getcpuclockid(ident)

    def clock() -> float:
        try:
            return time.clock_gettime(number)
        except OSError:  # the thread has ended since
            return math.inf

    return clock
