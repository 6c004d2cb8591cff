"""What came of reading a document, in one true line, and the way from there to a question."""

from collections import Counter
from collections.abc import Callable, Sequence

import streamlit as st

from pages.ui.parts import proposed
from pages.ui.shell import cached
from pages.ui.shell.i18n import t
from rag_core.datatypes import Document, PageReading
from rag_core.reading import quality
from rag_core.reading.quality import DOUBTFUL, GOOD, UNREADABLE

BLANK, LEFT_OUT, SCAN = "blank", "left_out", "scan"
KINDS = (GOOD, DOUBTFUL, UNREADABLE, BLANK, LEFT_OUT)
ALL_ALIKE = (GOOD, DOUBTFUL, UNREADABLE, SCAN, LEFT_OUT)


def show(pick: Callable[[], str]) -> tuple[Document, bool]:
    """Let the reader pick a document, say first how it was read, and lead to the question where there is a text.

    Return the document, and whether it has one.
    """
    picked, said, asked = st.columns([4, 4, 2], vertical_alignment="bottom")
    with picked:
        document = cached.document(pick())
    readable = has_text(document)
    with said:
        say([reading for part in document.parts for reading in cached.readings(part).pages])
    if readable:
        label, icon = t("documents.ask"), ":material/swap_vert:"
        if asked.button(label, type="primary", icon=icon, key="ask", width="stretch"):
            st.switch_page("pages/compare.py")
        proposed.show(document.id)
    return document, readable


def has_text(document: Document) -> bool:
    return any(quality.has_text(page.text) for part in cached.parts(document.id) for page in part.pages)


def say(pages: Sequence[PageReading]) -> None:
    """Say how the pages were read; of a document that was added before they were judged it is not known."""
    kinds = {kind(reading) for reading in pages}
    if not pages:
        st.caption(t("gate.unknown"))
    elif GOOD in kinds and not {DOUBTFUL, UNREADABLE} & kinds:
        st.success(truth(pages), icon=":material/fact_check:")
    else:
        st.warning(truth(pages), icon=":material/visibility_off:")


def truth(pages: Sequence[PageReading]) -> str:
    """Return how many pages there are, and how many of them can be read."""
    counts = Counter(map(kind, pages))
    number = len(pages)
    alike = alike_kind(pages)
    if alike in ALL_ALIKE:
        return t(f"read.one_{alike}") if number == 1 else t(f"read.all_{alike}", count=number)
    named = [t(f"read.{name}", count=counts[name]) for name in KINDS if counts[name]]
    return t("read.and").join([t("read.pages", count=number), *named])


def alike_kind(pages: Sequence[PageReading]) -> str | None:
    """Return the kind that all pages are of, or None; pictures alone make a scan."""
    kinds = {kind(reading) for reading in pages}
    if kinds == {UNREADABLE} and all("image_only" in reading.chosen.quality.reasons for reading in pages):
        return SCAN
    return kinds.pop() if len(kinds) == 1 else None


def kind(reading: PageReading) -> str:
    """Return the verdict of a page; one that is left out, or has nothing on it, is no readable page."""
    if reading.left_out:
        return LEFT_OUT
    verdict, written = reading.chosen.quality.verdict, any(map(str.isalnum, reading.chosen.text))
    return BLANK if verdict == GOOD and not written else verdict
