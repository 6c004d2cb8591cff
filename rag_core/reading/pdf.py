"""Read a PDF's bytes into pages of clean running text.

Three faults of extracted text would hide a sentence from every search, and each is repaired here: wrong code points
(⻓ for 长, ﬁ for fi), lines broken where the paper ended, and spaces that the typesetter's gaps became.
"""

from __future__ import annotations

import hashlib
import io
import logging
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

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
from rag_core.reading import heads, patience
from rag_core.reading.text import Block, is_glyph_per_line, join_lines, repair_characters, tidy_spaces, words_of

if TYPE_CHECKING:
    from pypdf import PageObject, PdfReader

logger = logging.getLogger(__name__)

MAX_BYTES = 50 * 1024 * 1024
"""The largest file that is read, in bytes."""

MAX_PAGES = 1000
"""The longest document that is read, in pages."""

PAGE_SECONDS = 5.0
"""A page that takes longer is left: one page must not keep the others."""

LOST_SECONDS = 60.0
"""Once so much time went into pages that were left, each of the others has less."""

HURRIED_SECONDS = 0.2
"""Enough for a page of ordinary text, and for a thousand pages that are not."""

_PAGE = re.compile(rb"/Type\s*/Page(?![A-Za-z])")

_PARSER_LIMITS: dict[str, Any] = {
    # A few kilobytes can inflate to gigabytes, or hold a day's work of drawing operators.
    "zlib_maximum_output_length": 30_000_000,
    "stream_parsing_work_maximum_count": 500_000,
    "page_tree_maximum_entries": 3 * MAX_PAGES,
}


def document_id(data: bytes, owner: str = "") -> str:
    """Return the name of a document: the first 16 hexadecimal digits of the SHA-256 of its owner's name and its bytes.

    So two owners of the same PDF have a document each, and neither's name can be reckoned from the PDF.
    """
    return hashlib.sha256(owner.encode() + data).hexdigest()[:16]


def read_pages(
    data: bytes, password: str | None = None, progress: Callable[[int, int], None] | None = None
) -> list[Page]:
    """Read every page of a PDF, in order, as clean text; see ``extract``."""
    return clean([text or "" for text in extract(data, password, progress)])


def extract(
    data: bytes, password: str | None = None, progress: Callable[[int, int], None] | None = None
) -> list[str | None]:
    """Read the text of every page as it is written in the file; see ``extract_some``."""
    return list(extract_some(data, password, _every, progress).texts.values())


def _every(count: int) -> Collection[int]:
    return range(1, count + 1)


class Written(NamedTuple):
    """How many pages a file has, and the texts of some by their numbers."""

    pages: int
    texts: dict[int, str | None]


def extract_some(
    data: bytes,
    password: str | None,
    wanted: Callable[[int], Collection[int]],
    progress: Callable[[int, int], None] | None = None,
) -> Written:
    """Read the texts of pages as they are written in the file: of those ``wanted`` in one of so many pages.

    ``progress`` is called after each with those done and their total. A page that cannot be read is empty in the
    result, and one that takes longer than ``PAGE_SECONDS`` is None. A file that only its owner may change opens
    without asking.

    Raises EmptyFile, FileTooLarge, NotAPdf, DamagedPdf, PasswordNeeded, WrongPassword or TooManyPages.
    """
    check_bytes(data)
    import pypdf

    # The limits are a context variable, which a worker thread does not inherit: they are set where they are used.
    with pypdf.apply_configuration(**_PARSER_LIMITS):
        reader = _open(data)
        _unlock(reader, password)
        count = _count_pages(reader)
        return Written(count, _extract_all(reader, count, sorted(wanted(count)), progress))


def may_hold_more(data: bytes, count: int) -> bool:
    """Say whether more pages are described in a file than were counted: a damaged one names fewer than it has."""
    return sum(1 for _ in islice(_PAGE.finditer(data), count + 1)) > count


def check_bytes(data: bytes) -> None:
    """Refuse what is no PDF, or too large, without reading it."""
    if not data:
        raise EmptyFile("The file is empty (0 bytes). Save or download it again.")
    if len(data) > MAX_BYTES:
        size, limit = round(len(data) / 2**20, 1), MAX_BYTES // 2**20
        message = f"The file has {size} MB; at most {limit} MB are read. Split it or print it to a smaller PDF."
        raise FileTooLarge(message, size_mb=size, limit_mb=limit)
    if b"%PDF-" not in data[:1024]:
        raise NotAPdf("The file is not a PDF: %PDF- is missing at its start. Export the document as PDF.")


def damaged(reason: object) -> DamagedPdf:
    """Return the error for a file that cannot be read for this reason."""
    message = f"The PDF is damaged or cut off ({reason}). Download it again, or print it to PDF from a viewer."
    return DamagedPdf(message, reason=str(reason))


def _open(data: bytes) -> PdfReader:
    from pypdf import PdfReader
    from pypdf.errors import DependencyError

    try:
        return PdfReader(io.BytesIO(data))
    except (DependencyError, MemoryError):
        raise
    except Exception as fault:  # a malformed file can raise anything inside the parser
        raise damaged(fault) from fault


def _unlock(reader: PdfReader, password: str | None) -> None:
    # An owner's password only forbids changes: such a file opens with the empty one.
    if not reader.is_encrypted or reader.decrypt(""):
        return
    if not password:
        raise PasswordNeeded("The PDF is encrypted. Type the password that opens it.")
    if not reader.decrypt(password):
        raise WrongPassword("The password does not open this PDF. Check capitals and spaces, and type it again.")


def _count_pages(reader: PdfReader) -> int:
    from pypdf.errors import LimitReachedError

    try:
        count = len(reader.pages)
    except LimitReachedError as fault:
        count = _declared_pages(reader)
        if count <= MAX_PAGES:
            raise damaged(fault) from fault
    except MemoryError:
        raise
    except Exception as fault:  # as in _open
        raise damaged(fault) from fault
    if count > MAX_PAGES:
        message = f"The PDF has {count} pages; at most {MAX_PAGES} are read. Split it and add the parts."
        raise TooManyPages(message, pages=count, limit=MAX_PAGES)
    if not count:
        raise damaged("no page was found")
    return count


def _declared_pages(reader: PdfReader) -> int:
    try:
        root: Any = reader.root_object  # a damaged file has anything in the place of its pages
        return int(root["/Pages"]["/Count"])
    except Exception:  # as in _open
        return 0


def _extract_all(
    reader: PdfReader, count: int, numbers: Sequence[int], progress: Callable[[int, int], None] | None
) -> dict[int, str | None]:
    extracted: dict[int, str | None] = {}
    failed, lost = 0, 0.0
    for done, number in enumerate(numbers, 1):
        seconds = PAGE_SECONDS if lost < LOST_SECONDS else HURRIED_SECONDS
        try:
            text = patience.within(seconds, partial(_extract_or_none, reader, number))
            failed += text is None
            extracted[number] = text or ""
        except patience.TooLate:
            logger.warning("Page %d was left after %.1f s", number, seconds)
            lost += seconds
            extracted[number] = None
        if progress:
            progress(done, len(numbers))
    if failed == count:
        raise damaged(f"none of {count} pages could be read")
    return extracted


def _extract_or_none(reader: PdfReader, number: int) -> str | None:
    from pypdf.errors import DependencyError

    try:
        return _extract(reader.pages[number - 1])
    except (DependencyError, MemoryError):
        raise
    except Exception as fault:  # as in _open; one bad page must not lose the others
        logger.warning("Page %d could not be read and is left empty: %s: %s", number, type(fault).__name__, fault)
        return None


def _extract(page: PageObject) -> str:
    text = page.extract_text()
    return page.extract_text(extraction_mode="layout") if is_glyph_per_line(text) else text


def clean(extracted: list[str]) -> list[Page]:
    """Repair characters, lines and spaces of every page, the first numbered 1; see ``text``."""
    return clean_blocks([[block(text)] for text in extracted])


def block(text: str) -> Block:
    """Return a text as a block, its characters repaired."""
    return Block(tuple(repair_characters(text).split("\n")))


def clean_blocks(pages: Sequence[Sequence[Block]], numbers: Collection[int] | None = None) -> list[Page]:
    """Clean pages whose blocks are known, or those of these ``numbers``; lines are joined within a block alone.

    Running heads and feet stay lines of their own: a sentence does not run on into them.
    """
    whole = ["\n".join(line for block in page for line in block.lines) for page in pages]
    words, apart = frozenset(words_of("\n".join(whole))), heads.found(whole)
    texts = {
        number: _cleaned(page, words, out)
        for number, (page, out) in enumerate(zip(pages, apart, strict=True), 1)
        if numbers is None or number in numbers
    }
    return [Page(number, "\n".join(filter(None, page))) for number, page in texts.items()]


def _cleaned(blocks: Sequence[Block], words: frozenset[str], apart: Collection[int]) -> Iterator[str]:
    start = 0
    for block in blocks:
        yield _clean(block, words, {place - start for place in apart})
        start += len(block.lines)


def _clean(block: Block, words: frozenset[str], apart: Collection[int]) -> str:
    lines = list(block.lines)
    body = [place for place, line in enumerate(lines) if line.strip() and place not in apart] or [len(lines)]
    above, below = lines[: body[0]], lines[body[-1] + 1 :]
    joined = [*above, *join_lines(lines[body[0] : body[-1] + 1], words, block.columns), *below]
    return "\n".join(line for line in map(tidy_spaces, joined) if line)
