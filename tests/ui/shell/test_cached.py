"""What is kept between reruns: shared by all visitors, and forgotten one document at a time."""

from __future__ import annotations

import pytest
import streamlit as st
from pdfs import text_pdf

from pages.ui.shell import cached, work
from rag_core.errors import DocumentMissing

ONE, OTHER = text_pdf(["全市收入增长8.2%。"]), text_pdf(["新建公园二十处。"], ["博物馆接待游客三百万人次。"])
CUT = ("sentence", 300, 60)


@pytest.fixture
def two(monkeypatch) -> tuple[str, str]:
    """Return the ids of two documents in the app's library."""
    monkeypatch.setattr(st, "session_state", {"comparison": None})
    lab = cached.lab()
    return tuple(lab.add(data, name).id for name, data in (("one.pdf", ONE), ("other.pdf", OTHER)))


def look_at(doc_id: str) -> list[object]:
    """Ask for what screens show of a document."""
    shown = [cached.document(doc_id), cached.parts(doc_id), cached.chunks(doc_id, *CUT), cached.recommended(doc_id)]
    return [*shown, cached.page_picture(cached.document(doc_id).parts[0], 1, "", None)]


def test_what_was_made_once_is_the_same_object(two):
    one, other = two
    assert all(first is again for first, again in zip(look_at(one), look_at(one), strict=True))
    assert cached.chunks(one, *CUT) is not cached.chunks(other, *CUT)


def test_forgetting_one_document_leaves_what_others_look_at(two):
    one, other = two
    look_at(one)
    kept = look_at(other)
    cached.keep(one, ("probe", "全市收入"), lambda: "made")
    work.forget(one)
    assert all(first is again for first, again in zip(kept, look_at(other), strict=True))
    assert cached.kept(one, ("probe", "全市收入"), str) is None
    assert {key[0] for key in cached.shelf()} == {other}


def test_what_streamlit_keeps_for_everybody_stays(two):
    made = []

    @st.cache_data
    def of_a_model() -> int:
        made.append(1)
        return len(made)

    assert of_a_model() == 1
    work.forget(two[0])
    assert of_a_model() == 1


def test_a_member_takes_its_collections_along(two):
    one, other = two
    both = cached.lab().library.collect("both", [one, other], "").id
    assert len(cached.chunks(both, *CUT)) == 3 and cached.document(both).members == (one, other)
    cached.chunks(other, *CUT)
    cached.lab().delete(one)
    work.forget(one)
    assert [piece.doc_id for piece in cached.chunks(both, *CUT)] == [other, other]
    assert cached.document(both).members == (other,)


def test_a_failure_is_not_kept(two):
    with pytest.raises(DocumentMissing):
        cached.document("nothing")
    assert not any(key[0] == "nothing" for key in cached.shelf())


def test_the_oldest_is_dropped_first(two, monkeypatch):
    monkeypatch.setattr(cached, "MOST_KEPT", 3)
    for number in range(5):
        cached.keep(two[0], ("number", number), lambda number=number: number + 1)
    assert [cached.kept(two[0], ("number", number), int) for number in range(5)] == [None, None, 3, 4, 5]
