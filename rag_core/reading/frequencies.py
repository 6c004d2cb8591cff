"""How usual letters and characters are, alone and beside each other, in English and in Chinese.

A font whose map is shifted gives letters, spaces and vowels too; what it does not give is which follows which. The
counts are made by ``training/frequencies.py`` and hold no text; their sources and licences stand in the file.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, lru_cache
from itertools import pairwise
from pathlib import Path

FIGURES = Path(__file__).with_name("frequencies.json")
LETTERS = 27
"""The letters a to z, and 0 for what is before a word and after it."""

RARE_BITS = 18
"""What a character costs that is not among the common ones."""

PAIR_BITS = 6
"""What a run of characters is spared when every pair in it is a common one."""

_CANTONESE = "佢冇咗唔啲嘅喺嗰嚟嘢睇瞓攞噉咁哋乜嘥㗎"
_LEVEL_ONE = (("gb2312", 0xB0, 0xF7), ("big5", 0xA4, 0xC6), ("shift_jis", 0x88, 0x98))
"""The bytes that the characters in use begin with: simplified, traditional, Japanese."""


@cache
def _figures() -> dict:
    return json.loads(FIGURES.read_text(encoding="utf-8"))


@cache
def _letters() -> list[int]:
    return [int(digit, 16) for row in _figures()["letters"] for digit in row]


@cache
def known_han() -> dict[str, int]:
    """Return what the common Han characters cost in bits."""
    return {character: int(bits) for bits, row in _figures()["han"].items() for character in row}


@cache
def _pairs() -> frozenset[str]:
    return frozenset(word[0] + second for word in _figures()["pairs"].split() for second in word[1:])


@cache
def _in_use() -> frozenset[str]:
    """Return the characters of the old national standards, which nearly all that is printed is made of."""
    return frozenset(_CANTONESE).union(*(_level_one(*level) for level in _LEVEL_ONE))


def _level_one(encoding: str, first: int, last: int) -> Iterator[str]:
    for high in range(first, last + 1):
        for low in range(0x40, 0xFF):
            yield bytes((high, low)).decode(encoding, "ignore")


@lru_cache(maxsize=20_000)
def word_bits(word: str) -> int:
    """Return how many bits a word of the letters a to z costs in English, its end included; see ``bits_a_letter``."""
    table, before, last, bits = _letters(), 0, 0, 0
    for letter in (*(ord(letter) - 96 for letter in word), 0):
        bits += table[(before * LETTERS + last) * LETTERS + letter]
        before, last = last, letter
    return bits


def bits_a_letter(words: Iterable[str]) -> float:
    """Return what a letter of these words costs: about 3 in English, up to 6 elsewhere, 8 where they were mixed up."""
    words = list(words)
    return sum(map(word_bits, words)) / max(sum(len(word) + 1 for word in words), 1)


def bits_a_character(runs: Sequence[str]) -> float:
    """Return what a Han character of these runs costs: 5 to 11 in Chinese, 13 to 18 where characters were mixed up."""
    known, pairs = known_han(), _pairs()
    bits = [known.get(character, RARE_BITS) for run in runs for character in run]
    usual = [first + second in pairs for run in runs for first, second in pairwise(run)]
    return sum(bits) / max(len(bits), 1) - PAIR_BITS * sum(usual) / max(len(usual), 1)


def is_common(pair: str) -> bool:
    """Say whether two Han characters often follow one another."""
    return pair in _pairs()


def is_strange(character: str) -> bool:
    """Say whether no standard of characters in use has a Han character."""
    return character not in _in_use()
