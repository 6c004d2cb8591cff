"""Numbers as people write them: with separators, and in Chinese numerals where these can be read in one way only."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rag_core.reading.numerals import value

_GROUPED = re.compile(r"(?<![\d.,])\d{1,3}([ ,'’])\d{3}(?:\1\d{3})*(?!\d)")

_RUN = re.compile("(?<![万亿零〇一二两三四五六七八九十百千])[零〇一二两三四五六七八九十百千]{2,}")
"""What follows 万 or 亿 is the rest of a larger number."""

_COUNTED = re.compile(
    "(?=.*[十百千])(?:D千)?(?:[零〇]?D百)?(?:[零〇]?D?十D?|[零〇]D)?".replace("D", "[一二两三四五六七八九]")
)
_IN_PLACES = re.compile("[零〇一二三四五六七八九]{4,}|[一二三四五六七八九]+[零〇][零〇一二三四五六七八九]*")
"""Read in one way only: 十四五 is a plan, 一百二 is 120 or 102, 三四 is three or four."""


def numbers(text: str) -> Iterator[tuple[str, tuple[int, int]]]:
    """Yield the digits and the span of each number that is not written as its digits alone: 6,000 and 六千 are 6000.

    A magnitude stays as it is: 六千亿 is 6000 and 亿, as 6000亿 is.
    """
    for match in _GROUPED.finditer(text):
        yield re.sub(r"\D", "", match.group()), match.span()
    for match in _RUN.finditer(text):
        if _COUNTED.fullmatch(match.group()) or _IN_PLACES.fullmatch(match.group()):
            yield str(value(match.group())), match.span()
