"""The bundled cross-encoder for real, and sentence-transformers on tiny models with random weights."""

from __future__ import annotations

import math

import numpy as np
import pytest
import tiny_models

from rag_core.datatypes import Chunk, Ranking, Scored
from rag_core.errors import ModelUnusable, UnknownModel
from rag_core.models import hub
from rag_core.models.rerank import CrossEncoderReranker, load_reranker, rerank, settled

QUESTION = "财政收入增长了多少？"
TEXTS = [
    "猫在沙发上睡觉",
    "一般公共预算收入增长8.2%，突破6000亿元",
    "新建和改造公园二十处，" * 20,
    "Revenue grew by 8.2 percent.",
    "全年粮食产量保持稳定，居民消费价格基本平稳",
]


def candidates(texts: list[str]) -> Ranking:
    chunks = [Chunk(str(number), "doc", text, 1, 0, len(text)) for number, text in enumerate(texts)]
    return Ranking.from_scores("vector", QUESTION, chunks, np.linspace(0.9, 0.1, len(texts)))


# The bundled cross-encoder


@pytest.mark.parametrize(
    ("query", "right", "wrong"),
    [
        ("财政收入增长了多少？", "一般公共预算收入增长8.2%，突破6000亿元", "猫在沙发上睡觉"),
        ("财政收入增长了多少？", "一般公共预算收入增长8.2%，突破6000亿元", "新建和改造公园二十处，绿化面积不断扩大"),
        ("地铁十二号线什么时候开通？", "轨道交通十二号线于2023年5月开通运营", "全市新增停车位两万个，缓解停车难"),
        ("How much did revenue grow?", "Revenue grew by 8.2 percent to 6 billion.", "The cat sleeps on the sofa."),
        (
            "Who leads the research group?",
            "The research group is led by Anna Weber.",
            "The group moved to a new office.",
        ),
    ],
)
def test_a_right_sentence_stands_above_a_wrong_one(reranker, query, right, wrong):
    above, below = reranker.score(query, [right, wrong])
    assert above > below


def test_one_finite_score_a_text(reranker):
    scores = reranker.score(QUESTION, TEXTS)
    assert scores.shape == (5,)
    assert np.isfinite(scores).all()
    assert reranker.scale == "logit"


def test_a_text_scores_alike_alone_and_among_others(reranker):
    together = reranker.score(QUESTION, TEXTS)
    alone = np.concatenate([reranker.score(QUESTION, [text]) for text in TEXTS])
    assert together == pytest.approx(alone, abs=1e-5)


def test_scores_follow_the_texts_whatever_their_order(reranker):
    assert reranker.score(QUESTION, TEXTS) == pytest.approx(reranker.score(QUESTION, TEXTS[::-1])[::-1], abs=1e-5)


def test_the_same_texts_give_the_same_bits(reranker):
    assert np.array_equal(reranker.score(QUESTION, TEXTS), reranker.score(QUESTION, TEXTS))


def test_progress_ends_at_the_number_of_texts(reranker):
    calls: list[tuple[int, int]] = []
    reranker.score(QUESTION, TEXTS * 10, lambda *counts: calls.append(counts))
    assert calls == sorted(calls)
    assert calls[-1] == (50, 50)


@pytest.mark.parametrize("text", ["", " ", "𠮷😀", "a" * 5000, "字" * 5000])
def test_odd_texts_are_scored_too(reranker, text):
    assert np.isfinite(reranker.score(QUESTION, [text])).all()


# Sorting


def test_rerank_sorts_the_same_candidates_by_the_new_score(reranker):
    first = candidates(TEXTS)
    second = rerank(QUESTION, first, reranker)
    assert sorted(second.ids) == sorted(first.ids)
    assert [hit.score for hit in second.hits] == sorted(reranker.score(QUESTION, TEXTS).tolist(), reverse=True)
    assert second.chunks[0].text == TEXTS[1]
    assert (second.name, second.query) == ("reranked", QUESTION)


# sentence-transformers

PAIRS = ["revenue grew by 8 percent.", "schools opened", "一般公共预算收入增长", "今年天气很好" * 5, "revenue"] * 7
"""35 texts of five lengths: three passes."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> str:
    return tiny_models.cross_encoder(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def tiny(folder) -> CrossEncoderReranker:
    return load_reranker(folder)


def transformers_logits(folder: str, query: str, texts: list[str]) -> list[float]:
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForSequenceClassification.from_pretrained(folder)
    with torch.no_grad():
        inputs = [tokenizer(query, text, truncation=True, max_length=64, return_tensors="pt") for text in texts]
        return [model.eval()(**pair).logits.item() for pair in inputs]


@pytest.mark.slow
@pytest.mark.torch
def test_the_tiny_model_knows_its_words(tiny):
    tokens = tiny.model.tokenizer.tokenize("Revenue grew by 8 percent. 预算收入增长")
    assert tokens == ["revenue", "grew", "by", "8", "percent", ".", *"预算收入增长"]


@pytest.mark.slow
@pytest.mark.torch
def test_scores_are_the_logits_of_the_model(tiny, folder):
    logits = transformers_logits(folder, "what grew", PAIRS)
    assert tiny.score("what grew", PAIRS) == pytest.approx(np.array(logits), abs=1e-4)
    assert tiny.scale == "logit"
    assert not all(0 < logit < 1 for logit in logits), "a sigmoid of these would have gone unnoticed"


@pytest.mark.slow
@pytest.mark.torch
def test_passes_are_counted(tiny):
    calls: list[tuple[int, int]] = []
    tiny.score("what grew", PAIRS, lambda *counts: calls.append(counts))
    assert calls == [(16, 35), (32, 35), (35, 35)]


@pytest.mark.slow
@pytest.mark.torch
def test_beyond_its_own_limit_any_model_scores_the_best_part(tiny, folder):
    text = "revenue grew by 8 percent . " * 60
    found = tiny.score_parts("how much", [text, "revenue grew ."])
    part, none = found.parts
    assert part.of > 3 and none is None
    assert tiny.limit == 64 and len(tiny.encode([("how much", part.words(text))])[0].ids) <= 64
    assert found.scores == pytest.approx(
        transformers_logits(folder, "how much", [part.words(text), "revenue grew ."]), abs=1e-4
    )


@pytest.mark.slow
@pytest.mark.torch
def test_the_tokens_that_a_tiny_model_reads_are_counted(tiny):
    text = "revenue grew by 8 percent . " * 20
    special = 3
    assert tiny.count_tokens([("how much", "revenue grew ."), ("how much", "grew")]) == [special + 5, special + 3]
    assert tiny.count_tokens([("how much", text)])[0] > special + 2 + 6 * 20
    assert tiny.count_tokens([("how " * 200, "grew")]) == [64]


# A chat model that reranks


def verdicts(folder: str, query: str, texts: list[str], instruction: str = tiny_models.INSTRUCTION) -> list[float]:
    """Return how much rather yes than no such a model goes on with, asked without sentence-transformers."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    asked = [f"instruct {instruction} query {query} document {text} judge" for text in texts]
    tokens = [tokenizer(words, add_special_tokens=False, return_tensors="pt") for words in asked]
    yes, no = tokenizer.convert_tokens_to_ids(["yes", "no"])
    with torch.no_grad():
        logits = [model(**one).logits[0, -1] for one in tokens]
    return [(given[yes] - given[no]).item() for given in logits]


@pytest.fixture(scope="module")
def causal_folder(tmp_path_factory) -> str:
    return tiny_models.causal_cross_encoder(tmp_path_factory.mktemp("causal"))


@pytest.fixture(scope="module")
def causal(causal_folder) -> CrossEncoderReranker:
    return load_reranker(causal_folder)


@pytest.mark.slow
@pytest.mark.torch
def test_a_chat_model_is_asked_in_its_own_words_and_says_yes_rather_than_no(causal, causal_folder):
    expected = np.array(verdicts(causal_folder, "what grew", PAIRS))
    assert causal.score("what grew", PAIRS) == pytest.approx(expected, abs=1e-4)
    assert verdicts(causal_folder, "what grew", PAIRS, "how much") != pytest.approx(expected, abs=0.01)
    assert len(set(expected.round(4))) == 5


@pytest.mark.slow
@pytest.mark.torch
def test_weights_kept_in_16_bits_give_a_text_the_same_score_alone_and_among_others(causal):
    import torch

    assert causal.model.dtype == torch.float32
    alone = np.concatenate([causal.score("what grew", [text]) for text in PAIRS[:5]])
    assert causal.score("what grew", PAIRS)[:5] == pytest.approx(alone, abs=1e-4)


@pytest.mark.slow
@pytest.mark.torch
def test_the_words_around_question_and_text_are_counted_and_leave_room(causal, causal_folder):
    text = "revenue grew by 8 percent . " * 20
    found = causal.score_parts("how much", [text])
    [part] = found.parts
    asked = causal.model.preprocess([("how much", part.words(text))], prompt=tiny_models.INSTRUCTION)["input_ids"]
    assert causal.limit + causal.beside == 64 and part.of > 2
    assert causal.count_tokens([("how much", part.words(text))]) == [asked.shape[1]] and asked.shape[1] <= 64
    assert causal.count_tokens([("how " * 200, "grew")]) == [64]
    assert found.scores == pytest.approx(verdicts(causal_folder, "how much", [part.words(text)]), abs=1e-4)


@pytest.mark.slow
@pytest.mark.torch
def test_a_chat_model_that_was_not_made_to_rerank_is_unusable(tmp_path):
    with pytest.raises(ModelUnusable, match="chat template"):
        load_reranker(tiny_models.causal_cross_encoder(tmp_path, tiny_models.CHAT_TEMPLATE))


@pytest.mark.slow
@pytest.mark.torch
def test_a_tokenizer_that_does_not_say_where_tokens_stand_is_refused():
    from transformers import CanineTokenizer

    class Model:
        tokenizer = CanineTokenizer()

    with pytest.raises(ModelUnusable, match="CanineTokenizer does not say where tokens stand"):
        hub.encode(Model(), [("what", "revenue grew.")])


def test_the_best_part_of_a_long_candidate_stands_in_the_new_order(reranker):
    filler = "城市绿化面积继续扩大，新建公园三座，居民满意度稳步提高。" * 9
    texts = [filler + "图书馆每天上午九点开门，周一闭馆。" + filler, "图书馆坐落在人民路。"]
    found = rerank("图书馆几点开门？", candidates(texts), reranker)
    first, second = found.hits
    assert "九点开门" in first.part.words(first.chunk.text) and second.part is None
    assert first.score == reranker.score("图书馆几点开门？", texts[:1])[0]


@pytest.mark.slow
@pytest.mark.torch
def test_a_model_with_three_scores_a_pair_is_unusable(tmp_path):
    with pytest.raises(ModelUnusable, match="3 scores") as caught:
        load_reranker(tiny_models.cross_encoder(tmp_path, labels=3))
    assert caught.value.values == {"model": str(tmp_path), "reason": "num_labels = 3"}


@pytest.mark.slow
@pytest.mark.torch
def test_a_model_whose_scores_are_no_numbers_is_unusable(tmp_path):
    broken = load_reranker(tiny_models.cross_encoder(tmp_path, bias=math.nan))
    with pytest.raises(ModelUnusable, match="not a number"):
        rerank("what grew", candidates(PAIRS), broken)


@pytest.mark.parametrize("model_id", ["nonsense", "", "text-embedding-3-small"])
def test_nonsense_is_unknown(model_id):
    with pytest.raises(UnknownModel):
        load_reranker(model_id)


# Adaptive depth


class Listed:
    """A reranker that gives each text the score it is made of, and remembers what it was asked."""

    id, scale = "listed", "logit"

    def __init__(self):
        self.asked = []

    def score_parts(self, query, texts, progress=None):
        self.asked += texts
        if progress:
            progress(len(texts), len(texts))
        return Scored(np.array([float(text) for text in texts], np.float32), (None,) * len(texts))


@pytest.mark.parametrize(
    ("scores", "k", "expected"),
    [
        ([9, 8, 7, *[1] * 20], 3, True),
        ([9, 8, 7, *[1] * 19], 3, False),  # the last twenty reach into the first three
        ([9, 8, 7, *[1] * 19, 7.5], 3, False),
        ([9, 8, 7, *[1] * 19, 7], 3, True),  # a tie does not enter: the earlier candidate stays above
        ([9, 8, *[1] * 20], 3, False),
        ([1] * 40, 5, True),
    ],
)
def test_the_first_places_are_settled_when_twenty_in_a_row_did_not_enter(scores, k, expected):
    assert settled(np.array(scores, np.float32), k) is expected


def test_adaptive_depth_scores_from_the_first_candidate_on_and_stops():
    reranker, steps = Listed(), []
    texts = [str(score) for score in [5, 9, 8, *[1] * 47]]
    found = rerank(QUESTION, candidates(texts), reranker, lambda *step: steps.append(step), settle_at=3)
    assert reranker.asked == texts[:30]
    assert [hit.chunk.text for hit in found.top(3)] == ["9", "8", "5"]
    assert len(found) == 30
    assert steps == [(10, 50), (20, 50), (30, 50)]


def test_adaptive_depth_goes_on_while_candidates_still_enter():
    reranker = Listed()
    found = rerank(QUESTION, candidates([str(score) for score in range(50)]), reranker, settle_at=5)
    assert len(found) == len(reranker.asked) == 50
    assert [hit.chunk.text for hit in found.top(2)] == ["49", "48"]


def test_without_adaptive_depth_every_candidate_is_scored_in_one_call():
    reranker, steps = Listed(), []
    found = rerank(QUESTION, candidates(["5", *["1"] * 60]), reranker, lambda *step: steps.append(step))
    assert (len(found), steps) == (61, [(61, 61)])
