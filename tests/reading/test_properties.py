"""What holds for any text and any order: hypothesis looks for the one for which it does not."""

from __future__ import annotations

import csv
import io
import random
from itertools import pairwise

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pages.ui.parts import tables
from rag_core.comparing.orders import kendall_tau, moves, overlap_at, rank_biased_overlap
from rag_core.datatypes import Chunk, Expansion, Hit, Judgment, Page, Ranking, Span
from rag_core.measuring import exchange
from rag_core.measuring.questions import read_questions
from rag_core.reading import chunk
from rag_core.search import fuse

quickly = settings(max_examples=150, deadline=None, derandomize=True, database=None)

# Chunking

WORDS = ["a", "Mr.", "No. 5", "U.S.", "word", "1.", "3.14", "收入", "增长", "的", "𠀀", "é", "🙂", "2024年", "e.g."]
MARKS = [
    *"，。！？；：、…—“”‘’（）()[]\"',.;:!?-",
    "...",
    "……",
    "。”",
    " ",
    "  ",
    "\n",
    "\n\n",
    "\t",
    "\u3000",
    "\u00a0",
    "\u2028",
]
texts = st.lists(st.one_of(st.sampled_from(WORDS), st.sampled_from(MARKS), st.text(max_size=8)), max_size=120).map(
    "".join
)
cuts = st.one_of(
    st.just(("clause", 300, 60)),
    st.just(("sentence", 300, 60)),
    st.tuples(st.just("window"), st.integers(50, 120), st.integers(0, 49)),
)


def uncovered(text: str, chunks: list[Chunk]) -> str:
    """Return the characters that stand in no chunk."""
    covered = {place for piece in chunks for place in range(piece.start, piece.end)}
    return "".join(character for place, character in enumerate(text) if place not in covered)


@quickly
@given(st.lists(texts, max_size=3), cuts)
def test_a_chunk_is_words_of_one_page_and_has_a_number_of_its_own(pages, cut):
    by_number = {number: text for number, text in enumerate(pages, start=1)}
    chunks = chunk.split([Page(*page) for page in by_number.items()], *cut, doc_id="doc")
    for piece in chunks:
        assert piece.text == by_number[piece.page][piece.start : piece.end]
        assert piece.text == piece.text.strip() != ""
    assert [int(piece.id[-5:]) for piece in chunks] == list(range(1, len(chunks) + 1))
    places = [(piece.page, piece.start, piece.end) for piece in chunks]
    assert places == sorted(set(places))


@quickly
@given(texts)
def test_clauses_lose_nothing_but_the_marks_between_them_and_share_nothing(text):
    chunks = chunk.split([Page(1, text)], "clause")
    assert uncovered(text, chunks).translate(dict.fromkeys(map(ord, "，。！？"))).strip() == ""
    assert all(first.end < second.start for first, second in pairwise(chunks))


@quickly
@given(texts)
def test_sentences_lose_no_letter_and_share_none(text):
    chunks = chunk.split([Page(1, text)], "sentence")
    assert not any(map(str.isalnum, uncovered(text, chunks)))
    assert all(first.end <= second.start for first, second in pairwise(chunks))


@quickly
@given(texts, st.integers(50, 120), st.integers(0, 49))
def test_windows_lose_no_letter_keep_their_size_and_share_no_more_than_the_overlap(text, size, overlap):
    chunks = chunk.split([Page(1, text)], "window", size, overlap)
    assert not any(map(str.isalnum, uncovered(text, chunks)))
    assert all(len(piece.text) <= size for piece in chunks)
    for first, second in pairwise(chunks):
        assert first.end < second.end
        assert first.end - second.start <= overlap


# Fusion

CHUNKS = [Chunk(f"c{number}", "doc", f"text {number}", 1, number, number + 1) for number in range(12)]
orders = st.permutations(CHUNKS).flatmap(lambda order: st.integers(1, len(order)).map(lambda count: order[:count]))


def ranking(number: int, order: list[Chunk]) -> Ranking:
    return Ranking("vector", f"q{number}", tuple(Hit(piece, 1 - 0.05 * place) for place, piece in enumerate(order)))


many_rankings = st.lists(orders, min_size=2, max_size=6).map(lambda found: list(map(ranking, range(len(found)), found)))


def by_score(fused: Ranking) -> list[tuple[float, str]]:
    return sorted((-hit.score, hit.chunk.id) for hit in fused.hits)


@quickly
@given(many_rankings)
def test_fusion_keeps_every_candidate_once_in_descending_order(rankings):
    fused = fuse.fuse(rankings)
    assert sorted(fused.ids) == sorted({chunk_id for one in rankings for chunk_id in one.ids})
    scores = [hit.score for hit in fused.hits]
    assert scores == sorted(scores, reverse=True)


@quickly
@given(many_rankings, st.randoms(use_true_random=False))
def test_fusion_does_not_ask_which_query_came_first(rankings, rng: random.Random):
    mixed = rng.sample(rankings, len(rankings))
    assert by_score(fuse.fuse(mixed)) == by_score(fuse.fuse(rankings))


@quickly
@given(many_rankings)
def test_who_stands_higher_in_every_ranking_stands_higher_in_the_fused_one(rankings):
    fused = fuse.fuse(rankings)
    ranks = {piece.id: [one.rank_of(piece.id) or 1000 for one in rankings] for piece in fused.chunks}
    for place, better in enumerate(fused.ids):
        for worse in fused.ids[:place]:
            assert not all(b < w for b, w in zip(ranks[better], ranks[worse], strict=True))


@quickly
@given(many_rankings)
def test_the_ledger_gives_every_ranking_back(rankings):
    expansions = [Expansion(one.query, "typed") for one in rankings[1:]]
    ledger = fuse.record(rankings, expansions)
    chunks = {piece.id: piece for piece in CHUNKS}
    assert fuse.rankings(ledger, chunks, [one.query for one in rankings]) == rankings


# Comparing

pairs = st.integers(0, 15).flatmap(lambda count: st.tuples(*[st.permutations([f"c{n}" for n in range(count)])] * 2))


@quickly
@given(st.permutations(CHUNKS), st.permutations(CHUNKS))
def test_moves_are_a_permutation_and_what_one_gains_others_lose(before, after):
    placed = moves(ranking(0, before), ranking(1, after))
    assert [move.after for move in placed] == list(range(1, len(CHUNKS) + 1))
    assert sorted(move.before for move in placed) == list(range(1, len(CHUNKS) + 1))
    assert sum(move.delta for move in placed) == 0
    assert [move.chunk for move in placed] == after


@quickly
@given(pairs, st.integers(1, 20))
def test_agreement_keeps_its_bounds_and_is_mutual(pair, k):
    first, second = pair
    tau, back = kendall_tau(first, second), kendall_tau(second, first)
    assert tau == back
    assert tau is None or -1 <= tau <= 1
    assert 0 <= overlap_at(first, second, k) == overlap_at(second, first, k) <= 1
    overlap = rank_biased_overlap(first, second)
    assert -1e-12 <= overlap <= 1 + 1e-12
    assert overlap == pytest.approx(rank_biased_overlap(second, first))


@quickly
@given(pairs, st.integers(1, 20))
def test_an_order_agrees_with_itself_entirely_and_with_its_reverse_not_at_all(pair, k):
    first, _ = pair
    assert kendall_tau(first, first) == (1 if len(first) > 1 else None)
    assert kendall_tau(first, first[::-1]) == (-1 if len(first) > 1 else None)
    assert overlap_at(first, first, k) == 1
    assert rank_biased_overlap(first, first) == pytest.approx(1)


# Files for spreadsheets

HOSTILE = [
    *'",;-\\',
    "=1+1",
    "+A1",
    "-2",
    "@SUM(A1)",
    "＝1",
    "'=1",
    "''=1",
    "\t=1",
    "\r=1",
    "\n=1",
    " =1",
    '""',
    "'",
    "a\rb",
    "a\r\nb",
    "a\nb",
    "\u2028=1",
    "\u00a0=1",
    "\ufeff=1",
    "=cmd|' /C calc'!A0",
    "--",
    "\x1b",
]
cells = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=12), st.lists(st.sampled_from(HOSTILE)).map("".join))


def read(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


@quickly
@given(cells)
def test_no_cell_starts_a_formula_and_the_guard_comes_off_again(cell):
    guarded = exchange.harmless(cell)
    assert guarded.lstrip()[:1] not in exchange.DANGEROUS
    assert guarded[:1] not in ("\t", "\r", "\n")
    assert exchange.unharmed(guarded) == cell


@quickly
@given(st.lists(st.tuples(cells, st.integers(-1000, 1000)), min_size=1, max_size=6))
def test_a_table_is_read_back_as_it_was_written(rows):
    table = pd.DataFrame(rows, columns=["text", "number"])
    header, *found = read(tables.as_csv(table))
    assert header == ["text", "number"]
    assert [(exchange.unharmed(text), int(number)) for text, number in found] == rows


@quickly
@given(st.lists(st.lists(cells, min_size=2, max_size=2), max_size=6))
def test_a_sheet_is_read_back_as_it_was_written(rows):
    _, *found = read(exchange.write_csv(["a", "b"], rows))
    assert [[exchange.unharmed(cell) for cell in row] for row in found] == rows


without_nul = cells.map(lambda cell: cell.replace("\0", ""))
written = without_nul.filter(str.strip)
questions = written.map(lambda text: " ".join(text.split()))
judgments = st.builds(
    Judgment, questions, st.builds(Span, st.integers(0, 999), st.just(0), written), st.integers(0, 2), without_nul
)


@quickly
@given(st.lists(judgments, max_size=5, unique=True), st.lists(questions, max_size=3))
def test_judgments_are_read_back_as_they_were_written(made, more):
    asked = list(dict.fromkeys([*(one.question for one in made), *more]))
    found = read_questions(exchange.write_judgments({text: number for number, text in enumerate(asked)}, made))
    assert found.judgments == tuple(made)
    assert set(found.questions) == set(asked)
