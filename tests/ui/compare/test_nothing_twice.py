"""Nothing twice: every way back to a comparison, with the pairs and the texts that really reach a model."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pdfs import text_pdf
from screens import ROOT, SENTENCES, open_page, open_part, press, run, says, says_anywhere, text_of
from streamlit.testing.v1 import AppTest

from pages.ui.shell import cached, models
from rag_core import settings
from rag_core.datatypes import Comparison, Settings
from rag_core.lab import Lab
from rag_core.models.embed import OnnxEmbedder
from rag_core.models.rerank import OnnxReranker
from rag_core.reading import document as reading

QUESTION = "How many visitors came to hall 7?"
COUNTS = [f"In spring hall {number} counted {37 * number % 101} thousand visitors." for number in range(1, 71)]
HALLS = text_pdf(COUNTS[:35], COUNTS[35:])


class Reached:
    """What reached the bundled models since the last time."""

    def __init__(self) -> None:
        self.pairs, self.texts = 0, 0

    def since(self) -> tuple[int, int]:
        reached = (self.pairs, self.texts)
        self.pairs = self.texts = 0
        return reached

    def counting(self, real: Callable, name: str) -> Callable:
        def ask(model: object, texts: list, *rest: object) -> object:
            setattr(self, name, getattr(self, name) + len(texts))
            return real(model, texts, *rest)

        return ask


@pytest.fixture
def reached(monkeypatch) -> Reached:
    reached = Reached()
    monkeypatch.setattr(OnnxReranker, "score_pairs", reached.counting(OnnxReranker.score_pairs, "pairs"))
    for name in ("embed_queries", "embed_texts"):
        monkeypatch.setattr(OnnxEmbedder, name, reached.counting(getattr(OnnxEmbedder, name), "texts"))
    return reached


@pytest.fixture
def halls(embedder) -> str:
    """Return the id of a document of seventy chunks, embedded."""
    lab = Lab(settings.home())
    doc_id = lab.add(HALLS, "halls.pdf").id
    lab.open(doc_id, Settings(chunks=SENTENCES), embedder)
    lab.close()
    return doc_id


@pytest.fixture
def at(halls, reached) -> AppTest:
    """Return the compare page after its first comparison, of fifty candidates."""
    at = press(open_page("compare", doc_id=halls, question=QUESTION, **cut()), "form.compare")
    assert shown(at).pairs == 50
    reached.since()
    return at


def cut() -> dict[str, object]:
    return {"preset": SENTENCES.preset, "size": SENTENCES.size, "overlap": SENTENCES.overlap}


def shown(at: AppTest) -> Comparison:
    return at.session_state["comparison"]


def scores(comparison: Comparison) -> dict[str, float]:
    return {move.chunk.id: move.after_score for move in comparison.moves}


def test_the_same_question_again_reaches_no_model(at, reached):
    first = shown(at)
    press(at, "form.compare")
    assert reached.since() == (0, 0)
    assert shown(at) is not first
    assert (shown(at).moves, shown(at).kept.pairs) == (first.moves, 50)


@pytest.mark.parametrize(("depth", "fresh"), [(45, 0), (60, 10)])
def test_another_depth_reaches_the_reranker_with_what_is_new(at, reached, depth, fresh):
    before = scores(shown(at))
    at.slider(key="depth").set_value(depth)
    press(at, "form.compare")
    assert reached.since() == (fresh, 0)
    assert len(shown(at).moves) == depth
    assert len(scores(shown(at)).items() & before.items()) == depth - fresh


def test_a_link_to_what_was_compared_reaches_no_model(at, reached):
    link = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
    for name, value in at.query_params.items():
        link.query_params[name] = value
    link = run(run(link).switch_page("pages/compare.py"))
    assert reached.since() == (0, 0)
    assert shown(link).moves == shown(at).moves


def test_an_entry_of_the_history_reaches_no_model(at, reached):
    first = shown(at)
    at.text_input(key="question").set_value("How many visitors came to hall 8?")
    press(at, "form.compare")
    assert reached.since()[0] > 0
    at.session_state["history_open"] = True
    run(at)
    oldest = cached.lab().history.entries(first.doc_id)[-1].number
    at.selectbox(key="history_one").set_value(oldest)
    press(run(at), "history.restore")
    assert reached.since() == (0, 0)
    assert shown(at).moves == first.moves


def test_another_language_reaches_no_model_and_keeps_the_question(at, reached):
    first = shown(at)
    at.segmented_control(key="lang").set_value("zh")
    run(at)
    assert reached.since() == (0, 0)
    assert shown(at) is first
    assert at.title[0].value == text_of(at, "compare.title")
    assert at.text_input(key="question").value == QUESTION
    press(at, "form.compare")
    assert reached.since() == (0, 0), "nor does the same question in it"


def ask_the_sample() -> None:
    import streamlit as st

    from pages.ui.shell import samples, state, work

    state.prepare()
    work.add_sample("en")
    st.session_state["question"] = samples.load("en")[2][0]
    st.session_state["comparison"] = work.compare(st.session_state["doc_id"])
    work.remember(st.session_state["comparison"], "sample")


@pytest.mark.slow
def test_the_sample_again_reads_no_page_and_reaches_no_model(reached, monkeypatch):
    read, real = [], reading.read
    monkeypatch.setattr(reading, "read", lambda *how: read.append(how) or real(*how))
    first, again = (AppTest.from_function(ask_the_sample, default_timeout=120) for _ in range(2))
    run(first)
    pairs, texts = reached.since()
    assert pairs >= 50 and texts > 50 and len(read) == 1
    run(again)
    assert reached.since() == (0, 0) and len(read) == 1
    assert shown(again).moves == shown(first).moves
    assert again.session_state["doc_id"] == first.session_state["doc_id"]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_times_say_what_had_been_scored_before_and_claim_no_rate(at, language):
    at.session_state["lang"] = language
    run(at)
    assert says(open_part(at, "result.times"), "result.speed")
    took = shown(at).timings["rerank"]
    press(at, "form.compare")
    assert says_anywhere(open_part(at, "result.times"), kept_of(at, "result.speed_kept", pairs=50))
    assert shown(at).timings["rerank"] == pytest.approx(took)
    assert not says(at, "result.speed")
    at.slider(key="depth").set_value(60)
    press(at, "form.compare")
    open_part(at, "result.times")
    assert says_anywhere(at, kept_of(at, "result.speed_part", pairs=60, kept=50, scored=10))
    assert not says(at, "result.speed")


def kept_of(at: AppTest, key: str, **counts: int) -> str:
    """Return the sentence about what was kept, as the page should say it of its comparison."""
    comparison = shown(at)
    before, all_of_it = comparison.kept.seconds, comparison.timings["rerank"]
    now = sum(comparison.timings[step] for step in ("question", "search", "rerank")) - before
    seconds = {"before": before, "seconds": all_of_it - before, "now": now}
    return text_of(at, key, **counts, **{name: f"{value:.2f}" for name, value in seconds.items()})


def test_models_that_are_gone_from_memory_do_not_lose_the_scores(at, reached):
    first = shown(at)
    for made in (models.loaded_reranker, models.shared_embedder, cached.lab):
        made.clear()
    press(at, "form.compare")
    assert reached.since() == (0, 1), "the question is embedded again, and nothing scored"
    assert shown(at).moves == first.moves
