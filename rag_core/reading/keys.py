"""Say what a line at the edge of a page is known by on other pages: its words, or its words and the page's number.

A line's numbers tell a head from text: in a head they stay as they are, or go up with the pages. What a page says of
itself ("Total 1,204", "Question 3") does neither, or names what it counts.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from rag_core.reading.numerals import NUMBER, value

Key = tuple[str, int | None]
"""A line without spaces; with its page number, ``#``, comes how far that is ahead of the page's place in the file."""

LONGEST = 200
"""A longer line is no head."""

_PAGE_WORDS = re.compile(r"(?<![a-z])(?:pages?|pg|p|of)(?![a-z])|[第页頁共总總]")
_COUNTED = re.compile(  # what such a number counts is no page
    r"(?:chapter|section|part|appendix|annex|exhibit|schedule|table|figure|fig\.?|box|question|exercise|problem|task"
    r"|lesson|unit|module|session|case|study|example|step|stage|phase|item|no\.?|number|day|week|month|year|map|record"
    r"|form|invoice|order|room|group|sample|test|experiment|level|round|act|scene|article|clause|rule|recipe|volume"
    r"|issue|plan|project|site|model|type|version|附件|附录|表|图|例|问题|练习|习题|案例|任务|步骤|阶段|专栏|单元|编号"
    r"|样本|项目|方案)\s*[:：.]?\s*$"
)
_COUNTS = re.compile(r"\s*[章節节編编篇部条條款项項题題课課天日周週期季回讲講例号號辑集册卷届次步幕场年月]")
_BELONGS = re.compile(
    r"(?:sources?|notes?|units?|资料来源|資料來源|数据来源|數據來源|来源|注释|备注|注|单位|單位)\s*[:：]|.*(?:[:：]|[._…]{2})$"
)
"""Words under or above a table, before what they lead to, or beside a field to fill in are text wherever they stand."""

_LABEL = re.compile(
    r"items?|no\.?|name|date|term|word|region|country|description|code|unit|quantity|qty|price|amount|total|year|title"
    r"|type|status|value|department|phone|meaning|definition|place|event|account|category|indicator|cost|remarks"
    r"|measure|序号|项目|指标|名称|编号|日期|事项|地区|单位|科目|类别|年份|术语|数量|单价|金额|合计|备注|姓名|部门|电话"
    r"|内容|说明|责任单位|牵头单位|规格"
)
"""What stands at the head of a table's column."""

_ONE_WORD = re.compile(r"[^\W\d_一-鿿]+\.? ?|[一-鿿]{1,3} ?")
LONE = "?"
"""What such a number is followed by in a key."""

_BAR = re.compile(r"^(?:.{2,60}[|｜·•]#|#[|｜·•].{2,60})$")
_AT_AN_END = re.compile(
    r"^(?:pages?|pg|p\.?|第|\W)*#|#(?:[页頁]|(?:of|/)\d+|共\d+[页頁]|\W)*$|(?<![a-z])pages?#|第#[页頁]"
)
"""A page number stands at one end of its line, or what counts the pages does; or the line says that it is one."""


def keys_of(line: str, page: int) -> Iterator[Key]:
    """Yield what a line on a page is known by; nothing where it can be no head."""
    plain = " ".join(unicodedata.normalize("NFKC", line[: LONGEST + 1]).casefold().split())
    if len(plain) > LONGEST or _BELONGS.match(plain) or is_label(plain) or not any(map(str.isalnum, plain)):
        return
    if len(plain) > 1:
        yield tight(plain), None
    for number in NUMBER.finditer(plain):
        before, count, after = plain[: number.start()], value(number.group()), plain[number.end() :]
        if count and not _COUNTED.search(before) and not _COUNTS.match(after):
            lone = LONE if not after and _ONE_WORD.fullmatch(before) else ""
            yield from _numbered(tight(f"{before}#{after}") + lone, count - page)


def _numbered(text: str, ahead: int) -> Iterator[Key]:
    if _AT_AN_END.search(text):
        yield text, ahead
    if _BAR.match(text):
        yield ("#|" if text.startswith("#") else "|#"), ahead


def tight(text: str) -> str:
    """Return a text without its spaces."""
    return "".join(text.split())


def is_label(plain: str) -> bool:
    """Say whether a line in small letters is made of labels of a table's columns."""
    words = plain.split()
    return sum(bool(_LABEL.fullmatch(word)) for word in words) >= min(2, len(words))


def is_lone(key: Key) -> bool:
    """Say whether there is but one word before the number: it may as well count trails or goals as pages."""
    return key[0].endswith(LONE)


def is_bare(key: Key) -> bool:
    """Say whether a line is a page number and nothing else."""
    rest = _PAGE_WORDS.sub("", key[0])
    return key[1] is not None and not any(map(str.isalpha, NUMBER.sub("", rest)))
