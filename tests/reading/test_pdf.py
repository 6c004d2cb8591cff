"""Reading PDFs: every error, every repair, and real files."""

from __future__ import annotations

import io
import logging
import sys
import time
import unicodedata
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pdfs
import pypdf
import pytest

from rag_core.datatypes import Page
from rag_core.errors import (
    DamagedPdf,
    EmptyFile,
    FileTooLarge,
    NotAPdf,
    PasswordNeeded,
    TooManyPages,
    WrongPassword,
)
from rag_core.reading import pdf, text
from rag_core.reading.chunk import split

REPORT = Path(__file__).parents[3] / "shared" / "documents" / "北京2024年政府工作报告.pdf"
TWO_PAGES = pdfs.text_pdf(["全市地区生产总值增长 5.2%"], ["Second page"])
ALGORITHMS = ("RC4-40", "RC4-128", "AES-128", "AES-256")


def texts(data: bytes, **settings) -> list[str]:
    return [page.text for page in pdf.read_pages(data, **settings)]


# Pages


def test_pages_are_numbered_from_one_in_order():
    pages = pdf.read_pages(TWO_PAGES)
    assert [(page.number, page.text) for page in pages] == [(1, "全市地区生产总值增长5.2%"), (2, "Second page")]


def test_a_blank_page_keeps_its_number():
    assert texts(pdfs.text_pdf(["First"], [], ["Third"])) == ["First", "", "Third"]


def test_progress_counts_pages():
    seen = []
    pdf.read_pages(TWO_PAGES, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 2), (2, 2)]


def test_an_error_in_progress_is_not_swallowed():
    def stop(done: int, total: int) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        pdf.read_pages(TWO_PAGES, progress=stop)


def test_junk_before_the_header_is_forgiven():
    assert texts(b"junk\n" * 10 + TWO_PAGES)[1] == "Second page"


def test_a_document_is_named_after_its_bytes():
    assert pdf.document_id(b"abc") == "ba7816bf8f01cfea"
    assert pdf.document_id(b"abd") != pdf.document_id(b"abc")


def test_importing_the_step_does_not_import_pypdf():
    import subprocess

    code = "import sys, rag_core.reading.pdf; sys.exit('pypdf' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2]).returncode == 0


# Bad input


def test_an_empty_file():
    with pytest.raises(EmptyFile):
        pdf.read_pages(b"")


@pytest.mark.parametrize("data", [b"<html>hello</html>", b"PK\x03\x04", b"x" * 1024 + b"%PDF-1.4"])
def test_a_file_that_is_no_pdf(data):
    with pytest.raises(NotAPdf, match="%PDF-"):
        pdf.read_pages(data)


def test_a_file_over_the_limit(monkeypatch):
    monkeypatch.setattr(pdf, "MAX_BYTES", 2 * 2**20)
    with pytest.raises(FileTooLarge, match=r"3\.0 MB.*2 MB") as caught:
        pdf.read_pages(b"%PDF-" + bytes(3 * 2**20))
    assert caught.value.values == {"size_mb": 3.0, "limit_mb": 2}


def test_a_file_at_the_limit_is_read(monkeypatch):
    monkeypatch.setattr(pdf, "MAX_BYTES", len(TWO_PAGES))
    assert texts(TWO_PAGES)[1] == "Second page"


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_cut_file(share):
    with pytest.raises(DamagedPdf, match="again"):
        pdf.read_pages(pdfs.cut_pdf(TWO_PAGES, share))


def test_a_file_without_pages():
    with pytest.raises(DamagedPdf):
        pdf.read_pages(pdfs.blank_pdf(0))


def test_a_file_that_is_nothing_but_a_header():
    with pytest.raises(DamagedPdf):
        pdf.read_pages(b"%PDF-1.7\n")


def test_a_page_that_fails_does_not_lose_the_others(caplog):
    with caplog.at_level(logging.WARNING, logger="rag_core.reading.pdf"):
        assert texts(pdfs.with_broken_page(TWO_PAGES, [1])) == ["", "Second page"]
    assert "Page 1 could not be read" in caplog.text


@pytest.mark.parametrize("fault", [RecursionError, ValueError, KeyError, TypeError, AttributeError, IndexError])
def test_any_fault_of_the_parser_costs_one_page(monkeypatch, fault):
    whole = pypdf.PageObject.extract_text

    def extract_text(page, *arguments, **settings):
        text = whole(page, *arguments, **settings)
        if "Second" in text:
            raise fault("inside the parser")
        return text

    monkeypatch.setattr(pypdf.PageObject, "extract_text", extract_text)
    assert texts(TWO_PAGES) == ["全市地区生产总值增长5.2%", ""]


def test_when_no_page_can_be_read_the_file_is_damaged():
    with pytest.raises(DamagedPdf, match="none of 2 pages"):
        pdf.read_pages(pdfs.with_broken_page(TWO_PAGES, [1, 2]))


@pytest.mark.parametrize(("pages", "limit"), [(11, 10), (40, 10)])
def test_too_many_pages(monkeypatch, pages, limit):
    monkeypatch.setattr(pdf, "MAX_PAGES", limit)
    monkeypatch.setitem(pdf._PARSER_LIMITS, "page_tree_maximum_entries", 3 * limit)
    with pytest.raises(TooManyPages, match=f"{pages} pages") as caught:
        pdf.read_pages(pdfs.blank_pdf(pages))
    assert caught.value.values == {"pages": pages, "limit": limit}


def test_as_many_pages_as_allowed(monkeypatch):
    monkeypatch.setattr(pdf, "MAX_PAGES", 2)
    assert len(texts(TWO_PAGES)) == 2


def bomb() -> bytes:
    """Inflate 40 MB of spaces from 40 kB: under pypdf's own limit, over ours."""
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(TWO_PAGES))
    stream = pypdf.generic.EncodedStreamObject()
    stream._data = zlib.compress(b" " * 40_000_000)
    stream[pypdf.generic.NameObject("/Filter")] = pypdf.generic.NameObject("/FlateDecode")
    writer.pages[0][pypdf.generic.NameObject("/Contents")] = writer._add_object(stream)
    target = io.BytesIO()
    writer.write(target)
    return target.getvalue()


def test_the_parser_is_bounded_in_a_worker_thread_too(caplog):
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(texts, bomb()).result() == ["", "Second page"]
    assert "LimitReachedError" in caplog.text


# Passwords


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_an_encrypted_file_asks_for_its_password(algorithm):
    locked = pdfs.encrypted_pdf(TWO_PAGES, user="秘密" if algorithm == "AES-256" else "secret", algorithm=algorithm)
    with pytest.raises(PasswordNeeded):
        pdf.read_pages(locked)
    with pytest.raises(PasswordNeeded):
        pdf.read_pages(locked, password="")
    with pytest.raises(WrongPassword):
        pdf.read_pages(locked, password="Secret")
    assert texts(locked, password="秘密" if algorithm == "AES-256" else "secret")[1] == "Second page"
    assert texts(locked, password="owner")[1] == "Second page"


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_an_owners_password_alone_asks_for_nothing(algorithm):
    assert texts(pdfs.encrypted_pdf(TWO_PAGES, user="", algorithm=algorithm))[1] == "Second page"


def test_a_password_for_an_open_file_is_ignored():
    assert texts(TWO_PAGES, password="secret")[1] == "Second page"


# Characters


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("⽣产总值增⻓", "生产总值增长"),
        ("⻅⺠⻝⻋⻔⻛⻜⻢⻥⻦⻩⻬⻰⻚⻉", "见民食车门风飞马鱼鸟黄齐龙页贝"),
        ("⻘年⻣干⻤怪⻁头⻆色⻨子⻧味⻮轮⺒蛇⻙编", "青年骨干鬼怪虎头角色麦子卤味齿轮巳蛇韦编"),
        ("proﬁt oﬃce aﬄuent", "profit office affluent"),
        ("\uf9d1\uf90a", "六金"),
        ("企业用⼾来了", "企业用户来了"),
        ("國民來辦⼾籍", "國民來辦戶籍"),
        ("国际㬵囊", "国际胶囊"),
        ("\uf0b7 first", "• first"),
    ],
)
def test_wrong_code_points_are_repaired(wrong, right):
    assert text.repair_characters(wrong) == right


def test_full_width_marks_and_figures_stay():
    kept = "增长，总值：（5％）！？；～①２０２４㎡™½…"
    assert text.repair_characters(kept) == kept


def test_no_radical_is_left():
    assigned = [chr(point) for point in range(0x2E81, 0x2FD6) if unicodedata.category(chr(point)) == "So"]
    assert len(assigned) == 328
    repaired = [text.repair_characters(radical) for radical in assigned]
    assert all(len(han) == 1 and unicodedata.name(han).startswith("CJK UNIFIED IDEOGRAPH") for han in repaired)


def test_what_prints_nothing_is_dropped():
    assert text.repair_characters("a\0b\u200bc\ufeffd\u00ade\u2060f\x07g") == "abcdefg"


def test_a_soft_hyphen_at_a_line_end_joins_the_word():
    assert text.repair_characters("infor\u00ad\nmation") == "information"


def test_surrogates_are_mended():
    assert text.repair_characters("x\ud835\udc65y") == "x\U0001d465y"
    text.repair_characters("x\ud835y").encode("utf-8")


# Lines

ZH = [
    "一、2023 年工作回顾",
    "全市人民深受鼓舞、倍感振奋，汇聚起奋进新征程、建功新时代的磅礴力量，地区生产总",
    "值增长 5.2%、约 4.4 万亿元。城市建设用地减量约 8",
    "平方公里，城镇调查失业率保持平稳，居民收入增长与经济增长同步，新建养老床位超过",
    "2000 张。",
    "一年来，主要做了以下工作。",
]
EN = [
    "Overview of results",
    "The Board approved the programme in March, and spending on infor-",
    "mation technology rose by 5.2 percent, which reflects the long-",
    "term strategy. Dr. Smith, who chairs the audit committee, said",
    "efficiency had improved.",
    "Outlook",
]


def test_a_chinese_paragraph_is_joined_without_spaces():
    lines = [ZH[0], ZH[1], ZH[2] + "，腾退土地二百八十二公顷，整治约 9", *ZH[3:]]
    assert text.join_lines(lines) == [
        lines[0],
        lines[1] + lines[2] + lines[3] + lines[4],
        lines[5],
    ]


def test_a_short_line_ends_its_paragraph_in_chinese():
    assert ZH[3] in text.join_lines([ZH[1], ZH[5], ZH[3]])


def test_an_english_paragraph_is_joined_with_one_space_and_whole_words():
    assert text.join_lines(EN) == [
        "Overview of results",
        "The Board approved the programme in March, and spending on information technology rose by 5.2 percent, which "
        "reflects the long-term strategy. Dr. Smith, who chairs the audit committee, said efficiency had improved.",
        "Outlook",
    ]


def test_a_ragged_right_margin_is_no_paragraph_end():
    lines = [
        "The annual report of the company describes what its board did",
        "in the year, and which of the many old sets of",
        "Internationally-acknowledged recommendations it followed there",
        "was agreed.",
    ]
    assert text.join_lines(lines) == [" ".join(lines)]
    lines[2] = "New rules were set, and the report of the company lists them"
    assert text.join_lines(lines) == [" ".join(lines[:2]), " ".join(lines[2:])]


TITLE = "关于全市二〇二四年国民经济和社会发展计划执行情况与", "二〇二五年国民经济和社会发展计划草案的报告"


@pytest.mark.parametrize(
    ("lines", "count"),
    [
        (["Why water is lost", "A broken valve under the old market", "Nobody knew", "Mains laid before 1950"], 4),
        (["为什么会漏水", "老市场地下的阀门坏了一年多没有人发现", "没有人知道", "管道铺设于一九五〇年以前"], 4),
        # One that goes on in small letters, or ends a sentence, shows that lines break at the edge.
        (
            [
                "Why",
                "A valve under the old market that was broken for",
                "years",
                "Mains laid before 1950 and never",
                "Renewed",
            ],
            4,
        ),
        (
            [
                "The valve was under the Old Market of the Northern",
                "Districts",
                "It was laid by Ann",
                "In the year 1950.",
            ],
            3,
        ),
        # Two lines that end at the same edge, letters without cases, and three lines, say nothing.
        ([TITLE[0], TITLE[0], "二〇二五年", "北京"], 2),
        ([*TITLE, "北京市"], 1),
        (["북부 지역의 수도관은 오래된 시장 아래에서 여러 해 동안 망가져", "있었다", "아무도 몰랐다", "수도"], 3),
    ],
)
def test_lines_that_each_say_all_they_have_to_say_are_not_joined(lines, count):
    assert len(text.join_lines(lines)) == count


def test_a_small_letter_goes_on_with_a_line_of_two_thirds():
    lines = [
        EN[1].replace("infor-", "it rose"),
        "It also welcomed what the head of a body",
        "committee said",
        "about it.",
    ]
    assert text.join_lines(lines) == [" ".join(lines[:3]), "about it."]


def test_a_long_web_address_makes_no_short_line_full():
    lines = [ZH[1], ZH[3], "完。", "报告全文可在以下网址查阅", "https://www.example.com/reports/annual/2024/summary"]
    assert text.join_lines(lines)[-1] == lines[-1]


def test_an_abbreviation_at_a_line_end_is_no_sentence_end():
    line = "The Board approved the programme, as was proposed to it by Dr."
    assert text.join_lines([line, "Smith"]) == [f"{line} Smith"]
    assert text.join_lines([line.replace("Dr.", "it."), "Smith"]) == [line.replace("Dr.", "it."), "Smith"]


def test_a_page_that_is_one_endless_line_is_read_in_time():
    endless = "1 a.b " * 20_000 + " 1" * 30_000 + "x"
    started = time.process_time()
    line = text.tidy_spaces(text.join_lines([endless, endless])[0])
    assert len(split([Page(1, line)], "window")) > 1000
    assert time.process_time() - started < 10


@pytest.mark.parametrize(
    "mark", ["（一）", "第二章 ", "1. ", "2、", "3) ", "• ", "① ", "表1 ", "1.2. ", "2.3 The ", "Table 4 "]
)
def test_a_heading_or_list_mark_begins_a_line(mark):
    item = f"{mark}落实各项任务"
    assert text.join_lines([ZH[1], item])[1] == item


@pytest.mark.parametrize("line", ["4.4 万亿元。", "8 平方公里。", "5G 基站三万个。", "一体化综合监管。"])
def test_a_figure_at_the_start_of_a_line_is_no_list_mark(line):
    assert text.join_lines([ZH[1], line]) == [ZH[1] + line]


@pytest.mark.parametrize("number", ["3", "- 3 -", "第 3 页", "3 / 13", "Page 3 of 13", "第3页 共13页"])
def test_a_page_number_is_joined_to_nothing(number):
    assert text.join_lines([ZH[1], number]) == [ZH[1], number]
    assert text.join_lines([number, ZH[1]]) == [number, ZH[1]]


def test_an_indented_line_begins_a_paragraph():
    assert len(text.join_lines([ZH[1], "\u3000\u3000" + ZH[3]])) == 2
    assert len(text.join_lines([ZH[1], " " + ZH[3]])) == 2


def test_a_margin_shared_by_all_lines_is_no_indent():
    assert len(text.join_lines(["    " + ZH[1], "    " + ZH[3]])) == 1


def test_table_cells_stay_on_lines_of_their_own():
    cells = ["区县", "地区生产总值", "增速", "鹤汀区", "1092.7", "3.8", "望潮区", "1012.9", "6.8"]
    assert text.join_lines(cells) == cells
    assert text.join_lines([*cells * 4, ZH[1], ZH[3]]) == [*cells * 4, ZH[1] + ZH[3]]


def test_table_rows_stay_on_lines_of_their_own():
    rows = [
        "Total operating expenses of the group 1,234.5 1,345.6",
        "Net revenue from continued operations 2,234.5 (3.2%)",
    ]
    assert text.join_lines(rows) == rows


def test_a_narrow_column_under_wide_text_is_joined():
    wide = ["The abstract runs over the whole width of the page and says in long lines what the paper is about"] * 4
    column = [
        "In the column below it, every line",
        "Is about half as wide, which a width",
        "Taken from the page would call short",
    ] * 4
    assert text.join_lines([*wide, *column])[-1].count("Is about half as wide, which a width Taken") == 4


def test_blank_lines_after_every_line_say_nothing():
    spaced = [line for text in (ZH[1], ZH[3], "完。") for line in (text, " ")]
    assert text.join_lines(spaced) == [ZH[1] + ZH[3] + "完。"]


def test_a_single_blank_line_ends_a_paragraph():
    assert text.join_lines([ZH[1], ZH[3], "", ZH[1], ZH[3]]) == [ZH[1] + ZH[3]] * 2


@pytest.mark.parametrize(
    ("former", "line", "words", "joined"),
    [
        ("全市人民", "深受鼓舞", "", "全市人民深受鼓舞"),
        ("减量约 8", "平方公里", "", "减量约 8平方公里"),
        ("he said “yes”", "and left", "", "he said “yes” and left"),
        ("the infor-", "mation", "", "the information"),
        ("the infor\u2010", "mation", "", "the information"),
        ("a high-", "quality plan", "", "a high-quality plan"),
        ("a long-", "term plan", "", "a long-term plan"),
        ("a risk-", "based plan", "risk-based", "a risk-based plan"),
        ("a long-", "itude", "longitude", "a longitude"),
        ("state-of-the-", "art tools", "", "state-of-the-art tools"),
        ("Franco-", "German", "", "Franco-German"),
        ("2023-", "2024", "", "2023-2024"),
        ("wait -", "no", "", "wait - no"),
    ],
)
def test_two_lines(former, line, words, joined):
    assert text.join_two(former, line, frozenset([words])) == joined


# Spaces


@pytest.mark.parametrize(
    ("spaced", "tidy"),
    [
        ("增长 5.2%、约 4.4 万亿元", "增长5.2%、约4.4万亿元"),
        ("新增 5G 基站 3 万个", "新增5G基站3万个"),
        ("2023 年工作", "2023年工作"),
        ("增长 5.2% 左右", "增长5.2%左右"),
        ("使用 Python 编程", "使用Python编程"),
        ("一、 总则 ， 其他", "一、总则，其他"),
        ("慰问 “23·7” 群众", "慰问“23·7”群众"),
        ("第一章 总则", "第一章 总则"),
        ("目 录", "目 录"),
        ("张 三 李 明", "张三李明"),
        ("政 府 工 作 报 告", "政府工作报告"),
        ("Hello  big\u3000world 5 %", "Hello big world 5 %"),
        ("he said “yes” and left", "he said “yes” and left"),
        ("地区生产总值 43760.7 5.2%", "地区生产总值 43760.7 5.2%"),
    ],
)
def test_spaces(spaced, tidy):
    assert text.tidy_spaces(spaced) == tidy


# Real files


def test_a_page_with_one_glyph_per_line_is_read_as_lines():
    data = pdfs.glyph_pdf("全市地区生产总值增长5.2%、约4.4万亿元。", "The Board approved it")
    assert text.is_glyph_per_line(pypdf.PdfReader(io.BytesIO(data)).pages[0].extract_text())
    assert texts(data) == ["全市地区生产总值增长5.2%、约4.4万亿元。\nThe Board approved it"]


@pytest.mark.skipif(not REPORT.exists(), reason="the 2024 report is not beside this checkout")
def test_the_report_reads_in_whole_sentences():
    pages = pdf.read_pages(REPORT.read_bytes())
    whole = "\n".join(page.text for page in pages)
    assert len(pages) == 13
    assert "一般公共预算收入增长8.2%、突破6000亿元" in whole
    assert "全市地区生产总值增长5.2%、约4.4万亿元" in whole
    assert "一、2023年工作回顾" in whole.split("\n")
    assert "（十一）加快构建大安全大应急框架，全力维护首都安全稳定" in whole.split("\n")


@pytest.mark.skipif(not pdfs.CHROMIUM, reason="chromium is not installed")
def test_a_page_printed_by_chromium(tmp_path):
    chinese = "用户和民生得到保障，青年见面，长城脚下的风车、飞鸟、马匹与鱼，地区生产总值增长5.2%，骨干齐心。"
    english = (
        "The Board approved the programme, and spending on information technology rose by 5.2 percent in the year. "
    )
    html = f'<html lang="zh-CN"><meta charset="utf-8"><p>{chinese * 3}完</p><p lang="en">{english * 3}End.</p></html>'
    data = pdfs.printed_pdf(html, tmp_path)
    assert "⻓" in pypdf.PdfReader(io.BytesIO(data)).pages[0].extract_text()
    assert texts(data) == [f"{chinese * 3}完\n{english * 3}End."]
