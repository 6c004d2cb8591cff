"""Eight lessons on cards, each with what the comparison on screen has to say to it."""

import streamlit as st

from pages.ui.parts import proposed, tables
from pages.ui.shell import samples, work
from pages.ui.shell.frame import PAGES, errors_shown
from pages.ui.shell.i18n import language, plain, t
from rag_core.explaining import lessons
from rag_core.explaining.lessons import Fact

SCREENS = {
    "embedding": "documents",
    "tail": "compare",
    "reading": "explain",
    "scores": "compare",
    "harm": "evaluate",
    "expansion": "compare",
    "depth": "evaluate",
    "judging": "evaluate",
}
"""The screen that each lesson speaks of."""


def show() -> None:
    comparison = st.session_state["comparison"]
    facts: dict[str, Fact] = {}
    if comparison is None:
        st.info(t("lesson.no_comparison"), icon=":material/help:")
    else:
        st.caption(t("lesson.lead"))
        st.text(comparison.query)
        relevant = work.relevant_ids(comparison.doc_id, comparison.query, comparison.before.chunks)
        facts = {fact.lesson: fact for fact in lessons.facts(comparison, relevant)}
    numbered = list(enumerate(lessons.NAMES, start=1))
    for pair in zip(numbered[::2], numbered[1::2], strict=True):
        for (number, name), column in zip(pair, st.columns(2), strict=True):
            with column.container(border=True, height="stretch"):
                card(number, name, facts.get(name))


def card(number: int, name: str, fact: Fact | None) -> None:
    st.markdown(f"**{number}. {t(f'lesson.{name}_title')}**")
    st.markdown(t(f"lesson.{name}_text"))
    ask(name)
    if fact:
        here(fact)
    screen = SCREENS[name]
    icon = PAGES[screen][1]
    if st.button(t("lesson.open", screen=t("frame." + screen)), icon=icon, key=f"lesson_{name}"):
        st.switch_page(PAGES[screen][0])


def ask(name: str) -> None:
    """Lead to the sample's question that the lesson is shown with, asked on the Compare page."""
    spoken = language() if language() in samples.FILES else next(iter(samples.FILES))
    row = samples.of_lesson(spoken, name)
    if st.button(t("lesson.ask", question=plain(row.question)), icon=":material/swap_vert:", key=f"ask_{name}"):
        with errors_shown():
            work.add_sample(spoken)
            proposed.choose(st.session_state["doc_id"], row.question)
            st.session_state["typed"] = row.wording
            st.switch_page("pages/compare.py")


def before_the_room(fact: Fact) -> None:
    """Show a lesson that the teacher put before everyone; without a case it speaks of no question."""
    with st.container(border=True, key="room_lesson_card"):
        st.markdown(f"**{t(f'lesson.{fact.lesson}_title')}**")
        st.markdown(t(f"lesson.{fact.lesson}_text"))
        if fact.case:
            here(fact)


def here(fact: Fact) -> None:
    """Say what this comparison shows, or that it shows nothing and what to try."""
    case = f"{fact.lesson}_{fact.case}"
    shown = not fact.case.startswith("none")
    icon = ":material/manage_search:" if shown else ":material/do_not_disturb_on:"
    st.markdown(f"{icon} {t('fact.' + case, **values(fact))}")
    if fact.chunk and shown:
        st.text(f"{tables.where(fact.chunk)}  {tables.one_line(fact.chunk.text, 150)}")


def values(fact: Fact) -> dict[str, object]:
    named = {**fact.values, **({"scale": tables.unit(str(fact.values["scale"]))} if "scale" in fact.values else {})}
    named |= {"page": tables.pages(fact.chunk)} if fact.chunk else {}
    return {name: number(value) if isinstance(value, float) else plain(value) for name, value in named.items()}


def number(value: float) -> str:
    return f"{value:.3f}" if abs(value) < 1 else f"{value:.1f}"
