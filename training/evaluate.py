"""Measure the bundled models: ``python -m training.evaluate EVALUATION_FOLDER``.

Passages are cut into sentences and into windows; each question is searched in all pieces of its file. Compared are
BM25, the vector order, and the vector order with its first 20, 50 and 100 put in the cross-encoder's order, as well as
adaptive depth, which may stop before 50. A piece is relevant when it holds the answer string (or, where a file names
none, is part of a positive) and comes from a positive passage. Printed per language: the means of nDCG@10, MRR@10 and
the pairs scored, and at depth 50 the difference from the vector order with its paired bootstrap interval.
"""

import argparse
import ast
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import bm25s
import numpy as np

from rag_core.catalog import Line
from rag_core.embed import Embedder, load_embedder
from rag_core.lexical import tokens
from rag_core.rerank import STEP, OnnxReranker, Reranker, load_reranker, settled
from training.files import cut_sentences, cut_windows, read_rows

CUTS = {"sentences": cut_sentences, "windows": cut_windows}
DEPTHS = (20, 50, 100)
SYSTEMS = ("BM25", "vector", *(f"reranked {depth}" for depth in DEPTHS), "adaptive")
MAIN, MAIN_DEPTH = "reranked 50", 50
SETTLE_AT = 5
CUTOFF = 10
SEED = 11
RESAMPLES = 2000
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


def interval(differences: np.ndarray) -> tuple[float, float]:
    """Return the 95 % percentile bootstrap interval of the mean."""
    rng = np.random.default_rng(SEED)
    means = differences[rng.integers(0, len(differences), (RESAMPLES, len(differences)))].mean(1)
    return tuple(np.percentile(means, [2.5, 97.5]))


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


def orders(query: str, vector: np.ndarray, search: Search, reranker: Reranker) -> list[tuple[list[str], int]]:
    """Return each system's order and how many pairs it scored.

    A pair is scored once: a smaller depth uses the first of the scores.
    """
    first = search.by_vectors(vector)
    scores = reranker.score(query, first)
    depths = [*(min(depth, len(first)) for depth in DEPTHS), adaptive_depth(scores[:MAIN_DEPTH])]
    reranked = [([first[i] for i in np.argsort(-scores[:depth], kind="stable")], depth) for depth in depths]
    return [(search.by_words(query), 0), (first, 0), *reranked]


def adaptive_depth(scores: np.ndarray) -> int:
    """Return how many of these scores, in candidate order, adaptive depth would have asked for."""
    stops = (depth for depth in range(STEP, len(scores), STEP) if settled(scores[:depth], SETTLE_AT))
    return next(stops, len(scores))


def measures(order: Sequence[str], scored: int, answers: set[str]) -> tuple[float, float, int]:
    gains = [text in answers for text in order]
    return ndcg(gains, len(answers)), reciprocal_rank(gains), scored


def measure(rows: list[dict], cut: Cut, count: int, embedder: Embedder, reranker: Reranker, kept: Path) -> np.ndarray:
    """Return (questions, systems, 3): nDCG@10, MRR@10 and pairs scored of every system."""
    search = Search.of(corpus(rows, cut), embedder, kept)
    answerable = [row for row in rows if relevant(row, cut)]
    chosen = random.Random(SEED).sample(answerable, min(count, len(answerable)))
    vectors = embedder.embed_queries([row["query"] for row in chosen])
    return np.array([
        [measures(*order, relevant(row, cut)) for order in orders(row["query"], vector, search, reranker)]
        for row, vector in zip(chosen, vectors, strict=True)
    ])  # fmt: skip


HEAD = f"| file | pieces | questions | measure | {' | '.join(SYSTEMS)} | {MAIN} − vector [95 %] |"
RULE = "|---" * (len(SYSTEMS) + 5) + "|"


def table_rows(name: str, pieces: str, found: np.ndarray) -> list[str]:
    """Write the lines of one file cut one way."""
    lines = []
    for number, measured in enumerate(("nDCG@10", "MRR@10")):
        values = found[:, :, number]
        gain = values[:, SYSTEMS.index(MAIN)] - values[:, SYSTEMS.index("vector")]
        low, high = interval(gain)
        means = " | ".join(f"{mean:.3f}" for mean in values.mean(0))
        difference = f"{gain.mean():+.3f} [{low:+.3f}, {high:+.3f}]"
        lines.append(f"| {name} | {pieces} | {len(found)} | {measured} | {means} | {difference} |")
    scored = " | ".join(f"{mean:.0f}" for mean in found[:, :, 2].mean(0))
    return [*lines, f"| {name} | {pieces} | {len(found)} | pairs scored | {scored} | |"]


def tables(files: Sequence[Path], cuts: Sequence[str], measure_file: Callable[..., np.ndarray]) -> str:
    """Return one Markdown table per language; its lines are printed as they come."""
    found: dict[str, list[str]] = {}
    for file in files:
        rows = list(read_rows(file))
        for pieces in cuts:
            name = file.name.split(".")[0]
            lines = table_rows(name, pieces, measure_file(rows, pieces, name))
            print("\n".join(lines), flush=True)
            found.setdefault(rows[0]["lang"], []).extend(lines)
    return "\n\n".join("\n".join([HEAD, RULE, *found[lang]]) for lang in sorted(found, reverse=True))


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
    parser.add_argument("folder", type=Path)
    parser.add_argument("--questions", type=int, nargs="+", default=[300],
                        help="at most this many of each file: one number, or one for each of --pieces")  # fmt: skip
    parser.add_argument("--pieces", nargs="+", choices=CUTS, default=list(CUTS), help="how to cut the passages")
    parser.add_argument("--embedder", default="bilingual-embedder")
    parser.add_argument("--reranker", default="bilingual-cross-encoder", help="of the catalogue, or an exported folder")
    parser.add_argument("--card", type=Path, action="append", default=[], help="a model card to write the tables into")
    parser.add_argument("--cache", type=Path, default=Path("training/build/evaluation"))
    arguments = parser.parse_args()
    if len(arguments.questions) not in (1, len(arguments.pieces)):
        parser.error(f"--questions takes one number or {len(arguments.pieces)}, one for each of --pieces")
    counts = dict(zip(arguments.pieces, cycle(arguments.questions), strict=False))
    embedder, reranker = load_embedder(arguments.embedder), reranker_of(arguments.reranker)

    def measure_file(rows: list[dict], pieces: str, name: str) -> np.ndarray:
        file = arguments.cache / arguments.embedder.replace("/", "_") / f"{name}-{pieces}.npy"
        return measure(rows, CUTS[pieces], counts[pieces], embedder, reranker, file)

    found = tables(sorted(arguments.folder.glob("*.jsonl.gz")), arguments.pieces, measure_file)
    print(f"\n{found}")
    for card in arguments.card:
        write_card(card, found)


if __name__ == "__main__":
    main()
