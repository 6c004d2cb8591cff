"""Pages whose layout is hard to read, made by ``support/layouts.py``: a person's reading is what is searched."""

from __future__ import annotations

import layouts
import pytest

from rag_core.reading import extract


@pytest.mark.parametrize("case", layouts.CASES, ids=lambda case: f"{case.kind}-{case.name}")
def test_a_page_is_read_as_a_person_reads_it(case: layouts.Case):
    [reading] = extract.read(case.data)
    text = reading.chosen.text
    assert [words for words in case.wanted if words not in text] == []
    assert [words for words in case.unwanted if words in text] == []
    assert reading.chosen.quality.verdict == "good"
