"""Take a JSON file from elsewhere apart without trusting it: each value is asked for by name, kind and limits."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from rag_core.errors import ReplayInvalid

LARGEST = 1e9
SHOWN = 60


def load(data: bytes) -> Field:
    """Read UTF-8 JSON. NaN, infinities and a name that stands twice in one object are refused as well.

    Raises:
        ValueError: it is no such text.
    """
    try:
        return Field(json.loads(data.decode("utf-8-sig"), parse_constant=_refuse, object_pairs_hook=_once))
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _once(pairs: Iterable[tuple[str, object]]) -> dict[str, object]:
    pairs = list(pairs)
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice")
    return found


@dataclass(frozen=True, slots=True)
class Field:
    """A value of the file and where it stands, as ``candidates[3].page``.

    Every method returns what it names.

    Raises:
        ReplayInvalid: the value is of another kind, or beyond the limits.
    """

    value: object
    place: str = ""

    def __getitem__(self, name: str) -> Field:
        place = f"{self.place}.{name}" if self.place else name
        if not isinstance(self.value, dict) or name not in self.value:
            raise Field(None, place).wrong("a value")
        return Field(self.value[name], place)

    def __contains__(self, name: str) -> bool:
        return isinstance(self.value, dict) and name in self.value

    def wrong(self, wanted: str) -> ReplayInvalid:
        """Return the error that names this value and what was expected in its place."""
        shown = type(self.value).__name__ if isinstance(self.value, list | dict) else repr(self.value)
        shown = shown if len(shown) <= SHOWN else shown[:SHOWN] + "…"
        return ReplayInvalid(f"{self.place}: expected {wanted}, found {shown}: ask for the file again",
                             place=self.place, value=shown)  # fmt: skip

    def each(self, most: int, fewest: int = 0) -> list[Field]:
        """Return the items of a list."""
        if not isinstance(self.value, list) or not fewest <= len(self.value) <= most:
            raise self.wrong(f"a list of {fewest} to {most}")
        return [Field(item, f"{self.place}[{number}]") for number, item in enumerate(self.value)]

    def entries(self, most: int) -> dict[str, Field]:
        """Return the fields of an object by name."""
        if not isinstance(self.value, dict) or len(self.value) > most:
            raise self.wrong(f"an object of at most {most} names")
        return {name: self[name] for name in self.value}

    def text(self, longest: int, shortest: int = 0) -> str:
        """Return a text that UTF-8 can write, with so many characters."""
        if not isinstance(self.value, str) or not shortest <= len(self.value) <= longest or _broken(self.value):
            raise self.wrong(f"a text of {shortest} to {longest} characters")
        return self.value

    def choice(self, choices: Collection[str]) -> str:
        if not isinstance(self.value, str) or self.value not in choices:
            raise self.wrong(f"one of {', '.join(choices)}")
        return self.value

    def whole(self, lowest: int, highest: int) -> int:
        if type(self.value) is not int or not lowest <= self.value <= highest:
            raise self.wrong(f"a whole number from {lowest} to {highest}")
        return self.value

    def real(self, lowest: float = -LARGEST, highest: float = LARGEST) -> float:
        """Return a finite number; 1 will do for 1.0."""
        if type(self.value) not in (int, float) or not lowest <= self.value <= highest:
            raise self.wrong(f"a number from {lowest:g} to {highest:g}")
        return float(self.value)

    def flag(self) -> bool:
        if not isinstance(self.value, bool):
            raise self.wrong("true or false")
        return self.value


def _broken(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)
