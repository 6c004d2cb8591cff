"""Whether somebody still waits for what is being done, asked wherever this program itself waits for others.

Who closes a page cannot be told by it, and a thread that waits for a server or for another process does not notice:
without this a reader who left kept their turn until the answer came, or did not come.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

LOOK_SECONDS = 1.0
"""So long does something wait, at most, until it asks again."""

_ask: ContextVar[Callable[[], None]] = ContextVar("ask", default=lambda: None)


@contextmanager
def asked(ask: Callable[[], None]) -> Iterator[None]:
    """Have ``ask`` called by ``look`` while this is done, in this thread; what it raises ends the work."""
    token = _ask.set(ask)
    try:
        yield
    finally:
        _ask.reset(token)


def look() -> None:
    """Ask whether somebody still waits. Raises what the one who is asked does where nobody does."""
    _ask.get()()
