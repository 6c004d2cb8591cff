"""What Chroma keeps: one collection for each document, chunking and embedder, in a folder or on a server.

Chroma is an index and not the truth. A collection carries a fingerprint; what does not match it, or cannot be read,
is dropped and built again from the embeddings in the library.
"""

from __future__ import annotations

import hashlib
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np

from rag_core.datatypes import Chunk
from rag_core.errors import RerankLabError, VectorSize

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from chromadb.api.collection_configuration import CreateCollectionConfiguration
    from chromadb.api.models.Collection import Collection

Done = TypeVar("Done")
Nearest = tuple[list[list[str]], list[list[float]]]
"""For each query the ids of the chunks that are nearest to it, and their cosine distances."""

log = logging.getLogger(__name__)

PAGE = 100
MOST_AT_ONCE = 1000
"""Records that are sent at a time, so that a server answers soon."""

# A wider search list than Chroma's default costs a millisecond and makes the order all but exact at depth 100.
COSINE: CreateCollectionConfiguration = {"hnsw": {"space": "cosine", "ef_search": 300, "ef_construction": 200}}


@dataclass(frozen=True, slots=True)
class Address:
    """What a collection holds: its name and its fingerprint follow from these."""

    doc_id: str
    chunks: str
    embedder: str

    @property
    def name(self) -> str:
        """The collection's name."""
        digest = hashlib.sha256(f"{self.chunks}|{self.embedder}".encode()).hexdigest()[:16]
        return f"{self.doc_id}-{digest}"

    def fingerprint(self, chunks: Sequence[Chunk], dimension: int) -> dict[str, str | int]:
        """Return what the collection must carry to hold these very chunks."""
        texts = "\0".join(chunk.passage for chunk in chunks)
        return {
            "doc_id": self.doc_id,
            "chunks": self.chunks,
            "embedder": self.embedder,
            "count": len(chunks),
            "texts": hashlib.sha256(texts.encode()).hexdigest(),
            "dimension": dimension,
        }


class Indexed(Protocol):
    """What a collection is built from: chunks and their embeddings, float32 of shape (chunks, dimension)."""

    address: Address
    chunks: list[Chunk]

    @property
    def vectors(self) -> np.ndarray:
        """Return the embeddings in the order of the chunks."""
        ...


class Store(ABC):
    """Chroma, one collection an index; what is damaged is built again, once.

    ``rebuilt`` names the collections that were, until somebody tells the reader.
    """

    def __init__(self, using: AbstractContextManager) -> None:
        self._using = using
        self._opened: Any = None  # its type knows nothing of close
        self.rebuilt: set[str] = set()

    @property
    def _client(self) -> ClientAPI:
        """Open Chroma on first use."""
        if self._opened is None:
            self._opened = self._open()
        return self._opened

    @abstractmethod
    def _open(self) -> ClientAPI:
        """Open Chroma."""

    @abstractmethod
    def _wrote(self) -> None:
        """Note that collections are whole as they are now."""

    @abstractmethod
    def _put_away(self, name: str) -> None:
        """Put away what may be damaged, of one collection where a name is given."""

    @abstractmethod
    def _unusable(self, error: BaseException) -> RerankLabError:
        """Return our error for one of Chroma's."""

    def query(self, index: Indexed, embeddings: np.ndarray, count: int) -> Nearest:
        """Search a collection, after building it where it is missing or does not match."""
        return self._mending(lambda: self._query(index, embeddings, count), index.address.name)

    def ready(self, index: Indexed) -> None:
        """Build the collection of an index where it is missing or does not match."""
        self._mending(lambda: self._collection(index), index.address.name)

    def delete(self, doc_id: str) -> None:
        """Remove every collection of a document."""
        self._mending(lambda: self._delete(f"{doc_id}-"))

    def blank(self) -> None:  # noqa: B027 — what a server leaves behind is the server's matter
        """Leave nothing on disk of what was deleted."""

    def _mending(self, work: Callable[[], Done], name: str = "") -> Done:
        """Do what needs Chroma. Where it fails, put away what may be damaged and do it once more.

        Raises:
            LibraryError, ServerError: it fails again.
            VectorSize: the embeddings of a question are not as long as the stored ones.
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

    def _query(self, index: Indexed, embeddings: np.ndarray, count: int) -> Nearest:
        collection = self._collection(index)
        self._check_size(index, embeddings.shape[1], collection.metadata["dimension"])
        answer = collection.query(query_embeddings=embeddings.tolist(), n_results=count, include=["distances"])
        if any(len(ids) != count for ids in answer["ids"]):
            raise ValueError("vectors are lost")  # without its files a collection finds a few and raises nothing
        return answer["ids"], answer["distances"] or []

    @staticmethod
    def _check_size(index: Indexed, asked: int, indexed: int) -> None:
        if asked == indexed:
            return
        stored = index.vectors.shape[1]
        if asked == stored:
            raise ValueError(f"the index has vectors of {indexed} numbers, the library of {stored}")
        raise other_size(asked, stored, index.address.embedder)

    def _collection(self, index: Indexed) -> Collection:
        """Return the collection of an index, built where it is missing, does not match or is not whole."""
        collection = self._matching(index)
        if collection is not None and self._count(collection) == len(index.chunks):
            return collection
        return self._build(index)

    def _matching(self, index: Indexed) -> Collection | None:
        from chromadb.errors import NotFoundError

        try:
            collection = self._client.get_collection(index.address.name, embedding_function=None)
        except NotFoundError:
            return None
        expected = index.address.fingerprint(index.chunks, (collection.metadata or {}).get("dimension", 0))
        if collection.metadata == expected:
            return collection
        self._drop(index.address.name)
        return None

    @staticmethod
    def _count(collection: Collection) -> int:
        """Count with one retry: the first read after a process was killed may fail while the log is replayed."""
        from chromadb.errors import ChromaError

        try:
            return collection.count()
        except ChromaError:
            return collection.count()

    def _build(self, index: Indexed) -> Collection:
        """Put every chunk into its collection; what a killed or another process put there already stays as it is."""
        vectors, ids = index.vectors, [chunk.id for chunk in index.chunks]
        collection = self._client.get_or_create_collection(
            index.address.name,
            metadata=index.address.fingerprint(index.chunks, vectors.shape[1]),
            configuration=COSINE,
            embedding_function=None,
        )
        step = min(self._client.get_max_batch_size(), MOST_AT_ONCE)
        for start in range(0, len(ids), step):
            collection.add(ids=ids[start : start + step], embeddings=vectors[start : start + step])
        if self._count(collection) != len(ids):
            raise ValueError("the collection holds other chunks too")
        self._wrote()
        return collection

    def _drop(self, name: str) -> None:
        from chromadb.errors import NotFoundError

        try:
            self._client.delete_collection(name)
        except NotFoundError:
            log.info("collection %s was gone already", name)
        self._wrote()

    def _delete(self, prefix: str) -> None:
        for name in self._names():
            if name.startswith(prefix):
                self._drop(name)

    def _names(self) -> list[str]:
        """Return the names of all collections, asked for in pages: Chroma Cloud gives no more than these at once."""
        places = range(0, self._client.count_collections(), PAGE)
        return [known.name for start in places for known in self._client.list_collections(limit=PAGE, offset=start)]

    def close(self) -> None:
        """Let go of Chroma; the next use opens it again."""
        with self._using:
            if self._opened is not None:
                self._opened.close()
            self._opened = None


def other_size(asked: int, stored: int, embedder: str) -> VectorSize:
    """Return the error for a question whose embedding is not as long as the document's."""
    return VectorSize(
        f"the question's embedding has {asked} numbers, the document's have {stored}: {embedder} is "
        "not the model that embedded the document; delete the document and add it again",
        asked=asked,
        stored=stored,
        embedder=embedder,
    )


def failed(error: BaseException) -> bool:
    """Say whether Chroma failed: it raises errors of no common kind, and a panic of its Rust core is no Exception.

    What stops a program or a page is none either, and must pass, as do our own errors.
    """
    if type(error).__name__ == "PanicException":
        return True
    return isinstance(error, Exception) and not isinstance(error, RerankLabError | MemoryError)
