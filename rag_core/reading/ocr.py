"""Read pages from their pictures with RapidOCR, whose models lie in its own wheel: no network is needed.

The package is large and not installed unless a reader wants it; ``requirements-ocr.txt`` names it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rag_core.datatypes import Extract
from rag_core.errors import OcrMissing
from rag_core.extras import OCR
from rag_core.reading import pdf, pdfium, quality

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument
    from rapidocr import RapidOCR

PIXELS = 1500
"""The width of the picture that is read: 180 dots an inch on A4, where characters of 9 points are still told apart."""


def is_installed() -> bool:
    """Say whether the package that reads pictures is here."""
    return OCR.is_installed()


def recognise(
    data: bytes, numbers: Sequence[int], progress: Callable[[int, int], None] | None = None
) -> dict[int, Extract]:
    """Return what stands on the pictures of these pages, by page number, from top to bottom.

    Raises:
        OcrMissing: the package is not installed.
    """
    if not is_installed():
        raise OcrMissing(f"text recognition is not installed: {OCR.command}", command=OCR.command)
    from rapidocr import RapidOCR

    engine, raw = RapidOCR(params={"Global.log_level": "error"}), []
    with pdfium.opened(data) as document:
        for done, number in enumerate(numbers, start=1):
            raw.append(_lines(engine, document, number))
            if progress:
                progress(done, len(numbers))
    texts = [page.text for page in pdf.clean(raw)]
    return {
        number: Extract(text, quality.assess(text, (pdfium.PICTURES,)))
        for number, text in zip(numbers, texts, strict=True)
    }


def _lines(engine: RapidOCR, document: PdfDocument, number: int) -> str:
    import numpy as np

    picture = pdfium.render(document[number - 1], PIXELS)
    recognised = engine(np.asarray(picture)[:, :, ::-1])
    return "\n".join(recognised.txts or ())
