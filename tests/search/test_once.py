"""What a reranker gave once is kept: the pairs that really reach the model are counted, and no score differs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
import tiny_models
from pdfs import text_pdf

from rag_core.datatypes import ChunkSettings, Comparison, Kept, Progress, Settings
from rag_core.errors import DiskFull, ModelUnusable
from rag_core.lab import Lab
from rag_core.measuring import depth, evaluate
from rag_core.models.rerank import OnnxReranker, load_reranker
from rag_core.search.once import Once, kept_scores
from rag_core.search.opened import Opened
from rag_core.settings import PATIENCE

QUESTION, OTHER = "How many visitors came to hall 7?", "How many visitors came to hall 8?"
SENTENCES = [f"In spring hall {number} counted {37 * number % 101} thousand visitors." for number in range(1, 71)]
HALLS = text_pdf(SENTENCES[:35], SENTENCES[35:])
LONG = text_pdf(["新建和改造公园二十处，博物馆接待游客三百万人次，居民满意度稳步提高。"] * 9 + ["收入增长8.2%。"])
HOW = Settings(chunks=ChunkSettings("sentence"), depth=50)


class Counted:
    """A reranker, with the pairs of chunk and question that reach it."""

    def __init__(self, real: OnnxReranker) -> None:
        self.id, self.scale, self.weights, self.real = real.id, real.scale, real.weights, real
        self.asked: list[tuple[str, str]] = []

    def score(self, query: str, texts: Sequence[str], progress: Progress | None = None) -> np.ndarray:
        return self.score_parts(query, texts, progress).scores

    def score_parts(self, query: str, texts: Sequence[str], progress: Progress | None = None):
        self.asked += [(query, text) for text in texts]
        return self.real.score_parts(query, texts, progress)

    def since(self) -> int:
        """Return how many pairs reached it since the last time."""
        asked, self.asked = len(self.asked), []
        return asked


@pytest.fixture
def counted(reranker) -> Counted:
    return Counted(reranker)


@pytest.fixture
def halls(lab) -> str:
    return lab.add(HALLS, "halls.pdf").id


@pytest.fixture
def at(lab, halls, embedder):
    """Return what opens the halls at a depth."""

    def opened(most: int, **how: object) -> Opened:
        return lab.open(halls, replace(HOW, depth=most, **how), embedder)

    return opened


def untimed(comparison: Comparison) -> Comparison:
    return replace(comparison, timings={}, kept=Kept())


def test_the_same_question_again_scores_nothing_and_gives_the_same(at, counted, reranker):
    first = Once(at(50)).compare(QUESTION, [], counted)
    assert (counted.since(), first.kept) == (50, Kept())
    again = Once(at(50)).compare(f"  {QUESTION} ", [], counted)
    assert (counted.since(), again.kept.pairs) == (0, 50)
    assert untimed(again) == untimed(first) == untimed(at(50).compare(QUESTION, [], reranker))


@pytest.mark.parametrize(("deep", "fresh"), [(45, 0), (60, 10)])
def test_another_depth_scores_only_what_is_new(at, counted, reranker, deep, fresh):
    Once(at(50)).compare(QUESTION, [], counted)
    counted.since()
    other = Once(at(deep)).compare(QUESTION, [], counted)
    assert counted.since() == fresh
    assert (other.pairs, other.kept.pairs) == (deep, deep - fresh)
    assert untimed(other) == untimed(at(deep).compare(QUESTION, [], reranker))


def test_it_is_still_kept_after_the_program_has_ended(tmp_path, embedder, counted):
    for most in (50, 60):
        lab = Lab(tmp_path / "library")
        Once(lab.open(lab.add(HALLS, "h.pdf").id, replace(HOW, depth=most), embedder)).compare(QUESTION, [], counted)
        lab.close()
    assert counted.since() == 60


def test_another_question_is_scored_anew(at, counted):
    Once(at(50)).compare(QUESTION, [], counted)
    counted.since()
    Once(at(50)).compare(OTHER, [], counted)
    assert {query for query, _ in counted.asked} == {OTHER} and counted.since() == 50


@pytest.mark.torch
def test_other_weights_score_anew(at, counted, tmp_path):
    Once(at(20)).compare(QUESTION, [], counted)
    other = Counted(load_reranker(tiny_models.cross_encoder(tmp_path / "tiny")))
    Once(at(20)).compare(QUESTION, [], other)
    assert (counted.since(), other.since()) == (20, 20)


def test_adaptive_depth_goes_on_from_what_is_kept_and_stops_where_it_would(at, counted, reranker):
    Once(at(15)).compare(QUESTION, [], counted)
    counted.since()
    adaptive = at(60, adaptive=True, cutoff=1)
    found = Once(adaptive).compare(QUESTION, [], counted)
    assert counted.since() == len(found.moves) - 15
    assert PATIENCE < len(found.moves) < 60, "it looked as far as it had to"
    assert untimed(found) == untimed(adaptive.compare(QUESTION, [], reranker))


def test_progress_counts_only_what_is_scored(at, counted):
    Once(at(15)).compare(QUESTION, [], counted)
    seen: list[tuple[int, int]] = []
    Once(at(45)).compare(QUESTION, [], counted, lambda done, total: seen.append((done, total)))
    assert {total for _, total in seen} == {30} and seen[-1] == (30, 30)
    seen.clear()
    Once(at(45)).compare(QUESTION, [], counted, lambda done, total: seen.append((done, total)))
    assert seen == []


def test_progress_of_adaptive_depth_counts_no_more_than_may_be_scored(at, counted):
    Once(at(15)).compare(QUESTION, [], counted)
    seen: list[tuple[int, int]] = []
    adaptive = Once(at(60, adaptive=True, cutoff=1))
    found = adaptive.compare(QUESTION, [], counted, lambda done, total: seen.append((done, total)))
    assert {total for _, total in seen} == {45}
    assert seen[-1][0] == len(found.moves) - 15


@pytest.fixture
def entered() -> list[str]:
    return []


@contextmanager
def turn(entered: list[str]) -> Iterator[float]:
    entered.append("in")
    yield 0.25
    entered.append("out")


def test_only_who_has_something_scored_waits_for_a_turn(at, counted, entered):
    first = Once(at(50)).compare(QUESTION, [], counted, None, turn(entered))
    assert entered == ["in", "out"]
    assert list(first.timings)[-2:] == ["wait", "rerank"] and first.timings["wait"] == 0.25
    again = Once(at(50)).compare(QUESTION, [], counted, None, turn(entered))
    assert entered == ["in", "out"] and "wait" not in again.timings


def test_timings_hold_what_scoring_took_then_and_now(at, counted):
    first = Once(at(50)).compare(QUESTION, [], counted)
    took = first.timings["rerank"]
    again = Once(at(50)).compare(QUESTION, [], counted)
    assert (again.timings["rerank"], again.kept.seconds) == (pytest.approx(took), pytest.approx(took))
    less = Once(at(45)).compare(QUESTION, [], counted)
    assert less.timings["rerank"] == pytest.approx(0.9 * took)
    more = Once(at(60)).compare(QUESTION, [], counted)
    assert more.kept.seconds == pytest.approx(took)
    assert more.timings["rerank"] > more.kept.seconds


def test_the_best_part_is_kept_with_its_score(lab, embedder, counted, reranker):
    opened = lab.open(lab.add(LONG, "l.pdf").id, Settings(chunks=ChunkSettings("window", 900, 0)), embedder)
    first, again = (Once(opened).compare("收入增长了多少？", [], counted) for _ in range(2))
    assert counted.since() == 1
    assert again.moves[0].part == first.moves[0].part is not None
    assert again.kept.pairs == again.pairs == again.moves[0].part.of > 1
    assert untimed(again) == untimed(opened.compare("收入增长了多少？", [], reranker))


def test_what_was_scored_goes_with_the_document(lab, halls, at, counted):
    opened = at(20)
    Once(opened).compare(QUESTION, [], counted)
    assert len(kept_scores(opened, counted, QUESTION).by_chunk) == counted.since() == 20
    lab.delete(halls)
    assert kept_scores(opened, counted, QUESTION).by_chunk == {}
    assert lab.add(HALLS, "halls.pdf").id == halls
    Once(at(20)).compare(QUESTION, [], counted)
    assert counted.since() == 20


def test_who_reads_the_same_text_under_another_name_has_it_scored_for_themselves(lab, embedder, counted):
    for owner in ("", "visitor"):
        opened = lab.open(lab.add(HALLS, "halls.pdf", owner=owner).id, replace(HOW, depth=20), embedder)
        Once(opened).compare(QUESTION, [], counted)
        assert counted.since() == 20


def test_a_collection_finds_what_was_scored_of_its_members(lab, halls, at, embedder, counted, reranker):
    Once(at(20)).compare(QUESTION, [], counted)
    counted.since()
    other = lab.add(text_pdf(["The old quarter has a museum.", "It counted seven thousand visitors."]), "o.pdf").id
    both = lab.open(lab.library.collect("both", [halls, other]).id, replace(HOW, depth=20), embedder)
    first = Once(both).compare(QUESTION, [], counted)
    fresh = {chunk.doc_id for chunk in first.before.chunks} - {halls}
    assert counted.since() == sum(chunk.doc_id in fresh for chunk in first.before.chunks) > 0
    again = Once(both).compare(QUESTION, [], counted)
    assert counted.since() == 0
    assert untimed(again) == untimed(first) == untimed(both.compare(QUESTION, [], reranker))


def test_an_evaluation_and_a_comparison_find_what_the_other_had_scored(at, counted, reranker):
    evaluate.evaluate(at(50), {1: QUESTION}, [counted], [50])
    assert counted.since() == 50
    found = Once(at(50)).compare(QUESTION, [], counted)
    assert (counted.since(), found.kept.pairs) == (0, 50)
    assert untimed(found) == untimed(at(50).compare(QUESTION, [], reranker))
    Once(at(50)).compare(OTHER, [], counted)
    counted.since()
    whole = depth.ceiling(at(50), OTHER, counted)
    assert counted.since() == len(whole.whole) - 50 == 20


def test_a_comparison_whose_scores_cannot_be_kept_is_made_all_the_same(lab, at, counted, monkeypatch, caplog):
    def full(*_: object) -> None:
        raise DiskFull("the disk is full: make room", folder="home")

    monkeypatch.setattr(lab.embeddings, "save_scores", full)
    assert len(Once(at(20)).compare(QUESTION, [], counted).moves) == 20
    assert "the disk is full" in caplog.text
    Once(at(20)).compare(QUESTION, [], counted)
    assert counted.since() == 40


def test_a_score_that_is_no_number_is_not_kept(at, counted, monkeypatch):
    real = counted.real.score_parts
    monkeypatch.setattr(
        counted, "score_parts", lambda *asked: replace(real(*asked), scores=np.full(20, np.nan, np.float32))
    )
    with pytest.raises(ModelUnusable):
        Once(at(20)).compare(QUESTION, [], counted)
    assert kept_scores(at(20), counted, QUESTION).by_chunk == {}


def test_words_that_repeat_are_scored_once_for_comparison_and_evaluation_together(lab, embedder, counted):
    pages = [[f"Hall {number} had many visitors.", "The halls are closed on Mondays."] for number in range(3)]
    opened = lab.open(lab.add(text_pdf(*pages), "again.pdf").id, HOW, embedder)
    found = Once(opened).compare(QUESTION, [], counted)
    assert (len(opened.chunks), len(found.moves), counted.since()) == (6, 4, 4)
    depth.ceiling(opened, QUESTION, counted)
    evaluate.evaluate(opened, {1: QUESTION}, [counted], [50])
    assert counted.since() == 0
