"""Say which language a text is in, and where its sentences end: one rule for everything that reads one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain

from rag_core.reading.text import is_within, row_spans

Span = tuple[int, int]
"""Start and end offsets into a text."""

HAN_SHARE = 0.2
"""Han letters among all letters from which a text is Chinese.

A Han letter says as much as about four Latin ones, so at one in five the two languages weigh the same. English reports
with Chinese names stay far below, Chinese ones with English terms far above.
"""


def language_of(*texts: str) -> str:
    """Return ``zh`` when at least HAN_SHARE of all letters of these texts are Han, else ``en``."""
    letters = [letter for text in texts for letter in text if letter.isalpha()]
    han = sum(map(_is_han, letters))
    return "zh" if han and han >= HAN_SHARE * len(letters) else "en"


def _is_han(character: str) -> bool:
    return "\u3400" <= character <= "\u9fff" or "\U00020000" <= character <= "\U0003ffff"


# Sentences

_CLOSERS = "”’」』）》】〉\"')\\]"
_BREAK = re.compile(
    rf"[。！？；…]+[。！？；….!?]*[{_CLOSERS}]*"
    rf"|[!?]+[.!?]*[{_CLOSERS}]*(?=\s|$|[\u3400-\u9fff])"
    rf"|\.+[{_CLOSERS}]*(?=\s|$|[\u3400-\u9fff])"
    r"|\n"
)
_TITLE = re.compile(
    r"(?<![A-Za-z.])(?:Mr|Mrs|Ms|Dr|Prof|St|Messrs|Gen|Gov|Sen|Rep|Hon|vs|cf|e\.g|i\.e|al|viz|resp)\.$", re.IGNORECASE
)
_LABEL = re.compile(
    r"(?<![A-Za-z.])(?:No|Nos|Fig|Figs|Eq|Eqs|Tab|Vol|Sec|Ch|Art|Ref|Refs|pp?|Nr|ca|approx|c"
    r"|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\.$",
    re.IGNORECASE,
)
_INITIAL = re.compile(r"(?<![A-Za-z])(?:[A-Z]\.)+$")
_LONGEST = 24
"""Characters before a point that tell what it is; looking further back would be slow on a page without sentences."""
_LEADER = re.compile(r"\.{4}$|\. \.$")
_ITEM_NUMBER = re.compile(r"(?:\d{1,3}|[A-Za-z]|[ivxIVX]+)(?:\.\d{1,3})*\.")


def sentences(text: str) -> Iterator[Span]:
    """Yield sentences with their end marks; a line's end is a sentence's end, and a span has a letter or a digit.

    The row of a table is one sentence.
    """
    for start, end in _between(text, _sentence_ends(text)):
        start, end = stripped(text, start, end)
        if any(map(str.isalnum, text[start:end])):
            yield start, end


def _sentence_ends(text: str) -> Iterator[int]:
    start, rows = 0, row_spans(text)
    for mark in _BREAK.finditer(text):
        if is_within(mark.start(), rows):
            continue
        if not mark.group().startswith(".") or _is_full_stop(text, start, mark):
            start = mark.end()
            yield start


def _is_full_stop(text: str, start: int, mark: re.Match[str]) -> bool:
    """Say whether a point ends a sentence, or an abbreviation, an initial, an item's number or a row of leaders."""
    following = text[mark.end() : mark.end() + 9].lstrip(" ")[:1]
    before = text[max(start, mark.start() - _LONGEST) : mark.start() + 1].lstrip()
    if following in ("", "\n"):
        return True
    if following == "." or following.islower() or _LEADER.search(text, max(start, mark.end() - _LONGEST), mark.end()):
        return False
    if _is_han(following):
        return not before[-2:-1].isdigit()
    if following.isdigit() and _LABEL.search(before):
        return False
    return not (_ITEM_NUMBER.fullmatch(before) or _TITLE.search(before) or _INITIAL.search(before))


def _between(text: str, ends: Iterable[int]) -> Iterator[Span]:
    start = 0
    for end in chain(ends, [len(text)]):
        yield start, end
        start = end


def stripped(text: str, start: int, end: int) -> Span:
    """Return a span without the white space at its ends; of white space alone it does not start before it ends."""
    piece = text[start:end]
    return end - len(piece.lstrip()), start + len(piece.rstrip())
