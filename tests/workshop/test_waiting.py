from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event

import pytest

from rag_core import presence
from rag_core.workshop import waiting
from rag_core.workshop.waiting import Line

FIVE = "abcde"


class Served:
    """A line in which each reader's turn lasts until it is let go."""

    def __init__(self, readers: str = FIVE) -> None:
        self.line, self.order, self.told = Line(), [], {name: [] for name in readers}
        self.go = {name: Event() for name in readers}
        self.pool = ThreadPoolExecutor(len(readers))

    def come(self, name: str) -> Future[float]:
        """Let a reader come, and return when they stand in the line."""
        count = len(self.line)
        came = self.pool.submit(self.stand, name)
        until(lambda: len(self.line) == count + 1)
        return came

    def stand(self, name: str, who: str | None = None) -> float:
        with self.line.turn(self.told[name].append, who) as waited:
            self.order.append(name)
            assert self.go[name].wait(20)
        return waited


def until(true) -> None:
    for _ in range(2000):
        if true():
            return
        time.sleep(0.005)
    raise AssertionError("it did not come")


def test_first_come_first_served_and_each_is_told_how_many_are_before():
    served, start = Served(), time.monotonic()
    came = [served.come(name) for name in FIVE]
    until(lambda: served.told["e"] == [4])
    coming = time.monotonic() - start
    for before, name in zip((4, 3, 2, 1, 0), FIVE, strict=True):
        until(lambda name=name: served.order[-1:] == [name])
        until(lambda before=before: before == 0 or served.told["e"][-1] == before)
        time.sleep(coming if name == "b" else 0)  # so that who came last waits longest, however slowly they came
        served.go[name].set()
    waited = [one.result(20) for one in came]
    assert served.order == list(FIVE)
    assert served.told["a"] == []
    assert list(dict.fromkeys(served.told["e"])) == [4, 3, 2, 1]
    assert waited[0] == 0 < waited[1] < waited[4]
    assert len(served.line) == 0


def test_who_leaves_the_line_is_before_nobody():
    served = Served("ab")

    def gone(before: int) -> None:
        raise KeyboardInterrupt

    served.come("a")
    with pytest.raises(KeyboardInterrupt), served.line.turn(gone):
        raise AssertionError("a is before")
    came = served.come("b")
    until(lambda: served.told["b"] == [1])
    served.go["a"].set()
    served.go["b"].set()
    assert came.result(20) > 0


def test_who_waits_is_asked_whether_they_are_still_there():
    served, asked = Served("a"), list[float]()

    def gone() -> None:
        asked.append(time.monotonic())
        if len(asked) > 1:
            raise KeyboardInterrupt

    served.come("a")
    with pytest.raises(KeyboardInterrupt), presence.asked(gone), served.line.turn():
        raise AssertionError("a is before")
    assert len(served.line) == 1
    served.go["a"].set()


def test_an_error_in_one_turn_fails_no_other():
    served = Served("b")
    with pytest.raises(ValueError), served.line.turn():
        came = served.come("b")
        raise ValueError
    served.go["b"].set()
    assert came.result(20) > 0
    assert served.order == ["b"]


def test_who_waits_is_told_again_after_a_while_so_that_leaving_is_noticed(monkeypatch):
    monkeypatch.setattr("rag_core.workshop.waiting.LOOK_SECONDS", 0.01)
    served = Served("ab")
    served.come("a")
    served.come("b")
    until(lambda: served.told["b"][:3] == [1, 1, 1])
    served.go["a"].set()
    served.go["b"].set()


def test_a_line_may_serve_several_at_once():
    served = Served("abcd")
    served.line = Line(2)
    came = [served.come(name) for name in "abcd"]
    until(lambda: sorted(served.order) == ["a", "b"] and served.told == {"a": [], "b": [], "c": [1], "d": [2]})
    served.go["b"].set()
    until(lambda: served.order[-1] == "c" and served.told["d"][-1] == 1)
    for go in served.go.values():
        go.set()
    waited = [one.result(20) for one in came]
    assert waited[:2] == [0, 0] and min(waited[2:]) > 0


def test_it_says_for_about_how_long_as_turns_took_until_now():
    line = Line()
    assert line.about(3) is None, "nobody has had a turn"
    for _ in range(3):
        with line.turn():
            time.sleep(0.05)
    assert 3 * 0.05 <= line.about(3) < 3 * 0.5
    assert line.about(4) == pytest.approx(line.about(2) * 2)
    mean = line.about(1)
    with pytest.raises(KeyError), line.turn():
        raise KeyError
    assert line.about(1) == mean, "a turn that was cut short says nothing"
    assert Line(2).about(3) is None


def test_who_asks_for_something_else_finds_their_place_again_and_nobody_waits_for_them():
    served = Served()

    def clicked(before: int) -> None:
        raise KeyError("a click")

    served.come("a")
    with pytest.raises(KeyError), served.line.turn(clicked, who="c"):
        raise AssertionError("it is not their turn")
    others = [served.come(name) for name in "bd"]
    served.go["a"].set()
    until(lambda: served.order == ["a", "b"])
    back = served.pool.submit(served.stand, "c", "c")
    until(lambda: served.told["c"] == [1])
    for name in "bcd":
        until(lambda name=name: served.order[-1:] == [name])
        served.go[name].set()
    assert [future.result(20) > 0 for future in (*others, back)] == [True] * 3
    assert served.order == list("abcd") and len(served.line) == 0


def test_a_place_is_kept_for_its_reader_alone_and_not_for_ever(monkeypatch):
    monkeypatch.setattr(waiting, "HOLD_SECONDS", 0.2)
    served = Served()

    def clicked(before: int) -> None:
        raise KeyError("a click")

    served.come("a")
    for who in ("e", None):
        with pytest.raises(KeyError), served.line.turn(clicked, who=who):
            raise AssertionError("it is not their turn")
    served.come("b")
    time.sleep(0.3)
    late = served.pool.submit(served.stand, "e", "e")
    until(lambda: served.told["e"] == [2])
    for name in "abe":
        until(lambda name=name: served.order[-1:] == [name])
        served.go[name].set()
    late.result(20)


def test_who_comes_back_before_the_first_wait_has_ended_has_one_place():
    served, gone = Served(), Event()

    def clicked(before: int) -> None:
        if gone.is_set():
            raise KeyError("the first run of the page ends")

    def wait_first() -> None:
        with served.line.turn(clicked, who="c"):
            raise AssertionError("their turn belongs to the second")

    served.come("a")
    first = served.pool.submit(wait_first)
    until(lambda: len(served.line) == 2)
    served.come("b")
    back = served.pool.submit(served.stand, "c", "c")
    until(lambda: served.told["c"] == [1])
    served.go["a"].set()
    for name in "cb":
        until(lambda name=name: served.order[-1:] == [name])
        served.go[name].set()
    back.result(20)
    until(lambda: len(served.line) == 0)
    assert served.order == list("acb")
    gone.set()
    with pytest.raises(KeyError):
        first.result(20)
