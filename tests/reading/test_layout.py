"""Pages whose layout is hard to read, made by ``support/layouts.py``: a person's reading is what is searched."""

from __future__ import annotations

import layouts
import pytest

from rag_core.reading import extract
from rag_core.reading.geometry import Box
from rag_core.reading.glyphs import Glyph
from rag_core.reading.rows import rows


@pytest.mark.parametrize("case", layouts.CASES, ids=lambda case: f"{case.kind}-{case.name}")
def test_a_page_is_read_as_a_person_reads_it(case: layouts.Case):
    [reading] = extract.read(case.data)
    text = reading.chosen.text
    assert [words for words in case.wanted if words not in text] == []
    assert [words for words in case.unwanted if words in text] == []
    assert reading.chosen.quality.verdict == "good"


def test_a_low_character_stays_in_its_line_where_the_font_does_not_say_how_high_it_is():
    boxes = {
        "于": Box(130.7, 774.8, 141.7, 785.8),
        "一": Box(142.2, 780.5, 152.2, 781.8),
        "九": Box(152.7, 774.8, 163.7, 785.8),
    }
    line = [Glyph(character, box, 776.1, number, False, 0) for number, (character, box) in enumerate(boxes.items())]
    assert [[cell.text for cell in row] for row in rows(line)] == [["于一九"]]
