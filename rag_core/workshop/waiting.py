"""Let those who ask for the same thing at the same time take turns: first come, first served."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Condition
from time import perf_counter

from rag_core import presence

LOOK_SECONDS = presence.LOOK_SECONDS
"""So often a reader who waits is told how many are before them, which is also when one who left is noticed."""


NEWEST = 0.3
"""What the newest turn counts for in the mean of what a turn takes."""


class Line:
    """A waiting line before something that serves ``at_once`` at a time, as a model does one.

    One after the other on all cores is as fast as all at once, nobody is later for it, and most are earlier; and the
    seconds that a turn takes are its own.
    """

    def __init__(self, at_once: int = 1) -> None:
        self._changed = Condition()
        self._standing: list[object] = []
        self._at_once = at_once
        self._mean: float | None = None

    def __len__(self) -> int:
        """Return how many stand in the line, with those whose turn it is."""
        return len(self._standing)

    def about(self, before: int) -> float | None:
        """Return after how many seconds this many have about had their turn; None until one has ended."""
        return None if self._mean is None else self._mean * before / self._at_once

    @contextmanager
    def turn(self, waiting: Callable[[int], None] | None = None) -> Iterator[float]:
        """Wait for a turn and have it; give the seconds that were waited, 0 where it came at once.

        ``waiting(before)`` is called while ``before`` others must end first, whenever that changes and every second.
        What it raises, and what goes wrong within a turn, ends this place in the line and no other.
        """
        place, start = object(), perf_counter()
        with self._changed:
            self._standing.append(place)
        try:
            waited = self._wait(place, waiting)
            mine = perf_counter()
            yield mine - start if waited else 0.0
            self._note(perf_counter() - mine)
        finally:
            with self._changed:
                self._standing.remove(place)
                self._changed.notify_all()

    def _note(self, seconds: float) -> None:
        with self._changed:
            self._mean = seconds if self._mean is None else (1 - NEWEST) * self._mean + NEWEST * seconds

    def _wait(self, place: object, waiting: Callable[[int], None] | None) -> bool:
        """Return when it is this place's turn; say whether others had to end first."""
        announced = None
        while before := self._before(place, announced):
            announced = before
            presence.look()
            if waiting:
                waiting(before)
        return announced is not None

    def _before(self, place: object, announced: int | None) -> int:
        """Return how many must end before this place's turn: at once the first time, then after a change or a while."""
        with self._changed:
            if announced is not None:
                self._changed.wait_for(lambda: self._to_end(place) != announced, LOOK_SECONDS)
            return self._to_end(place)

    def _to_end(self, place: object) -> int:
        return max(0, self._standing.index(place) - self._at_once + 1)
