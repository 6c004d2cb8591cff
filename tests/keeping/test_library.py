import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from rag_core.datatypes import Document, Judgment, Page, Part, Span
from rag_core.errors import DocumentMissing, HistoryMissing, LibraryDamaged, LibraryUnwritable
from rag_core.keeping import checksums
from rag_core.keeping.embeddings import Embeddings, Scores
from rag_core.keeping.history import MOST_KEPT
from rag_core.keeping.library import Library
from rag_core.reading.chunk import split

PAGES = (Page(1, "收入增长8.2%，突破6000亿元。新建学校20所。"), Page(3, "Revenue grew.\n第二行。"))
DOCUMENT = Document("0123abcd", "报告.pdf", "zh", PAGES)
CHUNKS = split(PAGES, "clause", doc_id="0123abcd")
VECTORS = np.array([[0.6, 0.8], [1.0, 0.0], [0.0, -1.0], [0.5, 0.25]], np.float32)


@pytest.fixture
def library(tmp_path):
    library = Library(tmp_path / "deep" / "library.sqlite")
    library.documents.save(DOCUMENT, read_seconds=1.5)
    return library


def keep_everything(library):
    library.embeddings.save_chunks(DOCUMENT.id, "clause", CHUNKS)
    library.embeddings.save(DOCUMENT.id, "clause", "some/model", Embeddings(VECTORS, 2.5))


def rows(library, table):
    with sqlite3.connect(library.database.file) as connection:
        return connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def test_document_comes_back_whole(library):
    assert library.documents.load("0123abcd") == DOCUMENT


def test_documents_survive_a_new_start(library):
    assert Library(library.database.file).documents.load("0123abcd") == DOCUMENT


def test_titles_are_newest_first(library):
    library.documents.save(Document("ffff0000", "later.pdf", "en", PAGES[1:]))
    assert list(library.documents.titles().items()) == [("ffff0000", "later.pdf"), ("0123abcd", "报告.pdf")]


def test_missing_document_is_named(library):
    with pytest.raises(DocumentMissing, match="nowhere") as caught:
        library.documents.load("nowhere")
    assert caught.value.values == {"doc_id": "nowhere"}


def test_chunks_come_back_as_they_were_cut(library):
    assert library.embeddings.chunks("0123abcd", "clause") is None
    library.embeddings.save_chunks("0123abcd", "clause", CHUNKS)
    assert library.embeddings.chunks("0123abcd", "clause") == CHUNKS
    assert library.embeddings.chunks("0123abcd", "sentence") is None


def test_embeddings_come_back_bit_by_bit(library):
    keep_everything(library)
    found = library.embeddings.load("0123abcd", "clause", "some/model")
    assert found.vectors.dtype == np.float32
    assert np.array_equal(found.vectors, VECTORS)
    assert found.seconds == 2.5


def test_embeddings_belong_to_one_embedder(library):
    keep_everything(library)
    assert library.embeddings.has("0123abcd", "clause", "some/model")
    assert not library.embeddings.has("0123abcd", "clause", "other/model")
    assert library.embeddings.load("0123abcd", "clause", "other/model") is None


def test_embeddings_need_the_chunks_they_belong_to(library):
    with pytest.raises(sqlite3.IntegrityError):
        library.embeddings.save("0123abcd", "clause", "some/model", Embeddings(VECTORS, 2.5))


def test_seconds_name_the_steps_that_were_done(library):
    assert library.embeddings.seconds("0123abcd", "clause", "some/model") == {"parse": 1.5}
    keep_everything(library)
    assert library.embeddings.seconds("0123abcd", "clause", "some/model") == {"parse": 1.5, "embed": 2.5}
    assert library.embeddings.seconds("nowhere", "clause", "some/model") == {}


def test_delete_takes_pages_chunks_and_embeddings_along(library):
    library.documents.save(Document("ffff0000", "later.pdf", "en", PAGES))
    keep_everything(library)
    library.documents.delete("0123abcd")
    assert [rows(library, table) for table in ("documents", "pages", "chunkings", "embeddings")] == [1, 2, 0, 0]


def test_deleting_what_is_not_there_changes_nothing(library):
    library.documents.delete("nowhere")
    assert library.documents.load("0123abcd") == DOCUMENT


def test_saving_the_same_pages_again_keeps_what_was_made_of_them(library):
    keep_everything(library)
    library.documents.save(Document("0123abcd", "renamed.pdf", "zh", PAGES))
    assert library.documents.load("0123abcd").title == "renamed.pdf"
    assert library.embeddings.chunks("0123abcd", "clause") == CHUNKS
    assert library.embeddings.has("0123abcd", "clause", "some/model")


def test_other_pages_under_the_same_id_drop_what_was_made_of_the_old_ones(library):
    keep_everything(library)
    library.documents.save(Document("0123abcd", "报告.pdf", "zh", (Page(1, "别的内容。"),)))
    assert library.documents.load("0123abcd").pages == (Page(1, "别的内容。"),)
    assert library.embeddings.chunks("0123abcd", "clause") is None
    assert not library.embeddings.has("0123abcd", "clause", "some/model")


def test_a_save_that_fails_leaves_the_document_as_it_was(library):
    twice = (Page(1, "one"), Page(1, "two"))
    with pytest.raises(sqlite3.IntegrityError):
        library.documents.save(Document("0123abcd", "broken.pdf", "en", twice))
    assert library.documents.load("0123abcd") == DOCUMENT


def test_a_file_in_place_of_the_folder_is_unwritable(tmp_path):
    (tmp_path / "home").write_text("not a folder")
    with pytest.raises(LibraryUnwritable, match="RERANK_LAB_HOME") as caught:
        Library(tmp_path / "home" / "library.sqlite")
    assert caught.value.values == {"folder": str(tmp_path / "home")}


def test_a_folder_in_place_of_the_file_is_unwritable(tmp_path):
    (tmp_path / "library.sqlite").mkdir()
    with pytest.raises(LibraryUnwritable):
        Library(tmp_path / "library.sqlite")


def test_a_file_that_is_no_database_is_named_as_damaged_and_stays(tmp_path):
    (tmp_path / "library.sqlite").write_bytes(b"precious notes" * 100)
    with pytest.raises(LibraryDamaged):
        Library(tmp_path / "library.sqlite")
    assert (tmp_path / "library.sqlite").read_bytes() == b"precious notes" * 100


SPAN = Span(1, 0, "收入增长8.2%，", DOCUMENT.id)
JUDGED = Judgment("收入增长多少？", SPAN, 2, "a")


def of_document(judgments: list[Judgment]) -> list[tuple[str, Judgment]]:
    return [(DOCUMENT.id, one) for one in judgments]


def test_questions_keep_their_numbers(library):
    library.judgments.ask(DOCUMENT.id, ["first?", "second?", "first?"])
    library.judgments.drop(DOCUMENT.id, "first?")
    library.judgments.ask(DOCUMENT.id, ["third?"])
    assert library.judgments.questions(DOCUMENT.id) == {2: "second?", 3: "third?"}


def test_a_judged_question_joins_the_set(library):
    library.judgments.add(of_document([JUDGED]))
    assert library.judgments.questions(DOCUMENT.id) == {1: JUDGED.question}
    assert library.judgments.load(DOCUMENT.id) == [JUDGED]


def test_a_question_goes_with_its_judgments(library):
    library.judgments.add(of_document([JUDGED, replace(JUDGED, question="other?")]))
    library.judgments.drop(DOCUMENT.id, JUDGED.question)
    assert [one.question for one in library.judgments.load(DOCUMENT.id)] == ["other?"]


def test_undo_takes_back_the_last_judgment_of_that_judge_alone(library):
    mine = [replace(JUDGED, grade=grade) for grade in (0, 1)]
    library.judgments.add(of_document([*mine, replace(JUDGED, judge="b")]))
    assert library.judgments.undo(DOCUMENT.id, "a") == mine[1]
    assert library.judgments.load(DOCUMENT.id) == [mine[0], replace(JUDGED, judge="b")]
    assert library.judgments.undo(DOCUMENT.id, "nobody") is None


def test_judgments_outlive_another_reading_of_the_document(library):
    keep_everything(library)
    library.judgments.add(of_document([JUDGED]))
    library.documents.save(replace(DOCUMENT, pages=(Page(1, "收入增长 8.2%，突破。"),)))
    assert library.judgments.load(DOCUMENT.id) == [JUDGED]
    assert library.embeddings.chunks(DOCUMENT.id, "clause") is None
    assert [page.text for page in library.documents.load(DOCUMENT.id).pages] == ["收入增长 8.2%，突破。"]


def test_scores_are_kept_by_weights_and_question(library):
    keep_everything(library)
    library.embeddings.save_scores("clause", "model#1", "q", {DOCUMENT.id: Scores({"c1": 0.5, "c2": -1.25}, 0.4)})
    found = library.embeddings.scores([DOCUMENT.id], "clause", "model#1", "q")
    assert (found.by_chunk, found.per_pair) == ({"c1": 0.5, "c2": -1.25}, pytest.approx(0.2))
    assert library.embeddings.scores([DOCUMENT.id], "clause", "model#2", "q") == Scores({}, 0.0)


def test_of_what_part_a_score_is_comes_back_and_may_be_unknown(library):
    keep_everything(library)
    noted = Scores({"c1": 0.1, "c2": -1.25, "c3": 3.0}, 0.6, {"c1": None, "c2": Part(3, 9, 4)})
    library.embeddings.save_scores("clause", "model#1", "q", {DOCUMENT.id: noted})
    assert library.embeddings.scores([DOCUMENT.id], "clause", "model#1", "q") == noted


def test_scores_that_an_older_version_kept_are_read_with_their_part_unknown(library):
    keep_everything(library)
    row = checksums.sealed(DOCUMENT.id, "clause", "model#1", "q", '{"c1": 0.5, "c2": -1.25}', 0.4)
    with library.database.open() as connection:
        connection.execute("INSERT INTO scores VALUES (?, ?, ?, ?, ?, ?, ?)", row)
    kept = library.embeddings.scores([DOCUMENT.id], "clause", "model#1", "q")
    assert kept == Scores({"c1": 0.5, "c2": -1.25}, 0.4)


def test_a_document_that_is_gone_takes_no_scores(library):
    keep_everything(library)
    library.documents.delete(DOCUMENT.id)
    library.embeddings.save_scores("clause", "model#1", "q", {DOCUMENT.id: Scores({"c1": 0.5}, 0.4)})
    assert rows(library, "scores") == 0


def test_scores_put_together_take_their_seconds_along():
    known = Scores({"c1": 1.0, "c2": 2.0}, 0.4, {"c1": None})
    both = known.extended(Scores({"c2": 2.5, "c3": 3.0}, 1.0, {"c2": Part(0, 5, 2), "c3": None}))
    assert both.by_chunk == {"c1": 1.0, "c2": 2.5, "c3": 3.0}
    assert both.parts == {"c1": None, "c2": Part(0, 5, 2), "c3": None}
    assert both.seconds == pytest.approx(0.2 + 1.0)
    assert both.of(["c3"]) == Scores({"c3": 3.0}, pytest.approx(0.4), {"c3": None})


def test_everything_about_a_document_goes_with_it(library):
    keep_everything(library)
    library.judgments.add(of_document([JUDGED]))
    library.embeddings.save_scores("clause", "model#1", "q", {DOCUMENT.id: Scores({"c1": 0.5}, 0.4)})
    library.documents.delete(DOCUMENT.id)
    assert [rows(library, table) for table in ("questions", "judgments", "scores", "embeddings")] == [0, 0, 0, 0]


def test_titles_are_those_of_an_owner(library):
    library.documents.save(replace(DOCUMENT, id="other", title="own.pdf"), owner="somebody")
    assert library.documents.titles() == {DOCUMENT.id: DOCUMENT.title}
    assert library.documents.titles("somebody") == {"other": "own.pdf"}
    assert library.documents.left_behind(0, time.time() + 1) == ["other"], "what is everybody's is never left behind"


def test_a_library_from_before_there_were_owners_is_everybodys(tmp_path):
    file = tmp_path / "library.sqlite"
    with sqlite3.connect(file) as connection:
        connection.execute(
            "CREATE TABLE documents (id TEXT PRIMARY KEY, title TEXT NOT NULL, language TEXT NOT NULL, "
            "added REAL NOT NULL, read_seconds REAL NOT NULL)"
        )
        connection.execute("INSERT INTO documents VALUES ('old', 'old.pdf', 'zh', 0, 0)")
    assert Library(file).documents.titles() == {"old": "old.pdf"}


def test_vectors_of_a_document_that_is_gone_are_missed_by_name(library):
    keep_everything(library)
    assert np.array_equal(library.embeddings.vectors(DOCUMENT.id, "clause", "some/model"), VECTORS)
    library.documents.delete(DOCUMENT.id)
    with pytest.raises(DocumentMissing, match=DOCUMENT.id):
        library.embeddings.vectors(DOCUMENT.id, "clause", "some/model")


def test_the_same_work_is_done_by_one_at_a_time(library):
    at_work, most = [], []

    def work(_: int) -> None:
        with Library(library.database.file).database.claim(DOCUMENT.id, "clause", "some/model"):
            at_work.append(1)
            most.append(len(at_work))
            time.sleep(0.01)
            at_work.pop()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(work, range(8)))
    assert most == [1] * 8


def test_a_claim_is_given_back_by_a_work_that_fails(library):
    with pytest.raises(ZeroDivisionError), library.database.claim("work"):
        raise ZeroDivisionError
    with library.database.claim("work"):
        pass


def test_a_database_that_is_damaged_while_it_is_open_is_told(library):
    library.database.file.write_bytes(bytes(library.database.file.stat().st_size))
    with pytest.raises(LibraryDamaged) as caught:
        Library(library.database.file).documents.titles()
    file = library.database.file
    assert caught.value.values == {"file": str(file), "folder": str(file.parent)}


def test_the_last_comparisons_of_a_document_are_kept(library):
    library.documents.save(replace(DOCUMENT, id="other"))
    library.history.add("other", "theirs", "2026-11-25T07:00:00+00:00", "{}")
    for number in range(MOST_KEPT + 3):
        library.history.add(DOCUMENT.id, f"n{number}", "2026-11-25T08:00:00+00:00", f"content {number}")
    entries = library.history.entries(DOCUMENT.id)
    assert [entry.name for entry in entries] == [f"n{number}" for number in range(MOST_KEPT + 2, 2, -1)]
    assert library.history.load(DOCUMENT.id, entries[0].number) == b"content 22"
    assert [entry.name for entry in library.history.entries("other")] == ["theirs"]


def test_a_comparison_of_the_history_has_a_name(library):
    library.history.add(DOCUMENT.id, "x" * 300, "2026-11-25T08:00:00+00:00", "{}")
    [entry] = library.history.entries(DOCUMENT.id)
    assert len(entry.name) == 200
    library.history.rename(DOCUMENT.id, entry.number, "  before\nthe  change ")
    library.history.rename(DOCUMENT.id, entry.number, "  ")
    library.history.rename("other", entry.number, "not theirs")
    assert [one.name for one in library.history.entries(DOCUMENT.id)] == ["before the change"]


def test_a_comparison_that_is_gone_is_named(library):
    library.history.add(DOCUMENT.id, "one", "2026-11-25T08:00:00+00:00", "{}")
    [entry] = library.history.entries(DOCUMENT.id)
    with pytest.raises(HistoryMissing):
        library.history.load("other", entry.number)
    library.documents.delete(DOCUMENT.id)
    with pytest.raises(HistoryMissing):
        library.history.load(DOCUMENT.id, entry.number)
    assert rows(library, "history") == 0
