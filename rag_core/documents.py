"""A reader's documents and what is kept with each: how its pages were read, questions, judgments, comparisons."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from itertools import count, islice
from pathlib import Path, PurePath
from time import perf_counter

from rag_core import settings
from rag_core.datatypes import Document, Judgment, Page, PageReading, Progress
from rag_core.errors import EmptyCollection, FileNotKept
from rag_core.keeping.library import Entry, Library
from rag_core.measuring import judge
from rag_core.reading import extract, pdf, sandbox, text
from rag_core.reading.language import language_of
from rag_core.search.index import open_store


class Documents:
    """The library of documents, and the store of their indexes."""

    def __init__(self, home: Path, chroma: Path | settings.ChromaServer | None = None) -> None:
        """Open the library in a folder, and Chroma in a folder of its own, by default inside it, or on a server."""
        self.library = Library(home / "library.sqlite")
        self.store = open_store(chroma or home / "chroma")

    def add(
        self,
        data: bytes,
        title: str,
        password: str | None = None,
        progress: Progress | None = None,
        owner: str = "",
    ) -> Document:
        """Read a PDF into the library; the same bytes of the same owner give the same document.

        Added again, it keeps what the reader chose among its readings. Another one of the same title gets a number.

        Raises:
            DocumentError: the file cannot be read; NoText: there is nothing on its pages, not even a picture of text.
        """
        timings: dict[str, float] = {}
        with timed(timings, "parse"):
            document, readings = read_document(data, title, password, progress, owner)
        before, drop_repeated = self.library.readings(document.id)
        readings = extract.chosen_before(readings, before)
        others = [known for doc_id, known in self.titles(owner).items() if doc_id != document.id]
        document = _document(document.id, _apart(document.title, others), extract.pages(readings, drop_repeated))
        self.library.save(document, timings["parse"], owner, readings, drop_repeated, data)
        return document

    def readings(self, doc_id: str) -> tuple[list[PageReading], bool]:
        """Return how each page was read, and whether lines that repeat are dropped; no page of an old document."""
        return self.library.readings(doc_id)

    def choose(self, doc_id: str, readings: Sequence[PageReading], drop_repeated: bool) -> None:
        """Search the pages as these readings say from now on; what was cut and embedded goes where a page changes."""
        pages = extract.pages(readings, drop_repeated)
        self.library.choose(_document(doc_id, self.document(doc_id).title, pages), readings, drop_repeated)

    def recognise(self, doc_id: str, numbers: Sequence[int], progress: Progress | None = None) -> None:
        """Read these pages from their pictures, and search what is found there."""
        found = sandbox.recognise(self._file(doc_id), numbers, progress)
        readings, drop_repeated = self.readings(doc_id)
        self.choose(doc_id, extract.recognised(readings, found), drop_repeated)

    def picture(
        self, doc_id: str, number: int, words: str = "", part: tuple[int, int] | None = None
    ) -> tuple[bytes, bool]:
        """Return a page as PNG, and whether the words were found and marked on it, a part of them more strongly.

        Raises:
            FileNotKept: the document was added before files were kept.
            PageNotDrawn: the page cannot be drawn, for instance because a password protects the file.
        """
        return sandbox.draw_page(self._file(doc_id), number, words, part)

    def _file(self, doc_id: str) -> bytes:
        data = self.library.file_of(doc_id)
        if data is None:
            raise FileNotKept(f"the file of document {doc_id!r} is not kept: add the PDF again", doc_id=doc_id)
        return data

    def titles(self, owner: str = "", collections: bool = True) -> dict[str, str]:
        """Return ids and titles of an owner's documents, newest first, with or without collections."""
        return self.library.titles(owner, collections)

    def sweep(self, staying: Collection[str], gone: Collection[str], unseen_since: float, added_before: float) -> None:
        """Delete the documents of owners who are gone, of those whom no process on this library has seen since, and
        what was added before (both in seconds of the epoch).

        Documents without an owner are never touched.
        """
        self.library.report_stays(staying, gone)
        for doc_id in self.library.left_behind(unseen_since, added_before):
            self.delete(doc_id)

    def document(self, doc_id: str) -> Document:
        """Return a document that was read before."""
        return self.library.load(doc_id)

    def parts(self, doc_id: str) -> list[Document]:
        """Return the members of a collection, or the document alone."""
        document = self.library.load(doc_id)
        return [self.library.load(member) for member in document.members] if document.is_collection else [document]

    def questions(self, doc_id: str) -> dict[int, str]:
        """Return the document's question set by number."""
        return self.library.questions(doc_id)

    def ask(self, doc_id: str, questions: Sequence[str]) -> None:
        """Add questions to the document's set."""
        self.library.add_questions(doc_id, [settings.check_query(question) for question in questions])

    def drop(self, doc_id: str, question: str) -> None:
        """Remove a question from the document's set, with its judgments."""
        self.library.remove_question(doc_id, question)

    def judgments(self, doc_id: str) -> list[Judgment]:
        """Return the judgments on the document, or on every member of a collection, oldest first."""
        return [one for part in self.library.load(doc_id).parts for one in self.library.judgments(part)]

    def judge(self, doc_id: str, judgments: Sequence[Judgment]) -> None:
        """Keep judgments with the document, or with those members of a collection that they are about.

        Raises:
            DocumentMissing: the library does not hold it; EmptyCollection: all members were deleted.
        """
        parts = self.parts(doc_id)
        if not parts:
            raise emptied()
        self.library.add_judgments(list(judge.assign(judgments, parts)))
        self.library.add_questions(doc_id, [judgment.question for judgment in judgments])

    def undo(self, doc_id: str, judge: str) -> Judgment | None:
        """Take back this judge's last judgment on the document."""
        return self.library.undo_judgment(self.library.load(doc_id).parts, judge)

    def remember(self, doc_id: str, name: str, made: str, content: str) -> None:
        """Keep a comparison's replay file with its document; the oldest beyond the last ``MOST_KEPT`` goes."""
        self.library.add_history(doc_id, name, made, content)

    def history(self, doc_id: str) -> list[Entry]:
        """Return the document's last comparisons, newest first, without their content."""
        return self.library.history(doc_id)

    def recall(self, doc_id: str, number: int) -> bytes:
        """Return a comparison's replay file.

        Raises:
            HistoryMissing: it is no longer kept.
        """
        return self.library.recall(doc_id, number)

    def rename(self, doc_id: str, number: int, name: str) -> None:
        """Give a comparison of the history another name; an empty one changes nothing."""
        self.library.rename_history(doc_id, number, name)

    def delete(self, doc_id: str) -> None:
        self.store.delete(doc_id)
        self.library.delete(doc_id)

    def close(self) -> None:
        self.store.close()
        self.library.close()


def _document(doc_id: str, title: str, pages: Sequence[Page]) -> Document:
    return Document(doc_id, title, language_of(*(page.text for page in pages)), tuple(pages))


def _apart(title: str, others: Collection[str]) -> str:
    """Return the title with a number behind it where another document has it: in a collection names tell apart."""
    ending = PurePath(title).suffix
    numbered = (f"{title.removesuffix(ending)} ({number}){ending}" for number in count(2))
    return next(one for one in (title, *islice(numbered, len(others) + 1)) if one not in others)


def read_document(
    data: bytes, title: str, password: str | None = None, progress: Progress | None = None, owner: str = ""
) -> tuple[Document, list[PageReading]]:
    """Read a PDF: the document as it is searched, and how each page was read."""
    readings = extract.with_something(sandbox.read_pages(data, password, progress))
    return _document(pdf.document_id(data, owner), text.title_of(title), extract.pages(readings)), readings


def emptied() -> EmptyCollection:
    return EmptyCollection("no document of this collection has a page to search: add some, or delete it")


@contextmanager
def timed(timings: dict[str, float], step: str) -> Iterator[None]:
    """Write the seconds a step takes into ``timings``."""
    start = perf_counter()
    yield
    timings[step] = perf_counter() - start
