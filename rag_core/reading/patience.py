"""Leave work that takes too long, in whatever thread it runs."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock, Timer, get_ident


class TooLate(BaseException):
    """The time is over. It is no ``Exception``: nothing inside the work is to hold it up."""


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Raise TooLate in this thread once so many seconds have passed inside; one call into C ends first."""
    thread, lock, over = ctypes.c_ulong(get_ident()), Lock(), False

    def ring() -> None:
        with lock:
            if not over:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, ctypes.py_object(TooLate))

    timer = Timer(seconds, ring)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        with lock:
            over = True
        # What was raised at the very end must not reach the work that comes after.
        ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, None)
