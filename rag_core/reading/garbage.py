"""Tell writing from what only looks like it: letters and characters that follow one another as in no language.

Every rule asks of a passage what the language's own frequencies say (``frequencies``). What is no running text, such as
names, acronyms, formulas and code, is as rare in a language as garbage is; it is told apart by its shape.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from rag_core.reading.frequencies import bits_a_character, bits_a_letter, is_common, is_strange, word_bits
from rag_core.reading.language import is_running, name_of

ENOUGH = 40
"""From so many Han characters, or letters of Latin words, on, it means something how they follow one another."""

ODD_WORD = 5.5
"""Bits a letter from which a word is none of English; most words of other languages cost less."""

ENOUGH_ODD = 24
"""So many letters of odd words, each counted once, show what was done to them."""

SAMPLE, LONGEST = 200, 200
"""No more odd words, and no more letters of one, are looked at: a page may hold a million."""

READABLE, GAIN = 5.0, 2.5
"""Odd words are undone when by one rule they cost less than the first, and less by the second than as they stand."""

MIXED, MIXED_ENGLISH = 6.2, 5.2
"""Bits a letter above which words of small letters are none of any language; less is allowed amid English."""

ENOUGH_SMALL = 30
"""So many letters in such words are a sample."""

TOGETHER = 5.6
"""Letters that stand apart cost at most this when they are put together without spaces: grades and bases cost more."""

ACROSS = 0.12
"""So many pairs across a space are common ones where the space is a typesetter's gap."""

DIFFERENT = 12
"""Fewer different letters than this are a code of its own, such as the bases of a gene."""

ACCENTED = 0.5
"""With more accents than this among its Latin letters, a page is another script's bytes: Ïðèâåò, ÖÐ¹ú."""

PASSAGE = 80
"""Han characters that are judged together: a garbled paragraph is found among good ones."""

STRANGE, DIFFERENT_STRANGE = 0.08, 5
"""With more characters than this that nobody uses, and not one over and over, a passage is no Chinese.

A page of the rarest birds and herbs has 0.06; one on pufferfish, 鲀, has more.
"""

UNUSUAL = 12.8
"""Bits a character from which running text is no Chinese; the rarest verse and name lists in one line cost less."""

RUNNING = 6
"""So many Han characters in a row are running text; names, terms and dishes are shorter."""

REPEATED = 0.9
"""More different characters than this among all: a list, for any text repeats some."""

_HAN_RUN = re.compile("[㐀-䶿一-鿿]+")
_WORD = re.compile("[A-Z]?[a-z]{2,}|[A-Z]{3,}")
_SMALL = re.compile(r"(?<![\w@./\\])[a-z]{5,}(?![\w@/\\]|\.\w)")
"""Names begin with a capital, abbreviations are shorter, and no part of an address or of a name in code is a word."""
_LATIN = re.compile("[A-Za-z]+")
_ACCENTED = re.compile("[À-ÖØ-öø-ɏ\u1e00-\u1eff]")
_SPELLED = re.compile(r"(?<!\S)(?:[A-Za-z][^\w\s]?\s+|[^\w\s]\s+){5,}[A-Za-z]?")
_MARKS = re.compile("[?？¿]{2,}")


def share(text: str) -> float:
    """Return the share of garbled letters among a page's Han and Latin letters."""
    garbled = latin_garbled(text) + han_garbled(text)
    return min(1.0, garbled / sum(map(str.isalpha, text))) if garbled else 0.0


def question_marks(text: str) -> float:
    """Return the share of a page that is question marks in a row: a program writes them for letters unknown to it."""
    marks = sum(map(len, _MARKS.findall(text)))
    return marks / len("".join(text.split())) if marks else 0.0


def spelled_share(text: str) -> float:
    """Return the share of the Latin letters that stand alone one after the other, and are words when put together."""
    spelled = ["".join(_LATIN.findall(run)).lower() for run in _SPELLED.findall(text)]
    apart = sum(map(len, spelled))
    if apart < ENOUGH_ODD or bits_a_letter(spelled) > TOGETHER:
        return 0.0
    return apart / sum(map(len, _LATIN.findall(text)))


def is_one_text(runs: Iterable[str]) -> bool:
    """Say whether the Han characters on either side of a space belong together; those of two names in a list do not."""
    gaps = [former[-1] + piece[0] for run in runs for former, piece in pairwise(run.split())]
    return sum(map(is_common, gaps)) >= ACROSS * len(gaps)


def latin_garbled(text: str) -> int:
    """Return how many letters stand in words of Latin letters that are garbled."""
    accents = len(_ACCENTED.findall(text))
    letters = accents + sum(map(len, _LATIN.findall(text))) if accents else 0
    if letters >= ENOUGH_ODD and accents > ACCENTED * letters:
        return letters
    plain = _plain(text) if accents else text
    words = _WORD.findall(plain)
    odd = [word for word in words if word_bits(word.lower()) > ODD_WORD * (len(word) + 1)]
    different = list(dict.fromkeys(word.lower()[:LONGEST] for word in odd))[:SAMPLE]
    if sum(map(len, different)) < ENOUGH_ODD:
        return 0
    return sum(map(len, odd)) if _is_undone(different) or _is_mixed(plain, name_of(text)) else 0


def _plain(text: str) -> str:
    return "".join(sign for sign in unicodedata.normalize("NFD", text) if not unicodedata.combining(sign))


def _is_undone(words: Sequence[str]) -> bool:
    """Say whether moving every letter alike along the alphabet, or reading backwards, makes English of these words."""
    best = min(map(bits_a_letter, _undone(words)))
    return best <= READABLE and best + GAIN <= bits_a_letter(words)


def _undone(words: Sequence[str]) -> Iterator[list[str]]:
    yield [word[::-1] for word in words]
    letters = string.ascii_lowercase
    for step in range(1, len(letters)):
        moved = str.maketrans(letters, letters[step:] + letters[:step])
        yield [word.translate(moved) for word in words]


def _is_mixed(text: str, language: str) -> bool:
    """Say whether the words of small letters are those of no language; one that is known by its words is believed."""
    small = _SMALL.findall(text)
    if sum(map(len, small)) < ENOUGH_SMALL or len(set("".join(small))) < DIFFERENT:
        return False
    bits = bits_a_letter(small)
    if bits < MIXED_ENGLISH or language != "en":
        return False
    return bits >= MIXED or is_running(text, "en")


def han_garbled(text: str) -> int:
    """Return how many Han characters stand in passages that are garbled; of Japanese and Korean none is judged."""
    runs = _HAN_RUN.findall(text)
    if sum(map(len, runs)) < ENOUGH:
        return 0
    garbled = sum(sum(map(len, passage)) for passage in _passages(runs) if is_garbled(passage))
    return 0 if garbled and name_of(text) in ("ja", "ko") else garbled


def _passages(runs: Iterable[str]) -> Iterator[list[str]]:
    """Yield runs together that have about ``PASSAGE`` characters; the last may have fewer, but enough."""
    passages: list[list[str]] = [[]]
    for piece in (run[start : start + PASSAGE] for run in runs for start in range(0, len(run), PASSAGE)):
        if sum(map(len, passages[-1])) >= PASSAGE:
            passages.append([])
        passages[-1].append(piece)
    if len(passages) > 1 and sum(map(len, passages[-1])) < ENOUGH:
        last = passages.pop()
        passages[-1] += last
    yield from passages


def is_garbled(runs: Sequence[str]) -> bool:
    """Say whether a passage of Chinese, given as its runs of Han characters, was written by nobody."""
    characters = "".join(runs)
    unused = [character for character in characters if is_strange(character)]
    if len(unused) >= STRANGE * len(characters) and len(set(unused)) >= DIFFERENT_STRANGE:
        return True
    long = [run for run in runs if len(run) >= RUNNING]
    characters = "".join(long)
    repeats = len(set(characters)) <= REPEATED * len(characters)
    return len(characters) >= ENOUGH and repeats and bits_a_character(long) >= UNUSUAL
