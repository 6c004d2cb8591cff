"""Two readers at one cross-encoder: the second sees how many are before, and what the waiting took."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from threading import Event, Thread
from time import sleep

import pytest
from screens import asked, open_part, said, text_of
from streamlit.testing.v1 import AppTest

from pages.ui.compare import meanwhile
from pages.ui.shell import cached, i18n, models, state
from rag_core.datatypes import Settings
from rag_core.servers.rerank import RerankServer
from rag_core.workshop.waiting import Line
from tests.workshop.test_waiting import until

MODEL = Settings().reranker


def place_of_a_reader() -> None:
    import streamlit as st

    from pages.ui.shell import work

    with work.my_turn(st.empty(), st.session_state["model"]):
        st.text("my turn")


@pytest.fixture
def somebody_before() -> Iterator[None]:
    """Have somebody else's turn last until half a second after the reader came; turns before it were short."""
    line, began = models.line(MODEL), Event()
    with line.turn():
        pass

    def have_a_turn() -> None:
        with line.turn():
            began.set()
            until(lambda: len(line) == 2)
            sleep(0.5)

    before = Thread(target=have_a_turn)
    before.start()
    assert began.wait(20)
    yield
    before.join(20)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_reader_sees_how_many_are_before_and_for_about_how_long(somebody_before, language):
    at = AppTest.from_function(place_of_a_reader, default_timeout=20)
    at.session_state["lang"], at.session_state["model"] = language, MODEL
    at.run()
    assert [text.value for text in at.text] == ["my turn"]
    [bar] = at.get("progress")
    said = i18n.texts(language)
    assert bar.proto.text == said["work.waiting"].format(before=1) + said["work.about"].format(seconds=1)
    assert len(models.line(MODEL)) == 0


def test_waiting_is_a_step_of_its_own(library, somebody_before):
    at = asked()
    timings = at.session_state["comparison"].timings
    assert list(timings) == ["parse", "embed", "question", "search", "wait", "rerank"]
    assert timings["wait"] > 0.4
    *_scores, chart = open_part(at, "result.times").get("vega_lite_chart")
    [steps] = chart.proto.datasets
    assert i18n.texts("en")["step.wait"] in steps.data.data.decode("utf-8", "ignore")


def test_whoever_waits_sees_the_order_before_reranking_at_once(library, somebody_before, monkeypatch):
    drawn, real = [], meanwhile.show

    def show(candidates):
        drawn.append((len(models.line(MODEL)), candidates.ids))
        real(candidates)

    monkeypatch.setattr(meanwhile, "show", show)
    at = asked()
    comparison = at.session_state["comparison"]
    assert drawn == [(2, comparison.before.ids)], "somebody else still had their turn"
    assert text_of(at, "work.meanwhile", shown=10, count=len(comparison.before)) not in said(at), (
        "the result stands there"
    )


def test_the_unrelated_texts_are_scored_within_the_turn_and_not_behind_the_next_reader(library, monkeypatch):
    standing, real = [], models.reranker_baseline

    def looked_at(*which):
        standing.append(len(models.line(MODEL)))
        return real(*which)

    monkeypatch.setattr(models, "reranker_baseline", looked_at)
    asked()
    assert standing == [1, 0]  # the second time it is there


def test_who_comes_first_waits_for_nobody(library):
    assert "wait" not in asked().session_state["comparison"].timings


def test_after_the_first_comparison_the_garbage_collector_passes_over_what_stays(library):
    cached.settle_in.cache_clear()
    gc.unfreeze()
    asked()
    assert gc.get_freeze_count() > 100_000


def test_who_has_a_server_of_their_own_waits_for_nobody_elses(monkeypatch):
    def line_at(address: str, key: str = "") -> Line:
        monkeypatch.setattr(state, "rerank_server", lambda: RerankServer(address, "tei", key=key))
        return models.line("rerank-server")

    one = line_at("http://127.0.0.1:1", "key")
    assert line_at("http://127.0.0.1:1", "key") is one
    assert len({id(one), id(line_at("http://127.0.0.1:2", "key")), id(line_at("http://127.0.0.1:1", "other"))}) == 3
    assert models.line(MODEL) is models.line(MODEL)
