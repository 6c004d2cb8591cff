"""A whole evaluation with the real models and a real index, on two pages."""

from __future__ import annotations

import csv
import io
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import tiny_models
from pdfs import text_pdf

from rag_core.datatypes import Chunk, ChunkSettings, FirstStage, Judgment, Ranking, Settings, Span
from rag_core.errors import BadSetting, NoQuestions, NothingFound
from rag_core.lab import Lab
from rag_core.measuring import evaluate, judge, scores, tables
from rag_core.measuring.depth import Ceiling, ceiling
from rag_core.measuring.evaluate import Evaluation, reordered
from rag_core.measuring.judge import Judged
from rag_core.measuring.metrics import FEW, MAIN
from rag_core.measuring.panel import beside, panel
from rag_core.measuring.questions import read_questions
from rag_core.models.rerank import load_reranker
from rag_core.reading.chunk import recommend
from rag_core.search.opened import Opened

SAMPLES = Path(__file__).parents[2] / "data" / "samples"
PDF = text_pdf(
    ["全市一般公共预算收入增长8.2%，突破6000亿元。", "新建和改造公园二十处，绿化面积不断扩大。"],
    ["轨道交通十二号线五月开通运营。", "The library opened a reading room for children.", "全年粮食产量保持稳定。"],
    ["居民人均可支配收入增长5.6%。", "博物馆接待游客三百万人次。"],
)
QUESTIONS = {1: "财政收入增长了多少？", 2: "博物馆来了多少人？", 7: "公园建了几处？"}
JUDGMENTS = [
    Judgment(QUESTIONS[1], Span(1, 0, "全市一般公共预算收入增长8.2%，突破6000亿元。"), 2),
    Judgment(QUESTIONS[2], Span(3, 0, "博物馆接待游客三百万人次。"), 1),
    Judgment(QUESTIONS[7], Span(2, 0, "全年粮食产量保持稳定。"), 0),
]
HOW = Settings(chunks=ChunkSettings("sentence"), depth=5)
MODEL = HOW.reranker


class Counting:
    """The real cross-encoder, with how many texts it was given."""

    def __init__(self, reranker) -> None:
        self.real, self.pairs = reranker, 0
        self.id, self.scale, self.weights = reranker.id, reranker.scale, reranker.weights

    def score(self, query, texts, progress=None):
        self.pairs += len(texts)
        return self.real.score(query, texts, progress)

    def score_parts(self, query, texts, progress=None):
        self.pairs += len(texts)
        return self.real.score_parts(query, texts, progress)


@pytest.fixture(scope="module")
def home(tmp_path_factory, embedder) -> Path:
    home = tmp_path_factory.mktemp("evaluate") / "home"
    lab = Lab(home)
    lab.open(lab.add(PDF, "small.pdf").id, HOW, embedder)
    lab.close()
    return home


@pytest.fixture
def lab(home, tmp_path):
    lab = Lab(shutil.copytree(home, tmp_path / "copy"))
    yield lab
    lab.close()


@pytest.fixture
def opened(lab, embedder) -> Opened:
    return lab.open(next(iter(lab.documents.titles())), HOW, embedder)


def measured(lab: Lab, opened: Opened, rerankers: list) -> Evaluation:
    """Evaluate the questions and measure them by the judgments."""
    orders = evaluate.evaluate(opened, QUESTIONS, rerankers, [5])
    return orders.rejudged(judge.apply(JUDGMENTS, lab.documents.parts(opened.doc_id), opened.chunks))


@pytest.fixture
def found(lab, opened, reranker) -> Evaluation:
    return measured(lab, opened, [reranker])


def test_every_system_orders_every_question(found):
    assert list(found.orders) == ["vector", "bm25", "fused", f"{MODEL} @5"]
    assert all(list(run) == list(QUESTIONS.values()) for run in found.orders.values())


def test_only_questions_with_a_relevant_chunk_are_measured(found):
    assert found.measured == [QUESTIONS[1], QUESTIONS[2]]
    assert found.excluded == [QUESTIONS[7]]
    assert found.values["vector"][MAIN].keys() == {QUESTIONS[1], QUESTIONS[2]}


def test_few_questions_claim_nothing(found):
    difference = found.difference(f"{MODEL} @5")
    assert (found.enough, difference.low, difference.high, difference.p) == (False, None, None, None)


def test_the_baseline_has_no_difference_from_itself(found):
    assert found.difference("vector") is None


def test_a_reranked_order_is_that_of_the_comparison(opened, reranker, found):
    compared = opened.compare(QUESTIONS[1], [], reranker)
    assert found.orders[f"{MODEL} @5"][QUESTIONS[1]] == compared.reranked.ids
    assert found.orders["vector"][QUESTIONS[1]] == compared.before.ids


def test_each_question_comes_as_soon_as_it_was_asked_and_together_they_are_the_evaluation(lab, opened, reranker):
    counting = Counting(reranker)
    parts = evaluate.each(opened, QUESTIONS, [counting], [5])
    first = next(parts)
    assert (first.numbers, counting.pairs) == ({QUESTIONS[1]: 1}, 5)
    judged = judge.apply(JUDGMENTS, lab.documents.parts(opened.doc_id), opened.chunks)
    together = evaluate.joined([part.rejudged(judged) for part in (first, *parts)])
    whole = measured(lab, opened, [reranker])
    assert replace(together, per_pair={}) == replace(whole, per_pair={})
    assert together.per_pair.keys() == whole.per_pair.keys()


def test_the_best_answer_has_a_rank_on_both_sides(found):
    question, system = QUESTIONS[1], f"{MODEL} @5"
    [answer] = [i for i, grade in found.judged.qrels[question].items() if grade]
    places = tuple(found.orders[name][question].index(answer) + 1 for name in ("vector", system))
    assert found.answer_ranks(system, question) == places
    assert found.answer_ranks(system, QUESTIONS[7]) == (None, None)


def test_without_judgments_orders_are_there_and_measures_are_not(opened, reranker):
    found = evaluate.evaluate(opened, QUESTIONS, [reranker], [5])
    assert found.measured == []
    assert found.difference(f"{MODEL} @5") is found.mean("vector", MAIN) is found.unjudged("vector") is None
    assert found.changed(f"{MODEL} @5", QUESTIONS[1])[0] in range(6)


def test_no_questions_is_an_error(opened, reranker):
    with pytest.raises(NoQuestions):
        evaluate.evaluate(opened, {}, [reranker], [5])


def test_a_depth_out_of_range_is_refused_before_any_work(opened, reranker):
    counting = Counting(reranker)
    with pytest.raises(BadSetting):
        evaluate.evaluate(opened, QUESTIONS, [counting], [5, 500])
    assert counting.pairs == 0


def test_a_stopped_evaluation_goes_on_where_it_stood(opened, reranker):
    counting = Counting(reranker)

    def stop(done: int, _total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluate.evaluate(opened, QUESTIONS, [counting], [5], stop)
    assert counting.pairs == 10
    again = evaluate.evaluate(opened, QUESTIONS, [counting], [5])
    assert counting.pairs == 15
    assert again.per_pair[MODEL] > 0


def test_a_stopped_ceiling_goes_on_where_it_stood(opened, reranker, monkeypatch):
    monkeypatch.setattr(scores, "KEPT_AT_ONCE", 3)
    counting, counts = Counting(reranker), []

    def stop(done: int, total: int) -> None:
        counts.append((done, total))
        if done == 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ceiling(opened, QUESTIONS[1], counting, stop)
    assert (counts, counting.pairs) == ([(3, 7), (6, 7)], 6)
    ceiling(opened, QUESTIONS[1], counting)
    assert counting.pairs == 7


def test_other_weights_score_anew(opened, reranker):
    for weights in ("one", "two"):
        counting = Counting(reranker)
        counting.weights = weights
        evaluate.evaluate(opened, QUESTIONS, [counting], [5])
        assert counting.pairs == 15


def test_places_past_the_depth_stay_as_they_were():
    chunks = [Chunk(name, "doc", name, 1, 0, 1) for name in "abcd"]
    candidates = Ranking.from_scores("vector", "q", chunks, [4, 3, 2, 1])
    assert reordered(candidates, {"a": 0.1, "b": 0.9}, 2) == ["b", "a", "c", "d"]


def handmade(before: list[str], after: list[str], questions: int = FEW) -> Evaluation:
    """Give the same two orders for so many questions; chunk a is relevant, b is judged and is not."""
    names = {f"q{n}": n for n in range(questions)}
    orders = {"vector": dict.fromkeys(names, before), "m @5": dict.fromkeys(names, after)}
    judged = Judged({name: {"a": 2, "b": 0} for name in names})
    values = {name: evaluate.measured(run, judged) for name, run in orders.items()}
    return Evaluation("doc", HOW, names, orders, judged, values, {"m": {}}, {"m": 0.1})


def test_harm_names_the_fall_and_the_loss():
    found = handmade(["a", "b", "c"], ["b", "c", "a"])
    assert found.fell_furthest("m @5") == ("q0", "a", 1, 3)
    assert found.lost_most("m @5") == ("q0", pytest.approx(-0.5))


def test_where_nothing_fell_there_is_no_harm():
    found = handmade(["b", "c", "a"], ["a", "b", "c"])
    assert (found.fell_furthest("m @5"), found.lost_most("m @5")) == (None, None)


def test_enough_questions_get_an_interval_and_a_test():
    difference = handmade(["b", "a"], ["a", "b"]).difference("m @5")
    gain = 1 - 0.6309
    assert difference.mean == difference.low == difference.high == pytest.approx(gain, abs=1e-4)
    assert difference.p == pytest.approx(2 / 2**FEW, abs=0.002)


def test_unjudged_is_counted_on_average():
    assert handmade(["a", "b", "c", "d"], ["a"]).unjudged("vector") == 2


def test_the_ceiling_ranks_every_chunk(opened, reranker):
    counting = Counting(reranker)
    found = ceiling(opened, QUESTIONS[1], counting)
    assert len(found.whole) == len(found.first) == counting.pairs == 7
    assert found.reached(7) == 5
    assert [found.reached(depth) for depth in range(8)] == sorted(found.reached(depth) for depth in range(8))
    ceiling(opened, QUESTIONS[1], counting)
    assert counting.pairs == 7


def test_depth_can_only_reach_what_the_first_stage_ranks_that_high():
    chunks = [Chunk(name, "doc", name, 1, 0, 1) for name in "abcdef"]
    first = Ranking.from_scores("vector", "q", chunks, [6, 5, 4, 3, 2, 1])
    whole = Ranking.from_scores("reranked", "q", chunks, [1, 9, 2, 3, 8, 4])
    found = Ceiling(first, whole, 2, 0.01)
    assert [chunk.id for chunk in found.ideal] == ["b", "e"]
    assert [found.reached(depth) for depth in (1, 2, 4, 5, 6)] == [0, 1, 1, 2, 2]
    assert (found.seconds(4), found.seconds(100)) == (pytest.approx(0.04), pytest.approx(0.06))


def test_a_panel_ranks_the_same_candidates(opened, reranker):
    found = panel(opened, QUESTIONS[1], list(FirstStage), [reranker])
    assert list(found.rankings) == ["vector", "bm25", "fused", MODEL]
    assert all(sorted(ranking.ids) == sorted(found.candidates.ids) for ranking in found.rankings.values())
    assert found.rankings["vector"].ids == found.candidates.ids
    assert found.agreement[("vector", "vector")] == (1.0, 1.0)
    assert found.consensus.ids[0] == found.candidates.ids[0]
    assert list(found.seconds) == [MODEL]
    chunk, ranks = found.disputed
    assert ranks == {name: ranking.rank_of(chunk.id) for name, ranking in found.rankings.items()}


@pytest.mark.slow
@pytest.mark.torch
def test_two_cross_encoders_stand_side_by_side(lab, opened, reranker, tmp_path):
    other = load_reranker(tiny_models.cross_encoder(tmp_path / "tiny"))
    seated = panel(opened, QUESTIONS[1], [FirstStage.VECTOR], [reranker, other])
    assert list(seated.rankings) == ["vector", MODEL, other.id]
    assert all(sorted(ranking.ids) == sorted(seated.candidates.ids) for ranking in seated.rankings.values())
    assert set(seated.seconds) == {MODEL, other.id}
    found = measured(lab, opened, [reranker, other])
    assert found.reranked == [f"{MODEL} @5", f"{other.id} @5"]
    assert found.scores[MODEL] != found.scores[other.id]


def test_a_panel_without_candidates_says_so(lab, opened, embedder, reranker):
    by_words = lab.open(opened.doc_id, replace(HOW, first_stage=FirstStage.BM25), embedder)
    with pytest.raises(NothingFound):
        panel(by_words, "zebra", [FirstStage.BM25], [reranker])


@pytest.mark.parametrize("name", ["city-report-zh", "annual-report-en"])
def test_every_judged_quote_of_a_sample_is_found(lab, name):
    document = lab.add((SAMPLES / f"{name}.pdf").read_bytes(), name)
    rows = json.loads((SAMPLES / f"{name}.questions.json").read_text(encoding="utf-8"))
    judgments = [Judgment(row["question"], Span(a["page"], 0, a["quote"]), 2) for row in rows for a in row["answers"]]
    lab.judge(document.id, judgments)
    for how in (recommend(document.pages), ChunkSettings("sentence"), ChunkSettings("window", 150, 30)):
        judged = lab.judged(document.id, lab.cut(document.id, how))
        assert (judged.lost, len(judged.answerable)) == ((), 14)


def test_the_files_hold_what_was_found(opened, found):
    files = tables.files(found, JUDGMENTS, opened.chunks)
    assert read_questions(files["judgments.csv"]).judgments == tuple(JUDGMENTS)
    assert files["qrels.txt"].decode().splitlines()[0].startswith("q1 0 ")
    assert files[f"run-4-{MODEL}--5.txt"].decode().splitlines()[0].split()[:2] == ["q1", "Q0"]
    ranks = files["ranks.csv"].decode("utf-8-sig").splitlines()
    assert files["topics.tsv"].decode().splitlines() == [f"q{number}\t{text}" for number, text in QUESTIONS.items()]
    assert ranks[0].startswith('"id","question","chunk","page","text","grade","rank vector"')
    assert len(ranks) == 1 + sum(len({i for run in found.orders.values() for i in run[q]}) for q in QUESTIONS.values())


def test_every_csv_of_questions_has_their_ids(opened, found):
    files = tables.files(found, JUDGMENTS, opened.chunks)
    for name in ("judgments.csv", "questions.csv", "ranks.csv"):
        rows = list(csv.DictReader(io.StringIO(files[name].decode("utf-8-sig"))))
        assert rows
        assert all(row["id"] == f"q{found.numbers[row['question']]}" for row in rows)


def test_a_run_gives_each_chunk_what_gave_it_its_rank(opened, found):
    files = tables.files(found, JUDGMENTS, opened.chunks)
    runs = [file.decode().splitlines() for name, file in files.items() if name.startswith("run-")]
    for (system, orders), lines in zip(found.orders.items(), runs, strict=True):
        scores, depth = found.scores_of(system), 5
        for question, number in found.numbers.items():
            rows = [line.split() for line in lines if line.startswith(f"q{number} ")]
            assert [row[2] for row in rows] == orders[question]
            own = [scores[question][row[2]] for row in rows[:depth]]
            assert [float(row[4]) for row in rows[:depth]] == pytest.approx(own, rel=1e-6)


# Rankings of other systems

OTHER, PART = "acme (imported)", "short (imported)"


@pytest.fixture
def compared(opened, found) -> Evaluation:
    """Return the evaluation beside a ranking of all questions, best last, and one of the second alone."""
    ids = [chunk.id for chunk in opened.chunks]
    whole = dict.fromkeys(QUESTIONS.values(), ids[::-1])
    return found.beside({"acme": whole, "short": {QUESTIONS[2]: ids[:1], "Not asked?": ids}})


def test_imported_rankings_stand_beside_ours_and_are_measured_as_ours_are(opened, found, compared):
    assert list(compared.orders) == [*found.orders, OTHER, PART]
    assert (compared.reranked, list(compared.imported)) == (found.reranked, [OTHER, PART])
    # The chunk that answers each question, counted from the document's end.
    answer_at = {QUESTIONS[1]: 7, QUESTIONS[2]: 1}
    assert compared.values[OTHER]["RR"] == {question: 1 / rank for question, rank in answer_at.items()}
    assert compared.values[PART]["RR"] == {QUESTIONS[2]: 0.0}
    assert {name: compared.values[name] for name in found.orders} == found.values
    assert compared.answer_ranks(OTHER, QUESTIONS[1])[1] == 7
    assert compared.answer_ranks(PART, QUESTIONS[1])[1] is None
    assert compared.pool(QUESTIONS[2]) == {chunk.id for chunk in opened.chunks}


def test_what_was_imported_is_replaced_by_what_is_there_now_and_measured_by_new_judgments(found, compared):
    assert compared.beside({"acme": compared.orders[OTHER], "short": compared.orders[PART]}) is compared
    assert compared.beside({}) == found
    assert compared.rejudged(Judged({})).values[OTHER][MAIN] == {}


def test_means_are_compared_over_the_same_questions_alone(compared):
    assert compared.partial == [PART]
    assert list(compared.comparable.orders) == [*(name for name in compared.orders if name != PART)]
    over = compared.over(PART)
    assert (over.questions, list(over.orders)) == ([QUESTIONS[2]], [*[*compared.orders][:-2], PART])
    vector = compared.values["vector"]["RR"][QUESTIONS[2]]
    assert (over.mean("vector", "RR"), over.mean(PART, "RR")) == (vector, 0.0)
    assert over.difference(PART).low is None
    columns, rows = tables.means(compared)
    assert columns[-1] == "over"
    told = [(row[0], row[1], row[-1]) for row in rows]
    assert told == [
        *((name, 2, "all") for name in compared.comparable.orders),
        *((name, 1, f"those of {PART}") for name in over.orders),
    ]
    assert tables.means(compared.comparable)[0][-1] == "p"


def test_a_ranking_without_a_measured_question_has_no_mean(compared):
    none = compared.beside({"short": {QUESTIONS[7]: compared.orders["vector"][QUESTIONS[7]]}})
    over = none.over(PART)
    assert (over.measured, over.mean(PART, MAIN), over.difference(PART), none.unjudged(PART)) == ([], None, None, None)


def test_few_questions_of_an_imported_ranking_claim_nothing_though_the_set_is_large():
    found = handmade(["a", "b"], ["b", "a"]).beside({"acme": {"q0": ["a"]}})
    assert found.enough and found.difference("m @5").low is not None
    assert (found.difference(OTHER).mean, found.difference(OTHER).low) == (0.0, None)


def test_the_files_hold_imported_rankings_too(opened, compared):
    files = tables.files(compared, JUDGMENTS, opened.chunks)
    assert files["run-5-acme--imported.txt"].decode().count("\n") == 3 * len(opened.chunks)
    assert files["run-6-short--imported.txt"].decode().split()[:4] == ["q2", "Q0", opened.chunks[0].id, "1"]
    rows = [line for line in files["questions.csv"].decode("utf-8-sig").splitlines() if f'"{PART}"' in line]
    assert len(rows) == 1
    assert f'"rank {PART}"' in files["ranks.csv"].decode("utf-8-sig").splitlines()[0]


def test_in_a_panel_an_imported_ranking_orders_the_candidates_and_the_others_follow(opened, reranker):
    seated = panel(opened, QUESTIONS[1], [FirstStage.VECTOR], [reranker])
    candidates = seated.candidates.ids
    found = beside(seated, {OTHER: [candidates[3], "no candidate", candidates[0]]})
    assert found.rankings[OTHER].ids == [candidates[3], candidates[0], candidates[1], candidates[2], *candidates[4:]]
    assert list(found.rankings) == ["vector", MODEL, OTHER]
    assert found.agreement[(OTHER, OTHER)] == (1.0, 1.0)
    assert seated.rankings.keys() == {"vector", MODEL}


# Chunks with the same words

REPEATED = text_pdf(
    ["全市一般公共预算收入增长8.2%。", "新建和改造公园二十处，绿化面积不断扩大。", "全年粮食产量保持稳定。"],
    ["轨道交通十二号线五月开通运营。", "全市一般公共预算收入增长8.2%。", "博物馆接待游客三百万人次。"],
)


@pytest.fixture
def repeated(lab, embedder) -> Opened:
    return lab.open(lab.add(REPEATED, "repeated.pdf").id, HOW, embedder)


@pytest.mark.parametrize("page", [1, 2])
def test_words_judged_on_either_page_are_one_relevant_chunk_that_every_ranking_holds(lab, repeated, reranker, page):
    said = [Judgment(QUESTIONS[1], Span(page, 0, "全市一般公共预算收入增长8.2%。"), 2)]
    orders = evaluate.evaluate(repeated, QUESTIONS, [reranker], [5])
    found = orders.rejudged(judge.apply(said, lab.documents.parts(repeated.doc_id), repeated.distinct_chunks))
    [[chunk_id, grade]] = found.judged.qrels[QUESTIONS[1]].items()
    assert (chunk_id, grade) == (repeated.chunks[0].id, 2)
    for system in ("vector", "bm25", "fused", f"{MODEL} @5"):
        assert found.orders[system][QUESTIONS[1]].count(chunk_id) == 1
        assert found.values[system]["R@10"][QUESTIONS[1]] == 1.0


def test_the_files_of_a_document_that_repeats_itself_hold_candidates_alone(lab, repeated, reranker):
    said = [
        Judgment(QUESTIONS[1], Span(page, 0, "全市一般公共预算收入增长8.2%。"), 2, who)
        for page, who in ((1, "a"), (2, "b"))
    ]
    chunks = repeated.distinct_chunks
    orders = evaluate.evaluate(repeated, QUESTIONS, [reranker], [5])
    found = orders.rejudged(judge.apply(said, lab.documents.parts(repeated.doc_id), chunks))
    files = tables.files(found, said, chunks)
    assert files["qrels.txt"].decode() == f"q1 0 {repeated.chunks[0].id} 2\n"
    head, *rows = files["ranks.csv"].decode("utf-8-sig").splitlines()
    assert head.startswith('"id","question","chunk","page","pages","text"')
    assert all(repeated.chunks[4].id not in row for row in rows)
    assert any(f'"{repeated.chunks[0].id}",1,"1, 2"' in row for row in rows)


def test_the_same_words_are_scored_once_in_a_whole_document(repeated, reranker):
    counting = Counting(reranker)
    found = ceiling(repeated, QUESTIONS[1], counting)
    assert counting.pairs == len(found.whole) == len(found.first) == 5
    assert found.ideal[0].pages == (1, 2)


def test_a_panel_ranks_the_same_words_once(repeated, reranker):
    found = panel(repeated, QUESTIONS[1], [FirstStage.VECTOR, FirstStage.BM25], [reranker])
    assert [len(ranking) for ranking in found.rankings.values()] == [5, 5, 5]
    assert found.consensus.chunks[0].pages == (1, 2)
