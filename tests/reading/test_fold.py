from __future__ import annotations

import pytest

from rag_core.reading.fold import folded, for_quotes, for_words


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Tax REVENUE", "tax revenue"),
        ("ＡＢＣ ６０００", "abc 6000"),
        ("Größe, Café, cafe\u0301", "grosse, cafe, cafe"),
        ("Ёлка", "елка"),
        ("ﬁnance", "finance"),
        ("soft\u00adware, zero\u200bwidth", "software, zerowidth"),
        ("ｶﾞｽ と ガス", "ガス と ガス"),
        ("مُحَمَّد", "محمد"),
        ("שָׁלוֹם", "שלום"),
        ("㈱ ①", "(株) 1"),
    ],
)
def test_one_way_of_writing_words(text, plain):
    assert for_words(text) == plain
    assert folded(text, for_words).text == plain


def test_each_character_stands_where_it_stood():
    now = folded("e\u0301tude ﬁne", for_words)
    assert now.text == "etude fine"
    assert [now.span(*span) for span in ((0, 1), (0, 5), (6, 7), (6, 10))] == [(0, 2), (0, 6), (7, 8), (7, 10)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("“It’s ﬁne”", '"It\'s fine"'),
        ("signi\u00adficant", "significant"),
        ("repre-\nsented", "represented"),
        ("2019–2020", "2019-2020"),
        ("minus −5 %", "minus -5%"),
        ("６０００亿元，增长", "6000亿元,增长"),
        ("增长 8.2 %", "增长8.2%"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("⼀般公共预算", "一般公共预算"),
        ("cafe\u0301", "café"),
    ],
)
def test_two_ways_to_write_a_quote_are_one(one, other):
    assert for_quotes(one).text == for_quotes(other).text


@pytest.mark.parametrize(
    ("one", "other"), [("-5%", "5%"), ("2019-2020", "20192020"), ("Tax", "tax"), ("résumé", "resume"), ("8.2%", "82%")]
)
def test_what_says_something_else_stays_apart(one, other):
    assert for_quotes(one).text != for_quotes(other).text


def test_nothing_folds_to_nothing():
    assert for_quotes("").text == for_quotes(" \n\u200b").text == for_words("") == ""
