"""Read what a cell says: a page, a grade, a rank, a score; and find the cells of a row that has too many."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise
from math import isfinite
from unicodedata import normalize

from rag_core.measuring.judge import GRADES

MOST_CELLS = 16
"""Of a row with more, nobody tries to tell which belong together."""

_NUMBER = re.compile(r"(\d+)(?:[.．][0０]*)?")
_RANK = re.compile(r"(?:#|no\.?|第)?\s*(\d{1,9})(?:[.．][0０]*)?\s*[名位]?", re.IGNORECASE)
_SCORE = re.compile(r"[-+]?(?:\d{1,30}(?:[.,]\d{0,30})?|[.,]\d{1,30})(?:e[-+]?\d{1,3})?", re.IGNORECASE)
_PAGE = re.compile(r"(?:第|pp?\.?|pages?|pg\.?)?\s*(\d{1,6})(?:[.．][0０]*)?\s*[页頁]?", re.IGNORECASE)


def page(text: str) -> int | None:
    """Return the page that a cell names, 0 where it is blank: ``3``, ``3.0``, ``３``, ``p. 3``, ``第3页``."""
    match = _PAGE.fullmatch(text.strip())
    return int(match[1]) if match else None if text.strip() else 0


def grade(text: str) -> int | None:
    """Return the grade that a cell names, the highest where it is blank: ``2``, ``2.0``, ``２``."""
    match = _NUMBER.fullmatch(text.strip())
    if not match:
        return None if text.strip() else max(GRADES)
    return int(match[1]) if int(match[1][:9]) in GRADES else None


def rank(text: str) -> int | None:
    """Return the rank that a cell names: ``3``, ``3.0``, ``３``, ``#3``, ``第3名``."""
    match = _RANK.fullmatch(text.strip())
    return int(match[1]) if match else None


def score(text: str) -> float | None:
    """Return the score that a cell names: ``0.83``, ``-1.2e-3``, ``０．８３``, and ``0,83`` with a comma."""
    plain = normalize("NFKC", text).strip().replace("−", "-")
    if not _SCORE.fullmatch(plain):
        return None
    value = float(plain.replace(",", "."))
    return value if isfinite(value) else None


_TYPED = {"page": page, "grade": grade, "rank": rank, "score": score}


def joined(cells: Sequence[str], columns: Sequence[str], separator: str) -> list[str] | None:
    """Return a row's surplus cells joined to those they were cut from, if there is one way to.

    ``columns`` names each column, blank where it is not read. Pages, grades, ranks and scores must be such; after a
    last column of those the surplus could be anything too.
    """
    if len(columns) == 1:
        return [separator.join(cells)]
    if len(cells) > MOST_CELLS or (columns[-1] in _TYPED and fits(cells, columns)):
        return None
    ways = [way for way in _ways(cells, len(columns), separator) if fits(way, columns)]
    return ways[0] if len(ways) == 1 else None


def _ways(cells: Sequence[str], width: int, separator: str) -> Iterator[list[str]]:
    for cuts in combinations(range(1, len(cells)), width - 1):
        yield [separator.join(cells[start:end]) for start, end in pairwise((0, *cuts, len(cells)))]


def fits(cells: Sequence[str], columns: Sequence[str]) -> bool:
    """Say whether what is a number stands in its column; cells after the last column do not count."""
    return all(_TYPED[name](cell) is not None for name, cell in zip(columns, cells, strict=False) if name in _TYPED)
