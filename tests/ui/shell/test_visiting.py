"""What a visitor of a server may have: which models, and that no other name is looked up; how many documents."""

from __future__ import annotations

import pytest
from screens import OTHER, QUESTION, SMALL, click, open_page, run, says, text_of, titles, upload
from streamlit.testing.v1 import AppTest

from rag_core.models import catalog


@pytest.fixture
def visiting(monkeypatch):
    monkeypatch.setenv("RERANK_LAB_LIBRARY", "private")


def compare_page() -> AppTest:
    at = upload(open_page("documents"), ("small.pdf", SMALL))
    at.session_state["question"] = QUESTION
    return run(at.switch_page("pages/compare.py"))


@pytest.mark.parametrize("role", ["embedder", "reranker"])
@pytest.mark.parametrize("name", ["/etc", "/nonexistent", "../../..", "organisation/name", "BAAI/bge-reranker-base"])
def test_a_name_that_a_visitor_brings_is_refused_alike(visiting, role, name):
    at = compare_page()
    at.session_state[f"{role}_other"] = name
    click(run(at), at.button(key="compare"))
    assert says(at, "error.model_not_offered")
    assert at.session_state["comparison"] is None


def test_a_visitor_is_offered_what_the_server_offers(visiting, monkeypatch):
    at = compare_page()
    offered = [line.id for line in catalog.RERANKERS if line.kind != "sentence-transformers"]
    assert at.selectbox(key="reranker").options[0].startswith(offered[0])
    assert len(at.selectbox(key="reranker").options) == len(offered)
    assert not [field for field in at.text_input if field.key == "reranker_other"]
    monkeypatch.setenv("RERANK_LAB_MODELS", "BAAI/bge-reranker-base")
    assert len(run(at).selectbox(key="reranker").options) == len(offered) + 1
    assert at.text_input(key="reranker_other").value == ""


def test_at_ones_own_machine_everything_is_offered():
    at = compare_page()
    assert len(at.selectbox(key="reranker").options) == len(catalog.RERANKERS)
    assert at.text_input(key="reranker_other").value == ""


def test_a_visitor_is_told_how_much_they_may_add_and_what_is_too_much(visiting, monkeypatch):
    monkeypatch.setattr("rag_core.keeping.documents.VISITOR_DOCUMENTS", 1)
    at = open_page("documents")
    assert text_of(at, "documents.room", documents=1, megabytes=200) in [caption.value for caption in at.caption]
    upload(at, ("small.pdf", SMALL), ("other.pdf", OTHER))
    assert says(at, "error.no_room_for_visitor")
    assert titles(at) == ["small.pdf"]


def test_at_ones_own_machine_nothing_is_said_of_room():
    assert not says(open_page("documents"), "documents.room")
