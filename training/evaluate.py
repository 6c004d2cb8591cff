"""Measure the bundled models: ``python -m training.evaluate EVALUATION_FOLDER``.

Passages are cut into sentences and windows, as the app cuts pages, or not at all; each question is searched in all
pieces of its file. Compared are BM25, the vector order, and the vector order with its first 20, 50 and 100 put in the
cross-encoder's order, as well as adaptive depth, which may stop before 50. A piece is relevant when it holds the answer
string (or, where a file names none, is part of a positive) and comes from a positive passage. Printed per language: the
means of nDCG@10, MRR@10 and the pairs scored, and at depth 50 the difference from the vector order with its paired
bootstrap interval. The second table tells the same by the length of the answer, and what the cross-encoder gives pieces
of that length (``training.lengths``).
"""

import argparse
import ast
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import cycle
from pathlib import Path

import bm25s
import numpy as np

from rag_core.models.catalog import Line
from rag_core.models.embed import Embedder, load_embedder
from rag_core.models.rerank import STEP, OnnxReranker, Reranker, load_reranker, settled
from rag_core.reading.chunk import PRESETS
from rag_core.search.lexical import tokens
from training.files import cut_as_app, cut_sentences, cut_windows, read_rows, whole
from training.lengths import HEAD as LENGTHS_HEAD
from training.lengths import RULE as LENGTHS_RULE
from training.lengths import Lengths, interval, length_rows
from training.scores import KeptScores

CUTS = {
    "sentences": cut_sentences,
    "windows": cut_windows,
    **{f"app-{preset}": partial(cut_as_app, preset=preset) for preset in PRESETS},
    "whole": whole,
}
USUAL = ("sentences", "windows")
DEPTHS = (20, 50, 100)
SYSTEMS = ("BM25", "vector", *(f"reranked {depth}" for depth in DEPTHS), "adaptive")
MAIN, MAIN_DEPTH = "reranked 50", 50
SETTLE_AT = 5
CUTOFF = 10
SEED = 11
MARKS = ("<!-- evaluation -->", "<!-- /evaluation -->")

Cut = Callable[[str], list[str]]


def answers_of(row: dict) -> list[str]:
    """Return the answer strings; some files write several as a Python list inside the string."""
    answer = row.get("answer", "")
    return ast.literal_eval(answer) if answer.startswith("[") and answer.endswith("]") else [answer]


def relevant(row: dict, cut: Cut = cut_sentences) -> set[str]:
    pieces = {piece for passage in row["positives"] for piece in cut(passage)}
    return {piece for piece in pieces if any(answer in piece for answer in answers_of(row))}


def corpus(rows: Sequence[dict], cut: Cut = cut_sentences) -> list[str]:
    passages = {passage for row in rows for passage in (*row["positives"], *row.get("negatives", ()))}
    return sorted({piece for passage in passages for piece in cut(passage)})


def ndcg(gains: Sequence[bool], answers: int) -> float:
    """Return nDCG@10 with binary gains (Järvelin and Kekäläinen 2002)."""
    discounts = 1 / np.log2(np.arange(2, CUTOFF + 2))
    found = np.zeros(CUTOFF)
    found[: len(gains[:CUTOFF])] = gains[:CUTOFF]
    return float(found @ discounts / discounts[: min(answers, CUTOFF)].sum())


def reciprocal_rank(gains: Sequence[bool]) -> float:
    return next((1 / rank for rank, gain in enumerate(gains[:CUTOFF], start=1) if gain), 0.0)


@dataclass(frozen=True, slots=True)
class Search:
    """The pieces of one file, found by words and by vectors."""

    texts: list[str]
    vectors: np.ndarray
    lexical: bm25s.BM25

    @classmethod
    def of(cls, texts: list[str], embedder: Embedder, kept: Path) -> "Search":
        """Index the texts; their embeddings are computed once and kept in a file."""
        if not kept.exists():
            kept.parent.mkdir(parents=True, exist_ok=True)
            np.save(kept, embedder.embed_texts(texts))
        lexical = bm25s.BM25()
        lexical.index([tokens(text) for text in texts], show_progress=False)
        return cls(texts, np.load(kept), lexical)

    def by_words(self, query: str) -> list[str]:
        words = tokens(query)
        if not words:
            return []
        found = self.lexical.retrieve([words], k=min(CUTOFF, len(self.texts)), show_progress=False)[0][0]
        return [self.texts[i] for i in found]

    def by_vectors(self, vector: np.ndarray) -> list[str]:
        return [self.texts[i] for i in np.argsort(-(self.vectors @ vector), kind="stable")[: max(DEPTHS)]]


Order = tuple[list[str], int] | None
"""The texts in one system's order and how many pairs it scored; None where its depth was not asked for."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One question: what every system reached, (systems, 3), and what is told by length."""

    measures: list[tuple[float, float, float]]
    lengths: Lengths


def ask(
    query: str, vector: np.ndarray, search: Search, reranker: Reranker | KeptScores, deepest: int, answers: set[str]
) -> Asked:
    """Search one question in every system's way; the cross-encoder scores at most ``deepest`` pieces, each once."""
    first = search.by_vectors(vector)
    scores = reranker.score(query, first[:deepest])
    ways = [(search.by_words(query), 0), (first, 0), *reranked(first, scores, deepest)]
    reached = [measures(order, answers) for order in ways]
    ndcgs = reached[SYSTEMS.index("vector")][0], reached[SYSTEMS.index(MAIN)][0]
    return Asked(reached, Lengths.of(first[:MAIN_DEPTH], scores[:MAIN_DEPTH], answers, ndcgs))


def reranked(first: Sequence[str], scores: np.ndarray, deepest: int) -> list[Order]:
    """Return the orders by these scores at each depth: a smaller one uses the first of the scores."""
    depths = [*(min(depth, len(first)) for depth in DEPTHS), adaptive_depth(scores[:MAIN_DEPTH])]
    return [
        ([first[i] for i in np.argsort(-scores[:depth], kind="stable")], depth) if depth <= deepest else None
        for depth in depths
    ]


def adaptive_depth(scores: np.ndarray) -> int:
    """Return how many of these scores, in candidate order, adaptive depth would have asked for."""
    stops = (depth for depth in range(STEP, len(scores), STEP) if settled(scores[:depth], SETTLE_AT))
    return next(stops, len(scores))


def measures(order: Order, answers: set[str]) -> tuple[float, float, float]:
    """Return nDCG@10, MRR@10 and pairs scored."""
    if order is None:
        return np.nan, np.nan, np.nan
    gains = [text in answers for text in order[0]]
    return ndcg(gains, len(answers)), reciprocal_rank(gains), order[1]


@dataclass(frozen=True, slots=True)
class Setup:
    """What measures, and how far: ``deepest`` is how many pieces of each question the cross-encoder scores."""

    embedder: Embedder
    reranker: Reranker | KeptScores
    kept: Path
    deepest: int

    def measure(self, rows: list[dict], name: str, pieces: str, count: int) -> list[Asked]:
        """Ask at most ``count`` questions of a file whose passages are cut one way."""
        cut = CUTS[pieces]
        search = Search.of(corpus(rows, cut), self.embedder, self.kept / f"{name}-{pieces}.npy")
        chosen = choose(rows, cut, count)
        vectors = self.embedder.embed_queries([row["query"] for row in chosen])
        return [
            ask(row["query"], vector, search, self.reranker, self.deepest, relevant(row, cut))
            for row, vector in zip(chosen, vectors, strict=True)
        ]


def choose(rows: Sequence[dict], cut: Cut, count: int) -> list[dict]:
    """Return at most ``count`` rows of which a piece answers, the same each time; fewer are the first of more."""
    answerable = [row for row in rows if relevant(row, cut)]
    return random.Random(SEED).sample(answerable, len(answerable))[:count]


HEAD = f"| file | pieces | questions | measure | {' | '.join(SYSTEMS)} | {MAIN} − vector [95 %] |"
RULE = "|---" * (len(SYSTEMS) + 5) + "|"


def table_rows(name: str, pieces: str, found: np.ndarray) -> list[str]:
    """Write the lines of one file cut one way."""
    lines = []
    for number, measured in enumerate(("nDCG@10", "MRR@10")):
        values = found[:, :, number]
        gain = values[:, SYSTEMS.index(MAIN)] - values[:, SYSTEMS.index("vector")]
        low, high = interval(gain)
        difference = f"{gain.mean():+.3f} [{low:+.3f}, {high:+.3f}]"
        lines.append(f"| {name} | {pieces} | {len(found)} | {measured} | {joined(values.mean(0), 3)} | {difference} |")
    scored = joined(found[:, :, 2].mean(0), 0)
    return [*lines, f"| {name} | {pieces} | {len(found)} | pairs scored | {scored} | |"]


def joined(means: np.ndarray, digits: int) -> str:
    """Write means side by side; what was not asked for is a dash."""
    return " | ".join("–" if np.isnan(mean) else f"{mean:.{digits}f}" for mean in means)


def tables(files: Sequence[Path], counts: dict[str, int], setup: Setup) -> tuple[str, str]:
    """Return one Markdown table per language, and the table by length; their lines are printed as they come.

    ``counts`` holds, by the name of each cut, how many questions are asked.
    """
    found: dict[str, list[str]] = {}
    by_length = [LENGTHS_HEAD, LENGTHS_RULE]
    for file in files:
        rows, name = list(read_rows(file)), file.name.split(".")[0]
        for pieces, count in counts.items():
            asked = setup.measure(rows, name, pieces, count)
            lines = table_rows(name, pieces, np.array([one.measures for one in asked]))
            lengths = length_rows(name, pieces, [one.lengths for one in asked])
            print("\n".join([*lines, *lengths]), flush=True)
            found.setdefault(rows[0]["lang"], []).extend(lines)
            by_length += lengths
    quality = "\n\n".join("\n".join([HEAD, RULE, *found[lang]]) for lang in sorted(found, reverse=True))
    return quality, "\n".join(by_length)


def write_card(card: Path, table: str) -> None:
    """Put the table between the marks of a model card."""
    before, _, rest = card.read_text(encoding="utf-8").partition(MARKS[0])
    _, _, after = rest.partition(MARKS[1])
    card.write_text(f"{before}{MARKS[0]}\n{table}\n{MARKS[1]}{after}", encoding="utf-8")


def reranker_of(name: str) -> Reranker:
    """Load a reranker of the catalogue, or an exported folder of our own (the float32 graph, say)."""
    folder = Path(name).resolve()
    return OnnxReranker(Line(str(folder), "onnx", ("zh", "en"), 0, "")) if folder.is_dir() else load_reranker(name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="+")
    parser.add_argument(
        "--questions",
        type=int,
        nargs="+",
        default=[300],
        help="at most this many of each file: one number, or one for each of --pieces",
    )
    parser.add_argument("--pieces", nargs="+", choices=CUTS, default=list(USUAL), help="how to cut the passages")
    parser.add_argument("--deepest", type=int, choices=DEPTHS[1:], default=DEPTHS[-1], help="pieces to score, at most")
    parser.add_argument("--embedder", default="bilingual-embedder")
    parser.add_argument("--reranker", default="bilingual-cross-encoder", help="of the catalogue, or an exported folder")
    parser.add_argument(
        "--pair-tokens",
        type=int,
        default=0,
        help="score a text of a longer pair by its best part; by default as the app does",
    )
    parser.add_argument("--card", type=Path, action="append", default=[], help="a model card to write the tables into")
    parser.add_argument("--cache", type=Path, default=Path("training/build/evaluation"))
    arguments = parser.parse_args()
    if len(arguments.questions) not in (1, len(arguments.pieces)):
        parser.error(f"--questions takes one number or {len(arguments.pieces)}, one for each of --pieces")
    counts = dict(zip(arguments.pieces, cycle(arguments.questions), strict=False))
    kept = arguments.cache / arguments.embedder.replace("/", "_")
    reranker = reranker_of(arguments.reranker)
    if isinstance(reranker, OnnxReranker):
        reranker = KeptScores(reranker, arguments.cache / "scores.sqlite", arguments.pair_tokens)
    setup = Setup(load_embedder(arguments.embedder), reranker, kept, arguments.deepest)
    files = sorted(file for folder in arguments.folder for file in folder.glob("*.jsonl.gz"))
    quality, by_length = tables(files, counts, setup)
    print(f"\n{quality}\n\n{by_length}")
    for card in arguments.card:
        write_card(card, quality)


if __name__ == "__main__":
    main()
