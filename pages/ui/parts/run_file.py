"""Another system's ranking that a reader brings: shown as it was matched, named, added, and taken away again."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from pages.ui.parts import tables
from pages.ui.shell import cached, state
from pages.ui.shell.i18n import plain, t
from rag_core.measuring import runs
from rag_core.measuring.runs import Entry, Matched, Place, RunFile

UNMATCHED_SHOWN = 50
NAME = "run"
"""What a ranking is called that was pasted and has no tag."""

PIXELS = 130, 44, 420, 56
"""How wide the columns are in which the first places are shown."""

state.keep(run_name="")


@dataclass(frozen=True, slots=True)
class Brought:
    """Another system's ranking that was matched with a document, and waits to be added; ``data`` are a file's bytes."""

    doc_id: str
    file: RunFile
    matched: Matched
    data: bytes = b""

    @property
    def unsure(self) -> bool:
        """Say whether another encoding may be meant: where every line is matched, this one is."""
        return bool(self.data and self.matched.unmatched and len(self.source.possible) > 1)

    @property
    def source(self) -> runs.Source:
        """Return what the file was taken for."""
        return self.file.source


def brought(doc_id: str, file: RunFile, data: bytes, named: str) -> Brought:
    """Match a ranking with a document, as it is cut now, and propose a name for it: its own, or that of its file."""
    how, asked = state.chunk_settings(), cached.lab().judgments.questions(doc_id)
    chunks = cached.chunks(doc_id, how.preset, how.size, how.overlap)
    matched = runs.match(file, asked, cached.parts(doc_id), chunks)
    st.session_state["run_name"] = runs.short_name(file.tag or named) or NAME
    return Brought(doc_id, file, matched, data)


def preview(waiting: Brought) -> None:
    """Show what was matched, under which name it will stand, and what was not matched."""
    first_places(waiting.matched.first)
    lacking(waiting.matched)
    if waiting.matched.unmatched:
        with st.expander(t("runs.unmatched", count=len(waiting.matched.unmatched)), icon=":material/find_in_page:"):
            unmatched(waiting.matched)
    st.text_input(t("runs.name"), key="run_name", max_chars=runs.LONGEST_NAME, help=t("runs.name_help"))
    if name() in [entry.name for entry in cached.lab().runs.entries(waiting.doc_id)]:
        st.caption(t("runs.replaces"))


def headline(waiting: Brought) -> str:
    matched = waiting.matched
    counts = {"questions": matched.questions, "matched": len(matched.places), "lines": len(waiting.file.entries)}
    return t("runs.understood", **counts)


def notes(matched: Matched) -> list[str]:
    """Say what is unusual in the ranking, and by which rule it is read."""
    return [t(f"runs.{note}", count=matched.notes[note]) for note in runs.NOTES if matched.notes[note]]


def first_places(places: tuple[Place, ...]) -> None:
    names = [t("questions.first_question"), t("table.rank"), t("table.text"), t("questions.first_page")]
    rows = [
        [place.question, first_rank(place.entry), tables.one_line(place.span.quote), str(place.span.page)]
        for place in places
    ]
    config = {name: st.column_config.TextColumn(width=pixels) for name, pixels in zip(names, PIXELS, strict=True)}
    table, height = pd.DataFrame(rows, columns=names), tables.height(len(rows))
    st.dataframe(table, hide_index=True, height=height, key="run_rows", column_config=config)


def first_rank(entry: Entry) -> str:
    return "" if entry.rank is None else str(entry.rank)


def lacking(matched: Matched) -> None:
    """Say for how many questions of the set nothing is ranked."""
    if matched.missing:
        total = matched.questions + len(matched.missing)
        st.caption(t("runs.lacking", questions=matched.questions, total=total))


def unmatched(matched: Matched) -> None:
    """List the lines that are left out, with the reason, and give all of them as a file."""
    names = [t("runs.line"), t("runs.why"), t("questions.first_question"), t("table.text")]
    rows = [
        [entry.line, t(f"runs.why_{why}"), entry.question, tables.one_line(entry.text)]
        for entry, why in matched.unmatched[:UNMATCHED_SHOWN]
    ]
    table, height = pd.DataFrame(rows, columns=names), tables.height(min(len(rows), 4))
    config = {names[0]: st.column_config.NumberColumn(width=60)}
    st.dataframe(table, hide_index=True, height=height, key="unmatched_rows", column_config=config)
    st.download_button(
        t("runs.unmatched_file"),
        runs.unmatched_csv(matched),
        file_name="unmatched.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
    )


def name() -> str:
    return runs.short_name(st.session_state["run_name"]) or NAME


def add(waiting: Brought) -> dict[str, object]:
    """Keep the ranking with its document, and return what is said of it."""
    cached.lab().runs.add(waiting.doc_id, waiting.matched.named(name()))
    return {"name": plain(name()), "questions": waiting.matched.questions}


def listed(doc_id: str) -> None:
    """List the rankings of other systems that are kept with a document, each with a way to remove it."""
    entries = cached.lab().runs.entries(doc_id)
    if entries:
        st.markdown(f"**{t('runs.title')}**")
    for number, entry in enumerate(entries):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.text(entry.name, width="content")
            st.caption(t("runs.kept", questions=entry.questions, places=entry.places), width="content")
            remove, key = cached.lab().runs.remove, f"drop_run_{number}"
            st.button(t("runs.remove"), key=key, icon=":material/delete:", on_click=remove, args=[doc_id, entry.name])
