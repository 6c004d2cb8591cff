"""Score a text that is longer than a cross-encoder reads well by the best of its parts.

What it has learned on short pairs does not hold on long ones: there its score follows the length. So the text is cut
into overlapping windows of whole sentences, each is scored with the question, and the highest score is the text's
(MaxP, Dai and Callan 2019, arXiv 1905.09217). A part that begins in a table is read below the table's head.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, islice, pairwise
from typing import TYPE_CHECKING

import numpy as np

from rag_core.datatypes import Part, Progress, Scored
from rag_core.reading import table_heads
from rag_core.reading.chunk import cut_point, runs
from rag_core.reading.language import Span, sentences, stripped

if TYPE_CHECKING:
    from tokenizers import Encoding

Pair = tuple[str, str]
"""A question and a text."""
Encode = Callable[[Sequence[Pair]], Sequence["Encoding"]]
"""What a tokenizer makes of each pair, nothing cut off."""
Score = Callable[[Sequence[Pair], Progress | None], np.ndarray]
"""Pairs to scores, float of shape (pairs,)."""
Cut = Callable[[Sequence[Pair]], Sequence[Sequence[str]]]
"""What is read of each pair's text: the text, or its parts."""
Count = Callable[[Sequence[Pair]], list[int]]
"""Pairs to the tokens that are read of each in one run."""

OVERLAP = 0.25
"""The share of a part's tokens that it may have in common with the part before."""
FEWEST = 32
"""Tokens of the text in a part, however long the question is."""


def best(pairs: Sequence[Pair], limit: int, encode: Encode, score: Score, progress: Progress | None = None) -> Scored:
    """Score each pair by the best part of its text, all parts of all texts in one go.

    ``limit`` is the most tokens of a pair that are read at a time; ``progress`` counts pairs.
    """
    cuts = [cut(text, encoding, limit) for (_, text), encoding in zip(pairs, encode(pairs), strict=True)]
    asked = [(query, part) for (query, text), spans in zip(pairs, cuts, strict=True) for part in read(text, spans)]
    counted = progress and (lambda done, total: progress(done * len(pairs) // total, len(pairs)))
    scores = score(asked, counted)
    bounds = list(accumulate(map(len, cuts), initial=0))
    places = [first + int(np.argmax(scores[first:last])) for first, last in pairwise(bounds)]
    parts = [
        None if spans == [(0, len(text))] else Part(*spans[place - first], len(spans))
        for (_, text), spans, place, first in zip(pairs, cuts, places, bounds, strict=False)
    ]
    return Scored(scores[places], tuple(parts))


def cut(text: str, encoding: Encoding, limit: int, overlap: float = OVERLAP) -> list[Span]:
    """Return where the parts of a text lie; one, the whole text, where its pair has no more tokens than ``limit``."""
    ends = [end for owner, (_, end) in zip(encoding.sequence_ids, encoding.offsets, strict=True) if owner == 1]
    beside = len(encoding.ids) - len(ends)
    room = max(limit - beside, FEWEST)
    if len(ends) <= room:
        return [(0, len(text))]
    heads = [table.head for table in table_heads.tables(text)]
    longest = max((bisect_right(ends, end) - bisect_right(ends, start) for start, end in heads), default=0)
    room = max(room - longest, FEWEST) - 1  # cut out of its text, a part may begin with one token more
    spans = [span for span in pieces(text, ends, room) if not any(start <= span[0] < end for start, end in heads)]
    tokens = [(bisect_right(ends, start), bisect_right(ends, end)) for start, end in spans]
    windows = runs(tokens, room, int(room * overlap))
    return [(spans[first][0], spans[following - 1][1]) for first, following in windows] or [(0, len(text))]


def texts(pairs: Sequence[Pair], limit: int, encode: Encode) -> list[list[str]]:
    """Return what is read of each pair's text: the whole, or its parts; see ``best``."""
    return [read(text, cut(text, encoding, limit)) for (_, text), encoding in zip(pairs, encode(pairs), strict=True)]


def read(text: str, spans: Sequence[Span]) -> list[str]:
    """Return the words of each part, below the head of the table that it begins in."""
    known = table_heads.tables(text)
    heads = [table_heads.head_over(text, known, start, end) for start, end in spans]
    words = [text[start:end] for start, end in spans]
    return [f"{head}\n{part}" if head else part for head, part in zip(heads, words, strict=True)]


def pieces(text: str, ends: Sequence[int], room: int) -> Iterator[Span]:
    """Yield sentences, and what a sentence of more than ``room`` tokens is cut into, at clause marks where there are.

    ``ends`` says where each token ends in the text.
    """
    for start, end in sentences(text):
        while bisect_right(ends, end) - (first := bisect_right(ends, start)) > room:
            size = ends[first + room - 1] - start
            mark = cut_point(text, start, size)
            yield stripped(text, start, mark)
            start = stripped(text, mark, end)[0]
        yield start, end


def count_tokens(pairs: Sequence[Pair], limit: int, encode: Encode, count: Count) -> list[int]:
    """Count the tokens that ``best`` reads of each pair, those of all parts of its text together."""
    read = texts(pairs, limit, encode)
    asked = [(query, part) for (query, _), parts in zip(pairs, read, strict=True) for part in parts]
    counts = iter(count(asked))
    return [sum(islice(counts, len(parts))) for parts in read]
