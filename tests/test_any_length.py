"""Training groups of pieces of any length: what answers is known by nothing but what it says."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pytest

from rag_core.models.embed import normalise

pytest.importorskip("bm25s", reason="building the training groups needs bm25s")
pytest.importorskip("opencc", reason="building the training groups needs OpenCC")

from training import any_length
from training.any_length import Library, Source, units
from training.files import UNMEASURED

NAMES = "甲乙丙丁戊己庚辛"
CONTRASTS = Path(any_length.__file__).with_name("contrasts.jsonl")


class Letters:
    """An embedder to whom a text is how often it holds each of a few letters."""

    def embed_texts(self, texts, progress=None):
        return normalise([[text.count(letter) + 0.01 for letter in f"{NAMES}收入增长"] for text in texts])

    embed_queries = embed_texts


def passage(name, number):
    others = "".join(f"{name}市第{i}条道路全长{i}公里，去年完工通车。" for i in range(1, 30))
    return f"{others}{name}市收入增长{number}%。{others.replace('道路', '河流')}"


ROWS = [
    {
        "query": f"{name}市收入增长多少？",
        "positives": [passage(name, 100 + number)],
        "answer": f"{100 + number}%",
        "lang": "zh",
        "group": name,
        "source": "here",
    }
    for number, name in enumerate(NAMES)
]
WITHOUT_ANSWER = [{key: value for key, value in row.items() if key != "answer"} for row in ROWS]


@pytest.fixture(autouse=True)
def as_found(monkeypatch):
    """Leave the script as it is."""
    monkeypatch.setattr(any_length, "SCRIPT_SHARE", 0)
    monkeypatch.setattr(any_length, "HEADED", 0)


def groups_of(rows, size, seed=1, others="any"):
    library, rng = Library(rows, Letters()), random.Random(seed)
    found = [any_length.group_of(row, i, size, Source(0, others), library, rng) for i, row in enumerate(rows)]
    return [group for group in found if group]


@pytest.mark.parametrize("size", any_length.SHARES)
def test_only_the_first_text_holds_the_answer(size):
    groups = groups_of(ROWS, size)
    assert len(groups) == len(ROWS)
    for group, row in zip(groups, ROWS, strict=True):
        assert [row["answer"] in text for text in group["texts"]] == [True] + [False] * any_length.NEGATIVES
        assert group["labels"] == [1] + [0] * any_length.NEGATIVES
        assert len(set(group["texts"])) == len(group["texts"]) == len(group["cosines"])


def test_without_an_answer_string_nothing_of_the_passage_is_taken_for_wrong():
    for group, row in zip(groups_of(WITHOUT_ANSWER, "window"), WITHOUT_ANSWER, strict=True):
        found = [text for text, cosine in zip(group["texts"], group["cosines"], strict=True) if cosine != UNMEASURED]
        assert [text in row["positives"][0] for text in found] == [True] + [False] * (len(found) - 1)


@pytest.mark.parametrize("size", ["window", "long"])
def test_longer_texts_are_as_many_as_shorter_ones(size):
    longer = [
        units(text) > units(group["texts"][0])
        for seed in range(4)
        for group in groups_of(ROWS, size, seed)
        for text, cosine in zip(group["texts"][1:], group["cosines"][1:], strict=True)
        if cosine != UNMEASURED
    ]
    assert 0.35 < np.mean(longer) < 0.65


@pytest.mark.parametrize(("size", "low", "high"), [("window", 50, 330), ("long", 270, 930)])
def test_the_answers_piece_has_the_length_that_was_drawn(size, low, high):
    assert all(low <= units(group["texts"][0]) <= high for group in groups_of(ROWS, size))


def test_where_only_the_same_document_is_known_to_be_wrong_nothing_else_is_taken():
    for group in groups_of(ROWS, "sentence", others="own"):
        measured = [text for text, cosine in zip(group["texts"], group["cosines"], strict=True) if cosine != UNMEASURED]
        assert all(group["group"] in text for text in measured)


def test_what_the_embedder_ranks_above_the_answer_is_not_taken_where_it_may_answer():
    for group in groups_of(WITHOUT_ANSWER, "sentence", others="below"):
        assert max(group["cosines"]) == group["cosines"][0]


@pytest.mark.parametrize("seed", range(5))
def test_some_of_what_does_not_answer_is_far_from_the_question(seed):
    library = Library(ROWS, Letters())
    library.vectors = np.linspace(1, 0, len(library.sentences))[:, None]  # the first is the nearest to every question
    library.queries = np.ones((len(ROWS), 1))
    answer = any_length.answering(ROWS[4], 4, library)
    taken = any_length.candidates(ROWS[4], 4, answer, Source(0), library, random.Random(seed))[: any_length.NEGATIVES]
    assert sum(i < 10 for i in taken) == 2 and sum(10 <= i < any_length.DEPTH for i in taken) >= 1
    assert sum(i >= any_length.DEPTH for i in taken) >= 2


def test_a_run_goes_on_where_its_passage_ends():
    library = Library(ROWS, Letters())
    within = library.room(0, 10 * library.sums[-1])
    assert within == range(len(library.sentences))
    assert library.room(0, 5) == library.document[0] != within
    assert len(library.run(0, library.sums[-1], within, random.Random(1))) == len(within)


def test_latin_letters_count_half():
    assert units("收入增长") == 4
    assert units("Sales rose") == 5


def test_cosines_lose_what_goes_with_length():
    rng = np.random.default_rng(3)
    lengths = rng.integers(1, 400, (30, 6))
    groups = [
        {"texts": ["字" * n for n in some], "cosines": [0.8, *(0.5 + 0.05 * np.log(n + 1) for n in some[1:])]}
        for some in lengths
    ]
    left = np.array([group["cosines"] for group in any_length.without_length(groups)])
    assert np.ptp(left[:, 1:], axis=1).max() < 1e-3


def test_made_texts_stay_unmeasured_without_length():
    group = {"texts": ["字", "字字", "字字字字"], "cosines": [0.9, 0.8, UNMEASURED]}
    assert any_length.without_length([group])[0]["cosines"][2] == UNMEASURED


FILLERS = ["河边有树。", "天气晴朗，风力不大，适合出行。", "展览开放三周。"]
OTHERS = [*"甲乙丙丁戊己庚辛壬癸子丑寅卯"]
CONTRAST = {"kind": "order", "lang": "zh", "query": "最后交什么？", "texts": ["最后交押金。", *"一二三四五"]}


def test_a_group_written_by_hand_comes_as_it_is_and_inside_other_texts():
    others = [*OTHERS, *CONTRAST["texts"]]
    first, *others = (any_length.of_contrast(CONTRAST, others, FILLERS, i, random.Random(i)) for i in range(4))
    own, strange = first["texts"][:6], first["texts"][6:]
    assert own == CONTRAST["texts"] and len(strange) == any_length.STRANGE and set(strange) <= set(OTHERS)
    assert first["labels"] == [1] + [0] * (5 + any_length.STRANGE)
    for other in others:
        assert all(text in held for text, held in zip(CONTRAST["texts"], other["texts"], strict=False))
        assert other["texts"] != first["texts"] and set(other["cosines"]) == {UNMEASURED}


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("query", ["财政收入是什么？", "What is the deficit?"])
def test_a_heading_names_what_was_asked(query, seed):
    topic = {"财政收入是什么？": "财政收入", "What is the deficit?": "The deficit"}[query]
    text = any_length.headed(query, "Another text.", random.Random(seed))
    assert topic in text or query in text


def test_an_answer_has_a_heading_as_often_as_what_does_not_answer(monkeypatch):
    monkeypatch.setattr(any_length, "HEADED", 0.5)
    monkeypatch.setattr(any_length, "RESTATED", 0)
    groups = [group for seed in range(20) for group in groups_of(WITHOUT_ANSWER, "window", seed)]
    topics = {any_length.restated(row["query"]) for row in ROWS}
    headed = np.array([[text.split("\n")[0] in topics for text in group["texts"]] for group in groups])
    assert headed[:, 0].mean() == pytest.approx(0.5, abs=0.1) == headed[:, 1:].mean()
    own = [
        text.startswith(any_length.restated(group["query"]) + "\n") for group in groups for text in group["texts"][1:]
    ]
    assert np.mean(own) < 0.1


def contrasts():
    return [json.loads(line) for line in CONTRASTS.read_text(encoding="utf-8").splitlines()]


def test_groups_written_by_hand_have_an_answer_and_five_others():
    for row in contrasts():
        assert len(row["texts"]) == len(set(row["texts"])) >= 6, row["query"]
        assert row["lang"] in ("zh", "en", "zh-en", "en-zh") and row["kind"] and row["query"]
        assert any_length.is_chinese(row["texts"][0]) is row["lang"].endswith("zh"), row["query"]


def test_inside_other_texts_an_answer_is_not_known_by_its_length():
    rng, shares = random.Random(5), []
    for row in contrasts():
        texts = any_length.of_contrast(row, OTHERS, FILLERS, 1, rng)["texts"][: len(row["texts"])]
        shares.append(np.mean([units(text) < units(texts[0]) for text in texts[1:]]))
    assert 0.4 < np.mean(shares) < 0.6


@pytest.mark.torch
def test_pairs_of_a_step_are_cut_into_parts_of_few_tokens():
    pytest.importorskip("torch", reason="training needs torch")
    from training.train import SLICE_TOKENS, slices

    lengths = [500, 20, 30, 400, 512, 60] * 10
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    parts = list(slices(order, lengths))
    assert [i for part in parts for i in part] == order
    assert all(len(part) * max(lengths[i] for i in part) <= SLICE_TOKENS for part in parts)
    assert len(parts) < len(lengths) / 4
