"""Measure orders on a whole question set.

For every question the first stages search, each reranker scores the first stage's candidates once, at the largest
depth, and all smaller depths are read off those scores. Scores are kept in the library question by question: a run
that was stopped goes on where it stood, and asking again costs a search.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import mean
from typing import TypeVar

import numpy as np

from rag_core.datatypes import FirstStage, Progress, Ranking, Settings
from rag_core.errors import NoQuestions
from rag_core.measuring import judge, metrics
from rag_core.measuring.judge import Judged
from rag_core.measuring.metrics import FEW, MAIN, MEASURES, Run
from rag_core.measuring.scores import score
from rag_core.models.rerank import Reranker
from rag_core.search import fuse
from rag_core.search.opened import Opened
from rag_core.settings import check

Value = TypeVar("Value")

ORDERS = tuple(stage.order for stage in FirstStage)

IMPORTED = " (imported)"
"""What the names of other systems' rankings end with; no name of ours does."""

ASKED_AT_ONCE = 64
"""Questions that are embedded and searched together, before the first of them is scored."""


@dataclass(frozen=True, slots=True)
class Difference:
    """How far a system's mean nDCG@10 lies above the baseline's: interval and p-value of the paired questions.

    With fewer than ``FEW`` questions ``low``, ``high`` and ``p`` are None: too few to claim anything.
    """

    mean: float
    low: float | None = None
    high: float | None = None
    p: float | None = None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Orders of every question by every system, and what the judgments say of them.

    ``orders`` maps a system's name to its run: ``vector``, ``bm25`` and ``fused`` are first stages, ``MODEL @DEPTH`` a
    reranker on the first ``DEPTH`` of the baseline, whose later places follow in the old order, ``NAME (imported)``
    another system, which may lack questions. ``values`` maps system, measure and question to a value, for ``measured``
    questions alone: those with a relevant chunk. ``per_pair`` is seconds a pair by model, ``scores`` maps each model,
    and then each first stage, and question to scores by chunk id.
    """

    doc_id: str
    how: Settings
    numbers: Mapping[str, int]
    orders: Mapping[str, Run]
    judged: Judged
    values: Mapping[str, Mapping[str, Mapping[str, float]]]
    scores: Mapping[str, Mapping[str, Mapping[str, float]]]
    per_pair: Mapping[str, float]

    @property
    def questions(self) -> list[str]:
        """Return the questions in the order in which they were asked."""
        return list(self.numbers)

    @property
    def baseline(self) -> str:
        """Return the name of the order that the others are measured against: the first stage's."""
        return self.how.first_stage.order

    @property
    def reranked(self) -> list[str]:
        """Return the names of the systems that rerank."""
        return [name for name in self.orders if name not in ORDERS and name not in self.imported]

    @property
    def imported(self) -> dict[str, Run]:
        """Return the rankings of other systems."""
        return {name: run for name, run in self.orders.items() if name.endswith(IMPORTED)}

    @property
    def partial(self) -> list[str]:
        """Return the names of imported rankings without some measured questions: their means are of the others."""
        return [name for name, run in self.imported.items() if not run.keys() >= {*self.measured}]

    def scores_of(self, system: str) -> Mapping[str, Mapping[str, float]] | None:
        """Return what gave a system its order, by question and chunk id; None where that is not known."""
        return self.scores.get(system) or self.scores.get(system.rsplit(" @", 1)[0])

    @property
    def measured(self) -> list[str]:
        """Return the questions with a relevant chunk: those that can be measured."""
        answerable = set(self.judged.answerable)
        return [question for question in self.numbers if question in answerable]

    @property
    def excluded(self) -> list[str]:
        """Return the judged questions for which no chunk is relevant: no measure is defined for them."""
        answerable = set(self.judged.answerable)
        return [question for question in self.numbers if question in self.judged.qrels and question not in answerable]

    @property
    def enough(self) -> bool:
        """Say whether there are enough measured questions to claim a difference."""
        return len(self.measured) >= FEW

    def mean(self, system: str, name: str) -> float | None:
        """Return the mean of a measure over the measured questions; None where there is none."""
        values = self.values[system][name]
        return sum(values.values()) / len(values) if values else None

    def differences(self, system: str, name: str = MAIN) -> dict[str, float]:
        """Return, for each measured question, the system's value less the baseline's."""
        before = self.values[self.baseline][name]
        return {question: value - before[question] for question, value in self.values[system][name].items()}

    def difference(self, system: str, name: str = MAIN) -> Difference | None:
        """Return the mean difference from the baseline; None for the baseline itself, or without judgments."""
        differences = list(self.differences(system, name).values())
        if system == self.baseline or not differences:
            return None
        if len(differences) < FEW:
            return Difference(float(np.mean(differences)))
        return Difference(
            float(np.mean(differences)), *metrics.interval(differences), metrics.randomisation(differences)
        )

    def unjudged(self, system: str) -> float | None:
        """Return how many of the first ten nobody has judged, on average over the measured questions."""
        ranked = [question for question in self.measured if question in self.orders[system]]
        counts = [metrics.unjudged(self.orders[system][q], self.judged.qrels[q]) for q in ranked]
        return sum(counts) / len(counts) if counts else None

    def pool(self, question: str) -> set[str]:
        """Return what stands in the first ten of any order: the chunks whose judgment matters."""
        return {chunk_id for run in self.orders.values() for chunk_id in run.get(question, ())[:10]}

    def rejudged(self, judged: Judged) -> Evaluation:
        """Return the same orders measured against other judgments."""
        return replace(self, judged=judged, values={name: measured(run, judged) for name, run in self.orders.items()})

    def beside(self, imported: Mapping[str, Run]) -> Evaluation:
        """Return the evaluation with these rankings of other systems in place of those it has, by their names."""
        others = {f"{name}{IMPORTED}": self._asked(run) for name, run in imported.items()}
        if others == self.imported:
            return self
        ours = {name: run for name, run in self.orders.items() if name not in self.imported}
        values = {name: measured(run, self.judged) for name, run in others.items()}
        return replace(self, orders=ours | others, values={**{name: self.values[name] for name in ours}, **values})

    def _asked(self, run: Run) -> Run:
        return {question: run[question] for question in self.numbers if question in run}

    def over(self, system: str) -> Evaluation:
        """Return the evaluation of our systems and of one imported on the questions that this one ranks alone."""
        held, shown = self.orders[system], [name for name in self.orders if name not in self.imported or name == system]
        return replace(
            self,
            numbers={question: number for question, number in self.numbers.items() if question in held},
            orders={name: _only(self.orders[name], held) for name in shown},
            values={name: {m: _only(values, held) for m, values in self.values[name].items()} for name in shown},
        )

    @property
    def comparable(self) -> Evaluation:
        """Return the evaluation without ``partial`` rankings: all its means are of the same questions."""
        shown = [name for name in self.orders if name not in self.partial]
        orders, values = {n: self.orders[n] for n in shown}, {n: self.values[n] for n in shown}
        return replace(self, orders=orders, values=values)

    def changed(self, system: str, question: str) -> tuple[int, bool]:
        """Return how many of the first ``cutoff`` are new against the baseline, and whether the first chunk is."""
        before, after = self.orders[self.baseline][question], self.orders[system].get(question, ())
        k = self.how.cutoff
        return len(set(after[:k]) - set(before[:k])), before[:1] != after[:1]

    def fell_furthest(self, system: str) -> tuple[str, str, int, int] | None:
        """Return question, relevant chunk, old and new rank of the worst fall; None when no relevant chunk fell."""
        falls = [
            (after - before, question, chunk_id, before, after)
            for question in self.measured
            for chunk_id, before, after in self._ranks_of_relevant(system, question)
        ]
        worst = max(falls, default=None, key=lambda fall: fall[0])
        return worst[1:] if worst and worst[0] > 0 else None

    def _ranks_of_relevant(self, system: str, question: str) -> list[tuple[str, int, int]]:
        before, after = self.orders[self.baseline][question], self.orders[system][question]
        grades = self.judged.qrels[question]
        relevant = [i for i in before if grades.get(i, 0) >= judge.RELEVANT and i in after]
        return [(i, before.index(i) + 1, after.index(i) + 1) for i in relevant]

    def answer_ranks(self, system: str, question: str) -> tuple[int | None, int | None]:
        """Return the best rank of a relevant chunk in the baseline's order and in the system's; None where none is."""
        grades = self.judged.qrels.get(question, {})
        before, after = (self.orders[name].get(question, ()) for name in (self.baseline, system))
        return _best(before, grades), _best(after, grades)

    def lost_most(self, system: str) -> tuple[str, float] | None:
        """Return the question whose nDCG@10 fell most, and by how much; None when none fell."""
        worst = min(self.differences(system).items(), default=None, key=lambda entry: entry[1])
        return worst if worst and worst[1] < 0 else None


def evaluate(
    opened: Opened,
    questions: Mapping[int, str],
    rerankers: Sequence[Reranker],
    depths: Sequence[int],
    progress: Progress | None = None,
) -> Evaluation:
    """Ask every question; see ``each``."""
    parts: list[Evaluation] = []
    report = progress or (lambda _done, _total: None)
    report(0, len(questions))
    for part in each(opened, questions, rerankers, depths):
        parts.append(part)
        report(len(parts), len(questions))
    return joined(parts)


def each(
    opened: Opened, questions: Mapping[int, str], rerankers: Sequence[Reranker], depths: Sequence[int]
) -> Iterator[Evaluation]:
    """Yield the evaluation of each question alone, as soon as it was asked.

    The first stage of the settings finds the candidates, and its order is the baseline. ``questions`` go by the numbers
    under which they stand in exported qrels and runs. Nothing is judged yet: see ``Evaluation.rejudged``.

    Raises:
        NoQuestions: there is none.
        BadSetting: a depth or another setting is out of range.
    """
    if not questions:
        raise NoQuestions("there are no questions: add some, or import a file")
    depths = sorted({check(replace(opened.settings, depth=depth)).depth for depth in depths})
    numbered = list(questions.items())
    for first in range(0, len(numbered), ASKED_AT_ONCE):
        part = numbered[first : first + ASKED_AT_ONCE]
        stages = first_stages(opened, [question for _, question in part], depths[-1])
        for place, (number, _) in enumerate(part):
            yield _asked(opened, number, {name: found[place] for name, found in stages.items()}, rerankers, depths)


def _asked(
    opened: Opened,
    number: int,
    stages: Mapping[str, Ranking],
    rerankers: Sequence[Reranker],
    depths: Sequence[int],
) -> Evaluation:
    """Have each reranker score the candidates of one question, and read every depth off the scores."""
    candidates = stages[opened.settings.first_stage.order]
    question = candidates.query
    scores = {reranker.id: score(opened, question, candidates.chunks, reranker) for reranker in rerankers}
    orders = {name: ranking.ids for name, ranking in stages.items()} | {
        f"{model} @{depth}": reordered(candidates, known.by_chunk, depth)
        for model, known in scores.items()
        for depth in depths
    }
    return Evaluation(
        doc_id=opened.doc_id,
        how=opened.settings,
        numbers={question: number},
        orders={name: {question: order} for name, order in orders.items()},
        judged=Judged({}),
        values={name: {measure: {} for measure in MEASURES} for name in orders},
        scores={model: {question: known.by_chunk} for model, known in scores.items()}
        | {name: {question: {hit.chunk.id: hit.score for hit in ranking.hits}} for name, ranking in stages.items()},
        per_pair={model: known.per_pair for model, known in scores.items()},
    )


def joined(parts: Sequence[Evaluation]) -> Evaluation:
    """Return evaluations of different questions, made alike and judged alike, as one."""
    first = parts[0]
    return replace(
        first,
        numbers=_merged(part.numbers for part in parts),
        orders={name: _merged(part.orders[name] for part in parts) for name in first.orders},
        values={
            name: {measure: _merged(part.values[name][measure] for part in parts) for measure in MEASURES}
            for name in first.orders
        },
        scores={model: _merged(part.scores[model] for part in parts) for model in first.scores},
        per_pair={model: mean(part.per_pair[model] for part in parts) for model in first.per_pair},
    )


def _merged(dicts: Iterable[Mapping[str, Value]]) -> dict[str, Value]:
    return {key: value for entries in dicts for key, value in entries.items()}


def _only(entries: Mapping[str, Value], held: Collection[str]) -> dict[str, Value]:
    return {question: value for question, value in entries.items() if question in held}


def _best(order: Sequence[str], grades: Mapping[str, int]) -> int | None:
    ranks = (rank for rank, chunk_id in enumerate(order, start=1) if grades.get(chunk_id, 0) >= judge.RELEVANT)
    return next(ranks, None)


def first_stages(opened: Opened, questions: Sequence[str], depth: int) -> dict[str, list[Ranking]]:
    """Return each question's ``vector``, ``bm25`` and ``fused`` rankings, each at most ``depth`` long."""
    vector = opened.first_stage(questions, depth, FirstStage.VECTOR)
    bm25 = opened.first_stage(questions, depth, FirstStage.BM25)
    fused = [fuse.fuse(pair) for pair in zip(vector, bm25, strict=True)]
    cut = [replace(ranking, hits=ranking.top(depth)) for ranking in fused]
    return {"vector": vector, "bm25": bm25, "fused": cut}


def measured(run: Run, judged: Judged) -> dict[str, dict[str, float]]:
    """Measure a run on the questions that have a relevant chunk."""
    answerable = set(judged.answerable)
    asked = {question: order for question, order in run.items() if question in answerable}
    return metrics.measure(asked, judged.qrels) if asked else {name: {} for name in MEASURES}


def reordered(candidates: Ranking, scores: Mapping[str, float], depth: int) -> list[str]:
    """Return the candidates with their first ``depth`` in the reranker's order, and the rest as they were."""
    top = candidates.chunks[:depth]
    new = Ranking.from_scores("reranked", candidates.query, top, [scores[chunk.id] for chunk in top])
    return [*new.ids, *candidates.ids[depth:]]
