"""Leave work that takes too long, in whatever thread it runs."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from threading import Event, Lock, Thread, get_ident
from typing import TypeVar

Result = TypeVar("Result")

AGAIN = 1.0
"""A finalizer swallows whatever is raised in it: after so many seconds it is raised again."""


class TooLate(BaseException):
    """The time is over. It is no ``Exception``: nothing inside the work is to hold it up."""


def within(seconds: float, work: Callable[[], Result]) -> Result:
    """Do some work; raises TooLate in this thread once so many seconds have passed. One call into C ends first."""
    thread, lock, over, rang = ctypes.c_ulong(get_ident()), Lock(), Event(), False

    def watch() -> None:
        nonlocal rang
        patience = seconds
        while not over.wait(patience):
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
