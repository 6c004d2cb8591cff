"""The truth about the reader's documents, in one SQLite file, by subject."""

from __future__ import annotations

from pathlib import Path

from rag_core.keeping.database import Database
from rag_core.keeping.documents import DocumentStore
from rag_core.keeping.embeddings import EmbeddingStore
from rag_core.keeping.history import HistoryStore
from rag_core.keeping.judgments import JudgmentStore


class Library:
    """Documents, what was computed from them, judgments and past comparisons; see ``Database`` for what they raise."""

    def __init__(self, file: Path) -> None:
        self.database = Database(file)
        self.documents = DocumentStore(self.database)
        self.embeddings = EmbeddingStore(self.database)
        self.judgments = JudgmentStore(self.database)
        self.history = HistoryStore(self.database)

    def close(self) -> None:
        """Let go of the file."""
        self.database.close()
