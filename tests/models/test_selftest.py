"""A reranker is tried on fixed pairs: which languages it tells answers apart in, and whether it scores at all."""

from __future__ import annotations

import numpy as np
import pytest

from rag_core.errors import ConstantScores, ModelUnusable
from rag_core.models.rerank import load_reranker
from rag_core.models.selftest import CASES, ENOUGH, LONG, check

ANSWERS = {answer for cases in CASES.values() for _, answer, _ in cases}


class Fixed:
    """A scorer of one line."""

    id, scale = "fixed", "logit"

    def __init__(self, score_one):
        self.score_one = score_one

    def score(self, query, texts):
        return np.array([self.score_one(text) for text in texts], np.float32)


def test_the_bundled_cross_encoder_tells_answers_apart_in_both_languages():
    found = check(load_reranker("bilingual-cross-encoder"))
    assert found.languages == ("zh", "en")
    assert found.lowest < 0 < found.highest
    assert found.scale == "logit" and found.milliseconds > 0


def test_a_scorer_that_reads_only_english_passes_only_english():
    found = check(Fixed(lambda text: float(text in ANSWERS and text.isascii())))
    assert found.right == {"zh": 0, "en": 6}
    assert found.languages == ("en",)


def test_a_long_text_does_not_beat_a_short_answer_with_the_bundled_cross_encoder():
    found = check(load_reranker("bilingual-cross-encoder"))
    assert found.long == {"zh": True, "en": True} and found.leaning == ()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_wrong_text_is_much_longer_than_the_answer_and_longer_than_ours_reads_well(language):
    _, answer, wrong = LONG[language]
    reranker = load_reranker("bilingual-cross-encoder")
    assert len(wrong) > 20 * len(answer)
    assert len(reranker.score_parts(LONG[language][0], [wrong]).parts) == 1
    assert reranker.score_parts(LONG[language][0], [wrong]).parts[0].of > 1


def test_a_scorer_that_follows_length_is_told_by_the_long_texts_alone():
    found = check(Fixed(lambda text: 100.0 * (text in ANSWERS) + len(text)))
    assert found.languages == ("zh", "en")
    assert found.long == {"zh": False, "en": False} and found.leaning == ("zh", "en")
    only_english = check(Fixed(lambda text: 100.0 * (text in ANSWERS) + (len(text) if text.isascii() else -len(text))))
    assert only_english.leaning == ("en",)


def test_a_score_of_a_long_text_that_is_no_number_is_refused():
    with pytest.raises(ModelUnusable, match="not a number"):
        check(Fixed(lambda text: np.inf if len(text) > 200 else float(text in ANSWERS)))


def test_a_scorer_that_prefers_the_wrong_text_passes_nothing():
    assert check(Fixed(lambda text: -float(text in ANSWERS))).languages == ()


@pytest.mark.parametrize("wrong", [0, 1, 2])
def test_one_mistake_is_forgiven(wrong):
    missed = {answer for _, answer, _ in CASES["zh"][:wrong]}
    found = check(Fixed(lambda text: float(text in ANSWERS - missed)))
    assert found.right["zh"] == 6 - wrong
    assert ("zh" in found.languages) == (6 - wrong >= ENOUGH)


def test_constant_scores_are_refused_and_named():
    with pytest.raises(ConstantScores, match=r"'fixed' gives every pair the same score, 0\.5,") as caught:
        check(Fixed(lambda text: 0.5))
    assert caught.value.values == {"model": "fixed", "score": "0.5"}


def test_a_score_that_is_no_number_is_refused():
    with pytest.raises(ModelUnusable, match="not a number"):
        check(Fixed(lambda text: np.nan if text in ANSWERS else 1.0))


@pytest.mark.parametrize("language", CASES)
def test_the_cases_are_all_different(language):
    texts = [text for case in CASES[language] for text in case]
    assert len(set(texts)) == 18
