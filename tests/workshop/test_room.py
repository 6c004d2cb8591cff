"""Rooms: who may do and see what, for how long, and thirty at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple

import pytest
from comparisons import comparison

from rag_core.errors import PickCount, PickMissing, RoomEnded, RoomFull, RoomKeyWrong, RoomMissing, RoundOver
from rag_core.explaining.lessons import Fact
from rag_core.workshop import room
from rag_core.workshop.predict import Score, deal
from rag_core.workshop.room import Desk, Keys, Rooms, read_code

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
    assert (tally.board.seen.joined, tally.board.seen.picked, tally.board.revealed) == (2, 2, False)
    assert tally.counts == dict(zip(FIRST.ids, [1, 1, 1, 0, 0, 1, 1, 1, 2, 2], strict=True))
    rooms.reveal(code, control)
    assert rooms.join(code, "ann").score == Score(hits=5, wanted=5, judged=1, judged_reranked=1, relevant=1, rounds=1)
    assert rooms.join(code, "ben").score.hits == 2
    [outcome] = rooms.look(code).past
    assert (outcome.score.hits, outcome.picked, outcome.counts) == (7, 2, tally.counts)


def test_before_the_reveal_nothing_but_the_vector_order_is_given_out(rooms):
    code, control = astuple(rooms.create(FIRST))
    table = rooms.pick(code, "ann", 1, TOP)
    for board in (table.board, rooms.look(code)):
        assert board.dealt.ids == FIRST.ids
        assert (board.dealt.reranked, board.dealt.relevant, board.dealt.below) == ((), None, 0)
        assert board.past == ()
    assert table.score == Score()
    rooms.reveal(code, control)
    assert rooms.join(code, "ann").board.dealt == FIRST


def test_the_score_runs_over_the_rounds(rooms):
    code, control = astuple(rooms.create(FIRST))
    rooms.pick(code, "ann", 1, BOTTOM)
    rooms.reveal(code, control)
    rooms.reveal(code, control)
    rooms.deal(code, control, SECOND)
    table = rooms.join(code, "ann")
    assert (table.board.number, table.board.revealed, table.picked, table.score.hits) == (2, False, None, 5)
    rooms.pick(code, "ann", 2, TOP)
    rooms.reveal(code, control)
    running = rooms.join(code, "ann").score
    assert (running.hits, running.wanted, running.vector, running.rounds) == (10, 10, 5, 2)


def test_a_pick_can_be_changed_until_the_reveal(rooms):
    code, control = astuple(rooms.create(FIRST))
    rooms.pick(code, "ann", 1, TOP)
    rooms.pick(code, "ann", 1, BOTTOM)
    assert rooms.look(code).seen.picked == 1
    rooms.reveal(code, control)
    with pytest.raises(RoundOver):
        rooms.pick(code, "ann", 1, TOP)
    assert rooms.join(code, "ann").picked == frozenset(BOTTOM)


def test_a_pick_for_a_question_that_is_past_is_refused(rooms):
    code, control = astuple(rooms.create(FIRST))
    rooms.deal(code, control, SECOND)
    with pytest.raises(RoundOver):
        rooms.pick(code, "ann", 1, TOP)
    assert rooms.look(code).seen.picked == 0


@pytest.mark.parametrize(("picked", "error"), [(TOP[:4], PickCount), ([*TOP[:4], "gone"], PickMissing)])
def test_a_pick_that_does_not_fit_is_refused(rooms, picked, error):
    code = rooms.create(FIRST).code
    with pytest.raises(error):
        rooms.pick(code, "ann", 1, picked)
    assert rooms.look(code).seen.picked == 0


def test_two_tabs_of_one_participant_are_one(rooms):
    code, control = astuple(rooms.create(FIRST))
    rooms.join(code, "ann")
    rooms.join(code, "ann")
    rooms.pick(code, "ann", 1, TOP)
    rooms.pick(code, "ann", 1, MIXED)
    tally = rooms.tally(code, control)
    assert (tally.board.seen.joined, tally.board.seen.picked) == (1, 1)


@pytest.mark.parametrize("code", ["", "AAAAAA", "no such room at all, and a very long one", "？！", "\ud800"])
def test_a_wrong_code_opens_nothing(rooms, code):
    rooms.create(FIRST)
    with pytest.raises(RoomMissing):
        rooms.join(code, "ann")


def test_a_code_may_be_typed_in_small_full_width_or_spaced_letters(rooms):
    code, _ = astuple(rooms.create(FIRST))
    wide = "".join(chr(ord(letter) + 0xFEE0) for letter in code)
    for typed in (code.lower(), f" {code[:3]} {code[3:]} ", wide):
        assert rooms.join(typed, "ann").board.number == 1
    assert read_code("ａb 2") == "AB2"


def test_a_full_room_lets_only_those_in_who_have_a_seat(rooms, monkeypatch):
    monkeypatch.setattr(room, "SEATS", 2)
    code = rooms.create(FIRST).code
    rooms.join(code, "ann")
    rooms.join(code, "ben")
    with pytest.raises(RoomFull) as told:
        rooms.join(code, "cat")
    assert told.value.values == {"seats": 2}
    rooms.pick(code, "ann", 1, TOP)
    assert rooms.look(code).seen.joined == 2


@pytest.mark.parametrize("control", ["", "guess", "钥匙", "\ud800"])
def test_only_the_teachers_key_sees_reveals_deals_and_ends(rooms, control):
    code = rooms.create(FIRST).code
    for act in (
        lambda: rooms.tally(code, control),
        lambda: rooms.reveal(code, control),
        lambda: rooms.deal(code, control, SECOND),
        lambda: rooms.show(code, control, Fact("tail", "")),
        lambda: rooms.end(code, control),
    ):
        with pytest.raises(RoomKeyWrong):
            act()
    assert rooms.look(code).seen.state == 0


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
    assert (tally.board.seen.joined, tally.board.seen.picked) == (30, 30)
    assert list(tally.counts.values()) == [20] * 5 + [10] * 5


def test_codes_have_no_letter_that_could_be_another():
    codes = {room.new_code() for _ in range(300)}
    assert len(codes) == 300
    assert not set("".join(codes)) & set("01OIL")


def test_a_glance_tells_the_teachers_steps_from_the_votes_of_others(rooms):
    code, control = astuple(rooms.create(FIRST))
    rooms.join(code, "ann")
    before = rooms.glance(code, "ann")
    rooms.pick(code, "ben", 1, TOP)
    voted = rooms.glance(code, "ann")
    assert (voted.state, voted.own, voted.joined, voted.picked) == (before.state, None, 2, 1)
    steps = [
        lambda: rooms.show(code, control, Fact("tail", "")),
        lambda: rooms.reveal(code, control),
        lambda: rooms.deal(code, control, SECOND),
    ]
    states = [before.state]
    for step in steps:
        step()
        states.append(rooms.glance(code, "ann").state)
    assert states == sorted(set(states))


def test_a_glance_shows_what_the_same_participant_did_in_another_tab(rooms):
    code = rooms.create(FIRST).code
    rooms.pick(code, "ann", 1, TOP)
    assert (rooms.glance(code, "ann").own, rooms.glance(code, "ben").own) == (frozenset(TOP), None)


def test_to_look_on_takes_no_seat(rooms):
    code = rooms.create(FIRST).code
    rooms.look(code)
    rooms.glance(code)
    assert rooms.glance(code, "ann").joined == 0


def test_the_browser_that_opened_a_room_comes_back_to_its_desk_and_no_other(rooms):
    desk = Desk("teacher", "owner", comparison(TEXTS))
    code, control = astuple(rooms.create(FIRST, desk))
    assert rooms.take_back(f" {code.lower()}", "teacher") == (Keys(code, control), desk)
    for who in ("", "ann", control, "\ud800"):
        with pytest.raises(RoomKeyWrong):
            rooms.take_back(code, who)
    unkept = rooms.create(FIRST).code
    with pytest.raises(RoomKeyWrong):
        rooms.take_back(unkept, "teacher")


def test_the_desk_holds_the_comparison_of_the_question_on_the_table(rooms):
    code, control = astuple(rooms.create(FIRST, Desk("teacher", "", comparison(TEXTS))))
    second = Desk("teacher", "", comparison(TEXTS, list(range(10))))
    rooms.deal(code, control, SECOND, second)
    assert rooms.take_back(code, "teacher")[1] is second


def test_a_lesson_is_before_everyone_until_it_is_taken_away_or_the_next_question(rooms):
    code, control = astuple(rooms.create(FIRST))
    lesson = Fact("tail", "")
    rooms.show(code, control, lesson)
    assert rooms.join(code, "ann").board.lesson == rooms.look(code).lesson == lesson
    rooms.show(code, control, None)
    assert rooms.look(code).lesson is None
    rooms.show(code, control, lesson)
    rooms.deal(code, control, SECOND)
    assert rooms.look(code).lesson is None


def test_the_outcomes_of_all_questions_are_kept_in_their_order(rooms):
    code, control = astuple(rooms.create(FIRST))
    rooms.pick(code, "ann", 1, BOTTOM)
    rooms.reveal(code, control)
    rooms.deal(code, control, SECOND)
    rooms.reveal(code, control)
    rooms.reveal(code, control)
    past = rooms.look(code).past
    assert [(outcome.number, outcome.picked, outcome.score.hits) for outcome in past] == [(1, 1, 5), (2, 0, 0)]
    assert rooms.look(code).outcome is past[1]
