from __future__ import annotations

import csv
import io
from itertools import pairwise

import numpy as np
import pytest
import pytrec_eval

from rag_core.datatypes import Chunk, Judgment, Span
from rag_core.errors import (
    BadFile,
    BadGrade,
    BadPage,
    BadQrels,
    BadRow,
    NoQuestionColumn,
    NotText,
    RowTooLong,
    RowWithoutQuestion,
    TooManyQuestions,
    UnknownChunk,
    UnknownQuestion,
)
from rag_core.measuring.exchange import (
    harmless,
    is_qrels,
    read_qrels,
    unharmed,
    write_csv,
    write_judgments,
    write_qrels,
    write_run,
    write_topics,
)
from rag_core.measuring.questions import MOST_QUESTIONS, read_questions

CHUNKS = [Chunk(f"doc-sentence-0000{n}", "doc", f"text {n}", 1, 10 * n, 10 * n + 6) for n in (1, 2)]
CSV = """question,page,quote,grade,judge
财政收入增长了多少？,3,"一般公共预算收入增长8.2%，突破6000亿元",2,王老师
财政收入增长了多少？,4,新建公园,0,王老师
Who pays?,,,,
"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_csv_holds_questions_and_judgments(encoding):
    found = read_questions(CSV.encode(encoding))
    assert found.questions == ("财政收入增长了多少？", "Who pays?")
    assert found.judgments == (
        Judgment(found.questions[0], Span(3, 0, "一般公共预算收入增长8.2%，突破6000亿元"), 2, "王老师"),
        Judgment(found.questions[0], Span(4, 0, "新建公园"), 0, "王老师"),
    )


def test_lines_are_questions():
    found = read_questions("收入多少？\n\n  Who  pays, and when? \n收入多少？\n".encode())
    assert found.questions == ("收入多少？", "Who pays, and when?")
    assert (found.judgments, found.repeated) == ((), 1)


def test_a_quote_without_grade_and_page_answers_somewhere():
    [judgment] = read_questions(b"Question,Quote\nWho pays?,The owner pays.\n").judgments
    assert (judgment.grade, judgment.span.page) == (2, 0)


def test_repeated_rows_are_counted_and_left_out():
    rows = 'question,quote\nq,"a"\nq,"a"\nq,"b"\nr,\nr,\n'
    found = read_questions(rows.encode())
    assert (len(found.judgments), found.questions, found.repeated) == (2, ("q", "r"), 2)


@pytest.mark.parametrize(
    ("rows", "error", "line"),
    [
        ("question,grade\nq,1,2\n", BadRow, 2),
        ("question,quote\nq,a\nr,b,c\n", BadRow, 3),
        ("question,quote\n,a\n", RowWithoutQuestion, 2),
        ("question,quote,grade\nq,a,3\n", BadGrade, 2),
        ("question,quote,grade\nq,a,yes\n", BadGrade, 2),
        ("question,quote,page\nq,a,-1\n", BadPage, 2),
        ("question,quote,page\nq,a,1.5\n", BadPage, 2),
        ("question,quote,page\nq,a,³\n", BadPage, 2),
        (f"question\nq\n{'x' * 1001}\n", RowTooLong, 3),
    ],
)
def test_a_row_that_does_not_fit_is_named_by_its_line(rows, error, line):
    with pytest.raises(error) as told:
        read_questions(rows.encode())
    assert told.value.values["line"] == line
    assert isinstance(told.value, BadFile)


def test_columns_without_a_question_are_named():
    with pytest.raises(NoQuestionColumn) as told:
        read_questions(b"Frage,quote,grade\na,b,1\n")
    assert told.value.values["found"] == "Frage, quote, grade"


@pytest.mark.parametrize("data", [b"\x89PNG\r\n\x1a\n\x00\x00", b"\xff\xfe\x00\x01\x02", b"question\n\x00"])
def test_what_is_no_text_is_refused(data):
    with pytest.raises(NotText):
        read_questions(data)


def test_a_file_holds_only_so_many_questions():
    with pytest.raises(TooManyQuestions) as told:
        read_questions("\n".join(f"question {n}" for n in range(MOST_QUESTIONS + 1)).encode())
    assert told.value.values == {"count": MOST_QUESTIONS + 1, "limit": MOST_QUESTIONS}


def test_an_empty_file_holds_nothing():
    assert read_questions(b"").questions == ()


def test_judgments_come_back_as_they_went():
    judgments = (
        Judgment("=1+1?", Span(2, 0, '"quoted", with a comma'), 1, "@home"),
        Judgment("收入？", Span(3, 0, "-8.2%\n第二行"), 0, ""),
        Judgment("收入？", Span(0, 0, "'tis said"), 2, ""),
    )
    written = write_judgments({"=1+1?": 3, "收入？": 7, "Who pays?": 12}, judgments)
    ids = [row["id"] for row in csv.DictReader(io.StringIO(written.decode("utf-8-sig")))]
    assert ids == ["q3", "q7", "q7", "q12"]
    found = read_questions(written)
    assert found.judgments == judgments
    assert found.questions == ("=1+1?", "收入？", "Who pays?")


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", " =1", "＝1", "\tx", "\rx", "\nx"])
def test_no_cell_can_start_a_formula(cell):
    assert harmless(cell) == f"'{cell}"
    assert unharmed(harmless(cell)) == cell
    assert f"\"'{cell}".encode() in write_csv(["a"], [[cell]])


@pytest.mark.parametrize("cell", ["plain", "'tis", "8.2%", 3, 0.5, None])
def test_other_cells_stay_as_they_are(cell):
    assert harmless(cell) == cell


def test_qrels_have_four_fields_in_the_order_of_the_questions():
    qrels = {"later": {"c2": 0, "c1": 2}, "first": {"c9": 1}}
    assert write_qrels(qrels, {"first": 1, "later": 12}) == "q1 0 c9 1\nq12 0 c1 2\nq12 0 c2 0\n"


def test_qrels_are_read_as_judgments_of_whole_chunks():
    lines = "q4 0 doc-sentence-00001 2\n\nq4 0 doc-sentence-00002 0\nq4 0 doc-sentence-00002 0\n"
    assert read_qrels(lines.encode(), {4: "Who pays?"}, CHUNKS, "a judge") == [
        Judgment("Who pays?", Span(1, 10, "text 1", "doc"), 2, "a judge"),
        Judgment("Who pays?", Span(1, 20, "text 2", "doc"), 0, "a judge"),
    ]


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("q4 0 doc-sentence-00001", BadQrels),
        ("q4 0 doc-sentence-00001 1 more", BadQrels),
        ("q5 0 doc-sentence-00001 1", UnknownQuestion),
        ("x 0 doc-sentence-00001 1", UnknownQuestion),
        ("q４ 0 doc-sentence-00001 1", UnknownQuestion),
        ("q4 0 doc-clause-00001 1", UnknownChunk),
        ("q4 0 doc-sentence-00001 7", BadGrade),
    ],
)
def test_a_line_of_qrels_that_does_not_fit_is_named(line, error):
    with pytest.raises(error) as told:
        read_qrels(f"q4 0 doc-sentence-00002 1\n{line}\n".encode(), {4: "Who pays?"}, CHUNKS)
    assert told.value.values["line"] == 2


def test_the_qrels_of_beir_are_read_where_they_name_chunks_and_questions_by_number():
    rows = b"query-id\tcorpus-id\tscore\r\nq4\tdoc-sentence-00001\t2\r\n4\tdoc-sentence-00002\t0\r\n"
    assert is_qrels(rows)
    assert [(one.span.quote, one.grade) for one in read_qrels(rows, {4: "Who pays?"}, CHUNKS)] == [
        ("text 1", 2),
        ("text 2", 0),
    ]
    with pytest.raises(UnknownChunk):
        read_qrels(b"query-id\tcorpus-id\tscore\nq4\tMED-10\t1\n", {4: "Who pays?"}, CHUNKS)
    with pytest.raises(BadQrels):
        read_qrels(b"query-id\tcorpus-id\tscore\nq4 0 MED-10 1\n", {4: "Who pays?"}, CHUNKS)


@pytest.mark.parametrize("text", [b"Who pays?\n", b"a 0 b c\n", b"question,page\n", b"", b"q1 1 c 2"])
def test_other_texts_are_no_qrels(text):
    assert not is_qrels(text)


def test_topics_are_an_id_and_a_question_a_line():
    assert write_topics({"收入？": 1, "Who\tpays,\nand when?": 12}) == "q1\t收入？\nq12\tWho pays, and when?\n"


def test_a_run_has_six_fields_and_without_scores_one_that_falls_with_the_rank():
    run = write_run({"first": ["b", "a"], "later": ["c"]}, {"first": 1, "later": 12}, "my model @50")
    assert run == "q1 Q0 b 1 2 my-model-@50\nq1 Q0 a 2 1 my-model-@50\nq12 Q0 c 1 1 my-model-@50\n"


def test_a_run_holds_the_models_own_scores():
    run = write_run({"first": ["b", "a"]}, {"first": 1}, "model", {"first": {"a": -3.25, "b": 0.1}})
    assert run == "q1 Q0 b 1 0.1 model\nq1 Q0 a 2 -3.25 model\n"


def test_a_score_that_would_not_fall_becomes_the_next_lower_that_trec_eval_can_tell_apart():
    scores = {"a": 1.0, "b": 1.0, "c": 1.0 + 1e-12, "d": 7.5, "e": -2.0}
    run = write_run({"first": list(scores)}, {"first": 1}, "model", {"first": scores})
    written = [np.float32(line.split()[4]) for line in run.splitlines()]
    assert (written[0], written[4]) == (1.0, -2.0)
    assert all(before > after for before, after in pairwise(written))
    assert written[3] == pytest.approx(1.0, abs=1e-6)


def test_pytrec_eval_orders_equal_scores_as_they_were():
    order = ["doc-1", "doc-3", "doc-2"]
    run = write_run({"first": order}, {"first": 1}, "model", {"first": dict.fromkeys(order, 0.5)})
    read = pytrec_eval.parse_run(run.splitlines())
    measured = pytrec_eval.RelevanceEvaluator({"q1": {"doc-3": 1}}, {"recip_rank"}).evaluate(read)
    assert measured["q1"]["recip_rank"] == 0.5
