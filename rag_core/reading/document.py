"""From the bytes of a PDF to a document: its id, its title, its language and its pages."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import count, islice
from pathlib import PurePath

from rag_core.datatypes import Document, Page, Progress, Readings
from rag_core.reading import extract, pdf, sandbox, text
from rag_core.reading.language import language_of


def read(
    data: bytes, title: str, password: str | None = None, progress: Progress | None = None, owner: str = ""
) -> tuple[Document, Readings]:
    """Read a PDF: the document as it is searched, and how each page was read.

    Raises:
        DocumentError: the file cannot be read; NoText: there is nothing on its pages, not even a picture of text.
    """
    readings = Readings(tuple(extract.with_something(sandbox.read_pages(data, password, progress))))
    return made(pdf.document_id(data, owner), text.title_of(title), readings), readings


def made(doc_id: str, title: str, readings: Readings) -> Document:
    """Return the document that is searched when its pages are read like this."""
    choices = readings.drop_repeated, readings.drop_contents, readings.keep_unseen
    pages = extract.pages(readings.pages, *choices)
    return Document(doc_id, title, language(pages), tuple(pages))


def language(pages: Iterable[Page]) -> str:
    """Return the language of all pages together, ``zh`` or ``en``."""
    return language_of(*(page.text for page in pages))


def apart(title: str, others: Collection[str]) -> str:
    """Return the title with a number behind it where another document has it: in a collection names tell apart."""
    ending = PurePath(title).suffix
    numbered = (f"{title.removesuffix(ending)} ({number}){ending}" for number in count(2))
    return next(name for name in (title, *islice(numbered, len(others) + 1)) if name not in others)
