"""Cutting pages into chunks: three presets, nothing lost, offsets exact."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from rag_core.datatypes import ChunkSettings, Page
from rag_core.errors import BadSetting
from rag_core.reading import chunk, pdf
from rag_core.reading.chunk import split

REPORT = Path(__file__).parents[3] / "shared" / "documents" / "北京2024年政府工作报告.pdf"

ZH = Page(
    1,
    "一、2023年工作回顾\n全市地区生产总值增长5.2%、约4.4万亿元，收入增长8.2%。市民说：“办事快了！”各项指标保持平稳；"
    "城市更新稳步推进……群众满意吗？满意。\n———\n3",
)
EN = Page(
    2,
    "1. Overview\nDr. J. Smith of the U.S. office said sales rose 5.2 percent, i.e. less than in No. 5 of Jan. 3. "
    'Was it enough? "Yes!" he said. The board met at 10 a.m. and agreed (see Fig. 2). It ended there... or not.',
)
PAGES = [ZH, EN, Page(3, ""), Page(4, " \n ，。 ")]


def texts(pages: list[Page], preset: str, **settings) -> list[str]:
    return [piece.text for piece in split(pages, preset, **settings)]


def words(text: str) -> str:
    return "".join(filter(str.isalnum, text))


# Every preset


@pytest.mark.parametrize("preset", chunk.PRESETS)
@pytest.mark.parametrize("size", [50, 90, 300])
def test_a_chunk_is_a_slice_of_its_page(preset, size):
    by_number = {page.number: page.text for page in PAGES}
    pieces = split(PAGES, preset, size=size, overlap=20)
    assert {piece.page for piece in pieces} == {1, 2}
    for piece in pieces:
        assert piece.text == by_number[piece.page][piece.start : piece.end]
        assert piece.text == piece.text.strip() != ""


@pytest.mark.parametrize("preset", chunk.PRESETS)
@pytest.mark.parametrize("page", [ZH, EN], ids=["zh", "en"])
def test_no_word_is_lost(preset, page):
    pieces = split([page], preset, size=50, overlap=10)
    covered = {place for piece in pieces for place in range(piece.start, piece.end)}
    missed = "".join(letter for place, letter in enumerate(page.text) if place not in covered)
    assert words(missed) == ""


@pytest.mark.parametrize("preset", ["clause", "sentence"])
def test_pieces_follow_each_other_without_overlap(preset):
    pieces = split([ZH], preset)
    assert all(former.end <= piece.start for former, piece in pairwise(pieces))


def test_an_id_names_document_settings_and_number():
    pieces = split(PAGES, "clause", doc_id="ba7816bf8f01cfea")
    assert pieces[0].id == "ba7816bf8f01cfea-clause-00001"
    assert split(PAGES, "window", 120, 30, "d")[1].id == "d-window-120-30-00002"
    assert {piece.doc_id for piece in pieces} == {"ba7816bf8f01cfea"}
    assert len({piece.id for piece in pieces}) == len(pieces)


def test_numbers_run_on_over_pages():
    pieces = split([Page(7, "甲。乙。"), Page(8, "丙。")], "sentence")
    assert [(piece.id, piece.page) for piece in pieces] == [
        ("-sentence-00001", 7),
        ("-sentence-00002", 7),
        ("-sentence-00003", 8),
    ]


def test_a_document_without_words_has_no_chunks():
    assert [split([Page(1, ""), Page(2, " \n")], preset) for preset in chunk.PRESETS] == [[], [], []]


# Clauses


def test_clauses_are_what_stands_between_the_marks():
    page = Page(1, " 各位代表！ 现在，我报告工作。，\n请审议？好；结束: 5.2% ")
    assert texts([page], "clause") == ["各位代表", "现在", "我报告工作", "请审议", "好；结束: 5.2%"]


# Sentences


def test_chinese_sentences_keep_their_marks_and_closing_quotes():
    assert texts([ZH], "sentence") == [
        "一、2023年工作回顾",
        "全市地区生产总值增长5.2%、约4.4万亿元，收入增长8.2%。",
        "市民说：“办事快了！”",
        "各项指标保持平稳；",
        "城市更新稳步推进……",
        "群众满意吗？",
        "满意。",
        "3",
    ]


def test_english_abbreviations_initials_and_decimals_end_no_sentence():
    assert texts([EN], "sentence") == [
        "1. Overview",
        "Dr. J. Smith of the U.S. office said sales rose 5.2 percent, i.e. less than in No. 5 of Jan. 3.",
        "Was it enough?",
        '"Yes!"',
        "he said.",
        "The board met at 10 a.m. and agreed (see Fig. 2).",
        "It ended there... or not.",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It rose. Then it fell.", ["It rose.", "Then it fell."]),
        ("It cost 500. Then more.", ["It cost 500.", "Then more."]),
        ("Acme Inc. is here. Smith et al. (2009) agree.", ["Acme Inc. is here.", "Smith et al. (2009) agree."]),
        ("(It rose.) So did the rest.", ["(It rose.)", "So did the rest."]),
        ("2.1. Scope of it. More", ["2.1. Scope of it.", "More"]),
        ("See www.example.com/a?b=c for it. End", ["See www.example.com/a?b=c for it.", "End"]),
        ("真的?是的!走.留下", ["真的?", "是的!", "走.", "留下"]),
        ("3.加强领导。完", ["3.加强领导。", "完"]),
        ("什么？！（好。）走", ["什么？！", "（好。）", "走"]),
        ("Introduction . . . . . . 4", ["Introduction . . . . . . 4"]),
        ("Introduction ........ 4", ["Introduction ........ 4"]),
        ("Really?! Yes", ["Really?!", "Yes"]),
        ("no stop at the end", ["no stop at the end"]),
        ("The road to Mt.\nEverest", ["The road to Mt.", "Everest"]),
    ],
)
def test_sentence_ends(text, expected):
    assert texts([Page(1, text)], "sentence") == expected


# Windows


def test_windows_are_whole_sentences_and_share_the_last_ones():
    text = "".join(f"第{number}句话一共有二十个字所以它刚好是二十。" for number in "一二三四五六七")
    assert len(text) == 7 * 20
    assert texts([Page(1, text)], "window", size=60, overlap=20) == [text[0:60], text[40:100], text[80:140]]
    assert texts([Page(1, text)], "window", size=60, overlap=19) == [text[0:60], text[60:120], text[120:140]]


def test_a_window_is_never_only_overlap():
    text = "甲" * 19 + "。" + "乙" * 19 + "。" + "丙" * 49 + "。"
    assert texts([Page(1, text)], "window", size=50, overlap=30) == [text[:40], text[40:]]
    assert texts([Page(1, text)], "window", size=70, overlap=45) == [text[:40], text[20:]]


def test_windows_do_not_cross_pages():
    pages = [Page(1, "第一页的话。"), Page(2, "第二页的话。")]
    assert [(piece.page, piece.text) for piece in split(pages)] == [(1, "第一页的话。"), (2, "第二页的话。")]


def test_a_long_sentence_is_cut_at_clause_marks():
    text = ("甲" * 29 + "，") * 3 + "乙。"
    assert texts([Page(1, text)], "window", size=50, overlap=0) == ["甲" * 29 + "，"] * 2 + ["甲" * 29 + "，乙。"]


def test_a_long_sentence_without_marks_is_cut_at_spaces_and_else_at_the_size():
    assert texts([Page(1, "word " * 20)], "window", size=52, overlap=0) == [("word " * 10).strip()] * 2
    assert texts([Page(1, "字" * 120)], "window", size=50, overlap=0) == ["字" * 50, "字" * 50, "字" * 20]


def test_no_comma_inside_a_figure_is_a_clause_mark():
    text = "x" * 30 + " 1,234,567,890 " + "y" * 30
    assert texts([Page(1, text)], "window", size=50, overlap=0) == ["x" * 30 + " 1,234,567,890", "y" * 30]


@pytest.mark.parametrize("size", [50, 120, 300])
def test_no_window_is_longer_than_its_size(size):
    assert max(len(piece.text) for piece in split([ZH, EN], size=size, overlap=size // 5)) <= size


# Settings


def test_an_unknown_preset():
    with pytest.raises(BadSetting, match=r"'page'.*window") as caught:
        split([ZH], "page")
    assert caught.value.values == {"setting": "preset", "value": "page", "limit": "clause, sentence, window"}


@pytest.mark.parametrize(
    ("size", "overlap", "values"),
    [
        (49, 0, {"setting": "size", "value": 49, "limit": "50–4000"}),
        (4001, 0, {"setting": "size", "value": 4001, "limit": "50–4000"}),
        (300, 300, {"setting": "overlap", "value": 300, "limit": "0–299"}),
        (300, -1, {"setting": "overlap", "value": -1, "limit": "0–299"}),
    ],
)
def test_a_setting_out_of_range(size, overlap, values):
    with pytest.raises(BadSetting, match=str(values["value"])) as caught:
        split([ZH], size=size, overlap=overlap)
    assert caught.value.values == values


def test_size_and_overlap_matter_to_windows_alone():
    assert split([ZH], "clause", size=1, overlap=5) == split([ZH], "clause")


def test_windows_are_recommended_from_thirty_of_them():
    assert chunk.recommend([Page(1, "字" * 3_600), Page(2, "字" * 3_599)]) == ChunkSettings("sentence")
    assert chunk.recommend([Page(1, "字" * 3_600), Page(2, "字" * 3_600)]) == ChunkSettings("window", 300, 60)


def test_english_windows_are_twice_as_long():
    assert chunk.recommend([Page(1, "word " * 2_879)]) == ChunkSettings("sentence", 600, 120)
    assert chunk.recommend([Page(1, "word " * 2_880)]) == ChunkSettings("window", 600, 120)


# A real file


@pytest.mark.skipif(not REPORT.exists(), reason="the 2024 report is not beside this checkout")
def test_the_report_has_1028_clauses():
    pages = pdf.read_pages(REPORT.read_bytes())
    clauses = [piece.text for piece in split(pages, "clause")]
    assert len(clauses) == 1028
    assert "一般公共预算收入增长8.2%、突破6000亿元" in clauses
    assert "全市地区生产总值增长5.2%、约4.4万亿元" in clauses
    whole = words("".join(page.text for page in pages))
    assert words("".join(clauses)) == words("".join(texts(pages, "sentence"))) == whole


ROWS = "费用如下，单位为元。\n房租，含物业\t1,200。5\n取暖。照明\t350\n完毕。Net sales (mio. EUR)\t12\nEnd. Next"


@pytest.mark.parametrize("preset", chunk.PRESETS)
def test_no_chunk_parts_a_rows_label_from_its_figure(preset):
    chunks = [piece.text for piece in chunk.split([Page(1, ROWS)], preset, 50, 10)]
    for row in ROWS.split("\n")[1:4]:
        assert any(row in text for text in chunks)


def test_a_tables_row_is_a_clause_of_its_own():
    clauses = [piece.text for piece in chunk.split([Page(1, ROWS)], "clause")]
    assert clauses == ["费用如下", "单位为元", *ROWS.split("\n")[1:4], "End. Next"]


# Tables

HEAD = "Item\t2024\t2023"
COMPANY = [f"{name} of the whole company\t{12.4}\t{10.1}" for name in ("Revenue", "Costs", "Debt")]
TABLE = Page(1, "\n".join(["The year was good. It ended well.", HEAD, *COMPANY, "The next one may be worse."]))


def heads(preset: str, **how) -> list[tuple[str, str]]:
    return [(piece.text.split("\n")[0].split(" ")[0], piece.head) for piece in split([TABLE], preset, **how)]


def test_a_row_alone_brings_its_head_along():
    assert heads("sentence") == [
        *[("The", ""), ("It", ""), ("Item\t2024\t2023", "")],
        *[("Revenue", HEAD), ("Costs", HEAD), ("Debt", HEAD)],
        ("The", ""),
    ]
    assert [head for text, head in heads("clause") if text in ("Revenue", "Costs", "Debt")] == [HEAD] * 3


def test_a_window_that_begins_in_a_table_brings_its_head_along():
    assert heads("window", size=100, overlap=0) == [("The", ""), ("Costs", HEAD)]
    assert heads("window", size=400, overlap=0) == [("The", "")]


@pytest.mark.parametrize("preset", chunk.PRESETS)
def test_a_head_that_is_brought_along_changes_neither_text_nor_place(preset):
    for piece in split([TABLE], preset, size=100, overlap=50):
        assert piece.text == TABLE.text[piece.start : piece.end]
        assert piece.passage == (f"{HEAD}\n{piece.text}" if piece.head else piece.text)


def test_a_head_on_another_page_is_not_brought_along():
    after = Page(2, "\n".join(COMPANY))
    assert not any(piece.head for piece in split([TABLE, after], "sentence") if piece.page == 2)
