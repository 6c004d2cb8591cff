"""The tables of a comparison and the file for a spreadsheet, on comparisons made by hand."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pandas as pd
import pytest
import streamlit as st
from comparisons import comparison

from pages.ui.parts import tables
from pages.ui.shell.i18n import t
from rag_core.datatypes import Comparison, Expansion, FirstStage, Part

TEXTS = ["Alpha one.", "Beta two.", "Gamma three.", "Delta four."]
TYPED, WRITTEN = Expansion("other words", "typed"), Expansion("more words", "llm")


@pytest.fixture(autouse=True, params=["en", "zh"])
def language(request, monkeypatch):
    monkeypatch.setitem(st.session_state, "lang", request.param)
    return request.param


def cells(csv_bytes: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(csv_bytes.decode("utf-8-sig"), newline="")))


def test_an_arrow_says_the_direction_without_colour():
    assert [tables.arrow(delta) for delta in (3, -2, 0)] == ["▲ 3", "▼ 2", "＝"]


def test_the_sides_name_their_scores_differently():
    plain, fused = comparison(TEXTS), comparison(TEXTS, expansions=[TYPED])
    names = {tables.score_name(plain, "vector"), tables.score_name(fused, "vector")}
    assert len(names | {tables.score_name(plain, "reranked")}) == 3
    assert tables.score_unit(fused, "vector") == "RRF"
    assert tables.score_unit(plain, "reranked") == "logit"


def test_bars_begin_at_unrelated_texts_or_else_at_a_zero_that_says_something():
    given = comparison(TEXTS)
    assert tables.bar_start(given, "vector", 0.7) == 0.7
    assert tables.bar_start(given, "reranked", -8.0) == -8.0
    assert tables.bar_start(given, "vector", None) == 0.0
    assert tables.bar_start(given, "reranked", None) is None
    assert tables.bar_start(replace(given, scale="relevance"), "reranked", None) == 0.0


def test_a_table_is_as_high_as_its_rows_up_to_a_limit():
    assert tables.height(1) < tables.height(5) < tables.height(100) == tables.height(200)


def test_the_ledger_has_a_column_a_query_and_is_empty_where_it_found_nothing():
    table = tables.ledger_table(comparison(TEXTS, after=[0, 1, 2, 3], expansions=[TYPED, WRITTEN]))
    assert list(table.iloc[:, 0]) == [1, 2, 3, 4]
    assert [None if pd.isna(rank) else rank for rank in table.iloc[:, 3]] == [1, None, 3, None]
    assert list(table.iloc[:, 4]) == list(table.iloc[:, 5]) == [1, 2, 3, 4]
    assert [name[:2] for name in table.columns[3:]] == ["0.", "1.", "2."]


def test_the_ledger_of_a_plain_comparison_has_the_question_alone():
    table = tables.ledger_table(comparison(TEXTS))
    assert table.shape == (4, 4)
    assert not table.isna().to_numpy().any()


def test_the_full_table_keeps_every_rank_and_score_of_every_stage():
    given = comparison(TEXTS, after=[2, 0, 1, 3], expansions=[TYPED])
    table = tables.full_table(given)
    assert list(table["rank_reranked"]) == [1, 2, 3, 4]
    assert list(table["rank_fused"]) == [2, 3, 1, 4]
    assert list(table["move"]) == [1, 1, -2, 0]
    assert list(table["score_reranked_logit"]) == [3.5, 3.25, 3.0, 2.75]
    assert list(table["query_1"]) == ["other words"] * 4
    assert list(table["query_1_vector_rank"]) == [2, 3, 1, 4]
    assert [None if pd.isna(rank) else rank for rank in table["query_0_vector_rank"]] == [None, 3, 1, None]
    assert {"score_rrf", "query_0_cosine", "embedder", "reranker", "page", "chunk"} <= set(table)
    assert {"score_cosine", "rank_vector"} <= set(tables.full_table(comparison(TEXTS)))


def test_the_full_table_holds_a_table_head_where_there_is_one():
    given = comparison(["one two three", "four"])
    assert "head" not in tables.full_table(given)
    first, *rest = given.moves
    headed = replace(first, chunk=replace(first.chunk, head="Item\t2024"))
    table = tables.full_table(replace(given, moves=(headed, *rest)))
    assert list(table["head"]) == ["Item\t2024", ""]
    assert list(table["text"]) == [move.chunk.text for move in given.moves]


def test_the_full_table_holds_the_best_part_where_one_was_scored():
    given = comparison(TEXTS)
    assert not {"parts", "best_part"} & set(tables.full_table(given))
    first, *rest = given.moves
    table = tables.full_table(replace(given, moves=(replace(first, part=Part(0, 3, 4)), *rest)))
    assert list(table["parts"]) == [4, 1, 1, 1]
    assert list(table["best_part"]) == [first.chunk.text[:3], *(move.chunk.text for move in rest)]


def test_with_both_first_stages_each_search_has_its_columns():
    given = comparison(TEXTS, expansions=[TYPED], first_stage=FirstStage.BOTH)
    assert {"query_1_vector_rank", "query_1_cosine", "query_1_bm25_rank", "query_1_bm25"} <= set(
        tables.full_table(given)
    )
    assert [name[-4:] == "BM25" for name in tables.ledger_table(given).columns[3:]] == [False, True, False, True]


@pytest.mark.parametrize(
    ("stage", "unit"), [(FirstStage.VECTOR, "cosine"), (FirstStage.BM25, "bm25"), (FirstStage.BOTH, "rrf")]
)
def test_the_first_stage_names_its_score(stage, unit):
    given = comparison(TEXTS, first_stage=stage)
    assert tables.score_name(given, "vector") == t(f"score.{unit}")
    assert tables.score_unit(given, "vector") == t(f"table.{unit}")


def test_the_full_table_has_the_same_names_in_every_language(monkeypatch):
    named = []
    for language in ("en", "zh"):
        monkeypatch.setitem(st.session_state, "lang", language)
        named.append(list(tables.full_table(comparison(TEXTS, expansions=[TYPED]))))
    assert named[0] == named[1]
    assert all(name.isascii() for name in named[0])


FORMULAS = [
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(A1)",
    "＝1+1",
    "＋1",
    "－1",
    "＠SUM(A1)",
    "  =1+1",
    "\u3000=1+1",
    "\u00a0=1+1",
    "\t=1+1",
    "\tplain",
    "\r=1+1",
    "\n=1+1",
    '=HYPERLINK("http://x";"y")',
    "=cmd|' /C calc'!A0",
]


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_can_start_a_formula(text):
    given = comparison([text, "plain"], expansions=[Expansion(text, "typed")])
    rows = cells(tables.as_csv(tables.full_table(given)))
    names = rows[0]
    values = [row[names.index(name)] for row in rows[1:] for name in ("text", "query_1")]
    assert sorted(values) == sorted([f"'{text}", "plain", f"'{text}", f"'{text}"])


@pytest.mark.parametrize("text", ["a\r=1+1", "a\n=1+1", "a\r\n@x", 'a",=1+1', "a,=1+1", 'a"\n=1+1'])
def test_no_text_can_begin_a_cell_of_its_own(text):
    rows = cells(tables.as_csv(tables.full_table(comparison([text, "plain"]))))
    assert {len(row) for row in rows} == {len(rows[0])}
    assert [row[rows[0].index("text")] for row in rows[1:]] == ["plain", text]


@pytest.mark.parametrize("text", ["8.2% growth", "预算＝收入", "a = b", "'quoted'", "1-2"])
def test_a_harmless_text_stays_as_it_is(text):
    assert tables.harmless(text) == text


def test_numbers_stay_numbers():
    given = comparison(TEXTS, after=[2, 0, 1, 3])
    table = tables.full_table(given).assign(score_reranked_logit=[-1.5, -2.5, -3.5, -4.5])
    read = pd.read_csv(io.BytesIO(tables.as_csv(table)))
    assert list(read["score_reranked_logit"]) == [-1.5, -2.5, -3.5, -4.5]
    assert list(read["move"]) == [1, 1, -2, 0]


def test_a_spreadsheet_can_tell_the_encoding():
    written = tables.as_csv(tables.full_table(comparison(["一般公共预算收入增长8.2%"])))
    assert written.startswith(b"\xef\xbb\xbf")
    assert "一般公共预算收入增长8.2%" in written.decode("utf-8-sig")


def repeated(*twins: int, title: str = "") -> Comparison:
    """Return a comparison whose first chunk stands on these pages too."""
    given = comparison(TEXTS)
    first, *rest = given.moves
    chunk = replace(first.chunk, title=title, twins=tuple((page, 0, 10) for page in twins))
    return replace(given, moves=(replace(first, chunk=chunk), *rest))


def test_all_pages_of_a_chunk_are_named(language):
    [chunk, *_] = [move.chunk for move in repeated(5, 13).moves]
    named = {"en": "p. 1, 5, 13", "zh": "第 1、5、13 页"}[language]
    assert tables.where(chunk) == named
    assert tables.where(replace(chunk, title="a.pdf")) == f"a.pdf · {named}"
    assert tables.page(chunk) == {"en": "1, 5, 13", "zh": "1、5、13"}[language]
    assert tables.pages(chunk) in tables.place(repeated(5, 13), repeated(5, 13).moves[0])


def test_a_running_head_does_not_name_a_hundred_pages():
    [chunk, *_] = [move.chunk for move in repeated(*range(2, 101)).moves]
    assert tables.pages(chunk).endswith("8 …")


def test_the_column_of_pages_holds_numbers_until_a_row_names_several():
    kinds = [
        tables.page_column([move.chunk for move in given.moves])["type_config"]["type"]
        for given in (comparison(TEXTS), repeated(5), repeated(1), repeated(title="a.pdf"))
    ]
    assert kinds == ["number", "text", "number", "text"]


def test_the_full_table_names_all_pages_where_a_chunk_has_several():
    assert "pages" not in tables.full_table(comparison(TEXTS))
    table = tables.full_table(repeated(5, 13))
    assert list(table["page"]) == [1, 1, 1, 1]
    assert list(table["pages"]) == ["1, 5, 13", "1", "1", "1"]
