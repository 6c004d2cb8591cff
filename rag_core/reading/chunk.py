"""Cut pages into the chunks that are embedded, ranked and cited.

A chunk never crosses a page, for a citation names one, and its text is exactly ``page.text[start:end]``. One that
begins within a table brings the table's head along, apart from its text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from rag_core.datatypes import Chunk, ChunkSettings, Page
from rag_core.errors import BadSetting
from rag_core.reading import table_heads
from rag_core.reading.language import Span, language_of, sentences, stripped
from rag_core.reading.text import is_within, row_spans

PRESETS: tuple[str, ...] = ("clause", "sentence", "window")
"""``clause`` cuts at every ，。！？; ``sentence`` at sentence ends; ``window`` groups whole sentences, with overlap."""

SIZES = (50, 4000)
"""The smallest and the largest window, in characters."""

LONG_DOCUMENT = 30
"""Windows that a document must fill for windows to be recommended.

In a shorter document there would be too few of them to show an order; in a longer one, sentences alone lose what they
refer to, and every table cell and heading becomes a candidate of its own.
"""


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
    located = ((page, *piece) for page in pages for piece in _under_heads(page.text, spans_of(page.text)))
    return [
        Chunk(f"{doc_id}-{key}-{number:05d}", doc_id, page.text[start:end], page.number, start, end, head=head)
        for number, (page, start, end, head) in enumerate(located, 1)
    ]


def _under_heads(text: str, spans: Iterable[Span]) -> Iterator[tuple[int, int, str]]:
    known = table_heads.tables(text)
    return ((start, end, table_heads.head_over(text, known, start, end)) for start, end in spans)


def recommend(pages: Iterable[Page]) -> ChunkSettings:
    """Return windows for a document that fills at least LONG_DOCUMENT of them, sentences for a shorter one.

    English takes about twice the characters for the same content, so its windows are twice as long.
    """
    pages = list(pages)
    size, overlap = (300, 60) if language_of(*(page.text for page in pages)) == "zh" else (600, 120)
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

_CLAUSE_MARK = re.compile("[，。！？]")


def clauses(text: str) -> Iterator[Span]:
    """Yield what stands between ，。！？, without the marks and the space around it; a table's row is one clause."""
    rows = row_spans(text)
    marks = (mark.span() for mark in _CLAUSE_MARK.finditer(text) if not is_within(mark.start(), rows))
    ends = sorted([*marks, *((place, place) for row in rows for place in row), (len(text), len(text))])
    former = 0
    for mark, following in ends:
        start, end = stripped(text, former, mark)
        if start < end:
            yield start, end
        former = following


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
        ends = [match.end() for match in mark.finditer(text, start + size // 2, start + size)]
        if ends:
            return ends[-1]
    return start + size
