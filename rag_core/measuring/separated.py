"""Read rows of cells as spreadsheets write them, with any separator and any line end (RFC 4180, read generously)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from rag_core.errors import OpenQuote, TooManyLines

SEPARATORS = (",", ";", "\t", "，", "；", "|")
QUOTE = '"'

_SEP_LINE = re.compile(r'"?sep=(?P<separator>[^\r\n"])"?[^\r\n]*', re.IGNORECASE)
"""What Excel reads as the separator where it is the first line."""

_LINE_END = re.compile(r"\r\n|\r|\n")


class Row(NamedTuple):
    """A row's cells, and the line of the file that it begins in."""

    line: int
    cells: list[str]


def too_many_lines(count: int, limit: int) -> TooManyLines:
    """Return the error of a file with ``count`` lines, or at least so many."""
    return TooManyLines(f"{count} lines or more; at most {limit} are read: split the file", count=count, limit=limit)


def named_separator(text: str) -> str:
    """Return the separator that the first line names as Excel does, or nothing."""
    match = _SEP_LINE.match(text)
    return match["separator"] if match else ""


def rows(text: str, separator: str) -> Iterator[Row]:
    """Yield the rows of a text that are not blank; a first line that names the separator is none.

    A cell in quotes may hold separators, line ends and doubled quotes. Quotes within a cell are its own.

    Raises:
        OpenQuote: a cell's quotes do not close, or close in its middle and leave one over.
    """
    line, named = 1, _SEP_LINE.match(text)
    cells: list[str] = []
    begun, place = line, named.end() if named else 0
    field = _field(separator)
    while place <= len(text):
        match = field.match(text, place)
        assert match  # a field may be empty
        cells.append(_cell(match, line))
        line += len(_LINE_END.findall(match[0])) if match["quoted"] is not None else 0
        place = match.end()
        if text[place : place + 1] == separator:
            place += 1
            continue
        if any(cell.strip() for cell in cells):
            yield Row(begun, cells)
        end = _LINE_END.match(text, place)
        place, line, cells = end.end() if end else len(text) + 1, line + 1, []
        begun = line


@cache
def _field(separator: str) -> re.Pattern[str]:
    ends = rf"{re.escape(separator)}\r\n"
    return re.compile(rf' *"(?P<quoted>(?:[^"]++|"")*+)" *+(?=[{ends}]|\Z)|(?P<plain>[^{ends}]*)')


def _cell(match: re.Match[str], line: int) -> str:
    if match["quoted"] is not None:
        return match["quoted"].replace('""', QUOTE)
    plain = match["plain"]
    if plain.lstrip().startswith(QUOTE) and plain.count(QUOTE) % 2:
        raise OpenQuote(
            f"line {line}: the quotation mark before {plain.lstrip()[1:21]!r} does not close at the end of its cell:"
            ' add the closing one, and write a mark within a cell twice ("")',
            line=line,
            text=plain.lstrip()[1:21],
        )
    return plain
