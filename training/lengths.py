"""Tell what reranking does by the length of what answers: a cross-encoder may lean on length itself.

The calibration error is that of the ten pieces that the cross-encoder puts first: of those a reader sees the sigmoid.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit
from scipy.stats import spearmanr

EDGES = (100, 250, 500, 1000)
BUCKETS = ("< 100", "100–250", "250–500", "500–1000", "≥ 1000")
SEED = 11
RESAMPLES = 2000
FIRST = 10
BINS = 10

HEAD = (
    "| file | pieces | answer's length | questions | vector | reranked 50 | reranked 50 − vector [95 %] "
    "| logit of answers | of others | Spearman of logit and length | calibration error of the first 10 |"
)
RULE = "|---" * 11 + "|"


def interval(differences: np.ndarray) -> tuple[float, float]:
    """Return the 95 % percentile bootstrap interval of the mean."""
    rng = np.random.default_rng(SEED)
    means = differences[rng.integers(0, len(differences), (RESAMPLES, len(differences)))].mean(1)
    return tuple(np.percentile(means, [2.5, 97.5]))


def bucket(length: float) -> str:
    """Return the name of the bucket for a length in characters."""
    return BUCKETS[bisect_right(EDGES, length)]


@dataclass(frozen=True, slots=True)
class Lengths:
    """One question: nDCG@10 of the vector order and at depth 50, and the pieces that were scored for it.

    ``answer`` is the mean length of the pieces that answer, found or not, in characters; ``lengths``, ``logits`` and
    ``answering`` are of shape (pieces,).
    """

    vector: float
    reranked: float
    answer: float
    lengths: np.ndarray
    logits: np.ndarray
    answering: np.ndarray

    @classmethod
    def of(cls, texts: Sequence[str], logits: np.ndarray, answers: set[str], ndcgs: tuple[float, float]) -> "Lengths":
        answer = float(np.mean([len(text) for text in answers]))
        lengths, answering = np.array([len(text) for text in texts]), np.array([text in answers for text in texts])
        return cls(*ndcgs, answer, lengths, logits, answering)

    def spearman(self) -> float:
        """Return the rank correlation of logit and length among the pieces that do not answer, nan if undefined."""
        return correlation(self.logits[~self.answering], self.lengths[~self.answering])

    def first(self) -> np.ndarray:
        """Return which pieces the cross-encoder puts first, places of shape (at most FIRST,)."""
        return np.argsort(-self.logits, kind="stable")[:FIRST]


def calibration_error(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Return the expected calibration error over ten bins of equal width (Naeini et al. 2015)."""
    bins = np.minimum((probabilities * BINS).astype(int), BINS - 1)
    gaps = [
        (bins == number).mean() * abs(probabilities[bins == number].mean() - labels[bins == number].mean())
        for number in np.unique(bins)
    ]
    return float(sum(gaps))


def calibration(asked: Sequence[Lengths]) -> str:
    """Write the calibration error of the sigmoids of the first pieces of all questions."""
    if not asked:
        return "–"
    logits, labels = (
        np.concatenate([getattr(one, key)[one.first()] for one in asked]) for key in ("logits", "answering")
    )
    return f"{calibration_error(expit(logits), labels):.3f}"


def correlation(logits: np.ndarray, lengths: np.ndarray) -> float:
    """Return Spearman's rank correlation, or nan where either does not vary."""
    varied = len(logits) > 1 and np.ptp(logits) > 0 and np.ptp(lengths) > 0
    return float(spearmanr(logits, lengths).statistic) if varied else np.nan


def length_rows(name: str, pieces: str, asked: Sequence[Lengths]) -> list[str]:
    """Write a line for all questions and one for each bucket that an answer's mean length or a piece falls into.

    Questions stand by their answer's length, mean logits by each piece's own.
    """
    lengths, logits, answering = (
        np.concatenate([getattr(one, key) for one in asked]) for key in ("lengths", "logits", "answering")
    )
    buckets = np.array([bucket(length) for length in lengths])
    start = f"| {name} | {pieces} "
    spearman = mean([one.spearman() for one in asked])
    rows = [f"{start}| all {gains(asked)} {means(logits, answering)} {spearman} | {calibration(asked)} |"]
    for label in BUCKETS:
        some, inside = [one for one in asked if bucket(one.answer) == label], buckets == label
        if some or inside.any():
            told = f"{gains(some)} {means(logits[inside], answering[inside])} | {calibration(some)} |"
            rows.append(f"{start}| {label} {told}")
    return rows


def gains(asked: Sequence[Lengths]) -> str:
    """Write how many questions there are, both nDCG@10 and their difference."""
    if not asked:
        return "| 0 | | | |"
    vector, reranked = (np.array([getattr(one, key) for one in asked]) for key in ("vector", "reranked"))
    low, high = interval(reranked - vector)
    difference = f"{(reranked - vector).mean():+.3f} [{low:+.3f}, {high:+.3f}]"
    return f"| {len(asked)} | {vector.mean():.3f} | {reranked.mean():.3f} | {difference} |"


def means(logits: np.ndarray, answering: np.ndarray) -> str:
    """Write the mean logit of pieces that answer and of those that do not."""
    return f"{mean(logits[answering])} | {mean(logits[~answering])} |"


def mean(values: Sequence[float]) -> str:
    """Write the mean of the numbers among these values."""
    numbers = np.asarray(values, float)
    numbers = numbers[~np.isnan(numbers)]
    return f"{numbers.mean():.2f}" if len(numbers) else "–"
