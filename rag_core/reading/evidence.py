"""What speaks against a reading of a page: one score whose parts have names.

The witness is where the characters stand: PDFium's reading is laid out by it, and pypdf's is held against that. Every
part is a share of the page in [0, 1]; a reading's score is the sum of its parts by weight, and the least one wins.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from itertools import accumulate, pairwise

from rag_core.datatypes import Quality
from rag_core.reading.places import UNMISTAKABLE
from rag_core.reading.quality import UNREADABLE, VERDICTS
from rag_core.reading.text import Block, repair_block, repair_characters, words_of

LETTERS, REPEATS, LOST, TORN, ORDER, CUT = "letters", "repeats", "lost", "torn", "order", "cut"

WEIGHTS: Mapping[str, float] = {LETTERS: 10.0, LOST: 3.0, REPEATS: 2.0, CUT: 2.0, ORDER: 1.0, TORN: 1.0}
"""The parts: the verdict on its letters, characters repeated, characters lost, rows torn apart, lines out of order, and
words cut by spaces."""

SLIGHT = 0.03
"""Parts below this share decide nothing: two extractors never agree on every sign."""

LONGEST = 60_000
"""Longer texts stand on no paper; holding them against printed lines would take too long."""

MOST_LOST = 0.1
"""A reading that lacks this share of the other's characters is never chosen over it."""

HEADING_LAST = 0.05
"""A page's first line that is read as the last one counts so much, however long the page is."""

DOUBTED = 0.3
"""A reading in which so much is read again is doubted even where no other is better."""

_TOGETHER = 4
"""So many different characters in a row, each twice or more, were painted twice: no word is written like that."""

_HYPHENS = {ord(hyphen): "" for hyphen in "-\u2010"}
_AGAIN = re.compile(r"([^\W_])\1+")
_DOUBLED = re.compile(rf"(?:([^\W_])\1+[^\w\n]*){{{_TOGETHER},}}")
_ONE_LETTER = frozenset("aAIOyYeo")
"""Letters that are words, in English and its neighbours."""

_LEAST = 4
"""Shorter lines stand on a page more than once by chance."""


def faults(
    texts: Mapping[str, str], verdicts: Mapping[str, Quality], witness: str, seen: Sequence[Block]
) -> dict[str, dict[str, float]]:
    """Return what speaks against each reading, by its name and the part's: of shares from ``SLIGHT`` on.

    ``texts`` are as they were extracted; ``seen`` are the blocks that the text of the ``witness`` is made of.
    """
    repaired = {name: repair_characters(text) for name, text in texts.items()}
    printed = [line for block in seen for line in repair_block(block).lines]
    held = witness in texts and max(map(len, repaired.values())) <= LONGEST
    again = {name: painted_again(text, printed) if held and name != witness else 0 for name, text in repaired.items()}
    written = {name: max(0, min(letters_of(text), letters_in(text) - again[name])) for name, text in repaired.items()}
    # A text of which nothing can be trusted has no characters that another one could lack.
    legible = [count for name, count in written.items() if verdicts[name].verdict != UNREADABLE]
    most = max(legible or written.values(), default=0)
    parts = {
        name: {
            LETTERS: VERDICTS.index(verdicts[name].verdict) / 2,
            REPEATS: _share_repeated(text, written[name]),
            LOST: max(0.0, 1 - written[name] / most) if most else 0.0,
        }
        for name, text in repaired.items()
    }
    if held:
        _hold_against(repaired, witness, printed, parts)
    return {name: _grave(shares) for name, shares in parts.items()}


def _hold_against(
    texts: Mapping[str, str], witness: str, printed: Sequence[str], parts: Mapping[str, dict[str, float]]
) -> None:
    """Add to the parts what the printed lines say of the other texts, and these of them."""
    lines = [line for line in map(_bare, printed) if len(line) >= _LEAST]
    for name in texts.keys() - {witness}:
        words = common_words(texts[name], texts[witness])
        cut_in_text, cut_in_lines = cut(texts[name], printed, words)
        parts[name] |= {
            TORN: torn(texts[name], lines),
            ORDER: out_of_order(texts[name], lines),
            CUT: cut_in_text,
        }
        parts[witness][CUT] = max(parts[witness].get(CUT, 0.0), cut_in_lines)


def _grave(parts: dict[str, float]) -> dict[str, float]:
    return {part: round(share, 3) for part, share in parts.items() if share >= SLIGHT}


def score(parts: Mapping[str, float]) -> float:
    """Return how much speaks against a reading: 0 for nothing."""
    return sum(WEIGHTS[part] * share for part, share in parts.items())


def rank(parts: Mapping[str, float]) -> tuple[bool, float]:
    """Return a reading's place among others, the least first: those that lack too much come behind the rest."""
    return parts.get(LOST, 0.0) >= MOST_LOST, score(parts)


def _bare(line: str) -> str:
    """Return a line without white space and without the hyphens that end one extractor's lines alone."""
    return "".join(line.split()).translate(_HYPHENS)


def letters_of(text: str) -> int:
    """Count letters and figures, those that were painted or read again left out."""
    kept = [line for line in text.split("\n") if line.strip()]
    once = "\n".join(map(_once, _without_repeats(kept)))
    return letters_in(once)


# Repeats


def repeated(text: str) -> float:
    """Return the share of the letters and figures that are read more than once."""
    return _share_repeated(text, letters_of(text))


def _share_repeated(text: str, once: int) -> float:
    total = letters_in(text)
    return 1 - once / total if total else 0.0


def letters_in(text: str) -> int:
    """Count letters and figures."""
    return sum(map(str.isalnum, text))


def painted_again(text: str, printed: Sequence[str]) -> int:
    """Count the letters of printed lines that are read more often than they are seen.

    Whole pages and paragraphs are painted again too; lines that stand in two places are seen twice.
    """
    lines = {line for line in map(_bare, printed) if len(line) >= UNMISTAKABLE}
    read, seen = _bare(text), _bare("\n".join(printed))
    more = ((line, read.count(line) - seen.count(line)) for line in lines)
    return sum(letters_in(line) * times for line, times in more if times > 0)


def _without_repeats(lines: Sequence[str]) -> list[str]:
    """Return the lines without those that follow on one like them; short ones do so by chance where few lines do."""
    bare = ["", *("".join(line.split()) for line in lines)]
    again = [former == line and not line.isdigit() for former, line in pairwise(bare)]
    least = 1 if sum(again) * 3 >= len(lines) else _LEAST
    return [line for line, repeats in zip(lines, again, strict=True) if not repeats or len(line.strip()) < least]


@lru_cache(maxsize=1000)
def _once(line: str) -> str:
    """Return a line without the repeats in it: of each character, or of the whole; most stand in both readings."""
    line = _DOUBLED.sub(_single, line)
    bare = "".join(line.split())
    for times in (2, 3, 4):
        part, rest = divmod(len(bare), times)
        if part >= _LEAST and not rest and bare == bare[:part] * times and any(map(str.isalpha, bare)):
            return bare[:part]
    return line


def _single(match: re.Match[str]) -> str:
    """Return a run of repeated characters as it was before they were; ``1100 2200`` are figures and stay."""
    run = match.group()
    times = min(len(again.group()) for again in _AGAIN.finditer(run))
    return _AGAIN.sub(lambda again: again[1] * (len(again[0]) // times), run) if any(map(str.isalpha, run)) else run


# Rows and their order


def torn(text: str, lines: Sequence[str]) -> float:
    """Return the share of the page in printed lines that are not read as one."""
    read = "\n".join(map(_bare, text.split("\n")))
    total = sum(map(len, lines))
    return sum(len(line) for line in lines if line not in read) / total if total else 0.0


def out_of_order(text: str, lines: Sequence[str]) -> float:
    """Return the share of the page in lines that are read before one that stands above them."""
    read, often = _bare(text), Counter(lines)
    places = [(read.find(line), len(line)) for line in lines if often[line] == 1 and read.count(line) == 1]
    total = sum(length for _, length in places)
    share = 1 - _longest_rise(places) / total if total else 0.0
    last = len(places) > 2 and places[0] == max(places)
    return max(share, HEADING_LAST) if last else share


def _longest_rise(places: Sequence[tuple[int, int]]) -> int:
    """Return how long the lines are, together, of the longest run of them that are read in order."""
    ends: list[int] = []
    best: list[int] = []
    for place, length in places:
        at = bisect_left(ends, place)
        weight = length + (best[at - 1] if at else 0)
        while at < len(ends) and best[at] <= weight:
            del ends[at], best[at]
        if not at or best[at - 1] < weight:
            ends.insert(at, place)
            best.insert(at, weight)
    return best[-1] if best else 0


# Words


def common_words(text: str, other: str) -> set[str]:
    """Return the words of two letters or more that both texts have, in lower case."""
    return {word for word in words_of(text) & words_of(other) if len(word) > 1}


def cut(text: str, lines: Sequence[str], words: Collection[str]) -> tuple[float, float]:
    """Return the shares of the words that spaces cut in the text, and in the printed lines.

    Where one has a space that the other has not, the whole is right if it is one of ``words``, which both have, or its
    pieces are none that a person writes; else the space is.
    """
    read, spaces = _spaces(text)
    places = sorted(spaces)
    in_text = in_lines = total = 0
    for line in lines:
        bare, own = _spaces(line)
        start = read.find(bare)
        if start < 0 or len(bare) < _LEAST:
            continue
        inner = places[bisect_right(places, start) : bisect_left(places, start + len(bare))]
        theirs = {place - start for place in inner}
        total += len(own) + 1
        if theirs != own - {len(bare)}:
            in_text += _cuts(bare, own, theirs, words)
            in_lines += _cuts(bare, theirs, own, words)
    return (in_text / total, in_lines / total) if total else (0.0, 0.0)


def _spaces(text: str) -> tuple[str, set[int]]:
    """Return the text without white space, and before which of its characters some stood."""
    pieces = text.split()
    return "".join(pieces), set(accumulate(map(len, pieces)))


def _cuts(bare: str, own: Collection[int], theirs: Collection[int], words: Collection[str]) -> int:
    """Count the words between ``own`` spaces that ``theirs`` cut."""
    cuts = 0
    for start, end in pairwise([0, *sorted(own), len(bare)]):
        inner = sorted(place for place in theirs if start < place < end)
        pieces = [bare[one:other] for one, other in pairwise([start, *inner, end])]
        cuts += bool(inner) and bare[start:end].isascii() and _is_cut(bare[start:end], pieces, words)
    return cuts


def _is_cut(whole: str, pieces: Sequence[str], words: Collection[str]) -> bool:
    if whole.lower() in words:
        return True
    letters = [piece for piece in pieces if piece.isalpha()]
    single = any(len(piece) == 1 and piece not in _ONE_LETTER for piece in letters)
    return bool(letters) and (single or not any(piece.lower() in words for piece in letters))
