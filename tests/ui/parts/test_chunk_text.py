"""The head of a table is shown before the row that models read with it, as text, and told apart."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from pages.ui.parts import chunk_text
from pages.ui.shell.i18n import texts
from rag_core.datatypes import Chunk

HEAD = "Item\t**2024**\t<b>2023</b>"
ROW = Chunk("doc-1", "doc", "Cash\t5\t4", 1, 20, 28, head=HEAD)


def drawn(head: str, language: str) -> AppTest:
    def script(head: str, language: str) -> None:
        import streamlit as st

        from pages.ui.parts import chunk_text
        from rag_core.datatypes import Chunk

        st.session_state["lang"] = language
        chunk_text.show(Chunk("doc-1", "doc", "Cash\t5\t4", 1, 20, 28, head=head))

    return AppTest.from_function(script, default_timeout=120, kwargs={"head": head, "language": language}).run()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_head_stands_in_a_box_of_its_own(language):
    at = drawn(HEAD, language)
    assert not at.exception
    head, row = at.code
    assert head.value == "Item  **2024**  <b>2023</b>" and row.value == "Cash  5  4"
    assert {head.language, row.language} <= {"", None, "plaintext"}
    assert [caption.value for caption in at.caption] == [texts(language)["part.head"]]


def test_without_a_head_there_is_the_text_alone():
    at = drawn("", "en")
    assert [box.value for box in at.code] == ["Cash  5  4"]
    assert not at.caption


def test_a_row_is_a_line_whose_cells_stand_under_one_another():
    rows = ["指标\t2024年目标\t完成", "财政收入增速\t5%\t4.6%", "Total\t\t12.25"]
    assert chunk_text.in_columns(rows).split("\n") == [
        "指标          2024年目标  完成",
        "财政收入增速          5%   4.6%",
        "Total                     12.25",
    ]


def test_on_one_line_a_mark_parts_both():
    assert chunk_text.whole(ROW) == f"{HEAD} / Cash\t5\t4"
