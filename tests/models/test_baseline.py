"""What unrelated texts get."""

from __future__ import annotations

import numpy as np
import pytest

from rag_core.explaining import probe
from rag_core.models import baseline
from rag_core.models.baseline import Baseline
from rag_core.reading.language import language_of

QUESTIONS = {
    "zh": ("图书馆几点开门？", "图书馆每天上午九点开门。"),
    "en": ("When does the library open?", "The library opens at nine."),
}


def test_both_languages_have_as_many_texts_in_that_language():
    assert [len(set(texts)) for texts in baseline.UNRELATED.values()] == [8, 8]
    assert {code: language_of(*texts) for code, texts in baseline.UNRELATED.items()} == {
        "zh": "zh",
        "en": "en",
    }


def test_the_median_is_not_moved_by_one_text_that_happens_to_fit():
    assert Baseline(("a", "b", "c"), (-5.0, -4.0, 9.0)).median == -4.0


@pytest.mark.parametrize("language", QUESTIONS)
def test_an_answer_scores_above_what_is_unrelated(reranker, embedder, language):
    question, answer = QUESTIONS[language]
    for score in (probe.of_texts(reranker, question), probe.cosine_of_texts(embedder, question)):
        found = baseline.measure(language, score)
        assert len(found.scores) == 8
        assert np.isfinite(found.scores).all()
        assert score([answer])[0] > max(found.scores)
