"""Build the PDFs that the tests read: real files, made by reportlab and pypdf."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

from pypdf import PdfReader, PdfWriter
from pypdf.generic import DecodedStreamObject, NameObject
from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

CHROMIUM = shutil.which("chromium")

FONT = "STSong-Light"
pdfmetrics.registerFont(UnicodeCIDFont(FONT))


def text_pdf(*pages: Sequence[str]) -> bytes:
    """Draw each page's lines one under the other; a page without lines is blank."""

    def draw(canvas: Canvas, lines: Sequence[str]) -> None:
        for number, line in enumerate(lines):
            canvas.drawString(60, 780 - 18 * number, line)

    return _draw_pages(pages, draw)


def glyph_pdf(*lines: str) -> bytes:
    """Place every glyph by itself, as some layout programs do."""

    def draw(canvas: Canvas, page: Sequence[str]) -> None:
        for row, line in enumerate(page):
            for column, glyph in enumerate(line):
                canvas.drawString(60 + canvas.stringWidth(line[:column], FONT, 12), 780 - 18 * row, glyph)

    return _draw_pages([lines], draw)


def image_pdf(pages: int = 1) -> bytes:
    """Hold one picture on each page and no text, as a scanner does."""
    from PIL import Image

    picture = ImageReader(Image.new("RGB", (40, 40), "gray"))
    return _draw_pages([()] * pages, lambda canvas, _: canvas.drawImage(picture, 100, 500, 300, 200))


def scanned_pdf(*lines: str) -> bytes:
    """Hold a picture of these lines and no text."""
    from rag_core.reading import pdfium

    with pdfium.opened(text_pdf(lines)) as document:
        picture = ImageReader(pdfium.render(document[0], 1600))
    return _draw_pages([()], lambda canvas, _: canvas.drawImage(picture, 0, 0, *A4))


def encrypted_pdf(plain: bytes, user: str, owner: str = "owner", algorithm: str = "AES-256") -> bytes:
    """Encrypt a PDF; with an empty user's password it opens freely and only changes are forbidden."""
    writer = PdfWriter(clone_from=io.BytesIO(plain))
    writer.encrypt(user_password=user, owner_password=owner, algorithm=algorithm)
    return _bytes(writer)


def cut_pdf(plain: bytes, share: float) -> bytes:
    """Keep the first part of the file, as a broken download does."""
    return plain[: int(len(plain) * share)]


def blank_pdf(pages: int) -> bytes:
    writer = PdfWriter()
    for _ in range(pages):
        writer.add_blank_page(100, 100)
    return _bytes(writer)


def with_broken_page(plain: bytes, numbers: Iterable[int]) -> bytes:
    """Give these pages a content stream that is not what its filter says."""
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(plain)))
    for number in numbers:
        stream = DecodedStreamObject()
        stream.set_data(b"this was never deflated")
        stream[NameObject("/Filter")] = NameObject("/NoSuchFilter")
        writer.pages[number - 1][NameObject("/Contents")] = writer._add_object(stream)
    return _bytes(writer)


def printed_pdf(html: str, folder: Path) -> bytes:
    """Print a page with Chromium, which swaps common characters for radicals."""
    page, pdf = folder / "page.html", folder / "page.pdf"
    page.write_text(html, encoding="utf-8")
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer"]
    subprocess.run([*command, f"--print-to-pdf={pdf}", str(page)], check=True, capture_output=True, timeout=120)
    return pdf.read_bytes()


def _draw_pages(pages, draw) -> bytes:
    target = io.BytesIO()
    canvas = Canvas(target, pagesize=A4, invariant=1)
    for page in pages:
        canvas.setFont(FONT, 12)
        draw(canvas, page)
        canvas.showPage()
    canvas.save()
    return target.getvalue()


def _bytes(writer: PdfWriter) -> bytes:
    target = io.BytesIO()
    writer.write(target)
    return target.getvalue()


def embedded_pdf(*lines: str) -> bytes:
    """Draw the lines in a font that lies in the file, Latin letters only."""
    if "Vera" not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(TTFont("Vera", "Vera.ttf"))
    target = io.BytesIO()
    canvas = Canvas(target, pagesize=A4, invariant=1)
    canvas.setFont("Vera", 11)
    for number, line in enumerate(lines):
        canvas.drawString(60, 780 - 18 * number, line)
    canvas.save()
    return target.getvalue()


def garbled_pdf(*lines: str, first: int = 0x6000) -> bytes:
    """Draw the lines rightly, in a font whose map turns them into characters from ``first`` on."""
    writer = PdfWriter(clone_from=io.BytesIO(embedded_pdf(*lines)))
    for font in writer.pages[0]["/Resources"]["/Font"].values():
        if "/ToUnicode" in font.get_object():
            wrong = DecodedStreamObject()
            wrong.set_data(_shifted(font.get_object()["/ToUnicode"].get_object().get_data(), first))
            font.get_object()[NameObject("/ToUnicode")] = writer._add_object(wrong)
    return _bytes(writer)


def _shifted(cmap: bytes, first: int) -> bytes:
    def wrong(entry: re.Match[bytes]) -> bytes:
        return b"<%s> <%04X>" % (entry[1], first + 37 * int(entry[1], 16))

    return re.sub(rb"<([0-9A-F]{2})> <[0-9A-F]{4}>", wrong, cmap)


def columns_pdf(left: Sequence[str], right: Sequence[str]) -> bytes:
    """Draw two columns line by line across both, as some programs write them."""

    def draw(canvas: Canvas, lines: Sequence[tuple[str, str]]) -> None:
        canvas.setFont("Helvetica", 10)
        for number, (one, other) in enumerate(lines):
            canvas.drawString(50, 780 - 14 * number, one)
            canvas.drawString(310, 780 - 14 * number, other)

    return _draw_pages([list(zip(left, right, strict=True))], draw)


def vertical_pdf(*columns: str) -> bytes:
    """Draw each text from top to bottom, the columns from right to left."""

    def draw(canvas: Canvas, texts: Sequence[str]) -> None:
        for number, text in enumerate(texts):
            for place, character in enumerate(text):
                canvas.drawString(500 - 20 * number, 780 - 14 * place, character)

    return _draw_pages([columns], draw)


def outlined_pdf() -> bytes:
    """Hold strokes and no text, as where letters became outlines."""
    return _draw_pages([()], lambda canvas, _: canvas.rect(100, 100, 300, 200, fill=1))


def headed_pdf(pages: int) -> bytes:
    """Hold pages that share a header and a numbered footer."""
    return text_pdf(
        *(
            ["市政府工作报告", f"{matter}已经办完，居民普遍满意。", f"第 {number} 页"]
            for number, matter in zip(range(1, pages + 1), ("修路", "建桥", "种树", "通水"), strict=False)
        )
    )


def joined(*files: bytes) -> bytes:
    """Put the pages of several PDFs into one."""
    writer = PdfWriter()
    for data in files:
        writer.append(io.BytesIO(data))
    return _bytes(writer)
