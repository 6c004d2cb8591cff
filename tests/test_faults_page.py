"""What a reader sees when the index or the disk fails."""

from __future__ import annotations

import resource
from contextlib import contextmanager

import pytest
from test_pages import (
    OTHER,
    QUESTION,
    SMALL,
    click,
    indexed,
    library,
    open_page,
    press,
    said,
    says,
    text_of,
    upload,
)

from pages.ui import cached
from rag_core import settings
from rag_core.pdf import document_id

__all__ = ["indexed", "library"]


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
    assert list(cached.lab().titles()) == [document_id(SMALL)]
    at = upload(at, ("other.pdf", OTHER))
    assert says(at, "documents.added"), said(at)
