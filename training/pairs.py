"""Build training groups: ``python -m training.pairs TEXTS bilingual-embedder training/build/groups.jsonl.gz``.

A group is one question, one piece of text that answers it, and pieces that do not, drawn as a reranker meets them: from
all of the embedder's first ``DEPTH``, not only the nearest, so that a piece on another subject is seen as often as a
near miss. With ``--reranker``, what an earlier cross-encoder takes for the answer comes first: it has that to learn.
Pieces come in the sizes that users' chunks have: clauses, sentences, windows of two to four sentences.
Beside each piece stand its label and the embedder's cosine, for training to lean on. A label is 1 for the answer, 0.5
for another piece of its passage that holds the answer string, 0 for the rest.

Some questions are put into the other language word by word (``training.gloss``): their labels stay. Groups across
languages put a question of one language to pieces of the other. Which of them answers nobody knows, so all their labels
are 0 and the embedder's cosines are what they teach.
"""

import argparse
import gzip
import json
import random
import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import bm25s
import numpy as np
from opencc import OpenCC

from rag_core.models.embed import Embedder, load_embedder
from rag_core.models.rerank import OnnxReranker
from rag_core.search.lexical import tokens
from training.evaluate import reranker_of
from training.files import UNMEASURED, cut_clauses, cut_sentences, read_rows
from training.gloss import Dictionary
from training.long import held_out

QUERIES = {
    "reqa_squad_train": 10000,
    "cmrc2018_train": 10200,
    "squadshifts_new_wiki": 8000,
    "drcd_dev": 3600,
    "squad_v2_train_10articles": 4400,
    "medquad": 1600,
    "covidqa": 1400,
    "cmrc2018_trial": 1100,
    "toyhom_med_zh": 600,
    "lawbench_consult": 400,
    "fairytaleqa": 1200,
    "squadshifts_reddit": 1500,
    "squadshifts_amazon_reviews": 1000,
}
ACROSS = (
    ("reqa_squad_train", "cmrc2018_train"),
    ("cmrc2018_train", "reqa_squad_train"),
    ("squadshifts_new_wiki", "drcd_dev"),
    ("drcd_dev", "squad_v2_train_10articles"),
)
"""Questions of the first, pieces of the second."""
ASKED_ACROSS = 1500
ROUNDS = 2
"""Each question makes so many groups, mostly of other sizes and negatives."""
SHARES = {"zh": {"clause": 0.25, "sentence": 0.45, "window": 0.3}, "en": {"sentence": 0.7, "window": 0.3}}
CASUAL = {"zh": 0.25, "en": 0.4}
SCRIPTS = {"drcd_dev": "t2s"}
"""How OpenCC turns a source's script into the other; what is not named here is simplified."""
SCRIPT_SHARE = 0.4
GLOSSED = {"zh": 0.2, "en": 0.12}
NEGATIVES = 8
ALSO = 2
"""At most so many other pieces of the passage that hold the answer string."""
NEGATED = 0.15
CUT_OUT = 0.5
RESTATED = 0.15
NUMBER = re.compile(r"\d+")
NAME = re.compile(r"\b[A-Z][a-z]{3,}\b")
HAN = re.compile(r"[一-鿿]{2,6}")
PART = re.compile(r"(?<=[，。！？；])|(?<=[,;:.!?]) ")
SHORTEST = {"zh": 6, "en": 20}
"""So many characters must be left when the answer is cut out of a piece."""
ASKING = re.compile(
    r"^(what|who|whom|whose|when|where|which|why|how)\b( (is|are|was|were|did|do|does|can|many|much|long)\b)*"
    r"|是?(什么|什麼|甚么|甚麼|谁|誰|多少|何时|何時|为何|為何|怎么样?|怎麼樣?|如何|哪一?[个個些里裡年位种種国國]?)|[?？]",
    re.IGNORECASE,
)
OPPOSITES = {
    "zh": (
        ("不是", "是"),
        ("没有", "有"),
        ("增长", "下降"),
        ("上升", "下降"),
        ("提高", "降低"),
        ("增加", "减少"),
        ("以前", "以后"),
        ("(?<!不)是", "不是"),
        ("(?<!没)有", "没有"),
        ("(?<!不)可以", "不可以"),
        ("(?<!不)会", "不会"),
        ("(?<!不)在", "不在"),
    ),
    "en": (
        (r"\bwas\b", "was not"),
        (r"\bwere\b", "were not"),
        (r"\bis\b", "is not"),
        (r"\bare\b", "are not"),
        (r"\bcan\b", "cannot"),
        (r"\bhas\b", "has not"),
        (r"\bincrease", "decrease"),
        (r"\brose\b", "fell"),
        (r"\bbefore\b", "after"),
        (r"\bmore\b", "less"),
    ),
}
DEPTH = 50
HARD = 3
HARD_AMONG = 12
"""So many negatives are what the reranker scores highest among so many of the embedder's first, and a few more."""
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
        self.hard: dict[int, list[int]] = {}

    def nearest(self, row: int) -> list[int]:
        """Return the sentences that the embedder finds for the row's question, nearest first."""
        return first_of(self.similarity[row], DEPTH)

    def with_the_same_words(self, row: int) -> list[int]:
        """Return the sentences that BM25 finds for the row's question."""
        words = tokens(self.queries[row])
        count = min(8, len(self.sentences))
        return self.lexical.retrieve([words], k=count, show_progress=False)[0][0].tolist() if words else []

    def like(self, index: int) -> list[int]:
        """Return the sentences that read most like this one: the same kind of fact about something else."""
        return first_of(self.vectors @ self.vectors[index], 9)[1:]

    def find_hard(self, rows: Sequence[dict], reranker: OnnxReranker) -> None:
        """Keep, for each row, the sentences without its answer that the reranker scores highest."""
        likely = {number: self.likely(row, number) for number, row in enumerate(rows)}
        pairs = [(rows[number]["query"], self.sentences[i]) for number, some in likely.items() for i in some]
        scores = iter(reranker.score_pairs(pairs))
        for number, some in likely.items():
            scored = sorted(((next(scores), i) for i in some), reverse=True)
            self.hard[number] = [i for _, i in scored[:HARD]]

    def likely(self, row: dict, number: int) -> list[int]:
        """Return sentences without the answer that a reranker might take for it."""
        own = self.spans[row["positives"][0]]
        positive = positive_index(row, own, self, self.similarity[number])
        if positive is None or positive not in self.nearest(number):
            return []
        found = [*self.nearest(number)[:HARD_AMONG], *self.with_the_same_words(number)[:3], *own[:4]]
        limit = self.limit(row, number, positive)
        return [
            i
            for i in dict.fromkeys(found)
            if (i not in own or row.get("answer"))
            and self.similarity[number, i] < limit
            and unlike(row, self.sentences[i], self.sentences[positive])
        ]

    def limit(self, row: dict, number: int, positive: int) -> float:
        """Return the cosine below which a sentence does not answer.

        Without an answer string, what the embedder ranks higher than the positive may answer too.
        """
        return 2.0 if row.get("answer") else self.similarity[number, positive]

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


def first_of(similarity: np.ndarray, count: int) -> list[int]:
    """Return the places of the ``count`` highest values, highest first."""
    count = min(count, len(similarity))
    found = np.argpartition(-similarity, count - 1)[:count]
    return found[np.argsort(-similarity[found], kind="stable")].tolist()


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
    # Without an answer string the rest of the passage may answer too.
    inside = [i for i in own if i != positive and row.get("answer")]
    limit = passages.limit(row, number, positive)
    ranked = [i for i in passages.nearest(number) if i not in own and passages.similarity[number, i] < limit]
    lexical = [i for i in passages.with_the_same_words(number) if passages.similarity[number, i] < limit]
    near, far = ranked[:10], ranked[10:]
    anywhere = rng.sample(range(len(passages.sentences)), 1)
    for some in (inside, near, far, lexical):
        rng.shuffle(some)
    like = [i for i in passages.like(positive) if passages.similarity[number, i] < limit]
    order = inside[:2] + near[:3] + far[:2] + like[:1] + lexical[:1] + anywhere + near[3:] + far[2:] + inside[2:]
    order = passages.hard.get(number, []) + order
    return [i for i in dict.fromkeys(order) if i != positive]


def unlike(row: dict, text: str, positive: str) -> bool:
    """Tell whether a text neither holds the answer nor shares its words with the positive."""
    answer = row.get("answer")
    return not (answer is not None and answer in text) and positive not in text and text not in positive


def casual(query: str, lang: str, rng: random.Random) -> str:
    """Write some questions the way people type them: no question mark, no capitals."""
    return query.rstrip(" ?？").lower() if rng.random() < CASUAL[lang] else query


def altered(query: str, positive: str, others: Sequence[str], lang: str, rng: random.Random) -> str | None:
    """Return the positive made wrong: with another number or name than the question's, or turned into its opposite."""
    if rng.random() < NEGATED:
        return negated(positive, lang, rng)
    return swapped(query, positive, others, rng)


def negated(positive: str, lang: str, rng: random.Random) -> str | None:
    """Return the positive with one word turned into its opposite."""
    fitting = [(word, other) for word, other in OPPOSITES[lang] if re.search(word, positive)]
    if not fitting:
        return None
    word, other = rng.choice(fitting)
    return re.sub(word, other, positive, count=1)


def swapped(query: str, positive: str, others: Sequence[str], rng: random.Random) -> str | None:
    """Return the positive with a number or a name of the question replaced: no longer an answer."""
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
    return swapped_han(query, positive, others, rng)


def swapped_han(query: str, positive: str, others: Sequence[str], rng: random.Random) -> str | None:
    """Return the positive with the longest Han string of the question replaced by one of the other pieces.

    Chinese writes names like any other word; the longest string that question and answer share is mostly what the
    question is about.
    """
    shared = longest_shared(query, positive)
    found = [name for text in others for name in HAN.findall(text) if len(name) == len(shared) and name not in query]
    return positive.replace(shared, rng.choice(found)) if len(shared) >= 2 and found else None


def without_answer(positive: str, answer: str | None, lang: str) -> str | None:
    """Return the positive without the parts between two marks that hold the answer: what it is about stays."""
    parts = PART.split(positive)
    left = [part for part in parts if answer not in part] if answer else parts
    text = ("" if lang == "zh" else " ").join(left).strip(" ，；,;:")
    return text if len(left) < len(parts) and len(text) >= SHORTEST[lang] else None


def restated(query: str) -> str:
    """Return the question without what makes it one, as a heading would have it: it names the subject, no answer."""
    text = " ".join(ASKING.sub("", query).split())
    return text[:1].upper() + text[1:]


def near_misses(row: dict, positive: str, others: Sequence[str], rng: random.Random) -> list[str]:
    """Return pieces made for this question that hold its words and no answer."""
    lang = row["lang"]
    made = [altered(row["query"], positive, others, lang, rng)]
    if rng.random() < CUT_OUT:
        made.append(without_answer(positive, row.get("answer"), lang))
    if rng.random() < RESTATED:
        made.append(restated(row["query"]))
    return [text for text in dict.fromkeys(made) if text]


def longest_shared(one: str, other: str) -> str:
    """Return the longest string of two to six Han characters that both hold, or an empty one."""
    parts = (one[i : i + length] for length in range(6, 1, -1) for i in range(len(one) - length + 1))
    return next((part for part in parts if HAN.fullmatch(part) and part in other), "")


def also_holding(row: dict, positive: int, passages: Passages) -> list[int]:
    """Return other sentences of the passage that hold the answer string, nearest to the positive first."""
    own = passages.span_of[positive]
    holding = [i for i in own if i != positive and row.get("answer") and row["answer"] in passages.sentences[i]]
    return sorted(holding, key=lambda i: abs(i - positive))[:ALSO]


def group_of(row: dict, number: int, size: str, passages: Passages, rng: random.Random) -> dict | None:
    """Return one group, or nothing where the answer is out of the embedder's reach or too few pieces are left."""
    similarity = passages.similarity[number]
    index = positive_index(row, passages.spans[row["positives"][0]], passages, similarity)
    if index is None or index not in passages.nearest(number):
        return None
    positive = positive_piece(row, number, index, size, passages, rng)
    if positive is None:
        return None
    pieces = {positive[0]: (1.0, positive[1])}
    for i in also_holding(row, index, passages):
        piece, cosine = passages.grow(i, size, number, rng)
        if row["answer"] in piece and passages.sentences[index] not in piece:
            pieces.setdefault(piece, (0.5, cosine))
    for i in pick_negatives(row, number, index, passages, rng):
        piece, cosine = passages.grow(i, size, number, rng)
        if len(pieces) <= NEGATIVES and unlike(row, piece, passages.sentences[index]):
            pieces.setdefault(piece, (0.0, cosine))
    if len(pieces) <= NEGATIVES:
        return None
    made = [text for text in near_misses(row, positive[0], list(pieces)[1:], rng) if text not in pieces]
    pieces = dict([*list(pieces.items())[: len(pieces) - len(made)], *((text, (0.0, UNMEASURED)) for text in made)])
    return made_group(row, size, pieces, SCRIPT_SHARE, rng)


def made_group(
    row: dict, size: str, pieces: dict[str, tuple[float, float]], script_share: float, rng: random.Random
) -> dict:
    """Return the group of a row's question and these pieces, each with its label and cosine, the answer first.

    So large a share of the Chinese groups is put into the other script.
    """
    group = {
        "query": casual(row["query"], asked_in(row), rng),
        "texts": list(pieces),
        "lang": row["lang"],
        "size": size,
        "labels": [label for label, _ in pieces.values()],
        "cosines": [round(float(cosine), 4) for _, cosine in pieces.values()],
        "group": row["group"],
        "source": row["source"],
    }
    return in_other_script(group, rng) if row["lang"] == "zh" and rng.random() < script_share else group


def asked_in(row: dict) -> str:
    """Return the language of the question: ``zh-en`` is a Chinese one put to English pieces."""
    return row["lang"].partition("-")[0]


def in_other_script(group: dict, rng: random.Random) -> dict:
    """Write the question, the pieces, or both in the other Chinese script; the cosines stay those of the first."""
    convert = converter(SCRIPTS.get(group["source"], "s2t")).convert
    query, texts = rng.choice([(convert, str), (str, convert), (convert, convert)])
    return group | {"query": query(group["query"]), "texts": [texts(text) for text in group["texts"]]}


@cache
def converter(conversion: str) -> OpenCC:
    return OpenCC(conversion)


def in_other_language(group: dict, dictionary: Dictionary, rng: random.Random) -> dict:
    """Put some questions word by word, wholly or by half, into the other language; the pieces and labels stay."""
    if rng.random() >= GLOSSED.get(group["lang"], 0):
        return group
    put = dictionary.to_english if group["lang"] == "zh" else dictionary.to_chinese
    return group | {"query": put(group["query"], rng.choice((1, 1, 0.5)), rng)}


def across(rows: Sequence[dict], other: Passages, embedder: Embedder, rng: random.Random) -> Iterator[dict]:
    """Put questions of one language to sentences of the other."""
    vectors = embedder.embed_queries([row["query"] for row in rows])
    for row, vector in zip(rows, vectors, strict=True):
        similarity = other.vectors @ vector
        ranked = first_of(similarity, DEPTH)
        chosen = [*rng.sample(ranked[:5], 3), *rng.sample(ranked[5:], 3), *rng.sample(range(len(similarity)), 3)]
        yield {
            "query": row["query"],
            "texts": [other.sentences[i] for i in chosen],
            "lang": "across",
            "size": "sentence",
            "labels": [0.0] * len(chosen),
            "cosines": [round(float(similarity[i]), 4) for i in chosen],
            "group": row["group"],
            "source": row["source"],
        }


def groups_of(rows: Sequence[dict], passages: Passages, rng: random.Random) -> Iterator[dict]:
    for number, row in enumerate(rows):
        shares = SHARES[row["lang"]]
        for size in rng.choices(list(shares), list(shares.values()), k=ROUNDS):
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
        group["cosines"] = [
            old if old == UNMEASURED else round(float(cosine), 4)
            for old, cosine in zip(group["cosines"], vectors @ query, strict=True)
        ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("texts", type=Path)
    parser.add_argument("embedder", help="an embedder of the catalogue")
    parser.add_argument("target", type=Path)
    parser.add_argument("--seed", type=int, default=SEED, help="another one makes other groups of the same questions")
    parser.add_argument("--reranker", help="an earlier cross-encoder, which then says what is hard")
    parser.add_argument("--share", type=float, default=1, help="of the questions; all passages are searched")
    arguments = parser.parse_args()
    reranker = arguments.reranker and reranker_of(arguments.reranker)
    rng, embedder, groups, texts = random.Random(arguments.seed), load_embedder(arguments.embedder), [], {}
    for source, count in QUERIES.items():
        rows = read_rows(arguments.texts / f"{source}.jsonl.gz")
        rows = [row for row in rows if not held_out(source, row["group"])]
        rows = rng.sample(rows, min(count, len(rows)))
        asked, passages = rows[: round(arguments.share * len(rows))], Passages(rows, embedder)
        if reranker:
            passages.find_hard(asked, reranker)
        groups += groups_of(asked, passages, rng)
        texts[source] = (asked, passages)
        print(f"{source}: {len(groups)} groups so far", flush=True)
    for source, searched in ACROSS:
        asked = rng.sample(texts[source][0], round(arguments.share * ASKED_ACROSS))
        groups += across(asked, texts[searched][1], embedder, rng)
    measure_clauses(groups, embedder)
    dictionary = Dictionary(group["query"] for group in groups if group["lang"] == "zh")
    groups = [in_other_language(group, dictionary, rng) for group in groups]
    rng.shuffle(groups)
    with gzip.open(arguments.target, "wt", encoding="utf-8") as lines:
        lines.writelines(json.dumps(group, ensure_ascii=False) + "\n" for group in groups)


if __name__ == "__main__":
    main()
