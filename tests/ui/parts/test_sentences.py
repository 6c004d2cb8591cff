"""What a comparison says in a sentence, on comparisons made by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
import streamlit as st
from comparisons import comparison, replay_of

from pages.ui.parts import sentences
from pages.ui.shell.i18n import texts
from rag_core.datatypes import Judgment, Span

TEXTS = ["Alpha one.", "Beta two.", "Gamma three.", "Delta four."]


@pytest.fixture(autouse=True, params=["en", "zh"])
def said(request, monkeypatch):
    monkeypatch.setitem(st.session_state, "lang", request.param)
    return texts(request.param)


@pytest.mark.parametrize(
    ("after", "key", "count"), [([0, 1, 2, 3], "none", 0), ([0, 2, 1, 3], "one", 1), ([2, 3, 0, 1], "some", 2)]
)
def test_without_judgments_it_says_how_many_of_the_first_are_new(said, after, key, count):
    changed, begins = sentences.outcome(replay_of(comparison(TEXTS, after=after, cutoff=2)))
    assert changed == said[f"headline.{key}"].format(count=count, k=2)
    first = after.index(0) + 1
    begin = "headline.first_same" if first == 1 else "headline.first"
    assert begins == said[begin].format(before=first, order=said["order.vector"])


@pytest.mark.parametrize(
    ("graded", "key", "before", "after"),
    [
        ({"doc-2": 2}, "rose", 3, 1),
        ({"doc-0": 1}, "fell", 1, 3),
        ({"doc-3": 2}, "stayed", 4, 4),
        ({"doc-3": 2, "doc-2": 1}, "rose", 3, 1),
        ({"doc-3": 0, "doc-0": 2}, "fell", 1, 3),
    ],
)
def test_with_judgments_it_says_what_became_of_the_chunk_that_answers(said, graded, key, before, after):
    made = comparison(TEXTS, after=[2, 1, 0, 3], cutoff=2)
    outcome, rest = sentences.outcome(replay_of(made, graded))
    assert outcome == said[f"outcome.{key}"].format(before=before, after=after)
    assert sentences.headline(made)[0] in rest


def test_a_chunk_judged_not_to_answer_is_no_answer():
    made = comparison(TEXTS, cutoff=2)
    assert sentences.outcome(replay_of(made, {"doc-2": 0})) == sentences.headline(made)


def test_the_words_that_were_judged_are_quoted():
    made = comparison(["Before it. Taxes grew by 8%. After it.", "Beta two."])
    whole = replay_of(made, {"doc-0": 2})
    part = replace(whole, judgments=(Judgment(made.query, Span(1, 11, "Taxes grew by 8%.", "doc"), 2),))
    assert "Before it" in sentences.outcome(whole)[1]
    quoted = sentences.outcome(part)[1]
    assert "Taxes grew by 8" in quoted and "Before it" not in quoted


def test_what_is_quoted_is_no_markdown():
    made = comparison(["**bold** ![x](http://x.invalid/x.png)", "Beta two."])
    quoted = sentences.outcome(replay_of(made, {"doc-0": 2}))[1]
    assert quoted.startswith("` ") and "**bold** ![x](http://x.invalid/x.png)" in quoted.split("`")[1]
