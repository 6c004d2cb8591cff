"""Text that stands on pages and that nobody sees there: what was left out, and whether to search it all the same."""

from dataclasses import replace

import streamlit as st

from pages.ui.parts import tables
from pages.ui.shell import cached, work
from pages.ui.shell.frame import errors_shown
from pages.ui.shell.i18n import t
from rag_core.datatypes import Document, PageReading, Readings

SHOWN = 6


def show(document: Document) -> None:
    """Say what is left out of a document, or searched although nobody sees it; nothing where all is seen."""
    readings = cached.readings(document.id)
    unseen = [(reading.number, words) for reading in readings.pages for words in reading.chosen.unseen]
    if not unseen:
        return
    heading = t("gate.unseen_searched" if readings.keep_unseen else "gate.unseen_left", count=len(unseen))
    st.caption(f":material/visibility_off: {heading}")
    for number, words in unseen[:SHOWN]:
        place = t("gate.unseen_place", page=number, why=t(f"unseen.{words.why}"))
        st.text(f"· {place} {tables.one_line(words.text, 80)}")
    label = t("gate.leave_unseen" if readings.keep_unseen else "gate.search_unseen", count=len(unseen))
    st.button(label, key="unseen", icon=":material/visibility:", on_click=turn, args=[document, readings])


def turn(document: Document, readings: Readings) -> None:
    with errors_shown():
        cached.lab().pages.choose(document.id, replace(readings, keep_unseen=not readings.keep_unseen))
        work.forget(document.id)


def of_page(shown: PageReading) -> None:
    """List under a page's text what stands on it unseen."""
    for words in shown.chosen.unseen:
        st.caption(t("gate.nobody_sees", why=t(f"unseen.{words.why}")))
        st.text(words.text)
