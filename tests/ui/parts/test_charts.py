"""The pictures of a comparison, read from what the browser is given to draw."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import streamlit as st
from comparisons import TIMINGS, comparison

from pages.ui.parts import charts, palette
from rag_core.datatypes import Chunk, Comparison, Expansion

SIZES = [1, 5, 50, 200]
MOST_LABELLED = 25


@pytest.fixture(autouse=True, params=["en", "zh"])
def language(request, monkeypatch):
    monkeypatch.setitem(st.session_state, "lang", request.param)


def of_size(count: int) -> Comparison:
    """Reverse the order; every text begins alike, as clauses of one report do."""
    return comparison([f"The revenue of the city grew in quarter number {n}." for n in range(count)])


def marks(drawn: dict, kind: str) -> Iterator[dict]:
    for layer in (*drawn.get("layer", []), drawn):
        mark = layer.get("mark")
        if kind == (mark["type"] if isinstance(mark, dict) else mark):
            yield layer


def rows(drawn: dict) -> list[dict]:
    return [row for table in drawn["datasets"].values() for row in table]


@pytest.mark.parametrize("count", SIZES)
@pytest.mark.parametrize("picked", [None, "doc-0", "gone"])
def test_moves_can_be_drawn(count, picked):
    drawn = charts.slope_chart(of_size(count), picked).to_dict()
    assert len(list(marks(drawn, "line"))) == 1
    assert len(list(marks(drawn, "rule"))) == 1


@pytest.mark.parametrize("count", SIZES)
def test_the_moves_have_a_line_a_candidate_as_far_as_ranks_are_shown(count):
    given = of_size(count)
    near = {move.chunk.id for move in given.moves if min(move.before, move.after) <= charts.RANKS_SHOWN}
    assert {row["id"] for row in charts.move_rows(given, None)} == near


@pytest.mark.parametrize("count", SIZES)
@pytest.mark.parametrize("picked", [None, "doc-0"])
def test_few_lines_are_labelled(count, picked):
    named = sum(row["named"] for row in charts.move_rows(of_size(count), picked))
    assert min(count, 5) <= named <= MOST_LABELLED


def test_the_picked_line_is_labelled_wherever_it_is():
    named = {row["id"]: row["named"] for row in charts.move_rows(of_size(60), "doc-30")}
    assert named["doc-30"]
    assert not named["doc-31"]


def test_the_picked_line_is_drawn_even_past_the_ranks_that_are_shown():
    given = of_size(200)
    assert "doc-100" not in {row["id"] for row in charts.move_rows(given, None)}
    assert "doc-100" in {row["id"] for row in charts.move_rows(given, "doc-100")}


@pytest.mark.parametrize(("count", "cutoff", "place"), [(30, 1, 1.5), (30, 5, 5.5), (200, 20, 20.5), (5, 20, 5.5)])
def test_the_cutoff_stands_below_the_last_chunk_it_lets_through(count, cutoff, place):
    given = comparison([f"Text {n}." for n in range(count)], cutoff=cutoff)
    drawn = charts.slope_chart(given, None).to_dict()
    [rule] = marks(drawn, "rule")
    assert drawn["datasets"][rule["data"]["name"]] == [{"y": place}]


@pytest.mark.parametrize(("count", "picked"), [(1, None), (20, "doc-3"), (200, "doc-100")])
def test_a_page_and_a_report_draw_the_same_moves(count, picked):
    given = of_size(count)
    page, report = charts.slope_spec(given, picked), charts.slope_chart(given, picked).to_dict()
    tables = [drawn.pop("datasets")[drawn.pop("data")["name"]] for drawn in (page, report)]
    assert tables[0].to_dict("records") == tables[1]
    assert page == report


def test_two_comparisons_of_a_page_have_tables_of_their_own():
    specs = [charts.slope_spec(of_size(count), picked) for count, picked in ((4, None), (5, None), (5, "doc-1"))]
    assert len({spec["data"]["name"] for spec in specs}) == 3
    assert all(spec["data"]["name"] in spec["datasets"] for spec in specs)


def test_a_direction_is_told_by_more_than_colour():
    [line] = marks(charts.slope_chart(of_size(5), None).to_dict(), "line")
    assert line["encoding"]["strokeDash"]["field"] == "kind"


BASELINES = {"vector": 0.87, "reranked": 3.1}
"""What unrelated texts get: some of the candidates above are below it."""


def x_of(drawn: dict, kind: str = "bar") -> dict:
    [layer] = marks(drawn, kind)
    return layer["encoding"]["x"]


@pytest.mark.parametrize("count", SIZES)
@pytest.mark.parametrize("side", ["vector", "reranked"])
def test_scores_are_bars_from_what_unrelated_texts_get(count, side):
    start = BASELINES[side]
    drawn = charts.score_chart(of_size(count), side, None, start).to_dict()
    [bars] = marks(drawn, "bar")
    assert bars["encoding"]["x2"] == {"datum": start}
    assert bars["encoding"]["x"]["scale"] == {"domainMin": start, "nice": False, "zero": False}
    assert len(rows(drawn)) == min(count, charts.BARS_SHOWN)


@pytest.mark.parametrize("side", ["vector", "reranked"])
def test_the_best_score_has_the_longest_bar_and_what_is_below_the_baseline_has_none(side):
    start = BASELINES[side]
    lengths = [row["end"] - start for row in rows(charts.score_chart(of_size(20), side, None, start).to_dict())]
    assert lengths == sorted(lengths, reverse=True) and lengths[0] > 0
    scores = [hit.score for hit in of_size(20).ranking(side).hits]
    assert lengths == [max(score - start, 0) for score in scores] and lengths[-1] == 0


def test_without_a_baseline_bars_begin_at_a_zero_that_says_something_and_else_there_are_points():
    given = of_size(5)
    [bars] = marks(charts.score_chart(given, "vector", None).to_dict(), "bar")
    assert bars["encoding"]["x2"] == {"datum": 0.0}
    logits = charts.score_chart(given, "reranked", None).to_dict()
    assert not list(marks(logits, "bar")) and len(list(marks(logits, "point"))) == 1
    assert x_of(logits, "point")["scale"] == {"zero": False}


@pytest.mark.parametrize("side", ["vector", "reranked"])
def test_the_axis_names_where_its_bars_begin(side):
    title = x_of(charts.score_chart(of_size(5), side, None, BASELINES[side]).to_dict())["title"]
    assert {"vector": "0.870", "reranked": "3.10"}[side] in title


def test_two_scores_never_share_an_axis():
    given = of_size(20)
    charts_of = {side: charts.score_chart(given, side, None, BASELINES[side]).to_dict() for side in BASELINES}
    titles = {x_of(drawn)["title"] for drawn in charts_of.values()}
    assert len(titles) == 2
    for side, drawn in charts_of.items():
        assert x_of(drawn)["field"] == "end"
        shown = {row["id"]: row["score"] for row in rows(drawn)}
        assert shown == {hit.chunk.id: hit.score for hit in given.ranking(side).hits}
        assert all(row["end"] == max(row["score"], BASELINES[side]) for row in rows(drawn))


def test_a_chunk_has_the_same_colour_on_both_sides_and_the_first_have_one_each():
    given = of_size(20)
    before, after = (
        {row["id"]: row["colour"] for row in rows(charts.score_chart(given, side, None).to_dict())}
        for side in ("vector", "reranked")
    )
    assert before == after
    first = [before[i] for i in given.reranked.ids[: len(palette.SERIES)]]
    assert sorted(first) == sorted(palette.SERIES) and palette.PALE not in first


def test_each_score_is_written_beside_its_mark():
    given = of_size(5)
    drawn = charts.score_chart(given, "reranked", None, BASELINES["reranked"]).to_dict()
    [numbers] = marks(drawn, "text")
    assert (numbers["encoding"]["text"]["field"], numbers["encoding"]["x"]["field"]) == ("number", "end")
    assert [row["number"] for row in rows(drawn)] == ["3.50", "3.25", "3.00", "2.75", "2.50"]


def test_a_fused_order_is_labelled_so():
    plain, fused = of_size(5), comparison(["a", "b"], expansions=[Expansion("x", "typed")])
    names = [x_of(charts.score_chart(given, "vector", None).to_dict())["title"] for given in (plain, fused)]
    assert names[0] != names[1]


@pytest.mark.parametrize("unrelated", [None, 0.1])
def test_the_picked_chunk_is_marked_in_both_bar_charts_even_far_down(unrelated):
    given = of_size(60)
    for side in ("vector", "reranked"):
        drawn = charts.score_chart(given, side, "doc-30", unrelated).to_dict()
        assert [row["id"] for row in rows(drawn) if row["picked"]] == ["doc-30"]
        [layer] = [*marks(drawn, "bar"), *marks(drawn, "point")]
        edge = {"condition": {"test": "datum.picked", "value": charts.PICKED}, "value": None}
        assert layer["encoding"]["stroke"] == edge


@pytest.mark.parametrize("unrelated", [None, 0.1])
@pytest.mark.parametrize("side", ["vector", "reranked"])
def test_bars_can_be_picked_by_chunk(side, unrelated):
    drawn = charts.score_chart(of_size(5), side, None, unrelated).to_dict()
    [pick] = drawn["params"]
    assert (pick["name"], pick["select"]) == ("pick", {"type": "point", "fields": ["id"]})
    [layer] = [*marks(drawn, "bar"), *marks(drawn, "point")]
    assert pick["views"] == [layer["name"]]


@pytest.mark.parametrize("columns", [charts.BAR_COLUMNS, charts.LINE_COLUMNS])
def test_a_long_text_is_cut_in_a_label(columns):
    assert columns < len(charts.label(Chunk("c", "doc", "word " * 50, 3, 0, 250), columns)) < columns + 10


def test_of_a_long_name_both_ends_stand_in_a_label():
    chunk = Chunk("c", "doc", "text", 3, 0, 4, title="city government report 2024.pdf")
    assert charts.label(chunk, 28).startswith("city g…t 2024 · ")


def test_the_names_beside_the_lines_end_where_the_picture_does():
    names = marks(charts.slope_chart(of_size(20), None).to_dict(), "text")
    assert [name["mark"]["limit"] for name in names] == [{"expr": "width / 4 - 14"}] * 2


@pytest.mark.parametrize("lengths", [[7], [3, 50, 50, 299], list(range(1, 1029))])
def test_lengths_can_be_drawn(lengths):
    drawn = charts.length_histogram(lengths).to_dict()
    assert drawn["encoding"]["y"]["aggregate"] == "count"


def test_times_have_a_bar_a_step_and_mark_what_was_kept():
    times = rows(charts.time_chart(TIMINGS).to_dict())
    assert [row["seconds"] for row in times] == list(TIMINGS.values())
    kept, now = {row["when"] for row in times[:2]}, {row["when"] for row in times[2:]}
    assert len(kept) == len(now) == 1
    assert kept != now


def test_of_scoring_the_share_that_was_kept_is_marked_so():
    times = rows(charts.time_chart(TIMINGS, TIMINGS["rerank"] / 4).to_dict())
    scoring = {row["when"]: row["seconds"] for row in times if row["step"] == times[-1]["step"]}
    assert scoring == {times[0]["when"]: TIMINGS["rerank"] / 4, times[3]["when"]: 3 * TIMINGS["rerank"] / 4}
    assert sum(row["seconds"] for row in times) == pytest.approx(sum(TIMINGS.values()))
