"""Measure the bundled models: ``python -m training.evaluate EVALUATION_FOLDER``.

Passages are cut into sentences; each question is searched in all sentences of its file, and the cross-encoder orders
the embedder's first ``DEPTH``. A sentence is relevant when it holds the answer string (or, where a file names none, is
a positive) and comes from a positive passage. Printed: nDCG@10 and MRR@10 of both orders, and the paired bootstrap
interval of the difference.
"""

import argparse
import ast
import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rag_core.embed import Embedder, load_embedder
from rag_core.rerank import Reranker, load_reranker
from training.files import cut_sentences, read_rows

DEPTH = 50
CUTOFF = 10
SEED = 11
RESAMPLES = 2000
MARKS = ("<!-- evaluation -->", "<!-- /evaluation -->")
HEAD = (
    "| sentences of | questions | vector nDCG@10 | cross-encoder nDCG@10 | difference [95 %] "
    "| vector MRR@10 | cross-encoder MRR@10 |\n|---|---|---|---|---|---|---|"
)


def answers_of(row: dict) -> list[str]:
    """Return the answer strings; some files write several as a Python list inside the string."""
    answer = row.get("answer", "")
    return ast.literal_eval(answer) if answer.startswith("[") and answer.endswith("]") else [answer]


def relevant(row: dict) -> set[str]:
    pieces = {piece for passage in row["positives"] for piece in cut_sentences(passage)}
    return {piece for piece in pieces if any(answer in piece for answer in answers_of(row))}


def corpus(rows: Sequence[dict]) -> list[str]:
    passages = {passage for row in rows for passage in (*row["positives"], *row.get("negatives", ()))}
    return sorted({piece for passage in passages for piece in cut_sentences(passage)})


def ndcg(gains: Sequence[bool], answers: int) -> float:
    """Return nDCG@10 with binary gains (Järvelin and Kekäläinen 2002)."""
    discounts = 1 / np.log2(np.arange(2, CUTOFF + 2))
    found = np.zeros(CUTOFF)
    found[: len(gains[:CUTOFF])] = gains[:CUTOFF]
    return float(found @ discounts / discounts[: min(answers, CUTOFF)].sum())


def reciprocal_rank(gains: Sequence[bool]) -> float:
    return next((1 / rank for rank, gain in enumerate(gains[:CUTOFF], start=1) if gain), 0.0)


def embedded(file: Path, texts: Sequence[str], embedder: Embedder, cache: Path) -> np.ndarray:
    """Embed a corpus once; the file's name keeps apart what differs."""
    kept = cache / f"{file.name.split('.')[0]}-{len(texts)}-{embedder.id.replace('/', '_')}.npy"
    if not kept.exists():
        cache.mkdir(parents=True, exist_ok=True)
        np.save(kept, embedder.embed_texts(texts))
    return np.load(kept)


def measure(file: Path, count: int, embedder: Embedder, reranker: Reranker, cache: Path) -> np.ndarray:
    """Return (questions, 4): nDCG and reciprocal rank of the vector order, then of the cross-encoder order."""
    rows = list(read_rows(file))
    texts = corpus(rows)
    vectors = embedded(file, texts, embedder, cache)
    answerable = [row for row in rows if relevant(row)]
    chosen = random.Random(SEED).sample(answerable, min(count, len(answerable)))
    similarity = embedder.embed_queries([row["query"] for row in chosen]) @ vectors.T
    return np.array([question(row, similarity[i], texts, reranker) for i, row in enumerate(chosen)])


def question(row: dict, similarity: np.ndarray, texts: Sequence[str], reranker: Reranker) -> list[float]:
    answers = relevant(row)
    first = [texts[i] for i in np.argsort(-similarity)[:DEPTH]]
    scores = reranker.score(row["query"], first)
    second = [first[i] for i in np.argsort(-scores, kind="stable")]
    return [
        value
        for order in (first, second)
        for gains in [[text in answers for text in order]]
        for value in (ndcg(gains, len(answers)), reciprocal_rank(gains))
    ]


def interval(differences: np.ndarray) -> tuple[float, float]:
    """Return the 95 % percentile bootstrap interval of the mean."""
    rng = np.random.default_rng(SEED)
    means = differences[rng.integers(0, len(differences), (RESAMPLES, len(differences)))].mean(1)
    return tuple(np.percentile(means, [2.5, 97.5]))


def table_row(name: str, found: np.ndarray) -> str:
    mean, (low, high) = found.mean(0), interval(found[:, 2] - found[:, 0])
    return (
        f"| {name} | {len(found)} | {mean[0]:.3f} | {mean[2]:.3f} | {mean[2] - mean[0]:+.3f} [{low:+.3f}, {high:+.3f}] "
        f"| {mean[1]:.3f} | {mean[3]:.3f} |"
    )


def write_card(card: Path, table: str) -> None:
    """Put the table between the marks of a model card."""
    before, _, rest = card.read_text(encoding="utf-8").partition(MARKS[0])
    _, _, after = rest.partition(MARKS[1])
    card.write_text(f"{before}{MARKS[0]}\n{table}\n{MARKS[1]}{after}", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--questions", type=int, default=300, help="at most this many of each file")
    parser.add_argument("--embedder", default="bilingual-embedder")
    parser.add_argument("--reranker", default="bilingual-cross-encoder")
    parser.add_argument("--card", type=Path, action="append", default=[], help="a model card to write the table into")
    parser.add_argument("--cache", type=Path, default=Path("training/build/evaluation"))
    arguments = parser.parse_args()
    embedder, reranker = load_embedder(arguments.embedder), load_reranker(arguments.reranker)
    table = [HEAD]
    for file in sorted(arguments.folder.glob("*.jsonl.gz")):
        found = measure(file, arguments.questions, embedder, reranker, arguments.cache)
        table.append(table_row(file.name.split(".")[0], found))
        print(table[-1], flush=True)
    for card in arguments.card:
        write_card(card, "\n".join(table))


if __name__ == "__main__":
    main()
