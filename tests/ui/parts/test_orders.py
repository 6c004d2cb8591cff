"""What the two linked tables are given to show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
import streamlit as st
from comparisons import comparison

from pages.ui.parts import orders, sentences
from pages.ui.shell.i18n import t
from rag_core.datatypes import Chunk, Comparison, FirstStage, Judgment, Part, Span
from rag_core.models.baseline import Baseline
from rag_core.sharing.replay import Replay, Source

TEXTS = ["Alpha one.", "Beta two.", "Gamma three.", "Delta four."]
AFTER = [2, 0, 1, 3]


@pytest.fixture(autouse=True, params=["en", "zh"])
def language(request, monkeypatch):
    monkeypatch.setitem(st.session_state, "lang", request.param)
    return request.param


def replay(of: Comparison, judgments: tuple[Judgment, ...] = (), **unrelated: float) -> Replay:
    baselines = {model: Baseline(("",), (score,)) for model, score in unrelated.items()}
    nothing = {"embedder": None, "reranker": None}
    return Replay(of, Source("doc", "doc", "en", 1), "", {}, {}, None, nothing | baselines, judgments=judgments)


def judged(of: Comparison, number: int, quote: str) -> Judgment:
    chunk = of.before.chunks[number]
    return Judgment("question", Span(chunk.page, chunk.text.index(quote), quote, "doc"), 2)


def bars(given: dict) -> list[list[float]]:
    return [[row["bar"] for row in side["rows"]] for side in given["sides"]]


def test_both_sides_hold_every_candidate_best_first():
    given = comparison(TEXTS, after=AFTER)
    drawn = orders.data(replay(given), None)
    ids = [[row["id"] for row in side["rows"]] for side in drawn["sides"]]
    assert ids == [given.before.ids, given.reranked.ids]
    assert set(drawn["chunks"]) == set(given.before.ids)
    assert [row["score"] for row in drawn["sides"][0]["rows"]] == ["0.900", "0.896", "0.892", "0.888"]


def test_a_bar_begins_at_what_unrelated_texts_get_and_the_best_is_longest():
    drawn = orders.data(replay(comparison(TEXTS, after=AFTER), embedder=0.896, reranker=2.5), None)
    assert bars(drawn)[0] == [1, 0, 0, 0]
    assert bars(drawn)[1] == [1, 0.75, 0.5, 0.25]
    assert drawn["sides"][1]["start"] == t("orders.start", start="2.50")


def test_a_scale_whose_zero_says_nothing_has_no_bars():
    assert bars(orders.data(replay(comparison(TEXTS)), None))[1] == [0, 0, 0, 0]


def test_where_all_are_below_what_is_unrelated_there_is_no_bar():
    assert bars(orders.data(replay(comparison(TEXTS), reranker=99.0), None))[1] == [0, 0, 0, 0]


def test_each_side_has_its_own_unit():
    named = [
        orders.data(replay(comparison(TEXTS, first_stage=stage)), None)["sides"][0]["unit"] for stage in FirstStage
    ]
    assert len(set(named)) == 3


def test_a_cutoff_beyond_the_last_chunk_stands_at_the_last():
    assert orders.data(replay(comparison(TEXTS, cutoff=9)), None)["cutoff"] == 4


def test_a_comparison_has_one_name_whatever_is_picked_judged_or_cut(language):
    given = comparison(TEXTS, after=AFTER)
    plain = orders.data(replay(given), None)
    changed = orders.data(replay(given.cut_at(2), (judged(given, 0, "Alpha"),)), "doc-1")
    assert plain["name"] == changed["name"]
    assert plain["drawn"] != changed["drawn"], "a grade is drawn in the rows"
    assert orders.data(replay(comparison(TEXTS)), None)["name"] != plain["name"]


def texts_shown(given: Comparison) -> list[str]:
    chunks = orders.data(replay(given), None)["chunks"]
    return ["".join(words for words, _ in chunks[name]["runs"]) for name in given.before.ids]


def paged(texts: list[str], after: Sequence[int] = ()) -> Comparison:
    """Return a comparison whose chunks stand on a page each."""
    given = comparison(texts, after=after or range(len(texts)))
    pages = {chunk.id: replace(chunk, page=number) for number, chunk in enumerate(given.before.chunks, start=1)}
    moves = tuple(replace(move, chunk=pages[move.chunk.id]) for move in given.moves)
    before = replace(given.before, hits=tuple(replace(hit, chunk=pages[hit.chunk.id]) for hit in given.before.hits))
    return replace(given, moves=moves, before=before)


def test_running_heads_are_left_out_of_what_is_shown():
    texts = [f"City Report · page {number}\n{text}" for number, text in enumerate(TEXTS[:3], start=1)]
    assert texts_shown(paged([*texts, "A line\nof its own"])) == [*TEXTS[:3], "A line of its own"]


def test_what_two_pages_have_in_common_stays():
    assert texts_shown(paged(["Head\nOne.", "Head\nTwo."])) == ["Head One.", "Head Two."]


def test_a_chunk_that_is_nothing_but_a_head_is_shown():
    assert texts_shown(paged(["Head\nHead"] * 3)) == ["Head Head"] * 3


def test_a_long_chunk_is_shown_from_its_best_part():
    given = comparison(["First part. Second part."])
    [move] = given.moves
    text = orders.shown(replace(move, part=Part(12, 24, 2)), frozenset())
    assert text == "… Second part."


def test_words_of_the_question_are_marked():
    runs = list(orders.runs("Tax revenue: the budget", "What is the TAX?"))
    assert runs == [("Tax", True), (" revenue: the budget", False)]


def test_nothing_is_marked_where_nothing_is_shared():
    assert list(orders.runs("全市粮食产量", "revenue")) == [("全市粮食产量", False)]


def test_the_sentence_tells_of_the_chunk_that_answers_and_quotes_it():
    given = paged(TEXTS, AFTER)
    outcome = {
        number: sentences.outcome(replay(given, (judged(given, number, TEXTS[number][:5]),))) for number in range(4)
    }
    assert outcome[1][0] == t("outcome.rose", before=2, after=1)
    assert outcome[0][0] == t("outcome.fell", before=1, after=3)
    assert outcome[3][0] == t("outcome.stayed", before=4, after=4)
    assert "Alpha" in outcome[0][1] and "Alpha one" not in outcome[0][1]


def test_the_sentence_tells_of_the_first_chunk_that_answers():
    given = paged(TEXTS, AFTER)
    both = tuple(judged(given, number, TEXTS[number]) for number in (0, 2))
    assert sentences.outcome(replay(given, both))[0] == t("outcome.fell", before=1, after=2)


def test_without_judgments_the_sentence_counts_what_is_new():
    given = comparison(TEXTS, after=AFTER, cutoff=2)
    wrong = Judgment("question", Span(1, 0, TEXTS[0], "doc"), 0)
    assert sentences.outcome(replay(given)) == sentences.headline(given)
    assert sentences.outcome(replay(given, (wrong,))) == sentences.headline(given)


def test_a_moved_cutoff_counts_anew():
    given = comparison(TEXTS, after=AFTER)
    assert [len(given.cut_at(k).entered) for k in (1, 2, 3, 4)] == [1, 1, 0, 0]


def test_running_heads_are_those_of_one_document():
    chunks = [Chunk(f"c{n}", f"doc-{n}", f"Head\nText {n}.", n, 0, 9) for n in (1, 2, 3)]
    assert orders.running_heads(chunks) == frozenset()
