"""The whole sentences that a chunk can be quoted with.

A chunk may begin or end inside a sentence, and a sentence may run over the end of its page: it is taken from the pages'
text. Headings and captions have no end of a sentence, and a cell or a row without its table's head says nothing: none
of them is quoted. A row under its head is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from rag_core.datatypes import Chunk
from rag_core.reading import table_heads
from rag_core.reading.language import Span, sentences
from rag_core.reading.text import CELL, is_cjk, join_two, line_width

FEWEST = 3
"""Words, or Han characters, of a sentence: "Table 1." is none."""

FULL_LINE = 36
"""A last line of so many columns that ends with no mark may run on over the page; a narrower one is a heading."""

_END = re.compile(r"[。！；….!;][”’」』）》】〉\"')\]]*$")
"""How a sentence that says something ends: a question asks, and what ends in a colon announces."""

_WORD = re.compile(r"[\u3400-\u9fff]|[^\W_\u3400-\u9fff]+")


class Quote(NamedTuple):
    """A sentence, or a row under its head: what a reader sees, what a model reads, and where it stands on the page."""

    text: str
    read: str
    start: int
    end: int


class _Text(NamedTuple):
    """The text that a chunk is quoted from, where the chunk stands in it, and the pages before and after."""

    text: str
    start: int
    end: int
    before: str = ""
    after: str = ""


def quotes(chunk: Chunk, pages: Mapping[int, str]) -> Iterator[Quote]:
    """Yield what a chunk can be quoted with, in reading order; ``pages`` are the texts of its document by number.

    A page that was read otherwise since does not hold the chunk: then the chunk alone is quoted from.
    """
    source = _source(chunk, pages)
    spans, known = _joined(source.text), table_heads.tables(source.text)
    for start, end in spans:
        if start >= source.end or end <= source.start:
            continue
        words = source.text[start:end]
        if CELL in words:
            head = table_heads.head_over(source.text, known, start, end)
            if head:
                yield Quote(_row(head, words), f"{head}\n{words}", start, end)
            continue
        words = _completed(source, spans, (start, end))
        if is_whole(words):
            yield Quote(words, words, start, end)


def is_whole(words: str) -> bool:
    """Say whether words are a sentence, from its beginning to its end."""
    return bool(_END.search(words)) and not words[0].islower() and len(_WORD.findall(words)) >= FEWEST


def words_of(text: str) -> set[str]:
    """Return the words and the Han characters of a text, each once."""
    return set(_WORD.findall(text.lower()))


def _source(chunk: Chunk, pages: Mapping[int, str]) -> _Text:
    page, number = pages.get(chunk.page, ""), chunk.page
    if page[chunk.start : chunk.end] == chunk.text:
        return _Text(page, chunk.start, chunk.end, pages.get(number - 1, ""), pages.get(number + 1, ""))
    passage = chunk.passage
    return _Text(passage, len(passage) - len(chunk.text), len(passage))


def _joined(text: str) -> list[Span]:
    """Return the sentences of a page; one that the paper's lines broke is whole again where a small letter shows it."""
    spans: list[Span] = []
    for start, end in sentences(text):
        if spans and text[start].islower() and _is_open(text, spans[-1]):
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    return spans


def _completed(source: _Text, spans: Sequence[Span], span: Span) -> str:
    """Return the words of a sentence, with what stands of it on the page before or after."""
    words = source.text[slice(*span)]
    if span == spans[0]:
        words = join_two(_left_open(source.before, words), words)
    if span == spans[-1]:
        words = join_two(words, _rest(source.text, span, source.after))
    return " ".join(words.split())


def _left_open(before: str, words: str) -> str:
    """Return what the page before ends with, where it runs on into these words."""
    last = _joined(before)[-1:]
    return before[slice(*last[0])] if last and _runs_on(before, last[0], words) else ""


def _rest(text: str, span: Span, after: str) -> str:
    """Return what the page after begins with, where the last sentence of this one runs on into it."""
    first = _joined(after)[:1]
    words = after[slice(*first[0])] if first else ""
    return words if words and _runs_on(text, span, words) else ""


def _runs_on(text: str, last: Span, following: str) -> bool:
    """Say whether the last sentence of a page runs on over its end, into what the next one begins with."""
    if not _is_open(text, last) or CELL in following:
        return False
    in_line = text[max(last[0] - 1, 0) : last[0]] not in ("", "\n") or line_width(text[slice(*last)]) >= FULL_LINE
    return following[0].islower() or (in_line and is_cjk(text[last[1] - 1]) and is_cjk(following[0]))


def _is_open(text: str, span: Span) -> bool:
    words = text[slice(*span)]
    return CELL not in words and not _END.search(words) and words[-1] not in "?？:："


def _row(head: str, row: str) -> str:
    """Return a row as one line: its name, and each other cell after the name of its column."""
    names, cells = ([" ".join(cell.split()) for cell in line.split(CELL)] for line in (head, row))
    names = [""] * (len(cells) - len(names) == 1) + names
    if "\n" in head or len(names) != len(cells):
        return " / ".join(" · ".join(line.replace(CELL, "\n").splitlines()) for line in (head, row))
    return " · ".join([cells[0], *(f"{name}: {cell}" for name, cell in zip(names[1:], cells[1:], strict=True) if cell)])
