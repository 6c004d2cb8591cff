"""Which chunks answer the samples' questions."""

from __future__ import annotations

import pytest

from pages.ui import cached
from pages.ui.judgments import answers, relevant_ids
from rag_core import pdf
from rag_core.datatypes import Chunk
from rag_core.pipeline import Lab

QUOTE = "In 58% of cases the sewer was blocked by wipes, fat or roots."


def piece(text: str, page: int = 5) -> Chunk:
    return Chunk(text, "doc", text, page, 0, len(text))


@pytest.mark.parametrize(
    ("text", "page", "found"),
    [
        (f"Flooding has one cause. {QUOTE} We cleaned sewers.", 5, True),
        (QUOTE.replace(" ", "\n"), 5, True),
        ("the sewer was blocked by wipes,", 5, True),
        (QUOTE, 6, False),
        ("Sewers are blocked by wipes.", 5, False),
        ("blocked by wipes, fat or roots. We cleaned", 5, False),
        (" ", 5, False),
    ],
)
def test_a_chunk_answers_when_it_holds_the_quote_or_is_a_piece_of_it(text, page, found):
    assert answers(piece(text, page), 5, QUOTE) is found


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_samples_questions_are_judged_in_both_languages(language, lab: Lab):
    _, data, questions = cached.sample(language)
    document = lab.add(data, "sample")
    chunks = lab.cut(document.id, cached.chunk.recommend(document.pages))
    found = [relevant_ids(document.id, question, chunks) for question in questions]
    assert len(found) == 12
    assert sum(map(bool, found)) >= 10, "windows hold nearly all of the quotes whole"
    answered = cached.sample_answers(document.id)
    assert len(answered) == 24
    assert all(relevant_ids(document.id, asked, chunks) is not None for asked in answered)


def test_what_nobody_judged_is_not_called_wrong(lab: Lab):
    doc_id = pdf.document_id(cached.sample("en")[1])
    assert relevant_ids(doc_id, "Is this judged?", [piece("x")]) is None
    assert relevant_ids("another document", cached.sample("en")[2][0], [piece("x")]) is None
