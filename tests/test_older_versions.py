"""What an older version kept is opened by this one: a saved result, and a library folder."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from rag_core.datatypes import Chunk, ChunkSettings, Document, Expansion, FirstStage, Judgment, Settings, Span
from rag_core.lab import Lab
from rag_core.sharing import replay_file
from rag_core.sharing.replay import Replay, Source

KEPT = Path(__file__).parent / "data" / "0.1.0"
QUESTION = "How much did the new bridge cost?"
ANSWER = "The city paid for the bridge with a loan of nine million euros."
TEXTS = {
    1: "The new bridge over the river opened in May.\n" + ANSWER,
    2: "The bridge is closed to lorries at night. Engineers from Bergen drew the plans.",
    3: "Bread costs more since the winter.\nThe museum counted three hundred thousand visitors.",
}
SENTENCES = Settings(chunks=ChunkSettings("sentence"), depth=10, cutoff=3)


@pytest.fixture(scope="module")
def result() -> Replay:
    return replay_file.read((KEPT / "result.json").read_bytes())


@pytest.fixture(scope="module")
def rows() -> list[dict]:
    return json.loads((KEPT / "result.json").read_bytes())["candidates"]


def test_a_saved_result_has_its_question_and_settings(result):
    comparison = result.comparison
    assert (comparison.query, comparison.order) == (QUESTION, "fused")
    assert comparison.expansions == (Expansion("bridge loan", "typed"), Expansion("cost of the crossing", "llm"))
    assert comparison.settings == replace(SENTENCES, first_stage=FirstStage.BOTH)
    assert (result.source.title, result.versions["app"]) == ("Town and parks", "0.1.0")


def test_a_saved_result_has_its_texts_orders_and_scores(result, rows):
    comparison = result.comparison
    places = [(hit.chunk.id, hit.chunk.text, hit.score) for hit in comparison.before.hits]
    assert places == [(row["id"], row["text"], row["vector"]["score"]) for row in rows]
    moves = sorted(comparison.moves, key=lambda move: move.before)
    assert [move.after for move in moves] == [row["reranked"]["rank"] for row in rows]
    assert [move.after_score for move in moves] == [row["reranked"]["score"] for row in rows]
    assert comparison.moves[0].chunk.text == ANSWER
    ranks = [[search.rank for search in comparison.ledger[row["id"]]] for row in rows]
    assert ranks == [[search["rank"] for search in row["found"]] for row in rows]


def test_a_saved_result_has_its_answers_and_judgments(result):
    [judgment] = result.judgments
    assert (judgment.span.start, judgment.span.quote, judgment.grade) == (TEXTS[1].index(ANSWER), ANSWER, 2)
    assert judgment.judge == "Ann"
    assert list(result.grades.values()) == [2]
    assert {side: answer.source for side, answer in result.answers.items()} == {
        "vector": "extractive",
        "reranked": "extractive",
    }
    assert ANSWER in result.answers["reranked"].text


def test_a_saved_result_is_written_as_it_was(result):
    assert replay_file.write(result) == (KEPT / "result.json").read_bytes()


@pytest.fixture
def library(tmp_path: Path):
    """Open a copy of the old library, whose index is to be built again."""
    (tmp_path / "old").mkdir()
    shutil.copy(KEPT / "library.sqlite", tmp_path / "old")
    lab = Lab(tmp_path / "old")
    yield lab
    lab.close()


def named(lab: Lab, title: str) -> Document:
    [doc_id] = [doc_id for doc_id, known in lab.documents.titles().items() if known == title]
    return lab.documents.load(doc_id)


@pytest.fixture
def town(library: Lab) -> Document:
    return named(library, "town.pdf")


def test_a_library_has_its_documents(library, town):
    assert {page.number: page.text for page in town.pages} == TEXTS
    parks = named(library, "parks.pdf")
    assert set(named(library, "Town and parks").members) == {town.id, parks.id}
    assert library.pages.picture(town.id, 1)[0].startswith(b"\x89PNG")


def test_a_library_has_its_question_and_judgment(library, town):
    [judgment] = library.judgments.load(town.id)
    assert judgment == Judgment(QUESTION, Span(1, 0, ANSWER, town.id), 2, "Ann")
    assert list(library.judgments.questions(town.id).values()) == [QUESTION]


def recalled(lab: Lab, document: Document) -> Replay:
    [entry] = lab.history.entries(document.id)
    assert entry.name == "How much did the new bridge cost? (sentences)"
    return replay_file.read(lab.history.load(document.id, entry.number))


def test_an_entry_of_the_history_opens(library, town):
    replay = recalled(library, town)
    assert replay.source == Source(town.id, "town.pdf", "en", 3)
    assert replay.comparison.settings == SENTENCES
    assert replay.comparison.moves[0].chunk.text == ANSWER


@pytest.mark.parametrize("title", ["town.pdf", "Town and parks"])
def test_vectors_are_found_under_the_name_that_their_weights_had(library, title, embedder, reranker, monkeypatch):
    monkeypatch.setattr(embedder, "id", "bilingual-embedder")
    monkeypatch.setattr(type(embedder), "embed_texts", lambda *_: pytest.fail("chunks are embedded again"))
    document = named(library, title)
    opened = library.open(document.id, SENTENCES, embedder)
    assert opened.compare(QUESTION, [], reranker).moves[0].chunk.text == ANSWER
    assert {chunk.doc_id for chunk in opened.chunks} == {*document.parts}


def test_vectors_of_other_weights_are_not_mixed_with_todays(library, town, embedder, reranker):
    comparison = library.open(town.id, SENTENCES, embedder).compare(QUESTION, [], reranker)
    before = recalled(library, town).comparison
    assert {place for place in places(comparison.before.chunks)} == {place for place in places(before.before.chunks)}
    assert comparison.moves[0].chunk.text == before.moves[0].chunk.text == ANSWER
    how = SENTENCES.chunks.key
    new, old = (library.embeddings.load(town.id, how, name).vectors for name in (embedder.id, "bilingual-embedder"))
    assert new.shape == old.shape and 0.99 < (new * old).sum(1).min() < 0.9999


def places(chunks: list[Chunk]) -> list[tuple[str, int, int, str]]:
    return [(chunk.id, chunk.page, chunk.start, chunk.text) for chunk in chunks]


def test_nothing_is_dropped_of_a_document_until_its_reader_wants_that(library, town):
    readings = library.documents.readings(town.id)
    assert not readings.drop_repeated and not readings.drop_contents
    library.pages.choose(town.id, readings)
    assert library.documents.load(town.id) == town
    library.pages.choose(town.id, replace(readings, drop_repeated=True, drop_contents=True))
    assert library.documents.readings(town.id).drop_contents
