"""Search embeddings with Chroma: one collection per document, chunking and embedder.

Chroma is an index and not the truth. A collection carries a fingerprint; what does not match it, or cannot be read,
is dropped and built again from the embeddings in the library.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock

import numpy as np
from filelock import FileLock, Timeout

from rag_core.datatypes import Chunk, Ranking
from rag_core.errors import LibraryInUse, LibraryUnwritable

log = logging.getLogger(__name__)

LOCK = "in-use.lock"

# A wider search list than Chroma's default costs a millisecond and makes the order all but exact at depth 100.
COSINE = {"hnsw": {"space": "cosine", "ef_search": 300, "ef_construction": 200}}


@dataclass(frozen=True, slots=True)
class Address:
    """What a collection holds: its name and its fingerprint follow from these."""

    doc_id: str
    chunks: str
    embedder: str

    @property
    def name(self) -> str:
        digest = hashlib.sha256(f"{self.chunks}|{self.embedder}".encode()).hexdigest()[:16]
        return f"{self.doc_id}-{digest}"

    def fingerprint(self, chunks: Sequence[Chunk], dimension: int) -> dict[str, str | int]:
        texts = "\0".join(chunk.text for chunk in chunks)
        return {
            "doc_id": self.doc_id,
            "chunks": self.chunks,
            "embedder": self.embedder,
            "count": len(chunks),
            "texts": hashlib.sha256(texts.encode()).hexdigest(),
            "dimension": dimension,
        }


class Index:
    """The chunks of one document, ready to be searched."""

    def __init__(
        self, store: Store, address: Address, chunks: Sequence[Chunk], vectors: Callable[[], np.ndarray]
    ) -> None:
        self.store, self.address, self.chunks, self._vectors = store, address, list(chunks), vectors
        self.by_id = {chunk.id: chunk for chunk in self.chunks}

    def prepare(self) -> Index:
        """Build the collection now where it is missing or does not match, so that no search pays for it."""
        self.store.ready(self)
        return self

    @property
    def doc_ids(self) -> tuple[str, ...]:
        return (self.address.doc_id,)

    def search(self, queries: Sequence[str], embeddings: np.ndarray, depth: int) -> list[Ranking]:
        """Return one ranking by cosine similarity per query, at most ``depth`` long.

        ``embeddings`` is float32 of shape (queries, dimension).
        """
        found = self.store.query(self, embeddings, min(depth, len(self.chunks)))
        return [
            Ranking.from_scores("vector", query, [self.by_id[i] for i in ids], [1 - distance for distance in distances])
            for query, ids, distances in zip(queries, found["ids"], found["distances"], strict=True)
        ]

    @property
    def vectors(self) -> np.ndarray:
        return self._vectors()


class Together:
    """The indexes of several documents, searched as one; a member comes or goes without another being embedded."""

    def __init__(self, address: Address, parts: Sequence[Index]) -> None:
        self.address, self.parts = address, list(parts)
        self.chunks = [chunk for part in self.parts for chunk in part.chunks]
        self.by_id = {chunk.id: chunk for chunk in self.chunks}

    @property
    def doc_ids(self) -> tuple[str, ...]:
        return tuple(part.address.doc_id for part in self.parts)

    def search(self, queries: Sequence[str], embeddings: np.ndarray, depth: int) -> list[Ranking]:
        """Return one ranking by cosine similarity per query over all members; one embedder made all the vectors."""
        found = [part.search(queries, embeddings, depth) for part in self.parts]
        return [
            _merge(query, rankings, depth) for query, rankings in zip(queries, zip(*found, strict=True), strict=True)
        ]

    @property
    def vectors(self) -> np.ndarray:
        return np.concatenate([part.vectors for part in self.parts])


Searched = Index | Together


def _merge(query: str, rankings: Sequence[Ranking], depth: int) -> Ranking:
    hits = [hit for ranking in rankings for hit in ranking.hits]
    merged = Ranking.from_scores("vector", query, [hit.chunk for hit in hits], [hit.score for hit in hits])
    return replace(merged, hits=merged.top(depth))


class Store:
    """Chroma on disk, for one process at a time.

    Raises:
        LibraryInUse: another process has this folder open; two would lose each other's vectors silently.
        LibraryUnwritable: the folder cannot be created or written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = FileLock(folder / LOCK)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=0)
        except Timeout as error:
            raise LibraryInUse(
                f"{folder} is open in another Rerank Lab: close it, or set RERANK_LAB_HOME to another folder",
                folder=str(folder),
            ) from error
        except OSError as error:
            raise LibraryUnwritable(
                f"{folder} cannot be written ({error}): set RERANK_LAB_HOME to a folder of yours", folder=str(folder)
            ) from error
        self._opening, self._writing = Lock(), Lock()
        self._opened = None

    @property
    def _client(self):
        """Open Chroma on first use, once: building two clients at the same time fails."""
        with self._opening:
            if self._opened is None:
                self._opened = self._open()
            return self._opened

    def _open(self):
        """Open the folder; what Chroma cannot read, damaged or of another version, is cleared: it is only an index."""
        import chromadb

        try:
            client = chromadb.PersistentClient(self.folder)
            client.list_collections()
            return client
        except Exception as error:  # the Rust core raises errors of no common kind, a panic among them
            log.warning("the index folder %s cannot be read and is made anew: %s", self.folder, error)
        chromadb.api.client.SharedSystemClient.clear_system_cache()
        for entry in self.folder.iterdir():
            if entry.name != LOCK:
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        return chromadb.PersistentClient(self.folder)

    def query(self, index: Index, embeddings: np.ndarray, count: int) -> dict:
        """Search a collection, after building it where it is missing or does not match; damage is mended once."""
        from chromadb.errors import ChromaError

        try:
            found = self._query(index, embeddings, count)
            if all(len(ids) == count for ids in found["ids"]):
                return found
            reason = "vectors are lost"  # without its files a collection finds a few records and raises nothing
        except (ChromaError, ValueError) as error:
            reason = str(error)
        log.warning("index %s is rebuilt: %s", index.address.name, reason)
        self._drop(index.address.name)
        return self._query(index, embeddings, count)

    def _query(self, index: Index, embeddings: np.ndarray, count: int) -> dict:
        collection = self.ready(index)
        return collection.query(query_embeddings=embeddings.tolist(), n_results=count, include=["distances"])

    def ready(self, index: Index):
        """Return the collection of an index, built where it is missing or does not match."""
        with self._writing:
            collection = self._matching(index)
            return self._build(index) if collection is None else collection

    def _matching(self, index: Index):
        from chromadb.errors import NotFoundError

        try:
            collection = self._client.get_collection(index.address.name, embedding_function=None)
        except (NotFoundError, ValueError):
            return None
        expected = index.address.fingerprint(index.chunks, (collection.metadata or {}).get("dimension", 0))
        if collection.metadata == expected and self._count(collection) == len(index.chunks):
            return collection
        self._drop(index.address.name)
        return None

    @staticmethod
    def _count(collection) -> int:
        """Count with one retry: the first read after a process was killed may fail while the log is replayed."""
        from chromadb.errors import ChromaError

        try:
            return collection.count()
        except ChromaError:
            return collection.count()

    def _build(self, index: Index):
        vectors = index.vectors
        collection = self._client.create_collection(
            index.address.name,
            metadata=index.address.fingerprint(index.chunks, vectors.shape[1]),
            configuration=COSINE,
            embedding_function=None,
        )
        ids = [chunk.id for chunk in index.chunks]
        step = self._client.get_max_batch_size()
        for start in range(0, len(ids), step):
            collection.add(ids=ids[start : start + step], embeddings=vectors[start : start + step])
        return collection

    def _drop(self, name: str) -> None:
        from chromadb.errors import NotFoundError

        try:
            self._client.delete_collection(name)
        except (NotFoundError, ValueError):
            log.info("collection %s was gone already", name)

    def delete(self, doc_id: str) -> None:
        """Remove every collection of a document."""
        for collection in self._client.list_collections():
            if collection.name.startswith(f"{doc_id}-"):
                self._drop(collection.name)

    def close(self) -> None:
        """Let another process have the folder."""
        if self._opened is not None:
            self._opened.close()
        self._lock.release()
