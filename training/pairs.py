"""Build training groups: ``python -m training.pairs TEXTS bilingual-embedder training/build/groups.jsonl.gz``.

A group is one question, one piece of text that answers it, and pieces that look like it and do not. Pieces come in
the sizes that users' chunks have: clauses, sentences, windows of three sentences.
"""

import argparse
import gzip
import json
import random
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import bm25s
import numpy as np

from rag_core.embed import Embedder, load_embedder
from training.files import cut_clauses, cut_sentences, read_rows

QUERIES = {
    "cmrc2018_train": 3400, "cmrc2018_trial": 400, "drcd_dev": 1700, "lawbench_consult": 250, "toyhom_med_zh": 250,
    "squadshifts_new_wiki": 2000, "squadshifts_reddit": 500, "squadshifts_amazon_reviews": 400,
    "reqa_squad_train": 1600, "squad_v2_train_10articles": 1200, "covidqa": 300, "fairytaleqa": 300, "medquad": 250,
}  # fmt: skip
SHARES = {"zh": {"clause": 0.25, "sentence": 0.45, "window": 0.3}, "en": {"sentence": 0.65, "window": 0.35}}
NEGATIVES = 7
NEAREST = 30
SEED = 7


def tokens(text: str) -> list[str]:
    """Cut text for BM25: Latin words, and pairs of neighbouring Han characters."""
    words = re.findall(r"[a-z0-9]+", text.lower())
    return words + [text[i : i + 2] for i in range(len(text) - 1) if "一" <= text[i] <= "鿿"]


class Passages:
    """The sentences of one source's passages, with their neighbours and their nearest sentences."""

    def __init__(self, rows: Sequence[dict], embedder: Embedder) -> None:
        self.sentences: list[str] = []
        self.spans: dict[str, range] = {}
        for passage in sorted({row["positives"][0] for row in rows}):
            pieces = cut_sentences(passage)
            self.spans[passage] = range(len(self.sentences), len(self.sentences) + len(pieces))
            self.sentences += pieces
        self.span_of = {i: span for span in self.spans.values() for i in span}
        queries = [row["query"] for row in rows]
        self.similarity = embedder.embed_queries(queries) @ embedder.embed_texts(self.sentences).T
        self.lexical = bm25s.BM25()
        self.lexical.index([tokens(sentence) for sentence in self.sentences], show_progress=False)
        self.queries = queries

    def nearest(self, row: int) -> list[int]:
        """Return the sentences nearest to the row's question: by the embedder, then by BM25."""
        by_embedder = np.argsort(-self.similarity[row])[:NEAREST].tolist()
        count = min(8, len(self.sentences))
        words = tokens(self.queries[row])
        by_words = self.lexical.retrieve([words], k=count, show_progress=False)[0][0].tolist() if words else []
        return by_embedder + by_words

    def grow(self, index: int, size: str, rng: random.Random, query: str) -> str:
        """Return the sentence at ``index`` as a clause, as it is, or as a window around it."""
        if size == "clause":
            return max(cut_clauses(self.sentences[index]) or [self.sentences[index]], key=lambda c: overlap(c, query))
        if size == "sentence":
            return self.sentences[index]
        span = self.span_of[index]
        first = max(span.start, index - rng.randint(0, 2))
        joint = "" if re.search("[一-鿿]", self.sentences[index]) else " "
        return joint.join(self.sentences[first : min(first + 3, span.stop)])


def overlap(text: str, query: str) -> int:
    return len(set(tokens(text)) & set(tokens(query)))


def positive_index(row: dict, span: range, passages: Passages, similarity: np.ndarray) -> int | None:
    """Return the sentence that answers: it holds the answer string and is nearest to the question."""
    answer = row.get("answer")
    holding = [i for i in span if answer is None or answer in passages.sentences[i]]
    return max(holding, key=lambda i: similarity[i], default=None)


def positive_piece(row: dict, index: int, size: str, passages: Passages, rng: random.Random) -> str | None:
    sentence, answer = passages.sentences[index], row.get("answer")
    if size != "clause" or answer is None:
        return passages.grow(index, size, rng, row["query"])
    clauses = [clause for clause in cut_clauses(sentence) if answer in clause]
    return max(clauses, key=lambda clause: overlap(clause, row["query"]), default=None)


def pick_negatives(
    row: dict, number: int, positive: int, size: str, passages: Passages, rng: random.Random
) -> list[str]:
    """Mix pieces of the same passage with the nearest pieces of others; none holds the answer."""
    own = passages.span_of[positive]
    near = passages.nearest(number)
    inside = [i for i in own if i != positive and row.get("answer")]  # without an answer string they may answer too
    rng.shuffle(inside)
    outside = [i for i in near if i not in own]
    ranked = outside[:10]
    rng.shuffle(ranked)
    rest = outside[10:]
    rng.shuffle(rest)
    order = inside[:2] + ranked[:3] + rest[:2] + ranked[3:] + rest[2:] + inside[2:]
    return unlike(row, order, positive, size, passages, rng)


def unlike(
    row: dict, order: Sequence[int], positive: int, size: str, passages: Passages, rng: random.Random
) -> list[str]:
    answer, sentence = row.get("answer"), passages.sentences[positive]
    found: list[str] = []
    for index in order:
        piece = passages.grow(index, size, rng, row["query"])
        answers = (answer is not None and answer in piece) or sentence in piece or piece in sentence
        if not answers and piece not in found:
            found.append(piece)
        if len(found) == NEGATIVES:
            break
    return found


def groups_of(source: str, rows: Sequence[dict], embedder: Embedder, rng: random.Random) -> Iterator[dict]:
    passages = Passages(rows, embedder)
    for number, row in enumerate(rows):
        shares = SHARES[row["lang"]]
        size = rng.choices(list(shares), list(shares.values()))[0]
        span = passages.spans[row["positives"][0]]
        index = positive_index(row, span, passages, passages.similarity[number])
        positive = None if index is None else positive_piece(row, index, size, passages, rng)
        if positive is None:
            continue
        negatives = pick_negatives(row, number, index, size, passages, rng)
        if len(negatives) == NEGATIVES:
            yield {"query": row["query"], "texts": [positive, *negatives], "lang": row["lang"], "size": size,
                   "source": source, "group": row["group"]}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("texts", type=Path)
    parser.add_argument("embedder", help="an embedder of the catalogue")
    parser.add_argument("target", type=Path)
    arguments = parser.parse_args()
    rng, embedder, groups = random.Random(SEED), load_embedder(arguments.embedder), []
    for source, count in QUERIES.items():
        rows = list(read_rows(arguments.texts / f"{source}.jsonl.gz"))
        groups += groups_of(source, rng.sample(rows, min(count, len(rows))), embedder, rng)
        print(f"{source}: {len(groups)} groups so far", flush=True)
    rng.shuffle(groups)
    with gzip.open(arguments.target, "wt", encoding="utf-8") as lines:
        lines.writelines(json.dumps(group, ensure_ascii=False) + "\n" for group in groups)


if __name__ == "__main__":
    main()
