"""Documents shows the lines that are not searched, and brings them back; Compare says what is no candidate."""

from __future__ import annotations

import edges
import pdfs
import pytest
from screens import asked, open_page, orders, says, text_of, upload
from streamlit.testing.v1 import AppTest

from pages.ui.shell import cached

LISTED = pdfs.text_pdf(*edges.LISTS["text below it"].pages)


def table(at: AppTest, key: str):
    return next(frame for frame in at.dataframe if (frame.key or "").partition(":")[0] == key).value


def dropped(at: AppTest) -> list[list[str]]:
    """Return the rows of the one table of lines that are dropped, or were."""
    [shown] = [frame.value for frame in at.dataframe if text_of(at, "dropped.pages") in frame.value.columns]
    return shown.values.tolist()


def chunks(at: AppTest) -> str:
    return " ".join(table(at, "chunks").iloc[:, -1])


@pytest.mark.parametrize("language", ["en", "zh"])
def test_running_heads_are_not_searched_until_they_are_brought_back(language):
    at = upload(open_page("documents", language), ("headed.pdf", pdfs.headed_pdf(4)))
    assert text_of(at, "dropped.heads_out", count=2, pages="1–4") in [one.label for one in at.expander]
    assert dropped(at) == [["第1页", "1–4"], ["市政府工作报告", "2–4"]]
    assert chunks(at).count("市政府工作报告") == 1
    at.button(key="drop_repeated").click().run()
    assert text_of(at, "dropped.heads_in", count=2, pages="1–4") in [one.label for one in at.expander]
    assert chunks(at).count("市政府工作报告") == 4
    at.button(key="drop_repeated").click().run()
    assert chunks(at).count("市政府工作报告") == 1


@pytest.mark.parametrize("language", ["en", "zh"])
def test_contents_are_marked_and_can_be_brought_back(language):
    at = upload(open_page("documents", language), ("listed.pdf", LISTED))
    assert table(at, "gate_pages").iloc[0, 2] == text_of(at, "gate.contents")
    assert dropped(at)[0] == ["Contents", "1"]
    assert "........" not in chunks(at)
    at.button(key="drop_contents").click().run()
    assert "........" in chunks(at)
    assert not table(at, "gate_pages").iloc[0, 2]


def test_a_page_of_contents_alone_is_not_searched():
    at = upload(open_page("documents"), ("listed.pdf", pdfs.text_pdf(*edges.LISTS["dots"].pages)))
    assert list(table(at, "gate_pages").iloc[:2, -1]) == ["–", "✓"]


def test_a_document_without_either_shows_neither():
    at = upload(open_page("documents"), ("small.pdf", pdfs.text_pdf(["The river is wide."])))
    assert len(at.expander) == 1 and not says(at, "dropped.heads_help") and not says(at, "dropped.contents_help")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_comparison_says_that_contents_are_no_candidates(language):
    document = cached.lab().add(LISTED, "listed.pdf")
    at = asked(language, doc_id=document.id)
    assert says(at, "result.contents")
    assert not [name for name in orders(at)["chunks"].values() if "........" in str(name)]


def test_a_comparison_without_contents_says_nothing_of_them():
    document = cached.lab().add(pdfs.text_pdf(["The river is wide.", "The bridge is old."]), "small.pdf")
    assert not says(asked(doc_id=document.id), "result.contents")
