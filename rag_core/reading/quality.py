"""Say whether the text of a page is what was printed on it: good, doubtful or unreadable, and why.

An extractor raises no error when a font lacks its map or a page is a photograph; it returns signs that nobody wrote, or
nothing. All of this is read off the text itself, so any extractor's text can be judged and the better one taken.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import astuple, replace
from functools import lru_cache
from itertools import pairwise
from typing import Any

from rag_core.datatypes import Extract, Quality, Unseen
from rag_core.reading import garbage
from rag_core.reading.frequencies import bits_a_letter

GOOD, DOUBTFUL, UNREADABLE = VERDICTS = ("good", "doubtful", "unreadable")

REASONS = (
    "image_only",
    "replacement",
    "private",
    "unlikely",
    "uncommon",
    "question_marks",
    "symbols",
    "columns",
    "repeats",
    "vertical",
    "spaced",
    "glued",
    "blank",
    "unseen_kept",
    "unseen",
    "fields",
    "notes",
    "late",
    "slow",
    "too_slow",
    "unsearched",
)

FEW = 10
"""Fewer letters and figures than this are no text, beside a picture that fills the page."""

ENOUGH = 60
"""From so many Latin letters on, it means something how long their words are."""

SIGNS = {DOUBTFUL: 0.01, UNREADABLE: 0.2}
"""From these shares on, replacement characters and the like make a page doubtful, or unreadable."""

SPACED = 0.1
"""A tenth of the Han characters stands apart from the next ones: the typesetter's gaps became spaces."""

GLUED = 0.15
"""So many of the letters stand in words that nobody writes: the spaces are lost."""

LONGEST_WORD = 24

JOINT = 4
"""So many characters on either side of a line's end show that the line goes on there."""

SYMBOLS = 0.25
"""With more signs than this that are neither letters, figures nor punctuation, a page is no text."""

BOXES = {DOUBTFUL: 0.3, UNREADABLE: 0.6}
"""Shares of empty boxes in a row, which stand for letters that a font lacks; a form has fewer, to write into."""

GARBLED = 0.01
"""From this share of garbled letters on a page is doubtful; of UNREADABLE_GARBLED, nothing on it can be trusted."""

UNREADABLE_GARBLED = 0.5
QUESTION_MARKS = {DOUBTFUL: 0.1, UNREADABLE: 0.3}
"""Shares of question marks in a row among all that is written, as of the signs above."""

_MISREAD = re.compile(
    r"锟斤拷|锟|烫烫烫|屯屯屯|ï¿½|ï»¿"
    r"|[\u00c2\u00c3\u00e2][\u0080-\u00bf\u20ac\u2122\u0153\u017e\u2018-\u201d]"  # UTF-8 read as Latin-1: Ã©, â€™
    r"|[\u00e4-\u00e9][\u00a0-\u00bf\u0152-\u0178\u2010-\u203a]{1,2}"  # ä¸­ for 中
    r"|[鐨勭殑鍦ㄤ簡鏄绗鍜锛銆鈥涓枃]{3,}"  # UTF-8 read as GBK: 鐨 for 的
    r"|\(cid:\d+\)|/g\d{1,4}\b|/uni[0-9A-F]{4}\b"
)
_BOXES = re.compile("[□▯▢]{3,}")
_HAN = re.compile(r"[㐀-䶿一-鿿]")
_SPLIT = re.compile(r"(?:[㐀-䶿一-鿿]{1,2}[ \u3000]+){3,}[㐀-䶿一-鿿]{1,2}")
_LETTERS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
"""Words; of a name in code, such as ``startOrder``, its parts."""
_UNLIKELY = frozenset({"Cn", "Cs", "Cc"})
_EXPECTED = frozenset("\n\t\r\f\x02\ufffe")
"""Control characters that extractors write for white space and for a hyphen at a line's end."""

_PUNCTUATION = frozenset(
    ".,;:!?'\"()[]{}/\\^`-–—…·•%&@#*+=<>|_~，。；：！？、“”‘’（）《》〈〉【】「」『』％～￥$€£¥°×±→●○■□◆▲▼①②③④⑤⑥⑦⑧⑨⑩"
)


def assess(text: str, marks: Collection[str] = (), raw: str | None = None) -> Quality:
    """Judge a page by its text and what it shows: ``pictures``, ``drawn``, ``columns``, ``vertical``.

    ``raw`` is the text as it was extracted; cleaning takes away the very signs that give a bad text away.
    """
    raw = text if raw is None else raw
    # Most characters of a page stand on it again and again: each is judged once.
    extracted, signs = _signs(raw), _signs(text)
    written, characters = extracted.total(), signs.total()
    total = max(written, 1)
    shares = {
        "replacement": extracted["\ufffd"] / total,
        "private": sum(often for sign, often in extracted.items() if unicodedata.category(sign) == "Co") / total,
        "unlikely": unlikely(raw) / total,
    }
    spaced = spaced_share(text)
    faults = {reason: _grave(share, SIGNS) for reason, share in shares.items() if share >= SIGNS[DOUBTFUL]}
    faults |= _odd(text)
    faults |= _shown(written, sum(often for sign, often in signs.items() if sign.isalnum()), marks)
    if spaced >= SPACED:
        faults["spaced"] = DOUBTFUL
    reasons = tuple(sorted(faults, key=lambda reason: -VERDICTS.index(faults[reason])))
    verdict = max(faults.values(), key=VERDICTS.index, default=GOOD)
    return Quality(characters, **shares, spaced=spaced, verdict=verdict, reasons=reasons)


@lru_cache(maxsize=2)
def _signs(text: str) -> Counter[str]:
    """Count each character that prints something."""
    return Counter({sign: often for sign, often in Counter(text).items() if not sign.isspace()})


def doubt(quality: Quality, reason: str) -> Quality:
    """Return the quality with a reason to doubt it."""
    verdict = max(quality.verdict, DOUBTFUL, key=VERDICTS.index)
    return replace(quality, verdict=verdict, reasons=(*quality.reasons, reason))


def noted(quality: Quality, *reasons: str) -> Quality:
    """Return the quality with what is to be known of a page and is no reason to doubt it."""
    return replace(quality, reasons=(*quality.reasons, *reasons))


def unread(reason: str) -> Quality:
    """Return the quality of a page on which nothing was read, for this reason."""
    return Quality(0, 0.0, 0.0, 0.0, 0.0, UNREADABLE, (reason,))


def _grave(share: float, limits: Mapping[str, float]) -> str:
    return UNREADABLE if share >= limits[UNREADABLE] else DOUBTFUL


def has_text(text: str) -> bool:
    """Say whether there is something to search: a letter, or more figures than a page's number has."""
    return any(map(str.isalpha, text)) or sum(map(str.isdigit, text)) >= FEW


def unlikely(text: str) -> int:
    """Count the characters that no text holds: unassigned ones, and what a wrong encoding turns text into."""
    odd = [sign for sign in set(text) - _EXPECTED if unicodedata.category(sign) in _UNLIKELY]
    return sum(map(text.count, odd)) + sum(len(piece) for piece in _MISREAD.findall(text))


@lru_cache(maxsize=1)
def spaced_share(text: str) -> float:
    """Return the share of the Han characters, or of the Latin letters, that stand apart though they are one text."""
    return max(_spaced_han(text), garbage.spelled_share(text))


def _spaced_han(text: str) -> float:
    """Return the share of the Han characters that stand alone, or two by two, in a row of at least four such."""
    runs = _SPLIT.findall(text)
    split, han = (len(_HAN.findall(each)) for each in ("".join(runs), text if runs else ""))
    return split / han if han >= FEW and garbage.is_one_text(runs) else 0.0


@lru_cache(maxsize=1)
def _odd(text: str) -> dict[str, str]:
    """Say what is odd about the spread of signs, letters and words, and how grave it is.

    Both readings of a page are often the same in the end; then it is found out once.
    """
    return _odd_signs(text) | _odd_marks(text) | _odd_letters(text) | _odd_words(text)


def _odd_signs(text: str) -> dict[str, str]:
    signs = _signs(text)
    strange = sum(often for sign, often in signs.items() if not _is_expected(sign))
    boxes = sum(map(len, _BOXES.findall(text))) / max(signs.total(), 1)
    if signs.total() >= FEW and boxes >= BOXES[DOUBTFUL]:
        return {"symbols": _grave(boxes, BOXES)}
    return {"symbols": DOUBTFUL} if signs.total() >= FEW and strange >= SYMBOLS * signs.total() else {}


def _is_expected(sign: str) -> bool:
    """Say whether a sign is a letter, a figure, the vowel of a letter, punctuation, or of a formula or a drawing."""
    if sign.isalnum() or sign in _PUNCTUATION or "\u2190" <= sign <= "\u25ff":
        return True
    return unicodedata.category(sign).startswith("M")


def _odd_marks(text: str) -> dict[str, str]:
    """Say whether question marks stand where letters stood."""
    share = garbage.question_marks(text)
    return {"question_marks": _grave(share, QUESTION_MARKS)} if share >= QUESTION_MARKS[DOUBTFUL] else {}


def _odd_letters(text: str) -> dict[str, str]:
    """Say whether letters and characters follow one another as in no language: a font's numbers were taken for text."""
    share = garbage.share(text)
    return {"uncommon": UNREADABLE if share >= UNREADABLE_GARBLED else DOUBTFUL} if share >= GARBLED else {}


def _odd_words(text: str) -> dict[str, str]:
    """Say whether the spaces between Latin words are lost; a key or a protein has none to lose."""
    words = _LETTERS.findall(text)
    letters, glued = sum(map(len, words)), [word for word in words if len(word) > LONGEST_WORD]
    if letters < ENOUGH or sum(map(len, glued)) < GLUED * letters:
        return {}
    return {"glued": DOUBTFUL} if bits_a_letter(word.lower() for word in glued) <= garbage.TOGETHER else {}


def _shown(characters: int, words: int, marks: Collection[str]) -> dict[str, str]:
    """Judge what a page shows against how much text there is."""
    if words < FEW and {"pictures", "drawn"} & set(marks):
        return {"image_only": UNREADABLE}
    if not characters:
        return {"blank": GOOD}
    return {"vertical": DOUBTFUL} if "vertical" in marks else {}


def is_interleaved(text: str, columns: str) -> bool:
    """Say whether a page of two columns was read across them: the ends of most lines go on elsewhere.

    ``columns`` is the text with a line break at the end of each printed line, one column after the other.
    """
    whole, lines = "".join(text.split()), ["".join(line.split()) for line in columns.split("\n")]
    long = (pair for pair in pairwise(lines) if min(map(len, pair)) >= JOINT)
    joints = [upper[-JOINT:] + lower[:JOINT] for upper, lower in long]
    return len(joints) >= FEW and sum(joint in whole for joint in joints) * 2 < len(joints)


def dump(extracts: Mapping[str, Extract]) -> str:
    """Write a page's extracts as JSON."""
    rows = {
        name: [extract.text, *astuple(extract.quality), extract.faults, extract.unseen]
        for name, extract in extracts.items()
    }
    return json.dumps(rows)


def load(text: str) -> dict[str, Extract]:
    """Read what ``dump`` wrote."""
    return {name: _extract(row) for name, row in json.loads(text).items()}


def _extract(row: Sequence[Any]) -> Extract:
    text, characters, replacement, private, improbable, spaced, verdict, reasons, *rest = row
    quality = Quality(characters, replacement, private, improbable, spaced, verdict, tuple(reasons))
    # Rows from before faults and unseen text were known end here.
    faults, unseen = rest or ({}, ())
    return Extract(text, quality, faults, tuple(Unseen(*words) for words in unseen))
