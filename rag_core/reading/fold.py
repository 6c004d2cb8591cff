"""Write one way what can be written in several, and know where each character of it stood."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from unicodedata import normalize

Place = tuple[int, int]
Rewrite = Callable[[str], str]
"""Says how one character, with the marks that stand on it, is written."""

_OPTIONAL = "\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0640\u064b-\u0652\u0670"
"""Accents, and the vowel points of Hebrew and Arabic: the same word is written with them and without."""

_MARKED = re.compile(f"[\\s\\S][{_OPTIONAL}\u3099\u309a\uff9e\uff9f]*")
"""A character with its accents, or the voicing of kana."""

_ACCENTS = re.compile(f"[{_OPTIONAL}]")
_UNSEEN = re.compile("[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]")
"""Soft hyphens, what has no width, marks of direction, and selectors of another shape."""

_ALIKE = str.maketrans("‘’‚‛′`´“”„‟″«»‐‑‒–—―−", "'''''''" + '"' * 7 + "-------")
_BROKEN = re.compile(r"(?<=[^\W\d_])-+(?=[^\W\d_])")


@dataclass(frozen=True, slots=True)
class Folded:
    """A text rewritten; ``places`` hold start and end in the original of each character that it has now."""

    text: str
    places: tuple[Place, ...]

    def span(self, start: int, end: int) -> Place:
        """Return where in the original stands what is now from ``start`` to ``end``, at least one character."""
        return self.places[start][0], self.places[end - 1][1]


def folded(text: str, rewrite: Rewrite) -> Folded:
    """Rewrite a text character by character; one may become none, or several."""
    marked = [(rewrite(match.group()), match.span()) for match in _MARKED.finditer(text)]
    return Folded("".join(new for new, _ in marked), tuple(span for new, span in marked for _ in new))


def for_words(text: str) -> str:
    """Return a text in half width and small letters, without accents and what is not seen.

    Compatibility forms are one (Unicode NFKC); accents go from every script, as in ICU's folding for search, and vowel
    points.
    """
    if text.isascii():
        return text.lower()
    return _UNSEEN.sub("", normalize("NFKC", _ACCENTS.sub("", normalize("NFKD", text)))).casefold()


def for_quotes(text: str) -> Folded:
    """Return a text without white space, with one kind of quotation mark and of dash, and words that are not broken.

    A hyphen between two letters goes: nothing tells one that belongs to the word from one at a line's end.
    """
    plain = folded(text, _of_quote)
    gone = {place for match in _BROKEN.finditer(plain.text) for place in range(*match.span())}
    kept = [place for place in range(len(plain.text)) if place not in gone]
    return Folded("".join(plain.text[i] for i in kept), tuple(plain.places[i] for i in kept))


def _of_quote(character: str) -> str:
    if character.isascii() and not character.isspace():
        return "'" if character == "`" else character
    return "".join(_UNSEEN.sub("", normalize("NFKC", character.translate(_ALIKE))).split())
