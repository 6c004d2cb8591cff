"""Three small documents searched as one, with the real models and a real index."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pdfs import text_pdf

from rag_core import collection
from rag_core.datatypes import ChunkSettings, Judgment, Settings, Span
from rag_core.errors import EmptyCollection
from rag_core.lab import Lab
from rag_core.measuring import evaluate

MONEY = text_pdf(["全市一般公共预算收入增长8.2%，突破6000亿元。", "居民人均可支配收入增长5.6%。"])
PARKS = text_pdf(["新建和改造公园二十处，绿化面积不断扩大。"], ["博物馆接待游客三百万人次。"])
TRAINS = text_pdf(["轨道交通十二号线五月开通运营。", "全年粮食产量保持稳定。"])
FILES = {"money.pdf": MONEY, "parks.pdf": PARKS, "trains.pdf": TRAINS}
QUESTION = "财政收入增长了多少？"
HOW = Settings(chunks=ChunkSettings("sentence"), depth=5)


@pytest.fixture
def lab(tmp_path):
    lab = Lab(tmp_path / "home")
    yield lab
    lab.close()


@pytest.fixture
def ids(lab) -> list[str]:
    return [lab.add(data, name).id for name, data in FILES.items()]


@pytest.fixture
def reader(lab, ids):
    return collection.save(lab, "Course reader", ids)


def test_a_collection_stands_among_the_documents(lab, ids, reader):
    assert lab.titles()[reader.id] == "Course reader"
    assert lab.document(reader.id) == reader
    assert (reader.parts, reader.language, lab.document(ids[0]).parts) == (tuple(ids), "zh", (ids[0],))


def test_it_is_searched_as_one_index_would_be(lab, reader, embedder):
    index = lab.index(reader.id, HOW.chunks, embedder)
    embedding = embedder.embed_queries([QUESTION])
    [found] = index.search([QUESTION], embedding, 4)
    exact = index.vectors @ embedding[0]
    assert found.ids == [index.chunks[i].id for i in np.argsort(-exact)[:4]]
    assert len({hit.chunk.doc_id for hit in found.hits}) > 1


def test_a_comparison_names_the_document_of_every_chunk(lab, ids, reader, embedder, reranker):
    compared = lab.compare(lab.index(reader.id, HOW.chunks, embedder), QUESTION, [], HOW, embedder, reranker)
    first = compared.moves[0].chunk
    assert (compared.doc_id, first.doc_id, first.page, compared.available) == (reader.id, ids[0], 1, 6)
    assert "6000亿元" in first.text


@pytest.mark.parametrize("stage", ["vector", "bm25", "both"])
def test_only_the_chosen_members_are_searched(lab, ids, reader, embedder, reranker, stage):
    how = replace(HOW, within=(ids[1], ids[2]), first_stage=stage)
    index = lab.index(reader.id, how.chunks, embedder, within=how.within)
    compared = lab.compare(index, "公园 收入", [], how, embedder, reranker)
    assert {chunk.doc_id for chunk in compared.vector.chunks} <= {ids[1], ids[2]}
    assert compared.available == 4


def test_a_filter_that_names_no_member_searches_all(lab, ids, embedder):
    two = collection.save(lab, "Two", ids[:2])
    assert lab.index(two.id, HOW.chunks, embedder, within=(ids[2],)).doc_ids == tuple(ids[:2])


def test_members_come_and_go_without_the_rest_being_embedded_again(lab, ids, embedder):
    class Counting:
        id, texts = embedder.id, 0

        def embed_texts(self, texts, progress=None):
            self.texts += len(texts)
            return embedder.embed_texts(texts, progress)

    counting = Counting()
    two = collection.save(lab, "Reader", ids[:2])
    lab.index(two.id, HOW.chunks, counting)
    assert counting.texts == 4
    three = collection.save(lab, "Reader", ids, collection_id=two.id)
    assert len(lab.index(three.id, HOW.chunks, counting).chunks) == counting.texts == 6
    one = collection.save(lab, "Reader", ids[2:], collection_id=two.id)
    assert len(lab.index(one.id, HOW.chunks, counting).chunks) == 2
    assert counting.texts == 6


def test_progress_counts_the_chunks_of_all_members(lab, reader, embedder):
    seen = []
    lab.index(reader.id, HOW.chunks, embedder, lambda done, total: seen.append((done, total)))
    assert seen == sorted(seen)
    assert seen[-1] == (6, 6)


def test_a_deleted_document_leaves_its_collections(lab, ids, reader, embedder):
    lab.index(reader.id, HOW.chunks, embedder)
    lab.delete(ids[0])
    assert lab.document(reader.id).members == tuple(ids[1:])
    lab.delete(ids[1])
    lab.delete(ids[2])
    with pytest.raises(EmptyCollection):
        lab.index(reader.id, HOW.chunks, embedder)


def test_deleting_a_collection_leaves_its_documents(lab, ids, reader):
    lab.delete(reader.id)
    assert set(lab.titles()) == set(ids)


@pytest.mark.parametrize(("title", "count"), [("", 3), (" \n ", 3), ("Reader", 0)])
def test_a_collection_needs_a_name_and_a_document(lab, ids, title, count):
    with pytest.raises(EmptyCollection):
        collection.save(lab, title, ids[:count])


def test_nobody_collects_another_owners_documents_or_a_collection(lab, ids, reader):
    other = lab.add(MONEY, "mine.pdf", owner="somebody")
    with pytest.raises(EmptyCollection):
        collection.save(lab, "Reader", [other.id, reader.id])
    mine = collection.save(lab, "Reader", [other.id, ids[0], reader.id], owner="somebody")
    assert mine.members == (other.id,)
    assert reader.id not in lab.titles("somebody")


def test_judgments_stay_with_the_members(lab, ids, reader):
    about = Judgment(QUESTION, Span(1, 0, "居民人均可支配收入增长5.6%。", ids[0]), 1)
    nameless = Judgment("几处公园？", Span(0, 0, "新建和改造公园二十处"), 2)
    lab.judge(reader.id, [about, nameless])
    assert lab.judgments(ids[0]) == [about]
    assert [one.question for one in lab.judgments(ids[1])] == ["几处公园？"]
    assert lab.judgments(ids[2]) == []
    assert list(lab.questions(reader.id).values()) == [QUESTION, "几处公园？"]
    judged = evaluate.judgments_of(lab, reader.id, lab.cut(reader.id, HOW.chunks))
    assert {question: list(grades.values()) for question, grades in judged.qrels.items()} == {
        QUESTION: [1],
        "几处公园？": [2],
    }
    assert lab.undo(reader.id, "").question == "几处公园？"
    assert lab.judgments(ids[1]) == []


def test_words_that_no_member_holds_are_lost_once(lab, ids, reader):
    lab.judge(reader.id, [Judgment(QUESTION, Span(1, 0, "不在这里的话"), 2)])
    judged = evaluate.judgments_of(lab, reader.id, lab.cut(reader.id, HOW.chunks))
    assert [one.span.quote for one in judged.lost] == ["不在这里的话"]


def test_questions_of_the_members_come_along(lab, ids):
    lab.ask(ids[1], ["博物馆来了多少人？"])
    made = collection.save(lab, "Reader", ids)
    assert list(lab.questions(made.id).values()) == ["博物馆来了多少人？"]


def test_a_collection_is_evaluated_and_its_scores_stay_with_the_members(lab, ids, reader, embedder, reranker):
    index = lab.index(reader.id, HOW.chunks, embedder)
    judgments = [
        Judgment(QUESTION, Span(1, 0, "全市一般公共预算收入增长8.2%，突破6000亿元。"), 2),
        Judgment("博物馆来了多少人？", Span(2, 0, "博物馆接待游客三百万人次。"), 2),
    ]
    asked = {1: QUESTION, 2: "博物馆来了多少人？"}
    found = evaluate.evaluate(lab, index, embedder, [reranker], [5], HOW, asked, judgments)
    assert found.measured == list(asked.values())
    kept = lab.library.scores(ids[0], HOW.chunks.key, reranker.weights, QUESTION)
    assert kept.by_chunk.keys() <= {chunk.id for chunk in lab.cut(ids[0], HOW.chunks)}
    assert kept.by_chunk
    together = evaluate.kept_scores(lab, index, reranker, QUESTION)
    assert together.by_chunk == found.scores[reranker.id][QUESTION]


def test_documents_of_one_title_are_told_apart(lab):
    added = [lab.add(data, "report.pdf").title for data in (MONEY, PARKS, TRAINS, MONEY)]
    assert added == ["report.pdf", "report (2).pdf", "report (3).pdf", "report.pdf"]
    assert lab.add(text_pdf(["公园。"]), "report.pdf", owner="somebody").title == "report.pdf"


def test_a_member_whose_pages_are_all_left_out_is_not_searched(lab, ids, reader, embedder, reranker):
    readings, _ = lab.readings(ids[0])
    lab.choose(ids[0], [replace(one, left_out=True) for one in readings], False)
    index = lab.index(reader.id, HOW.chunks, embedder)
    assert index.doc_ids == tuple(ids[1:])
    assert len(lab.compare(index, QUESTION, [], HOW, embedder, reranker).moves) == 4
    assert {chunk.doc_id for chunk in lab.cut(reader.id, HOW.chunks)} == set(ids[1:])
    with pytest.raises(EmptyCollection):
        lab.index(reader.id, HOW.chunks, embedder, within=(ids[0],))
