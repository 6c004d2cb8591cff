"""What of the pages is not searched unless a reader wants it: running heads and feet, and lists of contents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rag_core.reading import contents, heads


@dataclass(frozen=True, slots=True)
class Dropped:
    """The lines of a page, by their places, that are running heads and feet, and that list contents."""

    heads: frozenset[int]
    contents: frozenset[int]

    def of(self, repeated: bool, listed: bool) -> frozenset[int]:
        """Return the lines of both kinds, or of the one that is asked for."""
        return (self.heads if repeated else frozenset()) | (self.contents if listed else frozenset())


def find(texts: Sequence[str]) -> list[Dropped]:
    """Return for each page of a document which of its lines can be dropped."""
    repeated = heads.dropped(texts)
    return [Dropped(*both) for both in zip(repeated, contents.lines(texts, repeated), strict=True)]


def searched(texts: Sequence[str], repeated: bool, listed: bool) -> list[str]:
    """Return each page's text without what is dropped; all of it where nothing else has a letter."""
    if not repeated and not listed:
        return [*texts]
    pages = zip(texts, find(texts), strict=True)
    kept = [heads.without(text, lines.of(repeated, listed)) for text, lines in pages]
    return kept if any(map(str.isalpha, "".join(kept))) else [*texts]
