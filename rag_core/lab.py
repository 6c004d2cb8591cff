"""The program: what is kept of a document, and how it is opened for questions.

bytes ─ reading → pages → chunks ─ models (embed) → index ┐
question ─ search: expand → search each → fuse → candidates ┴ models (rerank) → new order ─ comparing → moves, answers
many questions ─ measuring → judgments, metrics      one comparison ─ explaining, sharing, workshop

What an opened document answers stands in ``search/opened.py``.
"""

from __future__ import annotations

from collections.abc import Collection as Many
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from rag_core.datatypes import (
    Chunk,
    ChunkSettings,
    Collection,
    Document,
    Judgment,
    Progress,
    Readings,
    Settings,
)
from rag_core.errors import ChunkMissing, DocumentDamaged, NoRoomForVisitor, NoText
from rag_core.keeping.chroma import Address
from rag_core.keeping.disk import unwritable
from rag_core.keeping.library import Library
from rag_core.keeping.stores import open_store
from rag_core.measuring import judge
from rag_core.measuring.judge import Judged
from rag_core.models.embed import Embedder
from rag_core.reading import chunk, document, extract, pdf
from rag_core.search.indexes import Indexes, emptied
from rag_core.search.opened import Opened, timed
from rag_core.search.together import Searched
from rag_core.settings import VISITOR_BYTES, VISITOR_DOCUMENTS, ChromaServer

DELETING = "deleting"
"""This file stands in the home folder while something is deleted, until nothing is left of it on disk."""


class Lab:
    """A reader's documents, and the comparison of a vector search with a cross-encoder on them.

    ``documents``, ``pages``, ``embeddings``, ``judgments``, ``runs`` and ``history`` are what is kept, by subject.
    """

    def __init__(self, home: Path, chroma: Path | ChromaServer | None = None) -> None:
        """Open the library in a folder, and Chroma in a folder of its own, by default inside it, or on a server."""
        self.library = Library(home / "library.sqlite")
        self.documents, self.embeddings = self.library.documents, self.library.embeddings
        self.judgments, self.history = self.library.judgments, self.library.history
        self.pages, self.runs = self.library.pages, self.library.runs
        self.store = open_store(chroma or home / "chroma")
        self.indexes = Indexes(self.library, self.store)
        self._deleting = home / DELETING
        if self._deleting.exists():
            self._tidy()

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
            DocumentError: the file cannot be read; NoText: there is nothing on its pages, not even a picture of text;
                NoRoomForVisitor: its owner would keep more than a visitor may.
        """
        if owner:
            self._check_room(owner, data)
        timings: dict[str, float] = {}
        with timed(timings, "parse"):
            read, readings = document.read(data, title, password, progress, owner)
        try:
            before = self.documents.readings(read.id)
        except DocumentDamaged:  # what takes its place is whole
            before = Readings()
        readings = replace(before, pages=tuple(extract.chosen_before(readings.pages, before.pages)))
        others = [known for doc_id, known in self.documents.titles(owner).items() if doc_id != read.id]
        read = document.made(read.id, document.apart(read.title, others), readings)
        self.documents.save(read, timings["parse"], owner, readings, data)
        return read

    def _check_room(self, owner: str, data: bytes) -> None:
        documents, room = self.documents.room(owner, pdf.document_id(data, owner))
        if not documents or len(data) > room:
            most = VISITOR_BYTES // 2**20
            raise NoRoomForVisitor(
                f"a visitor keeps at most {VISITOR_DOCUMENTS} documents of {most} MB together: delete one first",
                documents=VISITOR_DOCUMENTS,
                megabytes=most,
            )

    def cut(self, doc_id: str, how: ChunkSettings) -> list[Chunk]:
        """Cut a document into chunks, or return them as they were cut before; of a collection, every member.

        Raises:
            NoText: no page that is searched holds text.
        """
        chunks = self.embeddings.chunks(doc_id, how.key)
        if chunks is None:
            whole = self.documents.load(doc_id)
            if isinstance(whole, Collection):
                return [piece for member in whole.members for piece in self._titled(member, how)]
            pages = extract.with_text(whole.pages)
            chunks = chunk.split(pages, how.preset, how.size, how.overlap, doc_id)
            self.embeddings.save_chunks(doc_id, how.key, chunks)
        return chunks

    def _titled(self, member: str, how: ChunkSettings) -> list[Chunk]:
        """Cut a member of a collection into chunks that name it: none where all its pages are left out."""
        title = self.documents.title(member)
        try:
            return [replace(piece, title=title) for piece in self.cut(member, how)]
        except NoText:
            return []

    def chunk(self, doc_id: str, how: ChunkSettings, chunk_id: str) -> Chunk:
        """Return a chunk that is still here.

        Raises:
            ChunkMissing: the document was cut in another way since, or is another one.
            DocumentMissing: the document is gone.
        """
        for piece in self.cut(doc_id, how):
            if piece.id == chunk_id:
                return piece
        raise ChunkMissing(f"no chunk {chunk_id!r} here: compare again and pick another", chunk=chunk_id)

    def recommend(self, doc_id: str) -> ChunkSettings:
        """Return how a document, or all of a collection alike, is best cut."""
        return chunk.recommend([page for part in self.documents.parts(doc_id) for page in part.pages])

    def open(self, doc_id: str, settings: Settings, embedder: Embedder, progress: Progress | None = None) -> Opened:
        """Embed the chunks unless that was done before, and open the document for questions.

        Of a collection, ``settings.within`` names the members that are searched; without names, or when none of them
        is a member any more, all are.

        Raises:
            EmptyCollection: all members were deleted, or have no page that is searched.
        """
        whole, how = self.documents.load(doc_id), settings.chunks
        address = Address(doc_id, how.key, embedder.id)
        index: Searched
        if isinstance(whole, Collection):
            chosen = set(settings.within)
            members = [member for member in whole.members if member in chosen] or whole.members
            index = self.indexes.together(address, members, partial(self._titled, how=how), embedder, progress)
        else:
            index = self.indexes.of(address, self.cut(doc_id, how), embedder, progress)
        return Opened(index, self.indexes.words(index), embedder, settings, self.embeddings)

    def judge(self, doc_id: str, judgments: Sequence[Judgment]) -> None:
        """Keep judgments with the document, or with those members of a collection that they are about.

        Raises:
            DocumentMissing: the library does not hold it; EmptyCollection: all members were deleted.
        """
        parts = self.documents.parts(doc_id)
        if not parts:
            raise emptied()
        self.judgments.add(list(judge.assign(judgments, parts)))
        self.judgments.ask(doc_id, [judgment.question for judgment in judgments])

    def judged(self, doc_id: str, chunks: Sequence[Chunk], question: str | None = None) -> Judged:
        """Carry a document's judgments, or those of one question, over to its chunks."""
        judgments = [judgment for judgment in self.judgments.load(doc_id) if question in (None, judgment.question)]
        return judge.apply(judgments, self.documents.parts(doc_id), chunks)

    def delete(self, doc_id: str) -> None:
        """Remove a document or a collection with all that was made from it, and leave nothing of it on disk."""
        self._delete([doc_id])

    def sweep(self, staying: Many[str], gone: Many[str], unseen_since: float, added_before: float) -> None:
        """Delete the documents that nobody comes back to; those without an owner are never touched.

        They are those of owners who are ``gone``, of owners whom no process on this library has seen since
        ``unseen_since``, and those that were added before ``added_before``, both in seconds of the epoch.
        """
        self.documents.report_stays(staying, gone)
        self._delete(self.documents.left_behind(unseen_since, added_before))

    def _delete(self, doc_ids: Many[str]) -> None:
        if doc_ids:
            self._note_deleting()
            for doc_id in doc_ids:
                self.store.delete(doc_id)
                self.documents.delete(doc_id)
            self.indexes.forget(doc_ids)
            self._tidy()

    def _note_deleting(self) -> None:
        """Have the next start tidy up where this process is killed before it does."""
        try:
            self._deleting.touch()
        except OSError as error:
            raise unwritable(self._deleting.parent, error) from error

    def _tidy(self) -> None:
        """Leave nothing on disk of what was deleted."""
        self.store.blank()
        self.library.database.blank()
        self._deleting.unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of Chroma and of the library's file."""
        self.store.close()
        self.library.close()
