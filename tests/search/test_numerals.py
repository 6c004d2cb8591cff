from __future__ import annotations

import pytest

from rag_core.search.numerals import numbers


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("6,000亿", ["6000"]),
        ("1,234,567 and 89", ["1234567"]),
        ("6 000 or 6'000 or 6’000", ["6000", "6000", "6000"]),
        ("六千亿", ["6000"]),
        ("一百零二、一百一十、一千零五", ["102", "110", "1005"]),
        ("二十五家，十五条，两千人", ["25", "15", "2000"]),
        ("二〇二四年，一九九七年", ["2024", "1997"]),
    ],
)
def test_what_is_written_another_way_is_read(text, digits):
    assert [found for found, _ in numbers(text)] == digits


@pytest.mark.parametrize(
    "text",
    [
        *("十四五规划", "一百二", "三四个", "千百年来", "四万", "一万二千", "零五", "一"),
        *("2019,300", "3,14159", "1.234,567", "12,34", "6000"),
    ],
)
def test_what_can_be_meant_in_two_ways_is_left(text):
    assert list(numbers(text)) == []


def test_a_number_stands_where_it_is_written():
    assert [("突破6,000亿元、六千亿"[a:b], digits) for digits, (a, b) in numbers("突破6,000亿元、六千亿")] == [
        ("6,000", "6000"),
        ("六千", "6000"),
    ]
