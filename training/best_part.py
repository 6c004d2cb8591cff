"""Try scoring a long text by the best of its parts: ``python -m training.best_part FOLDER_OF_FILES … --windows 128t``.

A text whose pair is too long is cut into windows of whole sentences, and its score is the best window's (MaxP, Dai and
Callan 2019, arXiv 1905.09217), or the mean of the best two. A shorter one keeps its score. Windows are named by their
size, in characters of the text (``300c``) or in tokens of the pair (``128t``); ``+1`` lets each begin with the last
sentence of the one before; ``>160`` cuts only pairs of more tokens than that.

Printed per file, cut and choice, at depth 50: nDCG@10 and its difference from the vector order with the paired
bootstrap interval, the rank correlation of score and length among what does not answer, and what a question costs.
Scores are kept in a file, with the processor's time for each, so that a further choice costs only what is new.
"""

import argparse
import re
import sqlite3
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np
from tokenizers import Encoding, Tokenizer

from rag_core.catalog import RERANKERS, find
from rag_core.chunk import Span, sentences, windows
from rag_core.embed import load_embedder
from rag_core.rerank import OnnxReranker, Pair
from rag_core.tokens import tokenizer
from training.evaluate import CUTS, Search, choose, corpus, ndcg, relevant, reranker_of
from training.files import read_rows
from training.lengths import correlation, interval, mean

MODEL, EMBEDDER = "bilingual-cross-encoder", "bilingual-embedder"
DEPTH = 50
FEWEST = 32
"""Tokens of the text that a window has at least, however long the question is."""
NAME = re.compile(r"(\d+)([tc])(\+1)?(?:>(\d+))?")
POOLS = {"best": 1, "mean of two": 2}
HEAD = (
    "| file | pieces | windows | score | questions | vector | nDCG@10 | − vector [95 %] | score and length "
    "| pairs | tokens | CPU seconds |"
)
RULE = "|---" * 12 + "|"


def parts(text: str, size: int, shared: bool) -> list[str]:
    """Cut a text into windows of whole sentences of at most ``size`` characters.

    With ``shared`` a window begins with the last sentence of the one before, where that leaves room for a new one. A
    sentence longer than ``size`` is cut as the app's windows cut it.
    """
    spans = [(start + a, start + b) for start, end in sentences(text) for a, b in windows(text[start:end], size, 0)]
    return [text[start:end] for start, end in runs(spans, size, shared)] or [text]


def runs(spans: Sequence[Span], size: int, shared: bool) -> Iterator[Span]:
    """Yield runs of spans that lie within ``size``."""
    first = following = 0
    while following < len(spans):
        limit = spans[first][0] + size
        following = next((i for i in range(first + 1, len(spans)) if spans[i][1] > limit), len(spans))
        last = following - 1
        yield spans[first][0], spans[last][1]
        room = following < len(spans) and spans[following][1] - spans[last][0] <= size
        first = last if shared and room and last > first else following


@dataclass(frozen=True, slots=True)
class Choice:
    """Windows of ``size`` tokens or characters for pairs of more than ``above`` tokens."""

    size: int
    tokens: bool
    shared: bool
    above: int | None

    @classmethod
    def named(cls, name: str) -> "Choice":
        """Read a name such as ``128t+1>160``."""
        size, unit, shared, above = NAME.fullmatch(name).groups()
        return cls(int(size), unit == "t", bool(shared), int(above) if above else None)

    def parts(self, text: str, encoding: Encoding) -> list[str]:
        """Return the windows of a text, or the text where its pair is short enough."""
        if self.above and len(encoding.ids) <= self.above:
            return [text]
        if self.tokens:
            return parts(text, fitting(text, encoding, self.size), self.shared) if self.longer(encoding) else [text]
        return parts(text, self.size, self.shared) if len(text) > self.size else [text]

    def longer(self, encoding: Encoding) -> bool:
        return len(encoding.ids) > self.size


def fitting(text: str, encoding: Encoding, tokens: int) -> int:
    """Return about how many characters of the text fit into a pair of so many tokens, with its question beside."""
    own = encoding.sequence_ids.count(1)
    return len(text) * max(tokens - (len(encoding.ids) - own), FEWEST) // own


class Scores:
    """The cross-encoder's logits, kept in a file with each pair's tokens and processor seconds."""

    def __init__(self, reranker: OnnxReranker, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self.reranker, self.kept = reranker, sqlite3.connect(file)
        self.kept.execute("CREATE TABLE IF NOT EXISTS scores (pair BLOB PRIMARY KEY, logit, tokens, seconds)")

    def of(self, pairs: Sequence[Pair]) -> np.ndarray:
        """Return (pairs, 3): logit, tokens and seconds. Seconds of a run are shared out by tokens."""
        found = [self.look_up(pair) for pair in pairs]
        new = [pair for pair, known in zip(pairs, found, strict=True) if known is None]
        if new:
            self.add(new)
            found = [self.look_up(pair) for pair in pairs]
        return np.array(found, float)

    def look_up(self, pair: Pair) -> tuple[float, int, float] | None:
        asked = self.kept.execute("SELECT logit, tokens, seconds FROM scores WHERE pair = ?", [key(pair)])
        return asked.fetchone()

    def add(self, pairs: Sequence[Pair]) -> None:
        begun = time.process_time()
        logits = self.reranker.score_pairs(pairs)
        spent = time.process_time() - begun
        tokens = [len(encoding.ids) for encoding in self.reranker.model.tokenizer.encode_batch(list(pairs))]
        rows = [
            (key(pair), float(logit), count, spent * count / sum(tokens))
            for pair, logit, count in zip(pairs, logits, tokens, strict=True)
        ]
        self.kept.executemany("INSERT OR REPLACE INTO scores VALUES (?, ?, ?, ?)", rows)
        self.kept.commit()


def key(pair: Pair) -> bytes:
    return blake2b("\0".join(pair).encode(), digest_size=16).digest()


@dataclass(frozen=True, slots=True)
class Question:
    """A question with its candidates in vector order and which of them answer; ``answers`` counts all there are."""

    query: str
    texts: list[str]
    answering: np.ndarray
    answers: int
    encodings: list[Encoding]

    def ndcg(self, scores: np.ndarray) -> float:
        order = np.argsort(-scores, kind="stable")
        return ndcg(self.answering[order].tolist(), self.answers)

    def leaning(self, scores: np.ndarray) -> float:
        lengths = np.array([len(text) for text in self.texts])
        return correlation(scores[~self.answering], lengths[~self.answering])


def questions_of(file: Path, pieces: str, count: int, read: Tokenizer, cache: Path) -> list[Question]:
    """Search at most ``count`` questions of a file in its passages, cut one way."""
    rows, cut, embedder = list(read_rows(file)), CUTS[pieces], load_embedder(EMBEDDER)
    search = Search.of(corpus(rows, cut), embedder, cache / EMBEDDER / f"{file.name.split('.')[0]}-{pieces}.npy")
    chosen, found = choose(rows, cut, count), []
    for row, vector in zip(chosen, embedder.embed_queries([row["query"] for row in chosen]), strict=True):
        texts, answers = search.by_vectors(vector)[:DEPTH], relevant(row, cut)
        answering = np.array([text in answers for text in texts])
        encodings = read.encode_batch([(row["query"], text) for text in texts])
        found.append(Question(row["query"], texts, answering, len(answers), encodings))
    return found


def best(logits: Sequence[float], count: int) -> float:
    """Return the mean of the ``count`` highest logits."""
    return float(np.mean(sorted(logits)[-count:]))


def pooled(logits: np.ndarray, sizes: Sequence[int], count: int) -> np.ndarray:
    """Return one score for each run of logits; the runs are as long as ``sizes`` says."""
    return np.array([best(run, count) for run in np.split(logits, np.cumsum(sizes)[:-1])])


def line(start: str, questions: Sequence[Question], scores: Sequence[np.ndarray], costs: np.ndarray) -> str:
    """Write what one choice gave; ``costs`` are a question's pairs, tokens and seconds."""
    before = np.array([one.ndcg(-np.arange(len(one.texts))) for one in questions])
    after = np.array([one.ndcg(own) for one, own in zip(questions, scores, strict=True)])
    low, high = interval(after - before)
    leaning = mean([one.leaning(own) for one, own in zip(questions, scores, strict=True)])
    return (
        f"{start} | {len(questions)} | {before.mean():.3f} | {after.mean():.3f} "
        f"| {(after - before).mean():+.3f} [{low:+.3f}, {high:+.3f}] | {leaning} "
        f"| {costs[0]:.0f} | {costs[1]:.0f} | {costs[2]:.2f} |"
    )


def lines(start: str, questions: Sequence[Question], name: str, scores: Scores) -> Iterator[str]:
    """Score the questions' candidates by these windows, and yield a line for each way to make one score of several."""
    choice, logits, sizes, costs = None if name == "none" else Choice.named(name), [], [], []
    for one in questions:
        cut = [
            choice.parts(text, encoding) if choice else [text]
            for text, encoding in zip(one.texts, one.encodings, strict=True)
        ]
        found = scores.of([(one.query, part) for some in cut for part in some])
        sizes.append([len(some) for some in cut])
        logits.append(found[:, 0])
        costs.append([len(found), *found[:, 1:].sum(0)])
    for pool, count in POOLS.items():
        if choice or count == 1:
            one_each = [pooled(some, own, count) for some, own in zip(logits, sizes, strict=True)]
            yield line(f"{start} | {name} | {pool}", questions, one_each, np.mean(costs, axis=0))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="+")
    parser.add_argument("--questions", type=int, default=60, help="at most this many of each file")
    parser.add_argument("--pieces", nargs="+", choices=CUTS, default=["whole", "app-window"])
    parser.add_argument("--windows", nargs="+", default=["96t", "128t", "160t", "192t"])
    parser.add_argument("--cache", type=Path, default=Path("training/build/evaluation"))
    arguments = parser.parse_args()
    reranker = reranker_of(MODEL)
    scores, read = Scores(reranker, arguments.cache / "scores.sqlite"), tokenizer(find(RERANKERS, MODEL).folder, None)
    print(f"{HEAD}\n{RULE}", flush=True)
    for file in sorted(file for folder in arguments.folder for file in folder.glob("*.jsonl.gz")):
        for pieces in arguments.pieces:
            questions = questions_of(file, pieces, arguments.questions, read, arguments.cache)
            for name in ("none", *arguments.windows):
                for written in lines(f"| {file.name.split('.')[0]} | {pieces}", questions, name, scores):
                    print(written, flush=True)


if __name__ == "__main__":
    main()
