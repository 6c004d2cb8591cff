"""Find a place of one extractor's text in another's: both hold the same letters, white space and order may differ."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rag_core.reading.text import is_cjk, repair_characters

CONTEXT = (60, 30, 15, 8, 4, 2)
"""So many letters around a place are compared, the most first."""

UNMISTAKABLE = 8
"""So many letters are taken for the same ones wherever they stand; fewer need their neighbours."""


BEHIND, AHEAD, LINE = "behind", "ahead", "line"
"""How words stand between others: behind those before them, ahead of those after, or as a line of their own."""


class Piece(NamedTuple):
    """Words of a page, and the letters that stand before them; ``why`` says what they are."""

    text: str
    before: str
    why: str


class Entry(NamedTuple):
    """Words that belong between the letters ``before`` and ``after``; ``how`` is one of three ways to stand there."""

    text: str
    before: str
    after: str
    how: str
    why: str


def letters(text: str) -> tuple[str, list[int]]:
    """Return the letters and signs of a text as they are printed, without white space, and where each stands."""
    kept = [
        (letter, place)
        for place, character in enumerate(text)
        for letter in repair_characters(character)
        if not letter.isspace()
    ]
    return "".join(letter for letter, _ in kept), [place for _, place in kept]


def without(text: str, pieces: Iterable[Piece]) -> tuple[str, bool]:
    """Return a text without these words, and whether all of them were found in it."""
    complete = True
    for piece in pieces:
        text, gone = _without(text, piece)
        complete = complete and gone
    return text, complete


def _without(text: str, piece: Piece) -> tuple[str, bool]:
    kept, places = letters(text)
    words = letters(piece.text)[0]
    start = _find(kept, words, piece.before)
    if start < 0:
        return text, not words
    end = places[start + len(words) - 1] + 1
    return text[: places[start]].rstrip(" ") + text[end:], True


def _find(kept: str, words: str, before: str) -> int:
    """Return where the words stand after these letters, or -1."""
    for length in CONTEXT:
        context = before[-length:]
        start = kept.find(context + words)
        if start >= 0 and words:
            return start + len(context)
    alone = len(words) >= UNMISTAKABLE or not before
    return kept.find(words) if words and alone else -1


def filled(text: str, entries: Sequence[Entry]) -> str:
    """Return a text with these words at their places; what has none stands at the end."""
    if not entries:
        return text
    kept, places = letters(text)
    placed = [(_place(kept, entry), entry) for entry in entries]
    found = [(place, entry) for place, entry in placed if place is not None]
    # From the end on, so that the places before stay where they are.
    for place, entry in sorted(reversed(found), key=lambda pair: -pair[0]):
        text = _put(text, entry, place, places)
    return "\n".join(filter(None, (text, *(entry.text for place, entry in placed if place is None))))


def _put(text: str, entry: Entry, place: int, places: list[int]) -> str:
    if entry.how == AHEAD and place < len(places):
        return f"{text[: places[place]]}{entry.text} {text[places[place] :]}"
    end = places[place - 1] + 1 if place else 0
    if entry.how == LINE:
        line = text.find("\n", end) if place else 0
        end = len(text) if line < 0 else line
    head, tail = text[:end].rstrip(" "), text[end:].lstrip(" ")
    gap = "\n" if entry.how == LINE else "" if is_cjk(head[-1:]) and not head[-1].isalnum() else " "
    behind = (gap or " ") if tail and not tail.startswith("\n") else ""
    return f"{head}{gap if head else ''}{entry.text}{behind}{tail}"


def _place(kept: str, entry: Entry) -> int | None:
    """Return how many letters stand before an entry: where its neighbours are found, most of them first.

    Another extractor may have the lines in another order: then the words that an entry belongs to decide.
    """
    both = [(entry.before[-length:], entry.after[:length]) for length in CONTEXT]
    own = [("", after) if entry.how == AHEAD else (before, "") for before, after in both]
    other = [(before, "") if entry.how == AHEAD else ("", after) for before, after in both]
    for before, after in (
        *both[:3],
        *(pair for pair in own if kept.count("".join(pair)) == 1),
        *both[3:],
        *own,
        *other,
    ):
        start = kept.find(before + after)
        if start >= 0 and before + after:
            return start + len(before)
    return None
