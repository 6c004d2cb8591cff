"""Two comparisons of one text, cut alike or not: every partner and every place is known."""

from __future__ import annotations

import pytest

from rag_core.comparing import changes, orders
from rag_core.datatypes import Chunk, Comparison, Ranking, Settings

SENTENCES = [(1, 0, 10), (1, 10, 20), (1, 20, 30), (2, 0, 10), (2, 10, 20)]
WINDOWS = [(1, 0, 20), (1, 15, 30), (2, 0, 20)]


def made(places: list[tuple[int, int, int]], cutoff: int = 2, doc_id: str = "doc") -> Comparison:
    """Rank chunks at these places in this order, after reranking; before it they stood reversed."""
    chunks = [
        Chunk(f"{page}:{start}-{end}", doc_id, "x" * (end - start), page, start, end) for page, start, end in places
    ]
    after = Ranking.from_scores("reranked", "q", chunks, range(len(chunks), 0, -1))
    before = Ranking.from_scores("vector", "q", chunks[::-1], range(len(chunks), 0, -1))
    how, moves, count = Settings(cutoff=cutoff), orders.moves(before, after), len(chunks)
    return Comparison("doc", "q", (), how, before, after, moves, {}, "logit", count, count)


def ids(moves) -> list[str]:
    return [move.chunk.id for move in moves]


def test_the_same_comparison_is_unchanged():
    found = changes.change(made(SENTENCES), made(SENTENCES))
    assert (found.left, found.entered, found.tau, found.alone) == ((), (), 1.0, (0, 0))


def test_a_reversed_order_is_reversed():
    found = changes.change(made(SENTENCES), made(SENTENCES[::-1]))
    assert (ids(found.left), ids(found.entered)) == (["1:0-10", "1:10-20"], ["2:10-20", "2:0-10"])
    assert found.tau == -1.0


def test_the_orders_that_are_compared_are_the_new_ones_of_the_same_cut():
    one, other = made(SENTENCES), made([SENTENCES[n] for n in (1, 0, 2, 3, 4)])
    found = changes.change(one, other)
    assert (found.left, found.entered) == ((), ())
    assert found.tau == pytest.approx(orders.kendall_tau(one.reranked.ids, other.reranked.ids)) == pytest.approx(0.8)


def test_a_window_holds_the_sentences_in_it():
    found = changes.change(made(SENTENCES, cutoff=3), made(WINDOWS, cutoff=1))
    # The only window in the top ends where the third sentence begins.
    assert ids(found.left) == ["1:20-30"]
    assert found.entered == ()


def test_each_chunk_has_one_partner_and_the_most_alike_comes_first():
    pairs = changes.partners(made(SENTENCES).reranked, made(WINDOWS).reranked)
    assert pairs == (("1:0-10", "1:0-20"), ("1:20-30", "1:15-30"), ("2:0-10", "2:0-20"))
    assert changes.change(made(SENTENCES), made(WINDOWS)).alone == (2, 0)


def test_an_exact_partner_goes_before_a_window_around_it():
    one, other = made([(1, 0, 10)]), made([(1, 0, 40), (1, 0, 10)])
    assert changes.partners(one.reranked, other.reranked) == (("1:0-10", "1:0-10"),)


def test_less_than_half_is_no_partner():
    found = changes.change(made([(1, 0, 10)]), made([(1, 6, 16)]))
    assert (ids(found.left), ids(found.entered), found.pairs, found.alone) == (["1:0-10"], ["1:6-16"], (), (1, 1))
    assert found.tau is None


def test_the_same_place_in_another_document_is_another_place():
    assert changes.partners(made(SENTENCES).reranked, made(SENTENCES, doc_id="other").reranked) == ()


def test_thousands_of_chunks_are_matched():
    many = [(page, start, start + 100) for page in range(1, 101) for start in range(0, 2600, 100)]
    found = changes.change(made(many), made(many[::-1]))
    assert (len(found.pairs), found.alone) == (2600, (0, 0))


def twice(place: tuple[int, int, int], *twins: tuple[int, int, int]) -> Comparison:
    """Rank one chunk that stands in several places."""
    page, start, end = place
    chunk = Chunk("twice", "doc", "x" * (end - start), page, start, end, twins=twins)
    ranking = Ranking.from_scores("reranked", "q", [chunk], [1.0])
    return Comparison("doc", "q", (), Settings(), ranking, ranking, orders.moves(ranking, ranking), {}, "logit", 1, 1)


@pytest.mark.parametrize("window", [(1, 0, 20), (2, 5, 25)])
def test_a_window_around_any_place_holds_the_text(window):
    one, other = twice((1, 5, 15), (2, 8, 18)), made([window])
    for first, second in ((one, other), (other, one)):
        found = changes.change(first, second)
        assert (found.left, found.entered, found.alone) == ((), (), (0, 0))


def test_likeness_is_that_of_the_places_most_alike():
    [[chunk], [window], [elsewhere]] = (
        comparison.reranked.chunks
        for comparison in (twice((1, 5, 15), (2, 0, 10)), made([(2, 0, 20)]), made([(3, 0, 9)]))
    )
    assert changes.likeness(chunk, window) == changes.likeness(window, chunk) == 0.5
    assert changes.common(chunk, elsewhere) == 0.0
