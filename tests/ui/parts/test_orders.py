"""The two linked tables: what the browser is given to draw, on comparisons made by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
import streamlit as st
from comparisons import chunk, comparison, replay_of

from pages.ui.parts import orders
from pages.ui.shell.i18n import texts
from rag_core.datatypes import Comparison, Expansion, Judgment, Part, Span
from rag_core.models.baseline import Baseline

TEXTS = ["Alpha one.", "Beta two.", "Gamma three.", "Delta four."]


@pytest.fixture(autouse=True, params=["en", "zh"])
def language(request, monkeypatch):
    monkeypatch.setitem(st.session_state, "lang", request.param)
    return request.param


def drawn(made: Comparison, picked: str | None = None, **how: Any) -> dict[str, Any]:
    return orders.data(replay_of(made, **how), picked)


def baselines(cosine: float, logit: float) -> Mapping[str, Baseline]:
    return {"embedder": Baseline((), (cosine,)), "reranker": Baseline((), (logit,))}


def words(data: dict[str, Any], chunk_id: str) -> str:
    return "".join(text for text, _ in data["chunks"][chunk_id]["runs"])


@pytest.mark.parametrize("side", [0, 1])
def test_a_table_keeps_its_ranking_and_its_scores(side):
    given = comparison(TEXTS, after=[2, 0, 1, 3])
    ranking, data = given.ranking(("vector", "reranked")[side]), drawn(given)
    rows = data["sides"][side]["rows"]
    assert [row["id"] for row in rows] == list(ranking.ids)
    digits = (3, 2)[side]
    assert [row["score"] for row in rows] == [f"{hit.score:.{digits}f}" for hit in ranking.hits]
    assert [words(data, row["id"]) for row in rows] == [hit.chunk.text for hit in ranking.hits]


def test_both_tables_hold_the_same_candidates():
    first, second = drawn(comparison(TEXTS, after=[2, 0, 1, 3]))["sides"]
    assert sorted(row["id"] for row in first["rows"]) == sorted(row["id"] for row in second["rows"])
    assert first["rows"] != second["rows"]


def test_each_side_names_its_ranking_and_its_scale(language):
    said = texts(language)
    vector, reranked = drawn(comparison(TEXTS))["sides"]
    assert (vector["title"], vector["unit"]) == (said["result.vector"], said["table.cosine"])
    assert (reranked["title"], reranked["unit"]) == (said["result.reranked"], "logit")
    fused = drawn(comparison(TEXTS, expansions=[Expansion("x", "typed")]))["sides"][0]
    assert (fused["title"], fused["unit"]) == (said["result.fused"], said["table.rrf"])


def test_bars_begin_at_what_unrelated_texts_get_and_the_best_is_the_longest():
    vector, reranked = drawn(comparison(TEXTS), baselines=baselines(0.894, 2.9))["sides"]
    assert [row["bar"] for row in vector["rows"]] == pytest.approx([1, 1 / 3, 0, 0])
    assert [row["bar"] for row in reranked["rows"]] == pytest.approx([1, 7 / 12, 1 / 6, 0])
    assert "0.894" in vector["start"] and "2.90" in reranked["start"]


def test_below_the_baseline_nothing_has_a_bar():
    for side in drawn(comparison(TEXTS), baselines=baselines(0.95, 9.0))["sides"]:
        assert [row["bar"] for row in side["rows"]] == [0.0] * 4


def test_without_a_baseline_bars_begin_at_zero_and_logits_have_none():
    vector, reranked = drawn(comparison(TEXTS))["sides"]
    assert vector["rows"][0]["bar"] == 1.0 and vector["rows"][3]["bar"] == pytest.approx(0.888 / 0.9)
    assert [row["bar"] for row in reranked["rows"]] == [0.0] * 4
    assert "0.000" in vector["start"] and reranked["start"] == ""


def test_a_text_stands_on_one_line():
    assert words(drawn(comparison(["two\n  lines\tand tabs"])), "doc-0") == "two lines and tabs"


def test_a_text_that_no_row_could_show_is_cut():
    text = words(drawn(comparison(["word " * 200])), "doc-0")
    assert text.endswith("…") and len(text) <= orders.COLUMNS_SHOWN + 1


def test_the_words_that_the_question_has_too_are_marked():
    given = replace(comparison(["Taxes and TAX revenue.", "Nothing of it."]), query="How much tax revenue is it?")
    shown = drawn(given)["chunks"]
    assert [list(run) for run in shown["doc-0"]["runs"]] == [
        ["Taxes and ", False],
        ["TAX", True],
        [" ", False],
        ["revenue", True],
        [".", False],
    ]
    assert [list(run) for run in shown["doc-1"]["runs"]] == [["Nothing of it.", False]]


def test_han_is_marked_by_two_characters_and_more():
    given = replace(comparison(["财政收入增长8.2%。", "收成入库。"]), query="财政收入增长了多少？")
    shown = drawn(given)["chunks"]
    assert [text for text, marked in shown["doc-0"]["runs"] if marked] == ["财政收入增长"]
    assert [text for text, marked in shown["doc-1"]["runs"] if marked] == []


def paged(texts_: list[str]) -> Comparison:
    """Return a comparison of chunks that stand on a page each."""
    given = comparison(texts_)
    chunks = {number: replace(chunk(number, text), page=number + 1) for number, text in enumerate(texts_)}
    hits = [replace(hit, chunk=chunks[int(hit.chunk.id[4:])]) for hit in given.before.hits]
    moves = [replace(move, chunk=chunks[int(move.chunk.id[4:])]) for move in given.moves]
    return replace(given, before=replace(given.before, hits=tuple(hits)), moves=tuple(moves))


def test_a_head_that_runs_over_three_pages_is_left_out_whatever_number_it_bears():
    shown = drawn(paged([f"Annual report page {n}\nText {name}." for n, name in enumerate("abc", start=7)]))
    assert [words(shown, f"doc-{n}") for n in range(3)] == ["Text a.", "Text b.", "Text c."]


@pytest.mark.parametrize(
    "texts_",
    [
        ["Annual report 1\nText a.", "Annual report 2\nText b."],
        ["It rose by 1 percent.", "It rose by 2 percent.", "It rose by 3 percent."],
    ],
)
def test_what_two_pages_begin_with_and_a_sentence_of_its_own_stay(texts_):
    shown = drawn(paged(texts_))
    assert [words(shown, f"doc-{n}") for n in range(len(texts_))] == [" ".join(text.split()) for text in texts_]


def test_a_chunk_that_is_nothing_but_its_head_keeps_it():
    shown = drawn(paged(["Head 1\nFoot 1", "Head 2\nFoot 2", "Head 3\nFoot 3"]))
    assert words(shown, "doc-0") == "Head 1 Foot 1"


def test_a_long_chunk_is_shown_from_its_best_part():
    given = comparison(TEXTS)
    last = given.moves[-1]
    moves = (*given.moves[:-1], replace(last, part=Part(6, 10, 2)))
    shown = drawn(replace(given, moves=moves))
    assert (last.chunk.text, words(shown, last.chunk.id)) == ("Alpha one.", "… one.")


HEAD = "Item\tone\ttwo"


def above(made: Comparison, head: str = HEAD, part: Part | None = None) -> str:
    """Return the head that is drawn before the first chunk's words, where it has this one."""
    move = next(move for move in made.moves if move.chunk.id == "doc-0")
    headed = replace(move, chunk=replace(move.chunk, head=head), part=part)
    moves = tuple(headed if move.chunk.id == "doc-0" else move for move in made.moves)
    shown = drawn(replace(made, moves=moves))["chunks"]
    assert not shown["doc-1"]["head"]
    return "".join(text for text, _ in shown["doc-0"]["head"])


def test_a_table_head_stands_before_the_row():
    assert above(comparison(["Alpha\t1\t2", *TEXTS])) == "Item one two / "
    assert above(comparison(TEXTS), head="") == ""
    assert above(comparison(TEXTS), head="x" * 90) == f"{'x' * orders.HEAD_COLUMNS}… / "


def test_it_stands_before_a_part_of_its_table_alone():
    rows = "Alpha\t1\t2\nBeta\t3\t4\nText that is no row."
    assert above(comparison([rows, *TEXTS]), part=Part(10, 18, 2)) == "Item one two / "
    assert above(comparison([f"{rows}\nMore.", *TEXTS]), part=Part(len(rows) + 1, len(rows) + 6, 2)) == ""


def test_a_chunk_that_answers_is_shown_from_the_words_that_do():
    given = comparison(TEXTS)
    first = given.before.chunks[0]
    answer = Judgment("question", Span(first.page, first.start + 6, "one.", "doc"), 2)
    shown = orders.data(replace(replay_of(given), judgments=(answer,)), None)
    assert words(shown, first.id) == "… one."
    refused = orders.data(replace(replay_of(given), judgments=(replace(answer, grade=0),)), None)
    assert words(refused, first.id) == "Alpha one."


def test_grades_stand_at_their_chunks():
    shown = drawn(comparison(TEXTS), grades={"doc-1": 2, "doc-2": 0})["chunks"]
    assert [shown[f"doc-{n}"]["grade"] for n in range(4)] == ["", "★★", "0", ""]


def test_a_place_is_the_page_and_in_a_collection_the_document_first(language):
    page = texts(language)["table.page_short"].format(page=1)
    given = comparison(TEXTS)
    named = tuple(replace(move, chunk=replace(move.chunk, title="city report 2024.pdf")) for move in given.moves)
    assert drawn(given)["chunks"]["doc-0"]["place"] == page
    place = drawn(replace(given, moves=named))["chunks"]["doc-0"]["place"]
    assert place.startswith("city r") and place.endswith(f"2024 · {page}")


@pytest.mark.parametrize(("cutoff", "shown"), [(2, 2), (9, 4)])
def test_the_cutoff_lies_among_the_rows(cutoff, shown, language):
    data = drawn(comparison(TEXTS, cutoff=cutoff))
    assert data["cutoff"] == shown
    assert data["words"]["cutoff"] == texts(language)["orders.top"].format(k=shown)


def test_what_was_picked_is_said():
    assert drawn(comparison(TEXTS), "doc-2")["picked"] == "doc-2"
    assert drawn(comparison(TEXTS))["picked"] is None


def test_rows_are_built_again_for_what_they_show_alone(monkeypatch):
    given = comparison(TEXTS)
    first, picked, cut = drawn(given), drawn(given, "doc-1"), drawn(given.cut_at(2))
    assert {one["name"] for one in (first, picked, cut)} == {first["name"]}
    assert {one["drawn"] for one in (first, picked, cut)} == {first["drawn"]}
    graded, other = drawn(given, grades={"doc-1": 1}), drawn(comparison(TEXTS, after=[1, 0, 2, 3]))
    assert graded["name"] == first["name"] != other["name"]
    assert len({one["drawn"] for one in (first, graded, other)}) == 3
    monkeypatch.setitem(st.session_state, "lang", "zh" if st.session_state["lang"] == "en" else "en")
    assert drawn(given)["name"] == first["name"] and drawn(given)["drawn"] != first["drawn"]
