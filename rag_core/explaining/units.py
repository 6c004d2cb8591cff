"""Cut a text into what a reader could leave out of it: clauses, words, and groups of words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

from rag_core.models.catalog import BUNDLED
from rag_core.reading.language import Span, stripped

if TYPE_CHECKING:
    from tokenizers import Tokenizer

MOST_GROUPS = 32
"""About so many groups of words at most, whatever the text's length: each one is a pass through the models."""

CLAUSE = re.compile(r"(?:[^，。！？；：,;:.!?\n]|[,:.](?=[^\s”’\"']))+[，。！？；：,;:.!?”’\"'）)]*")
RUN = re.compile(r"[\u3400-\u9fff]+|[^\W_\u3400-\u9fff]+(?:[.,:'’/-][^\W_\u3400-\u9fff]+)*[%‰]?")


def clauses(text: str) -> list[Span]:
    """Return clauses with the marks that end them; a point or comma inside a number ends none."""
    spans = (piece.span() for piece in CLAUSE.finditer(text))
    bare = (stripped(text, *span) for span in spans)
    return [(start, end) for start, end in bare if any(map(str.isalnum, text[start:end]))]


def words(text: str) -> list[Span]:
    """Return words and numbers; a run of Han characters is cut as the bundled embedder's tokenizer cuts it."""
    return [span for run in RUN.finditer(text) for span in _words_of(run)]


def groups(text: str, most: int = MOST_GROUPS) -> list[Span]:
    """Return neighbouring words of one clause together: single words in a short text, more at a time in a long one."""
    size = -(-len(words(text)) // most) or 1
    return [span for start, end in clauses(text) for span in _groups_of(text, start, end, size)]


def _groups_of(text: str, start: int, end: int, size: int) -> Iterator[Span]:
    inside: Sequence[Span] = [(start + first, start + last) for first, last in words(text[start:end])]
    for number in range(0, len(inside), size):
        part = inside[number : number + size]
        yield part[0][0], part[-1][1]


def _words_of(run: re.Match[str]) -> Iterator[Span]:
    if not "\u3400" <= run.group()[0] <= "\u9fff":
        yield run.span()
        return
    encoding = _tokenizer().encode(run.group(), add_special_tokens=False)
    # The mark of a beginning is a token of its own, at the same place as the first word.
    starts = [*sorted({start for start, _ in encoding.offsets}), len(run.group())]
    for start, end in pairwise(starts):
        yield run.start() + start, run.start() + end


@lru_cache(maxsize=1)
def _tokenizer() -> Tokenizer:
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(BUNDLED / "bilingual-embedder" / "tokenizer.json"))
