"""Damage of a library's file and of Chroma's: it is named or made good, and never another text, vector or answer."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import command
import numpy as np
import pytest
from pdfs import text_pdf

from rag_core.datatypes import ChunkSettings, Document, FirstStage, ImportedRun, Judgment, Page, Settings, Span
from rag_core.errors import DocumentDamaged, LibraryDamaged
from rag_core.keeping.chroma import Address
from rag_core.keeping.embeddings import Embeddings, Scores
from rag_core.keeping.library import Library
from rag_core.keeping.mend import mend
from rag_core.lab import Lab
from rag_core.reading.chunk import split
from rag_core.search.opened import Opened
from tests.search.test_index import PAST_THE_LOG, FolderStore, Stored, first_ids, nearest, random_vectors

ROOT = Path(__file__).parents[2]
OLDER = ROOT / "tests" / "data" / "0.1.0" / "library.sqlite"
PAGES = (Page(1, "Revenue grew by eight percent."), Page(2, "Bread costs more since the winter."))
DOCUMENT = Document("0123abcd", "report.pdf", "en", PAGES)
OTHER = Document("ffff0000", "other.pdf", "en", (Page(1, "The bridge opened in May."),))
JUDGED = Judgment("How much did revenue grow?", Span(1, 0, "Revenue grew", DOCUMENT.id), 2, "Ann")
VECTORS = np.array([[0.6, 0.8], [1.0, 0.0]], np.float32)
PDF = text_pdf(["The new bridge over the river opened in May."], ["Bread costs more since the winter."])
HOW = Settings(chunks=ChunkSettings("sentence"), depth=5)
RANKED = ImportedRun("other", {JUDGED.question: (JUDGED.span, Span(2, 0, "Bread", DOCUMENT.id))})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return the file of a library that holds two documents, and of the first all that can be kept."""
    library = Library(tmp_path / "home" / "library.sqlite")
    library.documents.save(DOCUMENT)
    library.documents.save(OTHER)
    library.embeddings.save_chunks(DOCUMENT.id, "sentence", split(PAGES, "sentence", doc_id=DOCUMENT.id))
    library.embeddings.save(DOCUMENT.id, "sentence", "some/model", Embeddings(VECTORS, 2))
    library.embeddings.save_scores("sentence", "weights", JUDGED.question, {DOCUMENT.id: Scores({"c1": 0.5}, 0.4)})
    library.judgments.add([(DOCUMENT.id, JUDGED)])
    library.runs.add(DOCUMENT.id, RANKED)
    library.history.add(DOCUMENT.id, "the first", "2026-11-25T08:00:00+00:00", '{"text": "as it was"}')
    library.close()
    return library.database.file


def change(file: Path, statement: str) -> None:
    """Change what is kept behind the library's back, as a disk does."""
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(statement)


def emptied(file: Path) -> None:
    file.write_bytes(b"")


def cut_off(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-5000])


def without_a_page(file: Path) -> None:
    data = file.read_bytes()
    file.write_bytes(data[:8192] + bytes(4096) + data[12288:])


def other_head(file: Path) -> None:
    file.write_bytes(b"no head of SQLite" + file.read_bytes()[17:])


def without_a_table(file: Path) -> None:
    change(file, "DROP TABLE judgments")


def without_a_column(file: Path) -> None:
    change(file, "ALTER TABLE history DROP COLUMN content")


@pytest.mark.parametrize(
    "damage",
    [emptied, cut_off, without_a_page, other_head, without_a_table, without_a_column],
    ids=lambda how: how.__name__,
)
def test_a_file_that_is_not_whole_is_named_as_damaged_and_stays(file, damage):
    damage(file)
    damaged = file.read_bytes()
    with pytest.raises(LibraryDamaged, match="rag_core mend") as caught:
        Library(file)
    assert caught.value.values == {"file": str(file), "folder": str(file.parent)}
    assert file.read_bytes() == damaged


def in_the_layout_before_rankings(file: Path) -> None:
    change(file, "DROP TABLE runs")
    change(file, "PRAGMA user_version = 1")


def test_a_library_from_before_other_systems_rankings_takes_them_in(file):
    in_the_layout_before_rankings(file)
    library = Library(file)
    assert (library.runs.load(DOCUMENT.id), library.judgments.load(DOCUMENT.id)) == ([], [JUDGED])
    library.runs.add(DOCUMENT.id, RANKED)
    assert Library(file).runs.load(DOCUMENT.id) == [RANKED]


def test_a_library_from_before_them_is_as_damaged_as_another_without_a_table(file):
    in_the_layout_before_rankings(file)
    without_a_table(file)
    with pytest.raises(LibraryDamaged):
        Library(file)


def test_a_first_start_that_was_killed_before_it_wrote_anything_goes_on(tmp_path):
    (tmp_path / "library.sqlite").touch()
    assert Library(tmp_path / "library.sqlite").documents.titles() == {}


def test_where_the_file_was_moved_away_a_new_library_begins(file):
    file.rename(file.with_name("moved.sqlite"))
    assert Library(file).documents.titles() == {}


CHANGED = "UPDATE {} SET {} = replace({}, 'e', 'E')"


def test_another_text_is_never_shown_and_the_other_document_is(file):
    change(file, CHANGED.format("pages", "text", "text") + f" WHERE doc_id = '{DOCUMENT.id}'")
    library = Library(file)
    assert library.documents.titles() == {OTHER.id: OTHER.title, DOCUMENT.id: DOCUMENT.title}
    for see in (library.documents.load, lambda doc_id: library.embeddings.chunks(doc_id, "sentence")):
        with pytest.raises(DocumentDamaged, match="add its PDF again") as caught:
            see(DOCUMENT.id)
        assert caught.value.values == {"doc_id": DOCUMENT.id, "title": "report.pdf"}
    assert library.documents.load(OTHER.id) == OTHER


def test_a_page_that_is_lost_is_missed(file):
    change(file, f"DELETE FROM pages WHERE doc_id = '{DOCUMENT.id}' AND number = 2")
    with pytest.raises(DocumentDamaged):
        Library(file).documents.load(DOCUMENT.id)


@pytest.mark.parametrize("value", ["'rEport.pdf'", "CAST(x'80ff' AS TEXT)"], ids=["other", "no text"])
def test_another_title_is_never_shown_and_keeps_no_other_from_being_read(file, value):
    change(file, f"UPDATE documents SET title = {value} WHERE id = '{DOCUMENT.id}'")
    library = Library(file)
    assert library.documents.titles() == {OTHER.id: OTHER.title, DOCUMENT.id: DOCUMENT.id}
    with pytest.raises(DocumentDamaged):
        library.documents.title(DOCUMENT.id)


def test_a_damaged_document_that_is_added_again_is_whole_and_has_its_judgments(file):
    change(file, CHANGED.format("pages", "text", "text"))
    change(file, CHANGED.format("documents", "title", "title"))
    library = Library(file)
    library.documents.save(DOCUMENT)
    assert library.documents.load(DOCUMENT.id) == DOCUMENT
    assert library.judgments.load(DOCUMENT.id) == [JUDGED]


def test_a_document_whose_owner_is_uncertain_is_not_swept(file):
    change(file, "UPDATE documents SET owner = 'somebody'")
    library = Library(file)
    assert library.documents.left_behind(0, time.time() + 1) == []
    assert set(library.documents.titles()) == {DOCUMENT.id, OTHER.id}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE chunkings SET spans = replace(spans, '0', '1')",
        "UPDATE chunkings SET spans = CAST('x' AS BLOB)",
    ],
)
def test_another_cut_is_cut_again(file, statement):
    change(file, statement)
    library = Library(file)
    assert library.embeddings.chunks(DOCUMENT.id, "sentence") is None
    chunks = split(PAGES, "sentence", doc_id=DOCUMENT.id)
    library.embeddings.save_chunks(DOCUMENT.id, "sentence", chunks)
    assert library.embeddings.chunks(DOCUMENT.id, "sentence") == chunks
    assert library.embeddings.load(DOCUMENT.id, "sentence", "some/model") is None, "they may be those of another cut"


@pytest.mark.parametrize("statement", ["SET vectors = zeroblob(16)", "SET dimension = 1"])
def test_other_vectors_are_not_there(file, statement):
    assert np.array_equal(Library(file).embeddings.load(DOCUMENT.id, "sentence", "some/model").vectors, VECTORS)
    change(file, f"UPDATE embeddings {statement}")
    assert Library(file).embeddings.load(DOCUMENT.id, "sentence", "some/model") is None


def test_other_scores_are_not_there(file):
    change(file, "UPDATE scores SET scores = replace(scores, '0.5', '0.7')")
    assert Library(file).embeddings.scores([DOCUMENT.id], "sentence", "weights", JUDGED.question) == Scores({}, 0.0)


@pytest.mark.parametrize(
    ("statement", "see"),
    [
        ("UPDATE judgments SET grade = 0", lambda library: library.judgments.load(DOCUMENT.id)),
        ("UPDATE judgments SET grade = 0", lambda library: library.judgments.undo(DOCUMENT.id, "Ann")),
        (CHANGED.format("runs", "quote", "quote"), lambda library: library.runs.load(DOCUMENT.id)),
        ("UPDATE questions SET number = 7", lambda library: library.judgments.questions(DOCUMENT.id)),
        (CHANGED.format("history", "name", "name"), lambda library: library.history.entries(DOCUMENT.id)),
        (CHANGED.format("history", "content", "content"), lambda library: library.history.load(DOCUMENT.id, 1)),
        (CHANGED.format("history", "made", "made || 'e'"), lambda library: library.history.rename(DOCUMENT.id, 1, "n")),
    ],
)
def test_what_cannot_be_made_again_is_named_as_damaged(file, statement, see):
    see(Library(shutil.copytree(file.parent, file.parent.with_name("whole")) / file.name))
    change(file, statement)
    library = Library(file)
    with pytest.raises(LibraryDamaged):
        see(library)
    assert library.documents.load(DOCUMENT.id) == DOCUMENT


def test_what_an_older_version_kept_has_checksums_from_now_on(tmp_path):
    file = Path(shutil.copy(OLDER, tmp_path))
    before = {doc_id: Library(file).documents.load(doc_id) for doc_id in Library(file).documents.titles()}
    change(file, CHANGED.format("pages", "text", "text"))
    library = Library(file)
    assert {doc_id: library.documents.load(doc_id) for doc_id in library.documents.titles()} == before, "read again"
    change(file, "DELETE FROM files")
    change(file, CHANGED.format("pages", "text", "text"))
    change(file, CHANGED.format("readings", "extracts", "extracts"))
    with pytest.raises(DocumentDamaged):
        [library.documents.load(doc_id) for doc_id in library.documents.titles()]


@pytest.fixture
def home(tmp_path: Path, embedder) -> Path:
    """Return a library with a PDF that was read, embedded and indexed."""
    lab = Lab(tmp_path / "lab")
    lab.open(lab.add(PDF, "town.pdf").id, HOW, embedder)
    lab.close()
    return tmp_path / "lab"


def seen(home: Path, embedder, see: Callable[[Lab, Opened], object]) -> object:
    with closing(Lab(home)) as lab:
        [doc_id] = lab.documents.titles()
        return see(lab, lab.open(doc_id, HOW, embedder))


def everything(lab: Lab, opened: Opened) -> list[object]:
    document, readings = lab.documents.load(opened.doc_id), lab.documents.readings(opened.doc_id)
    found = opened.first_stage(["When did the bridge open?"], 5)
    return [document, readings, opened.chunks, found, opened.index.vectors.tobytes()]


@pytest.mark.parametrize(
    "statement",
    [
        CHANGED.format("pages", "text", "text"),
        CHANGED.format("readings", "extracts", "extracts"),
        "UPDATE chunkings SET spans = replace(spans, '0', '1')",
        "UPDATE embeddings SET vectors = zeroblob(length(vectors))",
    ],
    ids=lambda statement: statement.split()[1],
)
@pytest.mark.parametrize("indexed", [True, False], ids=["indexed", "index lost"])
def test_what_can_be_made_again_is_and_gives_the_same(home, embedder, statement, indexed):
    before = seen(home, embedder, everything)
    change(home / "library.sqlite", statement)
    if not indexed:
        shutil.rmtree(home / "chroma")
    assert seen(home, embedder, everything) == before
    assert seen(home, embedder, everything) == before, "once it is made again it is whole"


@pytest.mark.parametrize(
    "statement",
    [
        CHANGED.format("pages", "text", "text"),
        "UPDATE chunkings SET spans = replace(spans, '0', '1')",
        "UPDATE embeddings SET vectors = zeroblob(length(vectors))",
        "UPDATE embeddings SET dimension = 1",
        "UPDATE words SET counted = zeroblob(length(counted))",
    ],
    ids=lambda statement: " ".join(statement.split()[1:4:2]),
)
def test_a_collection_whose_members_are_damaged_finds_the_same(home, embedder, statement):
    with closing(Lab(home)) as lab:
        other = lab.add(text_pdf(["The bridge was closed in June."]), "other.pdf")
        reader = lab.library.collect("Reader", [other.id, *lab.documents.titles(collections=False)]).id

    def found() -> list[object]:
        with closing(Lab(home)) as lab:
            opened = lab.open(reader, HOW, embedder)
            ranked = opened.first_stage(["When did the bridge open?"], 5, FirstStage.BOTH)
            return [ranked, opened.chunks, opened.index.vectors.tobytes()]

    before = found()
    change(home / "library.sqlite", statement)
    assert [found(), found()] == [before, before]


def test_a_library_from_before_words_were_kept_is_opened_and_one_that_lost_them_is_named(home, embedder):
    before = seen(home, embedder, everything)
    change(home / "library.sqlite", "DROP TABLE words")
    with pytest.raises(LibraryDamaged):
        Lab(home)
    change(home / "library.sqlite", "PRAGMA user_version = 1")
    assert seen(home, embedder, everything) == before
    change(home / "library.sqlite", "DROP TABLE words")
    with pytest.raises(LibraryDamaged):
        Lab(home)


def test_where_text_and_readings_are_damaged_the_file_is_read_again(home, embedder):
    before = seen(home, embedder, everything)
    change(home / "library.sqlite", CHANGED.format("pages", "text", "text"))
    change(home / "library.sqlite", CHANGED.format("readings", "extracts", "extracts"))
    assert seen(home, embedder, everything) == before


def test_a_text_that_the_file_does_not_give_again_is_not_guessed(home):
    with closing(Lab(home)) as lab:
        [doc_id] = lab.documents.titles()
        readings = lab.documents.readings(doc_id)
        left_out = tuple(replace(page, left_out=page.number == 2) for page in readings.pages)
        lab.pages.choose(doc_id, replace(readings, pages=left_out))
    change(home / "library.sqlite", CHANGED.format("readings", "extracts", "extracts"))
    with closing(Lab(home)) as lab:
        assert lab.documents.load(doc_id).pages[1].text == "", "the text itself is whole"
        with pytest.raises(DocumentDamaged):
            lab.documents.readings(doc_id)
        lab.add(PDF, "town.pdf")
        assert lab.documents.load(doc_id).pages[1].text == "Bread costs more since the winter."
        assert not lab.documents.readings(doc_id).pages[1].left_out


def test_a_file_that_changed_is_not_drawn(home):
    change(home / "library.sqlite", "UPDATE files SET data = zeroblob(length(data))")
    with closing(Lab(home)) as lab, pytest.raises(DocumentDamaged):
        lab.pages.picture(next(iter(lab.documents.titles())), 1)


def test_mending_copies_what_is_whole_and_keeps_the_damaged_file(file):
    change(file, CHANGED.format("pages", "text", "text") + f" WHERE doc_id = '{OTHER.id}'")
    change(file, "UPDATE scores SET scores = '{}'")
    change(file, "DROP TABLE history")
    damaged = file.read_bytes()
    mended = mend(file)
    assert (mended.damaged, mended.put_aside.read_bytes()) == (["other.pdf"], damaged)
    assert (mended.kept["documents"], mended.kept["judgments"], mended.lost["scores"]) == (2, 1, 1)
    library = Library(file)
    assert library.documents.load(DOCUMENT.id) == DOCUMENT
    assert library.judgments.load(DOCUMENT.id) == [JUDGED]
    assert library.runs.load(DOCUMENT.id) == [RANKED]
    assert np.array_equal(library.embeddings.load(DOCUMENT.id, "sentence", "some/model").vectors, VECTORS)
    assert library.history.entries(DOCUMENT.id) == []
    with pytest.raises(DocumentDamaged):
        library.documents.load(OTHER.id)


def test_mending_reaches_behind_a_lost_page(tmp_path):
    library = Library(tmp_path / "library.sqlite")
    documents = [replace(DOCUMENT, id=f"{number:08x}", pages=(Page(1, "words " * 300),)) for number in range(40)]
    for document in documents:
        library.documents.save(document)
    library.close()
    with closing(sqlite3.connect(library.database.file)) as connection:
        query = "SELECT pageno FROM dbstat WHERE name = 'pages' AND pagetype = 'leaf' ORDER BY path LIMIT 1 OFFSET 5"
        [[page]] = connection.execute(query) if has_dbstat(connection) else [[None]]
    if page is None:
        pytest.skip("this SQLite does not say where a table lies")
    data = library.database.file.read_bytes()
    library.database.file.write_bytes(data[: (page - 1) * 4096] + bytes(4096) + data[page * 4096 :])
    mended = mend(library.database.file)
    whole = [doc_id for doc_id in Library(library.database.file).documents.titles() if readable(library, doc_id)]
    assert (mended.kept["documents"], len(whole)) == (40, 38)
    assert len(mended.damaged) == 2


def test_mending_keeps_what_stands_before_an_end_that_is_lost(file):
    library = Library(file)
    library.embeddings.save(DOCUMENT.id, "sentence", "large", Embeddings(random_vectors(2, dimension=20_000), 1))
    library.close()
    file.write_bytes(file.read_bytes()[:-50_000])
    mended = mend(file)
    assert (mended.kept["documents"], mended.kept["embeddings"], mended.lost["embeddings"]) == (2, 1, 1)
    assert Library(file).documents.load(DOCUMENT.id) == DOCUMENT


def has_dbstat(connection: sqlite3.Connection) -> bool:
    return ("ENABLE_DBSTAT_VTAB",) in connection.execute("PRAGMA compile_options").fetchall()


def readable(library: Library, doc_id: str) -> bool:
    try:
        return bool(Library(library.database.file).documents.load(doc_id))
    except DocumentDamaged:
        return False


def test_the_command_says_what_it_kept(file):
    without_a_table(file)
    done = command.run(file.parent, "mend", file.parent)
    assert (done.returncode, done.stderr) == (0, "")
    assert "2 documents, lost: 0" in done.stdout and "library.damaged-1.sqlite" in done.stdout
    assert len(Library(file).documents.titles()) == 2
    assert command.run(file.parent, "mend", file.parent / "elsewhere").returncode == 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE embeddings_queue SET vector = (SELECT vector FROM embeddings_queue ORDER BY seq_id DESC LIMIT 1)",
        "UPDATE embeddings_queue SET id = '0123abcd-clause-' || substr('0000' || (29 - substr(id, -5)), -5)",
    ],
    ids=["vectors", "ids"],
)
def test_an_index_of_other_vectors_is_built_again(tmp_path, statement):
    """Chroma answers from what stands in its database, and says nothing."""
    stored, query = Stored(random_vectors(30)), random_vectors(1, seed=2)[0]
    with closing(FolderStore(tmp_path)) as store:
        first_ids(store, stored, query)
    change(tmp_path / "chroma.sqlite3", statement)
    with closing(FolderStore(tmp_path)) as store:
        assert first_ids(store, stored, query) == nearest(stored, query, 20)
    assert stored.asked == 2


def test_an_index_without_its_seal_is_built_again(tmp_path):
    stored, query = Stored(random_vectors(30)), random_vectors(1, seed=2)[0]
    with closing(FolderStore(tmp_path)) as store:
        first_ids(store, stored, query)
    (tmp_path / "checksums").unlink()
    with closing(FolderStore(tmp_path)) as store:
        first_ids(store, stored, query)
    assert stored.asked == 2


def test_a_vector_file_that_changes_by_itself_is_not_sealed_when_another_index_is_written(tmp_path):
    large, small, query = Stored(random_vectors(PAST_THE_LOG)), Stored(random_vectors(30)), random_vectors(1, seed=2)[0]
    with closing(FolderStore(tmp_path)) as store:
        first_ids(store, large, query)
        [file] = tmp_path.glob("*/data_level0.bin")
        stat, data = file.stat(), file.read_bytes()
        file.write_bytes(data[:1000] + bytes(len(data) - 1000))
        os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        first_ids(store, small, query, address=Address("ffff0000", "clause", "some/model"))
    with closing(FolderStore(tmp_path)) as store:
        assert first_ids(store, large, query) == nearest(large, query, 20)
    assert large.asked == 2


def test_an_index_is_not_built_again_after_a_process_that_never_closed_it(tmp_path):
    stored, queries = Stored(random_vectors(30)), random_vectors(2, seed=2)
    with closing(FolderStore(tmp_path / "open")) as store:
        for query in queries:
            first_ids(store, stored, query)
        shutil.copytree(tmp_path / "open", tmp_path / "killed")
    with closing(FolderStore(tmp_path / "killed")) as store:
        assert first_ids(store, stored, queries[0]) == nearest(stored, queries[0], 20)
    assert stored.asked == 1


@pytest.mark.slow
@pytest.mark.parametrize("what", ["library", "chroma"])
def test_no_damage_of_the_benchmark_is_shown_as_if_nothing_were(what):
    play = [sys.executable, "-m", "benchmarks.damage", what, "--damages=5", "--works=1"]
    done = subprocess.run(play, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
