"""The words of a document's chunks, counted: what BM25 needs of them, and what the library keeps of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from hashlib import blake2b
from itertools import accumulate, pairwise

import numpy as np

TYPES = (np.uint64, np.int64, np.int32, np.uint16, np.int32)
MOST_COUNTED = 2**16 - 1


@dataclass(frozen=True, slots=True)
class Words:
    """In which chunks a word stands, and how often.

    ``words`` are hashes, sorted within a document. The chunks of the word at ``i`` are ``rows[ends[i - 1] : ends[i]]``;
    ``counts`` stand beside them. ``lengths`` are the words of each chunk.
    """

    words: np.ndarray
    ends: np.ndarray
    rows: np.ndarray
    counts: np.ndarray
    lengths: np.ndarray

    @classmethod
    def of(cls, texts: Sequence[Sequence[str]]) -> Words:
        """Count the words of texts that are cut into words; each has one at least."""
        numbers: dict[str, int] = {}
        flat = [numbers.setdefault(word, len(numbers)) for text in texts for word in text]
        hashes, lengths = hashed(numbers), np.array([len(text) for text in texts], np.int32)
        place = np.empty(len(hashes), np.int64)
        place[np.argsort(hashes)] = np.arange(len(hashes))
        row = np.repeat(np.arange(len(texts)), lengths)
        pairs, counts = np.unique(place[np.array(flat, np.int64)] * len(texts) + row, return_counts=True)
        ends = np.searchsorted(pairs, np.arange(1, len(hashes) + 1) * len(texts))
        rows, counts = (pairs % len(texts)).astype(np.int32), np.minimum(counts, MOST_COUNTED).astype(np.uint16)
        return cls(np.sort(hashes), ends, rows, counts, lengths)

    @classmethod
    def joined(cls, parts: Iterable[Words]) -> Words:
        """Return the words of documents as those of one, whose chunks follow each other."""
        rooms, rows, pairs = [bytearray() for _ in TYPES], 0, 0
        for part in parts:
            moved = (part.words, part.ends + pairs, part.rows + np.int32(rows), part.counts, part.lengths)
            for room, values in zip(rooms, moved, strict=True):
                room += np.ascontiguousarray(values).data
            rows, pairs = rows + len(part.lengths), pairs + len(part.rows)
        return cls(*map(np.frombuffer, rooms, TYPES))

    def dump(self) -> bytes:
        """Return them as bytes, which ``load`` reads."""
        arrays = astuple(self)
        return np.array([values.nbytes for values in arrays], np.int64).tobytes() + b"".join(map(bytes, arrays))

    @classmethod
    def load(cls, data: bytes) -> Words:
        """Return what was dumped."""
        head = 8 * len(TYPES)
        sizes = np.frombuffer(data[:head], np.int64).tolist()
        spans = pairwise(accumulate(sizes, initial=head))
        return cls(*(np.frombuffer(data[start:end], kind) for (start, end), kind in zip(spans, TYPES, strict=True)))

    def places(self, hashes: np.ndarray) -> list[np.ndarray]:
        """Return for each word where it stands among ``words``: once for each document that has it."""
        # The last bits alone leave so few that they can be looked at.
        last = np.zeros(2**16, bool)
        last[hashes.astype(np.uint16)] = True
        near = np.flatnonzero(last[self.words.astype(np.uint16)])
        found = self.words[near]
        return [near[found == one] for one in hashes]

    def pairs(self, places: np.ndarray) -> np.ndarray:
        """Return where in ``rows`` and ``counts`` the chunks of these places stand."""
        ends = self.ends[places]
        starts = np.where(places > 0, self.ends[places - 1], 0)
        sizes = ends - starts
        return np.repeat(ends - np.cumsum(sizes), sizes) + np.arange(sizes.sum())


def hashed(words: Iterable[str]) -> np.ndarray:
    """Return a hash of each word, uint64: of a million words two are alike in one of thirty million libraries."""
    digests = (blake2b(word.encode(), digest_size=8).digest() for word in words)
    return np.array([int.from_bytes(digest, "little") for digest in digests], np.uint64)
