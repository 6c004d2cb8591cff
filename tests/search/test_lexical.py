from __future__ import annotations

import math

import pytest

from rag_core.datatypes import Chunk
from rag_core.search.lexical import Lexical, shared, tokens

TEXTS = ["财政收入增长8.2%", "新建公园二十处", "收入稳定", "Tax revenue rose", "revenue, Revenue and more revenue"]
CHUNKS = [Chunk(f"c{n}", "doc", text, 1, 0, len(text)) for n, text in enumerate(TEXTS)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("财政收入", ["财", "政", "收", "入", "财政", "政收", "收入"]),
        ("增长8.2%，", ["增", "长", "增长", "8", "2"]),
        ("Tax Revenue", ["tax", "revenue"]),
        ("第3章 AI模型", ["第", "3", "章", "ai", "模", "型", "模型"]),
        ("東京へ", ["東", "京", "へ", "東京", "京へ"]),
        ("서울은", ["서", "울", "은", "서울", "울은"]),
        ("Привет, ΚΌΣΜΕ", ["привет", "κοσμε"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("مُحَمَّد", ["محمد"]),
        ("〇二", ["〇", "二", "〇二"]),
        ("snake_case", ["snake", "case"]),
        ("，。！", []),
        ("", []),
    ],
)
def test_tokens(text, found):
    assert tokens(text) == found


def test_what_shares_more_and_rarer_words_comes_first():
    [found] = Lexical.of(CHUNKS).search(["财政收入增长了多少"], 10)
    assert (found.name, found.ids) == ("bm25", ["c0", "c2"])


def test_the_score_is_that_of_the_formula():
    [found] = Lexical.of(CHUNKS).search(["tax"], 10)
    lengths = [len(tokens(text)) for text in TEXTS]
    idf = math.log(1 + (5 - 1 + 0.5) / (1 + 0.5))
    saturation = 1 / (1 + 1.5 * (1 - 0.75 + 0.75 * lengths[3] / (sum(lengths) / 5)))
    assert found.hits[0].score == pytest.approx(idf * saturation, rel=1e-5)


def test_a_chunk_without_a_common_word_is_not_found():
    [none, some] = Lexical.of(CHUNKS).search(["zebra", "revenue zebra"], 10)
    assert none.hits == ()
    assert set(some.ids) == {"c3", "c4"}


def test_depth_cuts_the_ranking():
    [found] = Lexical.of(CHUNKS).search(["收入 revenue"], 2)
    assert len(found) == 2


def test_scores_stand_in_the_order_of_the_chunks():
    scores = Lexical.of(CHUNKS).scores("revenue")
    assert [score > 0 for score in scores] == [False, False, False, True, True]


def test_a_document_of_punctuation_alone_is_searched_too():
    lexical = Lexical.of([Chunk("c", "doc", "……", 1, 0, 2)])
    assert lexical.search(["收入"], 5)[0].hits == ()


@pytest.mark.parametrize(
    ("question", "text", "words"),
    [
        ("财政收入增长了多少", "全市财政收入增长8%", ["财政收入增长"]),
        ("财政收入", "收入与财政", ["收入", "财政"]),
        ("人均收入是多少", "多少人是好的", []),
        ("How did the tax rise?", "The TAX rose; taxes did not", ["TAX"]),
        ("FY2024 的 AI 投入", "ai 在 fy2024 年", ["ai", "fy2024"]),
        ("İstanbul tax", "İİ tax", ["tax"]),
        ("6000亿元", "突破6,000亿元，即六千亿元", ["6,000亿元", "六千亿元"]),
        ("六千", "６０００家", ["６０００"]),
        ("cafe", "CAFE\u0301 und Cafés", ["CAFE\u0301"]),
        ("ガス", "ｶﾞｽ会社", ["ｶﾞｽ"]),
        ("software", "soft\u00adware", ["soft\u00adware"]),
        ("서울", "서울은 수도", ["서울"]),
        ("", "tax", []),
    ],
)
def test_shared_words_are_found_where_they_stand(question, text, words):
    assert [text[start:end] for start, end in shared(question, text)] == words


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("6000亿", "收入突破６，０００亿元"),
        ("café", "THE CAFE"),
        ("Какой бюджет", "Бюджет вырос"),
        ("ビル", "ﾋﾞﾙを建てた"),
        ("예산", "예산은 늘었다"),
        ("الميزانية", "زادت الميزانية"),
        ("ﬁnance", "Finance grew"),
        ("二十", "共20处"),
    ],
)
def test_a_chunk_that_shares_a_word_is_found_however_it_is_written(question, text):
    other = Chunk("other", "doc", "zzz", 1, 0, 3)
    [found] = Lexical.of([other, Chunk("c", "doc", text, 1, 0, len(text))]).search([question], 5)
    assert found.ids == ["c"]
