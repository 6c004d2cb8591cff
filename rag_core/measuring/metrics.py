"""Measure orders against judgments, and say how sure a difference is.

The measures themselves come from ir_measures, which calls trec_eval's code: nobody has to trust ours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from rag_core.datatypes import Qrels

MEASURES = ("nDCG@5", "nDCG@10", "RR", "R@5", "R@10", "P@5")
"""nDCG takes the grade itself as gain; for the others a grade of 1 or 2 is relevant. RR's mean is MRR."""

MAIN = "nDCG@10"
FEW = 10
"""With fewer questions than this, no difference is claimed."""

RESAMPLES = 10_000
SEED = 11

Run = Mapping[str, Sequence[str]]
"""Question to chunk ids, best first."""


def measure(run: Run, qrels: Qrels) -> dict[str, dict[str, float]]:
    """Return measure to question to value, for the questions that stand in the run.

    A chunk without a judgment counts as not relevant. Orders, not scores, are measured: equal scores would leave the
    order to the measuring program.
    """
    import ir_measures

    questions = {f"q{number}": question for number, question in enumerate(run)}
    ids = {question: number for number, question in questions.items()}
    judged = {ids[question]: dict(qrels.get(question, {})) for question in run}
    ranked = {
        ids[question]: {chunk_id: float(len(order) - rank) for rank, chunk_id in enumerate(order)}
        for question, order in run.items()
    }
    values: dict[str, dict[str, float]] = {name: {} for name in MEASURES}
    names = {ir_measures.parse_measure(name): name for name in MEASURES}
    for value in ir_measures.pytrec_eval.iter_calc(list(names), judged, ranked):
        values[names[value.measure]][questions[value.query_id]] = float(value.value)
    return values


def unjudged(order: Sequence[str], grades: Mapping[str, int], k: int = 10) -> int:
    """Return how many of the first ``k`` nobody has judged."""
    return sum(chunk_id not in grades for chunk_id in order[:k])


def interval(differences: Sequence[float]) -> tuple[float, float]:
    """Return the 95 % percentile bootstrap interval of the mean of paired differences (Efron 1979)."""
    values = np.asarray(differences, float)
    rng = np.random.default_rng(SEED)
    means = values[rng.integers(0, len(values), (RESAMPLES, len(values)))].mean(1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


def randomisation(differences: Sequence[float]) -> float:
    """Return the two-sided p-value of Fisher's randomisation test: signs of paired differences fall by chance.

    For ranked retrieval see Smucker, Allan and Carterette (CIKM 2007). The observed signs count as one of the draws,
    so p is never 0.
    """
    values = np.asarray(differences, float)
    signs = np.random.default_rng(SEED).choice((-1.0, 1.0), (RESAMPLES, len(values)))
    means = np.abs((signs * values).mean(1))
    return float(((means >= abs(values.mean()) - 1e-12).sum() + 1) / (RESAMPLES + 1))
