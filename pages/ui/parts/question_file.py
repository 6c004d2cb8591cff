"""Questions and judgments that a reader brings: read, shown as they were understood, and added when that is right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd
import streamlit as st

from pages.ui.parts import tables
from pages.ui.shell import cached, state
from pages.ui.shell.frame import errors_shown
from pages.ui.shell.i18n import plain, t
from rag_core.datatypes import Chunk, Judgment
from rag_core.errors import NoQuestions
from rag_core.measuring import exchange
from rag_core.measuring.columns import COLUMNS
from rag_core.measuring.questions import SHOWN, Entry, Questions, read_questions

TYPES = ("csv", "tsv", "txt", "jsonl", "json", "xlsx", "qrels")
SIGNS = {",": "comma", ";": "semicolon", "\t": "tab", "，": "wide_comma", "；": "wide_semicolon"}
UNREAD_SHOWN = 120

state.keep(pasted="", understood=None, added=None)


@dataclass(frozen=True, slots=True)
class Understood:
    """What was brought for a document and read, and waits to be added; ``data`` are the bytes of a file."""

    doc_id: str
    questions: Questions
    data: bytes = b""


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
            understood = Understood(doc_id, read_questions(st.session_state["pasted"].encode(), "UTF-8"))
        elif not file.name.lower().endswith(".csv") and exchange.is_qrels(file.getvalue()):
            judged = Questions.judged(exchange.read_qrels(file.getvalue(), asked, chunks, judge))
            understood = Understood(doc_id, judged)
        else:
            understood = Understood(doc_id, read_questions(file.getvalue()), file.getvalue())
        if not understood.questions.first:
            raise NoQuestions("the text holds no question")
        st.session_state["understood"] = understood
        st.rerun()


def names_help() -> str:
    """Say what files are understood, and what their columns may be called."""
    names = "\n".join(f"- **{column}**: {', '.join(names)}" for column, names in COLUMNS.items())
    return f"{t('questions.file_help')}\n\n{names}"


def preview() -> None:
    """Say what was understood, show the first of it, and ask whether to add it."""
    understood: Understood = st.session_state["understood"]
    questions = understood.questions
    counts = {"questions": len(questions.questions), "judgments": len(questions.judgments)}
    st.markdown(f"**{t('questions.understood', **counts)}**")
    st.caption(how_read(questions))
    first_rows(questions.first)
    if len(questions.first) == SHOWN:
        st.caption(t("questions.more", shown=SHOWN))
    if understood.data and len(questions.source.possible) > 1:
        choose_encoding(understood)
    with st.container(horizontal=True):
        label, icon = t("questions.add"), ":material/add:"
        st.button(label, key="add_understood", type="primary", icon=icon, on_click=add, args=[understood])
        st.button(t("questions.cancel"), key="cancel_understood", on_click=forget_understood)


def how_read(questions: Questions) -> str:
    """Say as what a file was read, and what of it was not taken as it stands."""
    source = questions.source
    sign = t(f"questions.sign_{SIGNS[source.separator]}") if source.separator in SIGNS else plain(source.separator)
    said = [t(f"questions.form_{source.form}", separator=sign, sheet=plain(source.sheet))]
    said += [t("questions.encoding", name=source.encoding)] if source.encoding else []
    counts = {"filled": source.filled, "joined": source.joined, "repeated": questions.repeated}
    said += [t(f"questions.{name}", count=count) for name, count in counts.items() if count]
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


def choose_encoding(understood: Understood) -> None:
    """Let the reader choose how a file's bytes are read: of a few characters nobody can tell for sure."""
    source = understood.questions.source
    st.session_state["question_encoding"] = source.encoding
    st.selectbox(
        t("questions.read_as"),
        source.possible,
        key="question_encoding",
        on_change=read_again,
        args=[understood],
        help=t("questions.read_as_help"),
    )


def read_again(understood: Understood) -> None:
    with errors_shown():
        questions = read_questions(understood.data, st.session_state["question_encoding"])
        st.session_state["understood"] = replace(understood, questions=questions)


def add(understood: Understood) -> None:
    """Add what was understood to the document's set."""
    with errors_shown():
        questions = understood.questions
        cached.lab().judgments.ask(understood.doc_id, questions.questions)
        cached.lab().judge(understood.doc_id, questions.judgments)
        counts = {"questions": len(questions.questions), "judgments": len(questions.judgments)}
        st.session_state["added"] = (understood.doc_id, {**counts, "repeated": questions.repeated})
        st.session_state["pasted"] = ""
        forget_understood()


def forget_understood() -> None:
    st.session_state["understood"] = None


def added_notice(doc_id: str) -> None:
    """Say what was last added to this document's set, until more is added or a set is measured.

    It is not shown for one run alone: the next may follow before anybody has read it.
    """
    if st.session_state["added"] and st.session_state["added"][0] == doc_id:
        st.success(t("questions.added", **st.session_state["added"][1]))


def forget_added() -> None:
    st.session_state["added"] = None
