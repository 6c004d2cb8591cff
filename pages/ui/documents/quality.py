"""What the extractors made of each page, before anything is indexed: seen, doubted, read otherwise, left out."""

from collections.abc import Collection, Sequence
from dataclasses import replace

import pandas as pd
import streamlit as st

from pages.ui.documents import unseen
from pages.ui.parts import page_beside, tables
from pages.ui.shell import cached, state, work
from pages.ui.shell.frame import errors_shown
from pages.ui.shell.i18n import t
from rag_core.datatypes import Document, Extract, PageReading, Quality, Readings
from rag_core.extras import OCR
from rag_core.reading import ocr
from rag_core.reading.evidence import score
from rag_core.reading.quality import GOOD, UNREADABLE, VERDICTS

MARKS = {"good": "✓", "doubtful": "?", "unreadable": "✗"}
EXTRACTORS = {"pypdf": "pypdf", "pdfium": "PDFium", "ocr": "OCR"}
COLUMNS = (
    "page",
    "verdict",
    "reason",
    "characters",
    "replacement",
    "private",
    "unlikely",
    "spaced",
    "read_by",
    "searched",
)
PAGES_NAMED = 12
TEXT_HEIGHT = 420

state.keep(gate_page=None)


def show(document: Document) -> None:
    """Show how each page was read: at once where one is not good, else when it is asked for."""
    readings = cached.readings(document.id)
    pages = readings.pages
    if not pages:
        return
    doubted = any(reading.chosen.quality.verdict != GOOD for reading in pages)
    label = t("gate.summary")
    with st.expander(label, icon=":material/fact_check:", expanded=doubted, key=f"gate_{document.id}"):
        if doubted:
            st.caption(t("gate.help"))
        choices(document, readings)
        page_table(document, pages)
        chosen = next((reading for reading in pages if reading.number == page_chosen(pages)), None)
        if chosen:
            page(document, readings, chosen)


def page_chosen(readings: Sequence[PageReading]) -> int | None:
    """Return the page whose picture is shown: the row that was clicked, else the worst page where one is not good."""
    clicked = st.session_state["gate_page"]
    if clicked in {reading.number for reading in readings}:
        return clicked
    worst = max(readings, key=lambda reading: VERDICTS.index(reading.chosen.quality.verdict))
    return worst.number if worst.chosen.quality.verdict != GOOD else None


def page_table(document: Document, readings: Sequence[PageReading]) -> None:
    listed = {number for _, number in cached.contents_pages(document.id)}
    searched = {page.number for page in document.pages if any(map(str.isalnum, page.text))}
    titles = {name: t(f"gate.{name}") for name in COLUMNS}
    share = st.column_config.NumberColumn(width=80, format="percent")
    st.dataframe(
        pd.DataFrame([row(reading, searched, listed) for reading in readings], columns=list(titles.values())),
        hide_index=True,
        height=tables.height(len(readings)),
        key="gate_pages",
        on_select=lambda: state.keep_clicked("gate_pages", "gate_page", [reading.number for reading in readings]),
        selection_mode="single-cell",
        column_config={
            titles["page"]: st.column_config.NumberColumn(width=50),
            titles["verdict"]: st.column_config.TextColumn(width=95),
            titles["reason"]: st.column_config.TextColumn(width=300),
            titles["characters"]: st.column_config.NumberColumn(width=80),
            **{titles[name]: share for name in ("replacement", "private", "unlikely", "spaced")},
            titles["read_by"]: st.column_config.TextColumn(width=90),
            titles["searched"]: st.column_config.TextColumn(width=70),
        },
    )


def row(reading: PageReading, searched: Collection[int], listed: Collection[int]) -> list[object]:
    """Describe a page; of those ``searched`` something is cut, and on those ``listed`` contents are left out."""
    quality = reading.chosen.quality
    verdict = f"{MARKS[quality.verdict]} {t('verdict.' + quality.verdict)}"
    shares = quality.replacement, quality.private, quality.unlikely, quality.spaced
    why = [reasons(quality)] if quality.reasons else []
    why += [t("gate.contents")] if reading.number in listed else []
    counted = quality.characters, *shares
    mark = "✓" if reading.number in searched else "–"
    return [reading.number, verdict, t("gate.and").join(why), *counted, EXTRACTORS[reading.extractor], mark]


def reasons(quality: Quality) -> str:
    return t("gate.and").join(t("reason." + reason) for reason in quality.reasons)


def against(reading: PageReading) -> str:
    """Say what speaks against each reading of a page."""
    return t("gate.against", readings=t("gate.and").join(scored(*named) for named in reading.extracts.items()))


def scored(extractor: str, extract: Extract) -> str:
    parts = [t("part." + part, share=f"{share:.0%}") for part, share in extract.faults.items()]
    faults = ", ".join(parts) or t("gate.nothing_against")
    return t("gate.scored", extractor=EXTRACTORS[extractor], score=f"{score(extract.faults):.2f}", faults=faults)


def choices(document: Document, readings: Readings) -> None:
    """Offer what concerns many pages at once."""
    pages = readings.pages
    doubted = [reading for reading in pages if is_doubted(reading)]
    unread = [reading.number for reading in pages if reading.chosen.quality.verdict == UNREADABLE]
    if 0 < len(doubted) < len(pages):
        label, icon = t("gate.leave_all", count=len(doubted)), ":material/playlist_remove:"
        st.button(label, key="leave_all", icon=icon, on_click=leave_out, args=[document, readings, doubted])
    if unread:
        recognition(document, unread)


def recognition(document: Document, numbers: list[int]) -> None:
    """Offer to recognise the text on pictures, or say what that needs."""
    if not ocr.is_installed():
        st.caption(t("gate.ocr_missing", count=len(numbers), command=OCR.command))
        return
    place = st.empty()
    if st.button(t("gate.recognise", count=len(numbers)), key="recognise", icon=":material/document_scanner:"):
        with errors_shown():
            place.progress(0.0, text=t("work.loading"))
            cached.lab().pages.recognise(document.id, numbers, work.counting(place, "gate.recognising"))
            work.forget(document.id)
            st.rerun()


def leave_out(document: Document, readings: Readings, those: list[PageReading]) -> None:
    numbers = {reading.number for reading in those}
    pages = tuple(
        replace(reading, left_out=reading.left_out or reading.number in numbers) for reading in readings.pages
    )
    choose(document, replace(readings, pages=pages))


def choose(document: Document, readings: Readings) -> None:
    with errors_shown():
        cached.lab().pages.choose(document.id, readings)
        work.forget(document.id)


def page(document: Document, readings: Readings, shown: PageReading) -> None:
    """Show a page's picture beside its text, and let the reader choose for it alone."""
    picture, text = st.columns(2)
    with picture:
        st.markdown(f"**{t('table.page_short', page=shown.number)}**")
        page_beside.page(document.id, shown.number)
    with text:
        if any(extract.faults for extract in shown.extracts.values()):
            st.caption(against(shown))
        compared = texts_shown(shown)
        for name in compared:
            text_read(name, shown.extracts[name], TEXT_HEIGHT // len(compared))
        unseen.of_page(shown)
        buttons(document, readings, shown)


def texts_shown(shown: PageReading) -> list[str]:
    """Return whose text is shown: the chosen extractor's, and on a page that is not good the others' that differ."""
    chosen = shown.chosen
    if chosen.quality.verdict == GOOD:
        return [shown.extractor]
    return [shown.extractor, *(name for name, extract in shown.extracts.items() if extract.text != chosen.text)]


def text_read(name: str, extract: Extract, height: int) -> None:
    """Show what an extractor read, and what is wrong with it."""
    verdict = t("verdict." + extract.quality.verdict)
    st.markdown(f"**{t('gate.text', extractor=EXTRACTORS[name], verdict=verdict)}**")
    if extract.quality.reasons:
        st.caption(reasons(extract.quality))
    with st.container(height=height):
        st.text(extract.text or t("gate.no_text"))


def buttons(document: Document, readings: Readings, shown: PageReading) -> None:
    """Offer the other extractors' text of a page, and to leave it out or search it again."""

    def offer(label: str, key: str, icon: str, changed: PageReading) -> None:
        pages = tuple(changed if reading.number == changed.number else reading for reading in readings.pages)
        st.button(label, key=key, icon=icon, on_click=choose, args=[document, replace(readings, pages=pages)])

    with st.container(horizontal=True, vertical_alignment="center"):
        for name, extract in shown.extracts.items():
            if extract.text == shown.chosen.text:
                continue
            verdict = t("verdict." + extract.quality.verdict)
            label = t("gate.take", extractor=EXTRACTORS[name], verdict=verdict)
            offer(label, f"take_{name}", ":material/swap_horiz:", replace(shown, extractor=name))
        label = t("gate.search_again" if shown.left_out else "gate.leave_out")
        offer(label, "leave_out", ":material/block:", replace(shown, left_out=not shown.left_out))


def warn(document: Document) -> None:
    """Warn, before anything is embedded, of the pages that are not good and will be searched all the same."""
    numbers = doubted(document.id)
    if numbers:
        named = ", ".join(map(str, numbers[:PAGES_NAMED])) + "…" * (len(numbers) > PAGES_NAMED)
        st.warning(t("gate.warn", count=len(numbers), pages=named), icon=":material/visibility_off:")


def doubted(doc_id: str) -> list[int]:
    """Return the numbers of the pages that are not good and are searched all the same."""
    return [reading.number for reading in cached.readings(doc_id).pages if is_doubted(reading)]


def is_doubted(reading: PageReading) -> bool:
    return reading.chosen.quality.verdict != GOOD and not reading.left_out


def remind(doc_id: str) -> None:
    """Say on another screen what of the document is not searched, or is not to be trusted."""
    pages = [reading for part in cached.document(doc_id).parts for reading in cached.readings(part).pages]
    left_out = sum(reading.left_out for reading in pages)
    bad = sum(reading.chosen.quality.verdict == UNREADABLE and not reading.left_out for reading in pages)
    if left_out or bad:
        st.caption(f":material/visibility_off: {t('gate.remind', left_out=left_out, unreadable=bad)}")
