"""Three small documents searched as one, with the real models and a real index."""

from __future__ import annotations

import gc
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from weakref import ref

import numpy as np
import pytest
from pdfs import text_pdf

from rag_core.datatypes import ChunkSettings, FirstStage, Judgment, Readings, Settings, Span
from rag_core.errors import DocumentMissing, EmptyCollection
from rag_core.keeping.library import Library
from rag_core.lab import Lab
from rag_core.measuring import evaluate, judge
from rag_core.search import indexes
from rag_core.search.lexical import RULE
from rag_core.search.once import kept_scores

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
    return lab.library.collect("Course reader", ids)


def test_a_collection_stands_among_the_documents(lab, ids, reader):
    assert lab.documents.titles()[reader.id] == "Course reader"
    assert lab.documents.load(reader.id) == reader
    assert (reader.parts, reader.language, lab.documents.load(ids[0]).parts) == (tuple(ids), "zh", (ids[0],))


def test_it_is_searched_as_one_index_would_be(lab, reader, embedder):
    opened = lab.open(reader.id, HOW, embedder)
    [found] = opened.first_stage([QUESTION], 4)
    exact = opened.index.vectors @ embedder.embed_queries([QUESTION])[0]
    assert found.ids == [opened.chunks[i].id for i in np.argsort(-exact)[:4]]
    assert len({hit.chunk.doc_id for hit in found.hits}) > 1


def test_it_scores_as_each_document_by_itself(lab, ids, reader, embedder):
    def found(doc_id, depth):
        opened = lab.open(doc_id, HOW, embedder)
        return [(hit.chunk, hit.score) for hit in opened.first_stage([QUESTION], depth, FirstStage.VECTOR)[0].hits]

    alone = [hit for doc_id in ids for hit in found(doc_id, 9)]
    alone.sort(key=lambda hit: -hit[1])
    together = found(reader.id, 9)
    assert [chunk for chunk, _ in together] == [chunk for chunk, _ in alone]
    assert [score for _, score in together] == pytest.approx([score for _, score in alone], abs=1e-6)


def test_it_is_opened_once_and_again_when_a_member_is_another(lab, ids, reader, embedder):
    def opened():
        return lab.open(reader.id, HOW, embedder).index

    first = opened()
    assert opened() is first
    other_process = Library(lab.library.database.file)
    pages = lab.documents.readings(ids[0]).pages
    other_process.pages.choose(ids[0], Readings(tuple(replace(page, left_out=True) for page in pages)))
    second = opened()
    assert (second.doc_ids, second.size) == (tuple(ids[1:]), 4)
    other_process.documents.delete(ids[1])
    assert opened().doc_ids == (ids[2],)
    other_process.close()


def test_a_member_that_is_read_otherwise_after_it_was_opened_is_told(lab, ids, reader, embedder):
    opened = lab.open(reader.id, HOW, embedder)
    pages = lab.documents.readings(ids[0]).pages
    lab.pages.choose(ids[0], Readings(tuple(replace(page, left_out=True) for page in pages)))
    with pytest.raises(DocumentMissing):
        opened.first_stage([QUESTION], 5)


def test_what_is_deleted_stays_in_no_memory(lab, ids, reader, embedder):
    opened = ref(lab.open(reader.id, HOW, embedder).index)
    assert opened() is not None
    lab.delete(ids[0])
    gc.collect()
    assert opened() is None


def test_so_many_chunks_are_kept_open(lab, ids, embedder, monkeypatch):
    monkeypatch.setattr(indexes, "MOST_ROWS", 9)
    readers = [lab.library.collect(name, ids).id for name in ("one", "two")]
    first, second = (lab.open(doc_id, HOW, embedder).index for doc_id in readers)
    assert lab.open(readers[1], HOW, embedder).index is second
    assert lab.open(readers[0], HOW, embedder).index is not first, "six chunks each: two are too many"


def test_readers_who_open_it_at_once_get_the_same(lab, reader, embedder):
    with ThreadPoolExecutor(8) as threads:
        opened = list(threads.map(lambda _: lab.open(reader.id, HOW, embedder).index, range(8)))
    assert len(set(map(id, opened))) == 1


def test_words_are_counted_once_and_gone_with_the_document(lab, ids, reader, embedder, monkeypatch):
    def by_words(doc_id):
        opened = lab.open(doc_id, HOW, embedder)
        return [ranking.ids for ranking in opened.first_stage(["公园 收入"], 5, FirstStage.BM25)]

    found = by_words(ids[0]), by_words(reader.id)
    monkeypatch.setattr(indexes, "counted", lambda _: pytest.fail("words are counted again"))
    lab.indexes.forget([reader.id])
    assert (by_words(ids[0]), by_words(reader.id)) == found
    lab.delete(ids[0])
    assert next(iter(lab.embeddings.words_each(ids, HOW.chunks.key, RULE))) is None


def test_a_comparison_names_the_document_of_every_chunk(lab, ids, reader, embedder, reranker):
    compared = lab.open(reader.id, HOW, embedder).compare(QUESTION, [], reranker)
    first = compared.moves[0].chunk
    assert (compared.doc_id, first.doc_id, first.page, compared.available) == (reader.id, ids[0], 1, 6)
    assert "6000亿元" in first.text


@pytest.mark.parametrize("stage", list(FirstStage))
def test_only_the_chosen_members_are_searched(lab, ids, reader, embedder, reranker, stage):
    how = replace(HOW, within=(ids[1], ids[2]), first_stage=stage)
    compared = lab.open(reader.id, how, embedder).compare("公园 收入", [], reranker)
    assert {chunk.doc_id for chunk in compared.before.chunks} <= {ids[1], ids[2]}
    assert compared.available == 4


def test_a_filter_that_names_no_member_searches_all(lab, ids, embedder):
    two = lab.library.collect("Two", ids[:2])
    assert lab.open(two.id, replace(HOW, within=(ids[2],)), embedder).index.doc_ids == tuple(ids[:2])


def test_members_come_and_go_without_the_rest_being_embedded_again(lab, ids, embedder):
    class Counting:
        id, texts = embedder.id, 0

        def embed_texts(self, texts, progress=None):
            self.texts += len(texts)
            return embedder.embed_texts(texts, progress)

    counting = Counting()
    two = lab.library.collect("Reader", ids[:2])
    lab.open(two.id, HOW, counting)
    assert counting.texts == 4
    three = lab.library.collect("Reader", ids, collection_id=two.id)
    assert len(lab.open(three.id, HOW, counting).chunks) == counting.texts == 6
    one = lab.library.collect("Reader", ids[2:], collection_id=two.id)
    assert len(lab.open(one.id, HOW, counting).chunks) == 2
    assert counting.texts == 6


def test_progress_counts_the_chunks_of_all_members(lab, reader, embedder):
    seen = []
    lab.open(reader.id, HOW, embedder, lambda done, total: seen.append((done, total)))
    assert seen == sorted(seen)
    assert seen[-1] == (6, 6)


def test_a_deleted_document_leaves_its_collections(lab, ids, reader, embedder):
    lab.open(reader.id, HOW, embedder)
    lab.delete(ids[0])
    assert lab.documents.load(reader.id).members == tuple(ids[1:])
    lab.delete(ids[1])
    lab.delete(ids[2])
    with pytest.raises(EmptyCollection):
        lab.open(reader.id, HOW, embedder)


def test_deleting_a_collection_leaves_its_documents(lab, ids, reader):
    lab.delete(reader.id)
    assert set(lab.documents.titles()) == set(ids)


@pytest.mark.parametrize(("title", "count"), [("", 3), (" \n ", 3), ("Reader", 0)])
def test_a_collection_needs_a_name_and_a_document(lab, ids, title, count):
    with pytest.raises(EmptyCollection):
        lab.library.collect(title, ids[:count])


def test_nobody_collects_another_owners_documents_or_a_collection(lab, ids, reader):
    other = lab.add(MONEY, "mine.pdf", owner="somebody")
    with pytest.raises(EmptyCollection):
        lab.library.collect("Reader", [other.id, reader.id])
    mine = lab.library.collect("Reader", [other.id, ids[0], reader.id], owner="somebody")
    assert mine.members == (other.id,)
    assert reader.id not in lab.documents.titles("somebody")


def test_judgments_stay_with_the_members(lab, ids, reader):
    about = Judgment(QUESTION, Span(1, 0, "居民人均可支配收入增长5.6%。", ids[0]), 1)
    nameless = Judgment("几处公园？", Span(0, 0, "新建和改造公园二十处"), 2)
    lab.judge(reader.id, [about, nameless])
    assert lab.judgments.load(ids[0]) == [about]
    assert [one.question for one in lab.judgments.load(ids[1])] == ["几处公园？"]
    assert lab.judgments.load(ids[2]) == []
    assert list(lab.judgments.questions(reader.id).values()) == [QUESTION, "几处公园？"]
    judged = lab.judged(reader.id, lab.cut(reader.id, HOW.chunks))
    assert {question: list(grades.values()) for question, grades in judged.qrels.items()} == {
        QUESTION: [1],
        "几处公园？": [2],
    }
    assert lab.judgments.undo(reader.id, "").question == "几处公园？"
    assert lab.judgments.load(ids[1]) == []


def test_words_that_no_member_holds_are_lost_once(lab, ids, reader):
    lab.judge(reader.id, [Judgment(QUESTION, Span(1, 0, "不在这里的话"), 2)])
    judged = lab.judged(reader.id, lab.cut(reader.id, HOW.chunks))
    assert [one.span.quote for one in judged.lost] == ["不在这里的话"]


def test_questions_of_the_members_come_along(lab, ids):
    lab.judgments.ask(ids[1], ["博物馆来了多少人？"])
    made = lab.library.collect("Reader", ids)
    assert list(lab.judgments.questions(made.id).values()) == ["博物馆来了多少人？"]


def test_a_collection_is_evaluated_and_its_scores_stay_with_the_members(lab, ids, reader, embedder, reranker):
    opened = lab.open(reader.id, HOW, embedder)
    judgments = [
        Judgment(QUESTION, Span(1, 0, "全市一般公共预算收入增长8.2%，突破6000亿元。"), 2),
        Judgment("博物馆来了多少人？", Span(2, 0, "博物馆接待游客三百万人次。"), 2),
    ]
    asked = {1: QUESTION, 2: "博物馆来了多少人？"}
    orders = evaluate.evaluate(opened, asked, [reranker], [5])
    judged = judge.apply(judgments, lab.documents.parts(reader.id), opened.chunks)
    assert orders.rejudged(judged).measured == list(asked.values())
    kept = lab.embeddings.scores([ids[0]], HOW.chunks.key, reranker.weights, QUESTION)
    assert kept.by_chunk.keys() <= {chunk.id for chunk in lab.cut(ids[0], HOW.chunks)}
    assert kept.by_chunk
    together = kept_scores(opened, reranker, QUESTION)
    assert together.by_chunk == orders.scores[reranker.id][QUESTION]


def test_documents_of_one_title_are_told_apart(lab):
    added = [lab.add(data, "report.pdf").title for data in (MONEY, PARKS, TRAINS, MONEY)]
    assert added == ["report.pdf", "report (2).pdf", "report (3).pdf", "report.pdf"]
    assert lab.add(text_pdf(["公园。"]), "report.pdf", owner="somebody").title == "report.pdf"


def test_a_member_whose_pages_are_all_left_out_is_not_searched(lab, ids, reader, embedder, reranker):
    pages = lab.documents.readings(ids[0]).pages
    lab.pages.choose(ids[0], Readings(tuple(replace(page, left_out=True) for page in pages)))
    opened = lab.open(reader.id, HOW, embedder)
    assert opened.index.doc_ids == tuple(ids[1:])
    assert len(opened.compare(QUESTION, [], reranker).moves) == 4
    assert {chunk.doc_id for chunk in lab.cut(reader.id, HOW.chunks)} == set(ids[1:])
    with pytest.raises(EmptyCollection):
        lab.open(reader.id, replace(HOW, within=(ids[0],)), embedder)
