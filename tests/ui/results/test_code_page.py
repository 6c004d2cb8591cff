"""Copy as code on the page: what the popover shows, and what its buttons give."""

from __future__ import annotations

import ast
import json

import pytest
from screens import QUESTION, asked, click, open_page, run, says, text_of
from streamlit.testing.v1 import AppTest

from pages.ui.results import copied
from pages.ui.shell import models
from rag_core.models import catalog
from rag_core.place import ROOT
from rag_core.sharing import code

HOSTILE = 'why **bold** "quoted" \\ [link](http://x) :red[no] $x$?'


def shown(at: AppTest) -> str:
    [block] = at.code
    assert block.language == "python"
    return block.value


def constant(script: str, name: str) -> object:
    nodes = [node for node in ast.parse(script).body if isinstance(node, ast.Assign)]
    [value] = [node.value for node in nodes if ast.unparse(node.targets[0]) == name]
    return ast.literal_eval(value)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_code_is_of_the_comparison_on_screen(library, language):
    at = asked(language)
    assert constant(shown(at), "QUESTION") == QUESTION
    assert says(at, "result.code_help")
    labels = [button.proto.label for button in at.get("download_button")]
    assert {text_of(at, "result.code_script"), text_of(at, "result.code_chunks")} <= set(labels)


def test_another_form_is_chosen_and_the_cutoff_follows_the_slider(library):
    at = asked(code_form="langchain")
    assert "langchain" in shown(at)
    comparison = at.session_state["comparison"]
    assert constant(shown(at), "KEEP") == comparison.cutoff
    at.slider(key="cutoff").set_value(3)
    assert constant(shown(run(at)), "KEEP") == 3


def test_a_question_is_shown_as_code_and_nowhere_as_markdown(library):
    script = shown(asked(question=HOSTILE))
    assert constant(script, "QUESTION") == HOSTILE


def test_the_chunks_are_all_that_was_searched_with_the_parts_that_were_read(library):
    at = asked()
    made = at.session_state["comparison"]
    chunks = copied.searched(made)
    rows = json.loads(code.chunks_file(made, chunks, models.cut(made.settings.reranker, load=True)))
    assert [row["id"] for row in rows] == [chunk.id for chunk in chunks]
    assert len(rows) == made.available and f"all {len(rows)} chunks" in shown(at)
    assert all(row["parts"] == [row["text"]] for row in rows)


def test_an_opened_result_gives_the_code_of_its_candidates(library):
    at = open_page("replay")
    click(at, at.button(key="example_result"))
    kept = at.session_state["opened"].comparison
    assert f"the {len(kept.moves)} candidates" in shown(at)
    assert constant(shown(at), "QUESTION") == kept.query


def test_a_visitor_is_told_no_folder(library, monkeypatch):
    monkeypatch.setenv("RERANK_LAB_LIBRARY", "private")
    monkeypatch.setattr(catalog, "is_visitor", lambda: True)
    at = open_page("replay")
    click(at, at.button(key="example_result"))
    assert "data/models/bilingual-embedder" in shown(at)
    assert str(ROOT) not in shown(at)
