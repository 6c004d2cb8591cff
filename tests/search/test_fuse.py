from dataclasses import replace

import pytest

from rag_core.datatypes import Chunk, Expansion, Found, Ranking
from rag_core.search.fuse import fuse, rankings, record

CHUNKS = {name: Chunk(name, "doc", name, 1, 0, 1) for name in "abcd"}


def ranking(query: str, **scores: float) -> Ranking:
    return Ranking.from_scores("vector", query, [CHUNKS[name] for name in scores], scores.values())


QUESTION = ranking("question", a=0.9, b=0.8, c=0.7)
PARAPHRASE = ranking("paraphrase", b=0.6, d=0.5)


def test_a_single_ranking_is_the_cosine_order_as_it_was():
    assert fuse([QUESTION]) is QUESTION


def test_scores_are_the_sums_of_reciprocal_ranks():
    scores = {hit.chunk.id: hit.score for hit in fuse([QUESTION, PARAPHRASE]).hits}
    assert scores == pytest.approx({"b": 1 / 62 + 1 / 61, "a": 1 / 61, "d": 1 / 62, "c": 1 / 63})


def test_the_union_has_no_duplicates_and_is_sorted():
    assert fuse([QUESTION, PARAPHRASE]).ids == ["b", "a", "d", "c"]


def test_the_fused_ranking_says_so_and_keeps_the_question():
    found = fuse([QUESTION, PARAPHRASE])
    assert (found.name, found.query) == ("fused", "question")


def test_equal_sums_keep_the_order_of_the_question():
    assert fuse([ranking("question", a=2, b=1), ranking("paraphrase", b=2, a=1)]).ids == ["a", "b"]


def test_a_smaller_k_gives_the_first_ranks_more_weight():
    found = fuse([ranking("q", a=3, b=2, c=1), ranking("p", c=3, d=2), ranking("r", b=9)], k=1)
    assert [(hit.chunk.id, hit.score) for hit in found.hits] == [
        ("b", pytest.approx(1 / 3 + 1 / 2)),
        ("c", pytest.approx(1 / 4 + 1 / 2)),
        ("a", pytest.approx(1 / 2)),
        ("d", pytest.approx(1 / 3)),
    ]


def test_the_ledger_names_every_query_that_found_a_chunk():
    ledger = record([QUESTION, PARAPHRASE], [Expansion("paraphrase", "typed")])
    assert ledger["b"] == (Found("question", "question", 2, 0.8), Found("paraphrase", "typed", 1, 0.6))
    assert ledger["d"] == (Found("paraphrase", "typed", 2, 0.5),)
    assert ledger.keys() == {"a", "b", "c", "d"}


def test_the_ledger_needs_an_origin_for_every_ranking():
    with pytest.raises(KeyError, match="paraphrase"):
        record([QUESTION, PARAPHRASE], [])


def test_the_rankings_come_back_from_the_ledger_as_they_were():
    recorded = record([QUESTION, PARAPHRASE], [Expansion("paraphrase", "typed")])
    chunks = {chunk.id: chunk for made in (QUESTION, PARAPHRASE) for chunk in made.chunks}
    assert rankings(recorded, chunks, ["question", "paraphrase"]) == [QUESTION, PARAPHRASE]
    assert rankings(recorded, chunks, ["question"]) == [QUESTION]


def test_the_rankings_of_both_first_stages_come_back_apart():
    words = replace(QUESTION, name="bm25", hits=QUESTION.hits[::-1])
    recorded = record([QUESTION, PARAPHRASE, words], [Expansion("paraphrase", "typed")])
    chunks = {chunk.id: chunk for made in (QUESTION, PARAPHRASE) for chunk in made.chunks}
    assert rankings(recorded, chunks, ["question", "paraphrase"]) == [QUESTION, PARAPHRASE, words]
