"""Collections as a reader meets them: made, changed, searched, filtered, graded, answered, sent."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import screens
from pdfs import text_pdf
from screens import QUESTION, SMALL, open_page, open_part, orders, press, run, says, text_of

from pages.ui.results import report
from pages.ui.shell import cached
from rag_core.datatypes import Judgment, Span
from rag_core.reading.pdf import document_id
from rag_core.sharing import replay_file

DOC = document_id(SMALL)
OTHER = text_pdf(["The tram opened in May. Ninety nurses were hired.", "Tax revenue fell in the other town."])
CUT = {"preset": "sentence", "size": 600, "overlap": 120}
NAME = "Reader <b>**x**"


@pytest.fixture
def other(library) -> str:
    return cached.lab().add(OTHER, "other town.pdf").id


@pytest.fixture
def reader(library, other) -> str:
    return cached.lab().library.collect(NAME, [DOC, other]).id


def asked(reader: str, language: str = "en", **state: object):
    return screens.asked(language, doc_id=reader, **CUT, **state)


def places(at, key: str) -> list[str]:
    """Return what stands in a table's column of pages."""
    table = next(table.value for table in at.dataframe if (table.key or "").partition(":")[0] == key)
    return list(table[text_of(at, "table.page")])


@pytest.mark.parametrize("language", ["en", "zh"])
def test_documents_are_put_together(other, language):
    at = open_page("documents", language)
    at.text_input(key="collection_name").set_value(NAME)
    at.multiselect(key="collection_members").set_value([DOC, other])
    press(at, "collection.put")
    assert says(at, "collection.made")
    made = at.session_state["doc_id"]
    assert cached.lab().documents.load(made).members == (DOC, other)
    [table] = [table.value for table in at.dataframe if text_of(at, "collection.doubted") in table.value.columns]
    assert list(table.iloc[:, 0]) == ["small.pdf", "other town.pdf"]
    assert set(places(at, "chunks")) == {"1 · small.pdf", "2 · small.pdf", "1 · other town.pdf"}


def test_with_one_document_nothing_is_put_together(library):
    assert not says(open_page("documents"), "collection.help")


@pytest.mark.parametrize(("name", "members"), [("", 2), ("Reader", 0)])
def test_a_collection_without_a_name_or_a_document_is_told(other, name, members):
    at = open_page("documents")
    at.text_input(key="collection_name").set_value(name)
    at.multiselect(key="collection_members").set_value([DOC, other][:members])
    press(at, "collection.put")
    assert says(at, "error.empty_collection")
    assert set(cached.lab().documents.titles()) == {DOC, other}


def test_members_come_and_go_and_the_name_changes(reader, other):
    at = open_page("documents", doc_id=reader)
    at.multiselect(key=f"members_of_{reader}").set_value([other])
    at.text_input(key=f"name_of_{reader}").set_value("Other")
    press(at, "collection.save")
    changed = cached.lab().documents.load(reader)
    assert (changed.title, changed.members) == ("Other", (other,))
    assert set(places(run(at), "chunks")) == {"1 · other town.pdf"}


def test_a_deleted_document_leaves_the_collection_and_what_was_compared(reader, other):
    at = asked(reader)
    at = open_page("documents", doc_id=other, comparison=at.session_state["comparison"])
    press(at, "documents.delete_yes")
    assert cached.lab().documents.load(reader).members == (DOC,)
    assert at.session_state["comparison"] is None


def test_an_emptied_collection_says_what_to_do(reader, other):
    for doc_id in (DOC, other):
        cached.lab().delete(doc_id)
    newer = cached.lab().add(OTHER, "again.pdf").id
    at = open_page("documents", doc_id=reader)
    assert not at.exception
    at.multiselect(key=f"members_of_{reader}").set_value([newer])
    press(at, "collection.save")
    assert cached.lab().documents.load(reader).members == (newer,)


def test_comparing_an_emptied_collection_is_told(reader, other):
    for doc_id in (DOC, other):
        cached.lab().delete(doc_id)
    assert says(asked(reader), "error.empty_collection")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_table_names_the_document(reader, language):
    at = asked(reader, language)
    found = at.session_state["comparison"]
    assert {chunk.title for chunk in found.before.chunks} == {"small.pdf", "other town.pdf"}
    names = {"small.pdf": "small.pdf", "other town.pdf": "other town"}
    page = text_of(at, "table.page_short", page="{}")
    shown = {i: chunk["place"] for i, chunk in orders(at)["chunks"].items()}
    assert shown == {one.id: f"{names[one.title]} · {page.format(one.page)}" for one in found.before.chunks}


def test_a_filter_searches_the_chosen_documents_alone(reader, other):
    at = asked(reader)
    at.multiselect(key="within").set_value([other])
    run(at)
    assert says(at, "compare.stale")
    press(at, "form.compare")
    assert {chunk.doc_id for chunk in at.session_state["comparison"].before.chunks} == {other}
    assert at.session_state["comparison"].available == 3
    assert at.query_params["within"] in (other, [other])
    assert not says(at, "compare.stale")


def test_a_filter_that_lost_its_document_says_so(reader, other):
    at = open_page("compare", doc_id=reader, within=[other, "gone"])
    assert says(at, "form.within_gone")
    assert at.session_state["within"] == [other]


def test_another_document_has_no_filter(reader, other):
    at = open_page("compare", doc_id=DOC, within=[other])
    assert not [box for box in at.multiselect if box.key == "within"]
    assert at.session_state["within"] == []


def test_a_grade_stays_with_the_member(reader, other):
    at = asked(reader)
    chunk = next(chunk for chunk in at.session_state["comparison"].before.chunks if chunk.doc_id == other)
    at.session_state["picked"] = chunk.id
    run(at).button(key="grade_1").click()
    run(at)
    [kept] = cached.lab().judgments.load(other)
    assert (kept.grade, kept.span.quote) == (1, chunk.text)
    assert cached.lab().judgments.load(DOC) == []
    at.button(key="undo").click()
    run(at)
    assert cached.lab().judgments.load(other) == []


def test_a_collection_is_evaluated_and_another_filter_needs_another_evaluation(reader, other):
    cached.lab().judge(reader, [Judgment(QUESTION, Span(1, 0, "Tax revenue grew by eight percent over the year."), 2)])
    at = press(open_page("evaluate", doc_id=reader, **CUT), "evaluate.run")
    assert at.session_state["evaluation"].measured == [QUESTION]
    at.session_state["within"] = [other]
    assert says(run(at), "evaluate.empty")


def test_the_files_of_a_result_name_the_documents(reader):
    found = asked(reader).session_state["recorded"]
    again = replay_file.read(replay_file.write(found))
    assert {chunk.title for chunk in again.comparison.before.chunks} == {"small.pdf", "other town.pdf"}
    assert again.source.pages == 3
    for made in (report.html(again, "en"), report.markdown(again, "en")):
        assert "other town" in made
    rows = json.loads(replay_file.write(found))["candidates"]
    assert {row["title"] for row in rows} == {"small.pdf", "other town.pdf"}


def test_a_hostile_title_is_a_text_in_a_markdown_report(reader):
    found = asked(reader).session_state["recorded"]
    title = "[x](http://evil) | **b**.pdf"
    hits = tuple(replace(hit, chunk=replace(hit.chunk, title=title)) for hit in found.comparison.before.hits)
    vector = replace(found.comparison.before, hits=hits)
    named = replace(found, comparison=replace(found.comparison, before=vector))
    assert "](http://evil)" not in report.markdown(named, "en")


def test_a_result_of_a_collection_comes_home(reader, other):
    found = asked(reader).session_state["recorded"]
    chunk = next(chunk for chunk in found.comparison.before.chunks if chunk.doc_id == other)
    back = found.judged(Judgment(QUESTION, Span(chunk.page, chunk.start, chunk.text, chunk.doc_id), 2, "Ann"))
    at = open_page("replay", opened=replay_file.read(replay_file.write(back)))
    assert "1 · other town.pdf" in places(at, "news")
    press(at, "replay.take")
    assert [one.judge for one in cached.lab().judgments.load(other)] == ["Ann"]


def test_the_map_and_the_ledger_name_the_documents(reader):
    at = asked(reader)
    at = open_part(at, "result.ledger")
    assert not at.exception
    shown = open_page("explain", comparison=at.session_state["comparison"], doc_id=reader, explain_part="map", **CUT)
    assert not shown.exception
    assert all("·" in place for place in places(shown, "map_vector"))


def test_another_collection_begins_without_a_filter(reader, other):
    second = cached.lab().library.collect("Second", [DOC]).id
    at = open_page("compare", doc_id=reader, within=[other])
    at.selectbox(key="doc_id").set_value(second)
    run(at)
    assert at.session_state["within"] == []
    assert not says(at, "form.within_gone")


def test_lost_words_name_their_document(reader, other):
    cached.lab().judge(reader, [Judgment(QUESTION, Span(1, 0, "These words are gone.", other), 2)])
    assert screens.says_anywhere(open_page("evaluate", doc_id=reader, **CUT), "other town.pdf · p. 1  These words")
