"""Search the chunks by their words: BM25, the first stage that needs no model."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from unicodedata import category

import numpy as np

from rag_core.datatypes import Chunk, Ranking
from rag_core.reading.fold import folded, for_words
from rag_core.search.expand import HAN_CUTS, STOP_WORDS
from rag_core.search.numerals import numbers
from rag_core.search.words import Words, hashed

UNSPACED = "㐀-䶿一-鿿豈-\ufaff\U00020000-\U0003ffff々〇ぁ-ヿㇰ-ㇿㄅ-ㄯ가-힣ก-\u0effက-႟ក-\u17ff"
"""Han, kana, bopomofo, Hangul, Thai, Lao, Burmese and Khmer: no spaces, or none between a word and its ending."""

_MARKS = "".join(chr(code) for code in range(0x483, 0x1D00) if category(chr(code)) in ("Mn", "Mc"))
"""Vowel signs and the like, which stand inside the words of many scripts."""

_UNIT = re.compile(f"(?P<unspaced>[{UNSPACED}]+)|(?:[^\\W_{UNSPACED}]|[{_MARKS}])+")
Span = tuple[int, int]
K1, B = 1.5, 0.75
RULE = 1
"""The number of the rule by which text is cut into words; what was counted is kept, so another rule needs another."""


def tokens(text: str) -> list[str]:
    """Cut text into words and numbers, and what is written without spaces into characters and pairs of neighbours.

    This needs no dictionary, so a name that no dictionary holds is found like any other word, and on both Chinese
    evaluation sets it ranks above words cut by one (``training/README.md``). A number that is written with separators,
    or in Chinese numerals, is there as its digits too.
    """
    plain = for_words(text)
    return [*(token for token, _ in _words(plain)), *(token for token, _ in numbers(plain))]


def _words(plain: str) -> Iterator[tuple[str, Span]]:
    for unit in _UNIT.finditer(plain):
        if not unit["unspaced"]:
            yield unit.group(), unit.span()
            continue
        characters = [(character, (i, i + 1)) for i, character in enumerate(unit.group(), unit.start())]
        yield from characters
        yield from ((a + b, (i, j)) for (a, (i, _)), (b, (_, j)) in pairwise(characters))


def shared(question: str, text: str) -> list[Span]:
    """Return the spans of a text, from the first on, whose tokens the question has too.

    Function words, and single characters of what has no spaces, are left out: they stand in almost every chunk.
    """
    asked = {word for word in tokens(HAN_CUTS.sub(" ", question)) if word not in STOP_WORDS and not _is_part(word)}
    now = folded(text, for_words)
    found = [span for token, span in (*_words(now.text), *numbers(now.text)) if token in asked]
    return _joined(sorted(now.span(*span) for span in found))


def _is_part(token: str) -> bool:
    return len(token) == 1 and re.match(f"[{UNSPACED}]", token) is not None


def _joined(spans: Sequence[Span]) -> list[Span]:
    """Return spans in order, with those that touch made one."""
    joined: list[Span] = []
    for first, last in spans:
        if joined and first <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(last, joined[-1][1]))
        else:
            joined.append((first, last))
    return joined


class Lexical:
    """An index of words over the chunks of a document or of several: BM25 (Robertson and Zaragoza 2009).

    The idf is that of Lucene, which is never below zero; k1 = 1.5, b = 0.75. ``at`` returns the chunks at some rows.
    """

    def __init__(self, words: Words, at: Callable[[np.ndarray], Sequence[Chunk]]) -> None:
        self._words, self._at = words, at
        self._long = K1 * (1 - B + B * words.lengths / words.lengths.mean())

    @classmethod
    def of(cls, chunks: Sequence[Chunk]) -> Lexical:
        """Return the index of words over these chunks."""
        return cls(counted(chunks), lambda rows: [chunks[row] for row in rows])

    def search(self, queries: Sequence[str], depth: int) -> list[Ranking]:
        """Return one ranking by BM25 score per query.

        A ranking holds at most ``depth`` chunks, and only such as share a word with the query: it may be empty.
        """
        return [self._ranking(query, depth) for query in queries]

    def scores(self, query: str) -> np.ndarray:
        """Return the BM25 score of every chunk, float32 of shape (chunks,): 0 for one that shares no word."""
        scores = np.zeros(len(self._long), np.float32)
        asked = Counter(tokens(query))
        for times, places in zip(asked.values(), self._words.places(hashed(asked)), strict=True):
            pairs = self._words.pairs(places)
            rows, counts = self._words.rows[pairs], self._words.counts[pairs]
            idf = math.log(1 + (len(scores) - len(rows) + 0.5) / (len(rows) + 0.5))
            scores[rows] += times * idf * counts / (self._long[rows] + counts)
        return scores

    def _ranking(self, query: str, depth: int) -> Ranking:
        scores = self.scores(query)
        found = np.flatnonzero(scores > 0)
        if len(found) > depth:  # whatever scores as the last one stays, so that of equals the first is taken
            found = found[scores[found] >= np.partition(scores[found], -depth)[-depth]]
        best = found[np.argsort(-scores[found], kind="stable")[:depth]]
        return Ranking.from_scores("bm25", query, self._at(best), scores[best])


def counted(chunks: Sequence[Chunk]) -> Words:
    """Count the words of chunks."""
    return Words.of([tokens(chunk.passage) or [""] for chunk in chunks])
