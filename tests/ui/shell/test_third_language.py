"""One locale file and one line make another language of the interface: tried with one that is made up."""

from __future__ import annotations

import json
import shutil

import pytest
from screens import QUESTION, open_page, press, run, said, says
from streamlit.runtime.context import ContextProxy

from pages.ui.shell import i18n

MARK = "⟦"


@pytest.fixture(autouse=True)
def third(monkeypatch, tmp_path):
    """Add a language whose every text is the English one behind a mark."""
    texts = {key: f"{MARK}{text}" for key, text in i18n.texts("en").items()}
    folder = shutil.copytree(i18n.LOCALES, tmp_path / "locales")
    (folder / "xx.json").write_text(json.dumps(texts), encoding="utf-8")
    monkeypatch.setattr(i18n, "LOCALES", folder)
    monkeypatch.setitem(i18n.LANGUAGES, "xx", "Xx")
    i18n.texts.cache_clear()
    yield
    i18n.texts.cache_clear()


@pytest.mark.parametrize(
    "page", ["home", "documents", "compare", "answer", "evaluate", "explain", "workshop", "replay"]
)
def test_every_page_speaks_it(library, page):
    at = open_page(page, "xx")
    assert not at.exception and any(text.startswith(MARK) for text in said(at))


def test_a_comparison_and_its_explanation_speak_it(library):
    at = press(open_page("compare", "xx", question=QUESTION), "form.compare")
    assert says(at, "result.same_candidates")
    at = press(run(at.switch_page("pages/explain.py")), "probe.run")
    assert says(at, "probe.no_proof")


def test_a_sample_is_offered(library):
    at = open_page("home", "xx")
    at.button(key="change").click()
    assert run(at).session_state["question"].isascii()


@pytest.mark.parametrize(
    ("locale", "language"), [("xx-XX", "xx"), ("zh-TW", "zh"), ("en-GB", "en"), ("pt-BR", "en"), (None, "en")]
)
def test_the_browsers_language_is_spoken_where_it_is_known(monkeypatch, locale, language):
    monkeypatch.setattr(ContextProxy, "locale", locale)
    monkeypatch.setattr(i18n.st, "query_params", {})
    assert i18n.first_language() == language
