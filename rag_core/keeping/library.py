"""The truth about the reader's documents, in one SQLite file, by subject."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from pathlib import Path

from rag_core.datatypes import Collection
from rag_core.errors import EmptyCollection
from rag_core.keeping.database import Database
from rag_core.keeping.documents import DocumentStore
from rag_core.keeping.embeddings import EmbeddingStore
from rag_core.keeping.history import HistoryStore
from rag_core.keeping.judgments import JudgmentStore
from rag_core.keeping.pages import Pages
from rag_core.keeping.runs import RunStore
from rag_core.reading import document
from rag_core.settings import LONGEST_TITLE

ID_LENGTH = 16


class Library:
    """Documents, what was computed from them, judgments and past comparisons; see ``Database`` for what they raise."""

    def __init__(self, file: Path) -> None:
        self.database = Database(file)
        self.documents = DocumentStore(self.database)
        self.embeddings = EmbeddingStore(self.database, self.documents)
        self.judgments = JudgmentStore(self.database)
        self.runs, self.history = RunStore(self.database), HistoryStore(self.database)
        self.pages = Pages(self.documents)

    def collect(self, title: str, doc_ids: Iterable[str], owner: str = "", collection_id: str = "") -> Collection:
        """Put documents of an owner together; with an id, give that collection this title and these members.

        The members' questions come along. What is a collection itself, another owner's, or without text is left out.

        Raises:
            EmptyCollection: no title or no member is left.
        """
        title, known = " ".join(title.split())[:LONGEST_TITLE], self.documents.titles(owner)
        members = [self.documents.load(doc_id) for doc_id in dict.fromkeys(doc_ids) if doc_id in known]
        members = [member for member in members if any(page.text for page in member.pages)]
        if not title or not members:
            raise EmptyCollection("a collection needs a name and at least one document: choose some")
        collection = Collection(
            collection_id or secrets.token_hex(ID_LENGTH // 2),
            title,
            document.language([page for member in members for page in member.pages]),
            members=tuple(member.id for member in members),
        )
        self.documents.save_collection(collection, owner)
        for member in members:
            self.judgments.ask(collection.id, list(self.judgments.questions(member.id).values()))
        return collection

    def close(self) -> None:
        """Let go of the file."""
        self.database.close()
