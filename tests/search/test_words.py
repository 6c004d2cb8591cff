"""Counted words against bm25s, which was what ranked by words before."""

from __future__ import annotations

import random

import numpy as np
import pytest

from rag_core.datatypes import Chunk
from rag_core.search.lexical import RULE, Lexical, counted, tokens
from rag_core.search.words import MOST_COUNTED, Words, hashed

bm25s = pytest.importorskip("bm25s", reason="bm25s comes with what development needs")

STEMS = ("revenue", "收入", "增长", "bridge", "六千亿元", "8.2%", "the", "。")
QUESTIONS = ("the revenue", "财政收入增长了多少？收入", "zebra", "bridge 6000亿 bridge")


def corpus(count: int, seed: int) -> list[Chunk]:
    draw = random.Random(seed)
    texts = [" ".join(draw.choices(STEMS, k=draw.randrange(40))) + f" {draw.randrange(50)}" for _ in range(count)]
    return [Chunk(f"d{seed}-k-{n:05d}", f"d{seed}", text, 1, 0, len(text)) for n, text in enumerate(texts, 1)]


DOCUMENTS = [corpus(30, 1), corpus(1, 2), corpus(50, 3)]
CHUNKS = [chunk for document in DOCUMENTS for chunk in document]


def together() -> Lexical:
    return Lexical(Words.joined(map(counted, DOCUMENTS)), lambda rows: [CHUNKS[row] for row in rows])


@pytest.mark.parametrize("question", QUESTIONS)
def test_scores_and_order_are_those_of_bm25s(question):
    theirs = bm25s.BM25()
    theirs.index([tokens(chunk.passage) or [""] for chunk in CHUNKS], show_progress=False)
    known = [word for word in tokens(question) if word in theirs.vocab_dict]
    wanted = theirs.get_scores(known) if known else np.zeros(len(CHUNKS))
    ours = together()
    assert ours.scores(question) == pytest.approx(wanted, abs=1e-6)
    [ranking] = ours.search([question], 20)
    places = [place for place in np.argsort(-wanted, kind="stable")[:20] if wanted[place] > 0]
    assert ranking.ids == [CHUNKS[place].id for place in places]


@pytest.mark.parametrize("question", QUESTIONS)
def test_documents_counted_apart_score_as_one(question):
    assert np.array_equal(together().scores(question), Lexical.of(CHUNKS).scores(question))


def test_of_equal_scores_the_first_chunk_stands_first_and_stays_when_the_ranking_is_cut():
    same = [Chunk(f"c{n}", "d", "the bridge", 1, 0, 10) for n in range(20)]
    [cut] = Lexical.of(same).search(["bridge"], 5)
    assert cut.ids == ["c0", "c1", "c2", "c3", "c4"]


def test_what_is_kept_is_read_as_it_was():
    words = counted(CHUNKS)
    again = Words.load(words.dump())
    assert [(part.dtype, part.tolist()) for part in parts(again)] == [
        (part.dtype, part.tolist()) for part in parts(words)
    ]


def parts(words: Words) -> tuple[np.ndarray, ...]:
    return words.words, words.ends, words.rows, words.counts, words.lengths


def test_words_whose_last_bits_are_alike_are_told_apart():
    many = [str(number) for number in range(70_000)]
    words = Words.of([many])
    for asked, places in zip(("7", "69999"), words.places(hashed(["7", "69999"])), strict=True):
        assert words.words[places].tolist() == hashed([asked]).tolist()
    assert [len(places) for places in words.places(hashed(["none of them"]))] == [0]


def test_a_word_is_counted_as_often_as_it_can_be():
    assert Words.of([["a"] * (MOST_COUNTED + 5)]).counts.tolist() == [MOST_COUNTED]


def test_another_rule_for_words_has_another_number():
    """What was counted by an older rule is kept in libraries: whoever changes how text is cut raises ``RULE``."""
    text = "２０２４年财政收入增长8.2%，突破六千亿元。The café's TAX rose to 1,234.5 in snake_case; 東京へ 서울은 हिन्दी"
    assert (RULE, sum(map(int, hashed(tokens(text)))) % 10**9) == (1, 490313747)
