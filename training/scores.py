"""Keep what our cross-encoder gave each pair, so that a further choice costs only what is new."""

import sqlite3
import time
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path

import numpy as np

from rag_core.datatypes import Progress
from rag_core.models import parts
from rag_core.models.parts import Pair
from rag_core.models.rerank import OnnxReranker
from rag_core.models.tokens import MOST


class KeptScores:
    """A cross-encoder whose logits lie in a file, with each pair's tokens and processor seconds.

    Texts are scored by their best part where their pair has more tokens than ``limit``.
    """

    def __init__(self, reranker: OnnxReranker, file: Path, limit: int | None = None) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self.reranker, self.limit = reranker, limit or reranker.limit
        self.kept = sqlite3.connect(file)
        self.kept.execute("CREATE TABLE IF NOT EXISTS scores (pair BLOB PRIMARY KEY, logit, tokens, seconds)")

    def score(self, query: str, texts: Sequence[str]) -> np.ndarray:
        """Return the best part's logit of each text, float of shape (texts,)."""
        pairs = [(query, text) for text in texts]
        return parts.best(pairs, self.limit, self.reranker.encode, self.score_pairs).scores

    def score_pairs(self, pairs: Sequence[Pair], _progress: Progress | None = None) -> np.ndarray:
        return self.of(pairs)[:, 0]

    def of(self, pairs: Sequence[Pair]) -> np.ndarray:
        """Return (pairs, 3): logit, tokens and seconds. Seconds of a run are shared out by tokens."""
        found = [self.look_up(pair) for pair in pairs]
        new = [pair for pair, known in zip(pairs, found, strict=True) if known is None]
        if new:
            self.add(new)
            found = [self.look_up(pair) for pair in pairs]
        return np.array(found, float)

    def look_up(self, pair: Pair) -> tuple[float, int, float] | None:
        asked = self.kept.execute("SELECT logit, tokens, seconds FROM scores WHERE pair = ?", [self.key(pair)])
        return asked.fetchone()

    def add(self, pairs: Sequence[Pair]) -> None:
        begun = time.process_time()
        logits = self.reranker.score_pairs(pairs)
        spent = time.process_time() - begun
        tokens = [min(len(encoding.ids), MOST) for encoding in self.reranker.encode(pairs)]
        rows = [
            (self.key(pair), float(logit), count, spent * count / sum(tokens))
            for pair, logit, count in zip(pairs, logits, tokens, strict=True)
        ]
        self.kept.executemany("INSERT OR REPLACE INTO scores VALUES (?, ?, ?, ?)", rows)
        self.kept.commit()

    def key(self, pair: Pair) -> bytes:
        return blake2b("\0".join([self.reranker.weights, *pair]).encode(), digest_size=16).digest()
