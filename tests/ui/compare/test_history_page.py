"""The history of a document's comparisons, as a reader meets it on the compare page."""

from __future__ import annotations

import pytest
import screens
from screens import QUESTION, SMALL, TYPED, open_page, orders, press, run, said, says, text_of

from pages.ui.shell import cached, models
from rag_core.reading.pdf import document_id
from rag_core.search import opened
from rag_core.sharing import replay_file

DOC = document_id(SMALL)


def asked(language: str = "en", **state: object):
    """Compare with the history open."""
    return screens.asked(language, history_open=True, **state)


def again(at, question: str | None = None, **state: object):
    """Compare once more on the same page, with something changed."""
    if question:
        at.text_input(key="question").set_value(question)
    for key, value in state.items():
        at.session_state[key] = value
    return press(at, "form.compare")


def choose(at, key: str, place: int):
    """Choose the entry at a place of the history, the newest being 0."""
    at.selectbox(key=key).set_value([entry.number for entry in cached.lab().history.entries(DOC)][place])
    return run(at)


def test_without_a_comparison_there_is_no_history(library):
    at = open_page("compare")
    assert not [box for box in at.selectbox if box.key == "history_one"]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_comparison_is_kept_under_its_question(library, language):
    at = asked(language)
    [entry] = cached.lab().history.entries(DOC)
    assert entry.name.startswith(QUESTION)
    assert text_of(at, "history.depth", depth=50) in entry.name
    assert text_of(at, "preset.sentence") in entry.name
    assert says(at, "history.only_one")
    kept = replay_file.read(cached.lab().history.load(DOC, entry.number)).comparison
    assert kept == at.session_state["comparison"]


def test_a_comparison_is_restored_with_its_form_and_without_any_model(library, monkeypatch):
    others = {"typed": "", "depth": 20, "cutoff": 5, "preset": "clause", "first_stage": "bm25"}
    at = again(asked(typed=TYPED, depth=10, cutoff=3), "Who paid for the bridge?", **others)
    for name in ("load_embedder", "load_reranker"):
        monkeypatch.setattr(models, name, lambda *_: pytest.fail("a model is loaded"))
    monkeypatch.setattr(opened.Opened, "compare", lambda *_: pytest.fail("it is compared again"))
    for kept in (
        models.shared_embedder,
        models.loaded_reranker,
        models.tested,
        models.reranker_baseline,
        models.embedder_baseline,
    ):
        kept.clear()
    choose(at, "history_one", 1)
    press(at, "history.restore")
    shown = at.session_state["comparison"]
    assert (shown.query, shown.settings.depth, shown.settings.cutoff) == (QUESTION, 10, 3)
    assert [one.text for one in shown.expansions] == [TYPED]
    assert at.text_input(key="question").value == QUESTION
    assert (at.slider(key="depth").value, at.slider(key="cutoff").value) == (10, 3)
    assert at.text_area(key="typed").value == TYPED
    assert at.session_state["preset"] == "sentence"
    assert says(at, "result.same_candidates")
    assert orders(at)["sides"][0]["title"] == text_of(at, "result.fused")
    assert not says(at, "compare.stale")
    assert not at.session_state["history_open"]
    assert len(cached.lab().history.entries(DOC)) == 2


def test_a_comparison_gets_a_name(library):
    at = asked()
    at.text_input(key="history_name").set_value("before the change **x**")
    press(at, "history.rename_yes")
    assert [entry.name for entry in cached.lab().history.entries(DOC)] == ["before the change **x**"]
    assert at.text_input(key="history_name").value == ""


@pytest.mark.parametrize("language", ["en", "zh"])
def test_two_comparisons_show_what_a_setting_changed(library, language):
    at = again(asked(language), preset="window", size=200, overlap=0, cutoff=3)
    choose(at, "history_one", 0)
    choose(at, "history_other", 1)
    tables = {tuple(table.value.columns): table.value for table in at.dataframe}
    settings = tables[tuple(text_of(at, key) for key in ("table.setting", "history.first", "history.second"))]
    assert list(settings.iloc[:, 0]) == [text_of(at, "documents.preset"), text_of(at, "form.cutoff")]
    assert list(settings.iloc[1, 1:]) == ["5", "3"]
    tops = [table.value for table in at.dataframe if text_of(at, "history.mark") in table.value.columns]
    assert [len(top) for top in tops] == [5, 3]
    assert says(at, "history.overlap") and says(at, "history.tau") and says(at, "history.alone")
    assert says(at, "history.no_scores")


def test_the_same_comparison_twice_differs_in_nothing(library):
    at = choose(again(asked()), "history_other", 1)
    assert says(at, "history.same_settings")
    assert any("**1.00**" in text for text in said(at))
    assert not says(at, "history.alone")


def test_what_is_kept_in_a_newer_format_is_told(library):
    at = asked()
    [entry] = cached.lab().history.entries(DOC)
    kept = cached.lab().history.load(DOC, entry.number).decode()
    cached.lab().history.add(DOC, "newer", entry.made, kept.replace('"version": 1', '"version": 9'))
    run(at)
    choose(at, "history_one", 0)
    at = press(at, "history.restore")
    assert says(at, "error.replay_too_new")
    assert says(at, "result.same_candidates")


def test_a_closed_history_reads_nothing(library):
    at = screens.asked()
    assert not [box for box in at.selectbox if box.key == "history_one"]
    at.session_state["history_open"] = True
    assert [box for box in run(at).selectbox if box.key == "history_one"]


def test_the_history_goes_with_its_document(library):
    asked()
    cached.lab().delete(DOC)
    assert cached.lab().history.entries(DOC) == []
