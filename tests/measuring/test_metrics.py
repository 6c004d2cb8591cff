"""Measures against values computed by hand from their definitions."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rag_core.measuring.metrics import MEASURES, interval, measure, randomisation, unjudged

QRELS = {"one": {"a": 2, "b": 1, "z": 0}, "two": {"c": 1}}
RUN = {"one": ["z", "b", "x", "a", "y", "w"], "two": ["v", "u", "t", "s", "r", "q", "c"]}


def gain(*gains: int) -> float:
    return sum(value / math.log2(rank + 1) for rank, value in enumerate(gains, start=1))


BY_HAND = {
    # The order z b x a y w has grades 0 1 – 2 – –; the best order is 2 1.
    "one": {
        "nDCG@5": gain(0, 1, 0, 2, 0) / gain(2, 1),
        "nDCG@10": gain(0, 1, 0, 2, 0, 0) / gain(2, 1),
        "RR": 1 / 2,
        "R@5": 1.0,
        "R@10": 1.0,
        "P@5": 2 / 5,
    },
    "two": {"nDCG@5": 0.0, "nDCG@10": 1 / math.log2(8), "RR": 1 / 7, "R@5": 0.0, "R@10": 1.0, "P@5": 0.0},
}


@pytest.mark.parametrize("question", QRELS)
@pytest.mark.parametrize("name", MEASURES)
def test_measures_equal_those_computed_by_hand(question, name):
    assert measure(RUN, QRELS)[name][question] == pytest.approx(BY_HAND[question][name])


def test_the_order_is_measured_even_where_chunks_would_tie():
    names = [f"c{n}" for n in range(10)]
    for place in range(10):
        assert measure({"q": names}, {"q": {f"c{place}": 1}})["RR"]["q"] == pytest.approx(1 / (place + 1))


def test_questions_may_hold_anything():
    text = "收入 \t多少？\n\"'"
    assert measure({text: ["a"]}, {text: {"a": 1}})["RR"] == {text: 1.0}


def test_unjudged_counts_what_nobody_graded():
    assert unjudged(["a", "b", "z", "x"], QRELS["one"]) == 1
    assert unjudged(["x"] * 20, QRELS["one"], 10) == 10


def test_the_interval_holds_the_mean_and_widens_with_the_spread():
    low, high = interval([0.1, 0.2, 0.3, 0.2, 0.1, 0.3])
    assert low < 0.2 < high
    wide_low, wide_high = interval([-0.8, 1.2, 0.3, 0.2, -0.9, 1.2])
    assert wide_high - wide_low > high - low


def test_the_interval_comes_near_to_the_normal_one():
    values = np.random.default_rng(3).normal(0.1, 0.2, 400)
    low, high = interval(values)
    half = 1.96 * values.std() / 20
    assert (low, high) == (
        pytest.approx(values.mean() - half, abs=0.004),
        pytest.approx(values.mean() + half, abs=0.004),
    )


def test_equal_systems_have_a_p_value_of_one():
    assert randomisation([0.0] * 12) == 1.0


def test_the_p_value_comes_near_to_the_exact_one():
    # All eight differences are positive and equal: of 256 ways to set the signs, two are as extreme.
    assert randomisation([0.3] * 8) == pytest.approx(2 / 256, abs=0.003)


def test_the_p_value_knows_no_side():
    values = [0.2, -0.1, 0.4, 0.3, 0.0, 0.1]
    assert randomisation(values) == randomisation([-value for value in values])
