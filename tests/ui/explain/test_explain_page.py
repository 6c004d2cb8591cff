"""The page that explains, as a reader meets it: every part, both languages, and input that is odd."""

from __future__ import annotations

import itertools
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import comparisons
import pytest
import streamlit
from pdfs import text_pdf
from running_app import settle
from screens import click, open_page, press, run, says, says_anywhere, text_of
from streamlit.testing.v1 import AppTest

from pages.ui.explain import bench, chosen_chunk, probe
from pages.ui.explain import projection as projection_part
from pages.ui.shell import cached, i18n
from rag_core import settings
from rag_core.datatypes import ChunkSettings, Comparison, Expansion, Move, Settings
from rag_core.explaining import projection
from rag_core.explaining.probe import Probe, Unit, leave_one_out
from rag_core.lab import Lab
from rag_core.models import baseline

pytestmark = pytest.mark.slow

ANSWER = "In 2024 the city had 186 parks in all."
LINES = [
    "The main square hosted eight concerts in summer.",
    "The library stays open until nine in the evening.",
    ANSWER,
    "Two roads in the old quarter are being repaired.",
    "Tram fares did not change.",
]
DOCUMENT = text_pdf(
    LINES,
    ["Grass in the parks is cut every week.", "The zoo opened a house for owls.", "Schools got new roofs."],
    ["A park is a place for everyone.", "Rents rose by three percent.", "The river was dredged near Harrow Bridge."],
    ["The budget stayed in balance.", "Ninety nurses were hired.", "The tower was painted green."],
)
QUESTION = "How many parks does the city have?"
CHINESE = "这座城市有多少座公园？"
WINDOWS, SENTENCES = ChunkSettings("window", 400, 0), ChunkSettings("sentence", 400, 0)
EXPANSIONS = (Expansion("number of green spaces", "typed"), Expansion("the tower was painted", "llm"))
PARTS = ["why", "bench", "map", "languages", "expansions", "baseline"]

both_languages = pytest.mark.parametrize("language", ["en", "zh"])


def made(
    home: Path, embedder, reranker, how: ChunkSettings, expansions=(), query: str = QUESTION, **more
) -> Comparison:
    lab = Lab(home)
    document = lab.add(DOCUMENT, "town.pdf")
    comparison = lab.open(document.id, Settings(chunks=how, **more), embedder).compare(query, expansions, reranker)
    lab.close()
    return comparison


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("town") / "home"


@pytest.fixture(scope="module")
def windows(home, embedder, reranker) -> Comparison:
    return made(home, embedder, reranker, WINDOWS)


@pytest.fixture(scope="module")
def sentences(home, embedder, reranker) -> Comparison:
    return made(home, embedder, reranker, SENTENCES, cutoff=3)


@pytest.fixture(scope="module")
def expanded(home, embedder, reranker) -> Comparison:
    return made(home, embedder, reranker, SENTENCES, EXPANSIONS, depth=5, cutoff=3)


@pytest.fixture
def library(home, windows, sentences) -> None:
    """Give the test a library that holds the document, cut and embedded both ways."""
    shutil.copytree(home, settings.home())


def explain(comparison: Comparison | None, part: str = "why", language: str = "en", **state: object) -> AppTest:
    return open_page("explain", language, comparison=comparison, explain_part=part, **state)


def probed(comparison: Comparison, language: str = "en", **state: object) -> AppTest:
    """Open the page and press what probes the chunk."""
    return press(explain(comparison, language=language, **state), "probe.run")


def chunk_with(comparison: Comparison, text: str) -> str:
    [found] = [move.chunk.id for move in comparison.moves if text in move.chunk.text]
    return found


def table(at: AppTest, number: int):
    return at.dataframe[number].value


@both_languages
def test_without_a_comparison_the_page_says_what_to_do(language):
    at = explain(None, language=language)
    assert at.title[0].value == text_of(at, "explain.title")
    assert says(at, "explain.empty")
    assert not at.dataframe


@both_languages
@pytest.mark.parametrize("part", PARTS)
def test_every_part_opens_in_both_languages(library, sentences, part, language):
    at = explain(sentences, part, language)
    assert says(at, f"explain.help_{part}")
    assert not at.error
    assert QUESTION in [text.value for text in at.text]


def test_a_picked_chunk_leads_from_the_comparison_to_its_explanation(library, sentences):
    picked = sentences.before.ids[4]
    at = open_page("compare", comparison=sentences, question=QUESTION, doc_id=sentences.doc_id, picked=picked)
    assert text_of(at, "explain.open") in [link.proto.label for link in at.get("page_link")]
    run(at.switch_page("pages/explain.py"))
    assert at.selectbox(key="picked").value == picked


# Why did it move


@both_languages
@pytest.mark.parametrize("number", [0, 1], ids=["cross-encoder", "embedder"])
def test_the_sentence_with_the_answer_matters_most(library, windows, language, number):
    at = probed(windows, language, picked=chunk_with(windows, ANSWER), probe_unit="sentence")
    shown = table(at, number)
    assert list(shown.iloc[:, 2]) == LINES
    assert shown.iloc[2, 0] == 1
    assert shown.iloc[:, 1].idxmax() == 2
    assert sorted(shown.iloc[:, 0]) == [1, 2, 3, 4, 5]
    total = shown.iloc[:, 1].sum()
    digits = probe.DIGITS["reranker" if number == 0 else "embedder"]
    assert says_anywhere(at, f"{total:+.{digits}f}")
    assert says(at, "probe.no_proof")
    assert says(at, "probe.two")


@pytest.mark.parametrize(
    ("drops", "key"),
    [((0.2, -0.3), "probe.strongest"), ((-0.2, 0.004), "probe.none_carries"), ((-1, -2), "probe.none_carries")],
)
def test_a_part_matters_where_the_score_falls_without_it(monkeypatch, drops, key):
    monkeypatch.setattr(i18n, "language", lambda: "en")
    units = tuple(Unit(3 * number, 3 * number + 2, drop) for number, drop in enumerate(drops))
    assert i18n.texts("en")[key].format(text="ab") == probe.strongest(Probe("ab cd", 0.5, units), 2)


def test_the_question_is_probed_word_by_word(library, windows):
    at = probed(windows, picked=chunk_with(windows, ANSWER))
    for number in (2, 3):
        assert list(table(at, number).iloc[:, 2]) == QUESTION.rstrip("?").split()
    strongest = table(at, 2).iloc[:, 1].idxmax()
    assert table(at, 2).iloc[strongest, 2] == "parks"


@pytest.mark.parametrize("unit", ["clause", "words"])
def test_smaller_units_are_offered(library, windows, unit):
    at = probed(windows, picked=chunk_with(windows, ANSWER), probe_unit=unit)
    assert len(table(at, 0)) >= 5
    assert len(table(at, 0)) == len(table(at, 1))


@both_languages
def test_a_chunk_of_one_sentence_is_probed_by_smaller_units_and_says_so(library, sentences, language):
    at = probed(sentences, language, picked=chunk_with(sentences, ANSWER), probe_unit="sentence")
    assert says(at, "probe.smaller")
    assert list(table(at, 0).iloc[:, 2]) == ANSWER.rstrip(".").split()


@both_languages
def test_a_chunk_of_one_word_is_told(library, embedder, reranker, language):
    lab = Lab(settings.home())
    doc_id = lab.add(text_pdf(["Parks.", "Trams."]), "words.pdf").id
    comparison = lab.open(doc_id, Settings(chunks=SENTENCES), embedder).compare(QUESTION, [], reranker)
    lab.close()
    assert says(probed(comparison, language), "error.one_unit")


@both_languages
def test_a_question_of_one_character(home, library, embedder, reranker, language):
    comparison = made(settings.home(), embedder, reranker, WINDOWS, query="园")
    at = probed(comparison, language)
    assert says(at, "probe.short_question")
    assert len(at.dataframe) == 2


@both_languages
def test_a_chunk_that_is_gone_is_told_and_another_can_be_chosen(library, windows, language):
    at = explain(windows, language=language, picked="gone")
    assert says(at, "error.chunk_missing")
    at.selectbox(key="picked").set_value(windows.reranked.ids[1])
    assert not run(at).error
    assert len(press(at, "probe.run").dataframe) == 4


def test_a_document_that_was_deleted_is_told(library, windows):
    lab = Lab(settings.home())
    lab.delete(windows.doc_id)
    lab.close()
    assert says(explain(windows), "error.document_missing")


def test_nothing_is_probed_before_it_is_asked_for(library, windows, monkeypatch):
    scored: list[str] = []
    monkeypatch.setattr(probe, "leave_one_out", lambda text, *rest: scored.append(text) or leave_one_out(text, *rest))
    at = explain(windows, picked=chunk_with(windows, ANSWER))
    assert not at.dataframe and not scored
    assert len(press(at, "probe.run").dataframe) == 4 and len(scored) == 4
    again = explain(windows, picked=chunk_with(windows, ANSWER))
    assert len(again.dataframe) == 4 and len(scored) == 4, "what was probed is there at once"
    assert not [button for button in again.button if button.key == "probe_run"]


def test_the_bench_asks_no_model_before_a_change(library, windows, monkeypatch):
    scored: list[str] = []
    kept = bench.probe.leave_one_out
    monkeypatch.setattr(bench.probe, "leave_one_out", lambda text, *rest: scored.append(text) or kept(text, *rest))
    at = explain(windows, "bench", picked=chunk_with(windows, ANSWER))
    assert not scored
    change(at, "number")
    assert len(scored) == 1


def test_the_page_opens_on_the_chunk_that_crossed_the_cutoff_from_farthest():
    made = comparisons.comparison([f"Text {n}." for n in range(6)], after=[2, 3, 5, 4, 1, 0], cutoff=3)
    assert {move.before for move in (*made.entered, *made.left)} == {6, 5, 2, 3}
    assert chosen_chunk.most_moved(made).before == 6
    nobody = comparisons.comparison([f"Text {n}." for n in range(4)], after=[1, 0, 3, 2], cutoff=2)
    assert not nobody.entered and abs(chosen_chunk.most_moved(nobody).delta) == 1


@pytest.mark.parametrize(
    ("before", "after", "way"),
    [
        (6, 2, "entered"),
        (6, 4, "rose"),
        (2, 1, "rose"),
        (3, 4, "left"),
        (1, 3, "fell"),
        (5, 6, "fell"),
        (2, 2, "stayed"),
    ],
)
def test_the_sentence_says_which_way_a_chunk_went(before, after, way):
    chunk = comparisons.chunk(1, "Text.")
    assert chosen_chunk.way(Move(chunk, before, after, 0.5, 1.0), 3) == way


@both_languages
def test_what_is_too_long_for_a_model_is_said(tmp_path, embedder, reranker, language):
    ends = itertools.cycle([*[" and"] * 7, "."])
    words = [f"The bridge number {n} was painted green last year by hand{next(ends)}" for n in range(200)]
    lab = Lab(settings.home())
    document = lab.add(text_pdf(*[words[n : n + 40] for n in range(0, 200, 40)]), "long.pdf")
    how = ChunkSettings("window", 2600, 0)
    comparison = lab.open(document.id, Settings(chunks=how), embedder).compare(QUESTION, [], reranker)
    lab.close()
    first = comparison.reranked.hits[0]
    at = explain(comparison, language=language, picked=first.chunk.id)
    [said] = [warning.value for warning in at.warning]
    assert says(at, "explain.cut")
    assert str(embedder.reads(first.chunk.text)) in said and str(len(first.chunk.text)) in said
    assert says(at, "part.scored") and first.part.of > 3


def test_what_was_made_of_a_document_is_forgotten_with_it(library, windows):
    at = probed(windows, picked=chunk_with(windows, ANSWER))
    assert any(ANSWER in str(key) for key in cached.shelf())
    run(at.switch_page("pages/documents.py"))
    click(at, at.button(key="delete"))
    assert not cached.shelf()


# Bench


def ranks_of(at: AppTest) -> list[tuple[int, int]]:
    return [tuple(map(int, re.findall(r"\d+", metric.value))) for metric in at.metric]


def change(at: AppTest, kind: str) -> AppTest:
    return click(at, at.button(key=f"change_{kind}"))


@both_languages
def test_a_change_moves_ranks_and_scores_of_both_models(library, sentences, language):
    at = explain(sentences, "bench", language, picked=chunk_with(sentences, ANSWER))
    assert says(at, "bench.hint")
    change(at, "shuffle")
    assert sorted(at.text_area(key="bench_text").value.lower()) == sorted(ANSWER.lower())
    assert len(ranks_of(at)) == 2
    assert ranks_of(at)[0][0] == 1
    assert says(at, "bench.score")


def test_the_rank_before_is_the_rank_of_the_comparison(library, sentences):
    for move in sentences.moves[:4]:
        at = explain(sentences, "bench", picked=move.chunk.id)
        at.text_area(key="bench_text").set_value("Something else entirely.")
        assert [before for before, _ in ranks_of(run(at))] == [move.after, move.before]


def test_another_chunk_of_the_answer_takes_its_rank(library, sentences):
    last = sentences.moves[-1].chunk.id
    at = explain(sentences, "bench", picked=last)
    at.text_area(key="bench_text").set_value("The city has 186 parks in all, more than ever.")
    (before, after), _ = ranks_of(run(at))
    assert before == len(sentences.moves)
    assert after <= 2


def test_what_was_tried_is_kept_and_begins_anew_with_another_chunk(library, sentences):
    at = explain(sentences, "bench", picked=chunk_with(sentences, ANSWER))
    for kind in ("negate", "number", "date", "shuffle", "shuffle"):
        change(at, kind)
    assert len(table(at, 0)) == 4
    assert at.text_area(key="bench_text").value != ANSWER
    kinds = [text_of(at, f"bench.change_{kind}") for kind in ("negate", "number", "date", "shuffle")]
    assert list(table(at, 0).iloc[:, 0]) == kinds
    at.text_area(key="bench_text").set_value("Nothing of the kind.")
    assert list(table(run(at), 0).iloc[:, 0]) == [*kinds, text_of(at, "bench.by_hand")]
    press(at, "bench.reset")
    assert at.text_area(key="bench_text").value == ANSWER
    at.selectbox(key="picked").set_value(sentences.reranked.ids[5])
    assert not run(at).dataframe
    assert at.text_area(key="bench_text").value == sentences.reranked.hits[5].chunk.text


@both_languages
def test_a_change_with_nothing_to_change_says_so(library, sentences, language):
    at = explain(sentences, "bench", language, picked=chunk_with(sentences, "Tram fares"))
    assert says(change(at, "number"), "bench.nothing")
    assert not at.metric


@both_languages
def test_translating_by_hand_waits_for_the_text(library, sentences, language):
    at = explain(sentences, "bench", language, picked=chunk_with(sentences, ANSWER))
    assert says(change(at, "translate"), "bench.translate_help")
    assert not at.error
    at.text_area(key="bench_text").set_value("2024年全市共有186座公园。")
    assert len(ranks_of(run(at))) == 2


def test_the_question_can_be_changed_too(library, sentences):
    at = explain(sentences, "bench", picked=chunk_with(sentences, ANSWER), bench_target="question")
    assert at.text_area(key="bench_text").value == QUESTION
    at.text_area(key="bench_text").set_value("Who painted the tower green?")
    assert all(after > 1 for _, after in ranks_of(run(at)))
    assert says(at, "bench.ranks_help")


@both_languages
@pytest.mark.parametrize(("target", "code"), [("text", "empty_text"), ("question", "empty_query")])
def test_an_empty_text_is_told(library, sentences, language, target, code):
    at = explain(sentences, "bench", language, bench_target=target)
    at.text_area(key="bench_text").set_value("  ")
    assert says(run(at), f"error.{code}")


# Map


def drawn(at: AppTest) -> dict:
    """Return the map as it is given to the browser."""
    [chart] = at.get("vega_lite_chart")
    return json.loads(chart.proto.spec)


def test_the_map_holds_every_chunk_the_question_and_the_expansions(home, library, expanded, embedder):
    lab = Lab(settings.home())
    index = lab.open(expanded.doc_id, Settings(chunks=SENTENCES), embedder).index
    layout = projection.by_pca(index.vectors)
    lab.close()
    at = explain(expanded, "map")
    assert not at.error
    assert [layer["mark"]["type"] for layer in drawn(at)["layer"]] == ["rule", "point", *["text"] * 4]
    assert says_anywhere(at, f"{layout.kept:.0%}")


def test_points_are_told_apart_and_the_path_says_both_ranks(monkeypatch, home, library, expanded, embedder):
    monkeypatch.setitem(streamlit.session_state, "lang", "en")
    monkeypatch.setattr(projection_part.chosen_chunk, "models_of", lambda comparison: (None, embedder))
    lab = Lab(settings.home())
    index = lab.open(expanded.doc_id, Settings(chunks=SENTENCES), embedder).index
    frame = projection_part.point_frame(expanded, index, projection.by_pca(index.vectors))
    lab.close()
    assert len(frame) == len(index.chunks) + 1 + len(EXPANSIONS)
    tops = {side: set(expanded.ranking(side).ids[:3]) for side in ("vector", "reranked")}
    of = {kind: set(frame[frame["kind"] == kind]["id"]) for kind in projection_part.COLOURS}
    assert of["both"] == tops["vector"] & tops["reranked"]
    assert of["vector"] == tops["vector"] - tops["reranked"]
    assert of["reranked"] == tops["reranked"] - tops["vector"]
    assert of["question"] == {"query-0"}
    assert of["expansion"] == {"query-1", "query-2"}
    chart = projection_part.map_chart(frame, expanded.reranked.ids[0]).to_dict()
    labels = chart["datasets"][chart["layer"][2]["data"]["name"]]
    assert {row["path"] for row in labels} == {f"{move.before} → {move.after}" for move in expanded.moves[:3]}
    points = chart["datasets"][chart["layer"][1]["data"]["name"]]
    assert [row["id"] for row in points if row["picked"]] == [expanded.reranked.ids[0]]
    assert {parameter["name"] for parameter in chart["params"]} == {"pick", "zoom"}
    axes = [layer["encoding"][axis]["axis"] for layer in chart["layer"] for axis in ("x", "y")]
    assert axes == [None] * 12, "layers that disagree about an axis draw nothing"


def test_the_same_words_are_one_point_that_names_its_pages(monkeypatch, lab, embedder, reranker):
    monkeypatch.setitem(streamlit.session_state, "lang", "en")
    monkeypatch.setattr(projection_part.chosen_chunk, "models_of", lambda comparison: (None, embedder))
    pages = [["Tax revenue grew.", "Parks were built."], ["The tram opened.", "Tax revenue grew."]]
    opened = lab.open(lab.add(text_pdf(*pages), "twice.pdf").id, Settings(chunks=SENTENCES), embedder)
    made = opened.compare("How much did taxes grow?", [], reranker)
    layout = projection.by_pca(opened.index.vectors)
    frame = projection_part.point_frame(made, opened.index, layout)
    assert list(frame["page"]) == ["p. 1, 2", "p. 1", "p. 2", ""]
    assert set(frame["id"]) == {*made.before.ids, "query-0"}
    assert frame[["x", "y"]].to_numpy()[:3].tolist() == layout.points[:3].tolist()
    assert json.dumps(projection_part.map_chart(frame, made.before.ids[0]).to_dict())


def test_a_point_or_a_row_picks_the_chunk_everywhere(library, sentences):
    at = explain(sentences, "map")
    wanted = sentences.before.ids[2]
    at.session_state["picked"] = wanted
    run(at)
    [text] = [move.chunk.text for move in sentences.moves if move.chunk.id == wanted]
    assert text in [shown.value for shown in at.text]
    at.segmented_control(key="explain_part").set_value("why")
    assert run(at).selectbox(key="picked").value == wanted


def test_a_chunk_outside_the_candidates_can_be_explained(library, expanded):
    candidates = {move.chunk.id for move in expanded.moves}
    lab = Lab(settings.home())
    outside = next(chunk for chunk in lab.cut(expanded.doc_id, SENTENCES) if chunk.id not in candidates)
    lab.close()
    at = explain(expanded, picked=outside.id, probe_unit="words")
    assert says(at, "explain.not_ranked")
    assert outside.text in [text.value for text in at.text]
    assert not at.error


@pytest.mark.xdist_group("umap")
def test_umap_is_computed_once_and_kept(library, sentences, monkeypatch):
    made_before = projection.by_umap
    calls: list[int] = []

    def counted(vectors, progress):
        calls.append(len(vectors))
        return made_before(vectors, progress)

    monkeypatch.setattr(projection, "by_umap", counted)
    at = explain(sentences, "map", map_layout="umap")
    run(at)
    assert not at.error
    assert len(calls) == 1


@both_languages
def test_umap_of_too_few_chunks_says_that_pca_was_drawn(library, windows, language):
    at = explain(windows, "map", language, map_layout="umap")
    assert says(at, "map.few")
    assert at.get("vega_lite_chart")


# Two languages


@both_languages
def test_the_same_question_in_two_languages(library, sentences, language):
    at = explain(sentences, "languages", language)
    at.text_input(key="other_question").set_value(CHINESE)
    at = press(at, "languages.ask")
    assert [metric.label for metric in at.metric] == [text_of(at, "metric.overlap", k=3), text_of(at, "metric.rbo")] * 2
    first, second = at.session_state["two_languages"]
    assert (first.query, second.query) == (QUESTION, CHINESE)
    assert first is sentences
    top = [set(one.reranked.ids[:3]) for one in (first, second)]
    assert at.metric[2].value == f"{len(top[0] & top[1]) / 3:.0%}"
    assert not says(at, "languages.same")


def test_what_only_one_language_found_is_listed_with_its_rank_in_the_other(library, sentences):
    at = explain(sentences, "languages")
    at.text_input(key="other_question").set_value("塔是什么颜色的？")
    at = press(at, "languages.ask")
    first, second = at.session_state["two_languages"]
    only = [chunk_id for chunk_id in first.reranked.ids[:3] if chunk_id not in second.reranked.ids[:3]]
    shown = table(at, len(at.dataframe) - 2)
    assert list(shown.iloc[:, 1]) == [str(second.reranked.rank_of(chunk_id)) for chunk_id in only]


@both_languages
def test_the_same_language_twice_is_warned_of(library, sentences, language):
    at = explain(sentences, "languages", language)
    at.text_input(key="other_question").set_value("What is the number of parks?")
    assert says(press(at, "languages.ask"), "languages.same")


@both_languages
def test_an_empty_translation_is_told(library, sentences, language):
    at = press(explain(sentences, "languages", language), "languages.ask")
    assert says(at, "error.empty_query")


def test_both_are_asked_without_expansions(library, expanded):
    at = explain(expanded, "languages")
    at.text_input(key="other_question").set_value(CHINESE)
    at = press(at, "languages.ask")
    assert says(at, "languages.plain")
    assert not any(one.fused for one in at.session_state["two_languages"])


def test_a_sample_question_brings_its_translation():
    at = open_page("home")
    click(at, at.button(key="change"))
    at.session_state["explain_part"] = "languages"
    run(at.switch_page("pages/explain.py"))
    assert at.text_input(key="other_question").value == "谁评估了董事会的工作？"


# Expansions


@both_languages
def test_without_expansions_the_part_says_where_to_add_them(library, sentences, language):
    assert says(explain(sentences, "expansions", language), "expansions.none")


@both_languages
def test_what_each_expansion_brought_is_counted(library, expanded, language):
    at = explain(expanded, "expansions", language)
    shown = table(at, 0)
    assert list(shown.iloc[:, 1]) == [5, 5]
    finders = {chunk_id: {found.query for found in founds} for chunk_id, founds in expanded.ledger.items()}
    assert list(shown.iloc[:, 2]) == [sum(by == {one.text} for by in finders.values()) for one in EXPANSIONS]
    assert shown.iloc[1, 2] > 0


def test_a_switch_takes_an_expansion_out(library, expanded):
    at = explain(expanded, "expansions")
    alone = int(table(at, 0).iloc[1, 2])
    at.toggle[1].set_value(False)
    run(at)
    assert says_anywhere(
        at, text_of(at, "expansions.effect", kept=1, all=2, count=len(expanded.moves) - alone, gone=alone)
    )
    at.toggle[0].set_value(False)
    run(at)
    assert says(at, "result.vector")
    assert says_anywhere(at, text_of(at, "expansions.effect", kept=0, all=2, count=5, gone=len(expanded.moves) - 5))


@both_languages
def test_adaptive_depth_leaves_too_little_to_say(library, expanded, language):
    at = explain(replace(expanded, found=len(expanded.moves) + 1), "expansions", language)
    assert says(at, "expansions.adaptive")
    assert not at.toggle


# Unrelated baseline


@both_languages
def test_the_baseline_is_the_median_of_unrelated_texts(library, sentences, reranker, language):
    at = explain(sentences, "baseline", language)
    scores = reranker.score(QUESTION, baseline.UNRELATED["en"])
    assert says_anywhere(at, f"**{sorted(scores)[3] / 2 + sorted(scores)[4] / 2:.2f}**")
    assert [len(frame.value) for frame in at.dataframe] == [8, 8]
    assert len(at.get("vega_lite_chart")) == 2


@both_languages
def test_a_fused_order_has_no_line(library, expanded, language):
    at = explain(expanded, "baseline", language)
    assert says(at, "baseline.other")
    assert len(at.get("vega_lite_chart")) == 1


# In the browser

POINT = """canvas => {
    const {width, height} = canvas, scale = width / canvas.clientWidth
    const {data} = canvas.getContext("2d").getImageData(0, 0, width, height)
    for (let y = 0; y < height; y += 1) for (let x = 0; x < width; x += 1) {
        const inside = [0, 4, 8].every(d => {
            const at = 4 * ((y + d) * width + x)
            return Math.abs(data[at] - 194) + Math.abs(data[at + 1] - 65) + Math.abs(data[at + 2] - 12) < 12
        })
        if (inside) return {x: x / scale, y: (y + 4) / scale}
    }
}"""
"""Find a point in the colour of those that only the cross-encoder has in its top."""


def text_shown(page) -> str:
    """Return the text of the picked chunk, which stands last on the page."""
    settle(page)
    return page.get_by_test_id("stText").last.inner_text()


def test_map_and_tables_pick_together_in_the_browser(address, page):
    page.set_default_timeout(60_000)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(address)
    page.get_by_role("button", name="Change this question").click()
    page.get_by_text("Both tables rank").wait_for()
    page.get_by_role("link", name="Explain", exact=True).click()
    page.get_by_role("radio", name="Map", exact=True).or_(page.get_by_role("button", name="Map", exact=True)).click()
    canvas = page.get_by_test_id("stVegaLiteChart").locator("canvas")
    canvas.wait_for()
    first = text_shown(page)
    rows = page.get_by_test_id("stDataFrame").first.locator(".dvn-scroller")
    rows.click(position={"x": 18, "y": 36 + 17})
    by_row = text_shown(page)
    assert by_row != first
    canvas.click(position=canvas.evaluate(POINT))
    assert text_shown(page) != by_row
    assert errors == []
