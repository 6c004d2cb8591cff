"""Rooms: who may do and see what, for how long, and thirty at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple

import pytest
from comparisons import comparison

from rag_core.errors import PickCount, PickMissing, RoomEnded, RoomFull, RoomKeyWrong, RoomMissing, RoundOver
from rag_core.workshop import room
from rag_core.workshop.predict import Score, deal
from rag_core.workshop.room import Rooms, read_code

TEXTS = [f"text {number}" for number in range(10)]
FIRST = deal(comparison(TEXTS), {"doc-9"})
"""Reversed by the cross-encoder: its five are 9, 8, 7, 6, 5."""

SECOND = deal(comparison(TEXTS, list(range(10))))
TOP = [f"doc-{number}" for number in range(5)]
BOTTOM = [f"doc-{number}" for number in range(5, 10)]
MIXED = ["doc-0", "doc-1", "doc-2", "doc-8", "doc-9"]


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def rooms(clock) -> Rooms:
    return Rooms(clock)


def test_a_round_from_the_first_pick_to_the_score(rooms):
    code, control = astuple(rooms.create(FIRST))
    rooms.join(code, "ann")
    rooms.pick(code, "ann", 1, BOTTOM)
    rooms.pick(code, "ben", 1, MIXED)
    tally = rooms.tally(code, control)
    assert (tally.joined, tally.picked, tally.revealed) == (2, 2, False)
    assert tally.counts == dict(zip(FIRST.ids, [1, 1, 1, 0, 0, 1, 1, 1, 2, 2], strict=True))
    rooms.reveal(code, control)
    assert rooms.join(code, "ann").score == Score(hits=5, wanted=5, judged=1, judged_reranked=1, relevant=1, rounds=1)
    assert rooms.join(code, "ben").score.hits == 2
    assert rooms.tally(code, control).score.hits == 7


def test_before_the_reveal_nothing_but_the_vector_order_is_given_out(rooms):
    code, control = astuple(rooms.create(FIRST))
    table = rooms.pick(code, "ann", 1, TOP)
    assert table.dealt.ids == FIRST.ids
    assert (table.dealt.reranked, table.dealt.relevant, table.dealt.below, table.score) == ((), None, 0, Score())
    rooms.reveal(code, control)
    assert rooms.join(code, "ann").dealt == FIRST


def test_the_score_runs_over_the_rounds(rooms):
    code, control = astuple(rooms.create(FIRST))
    rooms.pick(code, "ann", 1, BOTTOM)
    rooms.reveal(code, control)
    rooms.reveal(code, control)
    rooms.deal(code, control, SECOND)
    table = rooms.join(code, "ann")
    assert (table.number, table.revealed, table.picked, table.score.hits) == (2, False, None, 5)
    rooms.pick(code, "ann", 2, TOP)
    rooms.reveal(code, control)
    running = rooms.join(code, "ann").score
    assert (running.hits, running.wanted, running.vector, running.rounds) == (10, 10, 5, 2)


def test_a_pick_can_be_changed_until_the_reveal(rooms):
    code, control = astuple(rooms.create(FIRST))
    rooms.pick(code, "ann", 1, TOP)
    rooms.pick(code, "ann", 1, BOTTOM)
    assert rooms.tally(code, control).picked == 1
    rooms.reveal(code, control)
    with pytest.raises(RoundOver):
        rooms.pick(code, "ann", 1, TOP)
    assert rooms.join(code, "ann").picked == frozenset(BOTTOM)


def test_a_pick_for_a_question_that_is_past_is_refused(rooms):
    code, control = astuple(rooms.create(FIRST))
    rooms.deal(code, control, SECOND)
    with pytest.raises(RoundOver):
        rooms.pick(code, "ann", 1, TOP)
    assert rooms.tally(code, control).picked == 0


@pytest.mark.parametrize(("picked", "error"), [(TOP[:4], PickCount), ([*TOP[:4], "gone"], PickMissing)])
def test_a_pick_that_does_not_fit_is_refused(rooms, picked, error):
    code, control = astuple(rooms.create(FIRST))
    with pytest.raises(error):
        rooms.pick(code, "ann", 1, picked)
    assert rooms.tally(code, control).picked == 0


def test_two_tabs_of_one_participant_are_one(rooms):
    code, control = astuple(rooms.create(FIRST))
    rooms.join(code, "ann")
    rooms.join(code, "ann")
    rooms.pick(code, "ann", 1, TOP)
    rooms.pick(code, "ann", 1, MIXED)
    tally = rooms.tally(code, control)
    assert (tally.joined, tally.picked) == (1, 1)


@pytest.mark.parametrize("code", ["", "AAAAAA", "no such room at all, and a very long one", "？！", "\ud800"])
def test_a_wrong_code_opens_nothing(rooms, code):
    rooms.create(FIRST)
    with pytest.raises(RoomMissing):
        rooms.join(code, "ann")


def test_a_code_may_be_typed_in_small_full_width_or_spaced_letters(rooms):
    code, _ = astuple(rooms.create(FIRST))
    wide = "".join(chr(ord(letter) + 0xFEE0) for letter in code)
    for typed in (code.lower(), f" {code[:3]} {code[3:]} ", wide):
        assert rooms.join(typed, "ann").number == 1
    assert read_code("ａb 2") == "AB2"


def test_a_full_room_lets_only_those_in_who_have_a_seat(rooms, monkeypatch):
    monkeypatch.setattr(room, "SEATS", 2)
    code, control = astuple(rooms.create(FIRST))
    rooms.join(code, "ann")
    rooms.join(code, "ben")
    with pytest.raises(RoomFull) as told:
        rooms.join(code, "cat")
    assert told.value.values == {"seats": 2}
    rooms.pick(code, "ann", 1, TOP)
    assert rooms.tally(code, control).joined == 2


@pytest.mark.parametrize("control", ["", "guess", "钥匙", "\ud800"])
def test_only_the_teachers_key_sees_reveals_deals_and_ends(rooms, control):
    code, real = astuple(rooms.create(FIRST))
    for act in (
        lambda: rooms.tally(code, control),
        lambda: rooms.reveal(code, control),
        lambda: rooms.deal(code, control, SECOND),
        lambda: rooms.end(code, control),
    ):
        with pytest.raises(RoomKeyWrong):
            act()
    assert (rooms.tally(code, real).revealed, rooms.tally(code, real).number) == (False, 1)


def test_the_key_of_one_room_opens_no_other(rooms):
    code, other = rooms.create(FIRST).code, rooms.create(FIRST)
    with pytest.raises(RoomKeyWrong):
        rooms.end(code, other.control)


def test_a_room_that_was_ended_says_so(rooms):
    code, control = astuple(rooms.create(FIRST))
    rooms.end(code, control)
    for act in (lambda: rooms.join(code, "ann"), lambda: rooms.tally(code, control), lambda: rooms.end(code, control)):
        with pytest.raises(RoomEnded):
            act()


def test_a_room_ends_after_three_hours_and_is_forgotten_after_a_day(rooms, clock):
    code, control = astuple(rooms.create(FIRST))
    clock.now += 3 * 3600 - 1
    assert rooms.tally(code, control).seconds_left == pytest.approx(1)
    clock.now += 1
    with pytest.raises(RoomEnded):
        rooms.join(code, "ann")
    clock.now += 24 * 3600
    with pytest.raises(RoomMissing):
        rooms.join(code, "ann")


def test_who_was_there_cannot_be_told_from_what_is_kept(rooms):
    one, other = rooms.create(FIRST).code, rooms.create(FIRST).code
    rooms.join(one, "ann")
    rooms.join(other, "ann")
    [seat], [other_seat] = (rooms._open[code].participants for code in (one, other))
    assert "ann" not in seat
    assert seat != other_seat


def test_thirty_at_once(rooms):
    code, control = astuple(rooms.create(FIRST))

    def play(number: int) -> None:
        rooms.join(code, f"participant {number}")
        rooms.pick(code, f"participant {number}", 1, TOP if number % 3 else BOTTOM)
        rooms.pick(code, f"participant {number}", 1, TOP if number % 3 else BOTTOM)

    with ThreadPoolExecutor(30) as pool:
        list(pool.map(play, range(30)))
    tally = rooms.tally(code, control)
    assert (tally.joined, tally.picked) == (30, 30)
    assert list(tally.counts.values()) == [20] * 5 + [10] * 5


def test_codes_have_no_letter_that_could_be_another():
    codes = {room.new_code() for _ in range(300)}
    assert len(codes) == 300
    assert not set("".join(codes)) & set("01OIL")
