"""A document's question set and its judgments: seen, added, graded, taken back."""

from collections.abc import Callable
from functools import partial

import pandas as pd
import streamlit as st

from pages.ui.parts import question_file, run_file, tables
from pages.ui.shell import cached, state
from pages.ui.shell.frame import errors_shown
from pages.ui.shell.i18n import plain, t
from rag_core.datatypes import Chunk, Collection, Judgment
from rag_core.measuring import judge
from rag_core.measuring.judge import Judged

LOST_SHOWN = 20

state.keep(judge="", chosen_question="")


def grade_buttons(doc_id: str, question: str, chunk: Chunk) -> None:
    """Let the reader say whether a chunk answers the question; the second of two clicks."""
    judgments = cached.lab().judgments.load(doc_id)
    mine = any(judgment.judge == judge_name() for judgment in judgments)
    parts, asked = cached.parts(doc_id), [judgment for judgment in judgments if judgment.question == question]
    said = by_whom(asked, lambda own: judge.apply(own, parts, [chunk]))
    grade_row(question, chunk, partial(give, doc_id), partial(take_back, doc_id) if mine else None, said)


def grade_row(
    question: str, chunk: Chunk, give: Callable[[Judgment], None], undo: Callable[[], None] | None, said: str
) -> None:
    """Draw a button for each grade, a way back where there is one, and what was said so far."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(t("judge.ask"), width="content", help=t("judge.help"))
        for grade in judge.GRADES:
            st.button(
                t(f"judge.grade_{grade}"),
                key=f"grade_{grade}",
                on_click=give,
                args=[Judgment(question, judge.span_of(chunk), grade, judge_name())],
            )
        if undo:
            st.button(t("judge.undo"), key="undo", icon=":material/undo:", on_click=undo)
    if said:
        st.caption(t("judge.so_far", grades=plain(said)))


def by_whom(judgments: list[Judgment], carried: Callable[[list[Judgment]], Judged]) -> str:
    """Return each judge's grade of the one chunk that judgments are carried over to."""
    own = {
        name: carried([judgment for judgment in judgments if judgment.judge == name])
        for name in {judgment.judge for judgment in judgments}
    }
    grades = {name: grade for name, judged in own.items() for row in judged.qrels.values() for grade in row.values()}
    return ", ".join(f"{grade} ({name or t('judge.nobody')})" for name, grade in sorted(grades.items()))


def judge_name() -> str:
    return st.session_state["judge"].strip()


def give(doc_id: str, judgment: Judgment) -> None:
    with errors_shown():
        cached.lab().judge(doc_id, [judgment])


def take_back(doc_id: str) -> None:
    undone = cached.lab().judgments.undo(doc_id, judge_name())
    if undone:
        st.toast(t("judge.undone", grade=undone.grade, text=plain(tables.one_line(undone.span.quote, 60))))


def summary(doc_id: str, judged: Judged) -> str:
    """Count the document's questions, and those that a chunk answers by the judgments."""
    asked = cached.lab().judgments.questions(doc_id).values()
    return t("questions.title", count=len(asked), relevant=len(set(judged.answerable) & set(asked)))


def show(doc_id: str, judged: Judged) -> None:
    """Show the question set with what is judged, and the ways to change it; alone what waits to be added to it."""
    if question_file.waits(doc_id):
        question_file.preview()
        return
    how = state.chunk_settings()
    asked = cached.lab().judgments.questions(doc_id)
    if asked:
        question_table(doc_id, asked, judged)
    lost_judgments(judged, doc_id)
    run_file.listed(doc_id)
    question_file.bring(doc_id, asked, cached.chunks(doc_id, how.preset, how.size, how.overlap), judge_name())
    st.text_input(t("judge.name"), key="judge", help=t("judge.name_help"), max_chars=40)


def question_table(doc_id: str, asked: dict[int, str], judged: Judged) -> None:
    rows = []
    for number, question in asked.items():
        grades = judged.qrels.get(question, {})
        rows.append([number, question, sum(grade >= judge.RELEVANT for grade in grades.values()), len(grades)])
    names = [t("questions.number"), t("questions.question"), t("questions.relevant"), t("questions.judged")]
    st.dataframe(
        pd.DataFrame(rows, columns=names),
        hide_index=True,
        height=tables.height(len(rows)),
        key="question_set",
        on_select=lambda: state.keep_clicked("question_set", "chosen_question", list(asked.values())),
        selection_mode="single-cell",
        column_config={
            names[0]: st.column_config.NumberColumn(width=50),
            names[1]: st.column_config.TextColumn(width="large"),
            names[2]: st.column_config.NumberColumn(width=90),
            names[3]: st.column_config.NumberColumn(width=90),
        },
    )
    st.caption(t("questions.rule", share=f"{judge.ENOUGH:.0%}"))
    if judged.disputed:
        st.caption(t("questions.disputed", count=judged.disputed))
    if st.session_state["chosen_question"] in asked.values():
        chosen_question(doc_id, st.session_state["chosen_question"])


def chosen_question(doc_id: str, question: str) -> None:
    """Offer to compare with a question of the set, and to drop it."""
    drop = cached.lab().judgments.drop
    with st.container(horizontal=True, vertical_alignment="center"):
        st.text(tables.one_line(question, 90), width="content")
        if st.button(t("questions.compare"), key="compare_question", icon=":material/swap_vert:"):
            st.session_state.update(question=question, typed="", suggested=[], kept=[], autorun=True)
            st.switch_page("pages/compare.py")
        label, icon = t("questions.drop"), ":material/delete:"
        st.button(label, key="drop_question", icon=icon, on_click=drop, args=[doc_id, question])


def lost_judgments(judged: Judged, doc_id: str) -> None:
    """List the judgments whose words are no longer in the document, or in which member of a collection."""
    if not judged.lost:
        return
    st.warning(t("questions.lost", count=len(judged.lost)), icon=":material/find_in_page:")
    titles = (
        {part.id: f"{part.title} · " for part in cached.parts(doc_id)}
        if isinstance(cached.document(doc_id), Collection)
        else {}
    )
    for judgment in judged.lost[:LOST_SHOWN]:
        page = titles.get(judgment.span.doc_id, "") + t("table.page_short", page=judgment.span.page)
        st.text(f"{page}  {tables.one_line(judgment.span.quote, 90)}")
