"""Build training groups: ``python -m training.pairs TEXTS bilingual-embedder training/build/groups.jsonl.gz``.

A group is one question, one piece of text that answers it, and pieces that do not, drawn as a reranker meets them: from
all of the embedder's first ``DEPTH``, not only the nearest, so that a piece on another subject is seen as often as a
near miss. Pieces come in the sizes that users' chunks have: clauses, sentences, windows of two to four sentences.
Beside each piece stands the embedder's cosine, for training to lean on.
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
from training.files import cut_clauses, cut_sentences, read_rows, tokens

QUERIES = {
    "reqa_squad_train": 4500, "cmrc2018_train": 3600, "squadshifts_new_wiki": 3300, "drcd_dev": 2600,
    "squad_v2_train_10articles": 2400, "medquad": 900, "covidqa": 500, "cmrc2018_trial": 400,
    "toyhom_med_zh": 250, "lawbench_consult": 200, "fairytaleqa": 250, "squadshifts_reddit": 200,
    "squadshifts_amazon_reviews": 200,
}  # fmt: skip
SHARES = {"zh": {"clause": 0.25, "sentence": 0.45, "window": 0.3}, "en": {"sentence": 0.7, "window": 0.3}}
CASUAL = {"zh": 0.25, "en": 0.4}
NEGATIVES = 8
NUMBER = re.compile(r"\d+")
NAME = re.compile(r"\b[A-Z][a-z]{3,}\b")
DEPTH = 50
SEED = 7


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
        self.vectors = embedder.embed_texts(self.sentences)
        self.similarity = embedder.embed_queries(queries) @ self.vectors.T
        self.lexical = bm25s.BM25()
        self.lexical.index([tokens(sentence) for sentence in self.sentences], show_progress=False)
        self.queries = queries

    def nearest(self, row: int) -> list[int]:
        """Return the sentences that the embedder finds for the row's question, nearest first."""
        return np.argsort(-self.similarity[row])[:DEPTH].tolist()

    def with_the_same_words(self, row: int) -> list[int]:
        """Return the sentences that BM25 finds for the row's question."""
        words = tokens(self.queries[row])
        count = min(8, len(self.sentences))
        return self.lexical.retrieve([words], k=count, show_progress=False)[0][0].tolist() if words else []

    def like(self, index: int) -> list[int]:
        """Return the sentences that read most like this one: the same kind of fact about something else."""
        return np.argsort(-(self.vectors @ self.vectors[index]))[1:9].tolist()

    def grow(self, index: int, size: str, row: int, rng: random.Random) -> tuple[str, float]:
        """Return the sentence at ``index`` as a clause, as it is or in a window, and its best sentence's cosine."""
        sentence, similarity = self.sentences[index], self.similarity[row]
        if size == "clause":
            clauses = cut_clauses(sentence) or [sentence]
            return max(clauses, key=lambda clause: overlap(clause, self.queries[row])), similarity[index]
        members = self.window(index, rng) if size == "window" else [index]
        joint = "" if re.search("[一-鿿]", sentence) else " "
        return joint.join(self.sentences[i] for i in members), max(similarity[i] for i in members)

    def window(self, index: int, rng: random.Random) -> range:
        span, length = self.span_of[index], rng.randint(2, 4)
        first = max(span.start, index - rng.randint(0, length - 1))
        return range(first, min(first + length, span.stop))


def overlap(text: str, query: str) -> int:
    return len(set(tokens(text)) & set(tokens(query)))


def positive_index(row: dict, span: range, passages: Passages, similarity: np.ndarray) -> int | None:
    """Return the sentence that answers: it holds the answer string and is nearest to the question."""
    answer = row.get("answer")
    holding = [i for i in span if answer is None or answer in passages.sentences[i]]
    return max(holding, key=lambda i: similarity[i], default=None)


def positive_piece(
    row: dict, number: int, index: int, size: str, passages: Passages, rng: random.Random
) -> tuple[str, float] | None:
    answer = row.get("answer")
    if size != "clause" or answer is None:
        return passages.grow(index, size, number, rng)
    clauses = [clause for clause in cut_clauses(passages.sentences[index]) if answer in clause]
    best = max(clauses, key=lambda clause: overlap(clause, row["query"]), default=None)
    return best and (best, passages.similarity[number, index])


def pick_negatives(row: dict, number: int, positive: int, passages: Passages, rng: random.Random) -> list[int]:
    """Mix what surrounds the answer, what ranks near it, what ranks far below, and what only sounds like it."""
    own = passages.span_of[positive]
    # Without an answer string the rest of the passage, and what the embedder ranks higher, may answer too.
    inside = [i for i in own if i != positive and row.get("answer")]
    limit = 2.0 if row.get("answer") else passages.similarity[number, positive]
    ranked = [i for i in passages.nearest(number) if i not in own and passages.similarity[number, i] < limit]
    lexical = [i for i in passages.with_the_same_words(number) if passages.similarity[number, i] < limit]
    near, far = ranked[:10], ranked[10:]
    anywhere = rng.sample(range(len(passages.sentences)), 1)
    for some in (inside, near, far, lexical):
        rng.shuffle(some)
    like = [i for i in passages.like(positive) if passages.similarity[number, i] < limit]
    order = inside[:2] + near[:3] + far[:2] + like[:1] + lexical[:1] + anywhere + near[3:] + far[2:] + inside[2:]
    return [i for i in dict.fromkeys(order) if i != positive]


def unlike(row: dict, text: str, positive: str) -> bool:
    """Tell whether a text neither holds the answer nor shares its words with the positive."""
    answer = row.get("answer")
    return not (answer is not None and answer in text) and positive not in text and text not in positive


def casual(query: str, lang: str, rng: random.Random) -> str:
    """Write some questions the way people type them: no question mark, no capitals."""
    return query.rstrip(" ?？").lower() if rng.random() < CASUAL[lang] else query


def swapped(query: str, positive: str, others: Sequence[str], rng: random.Random) -> str | None:
    """Return the positive with a number or an English name of the question replaced: no longer an answer."""
    numbers = sorted(set(NUMBER.findall(query)) & set(NUMBER.findall(positive)))
    if numbers:
        number = rng.choice(numbers)
        other = str(int(number) + rng.choice([-3, -2, -1, 1, 2, 3, 10]))
        return re.sub(rf"(?<!\d){number}(?!\d)", other, positive)
    asked = set(NAME.findall(query.partition(" ")[2]))  # the first word is "When", "What" …
    names = sorted(asked & set(NAME.findall(positive)))
    replacements = sorted({name for text in others for name in NAME.findall(text)} - asked)
    if names and replacements:
        return re.sub(rf"\b{rng.choice(names)}\b", rng.choice(replacements), positive)
    return None


def group_of(row: dict, number: int, size: str, passages: Passages, rng: random.Random) -> dict | None:
    """Return one group, or nothing where the answer is out of the embedder's reach or too few pieces are left."""
    similarity = passages.similarity[number]
    index = positive_index(row, passages.spans[row["positives"][0]], passages, similarity)
    if index is None or index not in passages.nearest(number):
        return None
    positive = positive_piece(row, number, index, size, passages, rng)
    if positive is None:
        return None
    pieces = dict([positive])
    for i in pick_negatives(row, number, index, passages, rng):
        piece, cosine = passages.grow(i, size, number, rng)
        if len(pieces) <= NEGATIVES and unlike(row, piece, passages.sentences[index]):
            pieces.setdefault(piece, cosine)
    if len(pieces) <= NEGATIVES:
        return None
    altered = swapped(row["query"], positive[0], list(pieces)[1:], rng)
    if altered and altered not in pieces:
        pieces.popitem()
        pieces[altered] = positive[1]
    return {"query": casual(row["query"], row["lang"], rng), "texts": list(pieces), "lang": row["lang"], "size": size,
            "cosines": [round(float(cosine), 4) for cosine in pieces.values()], "group": row["group"],
            "source": row["source"]}  # fmt: skip


def groups_of(rows: Sequence[dict], embedder: Embedder, rng: random.Random) -> Iterator[dict]:
    passages = Passages(rows, embedder)
    for number, row in enumerate(rows):
        shares = SHARES[row["lang"]]
        size = rng.choices(list(shares), list(shares.values()))[0]
        group = group_of(row, number, size, passages, rng)
        if group:
            yield group


def measure_clauses(groups: Sequence[dict], embedder: Embedder) -> None:
    """Write each clause's own cosine into its group: the one of its whole sentence says more than the clause does."""
    clauses = [group for group in groups if group["size"] == "clause"]
    if not clauses:
        return
    queries = embedder.embed_queries([group["query"] for group in clauses])
    texts = embedder.embed_texts([text for group in clauses for text in group["texts"]])
    for group, query, vectors in zip(clauses, queries, texts.reshape(len(clauses), -1, texts.shape[1]), strict=True):
        group["cosines"] = [round(float(cosine), 4) for cosine in vectors @ query]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("texts", type=Path)
    parser.add_argument("embedder", help="an embedder of the catalogue")
    parser.add_argument("target", type=Path)
    arguments = parser.parse_args()
    rng, embedder, groups = random.Random(SEED), load_embedder(arguments.embedder), []
    for source, count in QUERIES.items():
        rows = list(read_rows(arguments.texts / f"{source}.jsonl.gz"))
        groups += groups_of(rng.sample(rows, min(count, len(rows))), embedder, rng)
        print(f"{source}: {len(groups)} groups so far", flush=True)
    measure_clauses(groups, embedder)
    rng.shuffle(groups)
    with gzip.open(arguments.target, "wt", encoding="utf-8") as lines:
        lines.writelines(json.dumps(group, ensure_ascii=False) + "\n" for group in groups)


if __name__ == "__main__":
    main()
