"""Disks that are full, for real where this machine lets a test make one."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from rag_core.errors import DiskFull, LibraryUnwritable
from rag_core.keeping.disk import room, unwritable

ROOT = Path(__file__).parents[2]
SMALL_DISK = [
    "unshare",
    "--map-root-user",
    "--mount",
    "sh",
    "-c",
    'mount -t tmpfs -o size=12m lab "$1" && shift && "$@"',
]


@pytest.mark.parametrize(
    "reason",
    [sqlite3.OperationalError("database or disk is full"), OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))],
)
def test_a_full_disk_is_told_apart(tmp_path, reason):
    error = unwritable(tmp_path, reason)
    assert isinstance(error, DiskFull)
    assert error.values == {"folder": str(tmp_path)}


@pytest.mark.parametrize(
    "reason",
    [
        sqlite3.OperationalError("attempt to write a readonly database"),
        sqlite3.DatabaseError("file is not a database"),
        PermissionError(errno.EACCES, os.strerror(errno.EACCES)),
    ],
)
def test_a_folder_that_is_not_ours_is_not_a_full_disk(tmp_path, reason):
    error = unwritable(tmp_path, reason)
    assert isinstance(error, LibraryUnwritable)
    assert str(reason) in str(error)


def test_the_room_of_a_folder_that_is_not_there_yet_is_that_of_its_disk(tmp_path):
    assert room(tmp_path / "not" / "yet") == pytest.approx(shutil.disk_usage(tmp_path).free, rel=0.1)


LIMITED = """
import resource, signal, sys
from pathlib import Path
from rag_core.datatypes import Document, Page
from rag_core.errors import LibraryError
from rag_core.keeping.library import Library

library = Library(Path(sys.argv[1]))
document = Document("first", "a.pdf", "en", (Page(1, "words"),))
library.documents.save(document)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
try:
    library.documents.save(Document("second", "b.pdf", "en", tuple(Page(n, "words " * 200) for n in range(1, 1000))))
except LibraryError as error:
    print(error.code)
print(list(library.documents.titles()), library.documents.load("first") == document)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
library.documents.save(Document("second", "b.pdf", "en", (Page(1, "words"),)))
print(sorted(library.documents.titles()))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="this system limits no files")
def test_a_write_that_fails_is_typed_and_leaves_the_library_as_it_was(tmp_path):
    command = [sys.executable, "-c", LIMITED, str(tmp_path / "library.sqlite")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    expected = "library_unwritable\n['first'] True\n['first', 'second']\n"
    assert (done.stdout, done.stderr) == (expected, "")


FULL = """
import shutil, sys
from pathlib import Path
from rag_core.datatypes import ChunkSettings, Settings
from rag_core.models.embed import load_embedder
from rag_core.errors import RerankLabError
from rag_core.lab import Lab

disk, samples, how = Path(sys.argv[1]), Path("data/samples"), Settings(chunks=ChunkSettings("sentence"))
lab, embedder = Lab(disk / "home"), load_embedder("bilingual-embedder")

def index(doc_id):
    return lab.open(doc_id, how, embedder).candidates("q", 20).ids

def tried(work):
    try:
        return work()
    except RerankLabError as error:
        return error.code

def fill(left):
    with open(disk / "fill", "wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            file.truncate(max(file.tell() - left, 0))

first = lab.add((samples / "annual-report-en.pdf").read_bytes(), "a").id
before = index(first)
fill(0)
print(tried(lambda: lab.add((samples / "city-report-zh.pdf").read_bytes(), "b")), tried(lambda: index(first)) == before)
for left in range(0, 2_000_000, 100_000):
    (disk / "fill").unlink()
    lab.close()
    shutil.rmtree(disk / "home" / "chroma")
    lab = Lab(disk / "home")
    fill(left)
    found = tried(lambda: index(first))
    print("right" if found == before else found)
(disk / "fill").unlink()
print(len(lab.documents.titles()), index(first) == before)
lab.close()
"""


def can_make_disks() -> bool:
    return shutil.which("unshare") is not None and small_disk("true", folder=ROOT / "tests").returncode == 0


def small_disk(*command: str, folder: Path) -> subprocess.CompletedProcess:
    """Run a command that sees an empty disk of 12 MB in place of the folder."""
    return subprocess.run(
        [*SMALL_DISK, "sh", str(folder), *command], cwd=ROOT, capture_output=True, text=True, timeout=120
    )


@pytest.mark.slow
@pytest.mark.skipif(not can_make_disks(), reason="this machine lets nobody make a disk")
def test_on_a_full_disk_nothing_is_lost_and_what_to_do_is_said(tmp_path):
    done = small_disk(sys.executable, "-c", FULL, str(tmp_path), folder=tmp_path)
    said = done.stdout.splitlines()
    assert (said[0], said[-1], done.returncode) == ("disk_full True", "1 True", 0), done.stderr
    assert set(said[1:-1]) == {"disk_full", "right"}
    assert "Chroma failed" in done.stderr, "the disk was full for the library alone"


LEFT_IN_MEMORY = """
import ctypes, sys, threading
from pathlib import Path
from rag_core.datatypes import ChunkSettings, Settings
from rag_core.lab import Lab
from rag_core.models.embed import load_embedder

lab, embedder = Lab(Path(sys.argv[1])), load_embedder("bilingual-embedder")
document = lab.add(Path("data/samples/city-report-zh.pdf").read_bytes(), "city.pdf")
libc, gate = ctypes.CDLL(None), threading.Barrier(17)
libc.malloc.restype, libc.malloc.argtypes, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_size_t], [ctypes.c_void_p]

def leave():
    gate.wait()
    places = [libc.malloc(60_000) for _ in range(200)]
    libc.malloc(1000)  # what is freed before it stays with this process
    for place in places:
        for start in range(0, 59_000, 64):
            ctypes.memmove(place + start, b"key-of-a-visitor", 16)
    gate.wait()
    for place in places:
        libc.free(place)

threads = [threading.Thread(target=leave) for _ in range(16)]
for thread in threads:
    thread.start()
leave()
for thread in threads:
    thread.join()
lab.open(document.id, Settings(chunks=ChunkSettings("window", 900, 0)), embedder)
lab.close()
"""


@pytest.mark.slow
def test_what_stood_in_memory_before_is_in_no_file_of_chroma(tmp_path):
    command = [sys.executable, "-c", LEFT_IN_MEMORY, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    files = [file for file in tmp_path.rglob("*.bin") if file.stat().st_size]
    assert files
    assert not [file.name for file in files if b"key-of-a-visitor" in file.read_bytes()]
