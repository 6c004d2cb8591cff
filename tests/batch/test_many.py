"""Many documents at once, in this process: broken ones among good ones, stopped and gone on with, evaluated as one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from command import run
from pdfs import blank_pdf, cut_pdf, encrypted_pdf, text_pdf

from rag_core import settings
from rag_core.batch import evaluation, indexing
from rag_core.datatypes import Judgment, Settings, Span
from rag_core.lab import Lab
from rag_core.measuring import evaluate, judge, tables
from rag_core.measuring.questions import Questions
from rag_core.models.embed import load_embedder

pytestmark = pytest.mark.slow

TOWN = text_pdf(
    ["Tax revenue grew by eight percent over the year.", "Twenty parks were built in the old quarter."],
    ["The hospital hired ninety nurses.", "A second bridge over the river is planned."],
)
CITY = text_pdf(
    ["全市一般公共预算收入增长8.2%，突破6000亿元。", "新建公园二十处。"], ["粮食产量保持稳定。", "地铁十二号线开通。"]
)
QUESTIONS = {
    "town": Questions(
        ("How much did tax revenue grow?", "Who was hired?"),
        (
            Judgment("How much did tax revenue grow?", Span(1, 0, "Tax revenue grew by eight percent"), 2, "a"),
            Judgment("Who was hired?", Span(2, 0, "The hospital hired ninety nurses."), 2, "a"),
        ),
        0,
    ),
    "city": Questions(
        ("财政收入增长了多少？",), (Judgment("财政收入增长了多少？", Span(1, 0, "预算收入增长8.2%"), 1, "a"),), 0
    ),
}
HOW = Settings(depth=5)


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "pdfs"
    (made / "below").mkdir(parents=True)
    files = {
        "town.pdf": TOWN,
        "below/city.PDF": CITY,
        "below/again.pdf": CITY,
        "broken.pdf": cut_pdf(TOWN, 0.5),
        "empty.pdf": b"",
        "page.pdf": b"<html></html>",
        "scan.pdf": blank_pdf(2),
        "secret.pdf": encrypted_pdf(TOWN, "password"),
        "notes.txt": b"no PDF",
    }
    for name, content in files.items():
        (made / name).write_bytes(content)
    return made


READABLE = {"town.pdf", "below/city.PDF", "below/again.pdf"}
FAILED = {"broken.pdf", "empty.pdf", "page.pdf", "scan.pdf", "secret.pdf"}


def tasks(folder, **how) -> list[indexing.Task]:
    return [indexing.Task(file, **how) for file in sorted(folder.rglob("*")) if file.suffix.lower() == ".pdf"]


def names(folder, outcomes) -> set[str]:
    return {str(one.file.relative_to(folder)) for one in outcomes}


def content(home) -> list:
    """Return what a library holds of documents, without times."""
    lab, embedder = Lab(home), load_embedder("bilingual-embedder").id
    held = []
    for doc_id in sorted(lab.documents.titles()):
        document, cut = lab.documents.load(doc_id), indexing.cut_of(lab.documents.load(doc_id), None)
        vectors = lab.embeddings.load(doc_id, cut.key, embedder).vectors
        held.append((document, lab.embeddings.chunks(doc_id, cut.key), vectors.tobytes()))
    lab.close()
    return held


# Index


def test_broken_files_are_listed_and_the_rest_is_done(folder, lab, embedder):
    counts = []
    make = indexing.here(embedder)
    outcomes = indexing.index(lab, tasks(folder), embedder, make, lambda *count: counts.append(count))
    good, bad = [one for one in outcomes if not one.reason], [one for one in outcomes if one.reason]
    assert (names(folder, good), names(folder, bad)) == (READABLE, FAILED)
    assert [one.file for one in outcomes] == [task.file for task in tasks(folder)]
    assert counts == [(done, 8) for done in range(9)]
    town = next(one for one in good if one.file.name == "town.pdf")
    assert (town.pages, town.chunks, town.cut, town.new) == (2, 4, "sentence", True)
    assert {title for title in lab.documents.titles().values()} == {"town.pdf", "city.PDF"}


def test_what_is_made_here_is_what_opening_a_document_makes(folder, lab, embedder):
    indexing.index(lab, tasks(folder), embedder, indexing.here(embedder))
    lab.close()
    other = Lab(folder.parent / "other")
    for data, title in ((CITY, "city.PDF"), (TOWN, "town.pdf")):
        document = other.add(data, title)
        other.open(document.id, Settings(chunks=indexing.cut_of(document, None)), embedder)
    other.close()
    assert content(settings.home()) == content(folder.parent / "other")


def test_a_run_that_was_stopped_goes_on_where_it_stood(folder, lab, embedder):
    class Stopped(Exception):
        pass

    def stopping(tasks):
        for number, made in enumerate(indexing.here(embedder)(tasks)):
            if number == 2:
                raise Stopped
            yield made

    with pytest.raises(Stopped):
        indexing.index(lab, tasks(folder), embedder, stopping)
    asked = []

    def watching(tasks):
        asked.extend(task.file.name for task in tasks)
        yield from indexing.here(embedder)(tasks)

    outcomes = indexing.index(lab, tasks(folder), embedder, watching)
    assert "again.pdf" not in asked and "city.PDF" not in asked
    assert "town.pdf" in asked
    assert names(folder, [one for one in outcomes if not one.new and not one.reason]) == {
        "below/city.PDF",
        "below/again.pdf",
    }


def test_another_cut_embeds_again_without_reading_again(folder, lab, embedder):
    indexing.index(lab, tasks(folder), embedder, indexing.here(embedder))
    asked = []

    def watching(tasks):
        asked.extend((task.file.name, task.document is not None) for task in tasks)
        yield from indexing.here(embedder)(tasks)

    outcomes = indexing.index(lab, tasks(folder, preset="clause"), embedder, watching)
    assert dict(asked)["town.pdf"]
    assert {one.cut for one in outcomes if one.new} == {"clause"}


def test_a_password_opens_what_it_opens(folder, lab, embedder):
    outcomes = indexing.index(lab, tasks(folder, password="password"), embedder, indexing.here(embedder))
    assert "secret.pdf" not in names(folder, [one for one in outcomes if one.reason])


def test_a_file_that_went_away_is_one_that_failed(folder, lab, embedder):
    [outcome] = indexing.index(lab, [indexing.Task(folder / "gone.pdf")], embedder, indexing.here(embedder))
    assert outcome.reason == "No such file or directory"


# Evaluate


@pytest.fixture
def parts(folder, lab, embedder) -> list[evaluation.Part]:
    chosen = [indexing.Task(folder / "town.pdf"), indexing.Task(folder / "below" / "city.PDF")]
    outcomes = indexing.index(lab, chosen, embedder, indexing.here(embedder))
    opened = [lab.open(one.doc_id, replace(HOW, chunks=lab.recommend(one.doc_id)), embedder) for one in outcomes]
    return [
        evaluation.Part(name, lab.documents.load(one.doc_id), one, QUESTIONS[name])
        for name, one in zip(("town", "city"), opened, strict=True)
    ]


def test_documents_are_evaluated_as_one(lab, parts, embedder, reranker):
    counts = []
    found = evaluation.evaluate_all(parts, [reranker], [5], lambda *count: counts.append(count))
    assert counts == [(0, 2), (1, 2), (2, 2)]
    asked = ["town: How much did tax revenue grow?", "town: Who was hired?", "city: 财政收入增长了多少？"]
    assert found.questions == found.measured == asked
    assert list(found.numbers.values()) == [1, 2, 3]
    single = [
        evaluate.evaluate(part.opened, dict(enumerate(part.questions.questions)), [reranker], [5]).rejudged(
            judge.apply(part.questions.judgments, [part.document], part.opened.chunks)
        )
        for part in parts
    ]
    for system in found.orders:
        whole = [value for one in single for value in one.values[system]["nDCG@10"].values()]
        assert found.mean(system, "nDCG@10") == pytest.approx(np.mean(whole))


def test_the_files_hold_every_document(lab, parts, embedder, reranker):
    found = evaluation.evaluate_all(parts, [reranker], [5])
    files = tables.files(found, *evaluation.judged_and_cut(parts))
    judged = files["judgments.csv"].decode("utf-8-sig")
    assert "town: Who was hired?" in judged and "city: 财政收入增长了多少？" in judged
    assert files["qrels.txt"].decode().splitlines()[-1].startswith("q3 0 ")


def test_only_what_is_not_scored_yet_is_wanted(lab, parts, embedder, reranker):
    first = list(evaluation.wanted(parts[0], reranker, 5))
    assert [(one.question, len(one.chunks)) for one in first] == [
        (question, 4) for question in QUESTIONS["town"].questions
    ]
    evaluation.evaluate_all(parts, [reranker], [5])
    assert list(evaluation.wanted(parts[0], reranker, 5)) == []


# Command line


def write_questions(folder) -> None:
    (folder / "below").mkdir(parents=True)
    (folder / "town.csv").write_text(
        "question,page,quote,grade\nWho was hired?,2,The hospital hired ninety nurses.,2\n"
    )
    (folder / "broken.csv").write_text("question\nWhat is it?\n")
    (folder / "below" / "city.csv").write_text("question,page,quote,grade\n财政收入增长了多少？,1,预算收入增长8.2%,2\n")


def test_the_command_indexes_a_folder_and_skips_what_is_there(folder, tmp_path):
    home = tmp_path / "command"
    first, second = run(home, "index", folder), run(home, "index", folder, folder / "town.pdf")
    assert (first.returncode != 0, second.returncode != 0) == (True, True)
    assert "5 of 8 files could not be indexed" in first.stderr
    assert f"{folder / 'town.pdf'}: 2 pages, 4 chunks (sentence)\n" in first.stdout
    assert f"{folder / 'town.pdf'}: 2 pages, 4 chunks (sentence), before\n" in second.stdout
    assert f"{folder / 'scan.pdf'}: not indexed: " in first.stdout
    alone = run(home, "index", folder / "below")
    assert (alone.returncode, alone.stdout.splitlines()[-1]) == (0, "2 of 2 files indexed, 2 of them before")


def test_a_folder_without_a_pdf_is_told(tmp_path):
    done = run(tmp_path / "home", "index", tmp_path)
    assert done.returncode != 0
    assert "holds no PDF" in done.stderr


def test_the_command_evaluates_a_folder(folder, tmp_path):
    write_questions(tmp_path / "questions")
    done = run(
        tmp_path / "command", "evaluate", folder, tmp_path / "questions", "--depths", "5", "--output", tmp_path / "out"
    )
    assert done.returncode == 0
    assert "2 questions, 2 with a relevant chunk" in done.stdout
    assert "broken.pdf: not indexed: " in done.stderr
    assert {"means.csv", "ranks.csv", "qrels.txt"} <= {file.name for file in (tmp_path / "out").iterdir()}


def test_a_folder_without_questions_is_told(folder, tmp_path):
    (tmp_path / "questions").mkdir()
    done = run(tmp_path / "command", "evaluate", folder, tmp_path / "questions")
    assert done.returncode != 0
    assert "no PDF of" in done.stderr


def test_a_bad_csv_is_named(folder, tmp_path):
    write_questions(tmp_path / "questions")
    (tmp_path / "questions" / "town.csv").write_text("page,quote,grade\n2,The hospital hired ninety nurses.,2\n")
    done = run(tmp_path / "command", "evaluate", folder, tmp_path / "questions")
    assert done.returncode != 0
    assert "town.csv: " in done.stderr


def test_when_no_file_can_be_read_that_is_said(folder, tmp_path):
    (tmp_path / "questions").mkdir()
    (tmp_path / "questions" / "broken.csv").write_text("question\nWhat is it?\n")
    done = run(tmp_path / "command", "evaluate", folder, tmp_path / "questions")
    assert done.returncode != 0
    assert "none of the files could be indexed" in done.stderr
