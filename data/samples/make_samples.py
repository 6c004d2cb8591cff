"""Set the texts in ``source/`` as the two sample PDFs.

Run ``python data/samples/make_samples.py``. The same source and the same font give the same bytes.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

from reportlab.lib import textsplit
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import (
    BaseDocTemplate,
    Flowable,
    Frame,
    HRFlowable,
    KeepTogether,
    PageTemplate,
    Paragraph,
    Spacer,
    Table,
)

HERE = Path(__file__).parent
FONT_FILE = "wqy-microhei.ttc"
FONT_FOLDERS = ("/usr/share/fonts", "~/.local/share/fonts", "~/.fonts", "~/Library/Fonts", "/Library/Fonts")
FONT_MISSING = (
    f"The Chinese sample needs {FONT_FILE}, which was not found. "
    "Install it (Debian, Ubuntu: apt-get install fonts-wqy-microhei) or name it with --font PATH."
)
EXIT_FONT_MISSING = 3

INK, NOTE, ACCENT = HexColor("#1f2933"), HexColor("#52606d"), HexColor("#1d4e89")
RULE, SHADE = HexColor("#b8c4d2"), HexColor("#eef3f8")
# reportlab keeps most closing marks off the start of a line; these full-width ones it does not know.
textsplit.ALL_CANNOT_START += "，；：！？”》"

MARGIN = 25 * mm
WIDTH = A4[0] - 2 * MARGIN


@dataclass(frozen=True)
class Design:
    """What differs between the two documents."""

    language: str
    author: str
    body: str
    heading: str
    size: float
    leading: float
    indent: float
    page_label: str


DESIGNS = {
    "city-report-zh": Design("zh-CN", "汀澜市人民政府", "MicroHei", "MicroHei", 11, 19.6, 22, "第 {} 页"),
    "annual-report-en": Design(
        "en-GB", "Harrowmere Utilities plc", "Times-Roman", "Helvetica-Bold", 11, 15.6, 0, "Page {}"
    ),
}


def find_font(folders: tuple[str, ...] = FONT_FOLDERS) -> Path | None:
    found = (path for folder in folders for path in Path(folder).expanduser().rglob(FONT_FILE))
    return next(found, None)


def styles(design: Design) -> dict[str, ParagraphStyle]:
    """Name the style of each mark in the source; the empty name is plain text."""
    wrap = "CJK" if design.language.startswith("zh") else None
    base = ParagraphStyle("base", fontName=design.body, fontSize=design.size, leading=design.leading, textColor=INK)

    def style(name: str, **changes: object) -> ParagraphStyle:
        return ParagraphStyle(name, base, wordWrap=wrap, **changes)

    def heading(name: str, size: float, before: float, **changes: object) -> ParagraphStyle:
        look = {"fontName": design.heading, "textColor": ACCENT, "keepWithNext": 1} | changes
        return style(name, fontSize=size, leading=size * 1.4, spaceBefore=before, spaceAfter=size * 0.4, **look)

    return {
        "#": heading("title", 21, 12, alignment=1),
        "##": heading("section", 15, 14),
        "###": heading("part", 11.5, 8, textColor=INK),
        ">": style("note", fontSize=9.5, leading=15, alignment=1, spaceAfter=16, textColor=NOTE),
        "": style("text", firstLineIndent=design.indent, alignment=4, spaceAfter=5, allowWidows=0, allowOrphans=0),
        "caption": heading("caption", 9.5, 6, textColor=INK),
        "head": style("head", fontName=design.heading, fontSize=8.5, leading=11.5, alignment=1, textColor=ACCENT),
        "first": style("first", fontSize=9, leading=12),
        "cell": style("cell", fontSize=9, leading=12, alignment=1),
    }


def column_widths(rows: list[list[str]], design: Design) -> list[float]:
    """Share out the width by the longest entry below each heading, with room for the heading to wrap."""
    columns = zip(*rows, strict=True)
    longest = [max(pdfmetrics.stringWidth(cell, design.body, 9) for cell in column) for column in columns]
    room = (WIDTH - sum(longest)) / len(longest)
    return [length + room for length in longest]


def table(lines: list[str], design: Design, look: dict[str, ParagraphStyle]) -> Table:
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    head = [Paragraph(cell, look["head"]) for cell in rows[0]]
    body = [[Paragraph(cell, look["cell" if i else "first"]) for i, cell in enumerate(row)] for row in rows[1:]]
    rules = [
        ("BACKGROUND", (0, 0), (-1, 0), SHADE),
        ("LINEABOVE", (0, 0), (-1, 0), 1, ACCENT),
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, RULE),
        ("LINEBELOW", (0, -1), (-1, -1), 1, ACCENT),
        ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
    ]
    return Table([head, *body], column_widths(rows[1:], design), style=rules, repeatRows=1, spaceAfter=10)


def flowables(block: str, design: Design, look: dict[str, ParagraphStyle]) -> list[Flowable]:
    mark, _, text = block.partition(" ")
    if "\n|" in block:
        caption, *lines = block.splitlines()
        return [KeepTogether([Paragraph(caption, look["caption"]), table(lines, design, look)])]
    if mark == "#":
        return [Paragraph(text, look["#"]), HRFlowable(WIDTH, 1.2, color=ACCENT, spaceAfter=8)]
    if mark in look:
        return [Paragraph(text, look[mark])]
    return [Paragraph(block, look[""])]


def story(source: str, design: Design) -> list[Flowable]:
    look = styles(design)
    blocks = source.replace("&", "&amp;").strip().split("\n\n")
    return [Spacer(1, 10), *(item for block in blocks for item in flowables(block, design, look))]


def page_template(title: str, design: Design) -> PageTemplate:
    def header(canvas, doc) -> None:
        canvas.setFont(design.body, 8.5)
        canvas.setFillColor(INK)
        canvas.drawString(MARGIN, A4[1] - 15 * mm, title)
        canvas.setStrokeColor(RULE)
        canvas.line(MARGIN, A4[1] - 17 * mm, A4[0] - MARGIN, A4[1] - 17 * mm)

    # The footer is drawn when the page ends, so that a reader of the text meets it after the body.
    def footer(canvas, doc) -> None:
        canvas.setFont(design.body, 8.5)
        canvas.setFillColor(INK)
        canvas.drawCentredString(A4[0] / 2, 13 * mm, design.page_label.format(doc.page))

    frame = Frame(MARGIN, 21 * mm, WIDTH, A4[1] - 42 * mm, 0, 0, 0, 0)
    return PageTemplate("page", [frame], onPage=header, onPageEnd=footer)


class Report(BaseDocTemplate):
    """A document whose section headings become its outline."""

    def afterFlowable(self, flowable: Flowable) -> None:
        style = getattr(flowable, "style", None)
        if isinstance(flowable, Paragraph) and style.name in ("section", "part"):
            key = f"heading-{self.seq.next('heading')}"
            self.canv.bookmarkPage(key)
            self.canv.addOutlineEntry(flowable.getPlainText(), key, level=int(style.name == "part"))


def make(name: str, folder: Path) -> Path:
    """Write one sample and return its path."""
    design = DESIGNS[name]
    source = (HERE / "source" / f"{name}.md").read_text(encoding="utf-8")
    title = source.splitlines()[0].removeprefix("# ")
    target = folder / f"{name}.pdf"
    report = Report(str(target), pagesize=A4, title=title, author=design.author, lang=design.language, invariant=1)
    report.addPageTemplates(page_template(title, design))
    report.build(story(source, design))
    return target


def register_font(path: Path | None) -> None:
    if path is None or not path.is_file():
        sys.stderr.write(FONT_MISSING + "\n")
        raise SystemExit(EXIT_FONT_MISSING)
    pdfmetrics.registerFont(TTFont("MicroHei", str(path), subfontIndex=0))


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Make the sample PDFs.")
    parser.add_argument("names", nargs="*", default=list(DESIGNS), help=f"one of {', '.join(DESIGNS)}; default all")
    parser.add_argument("--font", type=Path, help=f"path of {FONT_FILE}")
    parser.add_argument("--out", type=Path, default=HERE, help="folder to write to; default this one")
    chosen = parser.parse_args(arguments)
    if "city-report-zh" in chosen.names:
        register_font(chosen.font or find_font())
    for name in chosen.names:
        make(name, chosen.out)


if __name__ == "__main__":
    main()
