"""Try how large the parts are to be by which a long text is scored: ``python -m training.best_part FOLDER_OF_FILES …``.

A choice such as ``160/25`` cuts a text whose pair has more than 160 tokens into parts of so many, of which neighbours
have at most 25 % of their tokens in common (``rag_core.models.parts``); ``512/0`` is the whole text, as far as the
model reads. A text's score is its best part's, the mean of the best two, or the best part's less what more parts alone
bring (``less``: ``SLOPE`` times the logarithm of their number).

Printed per file and cut, then over all files of a language, at depth 50: nDCG@10 and its difference from the vector
order with the paired bootstrap interval, the rank correlation of score and length among what does not answer, and what
a question costs.
"""

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from rag_core.models.embed import load_embedder
from rag_core.models.parts import cut
from training.evaluate import CUTS, Search, choose, corpus, ndcg, relevant, reranker_of
from training.files import read_rows
from training.lengths import correlation, interval, mean
from training.scores import KeptScores

MODEL, EMBEDDER = "bilingual-cross-encoder", "bilingual-embedder"
DEPTH = 50
SLOPE = 0.5
POOLS: Mapping[str, Callable[[np.ndarray], float]] = {
    "best": lambda logits: float(logits.max()),
    "mean of two": lambda logits: float(np.sort(logits)[-2:].mean()),
    "less": lambda logits: float(logits.max() - SLOPE * np.log(len(logits))),
}
HEAD = (
    "| file | pieces | parts | score | questions | vector | nDCG@10 | − vector [95 %] | score and length "
    "| pairs | tokens | CPU seconds |"
)
RULE = "|---" * 12 + "|"


@dataclass(frozen=True, slots=True)
class Question:
    """A question with its candidates in vector order and which of them answer; ``answers`` counts all there are."""

    query: str
    texts: list[str]
    answering: np.ndarray
    answers: int

    def ndcg(self, scores: np.ndarray) -> float:
        order = np.argsort(-scores, kind="stable")
        return ndcg(self.answering[order].tolist(), self.answers)

    def leaning(self, scores: np.ndarray) -> float:
        lengths = np.array([len(text) for text in self.texts])
        return correlation(scores[~self.answering], lengths[~self.answering])


@dataclass(frozen=True, slots=True)
class Result:
    """What one choice gave one question; ``costs`` are pairs, tokens and processor seconds."""

    vector: float
    reranked: float
    leaning: float
    costs: np.ndarray


def questions_of(file: Path, pieces: str, count: int, cache: Path) -> list[Question]:
    """Search at most ``count`` questions of a file in its passages, cut one way."""
    rows, how, embedder = list(read_rows(file)), CUTS[pieces], load_embedder(EMBEDDER)
    search = Search.of(corpus(rows, how), embedder, cache / EMBEDDER / f"{file.name.split('.')[0]}-{pieces}.npy")
    chosen, found = choose(rows, how, count), []
    for row, vector in zip(chosen, embedder.embed_queries([row["query"] for row in chosen]), strict=True):
        texts, answers = search.by_vectors(vector)[:DEPTH], relevant(row, how)
        answering = np.array([text in answers for text in texts])
        found.append(Question(row["query"], texts, answering, len(answers)))
    return found


def results(question: Question, limit: int, overlap: float, scores: KeptScores) -> dict[str, Result]:
    """Score one question's candidates by their parts, and return what each way to make one score of several gave."""
    encodings = scores.reranker.encode([(question.query, text) for text in question.texts])
    cuts = [cut(text, one, limit, overlap) for text, one in zip(question.texts, encodings, strict=True)]
    pairs = [(question.query, text[a:b]) for text, spans in zip(question.texts, cuts, strict=True) for a, b in spans]
    found, bounds = scores.of(pairs), np.cumsum([0, *map(len, cuts)])
    costs, before = np.array([len(pairs), *found[:, 1:].sum(0)]), question.ndcg(-np.arange(len(question.texts)))
    made = {}
    for name, pool in POOLS.items():
        own = np.array([pool(found[first:last, 0]) for first, last in pairwise(bounds)])
        made[name] = Result(before, question.ndcg(own), question.leaning(own), costs)
    return made


def line(start: str, found: Sequence[Result]) -> str:
    """Write what one choice gave these questions."""
    vector, reranked = (np.array([getattr(one, key) for one in found]) for key in ("vector", "reranked"))
    low, high = interval(reranked - vector)
    costs = np.mean([one.costs for one in found], axis=0)
    return (
        f"{start} | {len(found)} | {vector.mean():.3f} | {reranked.mean():.3f} "
        f"| {(reranked - vector).mean():+.3f} [{low:+.3f}, {high:+.3f}] | {mean([one.leaning for one in found])} "
        f"| {costs[0]:.0f} | {costs[1]:.0f} | {costs[2]:.2f} |"
    )


def tried(
    file: Path, arguments: argparse.Namespace, scores: KeptScores
) -> Iterator[tuple[tuple[str, ...], list[Result]]]:
    """Yield, for a file, each cut, choice and way to make one score, and what it gave each question."""
    name = file.name.split(".")[0]
    for pieces in arguments.pieces:
        questions = questions_of(file, pieces, arguments.questions, arguments.cache)
        for choice in arguments.parts:
            limit, percent = map(int, choice.split("/"))
            found = [results(one, limit, percent / 100, scores) for one in questions]
            for pool in POOLS:
                yield (name, pieces, choice, pool), [one[pool] for one in found]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="+", help="folders of evaluation files, or such files")
    parser.add_argument("--questions", type=int, default=60, help="at most this many of each file")
    parser.add_argument("--pieces", nargs="+", choices=CUTS, default=["whole", "app-window"])
    parser.add_argument("--parts", nargs="+", default=["512/0", "96/25", "128/25", "160/25", "192/25"])
    parser.add_argument("--reranker", default=MODEL, help="of the catalogue, or an exported folder")
    parser.add_argument("--cache", type=Path, default=Path("training/build/evaluation"))
    arguments = parser.parse_args()
    scores = KeptScores(reranker_of(arguments.reranker), arguments.cache / "scores.sqlite")
    print(f"{HEAD}\n{RULE}", flush=True)
    files = [file for one in arguments.folder for file in (sorted(one.glob("*.jsonl.gz")) if one.is_dir() else [one])]
    together: dict[tuple[str, ...], list[Result]] = {}
    for file in files:
        language = next(iter(read_rows(file)))["lang"]
        for how, found in tried(file, arguments, scores):
            together.setdefault((f"all {language}", *how[1:]), []).extend(found)
            print(line("| " + " | ".join(how), found), flush=True)
    for how, found in together.items():
        print(line("| " + " | ".join(how), found))


if __name__ == "__main__":
    main()
