"""Rankings of other systems: TREC runs and tables of texts, as people bring them, each matched or refused exactly."""

from __future__ import annotations

import csv
import io
import time
from pathlib import Path

import openpyxl
import pytest
from pdfs import text_pdf

from rag_core.datatypes import Chunk, Document, Page, Span
from rag_core.errors import (
    BadFile,
    BadPage,
    BadRank,
    BadRow,
    BadRun,
    BadScore,
    MixedRuns,
    NoRunColumns,
    OpenQuote,
    RowWithoutQuestion,
    RunChunksUnknown,
    RunOfAnotherCut,
    RunQuestionsUnknown,
    RunTextsUnknown,
    TooManyLines,
    TooManyRuns,
)
from rag_core.keeping.runs import MOST_RUNS
from rag_core.lab import Lab
from rag_core.measuring.columns import RUN_COLUMNS
from rag_core.measuring.exchange import write_csv, write_run
from rag_core.measuring.questions import read_questions
from rag_core.measuring.runs import (
    LONGEST_NAME,
    Carried,
    Matched,
    RunFile,
    carry,
    match,
    of_questions,
    read_run,
    refuse_ranks,
    unmatched_csv,
)
from rag_core.reading import chunk

TEXTS = {
    1: "The new bridge opened in May. The city paid for it with a loan of nine million euros.",
    2: "The bridge is closed to lorries at night. Engineers from Bergen drew the plans.",
    3: "财政收入增长８.２％，突破６０００亿元。博物馆接待游客三百万人次。",
}
OPENED, LOAN, LORRIES, BERGEN, REVENUE, MUSEUM = (
    *("The new bridge opened in May.", "The city paid for it with a loan of nine million euros."),
    *("The bridge is closed to lorries at night.", "Engineers from Bergen drew the plans."),
    *("财政收入增长８.２％，突破６０００亿元。", "博物馆接待游客三百万人次。"),
)
ALL = (OPENED, LOAN, LORRIES, BERGEN, REVENUE, MUSEUM)
DOCUMENT = Document("doc", "town.pdf", "en", tuple(Page(number, text) for number, text in TEXTS.items()))
PAY, VISITORS = "Who paid for the bridge?", "博物馆来了多少人？"
ASKED = {1: PAY, 4: VISITORS}


def cut(preset: str = "sentence", size: int = 300) -> list[Chunk]:
    return chunk.split(DOCUMENT.pages, preset, size, 0, DOCUMENT.id)


SENTENCES = cut()
IDS = {piece.text: piece.id for piece in SENTENCES}


def matched(data: bytes | str, chunks: list[Chunk] = SENTENCES) -> Matched:
    file = read_run(data.encode() if isinstance(data, str) else data)
    return match(file, ASKED, [DOCUMENT], chunks)


def carried(found: Matched, chunks: list[Chunk] = SENTENCES) -> Carried:
    return carry(found.named("other"), [DOCUMENT], chunks)


def ranked(data: bytes | str, chunks: list[Chunk] = SENTENCES) -> dict[str, list[str]]:
    """Return the texts of the chunks that a ranking puts first, second and so on, by question."""
    texts = {piece.id: piece.text for piece in chunks}
    return {q: [texts[i] for i in order] for q, order in carried(matched(data, chunks), chunks).orders.items()}


def whys(found: Matched) -> list[tuple[int, str]]:
    return [(entry.line, why) for entry, why in found.unmatched]


def told(found: Matched) -> dict[str, int]:
    return {note: count for note, count in found.notes.items() if count}


# Tables


def test_the_sentences_are_those_that_are_ranked_here():
    assert tuple(IDS) == ALL


WANTED = {PAY: [LOAN, OPENED], VISITORS: [MUSEUM]}
ROWS = [(PAY, LOAN, 1), (PAY, OPENED, 2), (VISITORS, MUSEUM, 1)]


def table(header: str, separator: str = ",") -> str:
    return "".join(f"{separator.join(map(str, row))}\n" for row in [tuple(header.split(",")), *ROWS])


def workbook() -> bytes:
    book, packed = openpyxl.Workbook(), io.BytesIO()
    for row in [("Run of May",), (), ("问题", "原文", "名次"), *ROWS]:
        book.active.append(row)
    book.save(packed)
    return packed.getvalue()


QUOTED = "question,text,rank\n" + "".join(f'"{q}","{text}",{rank}\n' for q, text, rank in ROWS)
TABLES = {
    "commas": table("question,text,rank"),
    "semicolons and CRLF": table("query,passage,rank", ";").replace("\n", "\r\n"),
    "tabs": table("Query,Chunk text,Rank", "\t"),
    "full-width commas": table("问题,片段,名次", "，"),
    "sep= and quotes": "sep=,\n" + QUOTED,
    "old Mac line ends": table("question,content,position").replace("\n", "\r"),
    "GB18030": table("问题,文本,排名").encode("gb18030"),
    "UTF-16": table("问题,文本,排名").encode("utf-16"),
    "a workbook below a title": workbook(),
    "JSON lines": "".join(f'{{"query": "{q}", "text": "{text}", "rank": {rank}}}\n' for q, text, rank in ROWS),
    "one JSON array": "["
    + ",".join(f'{{"question": "{q}", "passage": "{t}", "score": {1 / rank}}}' for q, t, rank in ROWS)
    + "]",
    "other columns between": "id,question,model,text,rank\n"
    + "".join(f"{n},{q},m,{text},{rank}\n" for n, (q, text, rank) in enumerate(ROWS)),
    "columns in another order": "rank,text,question\n" + "".join(f"{rank},{text},{q}\n" for q, text, rank in ROWS),
    "as this app writes texts": write_csv(("question", "text", "rank"), ROWS),
}


@pytest.mark.parametrize("kind", TABLES)
def test_a_table_is_read(kind):
    assert ranked(TABLES[kind]) == WANTED


@pytest.mark.parametrize("name", [name for names in (RUN_COLUMNS["text"], RUN_COLUMNS["rank"]) for name in names])
def test_every_name_of_a_column_is_known(name):
    text, rank = (name, "rank") if name in RUN_COLUMNS["text"] else ("text", name)
    assert ranked(table(f"question,{text},{rank}")) == WANTED


@pytest.mark.parametrize(
    ("ranks", "order", "notes"),
    [
        (("1", "2", "3"), [LOAN, OPENED, LORRIES], {}),
        (("3", "1", "2"), [OPENED, LORRIES, LOAN], {}),
        (("0", "1", "2"), [LOAN, OPENED, LORRIES], {"from_zero": 1}),
        (("10", "7", "90"), [OPENED, LOAN, LORRIES], {"gaps": 1}),
        (("1", "1", "1"), [LOAN, OPENED, LORRIES], {"ties": 2}),
        (("1.0", "２", "第3名"), [LOAN, OPENED, LORRIES], {}),
        (("#2", "1.", "3"), [OPENED, LOAN, LORRIES], {}),
    ],
)
def test_of_ranks_the_order_counts(ranks, order, notes):
    lines = zip((LOAN, OPENED, LORRIES), ranks, strict=True)
    found = matched("question,text,rank\n" + "".join(f"{PAY},{text},{rank}\n" for text, rank in lines))
    assert [place.span.quote for place in found.places] == order
    assert told(found) == notes


@pytest.mark.parametrize(
    ("scores", "order"),
    [
        (("0.1", "0.9", "0.5"), [OPENED, LORRIES, LOAN]),
        (("-3", "-1", "−2"), [OPENED, LORRIES, LOAN]),
        (('"0,1"', '"0,9"', '"0,5"'), [OPENED, LORRIES, LOAN]),
        (("1e-3", "2.5E+2", "７.５"), [OPENED, LORRIES, LOAN]),
        (("1", "1", "1"), [LOAN, OPENED, LORRIES]),
        ((".5", "5.", "+.7"), [OPENED, LORRIES, LOAN]),
    ],
)
def test_scores_without_ranks_give_the_order(scores, order):
    lines = zip((LOAN, OPENED, LORRIES), scores, strict=True)
    found = matched("question,text,score\n" + "".join(f"{PAY},{text},{score}\n" for text, score in lines))
    assert [place.span.quote for place in found.places] == order


def test_of_one_rank_the_higher_score_stands_first():
    found = matched(f"question,text,rank,score\n{PAY},{LOAN},1,0.2\n{PAY},{OPENED},1,0.8\n{PAY},{LORRIES},1,\n")
    assert [place.span.quote for place in found.places] == [OPENED, LOAN, LORRIES]
    assert told(found) == {"ties": 2}


def test_ranks_count_where_scores_say_otherwise_and_that_is_told():
    found = matched(f"question,text,rank,score\n{PAY},{LOAN},1,0.2\n{PAY},{OPENED},2,0.8\n")
    assert [place.span.quote for place in found.places] == [LOAN, OPENED]
    assert told(found) == {"scores": 1}


@pytest.mark.parametrize(
    "text",
    [
        "财政收入增长8.2%，突破6000亿元。",
        "财政收入 增长 ８.２％，\u200b突破６０００亿元。",
        "财政收入增长8.2%,突破6000亿元。",
    ],
)
def test_texts_are_found_however_they_are_written(text):
    assert ranked(f'question,text,rank\n{VISITORS},"{text}",1\n') == {VISITORS: [REVENUE]}


@pytest.mark.parametrize("question", ["博物馆来了多少人?", " 博物馆来了 多少人？", "who paid for the bridge？"])
def test_questions_are_found_however_they_are_written(question):
    [asked] = ranked(f"question,text,rank\n{question},{MUSEUM},1\n")
    assert asked in ASKED.values()


def test_what_repeats_a_place_has_the_best_one():
    found = matched(f"question,text,rank\n{PAY},{OPENED},1\n{PAY},{LOAN},2\n{PAY},{OPENED},3\n")
    assert carried(found).orders == {PAY: [IDS[OPENED], IDS[LOAN]]}
    assert told(found) == {"repeated": 1}


def test_a_text_of_a_larger_cut_stands_for_all_its_chunks_in_reading_order():
    data = f"question,text,rank\n{PAY},{TEXTS[2]},1\n{PAY},{LOAN},2\n"
    assert ranked(data) == {PAY: [LORRIES, BERGEN, LOAN]}
    assert told(matched(data)) == {"several": 1}


def test_a_text_of_a_smaller_cut_stands_for_the_chunk_that_holds_it():
    assert ranked(f"question,text,rank\n{PAY},a loan of nine million euros,1\n") == {PAY: [LOAN]}


def test_the_same_ranking_is_carried_over_to_another_cut():
    found, windows = matched(table("question,text,rank")), cut("window")
    texts = {piece.id: piece.text for piece in windows}
    [first], [other] = (carried(found, windows).orders[question] for question in (PAY, VISITORS))
    assert LOAN in texts[first] and MUSEUM in texts[other]


def test_words_that_left_the_document_are_counted():
    shorter = Document("doc", "town.pdf", "en", (Page(1, OPENED), Page(3, TEXTS[3])))
    chunks = chunk.split(shorter.pages, "sentence", 300, 0, "doc")
    gone = carry(matched(table("question,text,rank")).named("other"), [shorter], chunks)
    texts = {piece.id: piece.text for piece in chunks}
    assert {q: [texts[i] for i in order] for q, order in gone.orders.items()} == {PAY: [OPENED], VISITORS: [MUSEUM]}
    assert gone.lost == 1


def test_words_that_wandered_are_found_where_they_stand():
    moved = Document("doc", "town.pdf", "en", (Page(1, "Preface."), *(Page(n + 1, text) for n, text in TEXTS.items())))
    chunks = chunk.split(moved.pages, "sentence", 300, 0, "doc")
    orders = carry(matched(table("question,text,rank")).named("other"), [moved], chunks).orders
    assert [next(piece for piece in chunks if piece.id == i).page for i in orders[PAY]] == [2, 2]


def test_a_page_tells_which_of_equal_words_is_meant():
    twice = Document("doc", "twice.pdf", "en", (Page(1, OPENED + " " + LOAN), Page(2, LORRIES + " " + LOAN)))
    chunks = chunk.split(twice.pages, "sentence", 300, 0, "doc")
    for page in (1, 2):
        file = read_run(f"question,text,page,rank\n{PAY},{LOAN},{page},1\n".encode())
        [place] = match(file, ASKED, [twice], chunks).places
        assert place.span.page == page


LEFT_OUT = f"""question,text,rank
{PAY},{LOAN},1
{PAY},These words stand nowhere.,2
{PAY},,3
{PAY},loan,4
Who drew the plans?,{BERGEN},1
"""


def test_lines_that_are_not_matched_are_listed_with_the_reason():
    found = matched(LEFT_OUT)
    assert whys(found) == [(3, "text"), (4, "blank"), (5, "short"), (6, "question")]
    assert [place.span.quote for place in found.places] == [LOAN]
    assert (found.questions, found.missing) == (1, (VISITORS,))
    rows = [*csv.reader(io.StringIO(unmatched_csv(found).decode("utf-8-sig")))]
    assert rows[1] == ["3", PAY, "These words stand nowhere.", "text"] and len(rows) == 5


def test_a_short_text_is_found_where_it_is_a_whole_chunk():
    short = Document("doc", "short.pdf", "zh", (Page(1, "支出。收入。财政收入增长。"),))
    pieces = [
        Chunk(f"doc-clause-{n}", "doc", text, 1, at, at + 3)
        for n, (text, at) in enumerate([("支出。", 0), ("收入。", 3)])
    ]
    file = read_run(f"question,text,rank\n{PAY},收入。,1\n{PAY},收入,2\n".encode())
    found = match(file, ASKED, [short], pieces)
    assert [place.span for place in found.places] == [Span(1, 3, "收入。", "doc")]
    assert whys(found) == [(3, "short")]


def test_another_member_is_told_apart_by_its_id():
    other = Document("two", "two.pdf", "en", (Page(1, LOAN),))
    chunks = [*SENTENCES, *chunk.split(other.pages, "sentence", 300, 0, "two")]
    file = read_run(f"question,text,document,rank\n{PAY},{LOAN},two,1\n{PAY},{LOAN},doc,2\n{PAY},{LOAN},,3\n".encode())
    places = match(file, ASKED, [DOCUMENT, other], chunks).places
    assert [place.span.doc_id for place in places] == ["two", "doc", "doc"]


# TREC runs


def run_of(*lines: tuple[object, ...], tag: str = "bm25-x", gap: str = " ") -> str:
    return "".join(gap.join(map(str, (*line, tag))) + "\n" for line in lines)


LINES = (("q1", "Q0", IDS[LOAN], 1, 9.5), ("q1", "Q0", IDS[OPENED], 2, 8.0), ("q4", "Q0", IDS[MUSEUM], 1, 3.0))
RUNS = {
    "as trec_eval reads it": run_of(*LINES),
    "tabs and CRLF": run_of(*LINES, gap="\t").replace("\n", "\r\n"),
    "columns set out with spaces": run_of(*LINES, gap="    "),
    "numbers without q": run_of(*((q[1:], *rest) for q, *rest in LINES)),
    "lines in any order": run_of(*reversed(LINES)),
    "ranks from 0": run_of(*((q, z, i, rank - 1, score) for q, z, i, rank, score in LINES)),
    "one rank for all, by score": run_of(*((q, z, i, 1, score) for q, z, i, _, score in LINES)),
    "0 for Q0": run_of(*((q, 0, *rest) for q, _, *rest in LINES)),
    "UTF-16, as PowerShell writes it": run_of(*LINES).encode("utf-16"),
    "blank lines and a byte order mark": ("\n\n" + run_of(*LINES) + "\n").encode("utf-8-sig"),
    "negative scores with exponents": run_of(*((q, z, i, rank, f"-{rank}.5e-2") for q, z, i, rank, _ in LINES)),
}


@pytest.mark.parametrize("kind", RUNS)
def test_a_trec_run_is_read(kind):
    file = read_run(RUNS[kind] if isinstance(RUNS[kind], bytes) else RUNS[kind].encode())
    assert (file.source.form, file.tag) == ("run", "bm25-x")
    assert ranked(RUNS[kind]) == WANTED


@pytest.mark.parametrize("preset", ["sentence", "clause", "window"])
def test_a_run_of_our_own_comes_back_as_it_was(preset):
    chunks = cut(preset, 60)
    orders = {PAY: [piece.id for piece in chunks][::-1], VISITORS: [piece.id for piece in chunks[1:4]]}
    data = write_run(orders, {question: number for number, question in ASKED.items()}, "ours @50")
    assert carried(matched(data, chunks), chunks).orders == orders
    assert read_run(data.encode()).tag == "ours-@50"


def test_of_a_run_unknown_chunks_and_questions_are_listed():
    found = matched(
        run_of(*LINES, ("q1", "Q0", "doc-sentence-99999", 3, 1), ("q1", "Q0", "D7", 4, 1), ("q2", "Q0", "D7", 1, 1))
    )
    assert whys(found) == [(4, "cut"), (5, "chunk"), (6, "question")]


# Refused

BAD = {
    "a run with five fields": ("q1 Q0 d 1 0.5\n", BadRun, {"line": 1, "fields": 5}),
    "a run with seven fields": (run_of(*LINES) + "q1 Q0 d 1 0.5 my tag\n", BadRun, {"line": 4, "fields": 7}),
    "a run's rank that is none": (
        "q1 Q0 d first 0.5 t\n".replace("first", "1.5"),
        BadRank,
        {"line": 1, "value": "1.5"},
    ),
    "a run's score that is none": ("q1 Q0 d 1 nan t\n", BadScore, {"line": 1, "value": "nan"}),
    "two runs in a file": (run_of(*LINES) + run_of(LINES[0], tag="b"), MixedRuns, {"line": 4, "tag": "b"}),
    "no text": (f"question,docno,rank\n{PAY},D1,1\n", NoRunColumns, {"found": "question, docno, rank"}),
    "no rank": (f"question,text\n{PAY},{LOAN}\n", NoRunColumns, {"found": "question, text"}),
    "grades": (f"question,text,rank,grade\n{PAY},{LOAN},1,2\n", NoRunColumns, {}),
    "lines of text": (f"{PAY}\n{VISITORS}\n", NoRunColumns, {"found": PAY}),
    "no header": (f"{PAY},{LOAN},1\n", NoRunColumns, {}),
    "nothing": ("", NoRunColumns, {"found": ""}),
    "columns that are not known": (
        f"anfrage,absatz,platz\n{PAY},{LOAN},1\n",
        NoRunColumns,
        {"found": "anfrage, absatz, platz"},
    ),
    "a blank rank": (f"question,text,rank\n{PAY},{LOAN},\n", BadRank, {"line": 2, "value": ""}),
    "a rank below 0": (f"question,text,rank\n{PAY},{LOAN},-1\n", BadRank, {"line": 2, "value": "-1"}),
    "a rank in words": (f"question,text,rank\n{PAY},{LOAN},first\n", BadRank, {"line": 2}),
    "a rank between": (f"question,text,rank\n{PAY},{LOAN},1.5\n", BadRank, {"line": 2}),
    "a blank score alone": (f"question,text,score\n{PAY},{LOAN},\n", BadScore, {"line": 2}),
    "an endless score": (f"question,text,score\n{PAY},{LOAN},1e999\n", BadScore, {"line": 2}),
    "a page that is none": (f"question,text,page,rank\n{PAY},{LOAN},five,1\n", BadPage, {"line": 2}),
    "a row without a question": (f"question,text,rank\n,{LOAN},1\n", RowWithoutQuestion, {"line": 2}),
    "a comma that nothing tells": ("question,text,rank\nWho, then?,and, here,1\n", BadRow, {"line": 2}),
    "an open quotation mark": (f'question,text,rank\n{PAY},"{LOAN},1\n', OpenQuote, {"line": 2}),
    "a million lines": ("question,text,rank\n" + "a,b,1\n" * 1_000_000, TooManyLines, {}),
    "questions of another set": (f"question,text,rank\nWho?,{LOAN},1\n", RunQuestionsUnknown, {"name": "Who?"}),
    "numbers of another set": (run_of(("q2", "Q0", "d", 1, 1)), RunQuestionsUnknown, {"name": "q2"}),
    "ids of another system": (run_of(("q1", "Q0", "WT10G-7", 1, 1)), RunChunksUnknown, {"chunk": "WT10G-7"}),
    "chunks of another cut": (
        run_of(("q1", "Q0", "doc-window-300-60-00001", 1, 1)),
        RunOfAnotherCut,
        {"cut": "window-300-60", "now": "sentence"},
    ),
    "texts of another document": (
        f"question,text,rank\n{PAY},The tram runs all night long.,1\n",
        RunTextsUnknown,
        {"text": "The tram runs all night long."},
    ),
}


@pytest.mark.parametrize("kind", BAD)
def test_what_is_wrong_is_refused_and_says_where(kind):
    data, error, values = BAD[kind]
    start = time.process_time()
    with pytest.raises(error) as refused:
        matched(data)
    assert refused.value.values.items() >= values.items()
    assert time.process_time() - start < 2


# Beside question files


@pytest.mark.parametrize(
    ("data", "is_ranking"),
    [
        (table("question,text,rank"), True),
        (run_of(*LINES), True),
        ("q1 Q0 d 1 0.5\n" * 2, BadRun),
        (f"question,quote,page\n{PAY},{LOAN},1\n", False),
        (f"question,quote,grade,rank\n{PAY},{LOAN},2,1\n", False),
        (f"{PAY}\n{VISITORS}\n", False),
        ('{"_id": "1", "text": "Who paid?"}\n', False),
        ("Is 0 enough, or 3 more?\n", False),
        (f"question,text,score\n{PAY},{LOAN},high\n", BadScore),
    ],
)
def test_a_ranking_is_told_from_questions(data, is_ranking):
    if isinstance(is_ranking, bool):
        assert (of_questions(data.encode()) is not None) == is_ranking
    else:
        with pytest.raises(is_ranking):
            of_questions(data.encode())


def test_ranks_of_ids_do_not_become_questions_by_accident():
    with pytest.raises(NoRunColumns) as refused:
        refuse_ranks(read_questions(f"question,docno,rank\n{PAY},D1,1\n{PAY},D2,2\n".encode()))
    assert refused.value.values["found"] == "question, docno, rank"
    refuse_ranks(read_questions(f"question,rank\n{PAY},1\n{VISITORS},2\n".encode()))


# Kept


@pytest.fixture
def lab(tmp_path: Path):
    opened = Lab(tmp_path / "home")
    yield opened
    opened.close()


def brought(lab: Lab, title: str = "town.pdf") -> tuple[str, RunFile]:
    document = lab.add(text_pdf([OPENED, LOAN], [LORRIES, BERGEN]), title)
    lab.judgments.ask(document.id, [PAY])
    return document.id, read_run(f"question,text,rank\n{PAY},{LOAN},1\n{PAY},{BERGEN},2\n".encode())


def kept(lab: Lab, doc_id: str, file: RunFile, name: str = "other") -> None:
    parts = lab.documents.parts(doc_id)
    chunks = [piece for part in parts for piece in chunk.split(part.pages, "sentence", 300, 0, part.id)]
    lab.runs.add(doc_id, match(file, lab.judgments.questions(doc_id), parts, chunks).named(name))


def test_a_ranking_is_kept_by_name_and_removed(lab):
    doc_id, file = brought(lab)
    kept(lab, doc_id, file)
    kept(lab, doc_id, file, "  a\nsecond \x1b[31m" + "x" * 100)
    [first, second] = lab.runs.load(doc_id)
    assert [span.quote for span in first.orders[PAY]] == [LOAN, BERGEN]
    assert second.name.startswith("a second [31mx") and len(second.name) == LONGEST_NAME
    kept(lab, doc_id, read_run(f"question,text,rank\n{PAY},{BERGEN},1\n".encode()))
    assert [(entry.name, entry.places) for entry in lab.runs.entries(doc_id)] == [(second.name, 2), ("other", 1)]
    lab.runs.remove(doc_id, "other")
    assert [run.name for run in lab.runs.load(doc_id)] == [second.name]


def test_a_document_keeps_few_rankings(lab):
    doc_id, file = brought(lab)
    for number in range(MOST_RUNS):
        kept(lab, doc_id, file, f"run {number}")
    kept(lab, doc_id, file, "run 0")
    with pytest.raises(TooManyRuns):
        kept(lab, doc_id, file, "one more")
    assert len(lab.runs.entries(doc_id)) == MOST_RUNS


def test_a_ranking_goes_with_its_question_and_its_document(lab):
    doc_id, file = brought(lab)
    kept(lab, doc_id, file)
    lab.judgments.drop(doc_id, PAY)
    assert lab.runs.load(doc_id) == []
    lab.judgments.ask(doc_id, [PAY])
    kept(lab, doc_id, file)
    lab.delete(doc_id)
    with lab.library.database.open() as connection:
        assert connection.execute("SELECT count(*) FROM runs").fetchone() == (0,)


def test_of_a_collection_the_words_of_a_deleted_member_go(lab):
    doc_id, _ = brought(lab)
    other = lab.add(text_pdf([REVENUE, MUSEUM]), "money.pdf")
    both = lab.library.collect("both", [doc_id, other.id])
    kept(lab, both.id, read_run(f"question,text,rank\n{PAY},{LOAN},1\n{PAY},{MUSEUM},2\n".encode()))
    assert [span.doc_id for span in lab.runs.load(both.id)[0].orders[PAY]] == [doc_id, other.id]
    lab.delete(other.id)
    assert [span.quote for span in lab.runs.load(both.id)[0].orders[PAY]] == [LOAN]


def test_every_refusal_is_of_a_bad_file():
    assert all(issubclass(error, BadFile) for _, error, _ in BAD.values())
