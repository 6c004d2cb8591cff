"""Questions and judgments that a reader brings: read, shown as they were understood, and added when that is right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath

import pandas as pd
import streamlit as st

from pages.ui.parts import run_file, tables
from pages.ui.shell import cached, state
from pages.ui.shell.frame import errors_shown
from pages.ui.shell.i18n import plain, t
from rag_core.datatypes import Chunk, Judgment
from rag_core.errors import NoQuestions
from rag_core.measuring import exchange, runs
from rag_core.measuring.columns import COLUMNS, RUN_COLUMNS
from rag_core.measuring.questions import SHOWN, Entry, Questions, read_questions
from rag_core.measuring.records import Source

TYPES = ("csv", "tsv", "txt", "jsonl", "json", "xlsx", "qrels", "run", "trec")
SIGNS = {",": "comma", ";": "semicolon", "\t": "tab", "，": "wide_comma", "；": "wide_semicolon"}
UNREAD_SHOWN = 120

state.keep(pasted="", understood=None, added=None)


@dataclass(frozen=True, slots=True)
class Understood:
    """What was brought for a document and read, and waits to be added; ``data`` are the bytes of a file."""

    doc_id: str
    questions: Questions
    data: bytes = b""

    @property
    def unsure(self) -> bool:
        """Say whether a file's bytes may be meant in another encoding."""
        return bool(self.data) and len(self.source.possible) > 1

    @property
    def source(self) -> Source:
        """Return what the file was taken for."""
        return self.questions.source


def waits(doc_id: str) -> bool:
    """Say whether something was read for this document and is not added yet."""
    waiting = st.session_state["understood"]
    return waiting is not None and waiting.doc_id == doc_id


def bring(doc_id: str, asked: Mapping[int, str], chunks: Sequence[Chunk], judge: str) -> None:
    """Take a text or a file and read it, all of it or nothing."""
    wrong = st.container()  # above the fields: below them a popover would end before it
    with st.form("add_questions", border=False):
        st.text_area(t("questions.paste"), key="pasted", height=100, help=t("questions.paste_help"))
        file = st.file_uploader(t("questions.file"), type=TYPES, key="question_file", help=names_help())
        submitted = st.form_submit_button(t("questions.preview"), icon=":material/visibility:", on_click=forget_added)
    if not submitted:
        return
    with wrong, errors_shown():
        if file is None:
            understood = replace(understand(doc_id, st.session_state["pasted"].encode(), "UTF-8"), data=b"")
        elif not file.name.lower().endswith(".csv") and exchange.is_qrels(file.getvalue()):
            judged = Questions.judged(exchange.read_qrels(file.getvalue(), asked, chunks, judge))
            understood = Understood(doc_id, judged)
        else:
            understood = understand(doc_id, file.getvalue(), named=PurePath(file.name).stem)
        st.session_state["understood"] = understood
        st.rerun()


def understand(doc_id: str, data: bytes, encoding: str = "", named: str = "") -> Understood | run_file.Brought:
    """Read a text or a file: another system's ranking where it has ranks and what is ranked, or else questions."""
    ranking = runs.of_questions(data, encoding)
    if ranking:
        return run_file.brought(doc_id, ranking, data, named)
    questions = read_questions(data, encoding)
    runs.refuse_ranks(questions)
    if not questions.first:
        raise NoQuestions("the text holds no question")
    return Understood(doc_id, questions, data)


def names_help() -> str:
    """Say what files are understood, and what their columns may be called."""
    ranked = {column: RUN_COLUMNS[column] for column in ("text", "rank", "score")}
    parts = [(t("questions.file_help"), COLUMNS), (t("runs.file_help"), ranked)]
    return "\n\n".join(f"{said}\n\n{names_list(columns)}" for said, columns in parts)


def names_list(columns: Mapping[str, Sequence[str]]) -> str:
    return "\n".join(f"- **{column}**: {', '.join(names)}" for column, names in columns.items())


def preview() -> None:
    """Say what was understood, show the first of it, and ask whether to add it."""
    understood: Understood | run_file.Brought = st.session_state["understood"]
    if isinstance(understood, run_file.Brought):
        st.markdown(f"**{run_file.headline(understood)}**")
        st.caption(how_read(understood.source, run_file.notes(understood.matched)))
        run_file.preview(understood)
    else:
        preview_questions(understood.questions)
    if understood.unsure:
        choose_encoding(understood)
    with st.container(horizontal=True):
        label, icon = t("questions.add"), ":material/add:"
        st.button(label, key="add_understood", type="primary", icon=icon, on_click=add, args=[understood])
        st.button(t("questions.cancel"), key="cancel_understood", on_click=forget_understood)


def preview_questions(questions: Questions) -> None:
    counts = {"questions": len(questions.questions), "judgments": len(questions.judgments)}
    st.markdown(f"**{t('questions.understood', **counts)}**")
    st.caption(
        how_read(questions.source, [t("questions.repeated", count=questions.repeated)] * (questions.repeated > 0))
    )
    first_rows(questions.first)
    if len(questions.first) == SHOWN:
        st.caption(t("questions.more", shown=SHOWN))


def how_read(source: Source, notes: Sequence[str]) -> str:
    """Say as what a file was read, and what of it was not taken as it stands."""
    sign = t(f"questions.sign_{SIGNS[source.separator]}") if source.separator in SIGNS else plain(source.separator)
    said = [t(f"questions.form_{source.form}", separator=sign, sheet=plain(source.sheet))]
    said += [t("questions.encoding", name=source.encoding)] if source.encoding else []
    counts = {"filled": source.filled, "joined": source.joined}
    said += [t(f"questions.{name}", count=count) for name, count in counts.items() if count]
    said += notes
    if source.unread:
        said.append(t("questions.unread", names=plain(tables.one_line(", ".join(source.unread), UNREAD_SHOWN))))
    return " · ".join(said)


def first_rows(entries: Sequence[Entry]) -> None:
    """Show the first questions, and what is judged for them where something is."""
    names = [t(f"questions.first_{name}") for name in ("question", "page", "quote", "grade")]
    table = pd.DataFrame([first_row(*entry) for entry in entries], columns=names)
    if not any(judgment for _, judgment in entries):
        table = table[names[:1]]
    sizes = {names[0]: "large" if len(table.columns) == 1 else "medium", names[2]: "medium"}
    config = {name: st.column_config.TextColumn(width=size) for name, size in sizes.items()}  # type: ignore[arg-type]
    st.dataframe(table, hide_index=True, height=tables.height(len(table)), key="understood_rows", column_config=config)


def first_row(question: str, judgment: Judgment | None) -> list[str]:
    if judgment is None:
        return [question, "", "", ""]
    return [question, str(judgment.span.page or ""), tables.one_line(judgment.span.quote), str(judgment.grade)]


def choose_encoding(understood: Understood | run_file.Brought) -> None:
    """Let the reader choose how a file's bytes are read: of a few characters nobody can tell for sure."""
    source = understood.source
    st.session_state["question_encoding"] = source.encoding
    st.selectbox(
        t("questions.read_as"),
        source.possible,
        key="question_encoding",
        on_change=read_again,
        args=[understood],
        help=t("questions.read_as_help"),
    )


def read_again(understood: Understood | run_file.Brought) -> None:
    with errors_shown():
        encoding, named = st.session_state["question_encoding"], st.session_state["run_name"]
        again = understand(understood.doc_id, understood.data, encoding)
        st.session_state.update(understood=again, run_name=named)


def add(understood: Understood | run_file.Brought) -> None:
    """Add what was understood to the document's set, or to its rankings by other systems."""
    with errors_shown():
        if isinstance(understood, run_file.Brought):
            said = ("runs.added", run_file.add(understood))
        else:
            said = ("questions.added", add_questions(understood))
        st.session_state.update(added=(understood.doc_id, *said), pasted="")
        forget_understood()


def add_questions(understood: Understood) -> dict[str, object]:
    """Keep the questions and judgments with their document, and return what is said of them."""
    questions = understood.questions
    cached.lab().judgments.ask(understood.doc_id, questions.questions)
    cached.lab().judge(understood.doc_id, questions.judgments)
    counts = {"questions": len(questions.questions), "judgments": len(questions.judgments)}
    return {**counts, "repeated": questions.repeated}


def forget_understood() -> None:
    st.session_state["understood"] = None


def added_notice(doc_id: str) -> None:
    """Say what was last added to this document's set, until more is added or a set is measured.

    It is not shown for one run alone: the next may follow before anybody has read it.
    """
    if st.session_state["added"] and st.session_state["added"][0] == doc_id:
        _, key, values = st.session_state["added"]
        st.success(t(key, **values))


def forget_added() -> None:
    st.session_state["added"] = None
