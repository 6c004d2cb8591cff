"""Home: a finished comparison drawn from its file, and the ways on from it."""

from __future__ import annotations

import subprocess
import sys

import pytest
from pdfs import encrypted_pdf
from screens import PDF, ROOT, SMALL, answered, click, open_page, press, run, says, says_anywhere, text_of

from pages.ui.shell import models, samples, saved
from rag_core.reading.pdf import document_id

QUOTES = {
    "en": "An outside review by Marchbank Associates found the Board open and well informed",
    "zh": "灾后42小时内恢复了全部村庄的供电",
}
both_samples = pytest.mark.parametrize("language", ["en", "zh"])


@pytest.fixture
def loaded(monkeypatch) -> list[str]:
    """Return the names of the models that are loaded from now on."""
    names: list[str] = []

    def noted(load):
        return lambda name, *more: names.append(name) or load(name, *more)

    for role in ("load_embedder", "load_reranker"):
        monkeypatch.setattr(models, role, noted(getattr(models, role)))
    return names


def best(result: saved.Saved) -> str:
    return result.replay.comparison.reranked.ids[0]


@both_samples
def test_home_is_a_finished_comparison(loaded, language):
    at = open_page("home", language)
    shown = saved.results(language)[0]
    assert says(at, "home.line") and says(at, "outcome.rose")
    assert says_anywhere(at, f"“{QUOTES[language][:12]}"), "the sentence quotes what answers"
    answers = [text.value for text in at.text]
    assert [QUOTES[language] in text for text in answers] == [False, True]
    assert all(text.startswith(text_of(at, "answer.unclear")) for text in answers), "neither is sure of it"
    assert at.session_state["home_question"] == 0 and shown.effect == "helps"
    assert loaded == []


@both_samples
def test_each_question_says_what_reranking_does_to_it(loaded, language):
    at = open_page("home", language)
    questions = [row.question for row in samples.rows(language)[:3]]
    keys = ("home.helps", "home.none", "home.harms")
    [pills] = [group for group in at.button_group if group.key == "home_question"]
    assert list(pills.options) == [
        text_of(at, key, question=question) for key, question in zip(keys, questions, strict=True)
    ]
    at.session_state["picked"] = best(saved.results(language)[0])
    pills.set_value(2)
    assert says(run(at), "outcome.fell")
    assert at.session_state["picked"] is None
    assert loaded == []


def test_a_picked_row_shows_its_chunk(loaded):
    shown = saved.results("en")[0]
    at = open_page("home", picked=best(shown))
    assert says(at, "result.picked")
    assert not says(open_page("home"), "result.picked")
    assert loaded == []


@pytest.mark.parametrize("library", ["shared", "private"])
def test_a_question_is_changed_on_compare_where_its_comparison_stands(monkeypatch, loaded, library):
    monkeypatch.setenv("RERANK_LAB_LIBRARY", library)
    shown = saved.results("en")[2]
    at = open_page("home", home_question=2, depth=10, cutoff=3)
    at = click(at, at.button(key="change"))
    comparison = at.session_state["comparison"]
    assert at.title[0].value == text_of(at, "compare.title")
    assert at.text_input(key="question").value == comparison.query == shown.question
    assert comparison.doc_id == at.session_state["doc_id"]
    assert (comparison.doc_id == shown.replay.comparison.doc_id) == (library == "shared")
    assert [move.after_score for move in comparison.moves] == [
        move.after_score for move in shown.replay.comparison.moves
    ]
    assert says(at, "outcome.fell") and not says(at, "compare.stale")
    assert at.query_params["q"] in (shown.question, [shown.question])
    assert loaded == []


def test_both_answers_are_there_on_their_page():
    at = open_page("home")
    run(click(at, at.button(key="change")).switch_page("pages/answer.py"))
    assert says(at, "answer.neither") and any(QUOTES["en"] in words for words in answered(at)[1])


def test_a_pdf_of_ones_own_is_read_as_soon_as_it_is_chosen():
    at = open_page("home")
    at.file_uploader(key="own").set_value([("small.pdf", SMALL, PDF)])
    at = run(at)
    assert at.title[0].value == text_of(at, "documents.title")
    assert at.session_state["doc_id"] == document_id(SMALL)
    assert run(at.switch_page("app.py")).title[0].value == text_of(at, "home.title"), "it is not led away again"


def test_a_locked_pdf_is_opened_where_it_was_chosen():
    at = open_page("home")
    at.file_uploader(key="own").set_value([("locked.pdf", encrypted_pdf(SMALL, "sesame"), PDF)])
    at = run(at)
    assert says(at, "documents.password_needed")
    [field] = [field for field in at.text_input if field.label == text_of(at, "documents.password")]
    field.set_value("sesame")
    at = press(at, "documents.open")
    assert at.title[0].value == text_of(at, "documents.title")


def test_a_file_that_cannot_be_read_leaves_the_reader_on_home():
    at = open_page("home")
    at.file_uploader(key="own").set_value([("bad.pdf", b"<html>", PDF)])
    at = run(at)
    assert says(at, "error.not_a_pdf")
    assert at.title[0].value == text_of(at, "home.title")


@both_samples
def test_a_saved_comparison_is_one_of_whoever_opens_it(language):
    _, data, _ = samples.load(language)
    replay = saved.read(language, 0, "somebody")
    assert replay.comparison.doc_id == replay.source.id == document_id(data, "somebody")
    assert {chunk.doc_id for chunk in replay.comparison.before.chunks} == {replay.source.id}
    assert replay.grades.keys() <= set(replay.comparison.before.ids) and replay.grades


def test_reading_what_is_saved_needs_no_runtime():
    program = (
        "import sys\nfrom pages.ui.shell import saved\nassert saved.results('en')\nprint('onnxruntime' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "False", done.stderr
