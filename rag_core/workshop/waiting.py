"""Let those who ask one model at the same time take turns: first come, first served."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Condition
from time import perf_counter

LOOK_SECONDS = 1.0
"""So often a reader who waits is told how many are before them, which is also when one who left is noticed."""


class Line:
    """A waiting line before one model.

    One after the other on all cores is as fast as all at once, nobody is later for it, and most are earlier; and the
    seconds that a turn takes are its own.
    """

    def __init__(self) -> None:
        self._changed = Condition()
        self._standing: list[object] = []

    def __len__(self) -> int:
        """Return how many stand in the line, with the one whose turn it is."""
        return len(self._standing)

    @contextmanager
    def turn(self, waiting: Callable[[int], None] | None = None) -> Iterator[float]:
        """Wait for a turn and have it; give the seconds that were waited, 0 where nobody was before.

        ``waiting(before)`` is called while ``before`` others are, whenever that changes and every second. What it
        raises, and what goes wrong within a turn, ends this place in the line and no other.
        """
        place, start = object(), perf_counter()
        with self._changed:
            self._standing.append(place)
        try:
            waited = self._wait(place, waiting)
            yield perf_counter() - start if waited else 0.0
        finally:
            with self._changed:
                self._standing.remove(place)
                self._changed.notify_all()

    def _wait(self, place: object, waiting: Callable[[int], None] | None) -> bool:
        """Return when nobody is before this place; say whether somebody was."""
        announced = None
        while before := self._before(place, announced):
            announced = before
            if waiting:
                waiting(before)
        return announced is not None

    def _before(self, place: object, announced: int | None) -> int:
        """Return how many are before this place: at once the first time, then after a change or a while."""
        with self._changed:
            if announced is not None:
                self._changed.wait_for(lambda: self._standing.index(place) != announced, LOOK_SECONDS)
            return self._standing.index(place)
