"""Documents with running heads and feet, with lists of contents, and with what only looks like either.

Each has its pages' lines as they are printed, and the lines that are to be dropped, page by page; all others are text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

EN = (
    "council",
    "harbour",
    "school",
    "bridge",
    "hospital",
    "archive",
    "market",
    "theatre",
    "library",
    "nursery",
    "depot",
)
DID = ("repaired", "opened", "measured", "painted", "closed", "moved", "counted", "leased", "drained", "insured")
SEASONS = ("spring", "summer", "autumn", "winter")
ZH = ("码头", "学校", "桥梁", "医院", "档案馆", "集市", "剧场", "图书馆", "苗圃", "车站", "仓库")
ZH_DID = (
    "完成了改造",
    "重新开放了",
    "接受了检查",
    "增加了人手",
    "减少了开支",
    "搬到了城东",
    "公布了账目",
    "招聘了员工",
    "更换了设备",
    "签订了合同",
)


@dataclass(frozen=True)
class Printed:
    """A document as it is printed, and which lines of each page are no text."""

    pages: tuple[tuple[str, ...], ...]
    out: tuple[tuple[str, ...], ...]

    @property
    def dropped(self) -> list[list[str]]:
        return [sorted(lines) for lines in self.out]


Body = Callable[[int], list[str]]


def english(page: int) -> list[str]:
    """Return sentences that run over the lines of a page and on to the next one."""
    told = [
        f"{EN[(page * 3 + n) % 11]} was {DID[(page + 7 * n) % 10]} before the {EN[(page + n + 5) % 11]} could be"
        f" {DID[(n + 3 * page) % 10]} in the {SEASONS[(page + n) % 4]} of that year, and the"
        for n in range(6)
    ]
    return _broken(" ".join([*told, *EN[page % 11 :][: 4 + page % 3]]), 76)


def chinese(page: int) -> list[str]:
    told = [
        f"{ZH[(page * 3 + n) % 11]}在{'春夏秋冬'[(page + n) % 4]}天{ZH_DID[(page + 7 * n) % 10]}，"
        f"随后{ZH[(page + n + 5) % 11]}也{ZH_DID[(n + 3 * page) % 10]}，"
        for n in range(9)
    ]
    whole = "".join(told)
    return [whole[start : start + 34] for start in range(0, len(whole), 34)]


def _broken(text: str, width: int) -> list[str]:
    lines = [""]
    for word in text.split():
        lines = [*lines, word] if len(lines[-1]) + len(word) >= width else [*lines[:-1], f"{lines[-1]} {word}".strip()]
    return lines


def printed(
    count: int,
    body: Body,
    above: Callable[[int], Sequence[str]] = lambda page: (),
    below: Callable[[int], Sequence[str]] = lambda page: (),
    stays: Callable[[int], Sequence[str]] = lambda page: (),
) -> Printed:
    """Print pages numbered from 1; ``stays`` says which of the lines above and below are text."""
    pages = [(*above(page), *body(page), *below(page)) for page in range(1, count + 1)]
    out = [
        tuple(line for line in (*above(page), *below(page)) if line not in stays(page)) for page in range(1, count + 1)
    ]
    return Printed(tuple(pages), tuple(out))


ROMAN = ("", "i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii")
HAN = ("", "一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二")
CHAPTERS = ("The harbour and its trade", "Schools and nurseries", "How the bridges were paid for", "What comes next")
ZH_CHAPTERS = ("港口与贸易", "学校和托育", "桥梁建设资金", "今后的安排")
SECTIONS = ("Strategy", "Water", "Heat", "People", "Risk", "Governance", "Remuneration", "Accounts", "Notes", "Tax")


def first(title: str) -> Callable[[int], Sequence[str]]:
    return lambda page: (title,) if page == 1 else ()


def once(names: Sequence[str], each: int, start: int = 1) -> Callable[[int], Sequence[str]]:
    """Say that the name of a chapter is text on its first page."""
    return lambda page: (names[(page - start) // each],) if page >= start and (page - start) % each == 0 else ()


def left_and_right(page: int) -> Sequence[str]:
    title = f"{page} Annals of the Northern Coast" if page % 2 == 0 else f"{CHAPTERS[(page - 1) // 4]} {page}"
    return (title,) if page > 1 else ("Annals of the Northern Coast",)


def restarted(page: int) -> Sequence[str]:
    return (f"{(page - 1) // 4 + 1}-{(page - 1) % 4 + 1}",)


HEADS: dict[str, Printed] = {
    "the same head, pages counted": printed(
        6,
        english,
        lambda page: ("Harbour Board: Report for 2021",),
        lambda page: (f"Page {page}",),
        first("Harbour Board: Report for 2021"),
    ),
    "the same head, pages counted, zh": printed(
        6,
        chinese,
        lambda page: ("港务局2021年度报告",),
        lambda page: (f"第 {page} 页 共 6 页",),
        first("港务局2021年度报告"),
    ),
    "left and right heads": printed(16, english, left_and_right, stays=first("Annals of the Northern Coast")),
    "left and right heads, zh": printed(
        12,
        chinese,
        lambda page: ("第三届城市论坛论文集" if page % 2 == 0 else "王小明：老城更新的几个问题",),
        lambda page: (f"· {page} ·",),
        first("王小明：老城更新的几个问题"),
    ),
    "a preface with Roman numbers": printed(
        12, english, below=lambda page: (ROMAN[page] if page < 5 else str(page - 4),)
    ),
    "a preface with Roman numbers, zh": printed(
        10,
        chinese,
        lambda page: ("河道整治志",),
        lambda page: (f"— {ROMAN[page] if page < 4 else page - 3} —",),
        first("河道整治志"),
    ),
    "heads that name the chapter": printed(
        16, english, lambda page: (CHAPTERS[(page - 1) // 4],), lambda page: (f"- {page} -",), once(CHAPTERS, 4)
    ),
    "heads that name the chapter, zh": printed(
        12, chinese, lambda page: (ZH_CHAPTERS[(page - 1) // 3],), lambda page: (f"-{page}-",), once(ZH_CHAPTERS, 3)
    ),
    "a cover without head": printed(
        7,
        english,
        lambda page: (f"Page {page} of 7",) if page > 1 else ("Report on the harbour",),
        stays=first("Report on the harbour"),
    ),
    "a cover without head, zh": printed(
        7,
        chinese,
        lambda page: ("关于港口工作的报告",) if page == 1 else ("内部资料 注意保存",),
        lambda page: (f"第{page}页",) if page > 1 else (),
        first("关于港口工作的报告"),
    ),
    "a head as wide as the text": printed(
        6,
        english,
        lambda page: ("Harbour Board and Coastal Railway Company, Annual Report and Accounts 2021",),
        stays=first("Harbour Board and Coastal Railway Company, Annual Report and Accounts 2021"),
    ),
    "a head as wide as the text, zh": printed(
        6,
        chinese,
        lambda page: ("海湾市港务局与沿海铁路公司二〇二一年度联合工作报告及财务决算说明书",),
        stays=first("海湾市港务局与沿海铁路公司二〇二一年度联合工作报告及财务决算说明书"),
    ),
    "a foot below half a sentence": printed(6, english, below=lambda page: ("Harbour Board", f"{page}")),
    "a foot below half a sentence, zh": printed(6, chinese, below=lambda page: ("海湾市港务局编印",)),
    "sections of one page": printed(10, english, lambda page: (f"{SECTIONS[page - 1]} | {page + 20}",)),
    "sections of one page, zh": printed(10, chinese, lambda page: (f"{page + 30}｜{ZH[page % 11]}情况",)),
    "pages counted in words": printed(12, chinese, below=lambda page: (f"第{HAN[page]}页",)),
    "wide figures": printed(
        6,
        chinese,
        lambda page: ("海湾市统计公报",),
        lambda page: (f"－{chr(0xFF10 + page)}－",),
        first("海湾市统计公报"),
    ),
    "a letterhead of three lines": printed(
        5,
        english,
        lambda page: ("Harbour Board", "12 Quay Street, Northport", "Telephone 555 0100"),
        stays=lambda page: ("Harbour Board", "12 Quay Street, Northport", "Telephone 555 0100") if page == 1 else (),
    ),
    "numbers that begin anew": printed(12, english, below=restarted),
    "numbers of a journal": printed(6, english, lambda page: (f"{1040 + page} Journal of Harbour Studies",)),
    "a foot of three parts": printed(
        6, english, below=lambda page: (f"Strictly confidential   harbour.docx   12 March 2024 {page}/6",)
    ),
    "a foot of three parts, zh": printed(6, chinese, below=lambda page: (f"内部资料 第{page}页 二〇二四年三月",)),
    "a foot that is a sentence": printed(
        5, english, below=lambda page: ("This report is confidential and may not be copied.", f"{page}/5")
    ),
    "a foot that is a sentence, zh": printed(
        5, chinese, below=lambda page: ("本报告仅供内部使用，不得复制。", f"{page}/5")
    ),
    "chapters of one word": printed(
        12, english, lambda page: (f"{page} Harbour Studies" if page % 2 == 0 else f"{SECTIONS[page // 5]} {page}",)
    ),
    "a title that the first sentence names": printed(
        5,
        lambda page: [f"Harbour Board {DID[page]} the {EN[page]}.", *english(page)],
        lambda page: ("Harbour Board",),
        stays=first("Harbour Board"),
    ),
    "a head that changes case on the cover": printed(
        5,
        english,
        lambda page: ("HARBOUR BOARD REPORT", "Harbour Board Report") if page == 1 else ("HARBOUR BOARD REPORT",),
        stays=first("Harbour Board Report"),
    ),
}


def rows(page: int) -> list[str]:
    return [f"{EN[(page + n) % 11].title()} {page * 40 + n * 7} {n * 3}.{page}0" for n in range(9)]


def cells(page: int) -> list[str]:
    return [
        cell
        for n in range(5)
        for cell in (str(page * 5 + n - 4), f"{ZH[(page + n) % 11]}改造", f"{page * 3 + n},{n}00")
    ]


def same(count: int, body: Body, above: Sequence[str] = (), below: Sequence[str] = ()) -> Printed:
    """Print the same lines on every page; all are text."""
    return Printed(tuple((*above, *body(page), *below) for page in range(1, count + 1)), ((),) * count)


def plain(count: int, lines: Callable[[int], Sequence[str]]) -> Printed:
    return Printed(tuple(tuple(lines(page)) for page in range(1, count + 1)), ((),) * count)


NO_HEADS: dict[str, Printed] = {
    "two pages": same(2, english, ("Harbour Board: Report",), ("Confidential",)),
    "two pages, zh": same(2, chinese, ("港务局报告",), ("内部资料",)),
    "a table that runs on": same(5, rows, ("Place Visitors Price",)),
    "a table that runs on, zh": same(5, cells, ("序号", "项目", "金额")),
    "a form on every page": same(4, english, ("Name ....................", "Street ____________")),
    "a unit above every table, zh": same(4, cells, ("单位：万元",)),
    "a table on a few pages": plain(
        10, lambda page: ["Place Guests Fee", *rows(page)] if 3 < page < 8 else english(page)
    ),
    "questions": plain(6, lambda page: [f"Question {page}", *english(page)]),
    "chapters of one page, zh": plain(6, lambda page: [f"第{HAN[page]}章", *chinese(page)]),
    "days, zh": plain(6, lambda page: [f"第{page}天", *chinese(page)]),
    "numbered headings": plain(4, lambda page: [f"{page} {CHAPTERS[page - 1]}", *english(page)]),
    "totals": plain(6, lambda page: [*english(page), f"Total {page * 1204}"]),
    "totals, zh": plain(6, lambda page: [*chinese(page), f"合计 {page * page * 37}"]),
    "sources": plain(6, lambda page: [*english(page), "Source: Harbour Board, own figures"]),
    "sources, zh": plain(6, lambda page: [*chinese(page), "资料来源：海湾市港务局"]),
    "recipes": plain(
        6, lambda page: [f"Soup of the {EN[page]}", "Ingredients", *english(page), f"Serves {page % 3 + 3}"]
    ),
    "figures at the edge": plain(6, lambda page: [*rows(page), str(page * page + 7), str(211 + 13 * page % 7)]),
    "what leads to a list, zh": plain(6, lambda page: ["主要做法：", *chinese(page)]),
    "a refrain on a few pages": plain(
        9, lambda page: [*english(page), *(["And the harbour sleeps again."] if page in (2, 5, 9) else [])]
    ),
    "trails": plain(6, lambda page: [f"Trail {page}", *english(page)]),
    "goals, zh": plain(6, lambda page: [f"目标{page}", *chinese(page)]),
    "sights beside page numbers": Printed(
        tuple((f"Sights of the north {page}", *english(page), str(page)) for page in range(1, 7)),
        tuple((str(page),) for page in range(1, 7)),
    ),
    "sentences that count": plain(
        4, lambda page: [f"Hall {page} had many visitors.", *english(page), "The halls are closed on Mondays."]
    ),
    "a table on a few pages, zh": plain(
        10,
        lambda page: (
            ["地区 床位 费用", *[f"{ZH[(page + n) % 11]} 普通病房" for n in range(9)]]
            if 3 < page < 8
            else chinese(page)
        ),
    ),
    "cases of one page": plain(6, lambda page: [f"Case study {page}", *english(page)]),
}


# Contents


def chapters_of(titles: Sequence[str], body: Body, pages_each: int = 2) -> Iterator[list[str]]:
    for number in range(len(titles) * pages_each):
        title = [titles[number // pages_each]] if number % pages_each == 0 else []
        yield [*title, *body(number + 1)]


TITLES = (
    "Foreword",
    "The harbour and its trade",
    "Schools and nurseries",
    "How the bridges were paid for",
    "What comes next",
)
ZH_TITLES = ("第一章 港口与贸易", "第二章 学校和托育", "第三章 桥梁建设资金", "第四章 今后的安排")


def listing(
    *pages: Sequence[str],
    titles: Sequence[str] = (),
    body: Body = english,
    after: Sequence[str] = (),
    out: int | None = None,
) -> Printed:
    """Print a list of contents, then the chapters; ``after`` is text below the list, ``out`` counts its lines."""
    shown = [*map(list, pages[:-1]), [*pages[-1], *after], *chapters_of(titles or ("Beginning", "End"), body)]
    lists = [tuple(lines) for lines in pages]
    return Printed(tuple(map(tuple, shown)), (*lists, *[()] * (len(shown) - len(lists))))


def led(titles: Sequence[str], leader: str, numbers: Sequence[object] = (2, 4, 6, 8, 10)) -> list[str]:
    return [f"{title}{leader}{number}" for title, number in zip(titles, numbers, strict=False)]


LISTS: dict[str, Printed] = {
    "dots": listing(["Contents", *led(TITLES, " ........................ ")], titles=TITLES),
    "dots, zh": listing(["目录", *led(ZH_TITLES, " ........................ ")], titles=ZH_TITLES, body=chinese),
    "dots apart": listing(["Table of Contents", *led(TITLES, " . . . . . . . . . . . . ")], titles=TITLES),
    "ellipses, zh": listing(["目　录", *led(ZH_TITLES, "………………")], titles=ZH_TITLES, body=chinese),
    "middle dots, zh": listing(["目  录", *led(ZH_TITLES, "············")], titles=ZH_TITLES, body=chinese),
    "in brackets, zh": listing(
        ["目录", *led(ZH_TITLES, "……", ("（1）", "（3）", "（5）", "（7）"))], titles=ZH_TITLES, body=chinese
    ),
    "no leaders": listing(["Contents", *led(TITLES, " ")], titles=TITLES),
    "no leaders, zh": listing(["目录", *led(ZH_TITLES, " ")], titles=ZH_TITLES, body=chinese),
    "strokes, zh": listing(["目录", *led(ZH_TITLES, " / ")], titles=ZH_TITLES, body=chinese),
    "no word above": listing(led(TITLES, " ............ "), titles=TITLES),
    "no word above and no leaders": listing(led(TITLES, " "), titles=TITLES),
    "Roman numbers first": listing(
        [
            "Contents",
            *led(("Preface", "Acknowledgements", "List of maps"), " ....... ", ("iii", "v", "vii")),
            *led(TITLES, " ....... "),
        ],
        titles=TITLES,
    ),
    "titles of two lines": listing(
        [
            "Contents",
            "1 How the harbour came to the town and what it",
            "brought to its people ........ 3",
            "2 Schools ........ 7",
            "3 Why the bridges were paid for by those who",
            "never cross them ........ 12",
            "4 What comes next ........ 20",
        ],
    ),
    "parts without a number, zh": listing(
        ["目录", "上编", *led(ZH_TITLES[:2], "……"), "下编", *led(ZH_TITLES[2:], "……", (9, 12))],
        titles=ZH_TITLES,
        body=chinese,
    ),
    "numbers on lines of their own": listing(
        ["Contents", *[line for n, title in enumerate(TITLES) for line in (title, str(3 * n + 2))]], titles=TITLES
    ),
    "numbers after all titles": listing(["Contents", *TITLES, "2", "4", "6", "8", "10"], titles=TITLES),
    "two pages of it": listing(
        ["Contents", *led([f"{n} Matters of the {EN[n]}" for n in range(1, 11)], " ....... ", range(3, 40, 3))],
        led([f"{n + 10} Affairs of the {EN[n]}" for n in range(1, 9)], " ....... ", range(40, 90, 3)),
    ),
    "text below it": listing(["Contents", *led(TITLES, " ............ ")], titles=TITLES, after=english(9)),
    "text below it, zh": listing(["目录", *led(ZH_TITLES, "…………")], titles=ZH_TITLES, body=chinese, after=chinese(9)),
    "a list of tables": listing(
        ["List of tables", *led(("Table 1: Ships", "Table 2: Cranes", "Table 3: Pupils"), " ....... ", (4, 9, 17))]
    ),
    "a list of figures, zh": listing(
        ["图目录", *led(("图1 港区平面", "图2 学校分布", "图3 桥梁剖面"), "……", (4, 9, 17))], body=chinese
    ),
}


def within(*lines: str, body: Body) -> Printed:
    """Print these lines, which are text, at the top of one page among others."""
    return plain(4, lambda page: [*(lines if page == 2 else ()), *body(page)])


NO_LISTS: dict[str, Printed] = {
    "prices": within("Menu", "Coffee ........ 3", "Tea ........ 2", "Cake ........ 4", "Soup ........ 6", body=english),
    "prices, zh": within("价目表", "咖啡……28", "绿茶……18", "蛋糕……32", "热汤……26", body=chinese),
    "amounts": within("Balance", "Cash ........ 1,204", "Land ........ 3,300", "Debt ........ 7,120", body=english),
    "what is in the box": within("Contents", "Screws 4", "Bolts 6", "Washers 12", body=english),
    "years": within(
        "The board was founded in 1901", "It bought the railway in 1925", "It sold the ferries in 1988", body=english
    ),
    "years, zh": within("建港 1901", "通车 1925", "改制 1988", body=chinese),
    "books": within(
        "Ames, R. Harbours of the north. Northport, 1990",
        "Bell, T. On bridges. Eastport, 1995",
        "Cole, U. Schools. 1999",
        body=english,
    ),
    "an index": within("archive, 12, 40", "bridge, 3, 77", "council, 9, 31", "depot, 2, 18", body=english),
    "a table that goes up": within("Place Beds", "North 12", "East 34", "South 56", "West 78", body=english),
    "a table that goes up, zh": within("地区 床位", "城北 12", "城东 34", "城南 56", "城西 78", body=chinese),
    "numbered steps": within("1. Open the valve", "2. Fill the tank", "3. Close the valve", body=english),
    "a table after contents": Printed(
        (
            ("Contents", *led(TITLES, " ........ ")),
            ("Beds by place", "North 12", "East 34", "South 56", "West 78", "Hill 90", *english(2)),
            tuple(english(3)),
        ),
        (("Contents", *led(TITLES, " ........ ")), (), ()),
    ),
    "a form": within(
        "Name ....................", "Street ....................", "Town ....................", body=english
    ),
    "months": within("Jan/2020", "Feb/2020", "Mar/2020", "Jan/2021", "Feb/2021", "Mar/2021", body=english),
    "rules with numbers at the end": within("See rule 3", "See rule 5", "See rule 9", body=english),
}
