"""The whole line with real parts: a PDF, the bundled models, Chroma and SQLite on disk."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest
from pdfs import text_pdf

from rag_core import settings
from rag_core.comparing.orders import rank_biased_overlap
from rag_core.datatypes import ChunkSettings, Expansion, FirstStage, Found, Settings
from rag_core.errors import (
    BadSetting,
    ChunkMissing,
    DocumentMissing,
    EmptyQuery,
    LibraryInUse,
    NoRoomForVisitor,
    NotAPdf,
    NothingFound,
    QueryTooLong,
)
from rag_core.explaining.expansions import with_queries
from rag_core.lab import Lab
from rag_core.models.embed import Embedder

PDF = text_pdf(
    ["全市一般公共预算收入增长8.2%，突破6000亿元。", "新建和改造公园二十处，绿化面积不断扩大。"],
    ["轨道交通十二号线五月开通运营。", "The library opened a reading room for children.", "全年粮食产量保持稳定。"],
    ["居民人均可支配收入增长5.6%。", "博物馆接待游客三百万人次。"],
)
QUESTION = "财政收入增长了多少？"
SENTENCES = ChunkSettings("sentence")
HOW = Settings(chunks=SENTENCES, depth=5)


class Counting:
    """The real embedder, with the texts it was given."""

    def __init__(self, embedder: Embedder) -> None:
        self.id, self.embed_queries, self._embedder = embedder.id, embedder.embed_queries, embedder
        self.texts: list[str] = []

    def embed_texts(self, texts, progress=None) -> np.ndarray:
        self.texts += texts
        return self._embedder.embed_texts(texts, progress)


@pytest.fixture
def counting(embedder):
    return Counting(embedder)


@pytest.fixture
def document(lab):
    return lab.add(PDF, "small.pdf")


@pytest.fixture
def opened(lab, document, counting):
    return lab.open(document.id, HOW, counting)


def test_add_reads_title_language_and_pages(lab, document):
    assert (document.title, document.language) == ("small.pdf", "zh")
    assert [page.number for page in document.pages] == [1, 2, 3]
    assert lab.documents.load(document.id) == document


def test_the_same_bytes_are_the_same_document_and_other_bytes_another(lab, document):
    assert lab.add(PDF, "copy.pdf").id == document.id
    other = lab.add(text_pdf(["Another text."]), "other.pdf")
    assert lab.documents.titles() == {other.id: "other.pdf", document.id: "copy.pdf"}


def test_what_is_not_a_pdf_leaves_the_library_as_it_was(lab, document):
    with pytest.raises(NotAPdf):
        lab.add(b"<html>not a PDF</html>", "page.pdf")
    assert lab.documents.titles() == {document.id: "small.pdf"}


def test_a_visitor_keeps_so_many_documents_and_no_more(lab, monkeypatch):
    monkeypatch.setattr("rag_core.keeping.documents.VISITOR_DOCUMENTS", 2)
    one, two, three = (text_pdf([f"Report number {number}."]) for number in range(3))
    kept = [lab.add(data, "report.pdf", owner="visitor").id for data in (one, two, one)]
    assert lab.documents.room("visitor")[0] == 0
    with pytest.raises(NoRoomForVisitor):
        lab.add(three, "report.pdf", owner="visitor")
    assert lab.documents.titles("visitor").keys() == set(kept)
    lab.add(three, "report.pdf", owner="another")
    lab.delete(kept[0])
    lab.add(three, "report.pdf", owner="visitor")


def test_a_visitor_keeps_so_many_megabytes_and_no_more(lab, monkeypatch):
    first, second = text_pdf(["Report number 1."]), text_pdf(["Report number 2."])
    monkeypatch.setattr("rag_core.keeping.documents.VISITOR_BYTES", len(first) + len(second) - 1)
    lab.add(first, "report.pdf", owner="visitor")
    assert lab.documents.room("visitor") == (settings.VISITOR_DOCUMENTS - 1, len(second) - 1)
    with pytest.raises(NoRoomForVisitor):
        lab.add(second, "report.pdf", owner="visitor")
    for data in (first, second):
        lab.add(data, "report.pdf")


def test_cutting_again_gives_the_same_chunks(lab, document):
    first = lab.cut(document.id, SENTENCES)
    assert [chunk.text for chunk in first][:2] == [
        "全市一般公共预算收入增长8.2%，突破6000亿元。",
        "新建和改造公园二十处，绿化面积不断扩大。",
    ]
    assert lab.cut(document.id, SENTENCES) == first


def test_chunks_name_a_place_on_their_page(lab, document):
    pages = {page.number: page.text for page in document.pages}
    chunks = lab.cut(document.id, SENTENCES)
    assert [chunk.page for chunk in chunks] == [1, 1, 2, 2, 2, 3, 3]
    assert all(pages[chunk.page][chunk.start : chunk.end] == chunk.text for chunk in chunks)


def test_compare_ranks_the_same_candidates_twice(lab, opened, embedder, reranker):
    found = opened.compare(QUESTION, [], reranker)
    assert len(found.before) == 5
    assert sorted(found.before.ids) == sorted(found.reranked.ids)
    assert [move.chunk for move in found.moves] == found.reranked.chunks
    assert (found.available, found.fused, found.scale) == (7, False, "logit")


def test_the_vector_order_is_the_order_of_the_cosine(lab, opened, embedder, reranker):
    found = opened.compare(QUESTION, [], reranker)
    texts = [chunk.text for chunk in opened.chunks]
    cosine = embedder.embed_texts(texts) @ embedder.embed_queries([QUESTION])[0]
    assert found.before.chunks == [opened.chunks[i] for i in np.argsort(-cosine)[:5]]
    assert [hit.score for hit in found.before.hits] == pytest.approx(sorted(cosine, reverse=True)[:5], abs=1e-4)


def test_the_new_order_is_the_cross_encoders_and_puts_the_answer_first(lab, opened, embedder, reranker):
    found = opened.compare(QUESTION, [], reranker)
    scores = reranker.score(QUESTION, [chunk.text for chunk in found.before.chunks])
    assert [hit.score for hit in found.reranked.hits] == sorted(scores.tolist(), reverse=True)
    assert found.reranked.chunks[0].text == "全市一般公共预算收入增长8.2%，突破6000亿元。"


def test_every_step_is_timed(lab, opened, embedder, reranker):
    timings = opened.compare(QUESTION, [], reranker).timings
    assert timings.keys() == {"parse", "embed", "question", "search", "rerank"}
    assert min(timings.values()) > 0


def test_a_depth_over_the_number_of_chunks_gives_them_all(lab, opened, embedder, reranker):
    found = lab.open(opened.doc_id, replace(HOW, depth=100), embedder).compare(QUESTION, [], reranker)
    assert sorted(found.reranked.ids) == sorted(chunk.id for chunk in opened.chunks)


def test_expansions_give_the_union_of_what_each_question_finds(lab, opened, embedder, reranker):
    expansions = [Expansion("museum visitors", "typed"), Expansion("地铁什么时候开通", "llm")]
    alone = [
        opened.compare(text, [], reranker).before for text in (QUESTION, *(expansion.text for expansion in expansions))
    ]
    found = opened.compare(QUESTION, expansions, reranker)
    assert found.fused
    assert set(found.before.ids) == {chunk_id for ranking in alone for chunk_id in ranking.ids}
    assert len(found.before.ids) == len(set(found.before.ids)) > 5
    first = alone[0].hits[0]
    assert found.ledger[first.chunk.id][0] == Found(QUESTION, "question", 1, pytest.approx(first.score))


def test_expansions_do_not_change_what_the_cross_encoder_is_asked(lab, opened, embedder, reranker):
    deeper = lab.open(opened.doc_id, replace(HOW, depth=100), embedder)
    plain = deeper.compare(QUESTION, [], reranker)
    expanded = deeper.compare(QUESTION, [Expansion("公园", "typed")], reranker)
    assert expanded.reranked.ids == plain.reranked.ids
    assert rank_biased_overlap(expanded.before.ids, plain.before.ids) < 1


def test_an_expansion_left_out_leaves_what_a_search_without_it_finds(lab, opened, embedder, reranker):
    park, museum = Expansion("新建公园", "typed"), Expansion("museum visitors", "llm")
    whole = opened.compare(QUESTION, [park, museum], reranker)
    for kept in ([park, museum], [museum], []):
        searched = opened.compare(QUESTION, kept, reranker)
        derived = with_queries(whole, {expansion.text for expansion in kept})
        assert replace(derived, timings={}) == replace(searched, timings={})


def test_a_chunk_is_found_by_its_id_until_it_is_gone(lab, document, opened):
    assert lab.chunk(document.id, SENTENCES, opened.chunks[2].id) == opened.chunks[2]
    with pytest.raises(ChunkMissing, match="gone"):
        lab.chunk(document.id, SENTENCES, "gone")
    with pytest.raises(ChunkMissing):
        lab.chunk(document.id, ChunkSettings("clause"), opened.chunks[2].id)
    lab.delete(document.id)
    with pytest.raises(DocumentMissing):
        lab.chunk(document.id, SENTENCES, opened.chunks[2].id)


def test_feedback_expands_the_question_without_a_model(opened):
    for expansion in opened.feedback("增长"):
        assert expansion.origin == "feedback"
        assert expansion.text.startswith("增长 ")


def test_a_document_is_embedded_once(lab, document, counting):
    first = lab.open(document.id, Settings(chunks=SENTENCES), counting)
    assert counting.texts == [chunk.text for chunk in first.chunks]
    lab.open(document.id, Settings(chunks=SENTENCES), counting)
    assert len(counting.texts) == 7


def test_uploading_it_again_or_starting_anew_embeds_nothing(lab, opened, embedder, reranker, counting):
    before = opened.compare(QUESTION, [], reranker)
    lab.close()
    again = Lab(settings.home())
    document = again.add(PDF, "copy.pdf")
    after = again.open(document.id, HOW, counting).compare(QUESTION, [], reranker)
    again.close()
    assert len(counting.texts) == 7
    assert (after.before, after.reranked) == (before.before, before.reranked)


def test_another_cut_is_embedded_for_itself(lab, document, opened, counting, embedder, reranker):
    clauses = lab.open(document.id, replace(HOW, chunks=ChunkSettings("clause")), counting)
    found = clauses.compare(QUESTION, [], reranker)
    assert counting.texts[7:] == [chunk.text for chunk in clauses.chunks]
    assert {chunk.text for chunk in found.before.chunks} <= {chunk.text for chunk in clauses.chunks}


def test_a_lost_index_is_rebuilt_without_embedding(lab, opened, embedder, reranker, counting):
    before = opened.compare(QUESTION, [], reranker)
    lab.close()
    shutil.rmtree(settings.home() / "chroma")
    again = Lab(settings.home())
    after = again.open(opened.doc_id, HOW, counting).compare(QUESTION, [], reranker)
    again.close()
    assert len(counting.texts) == 7
    assert after.before.ids == before.before.ids


def test_an_embedding_that_was_interrupted_leaves_nothing_behind(lab, document, counting, embedder):
    def interrupted(texts, progress=None):
        raise KeyboardInterrupt

    counting.embed_texts = interrupted
    with pytest.raises(KeyboardInterrupt):
        lab.open(document.id, Settings(chunks=SENTENCES), counting)
    assert not lab.embeddings.has(document.id, SENTENCES.key, embedder.id)
    assert len(lab.open(document.id, HOW, embedder).candidates("q", 5)) == 5


def test_delete_forgets_the_document(lab, opened):
    lab.delete(opened.doc_id)
    assert lab.documents.titles() == {}
    with pytest.raises(DocumentMissing):
        lab.cut(opened.doc_id, SENTENCES)


@pytest.mark.parametrize(
    ("query", "how", "error"),
    [
        ("  ", HOW, EmptyQuery),
        ("问" * 10_000, HOW, QueryTooLong),
        (QUESTION, replace(HOW, depth=500), BadSetting),
        (QUESTION, replace(HOW, cutoff=0), BadSetting),
    ],
)
def test_a_question_or_setting_that_cannot_be_used_is_refused(lab, opened, embedder, reranker, query, how, error):
    with pytest.raises(error):
        lab.open(opened.doc_id, how, embedder).compare(query, [], reranker)


def test_a_library_is_open_once(lab):
    with pytest.raises(LibraryInUse):
        Lab(settings.home())


# Chunks with the same words

HEAD = "市政府工作报告"
REPEATED = text_pdf(
    [HEAD, "全市一般公共预算收入增长8.2%。", "新建和改造公园二十处。"],
    [HEAD, "全市一般公共预算收入增长8.2%。", "全年粮食产量保持稳定。"],
    [HEAD, "博物馆接待游客三百万人次。", "轨道交通十二号线五月开通运营。", "居民收入增长5.6%。"],
)


@pytest.fixture
def repeated(lab, embedder):
    """Return what opens a document of ten sentences, seven of them different, by how it is asked."""
    doc_id = lab.add(REPEATED, "repeated.pdf").id
    lab.pages.choose(doc_id, replace(lab.documents.readings(doc_id), drop_repeated=False))
    return lambda **how: lab.open(doc_id, replace(HOW, **how), embedder)


@pytest.mark.parametrize(("stage", "queries"), [("vector", 1), ("both", 1), ("vector", 2), ("both", 2)])
def test_the_same_words_are_one_candidate_that_names_all_its_pages(repeated, reranker, stage, queries):
    opened = repeated(first_stage=FirstStage(stage), depth=7)
    found = opened.compare(QUESTION, [Expansion("预算增长", "typed")][: queries - 1], reranker)
    texts = [hit.chunk.text for hit in found.before.hits]
    assert len(opened.chunks) == found.available == 10
    assert len(set(texts)) == len(texts) == found.found == 7
    pages = {hit.chunk.text: hit.chunk.pages for hit in found.before.hits}
    assert pages["全市一般公共预算收入增长8.2%。"] == (1, 2)


def test_as_many_candidates_come_as_were_asked_for_where_they_are_there(repeated, reranker):
    found = repeated(depth=5).compare(f"{HEAD}：全市一般公共预算收入增长8.2%。", [], reranker)
    assert len({hit.chunk.text for hit in found.before.hits}) == len(found.moves) == 5
    assert {len(hit.chunk.pages) for hit in found.before.hits} == {1, 2, 3}


def test_the_ledger_has_the_ranks_of_candidates(repeated, reranker):
    found = repeated(depth=6).compare(QUESTION, [], reranker)
    ranks = [found.ledger[chunk_id][0].rank for chunk_id in found.before.ids]
    assert ranks == list(range(1, len(found.moves) + 1))


def test_the_whole_document_ranks_each_text_once(repeated):
    opened = repeated()
    for stage in FirstStage:
        texts = [chunk.text for chunk in opened.whole(QUESTION, stage).chunks]
        assert len(texts) == len(set(texts))
    assert opened.whole(QUESTION).rank_of(opened.distinct_chunks[0].id)
    assert len(opened.whole(QUESTION)) == len(opened.distinct_chunks) == 7


def test_a_chunk_is_found_by_its_own_id_too(lab, repeated):
    opened = repeated()
    assert lab.chunk(opened.doc_id, SENTENCES, opened.chunks[3].id).page == 2


def test_a_document_that_repeats_nothing_is_searched_as_before(opened, embedder):
    queries = [QUESTION, "公园"]
    assert opened.distinct_chunks == opened.chunks
    assert opened.first_stage(queries, 4) == opened.index.search(queries, embedder.embed_queries(queries), 4)
    assert opened.first_stage(queries, 4, FirstStage.BM25) == opened.words().search(queries, 4)


# The 2024 report

TUTORIAL_QUESTION = "推动北京财政收入增长因素是什么"
PARAPHRASES = [
    "北京市财政收入为什么增长",
    "哪些因素带动了北京一般公共预算收入增长",
    "北京财政收入增加的主要原因有哪些",
    "北京市一般公共预算收入的增长情况如何",
    "什么推动了北京的财政增收",
]


def test_the_report_is_cut_into_1028_clauses(lab, report):
    document = lab.add(report, "report.pdf")
    assert len(lab.cut(document.id, ChunkSettings("clause"))) == 1028


@pytest.mark.slow
def test_reranking_lifts_the_answer_of_the_tutorial_into_the_top_three(lab, report, embedder, reranker):
    expansions = [Expansion(text, "typed") for text in PARAPHRASES]
    how = Settings(chunks=ChunkSettings("clause"), depth=10)
    opened = lab.open(lab.add(report, "report.pdf").id, how, embedder)
    found = opened.compare(TUTORIAL_QUESTION, expansions, reranker)
    assert "一般公共预算收入增长8.2%、突破6000亿元" in [hit.chunk.text for hit in found.reranked.top(3)]


@pytest.mark.slow
def test_a_clause_that_the_report_repeats_is_there_once_and_names_both_pages(lab, report, embedder, reranker):
    expansions = [Expansion(text, "typed") for text in PARAPHRASES]
    how = Settings(chunks=ChunkSettings("clause"), depth=10)
    opened = lab.open(lab.add(report, "report.pdf").id, how, embedder)
    found = opened.compare(TUTORIAL_QUESTION, expansions, reranker)
    texts = [hit.chunk.text for hit in found.before.hits]
    [repeated] = [hit.chunk for hit in found.before.hits if hit.chunk.text == "为推进中国式现代化作出首都贡献"]
    assert (repeated.pages, len(texts), found.available) == ((5, 13), len(set(texts)), 1028)


def test_words_can_find_the_candidates(lab, opened, embedder, reranker):
    found = lab.open(opened.doc_id, replace(HOW, first_stage=FirstStage.BM25), embedder).compare("增长", [], reranker)
    assert (found.order, found.before.name) == ("bm25", "bm25")
    assert sorted(hit.chunk.text[:4] for hit in found.before.hits) == ["全市一般", "居民人均"]
    assert {entry.source for entries in found.ledger.values() for entry in entries} == {"bm25"}


def test_both_first_stages_are_fused(lab, opened, embedder, reranker):
    found = lab.open(opened.doc_id, replace(HOW, first_stage=FirstStage.BOTH), embedder).compare(QUESTION, [], reranker)
    assert (found.order, found.before.name) == ("fused", "fused")
    first = found.ledger[found.before.ids[0]]
    assert {entry.source for entry in first} == {"vector", "bm25"}
    assert found.before.hits[0].score == pytest.approx(sum(1 / (60 + entry.rank) for entry in first))


def test_words_that_stand_nowhere_find_nothing(lab, opened, embedder, reranker):
    with pytest.raises(NothingFound) as told:
        lab.open(opened.doc_id, replace(HOW, first_stage=FirstStage.BM25), embedder).compare("zebra", [], reranker)
    assert told.value.values == {"query": "zebra"}


def test_an_unknown_first_stage_is_refused(lab, opened, embedder, reranker):
    with pytest.raises(BadSetting):
        lab.open(opened.doc_id, replace(HOW, first_stage="magic"), embedder).compare(QUESTION, [], reranker)
