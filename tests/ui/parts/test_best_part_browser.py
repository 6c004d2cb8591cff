"""The best part of a long chunk is said and marked wherever the chunk is read, in a real browser."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
import running_app
from running_app import order_rows, settle

from pages.ui.shell import i18n
from rag_core.reading.pdf import document_id

SAMPLE = running_app.ROOT / "data" / "samples" / "city-report-zh.pdf"
QUESTION = "2025年一般公共预算收入打算增长多少？"
WORDS = "增长4%"
"""They stand in the part that answers."""


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_part_that_scored_is_marked_in_the_chunk_and_on_its_page(address, page, language):
    texts = i18n.texts(language)
    asked = {"doc": document_id(SAMPLE.read_bytes()), "q": QUESTION, "chunks": "window-600-120", "lang": language}
    page.goto(f"{address}/compare?{urlencode(asked)}")
    told = texts["part.count"].partition("}")[2].rpartition("{")[2].rpartition("}")[2].strip()
    page.get_by_text(told).wait_for()
    settle(page)
    order_rows(page, 1).first.click()
    settle(page)
    marked = "".join(page.locator(".marked mark").all_inner_texts())  # beside those of the tables' rows
    assert WORDS in marked and len(marked) < len(page.locator(".marked").inner_text())
    assert page.locator(".marked tr").count() > 1, "a table's rows stand one under another"
    page.get_by_text(texts["beside.part_marked"].partition("{page}")[2]).wait_for()
    page.get_by_role("link", name=texts["explain.title"], exact=True).click()
    settle(page)
    assert WORDS in "".join(page.locator("mark").all_inner_texts())
