"""Read every page with PDFium, and where that is not sure with pypdf too; judge both texts, and take the better one.

A page is sure where PDFium's own order and the places on the page come to the same lines and words, and nothing speaks
against these. Elsewhere pypdf is held against it and comes first where nothing speaks against either; ``evidence`` says
what does. Both texts are kept with that, so that a reader can look and choose otherwise.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from rag_core.datatypes import Extract, Page, PageReading, Progress, Readings, Unseen
from rag_core.errors import DamagedPdf, NoText
from rag_core.reading import dropped, evidence, fields, pdf, pdfium, places, quality
from rag_core.reading.dropped import Dropped
from rag_core.reading.text import Block, has_unprinted, is_left_broken, repair_block

PYPDF, PDFIUM, OCR = "pypdf", "pdfium", "ocr"
log = logging.getLogger(__name__)

At = Callable[[int], None]
"""Takes the page that PDFium is at, 0 where it is at none."""


def _nowhere(number: int) -> None:
    """Tell nobody."""


def read(
    data: bytes,
    password: str | None = None,
    progress: Progress | None = None,
    slow: Collection[int] = (),
    at: At = _nowhere,
) -> list[PageReading]:
    """Read a PDF page by page; raises what ``pdf.extract`` does.

    A file that pypdf takes for damaged is read by PDFium alone, where that finds text in it. One call into PDFium
    cannot be left: whoever ends this process goes on with the pages that were too ``slow`` for it.
    """
    pdf.check_bytes(data)
    seen = _look(data, password, _stepping(progress, slow, at), slow)
    if progress and seen:
        progress(len(seen), len(seen))
    looked = pdf.clean_blocks([_blocks(page) for page in seen])
    readings = [_alone(page, sight, at) for page, sight in zip(looked, seen, strict=True)]
    weighed = [reading.number for reading, sight in zip(readings, seen, strict=True) if not _is_sure(reading, sight)]
    if readings and not weighed and not pdf.may_hold_more(data, len(readings)):
        return readings
    try:
        written = pdf.extract_some(data, password, _wanted(weighed, len(seen)), _standing(progress, len(seen)))
    except DamagedPdf:
        if any(quality.has_text(sight.text) for sight in seen):
            return readings
        raise
    return _held_against(readings, written, looked, seen, at)


def _stepping(progress: Progress | None, slow: Collection[int], at: At) -> Callable[[int, int], None]:
    """Return what is called before each page with its number and how many there are.

    Who goes on behind ``slow`` pages had passed them before.
    """

    def step(number: int, count: int) -> None:
        at(number)
        done = min(max([number - 1, *slow]), count)
        if progress and done:
            progress(done, count)

    return step


def _standing(progress: Progress | None, count: int) -> Progress | None:
    """Return what is called while pages are read again: all were counted, unless PDFium found none."""
    return (lambda *_: progress(count, count)) if progress and count else progress


def _wanted(weighed: Collection[int], count: int) -> Callable[[int], Collection[int]]:
    """Return which pages pypdf is to read: all where it counts others than PDFium."""
    return lambda counted: weighed if counted == count else range(1, counted + 1)


def _look(
    data: bytes, password: str | None, step: Callable[[int, int], None], slow: Collection[int]
) -> list[pdfium.Seen]:
    from pypdfium2 import PdfiumError

    try:
        return pdfium.look(data, password, step, slow)
    except PdfiumError as fault:
        log.info("PDFium cannot read the file: %s", fault)
        return []


def _blocks(sight: pdfium.Seen) -> list[Block]:
    return [*map(repair_block, sight.blocks)]


def _alone(page: Page, sight: pdfium.Seen, at: At) -> PageReading:
    at(0)  # judging a thousand pages takes long, and is not to look like silence
    return _reading(page.number, {PDFIUM: (page.text, sight.text)}, sight)


def _is_sure(reading: PageReading, sight: pdfium.Seen) -> bool:
    """Say whether PDFium's reading needs no other to be held against; see this module."""
    extract = reading.chosen
    clean = extract.quality.verdict == quality.GOOD and not extract.faults
    known = {fields.FIELD, fields.NOTE, "unseen"}.issuperset(extract.quality.reasons)
    return sight.sure and clean and known and not is_left_broken(extract.text) and not has_unprinted(extract.text)


def _held_against(
    readings: list[PageReading], written: pdf.Written, looked: Sequence[Page], seen: Sequence[pdfium.Seen], at: At
) -> list[PageReading]:
    """Return the readings with those of the pages that pypdf read, too; its own alone where it counts other pages."""
    raw = {number: text or "" for number, text in written.texts.items()}
    kept, agreed = _without_unseen(raw, seen), written.pages == len(seen)
    by_number = {reading.number: reading for reading in readings if agreed}
    for page in pdf.clean_blocks(_mixed(raw, seen, written.pages), raw):
        at(0)
        number = page.number
        texts = {PYPDF: (page.text, raw[number])}
        sight = seen[number - 1] if number <= len(seen) else pdfium.Seen()
        if agreed:
            texts[PDFIUM] = looked[number - 1].text, sight.text
        by_number[number] = _reading(number, texts, sight, written.texts[number] is None, number in kept)
    return [by_number[number] for number in sorted(by_number)]


def _mixed(raw: Mapping[int, str], seen: Sequence[pdfium.Seen], count: int) -> list[list[Block]]:
    """Return the blocks of every page, of pypdf where it read it: heads and words are those of the whole document."""
    numbers = range(1, count + 1)
    return [[pdf.block(raw[number])] if number in raw else _blocks(seen[number - 1]) for number in numbers]


def _without_unseen(raw: dict[int, str], seen: Sequence[pdfium.Seen]) -> set[int]:
    """Take what nobody sees out of pypdf's texts, and return the pages where it was not found word for word."""
    kept = set()
    for number, page in enumerate(seen, 1):
        if page.unseen and number in raw:
            raw[number], complete = places.without(raw[number], page.unseen)
            kept |= set() if complete else {number}
    return kept


def _reading(
    number: int, texts: dict[str, tuple[str, str]], seen: pdfium.Seen, late: bool = False, kept: bool = False
) -> PageReading:
    left = [PYPDF] * late + [PDFIUM] * (pdfium.SLOW in seen.marks)
    if left and _is_unread(texts, left):
        return _unread(number, texts)
    texts = {name: text for name, text in texts.items() if name not in left}
    raw = {name: written for name, (_, written) in texts.items()}
    qualities = {name: quality.assess(text, seen.marks, raw[name]) for name, (text, _) in texts.items()}
    for reason in _doubts(raw, seen, kept):
        qualities[PYPDF] = quality.doubt(qualities[PYPDF], reason)
    faults = evidence.faults(raw, qualities, PDFIUM, seen.blocks)
    extracts = {name: Extract(text, qualities[name], faults[name]) for name, (text, _) in texts.items()}
    # Where both are as good: PDFium follows a vertical line to its end, and knows which lines are a column's.
    placed = {pdfium.VERTICAL, pdfium.COLUMNS} & set(seen.marks)
    first = sorted(extracts, key=lambda name: name == PYPDF) if placed else extracts
    chosen = min(first, key=lambda name: evidence.rank(faults[name]))
    if faults[chosen].get(evidence.REPEATS, 0.0) >= evidence.DOUBTED:
        extracts[chosen] = replace(extracts[chosen], quality=quality.doubt(qualities[chosen], "repeats"))
    whole = {name: _completed(extract, seen, late) for name, extract in extracts.items()}
    return PageReading(number, whole, chosen)


def _is_unread(texts: Mapping[str, tuple[str, str]], left: Sequence[str]) -> bool:
    """Say whether nothing was read where an extractor was left; PDFium would have seen whether a page is blank."""
    others = [text for name, (text, _) in texts.items() if name not in left]
    return not others or (PDFIUM in left and not any(others))


def _unread(number: int, names: Iterable[str]) -> PageReading:
    extracts = {name: Extract("", quality.unread("too_slow")) for name in names}
    return PageReading(number, extracts, min(extracts))


def _doubts(raw: Mapping[str, str], seen: pdfium.Seen, kept: bool) -> list[str]:
    """Return why pypdf's reading is doubted, whatever its letters are."""
    if PYPDF not in raw:
        return []
    mixed = pdfium.COLUMNS in seen.marks and quality.is_interleaved(raw[PYPDF], seen.text)
    return ["columns"] * mixed + ["unseen_kept"] * kept


def _completed(extract: Extract, seen: pdfium.Seen, late: bool) -> Extract:
    """Add to the printed text what was written onto the page, and say what is to be known of it."""
    kept = "unseen_kept" in extract.quality.reasons
    pieces = () if kept else tuple(Unseen(piece.text, piece.why) for piece in seen.unseen)
    notes = [reason for reason in (fields.FIELD, fields.NOTE) if reason in {entry.why for entry in seen.entries}]
    notes += ["unseen"] * bool(pieces) + ["late"] * late + ["slow"] * (pdfium.SLOW in seen.marks)
    notes += ["unsearched"] * (pdfium.UNSEARCHED in seen.marks)
    text, found = places.filled(extract.text, seen.entries), extract.quality
    if seen.entries and "blank" in found.reasons:
        found = quality.assess(text)
    return replace(extract, text=text, quality=quality.noted(found, *notes), unseen=pieces)


def pages(
    readings: Sequence[PageReading], drop_repeated: bool = False, drop_contents: bool = False, keep_unseen: bool = False
) -> list[Page]:
    """Return the text that is searched: of the chosen extractor, none of pages left out.

    With ``drop_repeated`` running heads and feet go, with ``drop_contents`` lists of contents; see ``dropped``. With
    ``keep_unseen``, what nobody sees on a page stands at its end.
    """
    texts = dropped.searched(searched_texts(readings), drop_repeated, drop_contents)
    return [
        Page(reading.number, _with_unseen(text, reading, keep_unseen))
        for reading, text in zip(readings, texts, strict=True)
    ]


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


def _with_unseen(text: str, reading: PageReading, kept: bool) -> str:
    unseen = [words.text for words in reading.chosen.unseen] if kept and not reading.left_out else []
    return "\n".join(filter(None, (text, *unseen)))


def with_something(readings: list[PageReading]) -> list[PageReading]:
    """Return the readings; raises NoText when they hold no text, be it unseen or garbage, and no picture of text."""
    if not any(reading.chosen.unseen or _to_look_at(reading) for reading in readings):
        with_text(pages(readings))
    return readings


def _to_look_at(reading: PageReading) -> bool:
    """Say whether the page shows text that was not read: its picture says more than an error."""
    return not {"image_only", "question_marks"}.isdisjoint(reading.chosen.quality.reasons)


def is_slow(reading: PageReading) -> bool:
    """Say whether PDFium took too long over a page: it would to draw it, too."""
    return any({"slow", "too_slow"} & set(each.quality.reasons) for each in reading.extracts.values())


def with_text(searched: Sequence[Page]) -> Sequence[Page]:
    """Return the pages; raises NoText when none of them has text; a table of figures is one."""
    if not any(quality.has_text(page.text) for page in searched):
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
