"""A comparison in the page's address, and back."""

from __future__ import annotations

import pytest
from comparisons import comparison
from screens import AppTest

from rag_core.datatypes import ChunkSettings, Expansion

EXPANSIONS = [
    Expansion("how much did it grow?", "typed"),
    Expansion("100% & more: a=b; #1", "typed"),
    Expansion("收入增长多少", "llm"),
    Expansion("revenue growth city", "feedback"),
]
HOW = {
    "embedder": "BAAI/bge-small-zh-v1.5",
    "reranker": "someone/their-reranker",
    "chunks": ChunkSettings("window", 450, 90),
    "depth": 30,
    "cutoff": 7,
    "adaptive": True,
}
CHECKED = (
    "doc_id",
    "question",
    "depth",
    "cutoff",
    "adaptive",
    "embedder",
    "reranker_other",
    "preset",
    "size",
    "overlap",
    "lang",
)
DEFAULTS = {
    "depth": 50,
    "cutoff": 5,
    "adaptive": False,
    "embedder": "bilingual-embedder",
    "embedder_other": "",
    "preset": "window",
}


def written() -> None:
    import streamlit as st

    from pages.ui.shell import link, state

    state.prepare()
    link.write(st.session_state["given"])


def opened() -> None:
    import streamlit as st

    from pages.ui.shell import link, state
    from rag_core.search import expand

    state.prepare()
    link.read()
    st.session_state["all_settings"] = state.settings()
    st.session_state["all_expansions"] = state.expansions(expand.typed(st.session_state["typed"], ""))


def write(given, language: str = "en") -> dict[str, list[str]]:
    at = AppTest.from_function(written, default_timeout=120)
    at.session_state["given"], at.session_state["lang"] = given, language
    at.run()
    assert not at.exception
    return dict(at.query_params)


def read(params: dict[str, object]) -> AppTest:
    at = AppTest.from_function(opened, default_timeout=120)
    for name, value in params.items():
        at.query_params[name] = value
    at.run()
    assert not at.exception
    return at


def test_what_is_written_can_be_read():
    given = comparison(["a", "b"], expansions=EXPANSIONS, **HOW)
    state = read(write(given)).session_state
    assert state["all_settings"] == given.settings
    assert state["all_expansions"] == EXPANSIONS
    assert (state["doc_id"], state["question"], state["lang"]) == ("doc", "question", "en")


def test_a_plain_comparison_too_and_it_runs_by_itself():
    given = comparison(["a", "b"])
    at = read(write(given))
    assert at.session_state["all_settings"] == given.settings
    assert at.session_state["all_expansions"] == []
    assert at.session_state["autorun"] is True
    assert not at.warning


def test_a_link_with_a_model_to_fetch_waits_for_the_reader():
    at = read(write(comparison(["a", "b"], reranker="someone/their-reranker")))
    assert at.session_state["autorun"] is False
    assert len(at.info) == 1


def test_the_language_of_the_link_is_the_first_language():
    assert read(write(comparison(["a"]), "zh")).session_state["lang"] == "zh"


def test_who_wrote_a_link_does_not_read_it_back():
    at = AppTest.from_function(written, default_timeout=120)
    at.session_state["given"] = comparison(["a", "b"])
    at.run()
    assert at.session_state["link_was_read"] is True


def test_a_page_without_a_link_is_left_alone():
    at = read({"lang": "zh", "depth": "7"})
    assert at.session_state["depth"] == 50
    assert at.session_state["autorun"] is False


HOSTILE = [
    ("adaptive", "yes"),
    ("depth", "1000000"),
    ("depth", "-5"),
    ("depth", "٥٠"),
    ("depth", "5e1"),
    ("depth", "9" * 5000),
    ("cutoff", "0"),
    ("cutoff", "NaN"),
    ("chunks", "window-5-0"),
    ("chunks", "window-300-300"),
    ("chunks", "window-99999-0"),
    ("chunks", "window-300-99999"),
    ("chunks", "shred-300-60"),
    ("chunks", "window"),
    ("chunks", "-1-1"),
    ("embedder", "/etc/passwd"),
    ("embedder", "../../secret"),
    ("embedder", "<script>alert(1)</script>"),
    ("reranker", ""),
    ("reranker", "x" * 5000),
    ("lang", "xx"),
    ("x", "shell:rm"),
    ("x", "typed"),
    ("x", "llm:" + "long " * 1000),
    ("x", ["typed:one more"] * 21),
]


@pytest.mark.parametrize(("name", "value"), HOSTILE, ids=lambda value: str(value)[:20])
def test_what_does_not_fit_is_left_out_and_said(name, value):
    at = read({"q": "What grew?", name: value})
    assert len(at.warning) == 1
    assert at.warning[0].value.endswith(f"{name}.") or at.warning[0].value.endswith(f"{name}。")
    assert at.session_state["question"] == "What grew?"
    assert {key: at.session_state[key] for key in DEFAULTS} == DEFAULTS
    assert at.session_state["reranker_other"] == ""
