"""Build training groups of pieces of any length.

``python -m training.any_length TEXTS training/contrasts.jsonl bilingual-embedder training/build/any-length.jsonl.gz``

What ``training.pairs`` makes are clauses, sentences and windows of up to four sentences, all of one group of one kind:
a model that saw no more gives long texts high scores for their length. Here a piece has up to ``LONGEST`` characters,
and each that does not answer has the answer's length times a factor drawn from a distribution that is even around one,
so that longer ones are as many as shorter ones and length tells nothing. Pieces are runs of whole sentences around one
that was found; where their passage ends they go on into what follows in the document, as the app's windows do.

Sources are reports, manuals, statutes, textbooks, search queries and aligned pages of both languages. Groups written by
hand (``training/contrasts.jsonl``) say what no rule makes: negations, exceptions, orders, goals beside results, and
answers in other words than the question's. They are taken as they are and again inside texts about other things.
"""

import argparse
import gzip
import json
import math
import random
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import bm25s
import numpy as np

from rag_core.models.embed import Embedder, load_embedder
from rag_core.search.lexical import tokens
from training.files import UNMEASURED, cut_clauses, cut_sentences, read_rows
from training.gloss import Dictionary
from training.long import held_out
from training.pairs import (
    asked_in,
    first_of,
    in_other_language,
    made_group,
    measure_clauses,
    near_misses,
    overlap,
    restated,
)


@dataclass(frozen=True, slots=True)
class Source:
    """A file, how many of its questions are asked, and which passages may be taken for negatives.

    ``others`` is ``"any"`` where only the row's own passage answers, ``"below"`` where passages that the embedder ranks
    above the answer may answer too, and ``"own"`` where only pieces of the same document do not answer for certain:
    two years' reports say the same of other years.
    """

    questions: int
    others: str = "any"


SOURCES = {
    "nq_open_gold": Source(1100),
    "boolq_dev": Source(1000),
    "clapnq": Source(600),
    "conditionalqa": Source(400, "below"),
    "pubmedqa": Source(300),
    "medquad_more": Source(300),
    "stard_law": Source(600, "below"),
    "tatoeba_zh_en": Source(250),
    "ntrex_zh_en": Source(600),
    "tico19_zh_en": Source(500, "below"),
    "juicefs_zh_en": Source(500, "below"),
    "tidb_operator_zh_en": Source(200, "below"),
    "opensource_guide_zh_en": Source(200, "below"),
    "d365_project_ops_zh_en": Source(300, "below"),
    "d365ops_zh": Source(800, "below"),
    "d365bc_en": Source(700, "below"),
    "tidb_docs_zh": Source(500, "below"),
    "partner_center_zh": Source(300, "below"),
    "handbook18f_en": Source(400, "below"),
    "openstax_business_en": Source(350, "below"),
    "openstax_economics_en": Source(350, "below"),
    "laws_zh": Source(500, "below"),
    "gov31_zh_figures": Source(1300, "own"),
    "gov31_zh_headings": Source(500, "own"),
    "state_council_zh_figures": Source(400, "own"),
    "state_council_zh_headings": Source(350, "own"),
    "cmrc2018_train": Source(1500),
    "drcd_dev": Source(1100),
    "squadshifts_new_wiki": Source(900),
    "squad_v2_train_10articles": Source(900),
    "covidqa": Source(300),
    "fairytaleqa": Source(200),
}
SHARES = {"clause": 0.1, "sentence": 0.25, "window": 0.27, "long": 0.28, "mixed": 0.1}
"""Clauses are Chinese, and of rows whose answer is known; of others sentences are taken."""
LENGTHS = {"sentence": (10, 60), "window": (60, 300), "long": (300, 900), "mixed": (15, 900)}
"""How many Chinese characters the answer's piece has; Latin ones are twice as many."""
SPREAD = {"sentence": 0.5, "window": 0.5, "long": 0.35, "mixed": 0.9}
"""Standard deviation of the logarithm of a piece's length over the answer's."""
NEGATIVES = 7
FEWEST = 6
"""A clause has at least so many characters."""
VARIANTS = 4
"""Each group written by hand is used so many times, the first time as it is."""
STRANGE = 3
"""So many texts of other groups written by hand stand in each."""
FILLERS = 3000
RESTATED = 0.3
HEADED = 0.25
SCRIPT_SHARE = 0.3
DEPTH = 50
SAME = 0.97
"""Two sentences of at least this cosine say the same."""
HAN = re.compile("[一-鿿]")
Pieces = dict[str, tuple[float, float]]
"""Texts with their labels and cosines, the one that answers first."""
SEED = 7


def is_chinese(text: str) -> bool:
    return len(HAN.findall(text)) * 4 > len(text)


def units(text: str) -> int:
    """Return a text's length in Chinese characters: a Latin one counts half."""
    return len(text) if is_chinese(text) else len(text) // 2


class Library:
    """The sentences of a source, in the order of its documents, found by meaning and by words."""

    def __init__(self, rows: Sequence[dict], embedder: Embedder) -> None:
        self.sentences: list[str] = []
        self.passages: dict[str, range] = {}
        documents: dict[str, list[str]] = {}
        for group, passage in in_documents(rows):
            documents.setdefault(group, []).append(passage)
            first = len(self.sentences)
            self.sentences += cut_sentences(passage)
            self.passages[passage] = range(first, len(self.sentences))
        bounds = [
            range(self.passages[first].start, self.passages[last].stop)
            for first, *_, last in ([*members, members[-1]] for members in documents.values())
        ]
        self.document = [span for span in bounds for _ in span]
        self.sizes = [units(sentence) for sentence in self.sentences]
        self.sums = np.cumsum([0, *self.sizes])
        self.vectors = embedder.embed_texts(self.sentences)
        self.asked = [row["query"] for row in rows]
        self.queries = embedder.embed_queries(self.asked)
        self.lexical = bm25s.BM25()
        self.lexical.index([tokens(sentence) for sentence in self.sentences], show_progress=False)

    def run(self, around: int, size: float, within: range, rng: random.Random) -> range:
        """Return the sentences around one, as many as come nearest to this size, none beyond ``within``."""
        first, stop, reached = around, around + 1, self.sizes[around]
        while reached < size and (first > within.start or stop < within.stop):
            back = stop == within.stop or (first > within.start and rng.random() < 0.5)
            following = first - 1 if back else stop
            if abs(reached + self.sizes[following] - size) > abs(reached - size):
                break
            first, stop = min(first, following), max(stop, following + 1)
            reached += self.sizes[following]
        return range(first, stop)

    def room(self, around: int, size: float) -> range:
        """Return the document of a sentence; where it has fewer characters, all documents: pages are cut likewise."""
        document = self.document[around]
        return document if self.sums[document.stop] - self.sums[document.start] >= size else range(len(self.sizes))

    def text(self, span: range) -> str:
        return joined(self.sentences[span.start : span.stop])

    def cosine(self, number: int, span: range) -> float:
        """Return the cosine of question and run: the embedder's vector of a run is nearly the mean of its parts'."""
        weights = np.array(self.sizes[span.start : span.stop]) + 1
        mean = weights @ self.vectors[span.start : span.stop]
        return float(mean @ self.queries[number] / np.linalg.norm(mean))


def joined(sentences: Sequence[str]) -> str:
    return ("" if is_chinese("".join(sentences)) else " ").join(sentences)


def in_documents(rows: Iterable[dict]) -> Iterator[tuple[str, str]]:
    """Give each passage once, with its document, document after document."""
    documents: dict[str, list[str]] = {}
    for row in rows:
        documents.setdefault(row["group"], []).extend([*row["positives"], *row.get("negatives", ())])
    seen: set[str] = set()
    for group, passages in documents.items():
        for passage in dict.fromkeys(passages):
            if passage not in seen and cut_sentences(passage):
                seen.add(passage)
                yield group, passage


def answering(row: dict, number: int, library: Library) -> int | None:
    """Return the sentence that answers: of those that hold the answer, if it is known, the nearest to the question."""
    own = [i for passage in row["positives"] for i in library.passages.get(passage, ())]
    holding = [i for i in own if not row.get("answer") or row["answer"] in library.sentences[i]]
    return max(holding, key=lambda i: library.vectors[i] @ library.queries[number], default=None)


def candidates(row: dict, number: int, answer: int, source: Source, library: Library, rng: random.Random) -> list[int]:
    """Return sentences around which no answer lies: of the passage, of its document, near, far and anywhere.

    Of the first seven few are near: from near ones alone a model learns that to be about the same thing counts for
    nothing, and puts what is about other things before it.
    """
    similarity = library.vectors @ library.queries[number]
    own = {i for passage in row["positives"] for i in library.passages.get(passage, ())}
    inside = [i for i in own if row.get("answer") and row["answer"] not in library.sentences[i]]
    beside = [i for i in library.document[answer] if i not in own]
    found = [i for i in first_of(similarity, DEPTH) if i not in own]
    words = tokens(row["query"])
    lexical = library.lexical.retrieve([words], k=min(8, len(similarity)), show_progress=False)[0][0] if words else []
    lexical = [int(i) for i in lexical if i not in own]
    anywhere = [rng.choice(library.document[answer]), rng.randrange(len(similarity))]
    if source.others == "own":
        found, lexical, anywhere = ([i for i in some if i in set(beside)] for some in (found, lexical, anywhere))
    elif source.others == "below":
        found, lexical = ([i for i in some if similarity[i] < similarity[answer]] for some in (found, lexical))
    near, far = found[:10], found[10:]
    beside = sorted(beside, key=lambda i: -similarity[i])[:12]
    for some in (inside, beside, near, far, lexical):
        rng.shuffle(some)
    order = [*near[:2], *inside[:1], *far[:1], *lexical[:1], *anywhere, *beside[:1]]
    order = order + far[1:] + near[2:] + beside[1:]
    alike = library.vectors @ library.vectors[answer] > SAME
    return [i for i in dict.fromkeys(order) if (not alike[i] and i not in own) or i in inside]


def group_of(row: dict, number: int, size: str, source: Source, library: Library, rng: random.Random) -> dict | None:
    """Return one group, or nothing where the answer is not found or too few pieces are left."""
    answer = answering(row, number, library)
    if answer is None:
        return None
    if size == "clause":
        return of_clauses(row, number, answer, source, library, rng)
    wanted = drawn(size, rng)
    span = library.run(answer, wanted, library.room(answer, wanted), rng)
    positive = library.text(span)
    pieces = {positive: (1.0, library.cosine(number, span))}
    own = {i for passage in row["positives"] for i in library.passages.get(passage, ())}
    closed = {answer} if row.get("answer") else own
    for i in candidates(row, number, answer, source, library, rng):
        wanted = units(positive) * math.exp(rng.gauss(0, SPREAD[size]))
        some = library.run(i, wanted, clear_of(closed, i, library.room(i, wanted)), rng)
        text = shortened(library.text(some), wanted)
        if len(pieces) <= NEGATIVES and not answers(row, text) and text not in positive:
            pieces.setdefault(text, (0.0, library.cosine(number, some)))
    others = list(pieces)[1:]
    rng.shuffle(others)  # the last ones give way to what is made
    pieces = {text: pieces[text] for text in (positive, *others)}
    made = made_for(row, positive, others, rng) if others else []
    return finished(row, size, with_headings(row, pieces, library.asked, rng), made, rng)


def of_clauses(
    row: dict, number: int, answer: int, source: Source, library: Library, rng: random.Random
) -> dict | None:
    """Return a group of clauses: of each sentence the one that shares most with the question."""
    holding = [clause for clause in cut_clauses(library.sentences[answer]) if answers(row, clause)]
    positive = max(holding, key=lambda clause: overlap(clause, row["query"]), default="")
    pieces = {positive: (1.0, 0.0)}
    for i in candidates(row, number, answer, source, library, rng):
        clauses = [clause for clause in cut_clauses(library.sentences[i]) if len(clause) >= FEWEST]
        text = max(clauses, key=lambda clause: overlap(clause, row["query"]), default=positive)
        if len(pieces) <= NEGATIVES and not answers(row, text):
            pieces.setdefault(text, (0.0, 0.0))
    return finished(row, "clause", pieces, [], rng) if len(positive) >= FEWEST else None


def finished(row: dict, size: str, pieces: Pieces, made: Sequence[str], rng: random.Random) -> dict | None:
    """Return the group of these pieces, the last ones replaced by those made; nothing where they are too few."""
    if len(pieces) <= NEGATIVES:
        return None
    made = [text for text in made if text not in pieces and not answers(row, text)]
    pieces = dict([*list(pieces.items())[: len(pieces) - len(made)], *((text, (0.0, UNMEASURED)) for text in made)])
    return made_group(row, size, pieces, SCRIPT_SHARE, rng)


def clear_of(closed: set[int], around: int, within: range) -> range:
    """Return the sentences around one that a piece may take: none that may answer."""
    first = next((i + 1 for i in range(around - 1, within.start - 1, -1) if i in closed), within.start)
    stop = next((i for i in range(around + 1, within.stop) if i in closed), within.stop)
    return range(first, stop)


def shortened(text: str, wanted: float) -> str:
    """Return a Chinese sentence of more than twice the size that is wanted up to the mark nearest to it."""
    if not is_chinese(text) or len(text) <= 2 * wanted:
        return text
    ends = [end for clause in cut_clauses(text) for end in [text.index(clause) + len(clause)]]
    return text[: min(ends, key=lambda end: abs(end - wanted))] if ends else text


def answers(row: dict, text: str) -> bool:
    return bool(row.get("answer")) and row["answer"] in text


def drawn(size: str, rng: random.Random) -> float:
    """Return a length for the answer's piece, even over the logarithm."""
    low, high = LENGTHS[size]
    return math.exp(rng.uniform(math.log(low), math.log(high)))


def with_headings(row: dict, pieces: Pieces, asked: Sequence[str], rng: random.Random) -> Pieces:
    """Put a heading before some pieces: the subject of a question, of the one that answers its own as often as another.

    If only what does not answer had headings, a model would hold any heading against a text.
    """
    answer = next(iter(pieces))
    found = {}
    for text, measured in pieces.items():
        other = rng.choice(asked)
        topic = restated(rng.choice((row["query"], other)) if text == answer else other)
        alike = is_chinese(topic) == is_chinese(text)
        headed_too = topic and alike and not answers(row, topic) and rng.random() < HEADED
        found[f"{topic}\n{text}" if headed_too else text] = measured
    return found


def made_for(row: dict, positive: str, others: Sequence[str], rng: random.Random) -> list[str]:
    """Return pieces that hold the question's words and no answer: near misses, and a text headed by the question."""
    lang = asked_in(row)
    made = near_misses(row | {"lang": lang}, positive, others, rng) if row.get("answer") and lang == row["lang"] else []
    if rng.random() < RESTATED:
        made.append(headed(row["query"], rng.choice(others), rng))
    return made[:2]


HEADINGS = {
    "zh": (
        "{topic}\n",
        "{query}",
        "关于{topic}，请参见下文。",
        "{topic}的有关情况另行说明。",
        "本节介绍{topic}。",
        "常见问题：{query}",
        "{topic}……………………",
        "{topic}见附件。",
    ),
    "en": (
        "{topic}\n",
        "{query} ",
        "For {topic}, see the next section. ",
        "This section describes {topic}. ",
        "FAQ: {query} ",
        "{topic} ........ ",
        "Details on {topic} are given elsewhere. ",
        "Questions about {topic} are dealt with in an annex. ",
    ),
}


def headed(query: str, text: str, rng: random.Random) -> str:
    """Return the text with a heading or a pointer in the question's words before it, or that alone."""
    heading = rng.choice(HEADINGS["zh" if is_chinese(query) else "en"])
    heading = heading.format(topic=restated(query), query=query)
    return heading + (text if rng.random() < 0.7 else "")


def groups_of(rows: Sequence[dict], source: Source, library: Library, rng: random.Random) -> Iterator[dict]:
    sizes = rng.choices(list(SHARES), list(SHARES.values()), k=len(rows))
    for number, row, size in zip(count(), rows, sizes, strict=False):
        clauses = row["lang"] == "zh" and row.get("answer")
        group = group_of(row, number, "sentence" if size == "clause" and not clauses else size, source, library, rng)
        if group:
            yield group


def without_length(groups: Sequence[dict]) -> list[dict]:
    """Take out of the cosines what goes with the pieces' length: the same slope for all groups of one source."""
    measured = [np.array([cosine != UNMEASURED for cosine in group["cosines"]]) for group in groups]
    lengths = [np.log([units(text) + 1 for text in group["texts"]]) for group in groups]
    apart = [length - length[some].mean() for length, some in zip(lengths, measured, strict=True)]
    cosines = [np.array(group["cosines"]) for group in groups]
    others = [(x[some][1:], c[some][1:]) for x, c, some in zip(apart, cosines, measured, strict=True)]
    centred = [(x - x.mean(), c) for x, c in others]
    slope = sum(x @ c for x, c in centred) / max(sum(x @ x for x, _ in centred), 1e-9)
    return [
        group | {"cosines": [round(float(value), 4) for value in np.where(some, c - slope * x, c)]}
        for group, x, c, some in zip(groups, apart, cosines, measured, strict=True)
    ]


def of_contrast(row: dict, others: Sequence[str], fillers: Sequence[str], variant: int, rng: random.Random) -> dict:
    """Return a group written by hand with some of ``others``, texts about other things.

    They are as they are or each inside a longer one about something else.
    """
    size = "sentence" if not variant else rng.choice(("window", "long", "mixed"))
    strange = [text for text in rng.sample(others, STRANGE + len(row["texts"])) if text not in row["texts"]][:STRANGE]
    texts = [inside(text, size, fillers, rng) if variant else text for text in (*row["texts"], *strange)]
    pieces = {text: (float(not place), UNMEASURED) for place, text in enumerate(texts)}
    return made_group(row | {"group": row["query"], "source": "contrasts"}, size, pieces, SCRIPT_SHARE, rng)


def inside(text: str, size: str, fillers: Sequence[str], rng: random.Random) -> str:
    """Return the text with others around it, up to a length that says nothing about it."""
    some, wanted = [text], drawn(size, rng)
    while sum(map(units, some)) < wanted:
        filler = rng.choice(fillers)
        some = [*some, filler] if rng.random() < 0.5 else [filler, *some]
    return joined(some)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("texts", type=Path)
    parser.add_argument("contrasts", type=Path)
    parser.add_argument("embedder", help="an embedder of the catalogue")
    parser.add_argument("target", type=Path)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--share", type=float, default=1, help="of the questions")
    arguments = parser.parse_args()
    rng, embedder, groups = random.Random(arguments.seed), load_embedder(arguments.embedder), []
    fillers: dict[bool, list[str]] = {True: [], False: []}
    for name, source in SOURCES.items():
        rows = [row for row in read_rows(arguments.texts / f"{name}.jsonl.gz") if not held_out(name, row["group"])]
        rows = rng.sample(rows, min(round(arguments.share * source.questions), len(rows)))
        # Asked across languages, the piece that answers has a twin in the question's own.
        for lang in sorted({row["lang"] for row in rows}):
            asked = [row for row in rows if row["lang"] == lang]
            library = Library(asked, embedder)
            found = list(groups_of(asked, source, library, rng))
            measure_clauses(found, embedder)
            groups += without_length(found)
            for sentence in rng.sample(library.sentences, min(FILLERS // len(SOURCES), len(library.sentences))):
                fillers[is_chinese(sentence)].append(sentence)
        print(f"{name}: {len(groups)} groups so far", flush=True)
    dictionary = Dictionary(group["query"] for group in groups if group["lang"] == "zh")
    groups = [in_other_language(group, dictionary, rng) for group in groups]
    contrasts = [json.loads(line) for line in arguments.contrasts.read_text(encoding="utf-8").splitlines()]
    for row in contrasts:
        chinese = is_chinese(row["texts"][0])
        others = [text for other in contrasts for text in other["texts"] if is_chinese(text) == chinese]
        groups += [of_contrast(row, others, fillers[chinese], variant, rng) for variant in range(VARIANTS)]
    rng.shuffle(groups)
    with gzip.open(arguments.target, "wt", encoding="utf-8") as lines:
        lines.writelines(json.dumps(group, ensure_ascii=False) + "\n" for group in groups)


if __name__ == "__main__":
    main()
