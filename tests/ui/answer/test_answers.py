"""What is said of two answers to one question."""

import pytest

from pages.ui.answer import answers
from rag_core.datatypes import Answer


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        ("Revenue rose. [1]", "Revenue rose. [3]", "same"),
        ("Revenue rose.\nCosts fell.", "Revenue rose. Costs  fell.", "same"),
        ("Revenue rose. [1] Costs fell. [2]", "Revenue rose. [2] Profit rose. [1]", "same_start"),
        ("收入增长8%。[1]支出下降。", "收入增长8%。[2]利润上升。", "same_start"),
        ("Costs fell. Revenue rose.", "Revenue rose. Costs fell.", "changed"),
        ("", "Revenue rose.", "changed"),
        ("", "", "same"),
    ],
)
def test_answers_that_begin_alike_are_not_said_to_have_changed(before, after, kind):
    sides = {side: Answer(text, (), "extractive") for side, text in (("vector", before), ("reranked", after))}
    assert answers.change(sides) == kind
