"""The verdict on a page's text: what is good stays good, and every kind of garbage is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rag_core.datatypes import Extract
from rag_core.reading import extract, quality
from rag_core.reading.quality import assess, is_interleaved

ZH = (
    "全市一般公共预算收入增长百分之八点二，突破六千亿元大关。城镇调查失业率为百分之四点一，居民消费价格总体平稳。"
    "新建和改造公园二十处，绿化面积不断扩大。"
)
EN = "Revenue of the utility grew by eight percent in the year, mostly because of new customers in the north."
TABLE = "指标 2022 2023\n财政收入 5,714.4 6,181.1\n增长率 % 2.6 8.2\n失业率 % 4.7 4.4\n人口（万人） 2,184.3 2,185.8"
CONTENTS = "\n".join(f"第{n}章 概况 ............................................ {n}" for n in range(1, 9))
POEM = "床前明月光，疑是地上霜。\n举头望明月，低头思故乡。"
TRADITIONAL = (
    "臺灣的鐵路系統始建於清朝，其後經過多次擴建，現在由國營的鐵路公司營運，"
    "每年運送旅客超過兩億人次，是島上最重要的交通工具之一。"
)


TO_FILL_IN = "申请人姓名：\n身份证号码：□□□□□□□□□□□□□□□□□□\n联系电话：\n是否首次申请：□是 □否\n" + ZH


@pytest.mark.parametrize("text", [ZH, EN, TABLE, CONTENTS, POEM, TRADITIONAL, ZH + EN, "2024", "– 3 –", TO_FILL_IN])
def test_what_people_write_is_good(text):
    assert assess(text).verdict == "good"


@pytest.mark.parametrize(
    ("text", "verdict", "reason"),
    [
        (ZH + "\ufffd" * 3, "doubtful", "replacement"),
        ("\ufffd" * 30 + ZH[:20], "unreadable", "replacement"),
        ("".join(chr(0xE000 + n) for n in range(40)), "unreadable", "private"),
        (ZH + "\ue001\ue002\ue003", "doubtful", "private"),
        ("锟斤拷" * 10 + ZH, "unreadable", "unlikely"),
        ("ä¸­å›½ç»�æµŽå¢žé•¿ " * 8, "unreadable", "unlikely"),
        ("Ã©tÃ© Ã  la plage, cafÃ© crÃ¨me et thÃ© glacÃ© " * 3, "unreadable", "unlikely"),
        ("(cid:12)(cid:44)(cid:3)" * 20, "unreadable", "unlikely"),
        ("\x01\x03\x05\x06" * 20, "unreadable", "unlikely"),
        ("".join(chr(0x6000 + 37 * n) for n in range(80)), "unreadable", "uncommon"),
        ("5HYHQXHRIWKHXWLOLWBJUHZEBHLJKWSHUFHQWLQWKHBHDU" * 3, "unreadable", "uncommon"),
        ("¡¢£⁄¥ƒ§¤«‹›°†‡" * 5, "doubtful", "symbols"),
        ("□□□□□□，□□□□□□□□。□□□□□□□□□。", "unreadable", "symbols"),
        (EN + " " + "▯▯▯▯▯ ▯▯▯▯▯▯▯▯ " * 4, "doubtful", "symbols"),
        ("全 市 一 般 公 共 预 算 收 入 增 长", "doubtful", "spaced"),
        ("Revenueoftheutilitygrewbyeightpercentintheyearmostlybecauseofnewcustomers. " * 2, "doubtful", "glued"),
    ],
)
def test_garbage_is_named(text, verdict, reason):
    found = assess(text)
    assert found.verdict == verdict
    assert reason in found.reasons


def test_what_cleaning_takes_away_is_counted_in_the_raw_text():
    assert assess("", raw="\x01\x02\x03\x04" * 10).verdict == "unreadable"
    assert assess(EN, raw=EN.replace(" ", "\x02\n")).verdict == "good"


@pytest.mark.parametrize(
    ("text", "marks", "verdict", "reasons"),
    [
        ("", ("pictures",), "unreadable", ("image_only",)),
        ("12", ("pictures",), "unreadable", ("image_only",)),
        ("", ("drawn",), "unreadable", ("image_only",)),
        ("", (), "good", ("blank",)),
        (ZH, ("pictures",), "good", ()),
        (ZH, ("vertical",), "doubtful", ("vertical",)),
    ],
)
def test_a_page_is_judged_by_what_it_shows_too(text, marks, verdict, reasons):
    found = assess(text, marks)
    assert (found.verdict, found.reasons) == (verdict, reasons)


def test_figures_are_shares_of_what_is_written():
    found = assess("a\ufffd \ue001b")
    assert (found.characters, found.replacement, found.private, found.unlikely) == (4, 0.25, 0.25, 0.0)
    assert assess("全 市 一 般公 共预算收入增长").spaced == pytest.approx(7 / 12)


def test_the_gravest_reason_comes_first():
    assert assess(ZH + "\ue001\ue002\ue003", ("vertical",)).reasons[-1] in ("private", "vertical")
    assert assess("\ufffd" * 30 + "全 市 一 般 公 共 预 算 收 入 增 长").reasons[0] == "replacement"


def test_every_reason_has_a_name():
    assert set(quality.REASONS) >= {"image_only", "blank", "vertical", "columns"}


NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven")
NOMBRES = ("un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix", "onze")
LEFT = [f"{word} in the left column {word[::-1]}" for word in NUMBERS]
RIGHT = [f"{word} in the right column {word}" for word in NOMBRES]
COLUMNS = "\n".join(LEFT + RIGHT)


def test_a_page_read_across_its_columns_is_interleaved():
    across = "\n".join(f"{one} {other}" for one, other in zip(LEFT, RIGHT, strict=True))
    assert is_interleaved(across, COLUMNS)
    assert not is_interleaved(" ".join(LEFT + RIGHT), COLUMNS)


def test_extracts_come_back_as_they_were():
    extracts = {"pypdf": Extract(ZH, assess(ZH)), "ocr": Extract("", assess("", ("pictures",)))}
    assert quality.load(quality.dump(extracts)) == extracts
    assert json.loads(quality.dump(extracts))


@pytest.mark.parametrize("name", ["city-report-zh", "annual-report-en"])
def test_no_page_of_a_sample_is_doubted(name):
    data = (Path(__file__).parents[2] / "data" / "samples" / f"{name}.pdf").read_bytes()
    assert {one.quality.verdict for page in extract.read(data) for one in page.extracts.values()} == {"good"}


def test_no_page_of_a_real_report_is_doubted(report):
    assert {page.chosen.quality.verdict for page in extract.read(report)} == {"good"}
