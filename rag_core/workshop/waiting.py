"""Let those who ask for the same thing at the same time take turns: first come, first served."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Condition
from time import perf_counter

from rag_core import presence

LOOK_SECONDS = presence.LOOK_SECONDS
"""So often a reader who waits is told how many are before them, which is also when one who left is noticed."""

HOLD_SECONDS = 30.0
"""So long is a place kept for a reader whose waiting was broken off, as by a click: they ask for something else then.

Nobody waits for a place that is kept.
"""

NEWEST = 0.3
"""What the newest turn counts for in the mean of what a turn takes."""


@dataclass(eq=False, slots=True)
class Place:
    """One reader's place in a line; it is kept ``until`` then where they do not stand there."""

    who: Hashable
    until: float = math.inf
    served: bool = False

    @property
    def taken(self) -> bool:
        """Say whether its reader stands there."""
        return self.until == math.inf


class Line:
    """A waiting line before something that serves ``at_once`` at a time, as a model does one.

    One after the other on all cores is as fast as all at once, nobody is later for it, and most are earlier; and the
    seconds that a turn takes are its own.
    """

    def __init__(self, at_once: int = 1) -> None:
        self._changed = Condition()
        self._standing: list[Place] = []
        self._at_once = at_once
        self._mean: float | None = None

    def __len__(self) -> int:
        """Return how many stand in the line, with those whose turn it is."""
        return sum(place.taken for place in self._standing)

    def about(self, before: int) -> float | None:
        """Return after how many seconds this many have about had their turn; None until one has ended."""
        return None if self._mean is None else self._mean * before / self._at_once

    @contextmanager
    def turn(self, waiting: Callable[[int], None] | None = None, who: Hashable = None) -> Iterator[float]:
        """Wait for a turn and have it; give the seconds that were waited, 0 where it came at once.

        ``waiting(before)`` is called while ``before`` others must end first, whenever that changes and every second.
        What it raises, and what goes wrong within a turn, ends this place in the line and no other. But a reader who is
        named has one place: it is kept for ``HOLD_SECONDS``, and theirs again when they come back. They may do so while
        what asked for them earlier still waits, which it does until ``waiting`` raises.
        """
        place, start = self._stand(who), perf_counter()
        try:
            waited = self._wait(place, waiting)
            mine = perf_counter()
            yield mine - start if waited else 0.0
            self._note(perf_counter() - mine)
        finally:
            with self._changed:
                if place.taken and place in self._standing:
                    self._standing.remove(place)
                self._changed.notify_all()

    def _stand(self, who: Hashable) -> Place:
        """Return a place at the end, or where this reader waited until now."""
        with self._changed:
            now, place = perf_counter(), Place(who)
            self._standing = [one for one in self._standing if one.until > now]
            waits = [who is not None and one.who == who and not one.served for one in self._standing]
            at = (*waits, True).index(True)
            self._standing[at : at + 1] = [place]
            return place

    def _note(self, seconds: float) -> None:
        with self._changed:
            self._mean = seconds if self._mean is None else (1 - NEWEST) * self._mean + NEWEST * seconds

    def _wait(self, place: Place, waiting: Callable[[int], None] | None) -> bool:
        """Return when it is this place's turn; say whether others had to end first."""
        announced = None
        while before := self._before(place, announced):
            announced = before
            presence.look()
            if waiting:
                self._tell(place, waiting, before)
        return announced is not None

    def _tell(self, place: Place, waiting: Callable[[int], None], before: int) -> None:
        """Tell a reader how many are before them; where they ask for something else meanwhile, their place is kept."""
        try:
            waiting(before)
        except BaseException:
            if place.who is not None:
                place.until = perf_counter() + HOLD_SECONDS
            raise

    def _before(self, place: Place, announced: int | None) -> int:
        """Return how many must end before this place's turn: at once the first time, then after a change or a while."""
        with self._changed:
            if announced is not None:
                self._changed.wait_for(lambda: self._to_end(place) != announced, LOOK_SECONDS)
            before = self._to_end(place)
            place.served = not before
            return before

    def _to_end(self, place: Place) -> int:
        """Count who is served and who stands before this place; a kept one is nobody's; one taken over has no end."""
        if place not in self._standing:
            return len(self._standing) + 1
        ahead = self._standing[: self._standing.index(place)]
        waiting = sum(one.taken and not one.served for one in ahead)
        return max(0, waiting + sum(one.served for one in self._standing) - self._at_once + 1)
