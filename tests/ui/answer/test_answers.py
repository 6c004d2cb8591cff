"""What is said of two answers to one question."""

import pytest
import streamlit as st
from comparisons import comparison

from pages.ui.answer import answers, cards
from pages.ui.parts import sentences
from pages.ui.shell.i18n import t
from rag_core.datatypes import Answer
from rag_core.sharing.replay import SIDES


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        ("Revenue rose. [1]", "Revenue rose. [3]", "same"),
        ("Revenue rose.\nCosts fell.", "Revenue rose. Costs  fell.", "same"),
        ("Revenue rose. [1] Costs fell. [2]", "Revenue rose. [2] Profit rose. [1]", "same_start"),
        ("收入增长8%。[1]支出下降。", "收入增长8%。[2]利润上升。", "same_start"),
        ("Costs fell. Revenue rose.", "Revenue rose. Costs fell.", "changed"),
        ("", "Revenue rose.", "gained"),
        ("Revenue rose.", "", "lost"),
        ("", "", "neither"),
    ],
)
def test_answers_that_begin_alike_are_not_said_to_have_changed(before, after, kind):
    sides = {side: Answer(text, (), "a model") for side, text in (("vector", before), ("reranked", after))}
    assert answers.change(sides) == kind


def test_a_sentence_that_is_only_the_nearest_counts_as_none():
    nearest, clear = (Answer("Revenue rose. [1]", cited, "extractive") for cited in ((), (1,)))
    kinds = {"neither": (nearest, nearest), "gained": (nearest, clear), "lost": (clear, nearest)}
    for kind, sides in kinds.items():
        assert answers.change(dict(zip(SIDES, sides, strict=True))) == kind


def test_cards_mark_what_only_one_answer_says_and_name_both_ranks(language):
    made = comparison(["Alpha one.", "Beta two.", "Gamma three."], after=[2, 0, 1], cutoff=2)
    chunks = {side: tuple(hit.chunk for hit in made.ranking(side).top(2)) for side in SIDES}
    given = {
        "vector": Answer("Beta two. [2]\nAlpha one. [1]", (1, 2), "extractive", chunks["vector"]),
        "reranked": Answer("Beta two. [1]", (1,), "extractive", chunks["reranked"]),
    }
    before, after = cards.data(made, given)["sides"]
    assert [(part["words"], part["alone"]) for part in before["said"]] == [("Beta two.", False), ("Alpha one.", True)]
    assert [part["alone"] for part in after["said"]] == [False]
    ranks = t("answer.ranks", number=1, before=1, after=3)
    assert before["said"][1]["sources"][0]["label"].startswith(ranks) and not before["unclear"]


def test_what_is_only_nearest_is_said_and_marked_by_nothing(language):
    made = comparison(["Alpha one.", "Beta two."])
    answer = Answer("Alpha one. [1]", (), "extractive", tuple(made.before.chunks))
    for side in cards.data(made, dict.fromkeys(SIDES, answer))["sides"]:
        assert side["unclear"] == t("answer.unclear_nearest")
        assert [part["alone"] for part in side["said"]] == [False]
    assert sentences.answer(answer) == f"{t('answer.unclear_nearest')} Alpha one. [1]"


@pytest.fixture(params=["en", "zh"])
def language(request, monkeypatch):
    monkeypatch.setitem(st.session_state, "lang", request.param)
    monkeypatch.setitem(st.session_state, "picked", None)
