"""A chunk's text, and before it, told apart, the head of its table that models read with it."""

from collections.abc import Sequence
from itertools import groupby, zip_longest

import streamlit as st

from pages.ui.shell.i18n import t
from rag_core.datatypes import Chunk
from rag_core.reading.text import CELL, line_width


def show(chunk: Chunk) -> None:
    head(chunk)
    lines(chunk.text)


def lines(text: str) -> None:
    """Show a text line by line; the rows of a table stand in a box, one under another in columns."""
    for is_rows, part in groupby(text.split("\n"), lambda line: CELL in line):
        if is_rows:
            st.code(in_columns(list(part)), language=None)
        else:
            st.text("\n".join(part))


def in_columns(rows: Sequence[str]) -> str:
    """Return rows with their cells filled up to the widest of each column; a Han character takes two places."""
    cells = [[cell.strip() for cell in row.split(CELL)] for row in rows]
    widths = [max(map(line_width, column)) for column in zip_longest(*cells, fillvalue="")]
    return "\n".join("  ".join(map(filled, row, widths)).rstrip() for row in cells)


def filled(cell: str, width: int) -> str:
    """Fill a cell up; figures stand at its right."""
    space = " " * (width - line_width(cell))
    return cell + space if any(map(str.isalpha, cell)) else space + cell


def head(chunk: Chunk) -> None:
    """Show the head of the table that a chunk begins in, where it stands earlier on the page."""
    if chunk.head:
        st.caption(t("part.head"))
        st.code(in_columns(chunk.head.split("\n")), language=None, wrap_lines=True)


def whole(chunk: Chunk) -> str:
    """Return head and text as one text, for where nothing can be told apart but by a mark."""
    return f"{before(chunk)}{chunk.text}"


def before(chunk: Chunk) -> str:
    return f"{chunk.head} / " if chunk.head else ""
