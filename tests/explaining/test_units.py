"""Clauses and words, in Chinese and English."""

from __future__ import annotations

import pytest

from rag_core.explaining import units

ZH = "2025年一般公共预算收入增长8.2%，约合1,325亿元；比去年低1个百分点。"
EN = "Revenue of £6.8 million, up 3.5% (see note 4), beat plan. It didn't last: costs rose."


def pieces(text: str, spans: list[units.Span]) -> list[str]:
    return [text[start:end] for start, end in spans]


def test_a_clause_keeps_its_mark_and_a_number_its_point():
    assert pieces(ZH, units.clauses(ZH)) == [
        "2025年一般公共预算收入增长8.2%，",
        "约合1,325亿元；",
        "比去年低1个百分点。",
    ]
    assert pieces(EN, units.clauses(EN)) == [
        "Revenue of £6.8 million,",
        "up 3.5% (see note 4),",
        "beat plan.",
        "It didn't last:",
        "costs rose.",
    ]


def test_chinese_words_are_words_and_numbers_stay_whole():
    found = pieces(ZH, units.words(ZH))
    assert found[:9] == ["2025", "年", "一般", "公共", "预算", "收入", "增长", "8.2%", "约"]
    assert "1,325" in found


def test_english_words_keep_their_apostrophe():
    assert pieces(EN, units.words(EN))[-5:] == ["It", "didn't", "last", "costs", "rose"]


@pytest.mark.parametrize("text", ["", "。。。", "   ", "…?!"])
def test_a_text_without_letters_has_no_units(text):
    assert units.clauses(text) == units.words(text) == units.groups(text) == []


def test_a_short_text_is_cut_into_single_words():
    question = "公园有多少座？"
    assert units.groups(question) == units.words(question)


def test_a_long_text_is_cut_into_groups_that_no_clause_end_runs_through():
    text = "全市新建公园二十处，粮食产量保持稳定，地铁三号线开工建设。" * 10
    found = pieces(text, units.groups(text))
    assert len(found) < len(units.words(text)) / 2
    assert not [piece for piece in found if "，" in piece or "。" in piece]
    assert "".join(found) == text.replace("，", "").replace("。", "")
