"""What is said of a comparison in sentences."""

from __future__ import annotations

from dataclasses import replace

import pytest
import streamlit as st
from comparisons import comparison, replay_of

from pages.ui.parts import sentences
from pages.ui.shell.i18n import t
from rag_core.datatypes import Comparison, Judgment, Span
from rag_core.sharing.replay import Replay

TEXTS = ["Alpha one.", "Beta two.", "Gamma three.", "Delta four."]
AFTER = [2, 0, 1, 3]


@pytest.fixture(autouse=True, params=["en", "zh"])
def language(request, monkeypatch):
    monkeypatch.setitem(st.session_state, "lang", request.param)
    return request.param


def replay(of: Comparison, *judgments: Judgment) -> Replay:
    return replace(replay_of(of), judgments=judgments)


def judged(of: Comparison, number: int, quote: str) -> Judgment:
    chunk = of.before.chunks[number]
    return Judgment("question", Span(chunk.page, chunk.start, quote, "doc"), 2)


def test_the_sentence_tells_of_the_chunk_that_answers_and_quotes_it():
    given = comparison(TEXTS, after=AFTER)
    outcome = [sentences.outcome(replay(given, judged(given, number, TEXTS[number][:5]))) for number in range(4)]
    assert outcome[1][0] == t("outcome.rose", before=2, after=1)
    assert outcome[0][0] == t("outcome.fell", before=1, after=3)
    assert outcome[3][0] == t("outcome.stayed", before=4, after=4)
    assert "Alpha" in outcome[0][1] and "Alpha one" not in outcome[0][1]


def test_the_sentence_tells_of_the_first_chunk_that_answers():
    given = comparison(TEXTS, after=AFTER)
    both = [judged(given, number, TEXTS[number]) for number in (0, 2)]
    assert sentences.outcome(replay(given, *both))[0] == t("outcome.fell", before=1, after=2)


def test_without_judgments_the_sentence_counts_what_is_new():
    given = comparison(TEXTS, after=AFTER, cutoff=2)
    wrong = Judgment("question", Span(1, 0, TEXTS[0], "doc"), 0)
    assert sentences.outcome(replay(given)) == sentences.headline(given)
    assert sentences.outcome(replay(given, wrong)) == sentences.headline(given)


def test_a_moved_cutoff_counts_anew():
    given = comparison(TEXTS, after=AFTER)
    assert [len(given.cut_at(k).entered) for k in (1, 2, 3, 4)] == [1, 1, 0, 0]
