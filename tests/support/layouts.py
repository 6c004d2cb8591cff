"""Build pages whose layout is hard to read, and say of each what a person reads on it.

``python tests/support/layouts.py FOLDER`` writes them into a folder; ``CASES`` is what the tests read.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterable, Sequence
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


CASES: list[Case] = [*_boxes()]


if __name__ == "__main__":
    for case in CASES:
        (Path(sys.argv[1]) / f"{case.kind}-{case.name}.pdf").write_bytes(case.data)
