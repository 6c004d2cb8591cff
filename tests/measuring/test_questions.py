"""Question files as people bring them: every kind by at least six inputs, each read exactly."""

from __future__ import annotations

import io
import time
import zipfile
from pathlib import Path

import openpyxl
import pytest

from rag_core.datatypes import Judgment, Span
from rag_core.errors import (
    BadFile,
    BadJson,
    BadRow,
    BadWorkbook,
    NoQuestionColumn,
    NotText,
    OpenQuote,
    QuestionsTooLarge,
    TooManyLines,
)
from rag_core.measuring import records, workbook
from rag_core.measuring.columns import COLUMNS
from rag_core.measuring.questions import read_questions

INPUTS = Path(__file__).parents[3] / "shared" / "inputs"


def judgment(question: str, quote: str, page: int = 0, grade: int = 2, **more: str) -> Judgment:
    return Judgment(question, Span(page, 0, quote, more.get("document", "")), grade, more.get("judge", ""))


def asked(data: bytes | str) -> tuple[str, ...]:
    return read_questions(data.encode() if isinstance(data, str) else data).questions


def judged(data: bytes | str) -> tuple[Judgment, ...]:
    return read_questions(data.encode() if isinstance(data, str) else data).judgments


# Encodings

SIMPLIFIED = "question,page\n全市去年新建了多少公里地铁？,3\n居民人均可支配收入增长多少？,5\n"
TRADITIONAL = "question,page\n本公司去年度的營業收入是多少？,3\n哪些部門的員工人數增加了？,5\n"
JAPANESE = "question,page\n昨年度の営業利益はいくらですか？,3\n図書館は何時に開きますか？,5\n"
GERMAN = "question,page\nWer übernimmt die Kosten für die Straße?,3\nWie groß ist die Fläche der Gärten?,5\n"
FRENCH = "question,page\nQuel est le chiffre d’affaires de l’année ?,3\nOù a été signé l’accord ?,5\n"
SPANISH = "question,page\n¿Cuándo subió el río?,3\n¿Quién pagó la señal?,5\n"


@pytest.mark.parametrize(
    ("text", "codec", "encoding"),
    [
        (SIMPLIFIED, "utf-8", "UTF-8"),
        (SIMPLIFIED, "utf-8-sig", "UTF-8"),
        (SIMPLIFIED, "utf-16", "UTF-16 LE"),
        (SIMPLIFIED, "utf-16-le", "UTF-16 LE"),
        (SIMPLIFIED, "utf-16-be", "UTF-16 BE"),
        (SIMPLIFIED, "gb18030", "GB18030"),
        (TRADITIONAL, "utf-8", "UTF-8"),
        (TRADITIONAL, "utf-16-be", "UTF-16 BE"),
        (TRADITIONAL, "gb18030", "GB18030"),
        (TRADITIONAL, "big5", "Big5"),
        (JAPANESE, "utf-8", "UTF-8"),
        (JAPANESE, "utf-16-le", "UTF-16 LE"),
        (JAPANESE, "shift_jis", "Shift-JIS"),
        (GERMAN, "cp1252", "Windows-1252"),
        (FRENCH, "cp1252", "Windows-1252"),
        (SPANISH, "cp1252", "Windows-1252"),
        (FRENCH, "utf-8", "UTF-8"),
        (FRENCH, "utf-16-le", "UTF-16 LE"),
    ],
)
def test_the_encoding_is_told(text, codec, encoding):
    found = read_questions(text.encode(codec))
    assert found.source.encoding == encoding
    assert found.questions == tuple(line.split(",")[0] for line in text.splitlines()[1:])


SIX = {
    "simplified": "净利润同比增长多少？|谁负责河道清理？|哪些小区完成改造？|"
    "申请材料交到哪里？|合同何时到期？|停车位有多少个？",
    "traditional": "淨利潤較去年增加多少？|誰負責清理河道？|圖書館幾點開門？|"
    "申請資料應送到哪裡？|合約何時到期？|停車位共有幾個？",
    "japanese": "純利益はどれだけ増えましたか？|河川の清掃は誰が担当しますか？|図書館は何時に開きますか？|"
    "申請書はどこへ出しますか？|契約はいつ切れますか？|駐車場は何台分ありますか？",
    "western": "Où se réunit le conseil ?|Wer trägt die Kosten für Öl?|¿Cuál es el año?|Quem são os cidadãos?|"
    "Hur många bor på ön?|What is the board’s fee in £?",
}
CODECS = {
    "simplified": ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gb18030"),
    "traditional": ("utf-8", "utf-16-le", "utf-16-be", "gb18030", "big5"),
    "japanese": ("utf-8", "utf-16-le", "utf-16-be", "shift_jis"),
    "western": ("utf-8", "utf-16-le", "utf-16-be", "cp1252"),
}


@pytest.mark.parametrize("question", range(6))
@pytest.mark.parametrize(("texts", "codec"), [(texts, codec) for texts in SIX for codec in CODECS[texts]])
def test_a_file_of_one_question_tells_its_encoding(texts, codec, question):
    text = SIX[texts].split("|")[question]
    assert asked(f"question,page\r\n{text},3\r\n".encode(codec)) == (text,)


@pytest.mark.parametrize(
    ("question", "codec"),
    [
        ("谁参加会议？", "gb18030"),
        ("收入多少？", "gb18030"),
        ("何时开始？", "utf-16-le"),
        ("今年營收多少？", "big5"),
        ("利益はいくら？", "shift_jis"),
        ("Où est-il né ?", "cp1252"),
        ("How much was it in €?", "cp1252"),
        ("什么时候？", "utf-8"),
    ],
)
def test_a_few_characters_tell_the_encoding(question, codec):
    assert asked(f"{question}\n".encode(codec)) == (question,)


def test_another_encoding_can_be_chosen():
    data = "question\n銀行\n".encode("big5")
    assert "GB18030" in read_questions(data).source.possible
    assert read_questions(data, "Big5").questions == ("銀行",)
    with pytest.raises(NotText):
        read_questions("question\n利益はいくら？\n".encode("shift_jis"), "UTF-8")


# Separators, line ends, quotes

WANTED = (
    judgment("Who pays, and when?", "the owner; at once", 3, 1),
    judgment("谁付款？", "由业主付，立即", 4, 2),
)


def table(separator: str, end: str = "\n", quoted: bool = True) -> str:
    mark = '"' if quoted else ""
    rows = [
        ("question", "page", "quote", "grade"),
        (f"{mark}Who pays, and when?{mark}", "3", f"{mark}the owner; at once{mark}", "1"),
        ("谁付款？", "4", f"{mark}由业主付，立即{mark}", "2"),
    ]
    return "".join(separator.join(row) + end for row in rows)


@pytest.mark.parametrize("separator", [",", ";", "\t", "，", "；", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_separator_and_line_end_is_read(separator, end):
    found = read_questions(table(separator, end).encode())
    assert (found.judgments, found.source.separator) == (WANTED, separator)


@pytest.mark.parametrize(
    "text",
    [
        "sep=;\n" + table(";"),
        "sep=;\r\n" + table(";", "\r\n"),
        '"sep=;"\n' + table(";"),
        "SEP=^\n" + table("^"),
        "sep=\t\n" + table("\t", quoted=False),
        "sep=,\n" + table(","),
        "sep=;\r" + table(";", "\r"),
    ],
)
def test_a_line_that_names_the_separator_is_obeyed(text):
    assert judged(text) == WANTED


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('question,quote\nq?,"one\ntwo"\n', ("q?", "one\ntwo")),
        ('question,quote\r\nq?,"one\r\ntwo"\r\n', ("q?", "one\r\ntwo")),
        ('question,quote\rq?,"one\rtwo"\r', ("q?", "one\rtwo")),
        ('question,quote\nq?,"say ""yes"""\n', ("q?", 'say "yes"')),
        ('question, quote\nq?, "one, two"\n', ("q?", "one, two")),
        ('question,quote\n"Yes" or no?,a 12" pipe\n', ('"Yes" or no?', 'a 12" pipe')),
        ('question,quote\n"q?","x"', ("q?", "x")),
        ('question,quote\n"one\n\ntwo?",x\n', ("one two?", "x")),
    ],
)
def test_cells_in_quotes_hold_anything(text, expected):
    assert [(row.question, row.span.quote) for row in judged(text)] == [expected]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('question,quote\nA?,"open\nB?,x\n', 2),
        ('question,quote\nA?,x\nB?,"open\nC?,"x"\nD?,y\n', 3),
        ('question,quote\nA?,"a\nb"\n"B?,x\nC?,y\n', 4),
        ('question;quote\r\nA?;"open\r\nB?;x\r\n', 2),
        ('question,quote\rA?,"x"\rB?,"open\rC?,y\r', 3),
        ('question,quote\n"two\nlines?","open\nB?,x\n', 3),
        ('question,quote\nA?,"x" and "y\n', 2),
        ("question,quote\n" + "A?,x\n" * 40 + 'B?,"open\n' + "C?,y\n" * 40, 42),
    ],
)
def test_an_open_quote_is_found_where_it_opened(text, line):
    with pytest.raises(OpenQuote) as told:
        asked(text)
    assert told.value.values["line"] == line
    assert f"line {line}:" in str(told.value)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("q?", None),
        ("q?,3", None),
        ("q?,3,words", judgment("q?", "words", 3)),
        ("q?,3,words,1", judgment("q?", "words", 3, 1)),
        ("q?,,words", judgment("q?", "words")),
        ("q?,3,words,1,me,,,", judgment("q?", "words", 3, 1, judge="me")),
    ],
)
def test_what_a_row_lacks_is_blank(row, expected):
    text = f"question,page,quote,grade,judge\n{row}\nnext?,1,more,0,you\n"
    assert judged(text) == tuple(filter(None, [expected, judgment("next?", "more", 1, 0, judge="you")]))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("question,page,quote\nWho pays, and when?,3,words\n", judgment("Who pays, and when?", "words", 3)),
        ("question,page,quote\nWho pays?,3,one, two, three\n", judgment("Who pays?", "one, two, three", 3)),
        ("question,page,quote\nWho, when?,3,one, two\n", judgment("Who, when?", "one, two", 3)),
        ("question,page,quote,grade\nWho?,3,one,two,1\n", judgment("Who?", "one,two", 3, 1)),
        ("page;question;grade;quote\n3;Who; when?;1;words\n", judgment("Who; when?", "words", 3, 1)),
        ("question;page;quote;grade;notes\nWho?;3;one; two;2;\n", judgment("Who?", "one; two", 3)),
        ("问题，页码，原文\n谁付款，何时付？，3，业主付\n", judgment("谁付款，何时付？", "业主付", 3)),
    ],
)
def test_a_text_that_was_cut_is_joined_where_there_is_one_way_to(text, expected):
    found = read_questions(text.encode())
    assert (found.judgments, found.source.joined) == ((expected,), 1)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("question,quote\nWho, when?,words\n", 2),
        ("question,quote\nq?,a\nr?,b,c\n", 3),
        ("question,grade\nq,1,2\n", 2),
        ("question,page,quote\nWho?,1,2,words\n", 2),
        ("question;quote;judge\nq?;a;b;c\n", 2),
        ("question,page,quote\n" + "q?,1,x\n" * 3 + "q?,x,y,z\n", 5),
    ],
)
def test_a_row_that_could_be_joined_in_several_ways_is_named(text, line):
    with pytest.raises(BadRow) as told:
        asked(text)
    assert told.value.values["line"] == line


@pytest.mark.parametrize(
    ("page", "expected"),
    [("3", 3), ("3.0", 3), ("３", 3), ("３．０", 3), ("p. 3", 3), ("第3页", 3), ("3 頁", 3), (" 3 ", 3), ("", 0)],
)
def test_pages_are_read_as_people_write_them(page, expected):
    assert judged(f"question,page,quote\nq?,{page},x\n") == (judgment("q?", "x", expected),)


@pytest.mark.parametrize(
    ("grade", "expected"), [("2", 2), ("2.0", 2), ("２", 2), ("１．０", 1), ("0.00", 0), (" 1", 1), ("", 2)]
)
def test_grades_are_read_as_people_write_them(grade, expected):
    assert judged(f"question,quote,grade\nq?,x,{grade}\n") == (judgment("q?", "x", grade=expected),)


# Columns


@pytest.mark.parametrize(
    ("header", "unread"),
    [
        ("question,page,quote,grade,judge,document", ()),
        ("Query,Page No.,Passage,Relevance,Annotator,Doc ID", ()),
        ("问题,页码,原文,等级,评判人,文档", ()),
        ("查询,页,引文,相关性,标注者,文件名", ()),
        ("問題,頁碼,引文,等級,評判人,檔案", ()),
        ("QUESTION (required),page_number,Quote:,Grade [0-2],Judged by,file", ()),
        ("\u200bquestion,Ｐａｇｅ,quote（原话）,rating,rater,doc", ()),
        ("id,question,page,quote,grade,judge,document,answer", ("id", "answer")),
        ("text,question,page,quote,grade,judge,document", ("text",)),
    ],
)
def test_columns_have_english_and_chinese_names(header, unread):
    names = header.split(",")
    cells = {"id": "7", "text": "no", "answer": "no"}
    values = iter(["q?", "3", "words", "1", "me", "d1"])
    row = ",".join(cells.get(name) or next(values) for name in names)
    found = read_questions(f"{header}\n{row}\n".encode())
    assert found.judgments == (judgment("q?", "words", 3, 1, judge="me", document="d1"),)
    assert found.source.unread == unread


def test_no_name_stands_for_two_columns():
    names = [name for column in COLUMNS.values() for name in column]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    "text",
    [
        "Frage;Seite;Zitat\nWer zahlt?;3;der Besitzer\n",
        "Frage\nWer zahlt?\nWann?\n",
        "pregunta,página\n¿Quién paga?,3\n¿Cuándo?,4\n",
        "编号，内容，备注\n1，谁付款？，无\n2，何时？，无\n",
        "page,quote,grade\n3,words,1\n",
        "id\tbody\n1\tWho pays?\n2\tWhen?\n",
        "1\tWho pays?\n2\tWhen?\n",
        "Who pays?,3,words\nWhen?,4,more\n",
        "sep=;\nFrage;Seite\nWer zahlt?;3\n",
        '{"frage": "Wer zahlt?"}\n',
    ],
)
def test_a_table_of_unknown_columns_is_refused_with_the_names_it_may_have(text):
    with pytest.raises(NoQuestionColumn) as told:
        asked(text)
    assert {"question", "query", "问题", "查询"} <= {*told.value.values["names"].split(", ")}
    assert told.value.values["found"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Who pays?\nWhen?\n", ("Who pays?", "When?")),
        ("Who pays, and when?\nWhere, if at all?\n", ("Who pays, and when?", "Where, if at all?")),
        ("谁付款，何时付？\n在哪里？\n", ("谁付款，何时付？", "在哪里？")),
        ('"Yes" or no?\n"open, and shut?\n', ('"Yes" or no?', '"open, and shut?')),
        ("net profit 2024\noperating income\n", ("net profit 2024", "operating income")),
        ("[1] Who pays?\n{x} is what?\n", ("[1] Who pays?", "{x} is what?")),
        ("Who pays?\rWhen?\r", ("Who pays?", "When?")),
        ("revenue, growth", ("revenue, growth",)),
        ("question\nWho pays, and when?\nWhy; how?\n", ("Who pays, and when?", "Why; how?")),
        ("问题\n谁付款，何时付？\n", ("谁付款，何时付？",)),
    ],
)
def test_a_list_is_read_a_question_a_line(text, expected):
    assert asked(text) == expected


@pytest.mark.parametrize(
    "title", ["Our questions", "评测问题集，2024", "Draft; do not share", "v1.2", "问卷（内部）", "Q3, Q4"]
)
def test_the_header_may_stand_below_a_title(title):
    assert judged(f"{title}\n\n{table(',')}") == WANTED


# JSON


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"question": "q?", "page": 3, "quote": "x", "grade": 1}\n', (judgment("q?", "x", 3, 1),)),
        ('{"query": "q?", "page": 3.0, "passage": "x", "rel": "２"}', (judgment("q?", "x", 3, 2),)),
        ('{"问题": "谁？", "页码": "第3页", "原文": "业主"}\r\n', (judgment("谁？", "业主", 3),)),
        ('[{"question": "q?", "quote": "x"}, {"question": "r?", "quote": null}]', (judgment("q?", "x"),)),
        ('\n{"question": "q?", "quote": "a\\nb\u2028c", "meta": {"k": [1]}}\n\n', (judgment("q?", "a\nb\u2028c"),)),
        ('{"question": "q?"}\n{"question": "r?", "quote": "x"}\n', (judgment("r?", "x"),)),
    ],
)
def test_json_is_read(text, expected):
    found = read_questions(text.encode())
    assert (found.judgments, found.source.form) == (expected, records.JSON)


def test_the_queries_of_beir_are_questions():
    rows = '{"_id": "q1", "text": "Who pays?", "metadata": {}}\n{"_id": "q2", "text": "何时？", "metadata": {}}\n'
    found = read_questions(rows.encode())
    assert (found.questions, found.source.unread) == (("Who pays?", "何时？"), ("_id", "metadata"))
    assert asked('["Who pays?", "When?"]') == ("Who pays?", "When?")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('{"question": "q?"}\n{"question": "r?"\n', 2),
        ('{"question": "q?"\n', 1),
        ('{"question": "q?"}\n\nno object\n', 3),
        ('{"question": "q?"}\n["r?"]\n', 2),
        ('{"question": ["q?", "r?"]}\n', 1),
        ('{"question": "q?"}\n{"question": "r?", "quote": "x", "page": [3]}', 2),
        ('{"question": "q?", "quote": "x", "grade": true}', 1),
        ('{"question": "q?"}\n{"question": ' + "[" * 100_000 + "\n", 2),
    ],
)
def test_a_line_that_is_no_such_object_is_named(text, line):
    with pytest.raises(BadJson) as told:
        asked(text)
    assert told.value.values["line"] == line


# Workbooks


def book(*sheets: list[list[object]]) -> bytes:
    made, file = openpyxl.Workbook(), io.BytesIO()
    made.remove(made.active)
    for number, rows in enumerate(sheets, start=1):
        sheet = made.create_sheet(f"Sheet {number}")
        for row in rows:
            sheet.append(row)
    made.save(file)
    return file.getvalue()


HEADER = ["question", "page", "quote", "grade"]


@pytest.mark.parametrize(
    ("sheets", "expected"),
    [
        ([[HEADER, ["q?", 3, "x", 1]]], (judgment("q?", "x", 3, 1),)),
        ([[HEADER, ["q?", 3.0, "x, y; z", 2.0], [None, None]]], (judgment("q?", "x, y; z", 3, 2),)),
        ([[["问题", "页码", "原文"], ["谁？", "３", "业主"]]], (judgment("谁？", "业主", 3),)),
        ([[["Questions of 2024"], [], HEADER, ["q?", None, "x"]]], (judgment("q?", "x"),)),
        ([[], [["notes"], ["about"]], [HEADER, ["q?", 3, "x", 1]]], (judgment("q?", "x", 3, 1),)),
        ([[HEADER, ["q?", 3, "x", 1, "a note"], ["r?"]]], (judgment("q?", "x", 3, 1),)),
        ([[[None, *HEADER], [None, "q?", 3, "a\nb", 0]]], (judgment("q?", "a\nb", 3, 0),)),
    ],
)
def test_a_workbook_is_read(sheets, expected):
    assert judged(book(*sheets)) == expected


def test_one_column_without_a_header_is_a_list():
    assert asked(book([["Who pays, and when?"], [], ["Why?"]])) == ("Who pays, and when?", "Why?")


@pytest.mark.parametrize("rows", [[["Frage", "Seite"], ["Wer?", 3]], [["Frage"], ["Wer?"]], [["q?", 3], ["r?", 4]]])
def test_a_workbook_of_unknown_columns_is_refused(rows):
    with pytest.raises(NoQuestionColumn):
        asked(book(rows))


def test_formulas_are_not_run():
    made, file = openpyxl.Workbook(), io.BytesIO()
    for row in (HEADER, ["q?", "=1+2", "x", 1], ["r?", 4, "=HYPERLINK(1)", 1]):
        made.active.append(row)
    made.save(file)  # by a program that computes nothing, so no values are kept
    assert judged(file.getvalue()) == (judgment("q?", "x", 0, 1),)


def unpacking_to(size: int) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("xl/worksheets/sheet1.xml", b" " * size)
    return file.getvalue()


def laughing() -> bytes:
    """Make a workbook whose sheet's entities stand for ten times the last, again and again."""
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    sheet = (
        f'<!DOCTYPE s [<!ENTITY l0 "ha">{entities}]><worksheet><sheetData><row r="1"><c t="str"><v>&l11;</v></c></row>'
    )
    file, made = io.BytesIO(), zipfile.ZipFile(io.BytesIO(book([["question"], ["q?"]])))
    with zipfile.ZipFile(file, "w") as package:
        for name in made.namelist():
            text = f"{sheet}</sheetData></worksheet>".encode() if "sheet1" in name else made.read(name)
            package.writestr(name, text)
    return file.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        b"PK\x03\x04 and no more",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
        unpacking_to(10),
        unpacking_to(workbook.MOST_UNPACKED + 1),
        book([HEADER])[:-40],
        laughing(),
    ],
    ids=["cut off", "old or encrypted", "another package", "too large", "without an end", "entities"],
)
def test_what_is_no_workbook_is_refused_at_once(data):
    begun = time.process_time()
    with pytest.raises(BadWorkbook):
        asked(data)
    assert time.process_time() - begun < 1


# Sizes


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("q\n", TooManyLines),
        ("What is the amount of this?\n", QuestionsTooLarge),
        ("谁\n", TooManyLines),
        ("\n", TooManyLines),
        ('"q",3,"x"\n', TooManyLines),
        ("q\r", TooManyLines),
    ],
)
@pytest.mark.parametrize("codec", ["utf-8", "gb18030", "utf-16"])
def test_a_million_lines_are_refused_at_once(line, error, codec):
    data = ("question,page,quote\n" + line * 1_000_000).encode(codec)
    begun = time.process_time()
    with pytest.raises(error if len(data) <= records.MOST_BYTES else QuestionsTooLarge):
        asked(data)
    assert time.process_time() - begun < 1


def test_many_rows_of_a_workbook_are_refused(monkeypatch):
    monkeypatch.setattr(records, "MOST_LINES", 5)
    assert len(asked(book([["question"], *[[f"q{n}?"] for n in range(4)]]))) == 4
    with pytest.raises(TooManyLines):
        asked(book([["question"], *[[f"q{n}?"] for n in range(6)]]))


# What was given as examples

SHARED = {
    "csv-big5.csv": ("公司今年的營業收入是多少?",),
    "csv-cr-only.csv": ("A?", "B?"),
    "csv-quotes-typographic.csv": ("What was found?", "What was significant?", "What did flow do?"),
    "csv-ragged.csv": ("When did the river rise?", "Who voted?"),
    "csv-semicolon.csv": ("When did the river rise?", "Who voted?"),
    "csv-zh-header.csv": ("河水何时上涨？",),
}


@pytest.mark.skipif(not INPUTS.exists(), reason="the inputs are not beside the repository")
@pytest.mark.parametrize("name", SHARED)
def test_the_shared_inputs_are_read(name):
    assert asked((INPUTS / name).read_bytes()) == SHARED[name]


def test_every_refusal_is_a_bad_file():
    assert all(
        issubclass(error, BadFile) for error in (OpenQuote, BadJson, BadWorkbook, TooManyLines, QuestionsTooLarge)
    )
