"""What of a document's pages is not searched: running heads and feet, and lists of contents; seen and brought back."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import groupby
from typing import NamedTuple

import pandas as pd
import streamlit as st

from pages.ui.documents import quality
from pages.ui.parts import tables
from pages.ui.shell import cached
from pages.ui.shell.i18n import t
from rag_core.datatypes import Document, Readings
from rag_core.reading import extract
from rag_core.reading.heads import figureless

Line = tuple[str, list[int]]
"""A line and the numbers of its pages."""


class Kind(NamedTuple):
    """What a kind of dropped lines is called, by the keys of the texts."""

    name: str
    choice: str
    icon: str
    out: str
    searched: str
    help: str


HEADS = Kind(
    "heads",
    "drop_repeated",
    ":material/vertical_align_center:",
    "dropped.heads_out",
    "dropped.heads_in",
    "dropped.heads_help",
)
CONTENTS = Kind(
    "contents",
    "drop_contents",
    ":material/toc:",
    "dropped.contents_out",
    "dropped.contents_in",
    "dropped.contents_help",
)


def show(document: Document) -> None:
    """Show the running heads and feet and the lists of contents that a document has, and let the reader search them."""
    readings, found = cached.readings(document.id), cached.dropped_lines(document.id)
    heads = grouped(lines(readings, [page.heads for page in found]))
    listed = lines(readings, [page.contents for page in found])
    if heads:
        turned = replace(readings, drop_repeated=not readings.drop_repeated)
        part(document, HEADS, turned, readings.drop_repeated, heads)
    if listed:
        turned = replace(readings, drop_contents=not readings.drop_contents)
        part(document, CONTENTS, turned, readings.drop_contents, listed)


def part(document: Document, kind: Kind, turned: Readings, is_dropped: bool, those: Sequence[Line]) -> None:
    """Show the lines of one kind, and offer to search or to drop them, which is how they are ``turned``."""
    label = t(kind.out if is_dropped else kind.searched, count=len(those), pages=spans(numbers(those)))
    with st.expander(label, icon=kind.icon, key=f"{kind.name}_{document.id}"):
        st.caption(t(kind.help))
        turn(document, turned, kind.choice, is_dropped)
        table(those)


def lines(readings: Readings, places: Sequence[Collection[int]]) -> list[Line]:
    """Return the lines at these places of each page."""
    texts = zip(readings.pages, extract.searched_texts(readings.pages), places, strict=True)
    return [
        (line, [reading.number])
        for reading, text, those in texts
        for place, line in enumerate(text.split("\n"))
        if place in those
    ]


def grouped(heads: Sequence[Line]) -> list[Line]:
    """Return each head once, as it stands on its first page, with all its pages; page numbers aside."""
    same: dict[str, list[Line]] = {}
    for line, pages in heads:
        same.setdefault(figureless(line), []).append((line, pages))
    return [(group[0][0], numbers(group)) for group in same.values()]


def numbers(found: Sequence[Line]) -> list[int]:
    return sorted({page for _, pages in found for page in pages})


def turn(document: Document, turned: Readings, key: str, is_dropped: bool) -> None:
    """Offer to search lines that are dropped, or to drop those that are searched."""
    label = t("dropped.search" if is_dropped else "dropped.drop")
    st.button(label, key=key, icon=":material/swap_vert:", on_click=quality.choose, args=[document, turned])


def table(found: Sequence[Line]) -> None:
    rows = [[tables.one_line(line), spans(pages)] for line, pages in found]
    names = [t("table.text"), t("dropped.pages")]
    st.dataframe(pd.DataFrame(rows, columns=names), hide_index=True, height=tables.height(len(rows)))


def spans(pages: Sequence[int]) -> str:
    """Write page numbers with those in a row as one: 1–9, 12."""
    runs = [[page for _, page in run] for _, run in groupby(enumerate(pages), lambda pair: pair[1] - pair[0])]
    return ", ".join(f"{run[0]}–{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)
