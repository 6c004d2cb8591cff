import random

import pytest

from rag_core.comparing.orders import agreement, kendall_tau, most_disputed, moves, overlap_at, rank_biased_overlap
from rag_core.datatypes import Chunk, Move, Ranking

CHUNKS = {name: Chunk(name, "doc", name, 1, 0, 1) for name in "abcde"}


def ranking(**scores: float) -> Ranking:
    return Ranking.from_scores("any", "q", [CHUNKS[name] for name in scores], scores.values())


def overlap_formula(first: str, second: str, p: float) -> float:
    """Sum the paper's formula term by term, with a set for each depth."""
    agreement = [len(set(first[:d]) & set(second[:d])) / d for d in range(1, len(first) + 1)]
    total = sum(a * p**d for d, a in enumerate(agreement, 1))
    return agreement[-1] * p ** len(first) + (1 - p) / p * total


def test_moves_follow_the_new_order_and_keep_both_scores():
    found = moves(ranking(a=0.9, b=0.8), ranking(b=3.5, a=-1.0))
    assert found == (Move(CHUNKS["b"], 2, 1, 0.8, 3.5), Move(CHUNKS["a"], 1, 2, 0.9, -1.0))


@pytest.mark.parametrize("other", [ranking(a=1), ranking(a=1, b=1, c=1), ranking(a=1, c=1), ranking()])
def test_moves_between_different_candidates_are_refused(other):
    with pytest.raises(ValueError, match="same candidates"):
        moves(ranking(a=2, b=1), other)


def test_no_candidates_no_moves():
    assert moves(ranking(), ranking()) == ()


@pytest.mark.parametrize(
    ("first", "second", "k", "share"),
    [
        ("abcd", "badc", 1, 0.0),
        ("abcd", "badc", 2, 1.0),
        ("abcd", "badc", 3, 2 / 3),
        ("abcd", "badc", 9, 1.0),
        ("a", "a", 5, 1.0),
        ("", "", 5, 1.0),
    ],
)
def test_overlap_counts_what_both_tops_share(first, second, k, share):
    assert overlap_at(first, second, k) == pytest.approx(share)


@pytest.mark.parametrize(
    ("first", "second", "tau"),
    [
        ("abcd", "abcd", 1.0),
        ("abcd", "dcba", -1.0),
        ("abcd", "bacd", (5 - 1) / 6),
        ("abcd", "dabc", (3 - 3) / 6),
        ("abc", "cab", (1 - 2) / 3),
        ("ab", "ba", -1.0),
        ("a", "a", None),
        ("", "", None),
    ],
)
def test_tau_counts_concordant_and_discordant_pairs(first, second, tau):
    assert kendall_tau(first, second) == (tau if tau is None else pytest.approx(tau))


def test_tau_agrees_with_counting_every_pair():
    first = list("abcdefghijklmnop")
    second = random.Random(5).sample(first, len(first))
    pairs = [(a, b) for number, a in enumerate(first) for b in first[number + 1 :]]
    signs = [1 if second.index(a) < second.index(b) else -1 for a, b in pairs]
    assert kendall_tau(first, second) == pytest.approx(sum(signs) / len(signs))


@pytest.mark.parametrize(
    ("first", "second", "p", "overlap"),
    [
        ("ab", "ba", 0.9, 0.81 + 0.1 / 0.9 * 0.81),  # agreement 0, 1
        ("ab", "ba", 0.5, 0.25 + 0.25),
        ("abc", "acb", 0.9, 0.955),  # agreement 1, 1/2, 1
        ("abc", "cde", 0.9, 1 / 3 * 0.729 + 0.1 / 0.9 * (1 / 3 * 0.729)),  # agreement 0, 0, 1/3
        ("abc", "xyz", 0.9, 0.0),
        ("abcde", "abcde", 0.9, 1.0),
        ("a", "a", 0.9, 1.0),
        ("", "", 0.9, 1.0),
    ],
)
def test_rank_biased_overlap_of_small_examples(first, second, p, overlap):
    assert rank_biased_overlap(first, second, p) == pytest.approx(overlap)


@pytest.mark.parametrize("p", [0.5, 0.9, 0.98])
def test_rank_biased_overlap_is_the_formula_of_the_paper(p):
    first = "abcdefghijklmnopqrst"
    for seed in range(5):
        second = "".join(random.Random(seed).sample(first, len(first)))
        assert rank_biased_overlap(first, second, p) == pytest.approx(overlap_formula(first, second, p))


def test_a_swap_at_the_top_weighs_more_than_one_at_the_bottom():
    assert rank_biased_overlap("abcdef", "bacdef") < rank_biased_overlap("abcdef", "abcdfe") < 1


def test_agreement_is_told_for_each_two_orders():
    found = agreement({"one": ranking(a=3, b=2, c=1), "two": ranking(c=3, b=2, a=1)}, 2)
    assert found == {
        ("one", "one"): (1.0, 1.0),
        ("two", "two"): (1.0, 1.0),
        ("one", "two"): (-1.0, 0.5),
        ("two", "one"): (-1.0, 0.5),
    }


def test_agreement_between_different_candidates_is_refused():
    with pytest.raises(ValueError, match="same candidates"):
        agreement({"one": ranking(a=1), "two": ranking(b=1)}, 5)


def test_the_most_disputed_chunk_has_the_widest_gap_of_ranks():
    orders = {"one": ranking(a=5, b=4, c=3, d=2, e=1), "two": ranking(d=5, a=4, b=3, c=2, e=1)}
    assert most_disputed(orders) == (CHUNKS["d"], {"one": 4, "two": 1})


def test_of_equal_disputes_the_one_nearer_to_the_top_is_named():
    orders = {"one": ranking(a=5, b=4, c=3, d=2, e=1), "two": ranking(b=5, a=4, c=3, e=2, d=1)}
    assert most_disputed(orders)[0] in (CHUNKS["a"], CHUNKS["b"])
