"""How the pages of a document are read, and what they look like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rag_core.datatypes import Progress, Readings
from rag_core.errors import FileNotKept, PageNotDrawn
from rag_core.keeping.documents import DocumentStore
from rag_core.reading import document, extract, sandbox


class Pages:
    """The pages of a library's documents: read otherwise, recognised, and drawn."""

    def __init__(self, documents: DocumentStore) -> None:
        self._documents = documents

    def choose(self, doc_id: str, readings: Readings) -> None:
        """Search the pages as these readings say from now on; what was cut and embedded goes where a page changes."""
        self._documents.choose(document.made(doc_id, self._documents.title(doc_id), readings), readings)

    def recognise(self, doc_id: str, numbers: Sequence[int], progress: Progress | None = None) -> None:
        """Read these pages from their pictures, and search what is found there."""
        recognised = sandbox.recognise(self._file(doc_id), numbers, progress)
        readings = self._documents.readings(doc_id)
        self.choose(doc_id, replace(readings, pages=tuple(extract.recognised(readings.pages, recognised))))

    def contents(self, doc_id: str) -> list[int]:
        """Return the numbers of the pages on which a list of contents is dropped."""
        return extract.contents_pages(self._documents.readings(doc_id))

    def picture(
        self, doc_id: str, number: int, words: str = "", part: tuple[int, int] | None = None
    ) -> tuple[bytes, bool]:
        """Return a page as PNG, and whether the words were found and marked on it, a part of them more strongly.

        Raises:
            FileNotKept: the document was added before files were kept.
            PageNotDrawn: the page cannot be drawn, for instance because a password protects the file, or it took too
                long to read.
        """
        if any(page.number == number and extract.is_slow(page) for page in self._documents.readings(doc_id).pages):
            raise PageNotDrawn(f"page {number} takes too long to draw: open the PDF in a viewer", page=number)
        return sandbox.draw_page(self._file(doc_id), number, words, part)

    def _file(self, doc_id: str) -> bytes:
        data = self._documents.file(doc_id)
        if data is None:
            raise FileNotKept(f"the file of document {doc_id!r} is not kept: add the PDF again", doc_id=doc_id)
        return data
