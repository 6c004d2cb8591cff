"""Read every page with two extractors, judge both texts, and take the better one.

pypdf comes first where nothing speaks against it; ``evidence`` says what does, of both. Both texts are kept with that,
so that a reader can look and choose otherwise.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace

from rag_core.datatypes import Extract, Page, PageReading, Progress, Readings
from rag_core.errors import DamagedPdf, NoText
from rag_core.reading import dropped, evidence, pdf, pdfium, quality
from rag_core.reading.dropped import Dropped
from rag_core.reading.text import repair_block

PYPDF, PDFIUM, OCR = "pypdf", "pdfium", "ocr"
log = logging.getLogger(__name__)


def read(data: bytes, password: str | None = None, progress: Progress | None = None) -> list[PageReading]:
    """Read a PDF page by page; raises what ``pdf.extract`` does.

    A file that pypdf takes for damaged is read by PDFium alone, where that finds letters in it.
    """
    damage, written = None, []
    try:
        written = pdf.extract(data, password, progress)
    except DamagedPdf as error:
        damage = error
    seen = _look(data, password, progress, len(written))
    if damage and not any(letter.isalpha() for page in seen for letter in page.text):
        raise damage
    return _readings(written, seen)


def _look(data: bytes, password: str | None, progress: Progress | None, total: int) -> list[pdfium.Seen]:
    from pypdfium2 import PdfiumError

    def alive() -> None:
        if progress and total:
            progress(total, total)

    try:
        return pdfium.look(data, password, alive)
    except PdfiumError as fault:
        log.info("PDFium cannot read the file: %s", fault)
        return []


def _readings(written: list[str], seen: Sequence[pdfium.Seen]) -> list[PageReading]:
    raw, cleaned = {}, {}
    if written:
        raw[PYPDF], cleaned[PYPDF] = written, pdf.clean(written)
    if not written or len(seen) == len(written):
        raw[PDFIUM] = [page.text for page in seen]
        cleaned[PDFIUM] = pdf.clean_blocks([[*map(repair_block, page.blocks)] for page in seen])
    return [
        _reading(
            number,
            {name: (pages[number - 1].text, raw[name][number - 1]) for name, pages in cleaned.items()},
            seen[number - 1] if number <= len(seen) else pdfium.Seen(),
        )
        for number in range(1, len(next(iter(raw.values()), [])) + 1)
    ]


def _reading(number: int, texts: dict[str, tuple[str, str]], seen: pdfium.Seen) -> PageReading:
    qualities = {name: quality.assess(text, seen.marks, raw) for name, (text, raw) in texts.items()}
    raw = {name: written for name, (_, written) in texts.items()}
    if PYPDF in raw and pdfium.COLUMNS in seen.marks and quality.is_interleaved(raw[PYPDF], seen.text):
        qualities[PYPDF] = quality.doubt(qualities[PYPDF], "columns")
    faults = evidence.faults(raw, qualities, PDFIUM, seen.blocks)
    extracts = {name: Extract(text, qualities[name], faults[name]) for name, (text, _) in texts.items()}
    # Where both are as good: PDFium follows a vertical line to its end, and knows which lines are a column's.
    placed = {pdfium.VERTICAL, pdfium.COLUMNS} & set(seen.marks)
    first = sorted(extracts, key=lambda name: name == PYPDF) if placed else extracts
    chosen = min(first, key=lambda name: evidence.rank(faults[name]))
    if faults[chosen].get(evidence.REPEATS, 0.0) >= evidence.DOUBTED:
        extracts[chosen] = replace(extracts[chosen], quality=quality.doubt(qualities[chosen], "repeats"))
    return PageReading(number, extracts, chosen)


def pages(readings: Sequence[PageReading], drop_repeated: bool = False, drop_contents: bool = False) -> list[Page]:
    """Return the text that is searched: of the chosen extractor, none of pages left out.

    With ``drop_repeated`` running heads and feet go, with ``drop_contents`` lists of contents; see ``dropped``.
    """
    texts = dropped.searched(searched_texts(readings), drop_repeated, drop_contents)
    return [Page(reading.number, text) for reading, text in zip(readings, texts, strict=True)]


def searched_texts(readings: Sequence[PageReading]) -> list[str]:
    """Return the text of each page by the chosen extractor, nothing of a page that is left out."""
    return ["" if reading.left_out else reading.chosen.text for reading in readings]


def dropped_lines(readings: Sequence[PageReading]) -> list[Dropped]:
    """Return for each page which of its lines are running heads and feet, or list contents, dropped or not."""
    return dropped.find(searched_texts(readings))


def contents_pages(readings: Readings) -> list[int]:
    """Return the numbers of the pages on which a list of contents is dropped."""
    if not readings.drop_contents:
        return []
    lines = zip(readings.pages, dropped_lines(readings.pages), strict=True)
    return [reading.number for reading, those in lines if those.contents]


def with_something(readings: list[PageReading]) -> list[PageReading]:
    """Return the readings; raises NoText when they hold no letter and no picture that text may be recognised on."""
    if not any("image_only" in reading.chosen.quality.reasons for reading in readings):
        with_letters(pages(readings))
    return readings


def with_letters(searched: Sequence[Page]) -> Sequence[Page]:
    """Return the pages; raises NoText when they hold no letter."""
    if not any(letter.isalpha() for page in searched for letter in page.text):
        raise NoText(
            f"The {len(searched)} pages hold no text. Run OCR (text recognition) on the PDF first.", pages=len(searched)
        )
    return searched


def chosen_before(readings: Sequence[PageReading], before: Sequence[PageReading]) -> list[PageReading]:
    """Carry the choices among a document's earlier readings over, where its pages read as they did then."""
    old = {reading.number: reading for reading in before}
    return [_carried(reading, old.get(reading.number)) for reading in readings]


def _carried(new: PageReading, old: PageReading | None) -> PageReading:
    if old is None or {**old.extracts, **new.extracts} != dict(old.extracts):
        return new
    return old


def recognised(readings: Sequence[PageReading], by_page: Mapping[int, Extract]) -> list[PageReading]:
    """Add what was recognised on the pictures of pages, and choose it there."""
    return [
        replace(reading, extracts={**reading.extracts, OCR: by_page[reading.number]}, extractor=OCR, left_out=False)
        if reading.number in by_page
        else reading
        for reading in readings
    ]
