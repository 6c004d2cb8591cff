"""A table that is cut brings its head along: through every step from the PDF to the saved result."""

from __future__ import annotations

import json

import numpy as np
import pytest
from layouts import after, columns, page, table

from rag_core.batch import indexing
from rag_core.cli import printed
from rag_core.datatypes import Chunk, ChunkSettings, Comparison, FirstStage, Judgment, Settings
from rag_core.errors import ReplayInvalid
from rag_core.keeping import checksums
from rag_core.measuring import judge
from rag_core.models import selftest
from rag_core.search.once import Once
from rag_core.sharing import replay, replay_file

HEAD = "Year to June\t2021\t2022\t2023"
ROWS = ["Revenue\t31.4\t33.9\t38.2", "Crew\t210\t214\t236", "Passengers\t402\t455\t512"]
PDF = page(
    after(
        columns(["The ferries carried more cars than in any winter.", "A ramp was built at Portlow."], lefts=(70,)),
        table([row.split("\t") for row in (HEAD, *ROWS)], (70, 200, 300, 400), top=640),
    )
)
QUESTION = "How many people worked on board in 2022?"
HOW = Settings(chunks=ChunkSettings("sentence"), depth=10)


@pytest.fixture
def document(lab):
    return lab.add(PDF, "ferries.pdf")


@pytest.fixture
def compared(lab, document, embedder, reranker) -> Comparison:
    return lab.open(document.id, HOW, embedder).compare(QUESTION, [], reranker)


def row_of(comparison: Comparison) -> Chunk:
    return next(move.chunk for move in comparison.moves if move.chunk.text == ROWS[1])


def test_the_rows_have_the_head_and_nothing_else_has(lab, document):
    heads = {piece.text: piece.head for piece in lab.cut(document.id, HOW.chunks)}
    assert [heads[row] for row in ROWS] == [HEAD] * 3
    assert {heads[text] for text in heads.keys() - {*ROWS}} == {""}
    again = lab.cut(document.id, HOW.chunks)
    assert {piece.text: piece.head for piece in again} == heads


def test_what_is_embedded_and_searched_by_words_is_the_row_below_its_head(lab, document, embedder):
    opened = lab.open(document.id, HOW, embedder)
    wanted = embedder.embed_texts([piece.passage for piece in opened.chunks])
    assert np.array_equal(opened.index.vectors, wanted)
    [by_words] = opened.first_stage(["2022"], 10, FirstStage.BM25)
    assert {hit.chunk.text for hit in by_words.hits} == {HEAD, *ROWS}


def test_what_is_scored_is_the_row_below_its_head(compared, reranker):
    scores = reranker.score(QUESTION, [move.chunk.passage for move in compared.moves])
    assert [move.after_score for move in compared.moves] == [float(score) for score in scores]


@pytest.mark.parametrize("question", ["What was revenue in 2023?", "How many passengers were there in 2022?"])
def test_a_question_with_a_year_finds_more_in_a_row_below_its_head(lab, document, embedder, reranker, question):
    chunks = lab.cut(document.id, HOW.chunks)
    row = next(piece for piece in chunks if piece.text in ROWS and piece.text.split()[0].lower() in question)
    bare, headed = reranker.score(question, [row.text, row.passage])
    assert headed > bare
    [asked], [alone, below] = embedder.embed_queries([question]), embedder.embed_texts([row.text, row.passage])
    assert asked @ below > asked @ alone


def test_scores_are_kept_for_it(lab, document, embedder, reranker, compared):
    first, second = (Once(lab.open(document.id, HOW, embedder)).compare(QUESTION, [], reranker) for _ in range(2))
    assert (first.kept.pairs, second.kept.pairs) == (0, len(compared.moves))
    assert second.moves == first.moves == compared.moves


def test_a_batch_makes_the_same_vectors(lab, document, embedder, tmp_path):
    (tmp_path / "ferries.pdf").write_bytes(PDF)
    reading = indexing.read(indexing.Task(tmp_path / "ferries.pdf", preset="sentence"))
    vectors = lab.open(document.id, HOW, embedder).index.vectors
    assert np.array_equal(indexing.embed(reading, embedder).vectors, vectors)


def test_what_was_cut_without_heads_is_searched_as_it_was_embedded(lab, document, embedder):
    """An older library has such chunks: their embeddings and scores are of the text alone."""
    lab.cut(document.id, HOW.chunks)
    with lab.library.database.open() as connection:
        [[spans]] = connection.execute("SELECT spans FROM chunkings").fetchall()
        bare = json.dumps([place[:3] for place in json.loads(spans)])
        row = (bare, checksums.digest([document.id, HOW.chunks.key, bare]))
        connection.execute("UPDATE chunkings SET spans = ?, checksum = ?", row)
    opened = lab.open(document.id, HOW, embedder)
    assert [piece.passage for piece in opened.chunks] == [piece.text for piece in opened.chunks]
    assert np.array_equal(opened.index.vectors, embedder.embed_texts([piece.text for piece in opened.chunks]))


def test_the_command_line_tells_it(compared):
    told = json.loads(printed.as_json(compared))
    assert {row["text"]: row.get("head") for row in told["vector"]}[ROWS[1]] == HEAD
    assert not any("head" in row for row in told["vector"] if row["text"] == HEAD)


@pytest.fixture
def saved(compared, document, reranker) -> bytes:
    measured = selftest.check(reranker)
    return replay_file.write(
        replay.record(compared, document, [document], measured, {"embedder": None, "reranker": None})
    )


def test_a_saved_result_holds_it(saved, compared):
    opened = replay_file.read(saved)
    assert row_of(opened.comparison).head == HEAD
    assert opened.comparison.moves == compared.moves
    assert replay_file.write(opened) == saved


def test_a_file_from_before_there_were_heads_opens(saved):
    given = json.loads(saved)
    for candidate in given["candidates"]:
        candidate.pop("head", None)
    opened = replay_file.read(json.dumps(given).encode())
    assert row_of(opened.comparison).head == ""
    assert json.loads(replay_file.write(opened)) == given


@pytest.mark.parametrize("head", ["x" * 301, 5, None, ["x"]])
def test_a_head_that_cannot_be_is_refused(saved, head):
    given = json.loads(saved)
    given["candidates"][0]["head"] = head
    with pytest.raises(ReplayInvalid, match=r"candidates\[0\]\.head"):
        replay_file.read(json.dumps(given).encode())


def test_judgments_stand_at_the_text(lab, document, compared):
    row = row_of(compared)
    lab.judge(document.id, [Judgment(QUESTION, judge.span_of(row), 2)])
    assert lab.judged(document.id, compared.before.chunks).qrels == {QUESTION: {row.id: 2}}


def test_in_a_collection_rows_have_their_heads_too(lab, document, embedder, reranker):
    other_head = HEAD.replace("June", "May")
    rows = [row.split("\t") for row in (other_head, *ROWS)]
    other = lab.add(page(table(rows, (70, 200, 300, 400))), "other.pdf")
    both = lab.library.collect("both", [document.id, other.id])
    comparison = lab.open(both.id, HOW, embedder).compare(QUESTION, [], reranker)
    assert {move.chunk.head for move in comparison.moves if move.chunk.text == ROWS[1]} == {HEAD, other_head}
