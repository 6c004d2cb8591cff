"""Cut pages into the chunks that are embedded, ranked and cited.

A chunk never crosses a page, for a citation names one, and its text is exactly ``page.text[start:end]``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain

from rag_core.datatypes import Chunk, ChunkSettings, Page
from rag_core.errors import BadSetting

PRESETS: tuple[str, ...] = ("clause", "sentence", "window")
"""``clause`` cuts at every ，。！？; ``sentence`` at sentence ends; ``window`` groups whole sentences, with overlap."""

SIZES = (50, 4000)
"""The smallest and the largest window, in characters."""

LONG_DOCUMENT = 30
"""Windows that a document must fill for windows to be recommended.

In a shorter document there would be too few of them to show an order; in a longer one, sentences alone lose what they
refer to, and every table cell and heading becomes a candidate of its own.
"""

HAN_SHARE = 0.2
"""Han letters among all letters from which a text is Chinese.

A Han letter says as much as about four Latin ones, so at one in five the two languages weigh the same. English reports
with Chinese names stay far below, Chinese ones with English terms far above.
"""

Span = tuple[int, int]
"""Start and end offsets into one page's text."""


def split(
    pages: Iterable[Page], preset: str = "window", size: int = 300, overlap: int = 60, doc_id: str = ""
) -> list[Chunk]:
    """Cut pages into chunks numbered from 1 in reading order.

    ``size`` and ``overlap`` are characters and matter to ``window`` alone. Raises BadSetting for an unknown preset, a
    size outside SIZES, or an overlap that is negative or not smaller than the size.
    """
    _check(preset, size, overlap)
    key = ChunkSettings(preset, size, overlap).key
    spans_of = _spans_of(preset, size, overlap)
    located = ((page, span) for page in pages for span in spans_of(page.text))
    return [
        Chunk(f"{doc_id}-{key}-{number:05d}", doc_id, page.text[start:end], page.number, start, end)
        for number, (page, (start, end)) in enumerate(located, 1)
    ]


def language(pages: Iterable[Page]) -> str:
    """Return ``zh`` when at least HAN_SHARE of the letters are Han, else ``en``."""
    letters = [letter for page in pages for letter in page.text if letter.isalpha()]
    han = sum(map(_is_han, letters))
    return "zh" if han and han >= HAN_SHARE * len(letters) else "en"


def recommend(pages: Iterable[Page]) -> ChunkSettings:
    """Return windows for a document that fills at least LONG_DOCUMENT of them, sentences for a shorter one.

    English takes about twice the characters for the same content, so its windows are twice as long.
    """
    pages = list(pages)
    size, overlap = (300, 60) if language(pages) == "zh" else (600, 120)
    long = sum(len(page.text) for page in pages) >= LONG_DOCUMENT * (size - overlap)
    return ChunkSettings("window" if long else "sentence", size, overlap)


def _check(preset: str, size: int, overlap: int) -> None:
    if preset not in PRESETS:
        message = f"There is no chunk preset {preset!r}. Choose one of: {', '.join(PRESETS)}."
        raise BadSetting(message, setting="preset", value=preset, limit=", ".join(PRESETS))
    if preset == "window":
        _check_range("size", size, *SIZES)
        _check_range("overlap", overlap, 0, size - 1)


def _check_range(name: str, value: int, lowest: int, highest: int) -> None:
    if not lowest <= value <= highest:
        message = f"A window's {name} of {value} characters cannot be used. Choose {lowest} to {highest}."
        raise BadSetting(message, setting=name, value=value, limit=f"{lowest}–{highest}")


def _spans_of(preset: str, size: int, overlap: int) -> Callable[[str], Iterable[Span]]:
    if preset == "clause":
        return clauses
    if preset == "sentence":
        return sentences
    return lambda text: windows(text, size, overlap)


# Clauses

_CLAUSE = re.compile("[^，。！？]+")


def clauses(text: str) -> Iterator[Span]:
    """Yield what stands between ，。！？, without the marks and the space around it."""
    for piece in _CLAUSE.finditer(text):
        start, end = stripped(text, *piece.span())
        if start < end:
            yield start, end


def stripped(text: str, start: int, end: int) -> Span:
    """Return a span without the white space at its ends; of white space alone it does not start before it ends."""
    piece = text[start:end]
    return end - len(piece.lstrip()), start + len(piece.rstrip())


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
    """Yield sentences with their end marks; a line's end is a sentence's end, and a span has a letter or a digit."""
    for start, end in _between(text, _sentence_ends(text)):
        start, end = stripped(text, start, end)
        if any(map(str.isalnum, text[start:end])):
            yield start, end


def _sentence_ends(text: str) -> Iterator[int]:
    start = 0
    for mark in _BREAK.finditer(text):
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


def _is_han(character: str) -> bool:
    return "\u3400" <= character <= "\u9fff" or "\U00020000" <= character <= "\U0003ffff"


# Windows

_CLAUSE_END = re.compile(r"[，、：；）》」』]|[,;:)](?=\s)")
_SPACE = re.compile(r"\s+")


def windows(text: str, size: int, overlap: int) -> Iterator[Span]:
    """Yield runs of whole sentences of at most ``size`` characters.

    A window begins with the last sentences of the one before it that fit into ``overlap`` and leave room for a new
    one. A sentence longer than ``size`` is cut at clause marks, else at spaces, else at ``size``.
    """
    pieces = [part for sentence in sentences(text) for part in _cut(text, *sentence, size)]
    for first, following in runs(pieces, size, overlap):
        yield pieces[first][0], pieces[following - 1][1]


def runs(pieces: Sequence[Span], size: int, overlap: int) -> Iterator[tuple[int, int]]:
    """Yield the first piece of each window and the first after it; sizes count as the places of the pieces do."""
    first = following = 0
    while following < len(pieces):
        following = _first_outside(pieces, first, size)
        yield first, following
        if following < len(pieces):
            first = _first_shared(pieces, first, following, size, overlap)


def _first_outside(pieces: Sequence[Span], first: int, size: int) -> int:
    limit = pieces[first][0] + size
    return next((number for number in range(first + 1, len(pieces)) if pieces[number][1] > limit), len(pieces))


def _first_shared(pieces: Sequence[Span], first: int, following: int, size: int, overlap: int) -> int:
    """Return the piece the next window begins with: one near the end of this window, or ``following`` itself."""
    earliest = max(pieces[following - 1][1] - overlap, pieces[following][1] - size)
    return next(number for number in range(first + 1, following + 1) if pieces[number][0] >= earliest)


def _cut(text: str, start: int, end: int, size: int) -> Iterator[Span]:
    while end - start > size:
        cut = cut_point(text, start, size)
        yield stripped(text, start, cut)
        start = stripped(text, cut, end)[0]
    yield start, end


def cut_point(text: str, start: int, size: int) -> int:
    """Return the last clause mark, else the last space, in the second half of the next ``size`` characters."""
    for mark in (_CLAUSE_END, _SPACE):
        ends = [found.end() for found in mark.finditer(text, start + size // 2, start + size)]
        if ends:
            return ends[-1]
    return start + size
