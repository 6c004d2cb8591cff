"""Search embeddings with Chroma: one collection per document, chunking and embedder.

Chroma is an index and not the truth. A collection carries a fingerprint; what does not match it, or cannot be read,
is dropped and built again from the embeddings in the library.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import RLock
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

from rag_core.datatypes import Chunk, Ranking
from rag_core.disk import is_full, unwritable
from rag_core.errors import IndexUnreadable, LibraryInUse, RerankLabError

log = logging.getLogger(__name__)

LOCK = "in-use.lock"
SEAL = "seal"

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

    def take_notice(self) -> bool:
        """Say, once, whether the collection was damaged and built again."""
        rebuilt = self.address.name in self.store.rebuilt
        self.store.rebuilt.discard(self.address.name)
        return rebuilt

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


class Store:
    """Chroma, one collection an index; what is damaged is built again, once.

    ``rebuilt`` names the collections that were, until somebody tells the reader.
    """

    def __init__(self) -> None:
        self._using = RLock()
        self._opened = None
        self.rebuilt: set[str] = set()

    @property
    def _client(self):
        """Open Chroma on first use."""
        if self._opened is None:
            self._opened = self._open()
        return self._opened

    def query(self, index: Index, embeddings: np.ndarray, count: int) -> dict:
        """Search a collection, after building it where it is missing or does not match."""
        return self._mending(lambda: self._query(index, embeddings, count), index.address.name)

    def ready(self, index: Index) -> None:
        """Build the collection of an index where it is missing or does not match."""
        self._mending(lambda: self._collection(index), index.address.name)

    def delete(self, doc_id: str) -> None:
        """Remove every collection of a document."""
        self._mending(lambda: self._delete(f"{doc_id}-"))

    def _mending(self, work: Callable[[], Any], name: str = "") -> Any:
        """Do what needs Chroma. Where it fails, put away what may be damaged and do it once more.

        One thread at a time: the others must not search with a client that is being closed.

        Raises:
            IndexUnreadable, DiskFull, LibraryUnwritable: it fails again.
        """
        with self._using:
            try:
                return work()
            except BaseException as error:
                if not failed(error):
                    raise
                reason = f"{type(error).__name__}: {error}"
            log.warning("Chroma failed and the index %s is made anew: %s", name, reason)
            try:
                self._put_away(name)
                done = work()
            except BaseException as error:
                if not failed(error):
                    raise
                raise self._unusable(error) from error
            self.rebuilt.update({name} - {""})
            return done

    def _query(self, index: Index, embeddings: np.ndarray, count: int) -> dict:
        collection = self._collection(index)
        found = collection.query(query_embeddings=embeddings.tolist(), n_results=count, include=["distances"])
        if any(len(ids) != count for ids in found["ids"]):
            raise ValueError("vectors are lost")  # without its files a collection finds a few and raises nothing
        return found

    def _collection(self, index: Index):
        """Return the collection of an index, built where it is missing or does not match."""
        return self._matching(index) or self._build(index)

    def _matching(self, index: Index):
        from chromadb.errors import NotFoundError

        try:
            collection = self._client.get_collection(index.address.name, embedding_function=None)
        except NotFoundError:
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
        self._wrote()
        return collection

    def _drop(self, name: str) -> None:
        from chromadb.errors import NotFoundError

        try:
            self._client.delete_collection(name)
        except NotFoundError:
            log.info("collection %s was gone already", name)
        self._wrote()

    def _wrote(self) -> None:
        """Note that collections are whole as they are now."""

    def _delete(self, prefix: str) -> None:
        for collection in self._client.list_collections():
            if collection.name.startswith(prefix):
                self._drop(collection.name)

    def close(self) -> None:
        """Let go of Chroma; the next use opens it again."""
        with self._using:
            if self._opened is not None:
                self._opened.close()
            self._opened = None


class FolderStore(Store):
    """Chroma on disk, for one process at a time.

    Raises:
        LibraryInUse: another process has this folder open; two would lose each other's vectors silently.
        LibraryUnwritable, DiskFull: the folder cannot be created or written.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self._lock = FileLock(folder / LOCK, thread_local=False)
        self._take()

    def _take(self) -> None:
        """Keep other processes out, unless this one does already."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if not self._lock.is_locked:
                self._lock.acquire(timeout=0)
        except Timeout as error:
            raise LibraryInUse(
                f"{self.folder} is open in another Rerank Lab: close it, or set RERANK_LAB_HOME to another folder",
                folder=str(self.folder),
            ) from error
        except OSError as error:
            raise unwritable(self.folder, error) from error

    def _open(self):
        import chromadb

        self._take()
        seal = self.folder / SEAL
        if seal.exists() and seal.read_text() != self._digest():
            raise ValueError("vector files are not as they were written")
        client = chromadb.PersistentClient(self.folder)
        self._wrote()
        return client

    def _wrote(self) -> None:
        (self.folder / SEAL).write_text(self._digest())

    def _digest(self) -> str:
        """Return a digest of the vector files, which Chroma reads unchecked: a damaged one finds others or is a crash.

        Folders without a pickle hold nothing yet; Chroma writes those files anew each time.
        """
        digest = hashlib.sha256()
        for pickle in sorted(self.folder.glob("*/index_metadata.pickle")):
            for file in sorted(pickle.parent.iterdir()):
                digest.update(file.read_bytes())
        return digest.hexdigest()

    def _put_away(self, name: str) -> None:
        """Clear the folder: what Chroma cannot read, damaged or of another version, is only an index."""
        import chromadb

        super().close()
        chromadb.api.client.SharedSystemClient.clear_system_cache()  # it keeps what failed to open
        for entry in self.folder.iterdir():
            if entry.name != LOCK:
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()

    def _unusable(self, error: BaseException) -> RerankLabError:
        if is_full(self.folder, error) or isinstance(error, OSError) or not os.access(self.folder, os.W_OK):
            return unwritable(self.folder, error)
        return IndexUnreadable(
            f"the index in {self.folder} cannot be built ({error}): close the app, delete that folder, start again; "
            "documents and embeddings are kept elsewhere",
            folder=str(self.folder),
        )

    def close(self) -> None:
        """Let another process have the folder."""
        super().close()
        self._lock.release()


def failed(error: BaseException) -> bool:
    """Say whether Chroma failed: it raises errors of no common kind, and a panic of its Rust core is no Exception.

    What stops a program or a page is none either, and must pass, as do our own errors.
    """
    if type(error).__name__ == "PanicException":
        return True
    return isinstance(error, Exception) and not isinstance(error, RerankLabError | MemoryError)
