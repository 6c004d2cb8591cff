"""Build pages whose layout is hard to read, and say of each what a person reads on it.

``python tests/support/layouts.py FOLDER`` writes them into a folder; ``CASES`` is what the tests read.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from pypdf import PdfReader, PdfWriter
from pypdf.generic import NameObject, NumberObject, RectangleObject
from reportlab.lib.pagesizes import A4
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

HAN, LATIN, BOLD = "STSong-Light", "Helvetica", "Helvetica-Bold"
pdfmetrics.registerFont(UnicodeCIDFont(HAN))

Draw = Callable[[Canvas], None]


class Case(NamedTuple):
    """A page, and what stands in its text and what does not; a line break ends a line of the text."""

    kind: str
    name: str
    data: bytes
    wanted: Sequence[str]
    unwanted: Sequence[str] = ()


def page(draw: Draw, size: tuple[float, float] = A4) -> bytes:
    """Return a page of this size with what ``draw`` puts on it."""
    target = io.BytesIO()
    canvas = Canvas(target, pagesize=size, invariant=1)
    draw(canvas)
    canvas.showPage()
    canvas.save()
    return target.getvalue()


def changed(data: bytes, rotate: int = 0, shift: tuple[float, float] = (0, 0), crop: Sequence[float] = ()) -> bytes:
    """Give a page another rotation, another origin or a crop box, which is named in the old origin."""
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(data)))
    sheet = writer.pages[0]
    right, up = shift
    if shift != (0, 0):
        sheet.add_transformation((1, 0, 0, 1, right, up))
        sheet.mediabox = RectangleObject(
            (right, up, right + float(sheet.mediabox.width), up + float(sheet.mediabox.height))
        )
    if crop:
        left, bottom, far, top = crop
        sheet[NameObject("/CropBox")] = RectangleObject((left + right, bottom + up, far + right, top + up))
    sheet[NameObject("/Rotate")] = NumberObject(rotate)
    target = io.BytesIO()
    writer.write(target)
    return target.getvalue()


def font_of(text: str) -> str:
    return HAN if any(character >= "\u2e80" for character in text) else LATIN


def put(canvas: Canvas, x: float, y: float, text: str, size: float = 10, font: str = "") -> None:
    canvas.setFont(font or font_of(text), size)
    canvas.drawString(x, y, text)


def columns(
    *texts: Sequence[str], lefts: Sequence[float], top: float = 740, size: float = 10, step: float = 16
) -> Draw:
    """Draw columns row by row across all of them, as some programs paint."""

    def draw(canvas: Canvas) -> None:
        for row in range(max(map(len, texts))):
            for left, lines in zip(lefts, texts, strict=True):
                if row < len(lines):
                    put(canvas, left, top - step * row, lines[row], size)

    return draw


def after(*draws: Draw) -> Draw:
    """Draw one after the other."""

    def draw(canvas: Canvas) -> None:
        for one in draws:
            one(canvas)

    return draw


def table(
    rows: Sequence[Sequence[str]], lefts: Sequence[float], top: float = 740, size: float = 11, right: bool = False
) -> Draw:
    """Draw the rows of a table, its figures flush right where ``right`` says so."""

    def draw(canvas: Canvas) -> None:
        for number, row in enumerate(rows):
            for column, (left, cell) in enumerate(zip(lefts, row, strict=True)):
                canvas.setFont(font_of(cell), size)
                place = canvas.drawRightString if right and column else canvas.drawString
                place(left, top - 20 * number, cell)

    return draw


def turned(draw: Draw, degrees: int) -> Draw:
    """Draw everything turned counter-clockwise on an A4 page."""
    width, height = A4

    def turn(canvas: Canvas) -> None:
        canvas.translate(*{0: (0, 0), 90: (height, 0), 180: (width, height), 270: (0, width)}[degrees])
        canvas.rotate(degrees)
        draw(canvas)

    return turn


EN_LEFT = [
    "Winter came early to the valley and",
    "closed the upper road for nine weeks.",
    "The mail was carried on skis by two",
    "brothers who lived below the glacier",
    "and knew every hut along the route.",
    "Each trip took them four days, and in",
    "January they turned back three times.",
    "People still tell their children how",
    "the younger one slept in a barn that",
]
EN_RIGHT = [
    "In the spring the council decided to",
    "build a tunnel under the pass. Money",
    "was borrowed from a bank in the south",
    "and paid back from the toll, which no",
    "farmer had to pay. The work was done",
    "by men from six villages, who dug for",
    "three years. When the first lorry went",
    "through, the brothers sat beside the",
    "driver and held the mail on their lap.",
]
ZH_LEFT = [
    "图书馆新馆建在老城区的河边，从开工到",
    "落成一共用了三年时间。馆内设有阅览座",
    "位一千二百个，儿童阅览区占了整整一层",
    "。周末常有家长带着孩子来听故事，志愿",
    "者轮流讲解。馆方还为视障读者准备了有",
    "声读物和盲文图书，预约以后可以送书上",
    "门。去年借出图书六十万册，比前年多了",
    "近一成。",
]
ZH_RIGHT = [
    "夜间开放是读者提得最多的要求。从今年",
    "五月起，一楼自习区开放到晚上十一点，",
    "门口的公交线路也相应延长了末班车时间",
    "。管理员实行两班制，保安每小时巡查一",
    "次。试行三个月以来，夜间读者平均每天",
    "两百多人，多数是准备考试的学生和下班",
    "以后来看书的职工，座位基本够用，秩序",
    "良好。",
]
EN_WANTED = ["carried on skis by two brothers who lived below", "borrowed from a bank in the south and paid back"]
EN_UNWANTED = ["valley and In the spring", "two was borrowed"]
ZH_WANTED = ["馆内设有阅览座位一千二百个", "志愿者轮流讲解", "一楼自习区开放到晚上十一点，门口的公交线路"]
ZH_UNWANTED = ["从开工到夜间开放", "整整一层。管理员"]
EN_POINTS = [
    "How the town library changed last year",
    "Visitors on weekdays rose by a third after the longer opening hours",
    "Most of them read for an hour or two",
    "Next step: a quiet room for pupils on the second floor",
    "Open question: who pays for the lift",
]
ZH_POINTS = [
    "去年图书馆的变化",
    "延长开放时间以后工作日的读者人数增加了三分之一",
    "多数读者停留一到两个小时",
    "下一步在二楼为中小学生增设一间安静的自习室",
    "电梯的费用由谁承担尚未确定",
]
TWO_EN = columns(EN_LEFT, EN_RIGHT, lefts=(60, 320))
TWO_ZH = columns(ZH_LEFT, ZH_RIGHT, lefts=(60, 320))


def _boxes() -> Iterable[Case]:
    en, zh = page(TWO_EN), page(TWO_ZH)
    for language, data, wanted, unwanted in (("en", en, EN_WANTED, EN_UNWANTED), ("zh", zh, ZH_WANTED, ZH_UNWANTED)):
        yield Case("K1", f"crop-{language}", changed(data, crop=(50, 200, 560, 780)), wanted, unwanted)
        yield Case("K1", f"below-zero-{language}", changed(data, shift=(-700, -450)), wanted, unwanted)
        yield Case(
            "K1",
            f"far-origin-{language}",
            changed(data, shift=(4000, 2500), crop=(40, 100, 580, 800)),
            wanted,
            unwanted,
        )
        yield Case("K1", f"rotate-180-{language}", changed(data, rotate=180), wanted, unwanted)
        yield Case(
            "K1", f"rotate-270-crop-{language}", changed(data, 270, (100, 60), (50, 90, 570, 790)), wanted, unwanted
        )
    for degrees in (90, 180, 270):
        size = A4 if degrees == 180 else A4[::-1]
        upright = page(turned(TWO_ZH if degrees == 90 else TWO_EN, degrees), size)
        wanted = ZH_WANTED if degrees == 90 else EN_WANTED
        yield Case("K1", f"upright-{degrees}", changed(upright, rotate=degrees), wanted)
    slide = after(
        lambda canvas: put(canvas, 60, 500, "二〇二四年供水情况", 28),
        lambda canvas: put(canvas, 60, 440, "漏损率由百分之十九降到百分之十五", 18),
        lambda canvas: put(canvas, 60, 400, "北部干管计划在明年夏天更换", 18),
    )
    upright = page(turned(slide, 90), A4[::-1])
    yield Case("K1", "slide-zh", changed(upright, rotate=90), ["漏损率由百分之十九降到百分之十五\n北部干管"])
    yield from _slides()


def _slides() -> Iterable[Case]:
    """Yield slides whose points are of different length, with and without marks before them, turned every way."""
    for language, points in {"en": EN_POINTS, "zh": ZH_POINTS}.items():
        for mark in ("", "• "):
            lines = [mark + point for point in points]
            slide = after(*(partial(put, x=60, y=700 - 40 * n, text=line, size=14) for n, line in enumerate(lines)))
            for degrees in (0, 90, 180, 270):
                size = A4 if degrees in (0, 180) else A4[::-1]
                data = changed(page(turned(slide, degrees), size), rotate=degrees)
                name = f"points-{'marked-' if mark else ''}{language}-{degrees}"
                yield Case("K1", name, data, ["\n".join(lines)])


# Bold that is faked by painting again

EN_BOOK = [
    "The bookkeeper still needs all committee notes before",
    "noon. Ms Hill will tell Anna Hooper which cells differ,",
    "and the address book goes back to the office tomorrow.",
]
ZH_BOOK = [
    "请大家再看看这份清单，把高高兴兴报名的人都写上去。",
    "一一核对以后，年年都要办的活动今年照常办，渐渐成例。",
]
EN_BOOK_WANTED = [
    "bookkeeper still needs all committee notes before noon. Ms Hill will tell Anna Hooper which cells differ"
]
ZH_BOOK_WANTED = ["请大家再看看这份清单，把高高兴兴报名的人都写上去。", "一一核对以后，年年都要办的活动"]


def again_by_line(lines: Sequence[str], times: int, offset: float, size: float = 12) -> Draw:
    def draw(canvas: Canvas) -> None:
        for row, line in enumerate(lines):
            for number in range(times):
                put(canvas, 70 + offset * number, 740 - 18 * row, line, size)

    return draw


def again_by_character(lines: Sequence[str], times: int, offset: float, size: float = 12) -> Draw:
    def draw(canvas: Canvas) -> None:
        for row, line in enumerate(lines):
            x = 70.0
            for character in line:
                for number in range(times):
                    put(canvas, x + offset * number, 740 - 18 * row, character, size, font_of(line))
                x += canvas.stringWidth(character, font_of(line), size)

    return draw


def again_by_page(lines: Sequence[str], times: int, offset: float) -> Draw:
    def draw(canvas: Canvas) -> None:
        for number in range(times):
            for row, line in enumerate(lines):
                put(canvas, 70 + offset * number, 740 - 18 * row - offset * number, line, 12)

    return draw


def again_by_word(lines: Sequence[str], times: int, offset: float) -> Draw:
    def draw(canvas: Canvas) -> None:
        for row, line in enumerate(lines):
            x = 70.0
            for word in line.split(" "):
                for number in range(times):
                    put(canvas, x + offset * number, 740 - 18 * row, word, 12)
                x += canvas.stringWidth(word + " ", font_of(line), 12)

    return draw


def _bold() -> Iterable[Case]:
    ways = {"line": again_by_line, "character": again_by_character, "page": again_by_page, "word": again_by_word}
    for way, draw in ways.items():
        for times, offset in ((2, 0.3), (3, 0.2), (4, 0.15), (2, 0.0), (2, 0.6), (2, 1.2)):
            for language, lines, wanted in (("en", EN_BOOK, EN_BOOK_WANTED), ("zh", ZH_BOOK, ZH_BOOK_WANTED)):
                name = f"{way}-{times}-{offset}-{language}"
                yield Case(
                    "K2", name, page(draw(lines, times, offset)), wanted, ["TThh", "请请", "noon. noon", "清单清单"]
                )
    head = after(again_by_character(["第三章 读者服务"], 2, 0.4, 18), columns(ZH_BOOK, lefts=(70,), top=700, size=12))
    yield Case("K2", "heading-zh", page(head), ["第三章 读者服务\n请大家再看看"])
    head = after(
        again_by_character(["Notes of the meeting"], 3, 0.3, 18), columns(EN_BOOK, lefts=(70,), top=700, size=12)
    )
    yield Case("K2", "heading-en", page(head), ["Notes of the meeting\nThe bookkeeper still"])
    yield Case("K2", "not-bold-en", page(columns(EN_BOOK, lefts=(70,), size=12)), EN_BOOK_WANTED)
    yield Case("K2", "not-bold-zh", page(columns(ZH_BOOK, lefts=(70,), size=12)), ZH_BOOK_WANTED)
    for language, lines in (("en", EN_BOOK[:2]), ("zh", [ZH_BOOK[0] + ZH_BOOK[1], ZH_BOOK[0]])):
        # Lines of which the last is long: both times they are read as one paragraph.
        twice = page(again_by_page(lines, 2, 0.0))
        yield Case(
            "K2", f"paragraph-{language}", twice, lines[:1][:20], [f"{lines[1]}\n{lines[0]}", lines[1] + lines[0]]
        )
    turned_bold = changed(page(turned(again_by_character(EN_BOOK, 2, 0.3), 90), A4[::-1]), rotate=90)
    yield Case("K2", "turned-en", turned_bold, EN_BOOK_WANTED)


# Tables and columns

EN_COSTS = [
    ("Rent of the reading room", "48,200"),
    ("Heating and electric light", "17,350"),
    ("Books that were bought", "92,000"),
    ("Binding and small repairs", "6,480"),
    ("Wages of the two librarians", "131,900"),
    ("Insurance against fire", "3,275"),
    ("Unforeseen expenses", "1,150"),
]
ZH_COSTS = [
    ("阅览室房租", "48,200元"),
    ("取暖和照明", "17,350元"),
    ("新书购置费", "92,000元"),
    ("装订与维修", "6,480元"),
    ("馆员工资及津贴", "131,900元"),
    ("火灾保险", "3,275元"),
]


def _tables() -> Iterable[Case]:
    en, zh = [f"{label}\t{figure}" for label, figure in EN_COSTS], [f"{label}\t{figure}" for label, figure in ZH_COSTS]
    yield Case("K4", "paired-en", page(table(EN_COSTS, (70, 400))), en)
    yield Case("K4", "paired-zh", page(table(ZH_COSTS, (70, 330))), zh)
    yield Case("K4", "paired-right-en", page(table(EN_COSTS, (70, 480), right=True)), en)
    long = [
        (label, f"{figure} euro, which is {number} percent more") for number, (label, figure) in enumerate(EN_COSTS, 2)
    ]
    yield Case("K4", "long-right-cells-en", page(table(long, (70, 310))), [f"{label}\t{cell}" for label, cell in long])
    answers = [
        ("是否已经办理读者证", "是"),
        ("是否参加过读书会活动", "否"),
        ("是否愿意接收短信通知", "是"),
        ("是否需要送书上门", "否"),
        ("是否有不满十二岁的孩子", "是"),
    ]
    yield Case("K4", "answers-zh", page(table(answers, (70, 330))), [f"{label}\t{cell}" for label, cell in answers])
    four = [
        ("Branch", "Visitors", "Loans", "Staff"),
        ("North", "12,300", "45,100", "4"),
        ("South", "9,870", "30,200", "3"),
        ("Harbour", "15,020", "51,900", "6"),
    ]
    yield Case("K4", "four-cells-en", page(table(four, (70, 200, 300, 420))), ["\t".join(row) for row in four])
    lower = [
        ("keeper of the reading room", "the elder of the two brothers"),
        ("place of the meetings", "the hall behind the mill"),
        ("carrier of the mail", "a son of the baker"),
        ("dates of the fair", "every first sunday in may"),
        ("price of a ticket", "two loaves of bread or the like"),
        ("language of the notes", "mostly french"),
    ]
    yield Case("K4", "small-letters-en", page(table(lower, (70, 310))), [f"{label}\t{cell}" for label, cell in lower])
    below = after(
        table(ZH_COSTS, (70, 330), top=740),
        columns(
            ["本表各项费用均已经过审计，数字以元为单位，不含向上级借入的周转资金，详细说", "明见附件。"],
            lefts=(70,),
            top=560,
        ),
    )
    yield Case("K4", "table-then-text-zh", page(below), [*zh, "详细说明见附件。"])
    wrapped = after(
        columns(["Grants that were received from", "the county for the new wing"], lefts=(70,), top=700),
        lambda canvas: put(canvas, 400, 684, "250,000"),
        columns(["Donations of the readers"], lefts=(70,), top=660),
        lambda canvas: put(canvas, 400, 660, "12,400"),
    )
    yield Case(
        "K4",
        "wrapped-label-en",
        page(wrapped),
        ["Grants that were received from the county for the new wing\t250,000\nDonations of the readers\t12,400"],
    )


def beside(facts: Sequence[str], text: Sequence[str]) -> Draw:
    """Draw short lines beside two paragraphs whose lines stand at other heights."""
    parts = (facts[:3], 734), (facts[3:], 678)
    aside = [columns(lines, lefts=(60,), top=top, step=12) for lines, top in parts]
    return after(*aside, columns(text[:4], lefts=(220,), step=12), columns(text[4:], lefts=(220,), top=684, step=12))


def _columns() -> Iterable[Case]:
    thin_left = [
        "Winter came early and",
        "closed the upper road",
        "for nine weeks. Mail",
        "was carried on skis by",
        "two brothers who lived",
        "below the glacier and",
        "knew every hut there.",
    ]
    thin_mid = [
        "In spring the council",
        "decided to build a",
        "tunnel. Money came",
        "from a bank and was",
        "paid back by the toll",
        "that no farmer had to",
        "pay in any season.",
    ]
    thin_right = [
        "The work was done by",
        "men of six villages",
        "who dug three years.",
        "When the first lorry",
        "went through the hill",
        "both brothers sat by",
        "the driver and sang.",
    ]
    wanted = [
        "closed the upper road for nine weeks. Mail was carried on skis by two brothers",
        "decided to build a tunnel. Money came from a bank",
        "who dug three years. When the first lorry went through",
    ]
    yield Case(
        "K4",
        "three-en",
        page(columns(thin_left, thin_mid, thin_right, lefts=(50, 220, 390))),
        wanted,
        ["early and In spring"],
    )
    four = page(columns(thin_left, thin_mid, thin_right, thin_mid, lefts=(30, 170, 310, 450)))
    yield Case("K4", "four-en", four, wanted, ["early and In spring"])
    zh = [
        [
            "图书馆新馆建在老城区的",
            "河边，从开工到落成一共",
            "用了三年时间。馆内设有",
            "阅览座位一千二百个，儿",
            "童阅览区占了整整一层，",
            "周末常有家长带着孩子来",
        ],
        [
            "夜间开放是读者提得最多",
            "的要求。从今年五月起，",
            "一楼自习区开放到晚上十",
            "一点，公交线路的末班车",
            "也相应推迟，管理员实行",
            "两班制，每小时巡查一次",
        ],
        [
            "去年全馆借出图书六十万",
            "册，比前年增长一成。新",
            "书到馆以后三天之内就可",
            "以上架，读者推荐的书目",
            "有八成买到，其余的通过",
            "馆际互借从省馆调来借阅",
        ],
    ]
    zh_wanted = [
        "建在老城区的河边，从开工到落成一共用了三年时间。馆内设有阅览座位一千二百个，儿童阅览区",
        "从今年五月起，一楼自习区开放到晚上十一点",
        "新书到馆以后三天之内就可以上架",
    ]
    yield Case("K4", "three-zh", page(columns(*zh, lefts=(50, 220, 390))), zh_wanted, ["老城区的夜间"])
    titled = after(lambda canvas: put(canvas, 120, 770, "How the mail crossed the mountain in winter", 16), TWO_EN)
    yield Case(
        "K4", "title-en", page(titled), ["How the mail crossed the mountain in winter\n", *EN_WANTED], EN_UNWANTED
    )
    offset = after(columns(EN_LEFT, lefts=(60,), top=740), columns(EN_RIGHT, lefts=(320,), top=733))
    yield Case("K4", "unequal-heights-en", page(offset), EN_WANTED)
    both = after(columns(ZH_LEFT, ZH_RIGHT, lefts=(60, 320), top=740), table(ZH_COSTS, (70, 330), top=560))
    yield Case("K4", "columns-then-table-zh", page(both), [*ZH_WANTED, "取暖和照明\t17,350元"], ZH_UNWANTED)
    uneven = columns(EN_LEFT, EN_RIGHT[:5], lefts=(60, 320))
    yield Case("K4", "uneven-en", page(uneven), EN_WANTED[:1], EN_UNWANTED)
    facts = ["At a glance", "Opened in the third", "summer of the work.", "Run by two brothers", "until they grew old."]
    yield Case("K4", "sidebar-en", page(beside(facts, EN_LEFT)), [EN_WANTED[0], "\nuntil they grew old.\nWinter came"])
    facts = ["馆内须知", "请先存包。", "自习区座位", "当天有效。", "保持安静。"]
    yield Case("K4", "sidebar-zh", page(beside(facts, ZH_LEFT)), [ZH_WANTED[0], "\n当天有效。\n保持安静。\n图书馆新馆"])
    caption = after(
        columns(["Figure 2. The brothers on the way up to the pass"], lefts=(200,), top=780),
        columns(EN_LEFT, lefts=(60,), top=740),
        columns(EN_RIGHT, lefts=(330,), top=753),
    )
    yield Case(
        "K4",
        "caption-above-en",
        page(caption),
        ["Figure 2. The brothers on the way up to the pass\n", *EN_WANTED],
        EN_UNWANTED,
    )
    abstract = [
        "This account of two winters was put together from letters and from what the brothers told",
        "their nieces.",
    ]
    begun = after(
        columns(abstract, lefts=(60,), top=800),
        columns(EN_RIGHT, lefts=(320,), top=751),
        columns(EN_LEFT, lefts=(60,), top=735),
    )
    yield Case("K4", "abstract-above-en", page(begun), ["told their nieces.\n", *EN_WANTED], EN_UNWANTED)
    tight = columns(EN_LEFT, EN_RIGHT, lefts=(60, 250))
    yield Case("K4", "tight-gutter-en", page(tight), EN_WANTED, EN_UNWANTED)


# Rows


def lifted(canvas: Canvas, x: float, y: float, *pieces: tuple[str, float, float]) -> None:
    """Draw pieces one behind the other, each in its size and so much above the base line."""
    for text, size, rise in pieces:
        put(canvas, x, y + rise, text, size)
        x += canvas.stringWidth(text, font_of(text), size)


def pieces(*of: tuple[str, float, float]) -> Draw:
    return lambda canvas: lifted(canvas, 70, 740, *of)


def _rows() -> Iterable[Case]:
    rows = [
        ("指标", "2022年", "2023年", "同比"),
        ("读者证发放量", "8,120", "9,450", "16.4%"),
        ("流通人次", "310,200", "352,900", "13.8%"),
        ("读书会场次", "—", "48", "不适用"),
    ]
    yield Case("K5", "table-zh", page(table(rows, (70, 250, 360, 470), right=True)), ["\t".join(row) for row in rows])
    en = [
        ("Item", "2022", "2023", "Change"),
        ("Net result", "(4,120)", "9,450", "n/a"),
        ("Cash at hand", "310,200", "352,900", "13.8%"),
        ("Debt", "88,000", "80,000", "-9.1%"),
    ]
    yield Case("K5", "table-en", page(table(en, (70, 250, 360, 470))), ["\t".join(row) for row in en])

    def by_column(canvas: Canvas) -> None:
        for left, cells in zip((70, 250, 360, 470), zip(*en, strict=True), strict=True):
            for number, cell in enumerate(cells):
                put(canvas, left, 740 - 20 * number, cell, 11)

    yield Case("K5", "painted-by-column-en", page(by_column), ["\t".join(row) for row in en])
    square = pieces(("新馆占地 1.2 万 m", 12, 0), ("2", 7, 5), ("，绿地率达到百分之四十。", 12, 0))
    yield Case("K5", "square-zh", page(square), ["万m2，绿地率"])
    water = pieces(
        ("Every litre of H", 11, 0),
        ("2", 7, -3),
        ("O held 3 mg of CO", 11, 0),
        ("2", 7, -3),
        (" when it was tested.", 11, 0),
    )
    yield Case("K5", "subscripts-en", page(water), ["litre of H2O held 3 mg of CO2 when it was tested."])
    note = pieces(
        ("The wing opened in May", 11, 0),
        ("3)", 6, 5),
        (" and was full by June", 11, 0),
        ("4", 6, 5),
        (", so a second one is planned.", 11, 0),
    )
    yield Case("K5", "notes-en", page(note), ["opened in May3) and was full by June4, so a second one"])
    mixed = pieces(("全年借出 ", 12, 0), ("612,300", 18, 0), (" 册次，创下新高。", 12, 0))
    yield Case("K5", "mixed-sizes-zh", page(mixed), ["全年借出612,300册次，创下新高。"])
    power = pieces(("每升水中的细菌总数不超过 10", 12, 0), ("5", 7, 5), (" 个，合格率为百分之百。", 12, 0))
    yield Case("K5", "power-zh", page(power), ["不超过105个，合格率"])


# The order of painting

EN_PARTS = [
    ["First the surveyors came and measured the bank of the river between the mill", "and the old bridge."],
    ["Then the council asked three builders what a wall of that length would cost", "in stone and in concrete."],
    ["At last the wall was built in the summer of the following year, and the river", "has stayed in its bed since."],
]
ZH_PARTS = [
    ["起初，测量队来到河边，把磨坊到老桥之间的堤岸从头到尾量了一遍，并且绘制了", "详细的图纸。"],
    ["随后，镇里向三家施工单位询价，分别比较了石砌和混凝土两种做法的费用与工期", "，张榜公布。"],
    ["最后，堤坝在第二年夏天建成，从那以后河水再没有漫过河床，两岸的菜地年年都", "有好收成。"],
]


def parts(texts: Sequence[Sequence[str]], order: Iterable[int], title: str, first: bool = False) -> Draw:
    """Draw a title and paragraphs where they belong, in another order."""

    def head(canvas: Canvas) -> None:
        put(canvas, 70, 770, title, 16)

    def body(canvas: Canvas) -> None:
        for number in order:
            for row, line in enumerate(texts[number]):
                put(canvas, 70, 730 - 50 * number - 15 * row, line, 11)

    return after(head, body) if first else after(body, head)


def _painted() -> Iterable[Case]:
    en_title, zh_title = "A wall along the river", "河堤是怎样修起来的"
    in_order = [f"{en_title}\nFirst the surveyors", "old bridge.\nThen the council", "in concrete.\nAt last the wall"]
    zh_order = [f"{zh_title}\n起初，测量队", "绘制了详细的图纸。\n随后", "张榜公布。\n最后"]
    for name, order in (("heading-last", (0, 1, 2)), ("backwards", (2, 1, 0)), ("middle-last", (0, 2, 1))):
        yield Case("K17", f"{name}-en", page(parts(EN_PARTS, order, en_title)), in_order)
        yield Case("K17", f"{name}-zh", page(parts(ZH_PARTS, order, zh_title)), zh_order)
    right_first = after(columns(EN_RIGHT, lefts=(320,)), columns(EN_LEFT, lefts=(60,)))
    yield Case(
        "K17",
        "right-column-first-en",
        page(right_first),
        EN_WANTED,
    )
    many = [f"{number}. {line}" for number, line in enumerate((EN_LEFT + EN_RIGHT) * 2, 1)]
    long = after(columns(many, lefts=(70,), top=720), lambda canvas: put(canvas, 70, 770, "Mail", 16))
    yield Case("K17", "heading-last-long-en", page(long), ["Mail\n1. Winter"])
    yield Case("K17", "in-order-en", page(parts(EN_PARTS, (0, 1, 2), en_title, first=True)), in_order)

    def shuffled(canvas: Canvas) -> None:
        for row in (3, 0, 6, 1, 5, 2, 7, 4):
            put(canvas, 70, 740 - 18 * row, ZH_LEFT[row], 12)

    yield Case(
        "K17",
        "shuffled-zh",
        page(shuffled),
        ["共用了三年时间。馆内设有阅览座位一千二百个", "声读物和盲文图书，预约以后可以送书上门。"],
    )


# Narrow columns

ZH_NARROW = [
    [
        "图书馆新馆建在老",
        "城区的河边，从开",
        "工到落成用了三年",
        "时间。馆内设有阅",
        "览座位一千二百个",
        "，儿童阅览区占了",
        "整整一层，很受欢",
        "迎。",
    ],
    [
        "夜间开放是读者提",
        "得最多的要求。今",
        "年五月起，自习区",
        "开放到晚上十一点",
        "，公交车的末班车",
        "也推迟了，管理员",
        "实行两班制，秩序",
        "良好。",
    ],
]


def justified(lines: Sequence[str], left: float, width: float, size: float = 8) -> Draw:
    """Draw lines of which each fills its column, word by word, with even gaps however wide; the last does not."""

    def draw(canvas: Canvas) -> None:
        for row, line in enumerate(lines):
            words = line.split(" ")
            room = width - sum(canvas.stringWidth(word, LATIN, size) for word in words)
            gap, x = room / (len(words) - 1) if row < len(lines) - 1 else size / 4, left
            for word in words:
                put(canvas, x, 740 - 12 * row, word, size)
                x += canvas.stringWidth(word, LATIN, size) + gap

    return draw


def _narrow() -> Iterable[Case]:
    wanted = [
        "图书馆新馆建在老城区的河边，从开工到落成用了三年时间。馆内设有阅览座位一千二百个，儿童阅览区占了整整一层，很受欢迎。",
        "夜间开放是读者提得最多的要求。今年五月起，自习区开放到晚上十一点，公交车的末班车也推迟了，管理员实行两班制，秩序良好。",
    ]
    yield Case("K18", "eight-zh", page(columns(*ZH_NARROW, lefts=(60, 200), size=12)), wanted)
    yield Case("K18", "eight-three-zh", page(columns(*ZH_NARROW, ZH_NARROW[0], lefts=(60, 200, 340), size=12)), wanted)
    whole = after(columns(ZH_NARROW[0], lefts=(60,), size=12), columns(ZH_NARROW[1], lefts=(200,), size=12))
    yield Case("K18", "painted-whole-zh", page(whole), wanted)
    turned_narrow = changed(page(turned(columns(*ZH_NARROW, lefts=(60, 200), size=12), 90), A4[::-1]), rotate=90)
    yield Case("K18", "turned-zh", turned_narrow, wanted)
    en_one = [
        "Winter came early to",
        "the valley and closed",
        "the road for weeks. A",
        "pair of brothers car-",
        "ried all the mail on",
        "skis to the villages.",
    ]
    en_two = [
        "In spring the council",
        "built a tunnel. Money",
        "came from a bank that",
        "was paid back by tolls",
        "which no farmer had to",
        "pay in any season.",
    ]
    en_wanted = [
        "Winter came early to the valley and closed the road for weeks. A pair of brothers carried all the mail",
        "In spring the council built a tunnel. Money came from a bank that was paid back by tolls which no farmer",
    ]
    yield Case("K18", "narrow-en", page(columns(en_one, en_two, lefts=(60, 220))), en_wanted)
    even = page(after(justified(en_one, 60, 86), justified(en_two, 170, 86)))
    yield Case("K18", "justified-en", even, en_wanted, ["\t"])
    yield Case(
        "K18",
        "narrow-crop-en",
        changed(page(columns(en_one, en_two, lefts=(60, 220))), crop=(40, 500, 400, 800)),
        en_wanted,
    )


# What looks like columns or bold and is neither


def _guards() -> Iterable[Case]:
    """Yield pages on which a list, leaders or a large faint word stand; their headings are painted last."""
    en_title, body = "What the library lends", []
    for number, mark in enumerate(("•", "2.", "(c)")):
        body.append((mark, 700 - 40 * number, "Books for four weeks, and longer when nobody else has"))
        body.append(("", 685 - 40 * number, "asked for them before they are due at the desk."))

    def listed(canvas: Canvas) -> None:
        for mark, y, line in body:
            put(canvas, 70, y, mark)
            put(canvas, 95, y, line)
        put(canvas, 70, 760, en_title, 16)

    whole = "Books for four weeks, and longer when nobody else has asked for them before they are due at the desk."
    yield Case("guard", "list-en", page(listed), [f"{en_title}\n", f"• {whole}", f"2. {whole}", f"(c) {whole}"])

    def large(canvas: Canvas) -> None:
        canvas.setFillGray(0.8)
        put(canvas, 90, 660, "DRAFT", 110)
        canvas.setFillGray(0)
        columns(EN_BOOK, lefts=(70,), top=730, size=12, step=18)(canvas)
        put(canvas, 70, 770, en_title, 16)

    yield Case("guard", "large-word-en", page(large), [*EN_BOOK_WANTED, f"{en_title}\n"])

    def contents(canvas: Canvas) -> None:
        put(canvas, 70, 700, "How the library came to the valley " + ". " * 30 + "5", 11)
        put(canvas, 70, 680, "What it lends and to whom " + ". " * 36 + "12", 11)
        put(canvas, 70, 760, en_title, 16)

    yield Case(
        "guard",
        "leaders-en",
        page(contents),
        [f"{en_title}\nHow the library came to the valley .", "\nWhat it lends and to whom ."],
    )


# Spaces inside words


def spread(lines: Sequence[str], pitch: float, size: float = 9) -> Draw:
    """Draw every letter by itself, at the same distance."""

    def draw(canvas: Canvas) -> None:
        for row, line in enumerate(lines):
            for column, letter in enumerate(line):
                if letter != " ":
                    put(canvas, 50 + pitch * column, 740 - 20 * row, letter, size)

    return draw


def kerned(lines: Sequence[str], wide: float, word: float, size: float = 11) -> Draw:
    """Draw every letter so far behind the one before it, in parts of the size, and words farther."""

    def draw(canvas: Canvas) -> None:
        for row, line in enumerate(lines):
            x = 50.0
            for letter in line:
                if letter == " ":
                    x += word * size
                    continue
                put(canvas, x, 740 - 20 * row, letter, size)
                x += canvas.stringWidth(letter, LATIN, size) + wide * size

    return draw


def _spaced() -> Iterable[Case]:
    lines = ["The mail was carried on skis", "by two brothers from the hut", "below the glacier in winter."]
    wanted = ["was carried on skis", "two brothers from the hut", "below the glacier in winter."]
    yield Case("spaces", "pitch-11", page(spread(lines, 11)), wanted)
    yield Case("spaces", "pitch-14", page(spread(lines, 14, 12)), wanted)
    for wide, word in ((0.3, 0.9), (0.2, 0.7), (0.12, 0.4), (0.0, 0.25), (0.5, 1.2)):
        yield Case("spaces", f"kerned-{wide}", page(kerned(lines, wide, word)), wanted)
    heading = after(
        kerned(["ANNUAL REPORT OF THE LIBRARY"], 0.35, 1.0, 16), columns(EN_BOOK, lefts=(70,), top=680, size=12)
    )
    yield Case("spaces", "heading", page(heading), ["ANNUAL REPORT OF THE LIBRARY\n", *EN_BOOK_WANTED])
    literal = columns(
        [
            "T h e   m a i l   w a s   c a r r i e d   o n   s k i s",
            "b y   t w o   b r o t h e r s   f r o m   t h e   h u t",
        ],
        lefts=(60,),
        size=10,
    )
    yield Case("spaces", "literal", page(literal), ["was carried on skis", "two brothers from the hut"])


CASES: list[Case] = [
    case for cases in (_boxes, _bold, _tables, _columns, _rows, _painted, _narrow, _guards, _spaced) for case in cases()
]


if __name__ == "__main__":
    for case in CASES:
        (Path(sys.argv[1]) / f"{case.kind}-{case.name}.pdf").write_bytes(case.data)
