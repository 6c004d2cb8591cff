"""Search the chunks by their words: BM25, the first stage that needs no model."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rag_core.datatypes import Chunk, Ranking
from rag_core.search.expand import HAN_CUTS, STOP_WORDS

_UNIT = re.compile(r"[a-z0-9]+|[㐀-䶿一-鿿]+")


def tokens(text: str) -> list[str]:
    """Cut text into Latin words, numbers, Han characters, and pairs of neighbouring Han characters.

    Chinese writes no spaces. This needs no dictionary, so a name that no dictionary holds is found like any other word,
    and on both Chinese evaluation sets it ranks above words cut by one (``training/README.md``).
    """
    return [token for unit in _UNIT.findall(text.lower()) for token in _cut(unit)]


def _cut(unit: str) -> list[str]:
    return [unit] if unit.isascii() else [*unit, *(unit[i : i + 2] for i in range(len(unit) - 1))]


def shared(question: str, text: str) -> list[tuple[int, int]]:
    """Return the spans of a text, from the first on, whose tokens the question has too.

    Function words, and single Han characters, are left out: they stand in almost every chunk.
    """
    words = tokens(HAN_CUTS.sub(" ", question))
    asked = {word for word in words if word not in STOP_WORDS and (word.isascii() or len(word) > 1)}
    found = [span for unit in _UNIT.finditer(_lowered(text)) for span in _spans(unit.group(), unit.start(), asked)]
    return _joined(found)


def _lowered(text: str) -> str:
    """Return a text in lower case, each character in its place: some turn into two."""
    return "".join(low if len(low := character.lower()) == 1 else character for character in text)


def _spans(unit: str, start: int, asked: set[str]) -> list[tuple[int, int]]:
    if unit.isascii():
        return [(start, start + len(unit))] if unit in asked else []
    return [(start + i, start + i + 2) for i in range(len(unit) - 1) if unit[i : i + 2] in asked]


def _joined(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return spans in order, with those that touch made one."""
    joined: list[tuple[int, int]] = []
    for first, last in spans:
        if joined and first <= joined[-1][1]:
            joined[-1] = (joined[-1][0], last)
        else:
            joined.append((first, last))
    return joined


class Lexical:
    """An index of words over the chunks of a document or of several; kept in memory, built in milliseconds."""

    def __init__(self, chunks: Sequence[Chunk]) -> None:
        import bm25s

        self.chunks, self._bm25 = list(chunks), bm25s.BM25()
        self._bm25.index([tokens(chunk.passage) or [""] for chunk in self.chunks], show_progress=False)

    def search(self, queries: Sequence[str], depth: int) -> list[Ranking]:
        """Return one ranking by BM25 score per query (Robertson and Zaragoza 2009; k1 = 1.5, b = 0.75).

        A ranking holds at most ``depth`` chunks, and only such as share a word with the query: it may be empty.
        """
        return [self._ranking(query, depth) for query in queries]

    def scores(self, query: str) -> np.ndarray:
        """Return the BM25 score of every chunk, float32 of shape (chunks,): 0 for one that shares no word."""
        words = [word for word in tokens(query) if word in self._bm25.vocab_dict]
        return self._bm25.get_scores(words) if words else np.zeros(len(self.chunks), np.float32)

    def _ranking(self, query: str, depth: int) -> Ranking:
        scores = self.scores(query)
        places = np.flatnonzero(scores > 0)
        ranking = Ranking.from_scores("bm25", query, [self.chunks[i] for i in places], scores[places])
        return replace(ranking, hits=ranking.top(depth))
