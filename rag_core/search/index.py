"""Search embeddings with Chroma, in a folder or on a server: one collection per document, chunking and embedder.

Chroma is an index and not the truth. A collection carries a fingerprint; what does not match it, or cannot be read,
is dropped and built again from the embeddings in the library.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from filelock import FileLock, Timeout

from rag_core.datatypes import Chunk, Ranking
from rag_core.errors import (
    ChromaDatabaseMissing,
    ChromaFailed,
    ChromaTooOld,
    IndexUnreadable,
    LibraryInUse,
    NotChroma,
    RerankLabError,
    VectorSize,
)
from rag_core.keeping.disk import is_full, unwritable
from rag_core.servers.peer import Peer
from rag_core.settings import CHROMA_CLOUD, ChromaServer

if TYPE_CHECKING:
    import httpx
    from chromadb.api import ClientAPI
    from chromadb.api.models.Collection import Collection

Done = TypeVar("Done")
log = logging.getLogger(__name__)

LOCK = "in-use.lock"
SEAL = "seal"
PAGE = 100
MOST_AT_ONCE = 1000
"""Records that are sent at a time, so that a server answers soon."""

CONNECT_SECONDS = 5
ANSWER_SECONDS = 20
LONGEST_VERSION = 20

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
            Ranking.from_scores("vector", query, [self.by_id[i] for i in ids], similarities(distances))
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

    def take_notice(self) -> bool:
        """Say, once, whether any of the collections was damaged and built again."""
        return any([part.take_notice() for part in self.parts])

    @property
    def vectors(self) -> np.ndarray:
        return np.concatenate([part.vectors for part in self.parts])


Searched = Index | Together


def _merge(query: str, rankings: Sequence[Ranking], depth: int) -> Ranking:
    hits = [hit for ranking in rankings for hit in ranking.hits]
    merged = Ranking.from_scores("vector", query, [hit.chunk for hit in hits], [hit.score for hit in hits])
    return replace(merged, hits=merged.top(depth))


class Store:
    """Chroma, one collection an index; what is damaged is built again, once.

    ``rebuilt`` names the collections that were, until somebody tells the reader.
    """

    def __init__(self, using: AbstractContextManager) -> None:
        self._using = using
        self._opened = None
        self.rebuilt: set[str] = set()

    @property
    def _client(self) -> ClientAPI:
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

    def _query(self, index: Index, embeddings: np.ndarray, count: int) -> dict:
        collection = self._collection(index)
        self._check_size(index, embeddings.shape[1], collection.metadata["dimension"])
        found = collection.query(query_embeddings=embeddings.tolist(), n_results=count, include=["distances"])
        if any(len(ids) != count for ids in found["ids"]):
            raise ValueError("vectors are lost")  # without its files a collection finds a few and raises nothing
        return found

    @staticmethod
    def _check_size(index: Index, asked: int, indexed: int) -> None:
        if asked == indexed:
            return
        stored = index.vectors.shape[1]
        if asked == stored:
            raise ValueError(f"the index has vectors of {indexed} numbers, the library of {stored}")
        raise VectorSize(
            f"the question's embedding has {asked} numbers, the document's have {stored}: {index.address.embedder} is "
            "not the model that embedded the document; delete the document and add it again",
            asked=asked,
            stored=stored,
            embedder=index.address.embedder,
        )

    def _collection(self, index: Index) -> Collection:
        """Return the collection of an index, built where it is missing, does not match or is not whole."""
        collection = self._matching(index)
        whole = collection is not None and self._count(collection) == len(index.chunks)
        return collection if whole else self._build(index)

    def _matching(self, index: Index) -> Collection | None:
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

    def _build(self, index: Index) -> Collection:
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

    def _wrote(self) -> None:
        """Note that collections are whole as they are now."""

    def _delete(self, prefix: str) -> None:
        for name in self._names():
            if name.startswith(prefix):
                self._drop(name)

    def _names(self) -> list[str]:
        """Return the names of all collections, asked for in pages: Chroma Cloud gives no more than these at once."""
        places = range(0, self._client.count_collections(), PAGE)
        return [one.name for start in places for one in self._client.list_collections(limit=PAGE, offset=start)]

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
        super().__init__(RLock())  # one thread at a time: none must search with a client that is being closed
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

    def _open(self) -> ClientAPI:
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


class ServerStore(Store):
    """Chroma on a server, for several processes at once: none is locked out, and nothing but a collection is dropped.

    Chroma Cloud is such a server. No test can reach it: for it, only what its client asks for is known to be right.
    """

    def __init__(self, server: ChromaServer) -> None:
        super().__init__(nullcontext())
        self.server = server
        self.peer = Peer("chroma", server.url, "Chroma", CHROMA_CLOUD, "RERANK_LAB_CHROMA_TOKEN", server.token)

    def _open(self) -> ClientAPI:
        import chromadb
        import httpx
        from chromadb.errors import NotFoundError

        tenant, database = self._greet()
        try:
            client = chromadb.HttpClient(self.server.url, headers=self._headers, tenant=tenant, database=database)
        except NotFoundError as error:
            raise ChromaDatabaseMissing(
                service=self.peer.service, address=self.peer.address, database=database, tenant=tenant
            ) from error
        # Chroma's client waits for ever, and has no setting for it.
        client._server._session.timeout = httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS)
        return client

    @property
    def _headers(self) -> dict[str, str]:
        """Return both headers that carry a token: Chroma Cloud reads the first, proxies often read the other."""
        token = self.server.token
        return {"X-Chroma-Token": token, "Authorization": f"Bearer {token}"} if token else {}

    def _greet(self) -> tuple[str, str]:
        """Ask who is there, in a short time; return the tenant and database that are set, or that the server names."""
        answer = self._ask("/api/v2/auth/identity")
        try:
            known = answer.json()
            tenant, databases = known["tenant"], [name for name in known["databases"] if name != "*"]
        except (ValueError, KeyError, TypeError) as error:
            raise self._stranger() from error
        only = databases[0] if len(databases) == 1 else "default_database"
        return self.server.tenant or tenant, self.server.database or only

    def _ask(self, path: str) -> httpx.Response:
        import httpx

        try:
            answer = httpx.get(self.server.url + path, headers=self._headers, timeout=CONNECT_SECONDS)
        except httpx.HTTPError as error:
            raise self._unusable(error) from error
        if answer.status_code in (401, 403):
            raise self.peer.key_refused("")
        if answer.is_server_error:
            raise self.peer.unreachable(f"HTTP {answer.status_code}")
        return answer

    def _stranger(self) -> ChromaTooOld | NotChroma:
        """Return the error for a server that does not speak as we do: an old Chroma, or something else."""
        service, address, answer = self.peer.service, self.peer.address, self._ask("/api/v1/version")
        version = answer.text.strip().strip('"')
        if answer.is_success and version[:1].isdigit() and len(version) < LONGEST_VERSION:
            return ChromaTooOld(service=service, address=address, version=version)
        return NotChroma(service=service, address=address)

    def _put_away(self, name: str) -> None:
        """Drop the one collection that may be damaged, once the server has shown that it is well."""
        self._greet()
        if name:
            self._drop(name)

    def _unusable(self, error: BaseException) -> RerankLabError:
        import httpx

        if isinstance(error, httpx.TimeoutException):
            waited = "connect" if isinstance(error, httpx.ConnectTimeout) else "read"
            return self.peer.timeout(error.request.extensions["timeout"][waited])
        if isinstance(error, httpx.HTTPError):
            return self.peer.unreachable(str(error))
        return ChromaFailed(service=self.peer.service, address=self.peer.address, reason=self.peer.quoted(str(error)))


def open_store(where: Path | ChromaServer) -> Store:
    """Return Chroma in a folder or on a server."""
    return FolderStore(where) if isinstance(where, Path) else ServerStore(where)


def similarities(distances: Sequence[float]) -> np.ndarray:
    """Return cosine similarities; a server writes its float32 distances in decimals, and they are made those again."""
    return 1 - np.asarray(distances, np.float32).astype(float)


def failed(error: BaseException) -> bool:
    """Say whether Chroma failed: it raises errors of no common kind, and a panic of its Rust core is no Exception.

    What stops a program or a page is none either, and must pass, as do our own errors.
    """
    if type(error).__name__ == "PanicException":
        return True
    return isinstance(error, Exception) and not isinstance(error, RerankLabError | MemoryError)
