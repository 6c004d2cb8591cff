"""Find lists of contents: lines that end in page numbers, one after the other, in either language.

They have the words of every heading and answer nothing, and a search finds them first.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rag_core.reading.numerals import value
from rag_core.reading.text import line_width

LEAST_ENTRIES = 3
ENOUGH = 5
"""So many entries under the word "Contents" need no more evidence; under 目录, which means nothing else, three do."""

LONGEST, LONGEST_HEADING = 240, 40
BETWEEN = 2
"""An entry may run over so many lines before the one that has its number, a part's name among them."""

WIDEST = 120

_HEADING = re.compile(
    r"(?:(?:tableof)?contents|listof(?:tables|figures|illustrations|boxes|maps)|总?目录|總?目錄|目次"
    r"|(?:图|图表|表|表格|插图|附录)目录|(?:圖|圖表|表|表格|插圖|附錄)目錄)(?:\(?(?:continued|cont\.?|续|續)\)?)?[:：]?"
)
_HAN = re.compile(r"[一-鿿]")
_ENTRY = re.compile(
    r"(?P<title>.*?)(?P<leader>(?:[.．。·・•‥…⋯_—–-]\s?){4,}|[…⋯‥]{2,})?(?:\s?[/|]\s?)?\s*"
    r"[(（\[]?(?:p\.?\s?|page\s|第)?(?P<page>\d{1,4}|[ivxlc]{1,7})[页頁]?[)）\]]?",
    re.IGNORECASE,
)
_LAST = frozenset("0123456789ivxlcIVXLC)）]页頁")
_JOINED = re.compile(r"[\d.,:%/¥$€£+–-]$")
"""What stands right before the last figures of a line and makes them a part of a larger number."""

_ENDS = re.compile(r"[。！？；;!?]$|[a-z]\.$")
_NUMBERING = re.compile(
    r"^(?:[\d.]+|[ivxlc]+\.|第.{1,4}[章节節编編篇部]|[（(]?[一二三四五六七八九十]{1,3}[、）).]|(?:chapter|part)\d+)[.:：]?"
)
ROMAN_BEFORE = 1000
"""Roman pages come before all others."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line that ends in what may be a page number.

    ``title`` is without spaces and in small letters, and may stand on the line before.
    """

    place: int
    title: str
    number: int
    has_title: bool
    has_leader: bool


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for a list of contents: the word above it, in Chinese or not, or one that ends the page before."""

    headed: bool
    in_chinese: bool
    goes_on: bool


def lines(texts: Sequence[str], heads: Sequence[Collection[int]] = ()) -> list[frozenset[int]]:
    """Return for each page which of its lines belong to a list of contents; ``heads`` are running heads and feet."""
    document = _Document(texts, heads)
    listed: list[frozenset[int]] = []
    for page in range(len(texts)):
        goes_on = bool(listed and listed[-1])
        listed.append(frozenset(place for those in _lists(document, page, goes_on) for place in those))
    return listed


class _Document:
    """The lines of all pages without running heads and feet."""

    def __init__(self, texts: Sequence[str], heads: Sequence[Collection[int]]) -> None:
        heads = heads or [()] * len(texts)
        self.pages = [
            {place: line.strip() for place, line in enumerate(text.split("\n")) if line.strip() and place not in out}
            for text, out in zip(texts, heads, strict=True)
        ]
        self._tight: list[str] = []

    @property
    def tight(self) -> list[str]:
        """The text of each page without spaces and in small letters; each line ends with a line's end."""
        if not self._tight:
            self._tight = ["\n".join(["", *map(_tight, lines.values()), ""]) for lines in self.pages]
        return self._tight


def _tight(line: str) -> str:
    return "".join(unicodedata.normalize("NFKC", line).casefold().split())


def _lists(document: _Document, page: int, goes_on: bool) -> Iterator[range]:
    shown = document.pages[page]
    headings = [place for place, line in shown.items() if _HEADING.fullmatch(_tight(line[:LONGEST_HEADING]))]
    for run in _runs([*_entries(shown)], shown, headings):
        start = run[0].place
        above = max((place for place in headings if place < start), default=start)
        headed = above < start and _is_short(shown, range(above + 1, start), len(run))
        evidence = Evidence(
            headed=headed,
            in_chinese=headed and bool(_HAN.search(shown[above])),
            goes_on=goes_on and sum(place < start for place in shown) <= BETWEEN,
        )
        if _is_list(document, page, run, evidence):
            yield range(above if headed else start, run[-1].place + 1)


def _entries(shown: Mapping[int, str]) -> Iterator[Entry]:
    """Yield the entries of a page; where numbers stand on lines of their own, the line before is the title."""
    before = ""
    for place, line in shown.items():
        entry = _entry(place, line, before)
        if entry:
            yield entry
        before = line


def _entry(place: int, line: str, before: str) -> Entry | None:
    match = _ENTRY.fullmatch(line) if len(line) <= LONGEST and line[-1] in _LAST else None
    if not match:
        return None
    title, number = match["title"].strip(), value(match["page"].lower())
    if not number or (title and not match["leader"] and not _is_apart(match)):
        return None
    number = number if match["page"].isdecimal() else number - ROMAN_BEFORE
    return Entry(place, _tight(title or before), number, bool(title), bool(title and match["leader"]))


def _is_apart(match: re.Match[str]) -> bool:
    """Say whether the number is one of its own, and no part of a larger one or of a word."""
    title = match["title"]
    bare = title.rstrip()
    return not _JOINED.search(bare) and (match["page"].isdecimal() or title != bare)


def _runs(entries: Sequence[Entry], shown: Mapping[int, str], headings: Sequence[int]) -> Iterator[list[Entry]]:
    """Yield entries that stand together; of those with their number on the same line, where there are enough."""
    titled = [entry for entry in entries if entry.has_title and any(map(str.isalpha, entry.title))]
    run: list[Entry] = []
    for entry in titled if len(titled) >= LEAST_ENTRIES else entries:
        between = range(run[-1].place + 1, entry.place) if run else range(0)
        if any(place in between for place in headings) or not _is_short(shown, between, 0):
            yield run
            run = []
        run.append(entry)
    if run:
        yield run


def _is_short(shown: Mapping[int, str], between: range, entries: int) -> bool:
    """Say whether what stands between two entries, or the heading and the first, can be a part of the list."""
    lines = [shown[place] for place in between if place in shown]
    few = len(lines) <= max(BETWEEN, round(1.5 * entries))
    return few and not any(_ENDS.search(line) or line_width(line) > WIDEST for line in lines)


def _is_list(document: _Document, page: int, run: Sequence[Entry], evidence: Evidence) -> bool:
    if len(run) < LEAST_ENTRIES or not _goes_up([entry.number for entry in run]):
        return False
    led = sum(entry.has_leader for entry in run) * 2 >= len(run)
    if evidence.headed and (evidence.in_chinese or len(run) >= ENOUGH or led):
        return True
    if led and (evidence.goes_on or len(run) > ENOUGH):
        return True
    if led or evidence.headed or evidence.goes_on:
        return sum(_stands_again(document, page, entry) for entry in run) * 3 >= len(run)
    return _leads(document, page, run) * 5 >= max(LEAST_ENTRIES, len(run)) * 3


def _goes_up(numbers: Sequence[int]) -> bool:
    """Say whether page numbers go up; a misread one among many is forgiven."""
    falls = sum(one > other for one, other in pairwise(numbers))
    return falls <= len(numbers) // 10 and numbers[-1] > numbers[0]


def _stands_again(document: _Document, page: int, entry: Entry) -> bool:
    return bool(_places(document, page, entry.title))


def _places(document: _Document, page: int, title: str) -> list[int]:
    """Return the later pages on which a line begins with these words, with their numbering or without."""
    plain = _NUMBERING.sub("", title)
    if len(plain) < 2:
        return []
    texts = enumerate(document.tight[page + 1 :], page + 1)
    return [number for number, text in texts if f"\n{title}" in text or f"\n{plain}" in text]


def _leads(document: _Document, page: int, run: Sequence[Entry]) -> int:
    """Count the entries that lead to their heading: its page and the number lie as far apart as in most others."""
    apart: Counter[int] = Counter()
    for entry in run:
        apart.update({entry.number - number for number in _places(document, page, entry.title)})
    return max(apart.values(), default=0)
