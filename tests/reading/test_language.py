"""One rule says which language a text is in, and one where its sentences end."""

from __future__ import annotations

import pytest

from rag_core.reading.language import language_of, sentences, stripped


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("预算收入增长多少？", "zh"),
        ("GDP 增长", "zh"),
        ("国" * 20 + "a" * 80, "zh"),
        ("国" * 19 + "a" * 81 + "12345。，", "en"),
        ("How much did revenue grow?", "en"),
        ("What does 增长 mean here?", "en"),
        ("The company was renamed 北辰 Holdings in 2019.", "en"),
        ("2024", "en"),
        ("", "en"),
    ],
)
def test_a_text_is_chinese_from_one_letter_in_five(text, language):
    assert language_of(text) == language


def test_several_texts_count_as_one():
    assert language_of("国" * 20, "a" * 80) == "zh" and language_of("国" * 19, "a" * 81) == "en"


def test_a_point_that_shortens_a_word_ends_no_sentence():
    text = "Revenue rose 8.2% vs. 2019, as Prof. Smith of St. Mary's found. It was the best year since 1990."
    assert [text[start:end] for start, end in sentences(text)] == [text[:63], text[64:]]


def test_white_space_at_the_ends_is_not_part_of_a_span():
    assert stripped("  a b \n", 0, 7) == (2, 5)
    start, end = stripped("a   b", 1, 4)
    assert start >= end
