"""Turn extracted text into clean running text: right characters, whole sentences, no stray spaces.

What is repaired, and why it matters: a wrong code point, a line broken where the paper ended, or a space that the
typesetter's gap became, each hides a sentence from every search.
"""

from __future__ import annotations

import re
import sys
import textwrap
import unicodedata
from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

# Characters

CELL = "\t"
"""Stands between the cells of a table's row; in no other line of a page."""


class Block(NamedTuple):
    """Lines that belong together; those of ``columns`` are running text, however narrow."""

    lines: tuple[str, ...]
    columns: bool = False


_RADICALS = (
    "⺁厂⺂乛⺃乚⺄乙⺅亻⺆冂⺇𠘨⺈刀⺉刂⺊卜⺋㔾⺌小⺍小⺎兀⺏尣⺐尢⺑𡯂⺒巳⺓幺⺔彑⺕彐⺖忄⺗心⺘扌⺙攵⺛旡⺜日⺝月⺞歺⺟母⺠民⺡氵⺢氺⺣灬⺤爫⺥爫⺦丬⺧牛⺨犭"
    "⺩王⺪𤴔⺫目⺬示⺭礻⺮𥫗⺯糹⺰纟⺱罓⺲罒⺳㓁⺴冗⺵𦉫⺶羊⺷𦍌⺸𦍋⺹耂⺺肀⺻聿⺼肉⺽𦥑⺾艹⺿艹⻀艹⻁虎⻂衤⻃覀⻄西⻅见⻆角⻇𧢲⻈讠⻉贝⻊𧾷⻋车⻌辶⻍辶⻎辶⻏邑"
    "⻐钅⻑長⻒镸⻓长⻔门⻕𨸏⻖阝⻗雨⻘青⻙韦⻚页⻛风⻜飞⻝食⻞𩙿⻟飠⻠饣⻡𩠐⻢马⻣骨⻤鬼⻥鱼⻦鸟⻧卤⻨麦⻩黄⻪黾⻫斉⻬齐⻭歯⻮齿⻯竜⻰龙⻱龜⻲亀⻳龟"
)
"""U+2E81 to U+2EF3, each before the character it stands for: Unicode's EquivalentUnifiedIdeograph.txt.

NFKC leaves this block alone, and would turn ，：（ into ASCII if it were let loose on a whole text.
"""

_NFKC_BLOCKS = (range(0x2F00, 0x2FE0), range(0xF900, 0xFB00), range(0xFB00, 0xFB07))
"""Kangxi radicals, compatibility ideographs, Latin ligatures."""

_INVISIBLE = "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"

_REPAIRS: dict[int, str] = {
    **{point: unicodedata.normalize("NFKC", chr(point)) for block in _NFKC_BLOCKS for point in block},
    **{ord(radical): han for radical, han in zip(_RADICALS[::2], _RADICALS[1::2], strict=True)},
    **{point: "" for point in (*range(0x20), *range(0x7F, 0xA0))},
    **{ord(character): "" for character in _INVISIBLE},
    **{ord(character): "\n" for character in "\n\f\u2028\u2029"},
    **{ord(character): " " for character in "\t\u00a0\u2002\u2003\u2009\u202f"},
    **{ord(character): "•" for character in "\uf0a7\uf0b7\uf0d8"},  # Word's bullets come from symbol fonts
    ord("㬵"): "胶",  # one glyph in Noto Sans CJK, and the first of the two is in no living text
}

_WRONG = re.compile(f"[{re.escape(''.join(chr(point) for point, right in _REPAIRS.items() if chr(point) != right))}]")
"""Most pages hold none of them, which is found out in less time than it takes to replace them."""

LONGEST_TITLE = 200
UNTITLED = "PDF"

_SOFT_BREAK = re.compile(r"\u00ad[ \t]*\n[ \t]*(?=[^\W\d_])")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_SIMPLIFIED, _TRADITIONAL = frozenset("国们来时会学这对发与个为"), frozenset("國們來時會學這對發與個為")


def repair_characters(text: str) -> str:
    """Replace every wrong code point by the character that was printed, and drop those that print nothing."""
    text = _SOFT_BREAK.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    text = text.replace("⼾", _door(text)) if "⼾" in text else text
    return mend_surrogates(text.translate(_REPAIRS) if _WRONG.search(text) else text)


def row_spans(text: str) -> list[tuple[int, int]]:
    """Return where the lines stand that are rows of a table."""
    spans, start = [], 0
    for line in text.split("\n") if CELL in text else ():
        if CELL in line:
            spans.append((start, start + len(line)))
        start += len(line) + 1
    return spans


def is_within(place: int, spans: Sequence[tuple[int, int]]) -> bool:
    """Say whether a place lies in one of these spans, which stand in order."""
    number = bisect_right(spans, (place, sys.maxsize)) - 1
    return number >= 0 and place < spans[number][1]


def repair_block(block: Block) -> Block:
    """Repair the characters of a block, in whose rows the cells stay apart."""
    repaired = CELL.join(map(repair_characters, "\n".join(block.lines).split(CELL)))
    return Block(tuple(repaired.split("\n")), block.columns)


def title_of(name: str) -> str:
    """Return a file's name as one short line without signs that print nothing or turn the line round."""
    visible = "".join(c for c in repair_characters(name) if unicodedata.category(c) != "Cf")
    return " ".join(visible.split())[:LONGEST_TITLE] or UNTITLED


def mend_surrogates(text: str) -> str:
    """Join surrogate pairs and replace lone surrogates, which no file and no tokenizer takes."""
    if not _SURROGATE.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _door(text: str) -> str:
    # One radical stands for two characters: 户 in a simplified font, 戶 in a traditional one.
    traditional = sum(character in _TRADITIONAL for character in text)
    return "戶" if traditional > sum(character in _SIMPLIFIED for character in text) else "户"


# Lines

_STOP = "。！？；…!?;"
_CLOSERS = "”’」』）》】〉\"')]"
WORD = re.compile(r"[A-Za-z]+(?:-[A-Za-z]+)*")
_HYPHEN_END = re.compile(r"[^\W_][-\u2010]$")
_BROKENWORD = re.compile(r"(?<![A-Za-z-])([A-Za-z]{2,})[-\u2010]$")
_FIRST_UNIT = re.compile(r"[\x21-\x7e]+|.[，、。：；！？”’）》】]*")
_SENTENCE_END = re.compile(rf"(?:[{re.escape(_STOP)}]|(?<![A-Z])\.)[{re.escape(_CLOSERS)}]*$")
_RUNNING = re.compile(rf"[{re.escape(_STOP)}]|\. |[.,，、:：\-\u2010—][{re.escape(_CLOSERS)}]*$")
"""A line that has it is no item of a list, but one of running text or above a list."""

_ABBREVIATED = re.compile(r"\b(?:Mrs?|Ms|Dr|Prof|St|No|Nos|Fig|Figs|Eq|Vol|cf|vs|al|e\.g|i\.e)\.$")
_MARK = re.compile(
    r"[•●○■□◆▪*·]\s|[–—-]\s(?=[A-Z\d\u4e00-\u9fff])|[①-⑳]|[A-Za-z]\)\s"
    r"|[（(][一二三四五六七八九十百\d]{1,4}[）)]|第[一二三四五六七八九十百\d]{1,4}[章節节編编部篇条條]"
    r"|\d{1,2}[.)．](?!\d)|\d{1,2}(?:\.\d{1,2})+(?:\.\s|\s(?=[A-Z]))|\d{1,2}、"
    r"|(?:表|图|圖|附件|附录|专栏)\s?[\d一二三四五六七八九十]|(?:Table|Figure|Chapter|Section|Appendix)\s[\dA-Z]"
)
_BARE_NUMBER = re.compile(r"(?=.*\d)(?:page|of|第|页|頁|共|[\s\d.,%/|()（）$¥€+–—·-])+(?<!\.)", re.IGNORECASE)
_TABLE_ROW = re.compile(r"(?:\s[(（]?[-+−–—$¥€£]?\d[\d.,]*[%)）]?){2,}\s*$")
_LEADER = re.compile(r"\.{4,}|(?:\. ){4,}|…{2,}\s*\d+\s*$|·{4,}")
_COMPOUND_HEADS = frozenset(
    {"all", "cross", "double", "end", "first", "full", "half", "high", "large", "long", "low", "mid", "newly", "non"}
    | {"one", "second", "self", "short", "single", "small", "third", "three", "two", "well", "world", "year", "zero"}
)

_LEAST_BODY = 36
"""Narrower than this (18 Han characters), the widest lines of a page are table cells or a slide's words."""

_LEAST_COLUMN = 10
"""Columns that are known to be running text may be as narrow as this."""


_LEAST_ITEMS, _MOST_ITEMS = 4, 14
"""Fewer lines may be one sentence in which each line begins with a name; more do not stand on a slide."""

_EVEN = 2
"""Han characters stand under each other: two lines that run to the edge differ by one at most."""

_TAIL = 60
"""Characters at the end of a line that decide about it: a page may come as one line of a million."""


def is_table_row(line: str) -> bool:
    """Say whether a line has cells or ends in two figures or more, as the rows of a table do."""
    end = line.rstrip()[-1:]
    return CELL in line or ((end.isdigit() or end in ".,%)）") and bool(_TABLE_ROW.search(line[-_TAIL:])))


def words_of(text: str) -> set[str]:
    """Return the Latin words of a text in lower case, each once."""
    return set("\n".join(WORD.findall(text)).lower().split("\n")) - {""}


def is_glyph_per_line(text: str) -> bool:
    """Say whether extraction gave every glyph a line of its own: at least 10 lines, half of them one glyph wide."""
    widths = sorted(line_width(line.strip()) for line in text.split("\n") if line.strip())
    return len(widths) >= 10 and widths[len(widths) // 2] <= 2


def line_width(line: str) -> int:
    """Measure a line in columns: two for a Han character or full-width mark, one for anything else."""
    if line.isascii():
        return len(line)
    widths = "".join(map(unicodedata.east_asian_width, line))
    return len(line) + widths.count("W") + widths.count("F")


def body_width(lines: list[str]) -> int:
    """Return how wide the lines of running text are on a page: a tenth of its text stands in wider lines.

    Weighing lines by their width keeps a page full of table cells from hiding its one paragraph.
    """
    widths = sorted((line_width(line.strip()) for line in lines), reverse=True)
    wider = 0
    for width in widths:
        wider += width
        if wider * 10 >= sum(widths):
            return width
    return 0


def join_lines(lines: list[str], words: frozenset[str] = frozenset(), columns: bool = False) -> list[str]:
    """Put sentences that run over several lines on one line each, paragraph by paragraph.

    ``words`` are the document's words in lower case, which tell a hyphenated word from a word broken by a hyphen.
    Lines of ``columns`` are joined however narrow they are.
    """
    least = _LEAST_COLUMN if columns else _LEAST_BODY
    lines = _without_double_spacing(_without_margin(lines))
    if not columns and _are_items(lines):
        return [line.strip() for line in lines if line.strip()]
    widths, body = [line_width(line.strip()) for line in lines], body_width(lines)
    joined = [line.strip() for line in lines[:1]]
    for position, (former, line) in enumerate(pairwise(lines)):
        width = column_width(widths, position, body)
        if width >= least and _continues(former, line, width):
            joined[-1] = join_two(joined[-1], line.strip(), words)
        else:
            joined.append(line.strip())
    return [line for line in joined if line]


def _are_items(lines: list[str]) -> bool:
    """Say whether each line says all it has to say, as on a slide without marks before its points.

    None has the end of a sentence or goes on in small letters, and no two in Han characters end at the same edge.
    """
    bare = [line.strip() for line in lines if line.strip()]
    few = _LEAST_ITEMS <= len(bare) <= _MOST_ITEMS
    if not few or not all(map(_may_be_item, bare)) or all(map(str.isupper, bare)):
        return False
    han = sorted(line_width(line) for line in bare if is_cjk(line[-1]))
    return len(han) < 2 or han[-1] - han[-2] > _EVEN


def _may_be_item(line: str) -> bool:
    first = line[0]
    uncased = first.isalpha() and first.lower() == first.upper() and not is_cjk(first)
    return not (uncased or first.islower() or _RUNNING.search(line))


def column_width(widths: list[int], position: int, body: int) -> int:
    """Return how wide the text is around a line: of a narrow column where one stands there, else of the page's body."""
    starts = {max(0, position - 8), max(0, position - 4), position}
    columns = [_even_width(tuple(widths[start : start + 9])) for start in starts]
    return min([body, *(column for column in columns if widths[position] <= column)])


@lru_cache(maxsize=16)
def _even_width(widths: tuple[int, ...]) -> int:
    """Return the width that two thirds of nine lines come close to, or 0: table cells and headings seldom agree."""
    typical = sorted(widths)[len(widths) * 3 // 4]
    fellows = [width for width in widths if 0.8 * typical <= width <= 1.15 * typical]
    return max(fellows) if len(widths) == 9 and len(fellows) >= 6 else 0


def _without_margin(lines: list[str]) -> list[str]:
    return textwrap.dedent("\n".join(lines)).split("\n")


def _without_double_spacing(lines: list[str]) -> list[str]:
    # Some writers leave a blank line after every line: there it says nothing about paragraphs.
    blank = sum(not line.strip() for line in lines)
    return [line for line in lines if line.strip()] if blank * 5 >= len(lines) * 2 else lines


def _continues(former: str, line: str, body: int) -> bool:
    """Say whether a sentence runs on from one line into the next."""
    if _stands_alone(former) or _stands_alone(line) or _begins_block(line):
        return False
    if _ends_sentence(former, line):
        return _is_full(former, line, body, 0.95) and not _looks_like_heading(line, body)
    if _runs_on(former, line):
        return line_width(former.strip()) >= 0.6 * body
    return _is_full(former, line, body, 0.85)


@lru_cache(maxsize=2)
def _stands_alone(line: str) -> bool:
    bare = line.strip()
    return not bare or bool(_BARE_NUMBER.fullmatch(bare) or is_table_row(bare) or _has_leader(bare))


def _has_leader(bare: str) -> bool:
    return any(dots in bare for dots in ("....", ". . . . ", "……", "····")) and bool(_LEADER.search(bare))


def _begins_block(line: str) -> bool:
    indented = line.startswith(("\u3000", "  ")) or (line.startswith(" ") and is_cjk(line.strip()[:1]))
    return indented or bool(_MARK.match(line.strip()))


def _ends_sentence(former: str, line: str) -> bool:
    bare = former.strip()
    if not _SENTENCE_END.search(bare[-_TAIL:]) or _ABBREVIATED.search(bare[-_TAIL:]):
        return False
    return not (bare.endswith(".") and line.strip()[:1].islower())


def _runs_on(former: str, line: str) -> bool:
    # Latin text has a ragged right edge; a small letter at the start of a line is better evidence than its width.
    return line.strip()[:1].islower() and not is_cjk(former.strip()[-1:])


def _is_full(former: str, line: str, body: int, share: float) -> bool:
    """Say whether the next line's first word would have run over the edge, had it stood on this line."""
    unit = _FIRST_UNIT.match(line.strip())
    room = line_width(unit.group()) if unit else 0
    gap = 0 if is_cjk(former.strip()[-1:]) else 1
    width = line_width(former.strip())
    return width + gap + min(room, body // 6) >= share * body  # no web address makes a short line full


def _looks_like_heading(line: str, body: int) -> bool:
    bare = line.strip()
    return line_width(bare) < 0.6 * body and not _SENTENCE_END.search(bare[-_TAIL:])


def is_cjk(character: str) -> bool:
    """Say whether a character is Han, kana, or the full-width punctuation that goes with them."""
    return bool(character) and bool(_CJK.match(character))


def join_two(former: str, line: str, words: frozenset[str] = frozenset()) -> str:
    """Join two lines: nothing between Han characters, one space between Latin words, a broken word made whole."""
    if _HYPHEN_END.search(former[-_TAIL:]) and line[:1].isalnum():
        return _mend_word(former, line, words)
    tight = former.endswith(("—", "/")) or is_cjk(former.rstrip(_QUOTES)[-1:]) or is_cjk(line.lstrip(_QUOTES)[:1])
    return former + line if tight else f"{former} {line}"


def has_unprinted(text: str) -> bool:
    """Say whether a text has signs that only steer how others are written: few pages do, and broken ones."""
    return any(unicodedata.category(sign) == "Cf" for sign in set(text))


def is_left_broken(text: str) -> bool:
    """Say whether a line ends in a hyphen and the next begins with a small letter: a word that was not mended."""
    pairs = pairwise(text.split("\n"))
    return any(line[:1].islower() and _HYPHEN_END.search(former[-_TAIL:]) for former, line in pairs)


def _mend_word(former: str, line: str, words: frozenset[str]) -> str:
    """Drop the hyphen that ends ``former`` when it broke a word, keep it when it belongs to one."""
    head, tail = _BROKENWORD.search(former[-_TAIL:]), WORD.match(line)
    if not head or not tail or not line[0].islower():
        return former + line
    first, rest = head.group(1).lower(), tail.group().lower()
    if f"{first}-{rest}" in words:
        return former + line
    compound = first in _COMPOUND_HEADS and first + rest not in words
    return former + line if compound else former[:-1] + line


# Spaces

_HAN = r"\u2e80-\u2fdf\u3005\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_CJK_MARKS = r"\u3001\u3002\u3008-\u3011\u3014-\u301b\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65"
_QUOTES = "“”‘’·…—"
_CJK = re.compile(rf"[{_HAN}{_CJK_MARKS}]")
_SPACES = re.compile(r"[ \u3000]+")
_AROUND_MARK = re.compile(rf" (?=[{_CJK_MARKS}])|(?<=[{_CJK_MARKS}]) ")
_HAN_THEN_OTHER = re.compile(rf"(?<=[{_HAN}]) (?=[\dA-Za-z{_QUOTES}])")
_OTHER_THEN_HAN = re.compile(rf"(?<=[\dA-Za-z%‰℃°+{_QUOTES}]) (?=[{_HAN}])")
_SPREAD = re.compile(rf"(?<![^ ])[{_HAN}](?: [{_HAN}]){{3,}}(?![^ ])")


def tidy_spaces(line: str) -> str:
    """Drop the spaces that extraction put between Han characters and figures, Latin letters or full-width marks.

    A space between two Han characters stays, for headings and names use it, unless four or more characters in a row
    stand apart: that is letter-spacing. The cells of a table row stay apart.
    """
    if CELL in line:
        return CELL.join(map(tidy_spaces, line.split(CELL)))
    line = _SPACES.sub(" ", line).strip()
    if line.isascii() or is_table_row(line):
        return line
    line = _SPREAD.sub(lambda spread: spread.group().replace(" ", ""), line)
    for between in (_AROUND_MARK, _HAN_THEN_OTHER, _OTHER_THEN_HAN):
        line = between.sub("", line)
    return line
