"""The questions of many documents, evaluated together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rag_core.datatypes import Chunk, Document, Judgment, Progress
from rag_core.measuring import evaluate, judge
from rag_core.measuring.evaluate import Evaluation
from rag_core.measuring.judge import Judged
from rag_core.measuring.questions import Questions
from rag_core.models.rerank import Reranker
from rag_core.search.once import kept_scores
from rag_core.search.opened import Opened


@dataclass(frozen=True, slots=True)
class Part:
    """An opened document with its questions, under the name that tells them apart from others'."""

    name: str
    document: Document
    opened: Opened
    questions: Questions


@dataclass(frozen=True, slots=True)
class Wanted:
    """Chunks that a reranker is to score for a question."""

    doc_id: str
    key: str
    question: str
    chunks: tuple[Chunk, ...]


def wanted(part: Part, reranker: Reranker, depth: int) -> Iterator[Wanted]:
    """Yield what an evaluation will have scored and the library does not hold yet."""
    opened, address = part.opened, part.opened.index.address
    stages = evaluate.first_stages(opened, part.questions.questions, depth)
    for candidates in stages[opened.settings.first_stage.order]:
        known = kept_scores(opened, reranker, candidates.query).by_chunk
        missing = tuple(chunk for chunk in candidates.chunks if chunk.id not in known)
        if missing:
            yield Wanted(address.doc_id, address.chunks, candidates.query, missing)


def evaluate_all(
    parts: Sequence[Part], rerankers: Sequence[Reranker], depths: Sequence[int], progress: Progress | None = None
) -> Evaluation:
    """Evaluate each document on its questions, and return all as one."""
    evaluations = {}
    for done, part in enumerate(parts):
        if progress:
            progress(done, len(parts))
        numbered = dict(enumerate(part.questions.questions, start=1))
        orders = evaluate.evaluate(part.opened, numbered, rerankers, depths)
        evaluations[part.name] = orders.rejudged(
            judge.apply(part.questions.judgments, [part.document], part.opened.distinct_chunks)
        )
    if progress:
        progress(len(parts), len(parts))
    return together(evaluations)


def judged_and_cut(parts: Sequence[Part]) -> tuple[list[Judgment], list[Chunk]]:
    """Return the judgments, under their questions' new names, and what can be a candidate in all documents."""
    judgments = [
        replace(judgment, question=_prefixed(part.name, judgment.question))
        for part in parts
        for judgment in part.questions.judgments
    ]
    return judgments, [chunk for part in parts for chunk in part.opened.distinct_chunks]


def together(evaluations: Mapping[str, Evaluation]) -> Evaluation:
    """Return the evaluations of several documents as one; each question begins with its document's name.

    The same systems must have been evaluated on every document.
    """
    parts = [named(name, evaluation) for name, evaluation in evaluations.items()]
    first, questions = parts[0], [question for part in parts for question in part.numbers]
    return replace(
        first,
        doc_id="",
        numbers={question: number for number, question in enumerate(questions, start=1)},
        orders={system: _merged(part.orders[system] for part in parts) for system in first.orders},
        judged=_judged_together(part.judged for part in parts),
        values={system: _values_together(system, parts) for system in first.values},
        scores={model: _merged(part.scores[model] for part in parts) for model in first.scores},
        per_pair={model: mean_per_pair(model, parts) for model in first.per_pair},
    )


def _judged_together(judged: Iterable[Judged]) -> Judged:
    parts = list(judged)
    lost = tuple(judgment for part in parts for judgment in part.lost)
    return Judged(_merged(part.qrels for part in parts), lost, sum(part.disputed for part in parts))


def _values_together(system: str, parts: Sequence[Evaluation]) -> dict[str, dict]:
    measures = parts[0].values[system]
    return {measure: _merged(part.values[system][measure] for part in parts) for measure in measures}


def mean_per_pair(model: str, parts: Sequence[Evaluation]) -> float:
    """Return the seconds a pair, of every document as much as it has questions."""
    seconds = [part.per_pair[model] for part in parts]
    return float(np.average(seconds, weights=[len(part.numbers) for part in parts]))


def named(name: str, evaluation: Evaluation) -> Evaluation:
    """Return an evaluation whose questions begin with a name."""

    def renamed(by_question: Mapping) -> dict:
        return {_prefixed(name, question): value for question, value in by_question.items()}

    return replace(
        evaluation,
        numbers=renamed(evaluation.numbers),
        orders={system: renamed(run) for system, run in evaluation.orders.items()},
        judged=replace(evaluation.judged, qrels=renamed(evaluation.judged.qrels)),
        values={system: {m: renamed(v) for m, v in values.items()} for system, values in evaluation.values.items()},
        scores={model: renamed(by_question) for model, by_question in evaluation.scores.items()},
    )


def _prefixed(name: str, question: str) -> str:
    return f"{name}: {question}"


def _merged(parts: Iterable[Mapping]) -> dict:
    return {key: value for part in parts for key, value in part.items()}
