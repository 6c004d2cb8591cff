from __future__ import annotations

from dataclasses import replace

import pytest

from rag_core.datatypes import Chunk, Document, Judgment, Page, Span
from rag_core.measuring.judge import apply, latest, locate, span_of

TEXT = "Revenue grew by 8%. Parks were built. Revenue grew by 8%. The tram opened."
PAGES = [Page(1, TEXT), Page(2, "Harvest was good.\nThe bridge is\nplanned."), Page(3, "Parks were built.")]
DOCUMENTS = [Document("doc", "report.pdf", "en", tuple(PAGES))]
SENTENCE = Span(1, 20, "Parks were built.")


def chunk(start: int, end: int, page: int = 1, name: str = "c") -> Chunk:
    return Chunk(name, "doc", PAGES[page - 1].text[start:end], page, start, end)


def judged(*judgments: tuple[Span, int, str], question: str = "q") -> list[Judgment]:
    return [Judgment(question, span, grade, judge) for span, grade, judge in judgments]


def test_a_span_is_found_where_it_stood():
    assert locate(SENTENCE, PAGES) == (1, 20, 37)


def test_of_two_places_on_the_page_the_nearer_one_counts():
    assert locate(Span(1, 0, "Revenue grew by 8%."), PAGES) == (1, 0, 19)
    assert locate(Span(1, 44, "Revenue grew by 8%."), PAGES) == (1, 38, 57)


def test_another_reading_may_break_lines_elsewhere():
    assert locate(Span(2, 18, "The bridge is planned."), PAGES) == (2, 18, 40)


def test_words_that_wandered_are_found_on_the_nearest_page():
    assert locate(Span(4, 0, "Parks were built."), PAGES) == (3, 0, 17)


def test_a_span_without_a_page_is_looked_for_everywhere():
    assert locate(Span(0, 0, "The bridge is planned."), PAGES) == (2, 18, 40)


COPIED = "The “oﬃcial” ﬁnding – repre-\nsented by ６０００亿元，增长 8.2 % – was signi\u00adficant."


@pytest.mark.parametrize(
    ("quote", "stands"),
    [
        ('"official"', "“oﬃcial”"),
        ("official” ﬁnding", "oﬃcial” ﬁnding"),
        ("finding - represented", "ﬁnding – repre-\nsented"),
        ("repre- sented", "repre-\nsented"),
        ("6000亿元,增长8.2%", "６０００亿元，增长 8.2 %"),
        ("significant.", "signi\u00adficant."),
        ("was signifi-\ncant", "was signi\u00adficant"),
        ("zero\u200bwidth repre", None),
        ("6000万元", None),
        ("-8.2 %", None),
    ],
)
def test_a_quote_as_a_viewer_copies_it_is_found_in_its_place(quote, stands):
    found = locate(Span(1, 0, quote), [Page(1, COPIED)])
    assert (COPIED[found[1] : found[2]] if found else None) == stands


@pytest.mark.parametrize("quote", ["Nobody wrote this.", " \n", ""])
def test_words_that_are_gone_are_not_found(quote):
    assert locate(Span(1, 0, quote), PAGES) is None


@pytest.mark.parametrize(
    ("start", "end", "found"),
    [(20, 37, 1.0), (0, 57, 1.0), (20, 25, 1.0), (0, 28, 8 / 17), (0, 29, 9 / 17), (0, 20, 0.0), (38, 57, 0.0)],
)
def test_share_is_that_of_the_shorter(start, end, found):
    assert chunk(start, end).shares(1, 20, 37) == pytest.approx(found)


def test_a_span_counts_for_a_chunk_that_shares_half_of_it():
    whole, half, less = chunk(0, 57, name="whole"), chunk(0, 29, name="half"), chunk(0, 28, name="less")
    found = apply(judged((SENTENCE, 2, "")), DOCUMENTS, [whole, half, less, chunk(0, 17, page=3, name="elsewhere")])
    assert found.qrels == {"q": {"whole": 2, "half": 2}}


def test_judging_a_chunk_judges_its_words():
    piece = chunk(20, 37)
    assert span_of(piece) == replace(SENTENCE, doc_id="doc")
    assert apply([Judgment("q", span_of(piece), 1)], DOCUMENTS, [piece]).qrels == {"q": {"c": 1}}


def test_of_several_spans_in_a_chunk_the_best_counts():
    other = Span(1, 0, "Revenue grew by 8%.")
    found = apply(judged((SENTENCE, 0, ""), (other, 2, "")), DOCUMENTS, [chunk(0, 57)])
    assert found.qrels == {"q": {"c": 2}}


def test_a_judge_may_think_again():
    again = judged((SENTENCE, 2, "a"), (SENTENCE, 0, "a"))
    assert latest(again) == again[1:]
    assert apply(again, DOCUMENTS, [chunk(20, 37)]).qrels == {"q": {"c": 0}}


@pytest.mark.parametrize(("grades", "found"), [((0, 2), 0), ((1, 2), 1), ((2, 2), 2), ((0, 1, 2), 1), ((2, 2, 0), 2)])
def test_of_several_judges_the_lower_median_counts(grades, found):
    several = judged(*((SENTENCE, grade, f"judge {n}") for n, grade in enumerate(grades)))
    assert apply(several, DOCUMENTS, [chunk(20, 37)]).qrels == {"q": {"c": found}}


def test_disagreement_is_counted():
    several = judged((SENTENCE, 0, "a"), (SENTENCE, 2, "b"), (Span(1, 38, "Revenue grew by 8%."), 1, "a"))
    assert apply(several, DOCUMENTS, [chunk(20, 37, name="one"), chunk(38, 57, name="two")]).disputed == 1


def test_lost_words_are_listed_and_not_dropped_in_silence():
    gone = Judgment("q", Span(2, 0, "Nobody wrote this."), 2)
    found = apply([gone, *judged((SENTENCE, 1, ""))], DOCUMENTS, [chunk(20, 37)])
    assert (found.lost, found.qrels) == ((gone,), {"q": {"c": 1}})


def test_only_questions_with_a_relevant_chunk_can_be_measured():
    judgments = [Judgment("yes", SENTENCE, 1), Judgment("no", SENTENCE, 0)]
    assert apply(judgments, DOCUMENTS, [chunk(20, 37)]).answerable == ["yes"]


REVENUE = chunk(0, 19, name="first"), chunk(38, 57, name="second")


@pytest.mark.parametrize("start", [0, 38])
def test_a_judgment_of_any_place_counts_for_the_candidate(start):
    candidate = replace(REVENUE[0], twins=((1, 38, 57),))
    found = apply(judged((Span(1, start, "Revenue grew by 8%."), 2, "")), DOCUMENTS, [candidate, chunk(20, 37)])
    assert found.qrels == {"q": {"first": 2}}


def test_a_judge_who_graded_both_places_is_counted_once_and_the_better_grade_stands():
    candidate = replace(REVENUE[0], twins=((1, 38, 57),))
    spans = [(Span(1, 0, "Revenue grew by 8%."), 0, "a"), (Span(1, 38, "Revenue grew by 8%."), 2, "a")]
    found = apply(judged(*spans), DOCUMENTS, [candidate])
    assert (found.qrels, found.disputed) == ({"q": {"first": 2}}, 0)
