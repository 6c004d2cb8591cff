"""Find running heads and feet: lines at the edges of pages that come again, or count the pages; see ``keys``.

The outermost line must be one before the next can be: what comes again below a title of its own is text.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from rag_core.reading.keys import Key, is_bare, is_label, is_lone, keys_of, tight
from rag_core.reading.text import is_table_row, line_width

DEPTH = 5
"""So many lines at either edge of a page may be its heads or feet."""

LEAST_PAGES = 3
TITLE_LINES = 12
"""A title stands among the first lines of its page."""

TITLE_WIDTH = 12
"""What is narrower than this, six Han characters, is a table's label rather than a head above it."""

_SENTENCE = re.compile(
    r"(?:[。！？；!?;]|(?:\s\S+){3}(?<!\bltd)(?<!\binc)(?<!\bcorp)(?<!\bco)\.)[”’」』）)\"']*\s*$", re.IGNORECASE
)
_TAIL = 80
_FIGURE_END = re.compile(r"\d[\d.,]*%?$")


@dataclass(frozen=True, slots=True)
class Line:
    """A line near the edge of a page, and what it may be known by."""

    page: int
    place: int
    keys: tuple[Key, ...]


def found(texts: Sequence[str]) -> list[frozenset[int]]:
    """Return for each page, the first one in the file first, which of its lines are heads or feet.

    Nothing is found in a document of two pages.
    """
    pages = _Pages(texts)
    known = _known(pages)
    return [frozenset(line.place for line in _heads(pages, page, known)) for page in pages.all]


def dropped(texts: Sequence[str]) -> list[frozenset[int]]:
    """Return for each page which of its lines are heads or feet that can go without any words being lost.

    The first page keeps its title, and a chapter's first page the chapter's, where nothing else there says the same.
    """
    pages = _Pages(texts)
    known = _known(pages)
    titles = _titles(pages, known)
    heads = (_heads(pages, page, known) for page in pages.all)
    return [frozenset(line.place for line in lines if (line.page, line.place) not in titles) for lines in heads]


def without(text: str, places: Collection[int]) -> str:
    """Return a text without the lines at these places."""
    if not places:
        return text
    return "\n".join(line for place, line in enumerate(text.split("\n")) if place not in places)


def figureless(line: str) -> str:
    """Return a line with every number in it alike: running heads count the pages."""
    return re.sub(r"\d+", "#", " ".join(line.split()))


class _Pages:
    """The lines of all pages; a page's place in the file stands for its number."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.lines = [text.split("\n") for text in texts]
        self.all = range(len(texts))
        self._places = [[place for place, line in enumerate(lines) if line.strip()] for lines in self.lines]
        self._sides = [self._edges(page) for page in self.all]
        self.written = [page for page in self.all if self._places[page]]
        self.of_key: dict[Key, set[int]] = defaultdict(set)
        self._pages_of: dict[str, set[int]] = defaultdict(set)
        for page in self.written:
            for line in (line for side in self.sides(page) for line in side):
                for key in line.keys:
                    self.of_key[key].add(page)
                    self._pages_of[key[0]].add(page)

        self.numbers = frozenset(key for key, those in self.of_key.items() if is_bare(key) and _is_near(those))
        self.numbered = {page for key in self.numbers for page in self.of_key[key]}

    def _edges(self, page: int) -> tuple[list[Line], list[Line]]:
        places = self._places[page]
        near = {place: Line(page, place, tuple(keys_of(self.lines[page][place], page))) for place in _ends(places)}
        return [near[place] for place in places[:DEPTH]], [near[place] for place in places[: -DEPTH - 1 : -1]]

    def sides(self, page: int) -> tuple[list[Line], list[Line]]:
        """Return the lines at the top and at the bottom of a page, from its edge inwards."""
        return self._sides[page]

    def like(self, key: Key) -> int:
        """Return on how many pages a line like this stands, whatever its number."""
        return len(self._pages_of[key[0]])

    def text(self, line: Line) -> str:
        return self.lines[line.page][line.place]

    def after(self, line: Line, known: _Known) -> list[str]:
        """Return the next four lines that are neither empty nor known."""
        heads = {one.place for side in self.sides(line.page) for one in side if known.has(one)}
        places = [place for place in self._places[line.page] if place > line.place and place not in heads]
        return [self.lines[line.page][place].strip() for place in places[:4]]


def _ends(places: Sequence[int]) -> set[int]:
    return {*places[:DEPTH], *places[-DEPTH:]}


# Which lines are heads


@dataclass(frozen=True, slots=True)
class _Known:
    """What heads and feet are known by: in the whole document, or in one chapter."""

    whole: frozenset[Key]
    chapters: frozenset[Key] = frozenset()

    def has(self, line: Line) -> bool:
        return any(key in self.whole or key in self.chapters for key in line.keys)


def _known(pages: _Pages) -> _Known:
    if len(pages.written) < LEAST_PAGES:
        return _Known(frozenset())
    named = frozenset(key for key in pages.of_key if _is_everywhere(key, pages))
    whole = pages.numbers | {key for key in named if not is_lone(key) and not _counts_else(key, pages)}
    whole -= _table_heads(pages, _Known(whole))
    chapters = frozenset(key for side in (0, 1) for key in _chapters(pages, whole, side))
    return _Known(whole, chapters - _table_heads(pages, _Known(whole, chapters)))


def _is_near(those: Collection[int]) -> bool:
    """Say whether three pages agree that are close together: page numbers begin anew after a preface."""
    return len(those) >= LEAST_PAGES and _is_run(those)


def _is_run(those: Collection[int]) -> bool:
    """Say whether pages follow one another: all, or left or right ones, or with a few between them."""
    return len(those) > 1 and max(those) - min(those) <= 2 * len(those)


def _is_everywhere(key: Key, pages: _Pages) -> bool:
    """Say whether lines like this stand on half of all pages, or of all left or all right ones, and on three.

    Their numbers must agree on most of the pages that have such a line, or they count something else.
    """
    those = pages.of_key[key]
    fellows = [page for page in pages.written if page % 2 in {page % 2 for page in those}]
    often = len(those) >= LEAST_PAGES and len(those) * 2 >= len(fellows)
    return often and not is_bare(key) and len(those) * 2 > pages.like(key)


def _counts_else(key: Key, pages: _Pages) -> bool:
    """Say whether a line with words has a number on pages that mostly have their page number elsewhere."""
    those = pages.of_key[key]
    return key[1] is not None and len(those & pages.numbered) * 2 > len(those)


def _chapters(pages: _Pages, whole: frozenset[Key], side: int) -> set[Key]:
    """Return what names chapters: lines at the very edge that come again page after page, by turns, on most pages.

    What stands on a few pages in a row, as the head of a long table does, is none.
    """
    edge = [line for page in pages.written for line in _edge(pages.sides(page)[side], whole)]
    counts = {ahead for _, ahead in whole}
    by_key: dict[Key, list[int]] = defaultdict(list)
    for line, keys in ((line, _chapter_keys(line, pages, counts)) for line in edge):
        if keys:
            by_key[max(keys, key=lambda key: len(pages.of_key[key]))].append(line.page)
    runs = {key for key, those in by_key.items() if _is_run(those) and len(those) * 2 > pages.like(key)}
    times = Counter(ahead for _, ahead in runs if ahead is not None)
    counted = {ahead for ahead in times if times[ahead] > 1}
    if not counted and all(len(by_key[key]) < LEAST_PAGES for key in runs):
        return set()
    named = runs | {key for line in edge for key in _chapter_keys(line, pages, counts) if key[1] in counted}
    return named if sum(not named.isdisjoint(line.keys) for line in edge) * 2 >= len(edge) else set()


def _chapter_keys(line: Line, pages: _Pages, counts: Collection[int | None]) -> list[Key]:
    """Return what a chapter's head may be known by: a word with a number only where other pages are numbered so."""
    known = (key for key in line.keys if not _counts_else(key, pages))
    return [key for key in known if not is_lone(key) or key[1] in counts]


def _edge(side: Sequence[Line], whole: frozenset[Key]) -> list[Line]:
    """Return the outermost line besides page numbers, unless it is known."""
    outer = next((line for line in side if not any(is_bare(key) for key in line.keys if key in whole)), None)
    return [outer] if outer and not any(key in whole for key in outer.keys) else []


def _heads(pages: _Pages, page: int, known: _Known) -> list[Line]:
    """Return the heads and feet of a page; where nothing but sentences comes again, these are text."""
    lines = [line for side in pages.sides(page) for line in _peeled(side, known)]
    return [] if all(_SENTENCE.search(pages.text(line)[-_TAIL:]) for line in lines) else lines


def _peeled(side: Sequence[Line], known: _Known) -> Iterator[Line]:
    """Yield the lines from the edge of a page inwards as long as they are heads."""
    for line in side:
        if not known.has(line):
            return
        yield line


def _table_heads(pages: _Pages, known: _Known) -> frozenset[Key]:
    """Return what is the head of a table that runs on: rows follow it on most of its pages.

    A line above it is a head where it is as long as one.
    """
    seen: Counter[Key] = Counter()
    followed: Counter[Key] = Counter()
    for page in pages.written:
        block = [line for line in _peeled(pages.sides(page)[0], known) if not any(map(is_bare, line.keys))]
        rows = bool(block) and _are_rows(pages.after(block[-1], known))
        kept = block[1:] if len(block) > 1 and line_width(pages.text(block[0]).strip()) >= TITLE_WIDTH else block
        seen.update(key for line in block for key in line.keys)
        followed.update(key for line in kept if rows for key in line.keys)
    return frozenset(key for key, count in followed.items() if count * 2 > seen[key])


def _are_rows(lines: Sequence[str]) -> bool:
    """Say whether these lines are the rows of a table, or its cells one by one; labels come before them."""
    if not lines or is_label(lines[0].casefold()):
        return False
    ends = [bool(_FIGURE_END.search(line)) and line_width(line) <= 80 for line in lines]
    short = all(line_width(line) <= 16 for line in lines)
    return is_table_row(lines[0]) or ends[:2] == [True, True] or (short and len(lines) == 4 and any(ends))


# What stays


def _titles(pages: _Pages, known: _Known) -> set[tuple[int, int]]:
    """Return where the title stands on the first page, and each chapter's on its first: page and line."""
    titles: set[tuple[int, int]] = set()
    named: set[Key] = set()
    for page in pages.written:
        for line in reversed([*_peeled(pages.sides(page)[0], known)]):
            if _is_first(line, known, pages.written[0]) and not named & {*line.keys}:
                named.update(line.keys)
                if not _says_again(pages, line, {one.place for one in _heads(pages, page, known)}):
                    titles.add((page, line.place))
    return titles


def _is_first(line: Line, known: _Known, first: int) -> bool:
    if any(ahead is not None and (text, ahead) in known.whole | known.chapters for text, ahead in line.keys):
        return False
    return line.page == first or any(key in known.chapters for key in line.keys)


def _says_again(pages: _Pages, line: Line, heads: Collection[int]) -> bool:
    """Say whether a line below a head, no other head and no sentence, has its words and little else."""
    words = _words(pages.text(line))
    below = enumerate(pages.lines[line.page][:TITLE_LINES])
    others = (_words(other) for place, other in below if place > line.place and place not in heads)
    return any(words in other and len(other) <= 2 * len(words) for other in others)


def _words(line: str) -> str:
    return tight(unicodedata.normalize("NFKC", line).casefold())
