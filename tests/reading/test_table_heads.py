"""The head of a table: what is one, which rows stand below it, and which pieces of a page bring it along."""

from __future__ import annotations

import pytest

from rag_core.reading.table_heads import WIDEST_HEAD, head_over, tables


def page(*rows: str) -> str:
    """Return a page's text, of rows whose cells are parted by bars."""
    return "\n".join(rows).replace("|", "\t")


def found(*rows: str) -> list[tuple[str, str]]:
    """Return the head and the rows of each table, with bars again."""
    text = page(*rows)
    return [
        (text[slice(*table.head)].replace("\t", "|"), text[table.start : table.end].replace("\t", "|"))
        for table in tables(text)
    ]


ROWS = ["Revenue|842.6|791.3", "Profit|12|–"]


@pytest.mark.parametrize(
    "head",
    [
        "Item|2024|2023",
        "Item|FY2024|FY2023",
        "Item|31 Dec 2024|31 Dec 2023",
        "Item|March 31, 2024|March 31, 2023",
        "Item|2024/25|2023/24",
        "Item|Q1|Q2",
        "Item|1Q24|2Q24",
        "Item|Result 2024|Target 2024",
        "2024|2023",
        "项目|2024年|2023年",
        "项目|2024年12月31日|2023年12月31日",
        "项目|1月|2月",
        "项目|本年数|上年数",
        "Item|Group|Company",
        "Item|USD million|%",
        "Item|Phase 1|Phase 2",
    ],
)
def test_words_units_and_periods_above_figures_are_a_head(head):
    assert found("Text before.", head, *ROWS, "Text after.") == [(head, "\n".join(ROWS))]


@pytest.mark.parametrize(
    "first",
    [
        "Revenue|842.6|791.3",
        "Revenue|£12 million|£10 million",
        "Employees|2,014|1,998",
        "Employees|2014|1998",
        "Cash|–|12",
        "收入|842.6亿元|791.3亿元",
        "12|13|14",
        "He said so.|It was agreed.|The end.",
        f"{'A very long cell ' * 4}|2024|2023",
    ],
)
def test_a_row_with_an_amount_or_a_sentence_is_no_head(first):
    assert found(first, *ROWS) == []


@pytest.mark.parametrize(
    "rows",
    [
        ["Name|Role|Town", "Ann|Clerk|Bergen", "Bob|Judge|Oslo"],
        ["Chairman|John Smith", "Employees|120", "Founded|1987", "Seat|Bergen"],
        ["Owner|City of Bergen", "Length|1,200 m"],
        ["Item|2024|2023"],
        ["Just text.", "And more of it."],
    ],
)
def test_words_above_words_are_no_head(rows):
    assert found(*rows) == []


def test_a_line_that_names_a_group_of_rows_stays_in_the_table():
    rows = ["Assets", "Cash|5|4", "Loans|3|3", "Liabilities", "Debt|9|8"]
    assert found("Item|2024|2023", *rows) == [("Item|2024|2023", "\n".join(rows))]
    assert found("Item|2024|2023", *rows, "Notes") == [("Item|2024|2023", "\n".join(rows))]


@pytest.mark.parametrize("between", ["This is a sentence.", "Table 2 Costs", "表2 支出", "One\nTwo", "x" * 61])
def test_text_and_captions_end_a_table(between):
    rows = ["Cash|5|4", *between.split("\n"), "Pay|9|8"]
    assert found("Item|2024|2023", *rows) == [("Item|2024|2023", "Cash|5|4")]


def test_a_head_begins_another_table():
    first, second = ("Item|2024|2023", "Cash|5|4"), ("Cost|2025|2024", "Pay|9|8")
    assert found(*first, *second) == [first, second]
    assert found(*first, "Costs", *second) == [first, second]
    words = ("Grade|Hours|Pay", "Clerk|12|9\nJudge|11|8")
    assert found(*first, "Staff", words[0], *words[1].split("\n")) == [first, words]


def test_years_below_other_columns_are_amounts():
    rows = ["Pupils|310|280", "Teachers|21|19", "Opened|2014|2016", "Classes|12|11"]
    assert found("School|North|South", *rows) == [("School|North|South", "\n".join(rows))]


def test_a_head_may_have_two_rows():
    assert found("Group|Company", "2024|2023|2024|2023", "Cash|1|2|3|4") == [
        ("Group|Company\n2024|2023|2024|2023", "Cash|1|2|3|4")
    ]
    assert found("Item|2024|2023", "(USD m)|(USD m)", *ROWS)[0][0] == "Item|2024|2023\n(USD m)|(USD m)"


def test_rows_with_more_cells_are_another_tables():
    assert found("Item|2024", *["Cash|5|4"] * 2, "Debt|1|2|3|4") == [("Item|2024", "Cash|5|4\nCash|5|4")]


TEXT = page("Before.", "Item|2024|2023", "Assets", "Cash|5|4", "Debt|9|8", "After.")


def over(piece: str) -> str:
    start = TEXT.index(piece)
    return head_over(TEXT, tables(TEXT), start, start + len(piece))


@pytest.mark.parametrize(
    "piece", ["Cash\t5\t4", "Debt\t9\t8", "Assets\nCash\t5\t4", "Debt\t9\t8\nAfter.", "9\t8", "Deb"]
)
def test_what_begins_below_the_head_has_it(piece):
    assert over(piece) == "Item\t2024\t2023"


@pytest.mark.parametrize(
    "piece", ["Before.", "Before.\nItem\t2024\t2023", "Item\t2024\t2023\nAssets", "After.", "2023"]
)
def test_what_holds_the_head_or_stands_elsewhere_has_none(piece):
    assert over(piece) == ""


def test_what_only_names_a_group_of_rows_has_none():
    assert over("Assets") == ""


def test_a_head_that_is_too_long_is_not_repeated():
    cells = [f"{'x' * 37} {letter}" for letter in "abcde"]
    assert len("|".join(cells[:4])) <= WIDEST_HEAD < len("|".join(cells))
    for head, wanted in (("|".join(cells), ""), ("|".join(cells[:4]), "\t".join(cells[:4]))):
        text = page(head, "Cash|5|4|3", "Debt|9|8|7")
        assert head_over(text, tables(text), text.index("Cash"), len(text)) == wanted
