"""What a reader sees when the index or the disk fails."""

from __future__ import annotations

import resource
import sqlite3
from contextlib import closing, contextmanager

import pytest
from chroma_server import CHROMA, free_port, running_chroma
from screens import OTHER, QUESTION, SMALL, click, open_page, press, said, says, text_of, upload

from pages.ui.shell import cached
from rag_core import settings
from rag_core.reading.pdf import document_id


def damage() -> None:
    file = settings.home() / "chroma" / "chroma.sqlite3"
    file.write_bytes(bytes(file.stat().st_size))


def notices(at) -> list[str]:
    return [toast.value for toast in at.toast]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_damaged_index_is_built_again_and_the_reader_is_told_once(library, language):
    damage()
    at = open_page("compare", language, question=QUESTION)
    at = press(at, "form.compare")
    assert len(at.session_state["comparison"].moves) > 5
    assert notices(at) == [text_of(at, "work.rebuilt")]
    assert notices(press(at, "form.compare")) == []


def test_the_documents_page_builds_a_damaged_index_again(library):
    damage()
    at = open_page("documents")
    at = click(at, at.button(key="build"))
    assert says(at, "documents.indexed")
    assert notices(at) == [text_of(at, "work.rebuilt")]


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("page", ["documents", "compare", "evaluate"])
def test_a_damaged_library_is_named_on_every_page(library, page, language):
    file = settings.home() / "library.sqlite"
    file.write_bytes(file.read_bytes()[:-5000])
    at = open_page(page, language)
    assert not at.exception
    assert says(at, "error.library_damaged")


def damage_document() -> None:
    with closing(sqlite3.connect(settings.home() / "library.sqlite")) as connection, connection:
        connection.execute("UPDATE pages SET text = text || '!'")
        connection.execute("UPDATE readings SET extracts = '{}'")
        connection.execute("DELETE FROM files")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_damaged_document_is_named_and_added_again_or_deleted(library, language):
    damage_document()
    assert says(open_page("compare", language), "error.document_damaged")
    at = open_page("documents", language)
    assert says(at, "error.document_damaged")
    at = upload(at, ("small.pdf", SMALL))
    assert not at.error, said(at)
    cached.forget(document_id(SMALL))
    damage_document()
    at = press(open_page("documents", language), "documents.delete_yes")
    assert not at.error and cached.lab().documents.titles() == {}


def test_a_damaged_history_is_named_and_the_page_goes_on(library):
    doc_id = document_id(SMALL)
    cached.lab().history.add(doc_id, "one", "2026-11-25T08:00:00+00:00", "{}")
    with cached.lab().library.database.open() as connection:
        connection.execute("UPDATE history SET name = 'another'")
    at = press(open_page("compare", question=QUESTION), "form.compare")
    assert says(at, "error.library_damaged") and at.session_state["comparison"]


@contextmanager
def no_larger_files(size: int):
    """Let no file of this process grow over ``size``: a write fails as on a disk that does."""
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, old[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_disk_that_fails_is_told_and_what_is_there_stays(library, language):
    at = open_page("documents", language)
    with no_larger_files(1000):
        at = upload(at, ("other.pdf", OTHER))
        assert says(at, "error.library_unwritable")
        at = press(at, "documents.delete_yes")
        assert says(at, "error.index_unreadable")
    assert list(cached.lab().documents.titles()) == [document_id(SMALL)]
    at = upload(at, ("other.pdf", OTHER))
    assert not at.error, said(at)
    assert document_id(OTHER) in cached.lab().documents.titles()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_without_its_chroma_server_the_app_shows_documents_and_says_what_to_do(library, language, monkeypatch):
    monkeypatch.setenv("RERANK_LAB_CHROMA", f"http://127.0.0.1:{free_port()}")
    at = open_page("documents", language)
    assert [metric.value for metric in at.metric][:1] == ["2"]
    assert says(click(at, at.button(key="build")), "error.server_unreachable")
    assert says(press(open_page("compare", language, question=QUESTION), "form.compare"), "error.server_unreachable")


def test_a_setting_that_leads_to_no_server_is_told(library, monkeypatch):
    monkeypatch.setenv("RERANK_LAB_CHROMA", "ftp://somewhere")
    assert says(open_page("documents"), "error.bad_setting")


@pytest.mark.slow
@pytest.mark.skipif(not CHROMA.exists(), reason="the chroma command is not installed beside Python")
def test_with_a_chroma_server_a_comparison_is_the_one_in_a_folder(library, compared, tmp_path, monkeypatch):
    with running_chroma(tmp_path / "server") as server:
        monkeypatch.setenv("RERANK_LAB_CHROMA", server.url)
        at = open_page("compare", question=QUESTION, preset="sentence", size=600, overlap=120)
        made = press(at, "form.compare").session_state["comparison"]
    assert (made.before, made.reranked, made.moves) == (compared.before, compared.reranked, compared.moves)
