"""Leave work that takes too long, in whatever thread it runs."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock, Timer, get_ident


class TooLate(BaseException):
    """The time is over. It is no ``Exception``: nothing inside the work is to hold it up."""


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Raise TooLate in this thread once so many seconds have passed inside; one call into C ends first."""
    thread, lock, over, rang, raised = ctypes.c_ulong(get_ident()), Lock(), False, False, False

    def ring() -> None:
        nonlocal rang
        with lock:
            if not over:
                rang = True
                ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, ctypes.py_object(TooLate))

    timer = Timer(seconds, ring)
    timer.daemon = True
    timer.start()
    try:
        yield
    except TooLate:
        raised = True
        raise
    finally:
        timer.cancel()
        with lock:
            over = True
        # What rang at the very end is waited for: it must not reach the work that comes after.
        while rang and not raised:
            time.sleep(0)
