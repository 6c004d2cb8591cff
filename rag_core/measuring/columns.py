"""What the columns of a question file may be called, and how its header is told from a question."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from unicodedata import normalize

from rag_core.errors import NoQuestionColumn

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "question": (
        *("question", "questions", "query", "queries", "question text", "query text", "q"),
        *("问题", "提问", "问句", "题目", "查询", "问", "問題", "提問", "問句", "題目", "查詢", "問", "質問", "text"),
    ),
    "page": (
        *("page", "pages", "page number", "page no", "page num", "pg", "p"),
        *("页", "页码", "页数", "页号", "页面", "頁", "頁碼", "頁數", "頁號", "頁面", "ページ"),
    ),
    "quote": (
        *("quote", "quotes", "quotation", "passage", "evidence", "excerpt"),
        *("引文", "原文", "引用", "引语", "摘录", "原句", "证据", "依据", "引語", "摘錄", "證據", "依據"),
    ),
    "grade": (
        *("grade", "grades", "relevance", "relevance grade", "rel", "rating"),
        *("等级", "分级", "评级", "评分", "相关性", "相关度", "等級", "分級", "評級", "評分", "相關性", "相關度"),
    ),
    "judge": (
        *("judge", "judged by", "assessor", "annotator", "rater", "grader"),
        *("评判人", "评判者", "评审", "评审人", "标注者", "标注人", "标注员", "评分人"),
        *("評判人", "評判者", "評審", "評審人", "標註者", "標註人", "標註員", "評分人"),
    ),
    "document": (
        *("document", "document id", "doc", "doc id", "file", "file name"),
        *("文档", "文档编号", "文件", "文件名", "文檔", "文檔編號", "檔案", "檔名"),
    ),
}
"""The columns that are read and their names, the likelier first; case, spaces and what stands in brackets do not count.

``answer`` is none of them: an answer is seldom in the words of the page, and a judgment is about those.
"""

SUGGESTED = ("question", "query", "问题", "提问", "题目", "查询", "問題")
"""What an error proposes to call the column of questions."""

HEADER_ROWS = 5
"""The header may stand below a title, in one of so many rows."""

LOOKED_AT = 20
"""So many rows tell a table from a list of questions."""

_WIDEST_NAME = 30
_IN_BRACKETS = re.compile(r"[(\[【].*?[)\]】]")
_ASKS = re.compile(
    r"\b(who|whom|whose|what|which|when|where|why|how|is|are|was|were|do|does|did|can|will)\b|[?？!！。]"
    "|谁|什么|何|哪|几|多少|怎|吗|是否|誰|什麼|幾|怎麼|嗎|か$",
    re.IGNORECASE,
)
_QUESTION_END = re.compile(r"[?？][”’」』\"')）]*\s*$")


def _bare(name: str) -> str:
    return re.sub(r"[^\w?]|_", "", _IN_BRACKETS.sub("", normalize("NFKC", name))).casefold()


_RANKS = {_bare(name): (column, rank) for column, names in COLUMNS.items() for rank, name in enumerate(names)}


def places(header: Sequence[str]) -> dict[str, int]:
    """Return where each column that is read stands; of two with names of one column, the likelier name counts."""
    known = [(*_RANKS[_bare(name)], place) for place, name in enumerate(header) if _bare(name) in _RANKS]
    return {column: place for column, _, place in sorted(known, key=lambda entry: entry[1:], reverse=True)}


def unread(header: Sequence[str]) -> list[str]:
    """Return the names of the columns that are not read."""
    read = places(header).values()
    return [name.strip() for place, name in enumerate(header) if place not in read and name.strip()]


def header_place(rows: Sequence[Sequence[str]]) -> int | None:
    """Return which of a file's first rows is its header: one with a question column, below a title with another."""
    for place, cells in enumerate(rows[:HEADER_ROWS]):
        found = places(cells)
        if "question" in found and (place == 0 or len(found) > 1):
            return place
    return None


def is_table(rows: Sequence[Sequence[str]], separator: str = "") -> bool:
    """Say whether first rows without a question column are a table's all the same, or where each is a line, a list's.

    Their first row looks like a header of other names, or all of them have cells alike without one.
    """
    return bool(rows) and (_is_header(rows[0], rows[1:]) or _has_cells_alike(rows, separator))


def no_question(names: Iterable[str]) -> NoQuestionColumn:
    """Return the error of a table without a question column; ``names`` are those it has."""
    found, allowed = ", ".join(name.strip()[:40] for name in islice(names, 12)), ", ".join(SUGGESTED)
    return NoQuestionColumn(
        f"no column holds the questions, only: {found}. Give that column one of the names {allowed};"
        " where each line is a question, write question above them",
        found=found,
        names=allowed,
    )


def _is_header(first: Sequence[str], others: Sequence[Sequence[str]]) -> bool:
    if len(first) > 1 and places(first):
        return True
    if not others or not all(_is_name(cell) for cell in first if cell.strip()):
        return False
    if len(first) == 1:
        return all(_QUESTION_END.search(cells[0]) for cells in others)
    return sum(len(cells) == len(first) for cells in others) > len(others) / 2


def _is_name(cell: str) -> bool:
    """Say whether a cell may be a column's name: short, of letters, and no question."""
    cell = cell.strip()
    wide = sum(2 for character in cell if character > "\u2e80") + len(cell)
    return 0 < wide <= _WIDEST_NAME and len(cell.split()) <= 4 and not _ASKS.search(cell) and cell[0].isalpha()


def _has_cells_alike(rows: Sequence[Sequence[str]], separator: str) -> bool:
    """Say whether rows have as many cells, and a column of numbers or tabs between, which no question has."""
    width = len(rows[0])
    if width < 2 or any(len(cells) != width for cells in rows) or len(rows) + width < 4:
        return False
    return separator == "\t" or any(all(cells[place].strip().isdecimal() for cells in rows) for place in range(width))
