"""Fit from which logit a sentence answers: ``python -m training.answer_threshold EVALUATION_FOLDER``.

Asked are the samples' questions, those marked ``chosen`` left out, of the first five chunks of either order, and some
questions of each evaluation file, of the five windows nearest to them among the passages of all of these. Each is asked
a second time of the five nearest that do not answer, so that there is something to hold back. The first sentence by the
cross-encoder is right where it holds half of the quoted answer (samples), or the answer string and comes from a
positive passage (files; where a file names no string, it is part of a positive).

The threshold is the one at which the share of right sentences that are shown and of wrong ones that are held back, in
the mean of both and of all sources, is highest; half-way between two scores. It stands as ``CLEAR`` in
``rag_core/comparing/answer.py``. Printed are for each source how many right and wrong sentences lie on either side of
it, and what other thresholds would give.
"""

import argparse
import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from rag_core.comparing.answer import CLEAR, Candidate, scored
from rag_core.datatypes import Chunk, Document, Hit, Page, Settings
from rag_core.lab import Lab
from rag_core.models.embed import Embedder, load_embedder
from rag_core.models.rerank import Reranker, load_reranker
from rag_core.reading.chunk import recommend, split
from rag_core.sharing.replay import SIDES
from training.evaluate import answers_of, choose
from training.files import read_rows, whole
from training.samples import answers, ask_samples, holds

TOP = Settings().cutoff
HEAD = "| source | asked | right, shown | right, held back | wrong, shown | wrong, held back |\n" + "|---" * 6 + "|"
OTHERS = (-4.0, -3.0, -2.0, -1.0, 0.0, 1.0)


class First(NamedTuple):
    """The first sentence for a question: what the cross-encoder gave it, and whether it answers."""

    score: float
    right: bool


Right = Callable[[Candidate], bool]


def first(candidates: Sequence[Candidate], right: Right) -> list[First]:
    """Return the first sentence, or nothing where the hits hold none."""
    return [First(candidate.score, right(candidate)) for candidate in candidates[:1]]


def of_samples(lab: Lab, embedder: Embedder, reranker: Reranker) -> Iterator[First]:
    """Ask the samples' questions of both orders, and of the nearest chunks that do not answer."""
    for document, row, comparison in ask_samples(lab, embedder, reranker):
        wrong = [hit for hit in comparison.before.hits if not is_answered(document, row, hit.chunk)]
        for hits in (*(comparison.ranking(side).top(TOP) for side in SIDES), wrong[:TOP]):
            candidates = scored(comparison.query, hits, [document], reranker)
            yield from first(candidates, partial(quotes_the_answer, document, row, hits))


def is_answered(document: Document, row: dict, chunk: Chunk) -> bool:
    return any(answers(document, answer, chunk) for answer in row["answers"])


def quotes_the_answer(document: Document, row: dict, hits: Sequence[Hit], candidate: Candidate) -> bool:
    return holds(document, row, hits[candidate.number - 1].chunk, candidate.quote)


def of_file(rows: Sequence[dict], embedder: Embedder, reranker: Reranker) -> Iterator[First]:
    """Ask questions of the nearest windows of their passages, with those that answer and without."""
    passages = sorted({passage for row in rows for passage in (*row["positives"], *row.get("negatives", ()))})
    documents = {str(i): Document(str(i), "", "", (Page(1, passage),)) for i, passage in enumerate(passages)}
    chunks = [chunk for document in documents.values() for chunk in cut(document)]
    texts = embedder.embed_texts([chunk.text for chunk in chunks])
    cosines = embedder.embed_queries([row["query"] for row in rows]) @ texts.T
    for row, near in zip(rows, np.argsort(-cosines, axis=1, kind="stable"), strict=True):
        nearest = [Hit(chunks[i], 0.0) for i in near]
        without = [hit for hit in nearest if not is_answer(row, hit.chunk.text, "".join(row["positives"]))]
        for hits in (nearest[:TOP], without[:TOP]):
            of = [documents[hit.chunk.doc_id] for hit in hits]
            yield from first(scored(row["query"], hits, of, reranker), partial(comes_from_the_answer, row, of))


def cut(document: Document) -> list[Chunk]:
    how = recommend(document.pages)
    return split(document.pages, "window", how.size, how.overlap, document.id)


def is_answer(row: dict, text: str, positives: str) -> bool:
    """Say whether a text holds the answer string, or where there is none is part of a positive."""
    given = [answer for answer in answers_of(row) if answer]
    return any(answer in text for answer in given) if given else text in positives


def comes_from_the_answer(row: dict, documents: Sequence[Document], candidate: Candidate) -> bool:
    passage = documents[candidate.number - 1].pages[0].text
    return passage in row["positives"] and is_answer(row, candidate.quote.text, passage)


def balanced(firsts: Sequence[First], threshold: float) -> float:
    """Return the mean of the shares of right sentences that are shown and of wrong ones that are held back."""
    right, wrong = ([one.score for one in firsts if one.right is kind] for kind in (True, False))
    return (np.mean([score >= threshold for score in right]) + np.mean([score < threshold for score in wrong])) / 2


def fitted(sources: Sequence[Sequence[First]]) -> float:
    """Return the threshold that is best over all sources, each counting the same."""
    scores = sorted({one.score for firsts in sources for one in firsts})
    between = [(low + high) / 2 for low, high in pairwise(scores)]
    return max(between, key=lambda threshold: float(np.mean([balanced(firsts, threshold) for firsts in sources])))


def row_of(name: str, firsts: Sequence[First], threshold: float) -> str:
    counts = [
        sum(one.right is right and (one.score >= threshold) is shown for one in firsts)
        for right in (True, False)
        for shown in (True, False)
    ]
    return f"| {name} | {len(firsts)} | {' | '.join(map(str, counts))} |"


def report(sources: dict[str, list[First]]) -> Iterator[str]:
    """Write what was fitted, what lies on either side of it, and what other thresholds would give."""
    threshold = fitted(list(sources.values()))
    yield f"fitted: {threshold:.2f} (in the code: {CLEAR.get(Settings().reranker)})\n\n{HEAD}"
    everything = [one for firsts in sources.values() for one in firsts]
    yield from (row_of(name, firsts, threshold) for name, firsts in {**sources, "all": everything}.items())
    yield f"\n{HEAD.replace('source', 'threshold', 1)}"
    yield from (row_of(f"{other:.1f}", everything, other) for other in OTHERS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--questions", type=int, default=60, help="at most this many of each file")
    parser.add_argument("--reranker", default=Settings().reranker)
    arguments = parser.parse_args()
    embedder, reranker = load_embedder(Settings().embedder), load_reranker(arguments.reranker)
    with tempfile.TemporaryDirectory() as home:
        lab = Lab(Path(home))
        sources = {"samples": list(of_samples(lab, embedder, reranker))}
        lab.close()
    for file in sorted(arguments.folder.glob("*.jsonl.gz")):
        rows = choose(list(read_rows(file)), whole, arguments.questions)
        sources[file.name.split(".")[0]] = list(of_file(rows, embedder, reranker))
    for line in report(sources):
        print(line)


if __name__ == "__main__":
    main()
