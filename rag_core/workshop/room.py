"""Rooms: a teacher deals rounds, participants pick with a code, and the teacher sees counts. No names are kept."""

from __future__ import annotations

import secrets
import time
import unicodedata
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from threading import Lock

from rag_core.datatypes import Comparison
from rag_core.errors import RoomEnded, RoomFull, RoomKeyWrong, RoomMissing, RoundOver
from rag_core.explaining.lessons import Fact
from rag_core.workshop.predict import Round, Score, score, total

LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
"""No 0 and O, no 1, I and L: a code is read from a wall and typed."""

CODE_LENGTH = 6
SEATS = 60
LIFE = 3 * 3600.0
REMEMBERED = 24 * 3600.0
"""Seconds after its beginning for which a room that is over is still known as such; its chunks are gone."""


@dataclass(frozen=True, slots=True)
class Keys:
    """What opens a room: ``code`` for everyone, ``control`` for the teacher alone."""

    code: str
    control: str


@dataclass(frozen=True, slots=True)
class Desk:
    """What the browser ``who`` opened a room with, to come back to: whose documents it sees, and its comparison."""

    who: str
    owner: str
    comparison: Comparison


@dataclass(frozen=True, slots=True)
class Glance:
    """What is looked at every second: a page is drawn anew when ``state`` or ``own``, one's own picks, changed."""

    state: int
    own: frozenset[str] | None
    joined: int
    picked: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a question: of those who ``picked``, how many picked each chunk, and their hits together."""

    number: int
    dealt: Round
    picked: int
    counts: Mapping[str, int]
    score: Score


@dataclass(frozen=True, slots=True)
class Board:
    """What everyone in a room may see. Before the reveal no order but the vector's, no judgment and no pick is in it.

    ``past`` are the outcomes of all questions that were revealed, this one among them.
    """

    number: int
    dealt: Round
    revealed: bool
    past: tuple[Outcome, ...]
    lesson: Fact | None
    seen: Glance

    @property
    def outcome(self) -> Outcome | None:
        """The outcome of the question on the board, once it is revealed."""
        return self.past[-1] if self.revealed else None


@dataclass(frozen=True, slots=True)
class Table:
    """What a participant sees: the board, and what is their own."""

    board: Board
    picked: frozenset[str] | None
    score: Score


@dataclass(frozen=True, slots=True)
class Tally:
    """What the teacher sees: the board with the order, and how often each chunk was picked by now."""

    board: Board
    counts: Mapping[str, int]
    seconds_left: float


@dataclass(slots=True)
class Room:
    """One room. A participant is a hash that only this room can make, so nobody can be followed from room to room."""

    control: str
    begun: float
    dealt: Round
    desk: Desk | None = None
    number: int = 1
    state: int = 0
    revealed: bool = False
    lesson: Fact | None = None
    past: list[Outcome] = field(default_factory=list)
    participants: set[str] = field(default_factory=set)
    picks: dict[str, frozenset[str]] = field(default_factory=dict)
    scores: dict[str, list[Score]] = field(default_factory=dict)


class Rooms:
    """All rooms of a server; every method may be called from any thread. ``clock`` gives seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, Lock()
        self._open: dict[str, Room] = {}
        self._over: dict[str, float] = {}

    def create(self, dealt: Round, desk: Desk | None = None) -> Keys:
        """Open a room with its first round; ``desk`` is kept for the browser that may come back to it."""
        with self._lock:
            self._tidy()
            code = next(code for code in iter(new_code, None) if code not in self._open and code not in self._over)
            keys = Keys(code, secrets.token_urlsafe(12))
            self._open[code] = Room(keys.control, self._clock(), dealt, desk)
            return keys

    def join(self, code: str, who: str) -> Table:
        """Return what lies on the table; the same ``who`` is one participant however often they come.

        Raises:
            RoomMissing, RoomEnded, RoomFull: the code opens nothing, or nothing any more, or every seat is taken.
        """
        with self._lock:
            room = self._find(code)
            seat = self._seat(room, who)
            return _table(room, seat)

    def glance(self, code: str, who: str = "") -> Glance:
        """Return what tells whether the room has changed; nobody takes a seat by it.

        Raises RoomMissing or RoomEnded.
        """
        with self._lock:
            room = self._find(code)
            return _glance(room, _seat_of(room, who))

    def look(self, code: str) -> Board:
        """Return what everyone may see; nobody takes a seat by it.

        Raises RoomMissing or RoomEnded.
        """
        with self._lock:
            return _board(self._find(code))

    def pick(self, code: str, who: str, number: int, picked: Collection[str]) -> Table:
        """Take a participant's pick for the round of this number; until the reveal a later one replaces it.

        Raises:
            RoundOver: it was revealed, or the teacher went on.
            PickMissing, PickCount: the pick does not fit the round.
        """
        with self._lock:
            room = self._find(code)
            if number != room.number or room.revealed:
                raise RoundOver(f"round {number} is over: look at what is on the table now", number=number)
            seat = self._seat(room, who)
            room.picks[seat] = room.dealt.check(picked)
            return _table(room, seat)

    def tally(self, code: str, control: str) -> Tally:
        """Return what the teacher sees.

        Raises:
            RoomMissing, RoomEnded: the code opens nothing, or nothing any more.
            RoomKeyWrong: somebody else asks.
        """
        with self._lock:
            room = self._taught(code, control)
            return Tally(_board(room, open_order=True), _counts(room), LIFE - (self._clock() - room.begun))

    def take_back(self, code: str, who: str) -> tuple[Keys, Desk]:
        """Return the keys and the desk of a room to the browser that opened it.

        Raises:
            RoomMissing, RoomEnded: the code opens nothing, or nothing any more.
            RoomKeyWrong: another browser asks.
        """
        with self._lock:
            room = self._find(code)
            if not (room.desk and who and secrets.compare_digest(room.desk.who.encode(), as_bytes(who))):
                raise RoomKeyWrong("this browser did not open the room: return to it with the teacher's key")
            return Keys(read_code(code), room.control), room.desk

    def reveal(self, code: str, control: str) -> None:
        """Show the order to everyone, and score the picks; a second time changes nothing."""
        with self._lock:
            room = self._taught(code, control)
            if not room.revealed:
                room.revealed, room.state = True, room.state + 1
                room.past.append(_outcome(room))
                for seat, picked in room.picks.items():
                    room.scores.setdefault(seat, []).append(score(room.dealt, picked))

    def deal(self, code: str, control: str, dealt: Round, desk: Desk | None = None) -> None:
        """Go on to the next round with the same participants."""
        with self._lock:
            room = self._taught(code, control)
            room.dealt, room.number, room.revealed, room.picks = dealt, room.number + 1, False, {}
            room.desk, room.lesson, room.state = desk or room.desk, None, room.state + 1

    def show(self, code: str, control: str, lesson: Fact | None) -> None:
        """Put a lesson before everyone, or take it away."""
        with self._lock:
            room = self._taught(code, control)
            room.lesson, room.state = lesson, room.state + 1

    def end(self, code: str, control: str) -> None:
        """Close a room before its time is up."""
        with self._lock:
            self._taught(code, control)
            self._close(read_code(code))

    def _find(self, code: str) -> Room:
        self._tidy()
        code = read_code(code)
        if code in self._over:
            raise RoomEnded(f"room {code} is over: ask the teacher for a new code", room=code)
        if code not in self._open:
            raise RoomMissing(f"there is no room {code!r}: check the code on the teacher's screen", room=code)
        return self._open[code]

    def _taught(self, code: str, control: str) -> Room:
        room = self._find(code)
        if not secrets.compare_digest(room.control.encode(), as_bytes(control.strip())):
            raise RoomKeyWrong("this key does not open the room: copy it again from where it was noted")
        return room

    def _seat(self, room: Room, who: str) -> str:
        seat = _seat_of(room, who)
        if seat not in room.participants and len(room.participants) >= SEATS:
            raise RoomFull(f"all {SEATS} seats of this room are taken: look on with a neighbour", seats=SEATS)
        room.participants.add(seat)
        return seat

    def _tidy(self) -> None:
        """Close the rooms whose time is up, and forget those that were over long ago."""
        now = self._clock()
        for code in [code for code, room in self._open.items() if now - room.begun >= LIFE]:
            self._close(code)
        self._over = {code: begun for code, begun in self._over.items() if now - begun < REMEMBERED}

    def _close(self, code: str) -> None:
        self._over[code] = self._open.pop(code).begun


def new_code() -> str:
    """Return a code that nobody can guess."""
    return "".join(secrets.choice(LETTERS) for _ in range(CODE_LENGTH))


def read_code(typed: str) -> str:
    """Return a code as it was meant: spaces, small letters, and the full-width ones of a Chinese keyboard are fine."""
    return "".join(unicodedata.normalize("NFKC", typed).split()).upper()[: 2 * CODE_LENGTH]


def as_bytes(text: str) -> bytes:
    """Return a text in UTF-8; what no text should hold, but an address may, becomes a question mark."""
    return text.encode("utf-8", "replace")


def _seat_of(room: Room, who: str) -> str:
    return sha256(as_bytes(f"{room.control} {who}")).hexdigest()[:16]


def _glance(room: Room, seat: str = "") -> Glance:
    return Glance(room.state, room.picks.get(seat), len(room.participants), len(room.picks))


def _board(room: Room, seat: str = "", open_order: bool = False) -> Board:
    dealt = room.dealt if room.revealed or open_order else Round(room.dealt.query, room.dealt.chunks, ())
    return Board(room.number, dealt, room.revealed, tuple(room.past), room.lesson, _glance(room, seat))


def _table(room: Room, seat: str) -> Table:
    return Table(_board(room, seat), room.picks.get(seat), total(room.scores.get(seat, ())))


def _counts(room: Room) -> Mapping[str, int]:
    return {chunk_id: sum(chunk_id in picked for picked in room.picks.values()) for chunk_id in room.dealt.ids}


def _outcome(room: Room) -> Outcome:
    scored = total(score(room.dealt, picked) for picked in room.picks.values())
    return Outcome(room.number, room.dealt, len(room.picks), _counts(room), scored)
