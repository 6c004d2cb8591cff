"""What models a visitor of a server may choose, and that no other name is looked up."""

from __future__ import annotations

import pytest
from screens import QUESTION, SMALL, click, open_page, run, says, upload
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
