"""Every question of an evaluation as a row that is clicked anywhere: how its answer moved, and what that measures."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from pages.ui.parts.component import style_and_script
from pages.ui.shell.i18n import t
from rag_core.measuring.evaluate import Evaluation
from rag_core.measuring.metrics import MAIN

HERE = Path(__file__)
CSS, SCRIPT = style_and_script(HERE)
HTML = '<div class="questions"><div class="head" aria-hidden="true"></div><div class="rows" role="list"></div></div>'


def show(evaluation: Evaluation, system: str, measure: str = MAIN, finished: bool = True) -> None:
    """Draw a row a question; the one that was clicked is kept as ``opened_question``.

    What lost most stands first; while questions are still asked, each stays where it came.
    """
    draw = st.components.v2.component("questions", html=HTML, css=CSS, js=SCRIPT)
    gains = evaluation.differences(system, measure) if finished else {}
    asked = sorted(evaluation.questions, key=lambda question: gains.get(question, 2.0))
    rows = [row(evaluation, system, measure, question) for question in asked]
    opened = st.session_state["opened_question"]
    draw(data={"rows": rows, "opened": opened, "words": words(measure)}, key="questions", on_opened_change=open_one)


def open_one() -> None:
    st.session_state.update(opened_question=st.session_state["questions"]["opened"], picked=None)


def words(measure: str) -> Mapping[str, str]:
    return {"question": t("questions.question"), "ranks": t("measured.ranks"), "measure": measure}


def row(evaluation: Evaluation, system: str, measure: str, question: str) -> dict[str, Any]:
    """Return what a row shows; without a relevant chunk, what changed in the first places alone."""
    before = evaluation.values[evaluation.baseline][measure].get(question)
    after = evaluation.values[system][measure].get(question)
    if question not in evaluation.orders[system]:
        return {"question": question, "kind": "none", "note": t("runs.not_ranked")}
    if before is None or after is None:
        new, _ = evaluation.changed(system, question)
        return {"question": question, "kind": "none", "note": t("measured.new_of", new=new, k=evaluation.how.cutoff)}
    values = {
        "before": before,
        "after": after,
        "values": f"{before:.2f} → {after:.2f}",
        "gain": f"{after - before:+.2f}",
    }
    return {"question": question, "kind": kind(after - before), "ranks": ranks(evaluation, system, question), **values}


def kind(gain: float) -> str:
    return "up" if gain > 0 else "down" if gain < 0 else "same"


def ranks(evaluation: Evaluation, system: str, question: str) -> str:
    """Say where the best answer stood, and where it stands."""
    return " → ".join("–" if rank is None else str(rank) for rank in evaluation.answer_ranks(system, question))
