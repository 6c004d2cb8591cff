"""Chroma in a folder of this machine."""

from __future__ import annotations

import ctypes
import hashlib
import logging
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from rag_core.errors import IndexUnreadable, LibraryInUse, RerankLabError
from rag_core.keeping.chroma import Store
from rag_core.keeping.disk import is_full, unwritable

if TYPE_CHECKING:
    from chromadb.api import ClientAPI

LOCK = "in-use.lock"
DATABASE = "chroma.sqlite3"
SEAL = "checksums"
M_PERTURB, PATTERN = -6, 0x55
"""The option of glibc's ``mallopt`` that overwrites memory when it is freed, and with what."""
log = logging.getLogger(__name__)


def blank_freed_memory() -> None:
    """Have memory overwritten when it is freed, where the C library can.

    Chroma writes places of its vector file that hold no vector yet as it finds them: with whatever stood in that memory
    before, be it the request that carried a visitor's key.
    """
    try:
        ctypes.CDLL(None).mallopt(M_PERTURB, PATTERN)
    except (AttributeError, OSError, TypeError):
        return  # not glibc


class FolderStore(Store):
    """Chroma on disk, for one process at a time.

    Raises:
        LibraryInUse: another process has this folder open; two would lose each other's vectors silently.
        LibraryUnwritable, DiskFull: the folder cannot be created or written.
    """

    def __init__(self, folder: Path) -> None:
        blank_freed_memory()
        super().__init__(RLock())  # one thread at a time: none must search with a client that is being closed
        self.folder = folder
        self._known: dict[Path, tuple[str, tuple[int, ...]]] = {}
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
        self._known.clear()
        seal = self.folder / SEAL
        if not seal.exists():
            self._put_away("")  # what an older version sealed in another way, or nobody
        elif seal.read_bytes() != self._digests().encode():
            raise ValueError("files are not as they were written")
        client = chromadb.PersistentClient(self.folder)
        self._wrote()
        return client

    def _wrote(self) -> None:
        (self.folder / SEAL).write_text(self._digests())

    def _digests(self) -> str:
        """Return a digest of the database and of each vector file, 0.6 ms for a MB.

        Chroma reads them unchecked: a damaged one finds others or is a crash. Folders without a pickle hold nothing
        yet; Chroma writes those files anew each time. The database it writes when it is opened and when collections
        are made or deleted, and at no search.
        """
        folders = [pickle.parent for pickle in sorted(self.folder.glob("*/index_metadata.pickle"))]
        files = [self.folder / DATABASE, *(file for folder in folders for file in sorted(folder.iterdir()))]
        return "".join(f"{file.relative_to(self.folder)} {self._digest(file)}\n" for file in files if file.exists())

    def _digest(self, file: Path) -> str:
        """Digest a file once for as long as nobody writes it: what a disk changes by itself must not be sealed anew."""
        stat = file.stat()
        written = stat.st_size, stat.st_mtime_ns
        if self._known.get(file, ("", ()))[1] != written:
            self._known[file] = hashlib.sha256(file.read_bytes()).hexdigest(), written
        return self._known[file][0]

    def blank(self) -> None:
        """Leave nothing on disk of what was deleted; the next use opens Chroma again.

        Chroma leaves the folder of a deleted collection, with its vectors, and SQLite what stood in its rows.
        """
        with self._using:
            super().close()
            try:
                self._remove_leftovers()
            except sqlite3.DatabaseError as error:
                log.warning("the index is made anew: %s", error)
                self._put_away("")
            except OSError as error:
                raise unwritable(self.folder, error) from error

    def _remove_leftovers(self) -> None:
        file = self.folder / DATABASE
        if not file.exists():
            return
        with closing(sqlite3.connect(file, timeout=30)) as connection:
            known = {str(row[0]) for row in connection.execute("SELECT id FROM segments")}
            connection.execute("VACUUM")
        for entry in self.folder.iterdir():
            if entry.is_dir() and entry.name not in known:
                shutil.rmtree(entry)
        self._wrote()

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
