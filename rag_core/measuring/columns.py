"""What the columns of a question file may be called, and how its header is told from a question."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from unicodedata import normalize

from rag_core.errors import BadFile, NoQuestionColumn, NoRunColumns

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

RUN_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "question": COLUMNS["question"][:-1],
    "text": (
        *("text", "chunk text", "passage text", "document text", "passage", "chunk", "content", "contents", "snippet"),
        *("文本", "片段", "片段内容", "段落", "正文", "内容", "文字", "文本块", "文段", "內容", "本文", "テキスト"),
        *COLUMNS["quote"],
    ),
    "rank": (
        *("rank", "ranking", "position", "place", "rank no", "rank number"),
        *("名次", "排名", "位次", "排序", "順位", "名次序号"),
    ),
    "score": (
        *("score", "scores", "similarity", "similarity score", "relevance score", "cosine"),
        *("得分", "分数", "分值", "相似度", "相似性", "分數", "スコア"),
    ),
    "page": COLUMNS["page"],
    "document": COLUMNS["document"],
}
"""The same for another system's ranking; ``text`` is there what was ranked, not what was asked."""

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


@dataclass(frozen=True)
class Vocabulary:
    """What the columns of one kind of file may be called, and which of them its header has.

    It has every one of ``needed``, of ``either`` one at least, and none of the names of ``without``.
    """

    columns: Mapping[str, tuple[str, ...]]
    needed: tuple[str, ...] = ("question",)
    either: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    _ranks: Mapping[str, tuple[str, int]] = field(init=False)
    _foreign: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        ranks = {
            _bare(name): (column, rank) for column, names in self.columns.items() for rank, name in enumerate(names)
        }
        object.__setattr__(self, "_ranks", ranks)
        object.__setattr__(self, "_foreign", frozenset(map(_bare, self.without)))

    def places(self, header: Sequence[str]) -> dict[str, int]:
        """Return where each column that is read stands; of two with names of one column, the likelier name counts."""
        known = [(*self._ranks[_bare(name)], place) for place, name in enumerate(header) if _bare(name) in self._ranks]
        return {column: place for column, _, place in sorted(known, key=lambda entry: entry[1:], reverse=True)}

    def unread(self, header: Sequence[str]) -> list[str]:
        """Return the names of the columns that are not read."""
        read = self.places(header).values()
        return [name.strip() for place, name in enumerate(header) if place not in read and name.strip()]

    def fits(self, header: Sequence[str]) -> bool:
        """Say whether a header is of this kind of file."""
        found = self.places(header)
        either = not self.either or any(column in found for column in self.either)
        return either and found.keys() >= {*self.needed} and self._foreign.isdisjoint(map(_bare, header))

    def header_place(self, rows: Sequence[Sequence[str]]) -> int | None:
        """Return which of a file's first rows is its header: one that fits, below a title with another column."""
        for place, cells in enumerate(rows[:HEADER_ROWS]):
            if self.fits(cells) and (place == 0 or len(self.places(cells)) > 1):
                return place
        return None

    def missing(self, names: Iterable[str]) -> BadFile:
        """Return the error of a table without the columns it needs; ``names`` are those it has."""
        found = ", ".join(name.strip()[:40] for name in islice(names, 12))
        return _no_question(found) if self.needed == ("question",) else _no_run(found)


QUESTIONS = Vocabulary(COLUMNS)
RUN = Vocabulary(RUN_COLUMNS, ("question", "text"), ("rank", "score"), COLUMNS["grade"])
"""A file with grades holds judgments, whatever else it has."""


def _no_question(found: str) -> NoQuestionColumn:
    allowed = ", ".join(SUGGESTED)
    return NoQuestionColumn(
        f"no column holds the questions, only: {found}. Give that column one of the names {allowed};"
        " where each line is a question, write question above them",
        found=found,
        names=allowed,
    )


def _no_run(found: str) -> NoRunColumns:
    return NoRunColumns(
        "a ranking needs the columns question, text (the words that were ranked) and rank or score, and none of"
        f" grades; found: {found}",
        found=found,
    )


def is_table(rows: Sequence[Sequence[str]], separator: str = "") -> bool:
    """Say whether first rows without a question column are a table's all the same, or where each is a line, a list's.

    Their first row looks like a header of other names, or all of them have cells alike without one.
    """
    return bool(rows) and (_is_header(rows[0], rows[1:]) or _has_cells_alike(rows, separator))


def _is_header(first: Sequence[str], others: Sequence[Sequence[str]]) -> bool:
    if len(first) > 1 and QUESTIONS.places(first):
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
