"""Tell in which encoding a text was written: usual characters beside each other are likelier than rare ones.

Every encoding that a file can be in gives other characters for the same bytes. Each reading is counted in bits, as a
code would spend them that knows how usual a character is, alone and after another; the shortest is taken.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from unicodedata import category

from rag_core.errors import NotText
from rag_core.reading import frequencies

ENCODINGS = {
    "UTF-8": ("utf-8",),
    "UTF-16 LE": ("utf-16-le",),
    "UTF-16 BE": ("utf-16-be",),
    "GB18030": ("gb18030",),
    "Big5": ("cp950", "big5hkscs"),
    "Shift-JIS": ("cp932",),
    "Windows-1252": ("cp1252",),
}
"""What spreadsheets and editors save, and the codecs that read it: the first that can."""

_MARKS = {codecs.BOM_UTF8: "UTF-8", codecs.BOM_UTF16_LE: "UTF-16 LE", codecs.BOM_UTF16_BE: "UTF-16 BE"}
SAMPLE = 8192
"""So many bytes are counted; of a longer file those of lines that are more than ASCII."""

SEARCHED = 1_000_000
"""So many bytes of a file are searched for such lines."""

_PRIOR_BITS = {"UTF-8": -20, "UTF-16 LE": 6, "UTF-16 BE": 6}
"""Few texts of another encoding are UTF-8 by chance, and few of UTF-16 have neither a mark nor an ASCII letter."""

_TEXT_BITS = 15
"""No text costs more a character."""

_LETTER, _SIGN, _COMMON, _LATIN, _USED_HAN, _RARE, _IMPOSSIBLE = 5, 7, 7, 8, 13, 18, 40
_COMMON_SIGNS = frozenset("，。？！、：；（）《》“”‘’「」『』【】—…–·　％€£°§«»¿¡")
_BLOCKS = (
    ("\u0370", "\u07ff", 9),
    ("\u0900", "\u0fff", 9),
    ("\u3000", "〿", 10),
    ("ぁ", "ゟ", 6),
    ("゠", "ヿ", 7),
    ("\u3400", "\u4dbf", 22),
    ("가", "힣", 14),
    ("！", "｠", 10),
    ("｡", "ﾟ", 13),
)
"""What a letter of a block costs: kana are few, Hangul are many."""

_PAIR, _BESIDE_LETTER, _BESIDE_SPACE = -5, 5, 3
"""Added for two Han characters that often follow one another, a Han character beside ASCII, two accented letters."""

_CONTROL = re.compile(rb"[\0-\x08\x0e-\x1f\x7f]")
_HIGH_LINE = re.compile(rb"[^\r\n]*[\x80-\xff][^\r\n]*[\r\n]*")


@dataclass(frozen=True, slots=True)
class Decoded:
    """A text, its encoding, and all that it can be in, likelier ones first, where its bytes do not say it."""

    text: str
    encoding: str
    possible: tuple[str, ...] = ()


def decoded(data: bytes, encoding: str = "") -> Decoded:
    """Read a text in the encoding that is named, one of ENCODINGS, or in the likeliest.

    Raises:
        NotText: it is text in none of them, or not in this one.
    """
    for mark, name in _MARKS.items():
        if data.startswith(mark):
            return Decoded(_text(data[len(mark) :], name), name)
    if data.isascii() and not _CONTROL.search(data):
        return Decoded(data.decode("ascii"), "UTF-8")
    ranked = _ranked(data)
    for name in [encoding] if encoding else ranked:
        try:
            return Decoded(_text(data, name), name, tuple(ranked))
        except NotText:
            if encoding:
                raise
    raise _not_text()


def _text(data: bytes, name: str) -> str:
    for codec in ENCODINGS[name]:
        try:
            text = data.decode(codec)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise _not_text()


def _not_text() -> NotText:
    return NotText(f"the file is text in none of {', '.join(ENCODINGS)}: save it as CSV in UTF-8, or as XLSX")


def _ranked(data: bytes) -> list[str]:
    """Return the encodings that a text can be in, the likeliest first.

    Only UTF-16 has zero bytes, and where it has none it is a line or two.
    """
    wide, short = b"\0" in data, len(data) <= SAMPLE
    sample = data[:SAMPLE] if wide or short else _high_lines(data)
    names = [name for name in ENCODINGS if (name.startswith("UTF-16") if wide else short or "16" not in name)]
    costs = dict(_costs(sample, names, short))
    return sorted(costs, key=lambda name: costs[name])


def _high_lines(data: bytes) -> bytes:
    return b"".join(match.group() for match in _HIGH_LINE.finditer(data, 0, SEARCHED))[:SAMPLE] or data[-SAMPLE:]


def _costs(sample: bytes, names: list[str], whole: bool) -> Iterator[tuple[str, float]]:
    for name in names:
        for codec in ENCODINGS[name]:
            try:
                text = codecs.getincrementaldecoder(codec)().decode(sample, final=whole)
            except UnicodeDecodeError:
                continue
            bits = cost(text)
            if bits < _TEXT_BITS * len(text):
                yield name, bits + _PRIOR_BITS.get(name, 0)
            break


def cost(text: str) -> float:
    """Return how many bits a text costs."""
    return sum(_alone(second) + _after(first, second) for first, second in pairwise(f"\n{text}"))


@lru_cache(maxsize=20_000)
def _alone(character: str) -> int:
    if character.isascii():
        return _ascii(character)
    if character in _COMMON_SIGNS:
        return _COMMON
    if _is_han(character):
        return frequencies.known_han().get(character, _RARE if frequencies.is_strange(character) else _USED_HAN)
    if "\xc0" <= character <= "\u024f" and character.isalpha():
        return _LATIN
    if category(character) in ("Co", "Cn", "Cc", "Cs"):
        return _IMPOSSIBLE
    return next((bits for first, last, bits in _BLOCKS if first <= character <= last), _RARE)


def _ascii(character: str) -> int:
    if character.isalnum() or character in " \t\r\n,;":
        return _LETTER
    return _SIGN if character.isprintable() else _IMPOSSIBLE


def _after(first: str, second: str) -> int:
    low, high = sorted((first, second))
    if _is_han(low):
        return _PAIR if frequencies.is_common(first + second) else 0
    if _is_han(high) and low.isascii():
        return _BESIDE_LETTER if low.isalpha() else _BESIDE_SPACE if low == " " else 0
    return _BESIDE_LETTER if low >= "\x80" and high <= "\u024f" else 0


def _is_han(character: str) -> bool:
    return "一" <= character <= "\u9fff"
