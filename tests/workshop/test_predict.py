"""A round of the game, dealt from comparisons made by hand."""

from __future__ import annotations

import pytest
from comparisons import comparison

from rag_core.errors import PickCount, PickMissing, TooFewCandidates
from rag_core.workshop.predict import Score, deal, score, total

TEXTS = [f"text {number}" for number in range(12)]
ENDS_UP = [11, 9, 3, 4, 2, 10, 8, 7, 6, 5, 0, 1]
"""Places from 0 after reranking: the last two of the twelve come first, then numbers 4, 2, 3, 9, 8, 7, 6, 1, 5, 0."""

MADE = comparison(TEXTS, ENDS_UP)


def ids(*numbers: int) -> frozenset[str]:
    return frozenset(f"doc-{number}" for number in numbers)


def test_the_first_ten_of_the_vector_order_are_shown():
    dealt = deal(MADE)
    assert dealt.ids == [f"doc-{number}" for number in range(10)]
    assert dealt.first == ids(0, 1, 2, 3, 4)


def test_the_five_to_hit_are_the_first_of_those_shown():
    assert deal(MADE).target == ids(4, 2, 3, 9, 8)


def test_what_stood_too_low_to_be_picked_is_counted():
    assert deal(MADE).below == 2
    assert deal(comparison(TEXTS, list(range(12)))).below == 0


def test_judgments_are_kept_of_those_shown_alone():
    assert deal(MADE, {"doc-4", "doc-11"}).relevant == ids(4)
    assert deal(MADE, set()).relevant == frozenset()
    assert deal(MADE).relevant is None


def test_the_first_chunk_that_answers_has_a_rank_among_those_shown():
    assert deal(MADE, {"doc-4", "doc-8"}).answer_rank == 1
    assert deal(MADE, {"doc-9", "doc-8"}).answer_rank == 4
    assert deal(MADE, {"doc-11"}).answer_rank is deal(MADE).answer_rank is None


@pytest.mark.parametrize(("count", "fits"), [(4, False), (5, False), (6, True)])
def test_five_candidates_leave_nothing_to_choose(count, fits):
    made = comparison(TEXTS[:count])
    if fits:
        assert len(deal(made).chunks) == count
    else:
        with pytest.raises(TooFewCandidates) as told:
            deal(made)
        assert told.value.values == {"candidates": count, "wanted": 6}


def test_a_pick_is_scored_beside_the_vector_order():
    dealt = deal(MADE, {"doc-4", "doc-9", "doc-0"})
    assert score(dealt, ids(4, 2, 9, 0, 1)) == Score(
        hits=3, vector=3, wanted=5, judged=3, judged_vector=2, judged_reranked=2, relevant=3, rounds=1
    )


def test_without_judgments_nothing_is_counted_against_them():
    assert score(deal(MADE), ids(4, 2, 3, 9, 8)) == Score(hits=5, vector=3, wanted=5, rounds=1)


def test_scores_add_up():
    one = Score(hits=3, vector=2, wanted=5, judged=1, judged_vector=0, judged_reranked=1, relevant=2, rounds=1)
    assert total([one, one, Score(hits=1, vector=5, wanted=5, rounds=1)]) == Score(7, 9, 15, 2, 0, 2, 4, 3)
    assert total([]) == Score()


@pytest.mark.parametrize("picked", [ids(), ids(0, 1, 2, 3), ids(0, 1, 2, 3, 4, 5)])
def test_a_pick_has_five(picked):
    with pytest.raises(PickCount) as told:
        deal(MADE).check(picked)
    assert told.value.values == {"picked": len(picked), "wanted": 5}


def test_a_chunk_that_is_not_shown_cannot_be_picked():
    with pytest.raises(PickMissing):
        deal(MADE).check(ids(0, 1, 2, 3, 11))
    assert deal(MADE).check(["doc-0", "doc-1", "doc-2", "doc-3", "doc-9"]) == ids(0, 1, 2, 3, 9)
