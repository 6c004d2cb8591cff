"""A text that is too long is cut into overlapping parts of whole sentences, and scored by the best of them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from rag_core.datatypes import Part
from rag_core.models import parts
from rag_core.models.rerank import load_reranker

QUESTION = "地区生产总值增长多少？"
FILLER = "城市绿化面积继续扩大，新建公园三座，改造老旧小区二十个，居民满意度稳步提高。"
ANSWER = "全市地区生产总值增长5.2%，约4.4万亿元。"
LONG = FILLER * 8 + ANSWER + FILLER * 6
ENGLISH = ("The council planted trees along the river and repaired two bridges before the winter. " * 9).strip()


class Encoded:
    """A pair of a question of ``beside`` tokens, special ones included, and a text with a token a character."""

    def __init__(self, beside, text):
        self.ids = [0] * (beside + len(text))
        self.sequence_ids = [0] * beside + [1] * len(text)
        self.offsets = [(0, 0)] * beside + [(place, place + 1) for place in range(len(text))]


def encode(pairs):
    return [Encoded(len(query), text) for query, text in pairs]


def best(texts, score, progress=None):
    return parts.best([("问", text) for text in texts], 120, encode, score, progress)


def cut(text, limit, beside=0, overlap=0.25):
    return [text[start:end] for start, end in parts.cut(text, Encoded(beside, text), limit, overlap)]


@pytest.fixture(scope="module")
def reranker():
    return load_reranker("bilingual-cross-encoder")


# Cutting

SENTENCES = "".join(f"{name}说了一二三四五。" for name in "甲乙丙丁戊己庚辛")
"""Eight sentences of nine characters, which are nine tokens here."""


def test_a_text_that_fits_is_one_part():
    assert cut(SENTENCES, 72) == [SENTENCES]
    assert cut(SENTENCES, 76, beside=4) == [SENTENCES]
    assert len(cut(SENTENCES, 75, beside=4)) == 2


def test_parts_are_whole_sentences_and_leave_room_for_the_question():
    whole = [SENTENCES[start : start + 9] for start in range(0, 72, 9)]
    # 40 less 3 beside, less the one token that a part may begin with more: four sentences of nine.
    assert cut(SENTENCES, 40, beside=3, overlap=0) == ["".join(whole[:4]), "".join(whole[4:])]
    assert cut(SENTENCES, 40, beside=3) == ["".join(whole[:4]), "".join(whole[3:7]), "".join(whole[6:])]


@pytest.mark.parametrize("overlap", [0, 0.25, 0.5, 0.9])
@pytest.mark.parametrize("limit", [33, 40, 50, 64])
def test_no_part_is_too_long_and_none_of_the_text_is_lost(limit, overlap):
    spans = parts.cut(SENTENCES, Encoded(0, SENTENCES), limit, overlap)
    assert spans[0][0] == 0 and spans[-1][1] == len(SENTENCES)
    assert all(end - start < limit for start, end in spans)
    for (start, end), (following, last) in pairwise(spans):
        assert start < following <= end < last
        assert end - following <= overlap * limit


def test_a_sentence_that_is_too_long_is_cut_at_its_clauses():
    text = "甲乙丙丁戊己庚辛壬癸" * 2 + "，" + "子丑寅卯辰巳午未申酉" * 2 + "。"
    assert cut(text, 34, overlap=0) == [text[:21], text[21:]]


def test_a_long_question_still_leaves_some_of_the_text():
    pieces = cut(SENTENCES, 40, beside=500, overlap=0)
    assert len(pieces) == 3 and all(9 <= len(piece) < parts.FEWEST for piece in pieces)


def test_characters_of_many_tokens_end():
    text = "㌖㍐㍿" * 40 + "。"

    class Many(Encoded):
        def __init__(self, beside, text):
            super().__init__(beside, text)
            self.ids, self.sequence_ids = self.ids * 50, [1] * 50 * len(text)
            self.offsets = [(place, place + 1) for place in range(len(text)) for _ in range(50)]

    assert "".join(text[start:end] for start, end in parts.cut(text, Many(0, text), 40, 0)) == text


def test_marks_alone_are_left_as_they_are():
    assert cut("…" * 100, 40) == ["…" * 100]


@pytest.mark.parametrize("text", [LONG, ENGLISH])
@pytest.mark.parametrize("limit", [64, 160])
def test_with_the_bundled_tokenizer_no_pair_is_longer_than_is_read_well(reranker, text, limit):
    [whole] = reranker.encode([(QUESTION, text)])
    spans = parts.cut(text, whole, limit)
    pieces = [text[start:end] for start, end in spans]
    assert len(pieces) > 1
    assert max(len(one.ids) for one in reranker.encode([(QUESTION, piece) for piece in pieces])) <= limit
    assert spans[0][0] == 0 and spans[-1][1] == len(text)


# Tables

HEAD = "Measure\t2024\t2023"
TABLE = "\n".join([HEAD, *(f"Measure number {number}\t{number}.4\t{number}.1" for number in range(10, 40))])


def test_a_part_that_begins_in_a_table_is_read_below_its_head():
    read = []
    parts.best([("问", TABLE)], 120, encode, lambda pairs, _: read.extend(pairs) or np.zeros(len(pairs)))
    assert len(read) > 5 and all(text.startswith(f"{HEAD}\nMeasure number") for _, text in read)
    assert all(len(text) <= 120 for _, text in read)


def test_its_place_is_that_of_its_rows_alone():
    [part] = best([TABLE], lambda pairs, _: np.array(["39.4" in text for _, text in pairs], float)).parts
    assert part.words(TABLE).endswith("39.4\t39.1") and HEAD not in part.words(TABLE)


# Scoring


def by_count(pairs, progress=None):
    """Score by the digits of a text, and count each pair."""
    for done in range(1, len(pairs) + 1):
        if progress:
            progress(done, len(pairs))
    return np.array([sum(map(str.isdigit, text)) for _, text in pairs], np.float32)


def test_a_text_gets_the_score_of_its_best_part_and_a_short_one_its_own():
    found = best(["一2。", LONG, "三。"], by_count)
    assert found.scores.tolist() == [1, 4, 0]
    assert found.parts[0] is None and found.parts[2] is None
    part = found.parts[1]
    assert ANSWER in part.words(LONG) and part.of == len(parts.cut(LONG, Encoded(1, LONG), 120))


def test_among_equal_parts_the_first_is_the_best():
    found = best([FILLER * 8], by_count)
    assert found.parts[0].start == 0


def test_all_parts_are_scored_in_one_go_and_texts_are_counted():
    asked, counted = [], []

    def score(pairs, progress):
        asked.append(len(pairs))
        return by_count(pairs, progress)

    best([LONG, "短。", LONG], score, lambda *counts: counted.append(counts))
    assert len(asked) == 1 and asked[0] > 3
    assert counted[-1] == (3, 3) and all(total == 3 for _, total in counted) and counted == sorted(counted)


def test_nothing_is_scored_where_there_is_nothing():
    found = best([], by_count)
    assert found.scores.shape == (0,) and found.parts == ()


def test_the_bundled_model_scores_a_long_text_by_the_part_that_answers(reranker):
    found = reranker.score_parts(QUESTION, [LONG, ANSWER])
    part = found.parts[0]
    assert ANSWER in part.words(LONG) and part.of > 2 and found.parts[1] is None
    assert found.scores[0] == reranker.score_pairs([(QUESTION, part.words(LONG))])[0]


def test_a_short_text_has_the_same_score_to_the_last_bit_as_in_a_run_of_its_own(reranker):
    texts = [ANSWER, FILLER, LONG, FILLER + ANSWER]
    alone = [reranker.score_pairs([(QUESTION, text)])[0] for text in texts]
    found = reranker.score_parts(QUESTION, texts)
    assert [score == own for score, own in zip(found.scores, alone, strict=True)] == [True, True, False, True]


def test_pairs_of_several_questions_are_scored_together(reranker):
    pairs = [(QUESTION, LONG), ("公园改造了几座？", LONG), (QUESTION, ANSWER)]
    found = reranker.best_parts(pairs)
    assert found.scores.tolist() == [reranker.score(query, [text])[0] for query, text in pairs]
    assert ANSWER in found.parts[0].words(LONG) and found.parts[1].of > 2 and found.parts[2] is None


def test_scores_are_kept_under_a_name_that_tells_how_long_texts_are_read(reranker):
    assert reranker.weights.endswith(f"#parts-{reranker.limit}")


def test_the_words_of_a_part():
    assert Part(1, 3, 2).words("甲乙丙丁") == "乙丙"


# Tokens


def test_the_tokens_of_a_text_are_those_of_all_its_parts():
    read: list[str] = []
    pairs = [("问", "短。"), ("问", LONG), ("问", "也短。")]
    parts.best(pairs, 120, encode, lambda asked, _: read.extend(text for _, text in asked) or np.zeros(len(asked)))
    counts = parts.count_tokens(pairs, 120, encode, lambda asked: [len(one.ids) for one in encode(asked)])
    assert counts == [1 + 2, sum(1 + len(text) for text in read[1:-1]), 1 + 3]


def test_the_bundled_model_reads_a_long_text_more_than_once_and_no_more_than_it_can(reranker):
    [whole, short] = (len(pair.ids) for pair in reranker.encode([(QUESTION, LONG), (QUESTION, ANSWER)]))
    counts = reranker.count_tokens([(QUESTION, LONG), (QUESTION, ANSWER)])
    assert whole < counts[0] < 2 * whole and counts[1] == short
    assert reranker.count_tokens([(QUESTION * 100, ANSWER)]) == [512]
