"""Each rule of the lessons, on comparisons made by hand."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from comparisons import comparison

from rag_core.datatypes import Comparison, Expansion
from rag_core.explaining import lessons
from rag_core.explaining.lessons import NAMES, Fact, facts

TWENTY = [f"text {chr(97 + number)}" for number in range(20)]
SAME = list(range(20))


def moved(before: int, after: int, texts: list[str] = TWENTY, **how: object) -> Comparison:
    """Let one chunk go from one rank to another; the others close ranks."""
    order = [number for number in range(len(texts)) if number != before - 1]
    order.insert(after - 1, before - 1)
    return comparison(texts, [order.index(number) for number in range(len(texts))], **how)


def fact(name: str, made: Comparison, relevant: set[str] | None = None) -> Fact:
    return dict(zip(NAMES, facts(made, relevant), strict=True))[name]


def with_text(number: int, text: str) -> list[str]:
    return [text if place == number - 1 else other for place, other in enumerate(TWENTY)]


def asking(query: str, made: Comparison) -> Comparison:
    return replace(made, query=query)


def test_there_is_a_fact_for_each_lesson_in_their_order():
    assert [one.lesson for one in facts(comparison(TWENTY))] == list(NAMES)


def test_embedding_names_the_chunk_of_the_first_that_fell_the_most():
    found = fact("embedding", moved(2, 16))
    assert (found.case, found.chunk.id) == ("fell", "doc-1")
    assert found.values == {"page": 1, "before": 2, "after": 16, "places": 14}


@pytest.mark.parametrize(("before", "after", "case"), [(5, 7, "none"), (5, 8, "fell"), (6, 20, "none")])
def test_embedding_looks_at_the_first_alone_and_at_three_places_or_more(before, after, case):
    assert fact("embedding", moved(before, after)).case == case


def test_tail_names_what_came_from_beyond_twice_the_cutoff():
    found = fact("tail", moved(17, 3))
    assert (found.case, found.chunk.id, found.values["places"]) == ("rescued", "doc-16", 14)
    assert fact("tail", moved(10, 3)).case == "none"
    assert fact("tail", moved(11, 5)).case == "rescued"


@pytest.mark.parametrize(
    ("query", "text", "case", "found"),
    [
        ("How much in 2024?", "The sum for 2024 was 31.", "number_asked_for", "2024"),
        ("2025年增长多少？", "2025年的目标是4%。", "number_asked_for", "2025"),
        ("How many parks?", "There were 1,200 of them.", "figure", "1,200"),
        ("How many parks?", "Annual Report 2024: there were 31 of them.", "figure", "31"),
        ("How many of them?", "Annual Report 2024.", "no_tie", None),
        ("要等几天？", "平均4.6天。", "figure", "4.6"),
        ("Why is leakage high?", "The leakage rose in winter.", "words_shared", "leakage"),
        ("外贸增长靠什么？", "今年外贸增长很快。", "words_shared", "外贸增长"),
        ("Why is that?", "Because of the cold.", "no_tie", None),
        ("What about 12?", "It was 120.", "no_tie", None),
        ("税", "收税。", "no_tie", None),
    ],
)
def test_reading_names_the_tie_between_question_and_riser(query, text, case, found):
    made = asking(query, moved(17, 3, with_text(17, text)))
    fact_found = fact("reading", made)
    assert (fact_found.case, fact_found.values.get("found")) == (case, found)
    assert fact_found.values["places"] == 14


def test_reading_prefers_the_plainest_tie_to_the_highest_riser():
    texts = with_text(6, "In 2024 it was so.")
    rising = comparison(texts, [4, 5, 6, 7, 8, 1, 9, 10, 11, 0, *range(12, 20), 2, 3])
    found = fact("reading", asking("What of 2024?", rising))
    assert (found.case, found.chunk.id) == ("number_asked_for", "doc-5")


def test_reading_says_when_nothing_rose():
    assert fact("reading", comparison(TWENTY, SAME)).case == "none"


def test_a_long_question_takes_no_long_time():
    start = time.perf_counter()
    assert lessons.words_shared("春夏秋冬" * 250, "冬春夏秋" * 100) == "春夏秋冬春夏秋冬"
    assert time.perf_counter() - start < 10  # far above what is measured: it catches what never ends


def test_words_that_every_question_has_tie_nothing():
    assert lessons.words_shared("What have they made?", "What they have made.") == ""
    assert lessons.words_shared("有什么？", "什么都有。") == ""


def test_scores_stand_side_by_side():
    found = fact("scores", comparison(TWENTY, SAME))
    assert found.case == "positive"
    assert (found.values["score"], found.values["vector"], found.values["candidates"]) == (3.5, 0.9, 20)
    assert found.values["last"] == pytest.approx(0.9 - 0.004 * 19)


def test_a_first_place_below_zero_is_said():
    made = comparison(TWENTY, [place + 20 for place in SAME])
    assert fact("scores", made).case == "negative"


def test_fused_scores_are_not_called_a_cosine():
    assert fact("scores", comparison(TWENTY, SAME, [Expansion("other", "typed")])).case == "fused"


@pytest.mark.parametrize(
    ("relevant", "case"),
    [
        ({"doc-1"}, "left_judged"),
        ({"doc-15"}, "fell_judged"),
        ({"doc-15", "doc-1"}, "left_judged"),
        ({"doc-19"}, "none_judged"),
        (set(), "none_judged"),
        (None, "left"),
    ],
)
def test_harm_is_what_answers_and_fell(relevant, case):
    order = [0, 11, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 14, 16, 15, 17, 18, 19]
    found = fact("harm", comparison(TWENTY, order), relevant)
    assert found.case == case
    if case.startswith("left"):
        assert (found.chunk.id, found.values["before"], found.values["after"]) == ("doc-1", 2, 12)


def test_harm_without_judgments_and_without_a_loss():
    assert fact("harm", comparison(TWENTY, SAME)).case == "none"


def test_expansion_counts_what_the_question_missed():
    other = [Expansion("other", "typed")]
    # The question found every second chunk, the first among them.
    helped = fact("expansion", comparison(TWENTY, SAME, other))
    assert (helped.case, helped.values["queries"], helped.values["new"], helped.chunk.id) == ("helped", 2, 10, "doc-1")
    odd = [0, 10, 1, 11, 2, 12, 3, 13, 4, 14, 5, 15, 6, 16, 7, 17, 8, 18, 9, 19]
    assert fact("expansion", comparison(TWENTY, odd, other)).case == "cost"
    assert fact("expansion", comparison(TWENTY, SAME)).case == "none"


def test_depth_names_how_deep_the_first_places_reach():
    found = fact("depth", moved(17, 3))
    assert (found.case, found.values["before"], found.values["pairs"]) == ("enough", 17, 20)
    assert found.values["milliseconds"] == pytest.approx(20)
    assert fact("depth", comparison(TWENTY, SAME)).case == "all"


def test_judging_counts_the_answers_on_both_sides_of_the_line():
    found = fact("judging", moved(17, 3), {"doc-16", "doc-4", "doc-0"})
    assert found.case == "judged"
    assert found.values == {"relevant": 3, "k": 5, "before": 2, "after": 2}
    assert fact("judging", moved(17, 3), {"elsewhere"}).case == "not_found"
    unjudged = fact("judging", moved(17, 3))
    assert (unjudged.case, unjudged.values["new"]) == ("none", 1)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_comparison_of_few_chunks_has_a_fact_for_everything(count):
    assert len(facts(comparison(TWENTY[:count]), set())) == len(NAMES)
