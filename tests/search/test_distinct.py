"""Chunks with the same words: which stands for them, where it ranks, and how deep is searched."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rag_core.datatypes import Chunk, Ranking
from rag_core.search.distinct import candidates, distinct, firsts, search


def chunk(name: str, text: str, page: int = 1, doc_id: str = "doc") -> Chunk:
    return Chunk(name, doc_id, text, page, 10 * page, 10 * page + len(text))


A, B, C = chunk("a", "Parks were built."), chunk("b", "The tram opened."), chunk("c", "Harvest was good.", 2)
A2, A3 = chunk("a2", "Parks were built.", 3), chunk("a3", "Parks\nwere  built. ", 4)
ELSEWHERE = chunk("e", "Parks were built.", 1, "other")
CHUNKS = [A, B, C, A2, A3]


def ranking(*chunks: Chunk) -> Ranking:
    return Ranking.from_scores("vector", "q", chunks, range(len(chunks), 0, -1))


def test_the_first_stands_for_all_with_its_words_white_space_aside():
    known = firsts(CHUNKS)
    assert {name: first.id for name, first in known.items()} == {"a": "a", "a2": "a", "a3": "a", "b": "b", "c": "c"}
    assert known["a3"].twins == ((3, 30, 47), (4, 40, 59))
    assert known["b"].twins == known["c"].twins == ()


def test_candidates_are_in_reading_order_and_there_once():
    assert candidates(firsts(CHUNKS)) == [A, B, C]
    assert candidates(firsts([B, C])) == [B, C]


def test_the_same_words_in_another_document_are_another_candidate():
    known = firsts([A, ELSEWHERE, A2])
    assert [known[name].id for name in ("a", "e", "a2")] == ["a", "e", "a"]
    assert (known["a"].pages, known["e"].pages) == ((1, 3), (1,))


@pytest.mark.parametrize("name", ["Parks were built", "parks were built.", "Parks were built. The"])
def test_other_words_are_another_candidate(name):
    assert len(candidates(firsts([A, chunk("x", name)]))) == 2


def test_a_candidate_stands_where_the_best_of_its_chunks_stood():
    once = distinct(ranking(B, A3, A, C, A2), firsts(CHUNKS))
    assert [(hit.chunk.id, hit.score) for hit in once.hits] == [("b", 5.0), ("a", 4.0), ("c", 2.0)]
    assert once.hits[1].chunk.pages == (1, 3, 4)
    assert (once.name, once.query) == ("vector", "q")


def test_a_ranking_without_twins_stays_as_it_is():
    given = ranking(C, A, B)
    assert distinct(given, firsts([A, B, C])) == given


def test_the_same_row_below_another_head_is_another_candidate():
    one, same, other = (replace(chunk(name, "Cash 5 4"), head=head) for name, head in zip("xyz", "HHK", strict=True))
    known = firsts([one, same, other])
    assert [known[name].id for name in "xyz"] == ["x", "x", "z"]


class Finding:
    """A search over orders of chunks, with the depths it was asked for."""

    def __init__(self, *orders: list[Chunk]) -> None:
        self.orders, self.asked = orders, []

    def __call__(self, depth: int) -> list[Ranking]:
        self.asked.append(depth)
        return [ranking(*order[:depth]) for order in self.orders]


@pytest.mark.parametrize(
    ("depth", "found", "asked"),
    [
        (1, ["a"], [1]),
        (2, ["a", "b"], [2, 4]),  # the second is a twin of the first
        (3, ["a", "b", "c"], [3, 6]),
        (9, ["a", "b", "c"], [9]),  # there is no more to find
    ],
)
def test_a_search_goes_as_deep_as_there_are_twins(depth, found, asked):
    finding = Finding([A2, A, A3, B, C])
    [once] = search(finding, depth, firsts(CHUNKS))
    assert (once.ids, finding.asked) == (found, asked)


def test_without_twins_each_depth_is_searched_once():
    finding = Finding([C, A, B], [B, C, A])
    assert [once.ids for once in search(finding, 2, firsts([A, B, C]))] == [["c", "a"], ["b", "c"]]
    assert finding.asked == [2]


def test_one_query_that_needs_it_has_all_searched_deeper():
    finding = Finding([A, A2, B, C], [B, C, A, A2], [])
    assert [once.ids for once in search(finding, 2, firsts(CHUNKS))] == [["a", "b"], ["b", "c"], []]
    assert finding.asked == [2, 4]
