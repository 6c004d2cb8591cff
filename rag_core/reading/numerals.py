"""Read numbers as pages bear them: Arabic, Roman and Chinese."""

from __future__ import annotations

import re
from itertools import pairwise

NUMBER = re.compile(
    r"(?<![\d.,])\d{1,4}(?!\d|[.,]\d|%)|(?<![a-z])[ivxlc]+(?![a-z])"
    r"|(?<![〇零一二三四五六七八九十百])[〇零一二三四五六七八九十百]+"
)
"""A whole number in a text of small letters, and nothing that is a part of a larger one."""

_ROMAN = re.compile(r"(?=.)c{0,3}(xc|xl|l?x{0,3})(ix|iv|v?i{0,3})")
_LETTERS = {"i": 1, "v": 5, "x": 10, "l": 50, "c": 100}
_CHINESE = re.compile(
    "(?:(D)千[零〇]?)?(?:(D)百[零〇]?)?(?:(D)?(十)[零〇]?)?(D)?".replace("D", "[一二两三四五六七八九]")
)
_DIGITS = {"两": 2} | {digit: value for value, digit in enumerate("〇一二三四五六七八九")}


def value(number: str) -> int:
    """Return what a number says, 0 where it says nothing: ``iiii``, ``十十``."""
    if number.isdecimal():
        return int(number)
    return _roman(number) if number.isascii() else _chinese(number)


def _roman(number: str) -> int:
    if not _ROMAN.fullmatch(number):
        return 0
    values = [_LETTERS[letter] for letter in number]
    return sum(-one if one < other else one for one, other in pairwise([*values, 0]))


def _chinese(number: str) -> int:
    if not {*number} & {*"十百千"}:  # 二〇二 is written digit by digit
        return int("".join(str(_digit(digit)) for digit in number.replace("零", "〇")))
    match = _CHINESE.fullmatch(number)
    if not match:
        return 0
    thousands, hundreds, tens, ten, ones = match.groups()
    return 1000 * _digit(thousands) + 100 * _digit(hundreds) + 10 * (_digit(tens) or bool(ten)) + _digit(ones)


def _digit(written: str | None) -> int:
    return _DIGITS[written] if written else 0
