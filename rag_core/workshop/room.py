"""Rooms: a teacher deals rounds, participants pick with a code, and the teacher sees counts. No names are kept."""

from __future__ import annotations

import secrets
import time
import unicodedata
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from threading import Lock

from rag_core.errors import RoomEnded, RoomFull, RoomKeyWrong, RoomMissing, RoundOver
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
class Table:
    """What a participant may see. Until the teacher reveals, no order but the vector's, and no judgment, is in it."""

    number: int
    dealt: Round
    revealed: bool
    picked: frozenset[str] | None
    score: Score


@dataclass(frozen=True, slots=True)
class Tally:
    """What the teacher sees: how many joined, how many picked, and how often each chunk was picked."""

    number: int
    dealt: Round
    revealed: bool
    joined: int
    picked: int
    counts: Mapping[str, int]
    score: Score
    seconds_left: float


@dataclass(slots=True)
class Room:
    """One room. A participant is a hash that only this room can make, so nobody can be followed from room to room."""

    control: str
    begun: float
    dealt: Round
    number: int = 1
    revealed: bool = False
    participants: set[str] = field(default_factory=set)
    picks: dict[str, frozenset[str]] = field(default_factory=dict)
    scores: dict[str, list[Score]] = field(default_factory=dict)


class Rooms:
    """All rooms of a server; every method may be called from any thread. ``clock`` gives seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, Lock()
        self._open: dict[str, Room] = {}
        self._over: dict[str, float] = {}

    def create(self, dealt: Round) -> Keys:
        """Open a room with its first round."""
        with self._lock:
            self._tidy()
            code = next(code for code in iter(new_code, None) if code not in self._open and code not in self._over)
            keys = Keys(code, secrets.token_urlsafe(12))
            self._open[code] = Room(keys.control, self._clock(), dealt)
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
            return _tally(room, LIFE - (self._clock() - room.begun))

    def reveal(self, code: str, control: str) -> None:
        """Show the order to everyone, and score the picks; a second time changes nothing."""
        with self._lock:
            room = self._taught(code, control)
            if not room.revealed:
                room.revealed = True
                for seat, picked in room.picks.items():
                    room.scores.setdefault(seat, []).append(score(room.dealt, picked))

    def deal(self, code: str, control: str, dealt: Round) -> None:
        """Go on to the next round with the same participants."""
        with self._lock:
            room = self._taught(code, control)
            room.dealt, room.number, room.revealed, room.picks = dealt, room.number + 1, False, {}

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
        if not secrets.compare_digest(room.control.encode(), control.strip().encode("utf-8", "replace")):
            raise RoomKeyWrong("this key does not open the room: copy it again from where it was noted")
        return room

    def _seat(self, room: Room, who: str) -> str:
        seat = sha256(f"{room.control} {who}".encode("utf-8", "replace")).hexdigest()[:16]
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


def _table(room: Room, seat: str) -> Table:
    dealt = room.dealt if room.revealed else Round(room.dealt.query, room.dealt.chunks, ())
    return Table(room.number, dealt, room.revealed, room.picks.get(seat), total(room.scores.get(seat, ())))


def _tally(room: Room, seconds_left: float) -> Tally:
    counts = {chunk_id: sum(chunk_id in picked for picked in room.picks.values()) for chunk_id in room.dealt.ids}
    scored = total(score(room.dealt, picked) for picked in room.picks.values()) if room.revealed else Score()
    return Tally(
        room.number, room.dealt, room.revealed, len(room.participants), len(room.picks), counts, scored, seconds_left
    )
