"""Real Chroma on disk, with what may happen to it."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import chromadb
import numpy as np
import pytest

from rag_core.datatypes import Chunk
from rag_core.errors import DocumentMissing, IndexUnreadable, LibraryInUse, LibraryUnwritable
from rag_core.keeping.chroma import Address, Store, failed
from rag_core.keeping.chroma_folder import FolderStore
from rag_core.models.embed import normalise
from rag_core.search.index import Index

ROOT = Path(__file__).parents[2]
ADDRESS = Address("0123abcd", "clause", "some/model")
PAST_THE_LOG = 1100
"""Chroma writes its HNSW files every 1,000 records; fewer are only in its log."""


def random_vectors(count: int, seed: int = 1, dimension: int = 16) -> np.ndarray:
    return normalise(np.random.default_rng(seed).normal(size=(count, dimension)))


def numbered_chunks(count: int, text: str = "text") -> list[Chunk]:
    return [Chunk(f"0123abcd-clause-{i:05d}", "0123abcd", f"{text} {i}", 1, i, i + 1) for i in range(count)]


class Stored:
    """Vectors as the library keeps them; ``asked`` counts how often an index was built from them."""

    def __init__(self, vectors: np.ndarray) -> None:
        self.vectors, self.asked = vectors, 0

    def __call__(self) -> np.ndarray:
        self.asked += 1
        return self.vectors


def index(store: Store, stored: Stored, address: Address = ADDRESS, text: str = "text") -> Index:
    return Index(store, address, numbered_chunks(len(stored.vectors), text), stored)


def nearest(stored: Stored, query: np.ndarray, depth: int) -> list[str]:
    order = np.argsort(-(stored.vectors @ query), kind="stable")[:depth]
    return [f"0123abcd-clause-{i:05d}" for i in order]


def first_ids(store: Store, stored: Stored, query: np.ndarray, depth: int = 20, **how) -> list[str]:
    [found] = index(store, stored, **how).search(["q"], query[None, :], depth)
    return found.ids


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "chroma"


@pytest.fixture
def reopened(folder):
    """Open the folder anew on each call, as a new start of the program does."""
    stores: list[Store] = []

    def reopen() -> Store:
        for store in stores:
            store.close()
        stores[:] = [FolderStore(folder)]
        return stores[0]

    yield reopen
    for store in stores:
        store.close()


def test_search_is_the_order_of_the_cosine(reopened):
    stored, queries = Stored(random_vectors(300)), random_vectors(3, seed=2)
    rankings = index(reopened(), stored).search(["a", "b", "c"], queries, depth=50)
    assert [ranking.ids for ranking in rankings] == [nearest(stored, query, 50) for query in queries]
    assert [ranking.query for ranking in rankings] == ["a", "b", "c"]


def test_scores_are_cosine_similarities(reopened):
    stored = Stored(np.array([[1, 0], [0.6, 0.8], [-1, 0]], np.float32))
    [found] = index(reopened(), stored).search(["q"], np.array([[1, 0]], np.float32), depth=3)
    assert [hit.score for hit in found.hits] == pytest.approx([1, 0.6, -1], abs=1e-6)
    assert found.chunks == numbered_chunks(3)


def test_depth_over_the_number_of_chunks_gives_them_all(reopened):
    stored = Stored(random_vectors(7))
    assert len(first_ids(reopened(), stored, random_vectors(1)[0], depth=100)) == 7


def test_identical_chunks_are_all_found(reopened):
    stored = Stored(np.tile(random_vectors(1), (150, 1)))
    assert len(set(first_ids(reopened(), stored, stored.vectors[0], depth=100))) == 100


def test_an_index_is_built_once(reopened):
    stored, query = Stored(random_vectors(30)), random_vectors(1, seed=2)[0]
    first = first_ids(reopened(), stored, query)
    assert first_ids(reopened(), stored, query) == first == nearest(stored, query, 20)
    assert stored.asked == 1


@pytest.mark.parametrize(
    "other",
    [
        Address("ffff0000", "clause", "some/model"),
        Address("0123abcd", "sentence", "some/model"),
        Address("0123abcd", "clause", "other/model"),
    ],
)
def test_another_document_chunking_or_embedder_never_meets_these_vectors(reopened, other):
    store, query = reopened(), random_vectors(1, seed=2)[0]
    first, second = Stored(random_vectors(30)), Stored(random_vectors(30, seed=3))
    assert first_ids(store, first, query) == nearest(first, query, 20)
    assert first_ids(store, second, query, address=other) == nearest(second, query, 20)
    assert first_ids(store, first, query) == nearest(first, query, 20)


def test_other_texts_of_the_same_number_are_indexed_anew(reopened):
    old, new, query = Stored(random_vectors(30)), Stored(random_vectors(30, seed=3)), random_vectors(1, seed=2)[0]
    first_ids(reopened(), old, query)
    assert first_ids(reopened(), new, query, text="read better") == nearest(new, query, 20)


def test_another_dimension_is_indexed_anew(reopened):
    first_ids(reopened(), Stored(random_vectors(30)), random_vectors(1)[0])
    wider, query = Stored(random_vectors(30, dimension=24)), random_vectors(1, seed=2, dimension=24)[0]
    assert first_ids(reopened(), wider, query) == nearest(wider, query, 20)


def test_an_interrupted_build_is_built_anew(reopened, folder):
    stored, query = Stored(random_vectors(40)), random_vectors(1, seed=2)[0]
    store = reopened()
    first_ids(store, stored, query)
    store.close()
    client = chromadb.PersistentClient(folder)
    client.get_collection(ADDRESS.name, embedding_function=None).delete(ids=nearest(stored, query, 5))
    client.close()
    store._wrote()  # as if it had been so when it was sealed
    assert first_ids(reopened(), stored, query) == nearest(stored, query, 20)
    assert stored.asked == 2


def shortened(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def zeroed(file: Path) -> None:
    file.write_bytes(bytes(file.stat().st_size))


@pytest.mark.parametrize(
    ("pattern", "damage"), [("*/*.pickle", shortened), ("*/data_level0.bin", zeroed), ("*/", shutil.rmtree)]
)
def test_a_torn_index_is_built_anew(reopened, folder, pattern, damage):
    stored, query = Stored(random_vectors(PAST_THE_LOG, dimension=8)), random_vectors(1, seed=2, dimension=8)[0]
    store = reopened()
    first = first_ids(store, stored, query)
    store.close()
    [torn] = folder.glob(pattern)
    damage(torn)
    assert first_ids(reopened(), stored, query) == first == nearest(stored, query, 20)
    assert stored.asked == 2


def rubbish(file: Path) -> None:
    file.write_bytes(b"no database at all" * 500)


def other_version(file: Path) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute("DROP TABLE collections")


def future_version(file: Path) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE migrations SET version = version + 50")


def changed_migration(file: Path) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE migrations SET hash = '0' WHERE version = 1")


@pytest.mark.parametrize(
    "damage",
    [rubbish, shortened, zeroed, other_version, future_version, changed_migration],
    ids=lambda how: how.__name__,
)
def test_a_database_that_cannot_be_read_is_made_anew(reopened, folder, damage):
    stored, query = Stored(random_vectors(30)), random_vectors(1, seed=2)[0]
    store = reopened()
    first_ids(store, stored, query)
    store.close()
    damage(folder / "chroma.sqlite3")
    assert first_ids(reopened(), stored, query) == nearest(stored, query, 20)
    assert stored.asked == 2


PAGE = 4096
"""Bytes of a page of SQLite."""


def without_page(file: Path, number: int) -> None:
    with file.open("r+b") as database:
        database.seek(number * PAGE)
        database.write(bytes(PAGE))


def test_whichever_page_is_lost_every_search_and_deletion_goes_on(reopened, folder, tmp_path, caplog):
    stored, query = Stored(random_vectors(30)), random_vectors(1, seed=2)[0]
    store, whole = reopened(), tmp_path / "whole"
    first_ids(store, stored, query)
    store.close()
    shutil.copytree(folder, whole)
    for number in range((whole / "chroma.sqlite3").stat().st_size // PAGE):
        shutil.rmtree(folder)
        shutil.copytree(whole, folder)
        without_page(folder / "chroma.sqlite3", number)
        store = reopened()
        store._wrote()  # as if it had been so when it was sealed: Chroma is to meet it
        assert first_ids(store, stored, query) == nearest(stored, query, 20), number
        store.delete("0123abcd")
    assert "PanicException" in caplog.text, "Chroma's core did not panic: this test has lost a case"


def test_a_database_lost_while_it_is_searched_is_made_anew_under_every_thread(reopened, folder):
    stored, queries = Stored(random_vectors(30)), random_vectors(200, seed=2)
    store = reopened()

    def search(number: int) -> list[str]:
        if number == 50:
            zeroed(folder / "chroma.sqlite3")
        return first_ids(store, stored, queries[number])

    first_ids(store, stored, queries[0])
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(search, range(200)))
    assert found == [nearest(stored, query, 20) for query in queries]
    assert stored.asked > 1


@pytest.mark.parametrize("file", ["header.bin", "data_level0.bin", "length.bin", "link_lists.bin"])
def test_vector_files_that_changed_are_never_read(reopened, folder, file):
    """Chroma would find other chunks in them and say nothing, or end the process."""
    stored, query = Stored(random_vectors(PAST_THE_LOG, dimension=8)), random_vectors(1, seed=2, dimension=8)[0]
    store = reopened()
    first_ids(store, stored, query)
    store.close()
    [torn] = folder.glob(f"*/{file}")
    shortened(torn)
    assert first_ids(reopened(), stored, query) == nearest(stored, query, 20)
    assert stored.asked == 2


def test_a_damaged_index_that_was_built_again_is_told_once(reopened, folder):
    stored, query = Stored(random_vectors(30)), random_vectors(1, seed=2)[0]
    store = reopened()
    index(store, stored).prepare()
    assert not index(store, stored).take_notice()
    store.close()
    zeroed(folder / "chroma.sqlite3")
    opened = index(reopened(), stored).prepare()
    opened.search(["q"], query[None, :], 5)
    assert [opened.take_notice(), opened.take_notice()] == [True, False]


@pytest.fixture
def public_folder():
    """Give a folder that anybody may reach: what pytest gives is for one user alone."""
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder) / "chroma"


@contextmanager
def without_rights(folder: Path):
    """Take away the right to write; root has it always, so root is nobody meanwhile."""
    root = os.geteuid() == 0
    for place in [folder, *folder.rglob("*")]:
        place.chmod(0o555 if place.is_dir() else 0o666 if place.name == "in-use.lock" else 0o444)
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
        for place in [folder, *folder.rglob("*")]:
            place.chmod(0o755 if place.is_dir() else 0o644)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="this system has other rights")
def test_a_folder_without_the_right_to_write_is_named_and_used_again_once_it_is_there(public_folder):
    stored, query = Stored(random_vectors(30)), random_vectors(1, seed=2)[0]
    store = FolderStore(public_folder)
    first_ids(store, stored, query)
    store.close()
    with without_rights(public_folder):
        store = FolderStore(public_folder)
        with pytest.raises(LibraryUnwritable) as caught:
            first_ids(store, stored, query)
    assert caught.value.values == {"folder": str(public_folder)}
    assert first_ids(store, stored, query) == nearest(stored, query, 20)
    store.close()


def test_what_chroma_refuses_twice_is_told(reopened, folder):
    twice = Stored(random_vectors(30))
    broken = Index(reopened(), ADDRESS, numbered_chunks(15) * 2, twice)
    with pytest.raises(IndexUnreadable, match="kept elsewhere") as caught:
        broken.prepare()
    assert caught.value.values == {"folder": str(folder)}
    assert twice.asked == 2


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), SystemExit(), LibraryInUse("x"), MemoryError(), GeneratorExit()]
)
def test_what_stops_a_program_is_no_fault_of_chroma(error):
    assert not failed(error)


def test_our_own_errors_leave_the_folder_as_it_is(reopened):
    def gone() -> np.ndarray:
        raise DocumentMissing("no document")

    stored, query, store = Stored(random_vectors(30)), random_vectors(1, seed=2)[0], reopened()
    first_ids(store, stored, query)
    with pytest.raises(DocumentMissing):
        Index(store, Address("0123abcd", "clause", "other"), numbered_chunks(30), gone).prepare()
    assert first_ids(store, stored, query) == nearest(stored, query, 20)
    assert stored.asked == 1


def test_a_folder_that_was_deleted_is_built_anew(reopened, folder):
    stored, query = Stored(random_vectors(30)), random_vectors(1, seed=2)[0]
    store = reopened()
    first_ids(store, stored, query)
    store.close()
    shutil.rmtree(folder)
    assert first_ids(reopened(), stored, query) == nearest(stored, query, 20)


def test_a_collection_lost_while_the_store_is_open_is_built_anew(reopened):
    stored, query, store = Stored(random_vectors(30)), random_vectors(1, seed=2)[0], reopened()
    opened = index(store, stored)
    opened.search(["q"], query[None, :], 5)
    store.delete("0123abcd")
    [found] = opened.search(["q"], query[None, :], 5)
    assert found.ids == nearest(stored, query, 5)


def test_delete_takes_every_collection_of_the_document_and_no_other(reopened, folder):
    stored, query, store = Stored(random_vectors(10)), random_vectors(1)[0], reopened()
    others = [Address("0123abcd", "clause", "other/model"), Address("0123abcdef", "clause", "some/model")]
    for address in (ADDRESS, *others):
        first_ids(store, stored, query, address=address)
    store.delete("0123abcd")
    store.close()
    client = chromadb.PersistentClient(folder)
    assert [collection.name for collection in client.list_collections()] == [others[1].name]
    client.close()


def test_a_second_store_on_the_same_folder_is_refused(reopened, folder):
    reopened()
    with pytest.raises(LibraryInUse, match="RERANK_LAB_HOME") as caught:
        FolderStore(folder)
    assert caught.value.values == {"folder": str(folder)}


HOLD = """
import sys, time
from pathlib import Path
from rag_core.errors import LibraryInUse
from rag_core.keeping.chroma_folder import FolderStore
try:
    store = FolderStore(Path(sys.argv[1]))
except LibraryInUse as error:
    sys.exit(error.code)
print("open", flush=True)
time.sleep(60)
"""


def other_process(folder: Path) -> subprocess.Popen:
    command = [sys.executable, "-c", HOLD, str(folder)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_second_process_on_the_same_folder_is_refused(reopened, folder):
    reopened()
    with other_process(folder) as other:
        said, complaint = other.communicate(timeout=30)
    assert (said, complaint.strip()) == ("", "library_in_use")


def test_a_process_that_was_killed_leaves_the_folder_free(reopened, folder):
    with other_process(folder) as other:
        assert other.stdout.readline() == "open\n"
        with pytest.raises(LibraryInUse):
            FolderStore(folder)
        other.kill()
        other.wait(timeout=30)
    assert reopened().folder == folder


def test_a_file_in_place_of_the_folder_is_unwritable(folder):
    folder.write_text("not a folder")
    with pytest.raises(LibraryUnwritable, match="RERANK_LAB_HOME"):
        FolderStore(folder)
