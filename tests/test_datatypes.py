from dataclasses import replace

import pytest

from rag_core.datatypes import Chunk, ChunkSettings, Comparison, Hit, Move, Part, Ranking, Settings


def chunk(name: str) -> Chunk:
    return Chunk(name, "doc", f"text of {name}", 1, 0, 9)


A, B, C, D = map(chunk, "abcd")


def ranking(chunks: list[Chunk]) -> Ranking:
    return Ranking.from_scores("vector", "q", chunks, range(len(chunks), 0, -1))


def move(chunk: Chunk, before: int, after: int) -> Move:
    return Move(chunk, before, after, 0.5, 1.5)


def comparison(moves: tuple[Move, ...], cutoff: int) -> Comparison:
    before = [move.chunk for move in sorted(moves, key=lambda move: move.before)]
    after = [move.chunk for move in moves]
    how = Settings(cutoff=cutoff)
    return Comparison("doc", "q", (), how, ranking(before), ranking(after), moves, {}, "logit", len(moves), len(moves))


def test_ranking_sorts_highest_score_first():
    assert Ranking.from_scores("vector", "q", [A, B, C], [0.1, 0.9, 0.5]).ids == ["b", "c", "a"]


def test_equal_scores_keep_the_order_they_came_in():
    assert Ranking.from_scores("vector", "q", [C, A, D, B], [1.0, 2.0, 1.0, 2.0]).ids == ["a", "b", "c", "d"]


def test_every_score_stays_with_its_chunk():
    assert Ranking.from_scores("vector", "q", [A, B], [-3, 4]).hits == (Hit(B, 4.0), Hit(A, -3.0))


def test_a_score_too_few_is_refused():
    with pytest.raises(ValueError, match="shorter"):
        Ranking.from_scores("vector", "q", [A, B], [1.0])


def test_ranks_start_at_one_and_a_stranger_has_none():
    found = ranking([B, A])
    assert [found.rank_of(name) for name in ("b", "a", "c")] == [1, 2, None]


def test_top_is_the_beginning_and_never_more_than_there_is():
    found = ranking([B, A, C])
    assert [hit.chunk for hit in found.top(2)] == [B, A]
    assert len(found.top(9)) == len(found) == 3


@pytest.mark.parametrize(("before", "after", "delta"), [(9, 2, 7), (2, 9, -7), (3, 3, 0)])
def test_delta_is_positive_upwards(before, after, delta):
    assert move(A, before, after).delta == delta


def test_entered_and_left_are_what_crossed_the_cutoff():
    moves = (move(C, 3, 1), move(A, 1, 2), move(D, 4, 3), move(B, 2, 4))
    found = comparison(moves, cutoff=2)
    assert [move.chunk for move in found.entered] == [C]
    assert [move.chunk for move in found.left] == [B]


def test_entered_follows_the_new_order_and_left_the_old():
    moves = (move(D, 4, 1), move(C, 3, 2), move(B, 2, 3), move(A, 1, 4))
    found = comparison(moves, cutoff=2)
    assert [move.chunk for move in found.entered] == [D, C]
    assert [move.chunk for move in found.left] == [A, B]


def test_nothing_crosses_a_cutoff_behind_the_last():
    found = comparison((move(B, 2, 1), move(A, 1, 2)), cutoff=5)
    assert found.entered == found.left == ()


def test_size_and_overlap_are_part_of_a_window_alone():
    assert ChunkSettings("window", 200, 40).key == "window-200-40"
    assert ChunkSettings("clause", 200, 40).key == "clause"


TWICE = Chunk("t", "doc", "ten chars.", 5, 20, 30, twins=((13, 0, 10), (13, 40, 51)))


def test_a_chunk_names_every_page_of_its_words_once():
    assert TWICE.places == ((5, 20, 30), (13, 0, 10), (13, 40, 51))
    assert (TWICE.pages, A.pages) == ((5, 13), (1,))


@pytest.mark.parametrize(
    ("span", "share"),
    [((5, 20, 30), 1.0), ((13, 5, 15), 0.5), ((13, 46, 56), 0.5), ((5, 0, 10), 0.0), ((6, 20, 30), 0)],
)
def test_of_several_places_the_one_that_shares_most_counts(span, share):
    assert TWICE.shares(*span) == share


HEADED = replace(A, head="Item\t2024")


def test_models_read_the_head_and_then_the_text():
    assert HEADED.passage == "Item\t2024\ntext of a" and A.passage == A.text
    assert HEADED.under_head("x") == "Item\t2024\nx" and A.under_head("x") == "x"


@pytest.mark.parametrize(("read", "words"), [((10, 14), "text"), ((0, 14), "text"), ((15, 19), "of a"), ((0, 9), "t")])
def test_a_part_of_what_was_read_is_a_part_of_the_text(read, words):
    [hit] = Ranking.from_scores("reranked", "q", [HEADED], [1.0], [Part(*read, 2)]).hits
    assert hit.part.words(HEADED.text) == words and hit.part.of == 2


def test_without_a_head_a_part_stays_where_it_is():
    assert Ranking.from_scores("reranked", "q", [A], [1.0], [Part(5, 7, 2)]).hits[0].part == Part(5, 7, 2)
    assert Ranking.from_scores("reranked", "q", [HEADED], [1.0], [None]).hits[0].part is None
