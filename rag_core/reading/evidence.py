"""What speaks against a reading of a page: one score whose parts have names.

The witness is where the characters stand: PDFium's reading is laid out by it, and pypdf's is held against that. Every
part is a share of the page in [0, 1]; a reading's score is the sum of its parts by weight, and the least one wins.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import chain, pairwise

from rag_core.datatypes import Quality
from rag_core.reading.quality import VERDICTS
from rag_core.reading.text import WORD, Block, repair_block, repair_characters

LETTERS, REPEATS, LOST, TORN, ORDER, CUT = "letters", "repeats", "lost", "torn", "order", "cut"

WEIGHTS: Mapping[str, float] = {LETTERS: 10.0, LOST: 3.0, REPEATS: 2.0, CUT: 2.0, ORDER: 1.0, TORN: 1.0}
"""The parts: the verdict on its letters, characters repeated, characters lost, rows torn apart, lines out of order, and
words cut by spaces."""

SLIGHT = 0.03
"""Parts below this share decide nothing: two extractors never agree on every sign."""

MOST_LOST = 0.1
"""A reading that lacks this share of the other's characters is never chosen over it."""

_TOGETHER = 4
"""So many different characters in a row, each twice or more, were painted twice: no word is written like that."""

_HYPHENS = {ord(hyphen): "" for hyphen in "-\u2010"}
_DOUBLED = re.compile(rf"(?:([^\W_])\1+[^\w\n]*){{{_TOGETHER},}}")
_LEAST = 4
"""Shorter lines stand on a page more than once by chance."""


def faults(
    texts: Mapping[str, str], verdicts: Mapping[str, Quality], seen: Sequence[Block]
) -> dict[str, dict[str, float]]:
    """Return what speaks against each reading, by its name and the part's: of shares from ``SLIGHT`` on.

    ``texts`` are as they were extracted; ``seen`` are the blocks that PDFium's reading is made of.
    """
    repaired = {name: repair_characters(text) for name, text in texts.items()}
    printed = (line for block in seen for line in repair_block(block).lines)
    lines = [line for line in map(_bare, printed) if len(line) >= _LEAST]
    written = {name: letters_of(text) for name, text in repaired.items()}
    most = max(written.values(), default=0)
    return {
        name: _grave(
            {
                LETTERS: VERDICTS.index(verdicts[name].verdict) / 2,
                REPEATS: repeated(text),
                LOST: 1 - written[name] / most if most else 0.0,
                TORN: torn(text, lines),
                ORDER: out_of_order(text, lines),
                CUT: max((cut(text, other) for key, other in repaired.items() if key != name), default=0.0),
            }
        )
        for name, text in repaired.items()
    }


def _grave(parts: dict[str, float]) -> dict[str, float]:
    return {part: round(share, 3) for part, share in parts.items() if share >= SLIGHT}


def score(parts: Mapping[str, float]) -> float:
    """Return how much speaks against a reading: 0 for nothing."""
    lost = 100.0 if parts.get(LOST, 0.0) >= MOST_LOST else 0.0
    return lost + sum(WEIGHTS[part] * share for part, share in parts.items())


def _bare(line: str) -> str:
    """Return a line without white space and without the hyphens that end one extractor's lines alone."""
    return "".join(line.split()).translate(_HYPHENS)


def letters_of(text: str) -> int:
    """Count letters and figures, those that were painted or read again left out."""
    kept = (line for line in text.split("\n") if line.strip())
    once = "\n".join(_once(line) for line in _without_repeats([*kept]))
    return sum(map(str.isalnum, once))


# Repeats


def repeated(text: str) -> float:
    """Return the share of the letters and figures that are read more than once."""
    total = sum(map(str.isalnum, text))
    return 1 - letters_of(text) / total if total else 0.0


def _without_repeats(lines: Sequence[str]) -> list[str]:
    """Return the lines without those that follow on one like them."""
    former = chain([""], lines)
    return [line for before, line in zip(former, lines, strict=False) if not _says_again(before, line)]


def _says_again(former: str, line: str) -> bool:
    bare = "".join(line.split())
    return len(bare) >= _LEAST and not bare.isdigit() and bare == "".join(former.split())


def _once(line: str) -> str:
    """Return a line without the repeats in it: of each character, or of the whole."""
    line = _DOUBLED.sub(lambda match: re.sub(r"([^\W_])\1+", r"\1", match.group()), line)
    bare = "".join(line.split())
    for times in (2, 3, 4):
        part, rest = divmod(len(bare), times)
        if part >= _LEAST and not rest and bare == bare[:part] * times and any(map(str.isalpha, bare)):
            return bare[:part]
    return line


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
    return 1 - _longest_rise(places) / total if total else 0.0


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


def cut(text: str, other: str) -> float:
    """Return the share of the words that a space cuts: the other reading has them whole, and not their pieces."""
    words, whole = WORD.findall(text), {word.lower() for word in WORD.findall(other)}
    pairs = [(one.lower(), two.lower()) for line in text.split("\n") for one, two in _neighbours(line)]
    cuts = sum(one + two in whole and not (one in whole and two in whole) for one, two in pairs)
    return cuts / len(words) if words else 0.0


def _neighbours(line: str) -> list[tuple[str, str]]:
    words = re.findall(r"[A-Za-z]+", line)
    return [(one, two) for one, two in pairwise(words) if f"{one} {two}" in line]
