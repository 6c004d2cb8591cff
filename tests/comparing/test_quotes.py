"""What a chunk can be quoted with: whole sentences, and rows under their heads."""

import pytest

from rag_core.comparing.quotes import is_whole, quotes
from rag_core.datatypes import Chunk


def texts(page: str, start: int = 0, end: int | None = None, number: int = 2, **pages: str) -> list[str]:
    """Quote a chunk of a page, whose neighbours are ``before`` and ``after``."""
    end = len(page) if end is None else end
    chunk = Chunk("c", "doc", page[start:end], number, start, end)
    known = {number - 1: pages.get("before", ""), number: page, number + 1: pages.get("after", "")}
    return [quote.text for quote in quotes(chunk, known)]


@pytest.mark.parametrize(
    ("words", "whole"),
    [
        ("The trunk main failed at a joint laid in 1958.", True),
        ("“The costs fell.”", True),
        ("收入增长8.2%。", True),
        ("市第一医院建成开诊；", True),
        ("Governance and pay", False),
        ("Table 1.", False),
        ("profit", False),
        ("Who assessed the Board?", False),
        ("The reasons are these:", False),
        ("by eight percent over the year.", False),
        ("（一）经济运行总体平稳", False),
    ],
)
def test_a_sentence_has_a_beginning_and_an_end(words, whole):
    assert is_whole(words) is whole


def test_headings_and_captions_are_not_quoted():
    page = "Business review\nTable 1. Revenue by segment (£ million)\nRevenue grew by eight percent."
    assert texts(page) == ["Revenue grew by eight percent."]


def test_a_sentence_that_lines_break_is_whole_again():
    page = "Tax revenue grew by\neight percent over the year. Rents did not rise."
    assert texts(page, 30, 40) == ["Tax revenue grew by eight percent over the year."]


def test_a_sentence_that_runs_over_the_page_is_whole_on_both():
    first, second = (
        "Reliability was uneven. Residents had no hot water for four",
        "days in November. We shall replace it.",
    )
    whole = "Residents had no hot water for four days in November."
    assert texts(first, after=second)[-1] == whole
    assert texts(second, before=first)[0] == whole
    assert (
        texts("居民消费价格上涨0.4%。社会消费", after="品零售总额1762.3亿元。")[-1] == "社会消费品零售总额1762.3亿元。"
    )


def test_a_heading_at_the_end_of_a_page_is_not_taken_into_the_next():
    assert texts("收入增长了8.2%。\n二、重点任务", after="一是稳增长。") == ["收入增长了8.2%。"]
    assert texts("一是稳增长。", before="收入增长了8.2%。\n二、重点任务") == ["一是稳增长。"]


def test_a_row_is_quoted_under_its_head_alone():
    page = "Measure\tFY2024\tFY2023\nLeakage\t131.6\t139.4\nInjuries\t11\t17\nSeven of them improved."
    assert texts(page) == [
        "Leakage · FY2024: 131.6 · FY2023: 139.4",
        "Injuries · FY2024: 11 · FY2023: 17",
        "Seven of them improved.",
    ]
    assert texts("Leakage\tmuch\nInjuries\tfew\nSeven of them improved.") == ["Seven of them improved."]


def test_a_first_column_without_a_name_and_a_head_of_two_lines():
    assert texts("FY2024\tFY2023\nLeakage\t131.6\t139.4") == ["Leakage · FY2024: 131.6 · FY2023: 139.4"]
    page = "Measure\tResult\tTarget\nUnit\tFY2024\tFY2025\nLeakage\t131.6\t139.4\nInjuries\t11\t17"
    assert all("131.6" in text and "FY2024" in text for text in texts(page)[:1])
