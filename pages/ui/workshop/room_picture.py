"""The votes of a room beside the new ranking and the judgments, and the class's running score, as one picture."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import streamlit as st

from pages.ui.parts import tables
from pages.ui.parts.component import style_and_script
from pages.ui.shell.i18n import t
from rag_core.workshop.predict import PICKS
from rag_core.workshop.room import Board, Outcome

HERE = Path(__file__)
CSS, SCRIPT = style_and_script(HERE)
STYLE = HERE.with_name("style.css").read_text(encoding="utf-8")
TO_THE_TOP = """
let step;
export default function ({ data }) {
  if (step && step !== data.step) document.querySelector(".st-key-seat_head, .st-key-menu")?.scrollIntoView();
  step = data.step;
}
"""
HTML = '<div class="room"><div class="votes"></div><div class="running"></div></div>'
QUESTIONS_SHOWN = 8
"""Of the running score, the last ones; the total counts all."""


def style(board: Board) -> None:
    """Give a page of a room its style."""
    lesson = board.lesson.lesson if board.lesson else ""
    lay_out(f"{board.number} {board.revealed} {lesson}")


def lay_out(step: str) -> None:
    """Set what stays in view while chunks are read, and what is large on the wall.

    With each step the page goes back to its beginning: what is new stands there.
    """
    draw = st.components.v2.component("room_style", css=STYLE, js=TO_THE_TOP, isolate_styles=False)
    draw(data={"step": step}, key="room_style")


def show(board: Board, own: Collection[str] = (), wall: bool = False) -> None:
    """Draw the picture of a revealed question; ``own`` are the chunks that a participant picked."""
    draw = st.components.v2.component("room_picture", html=HTML, css=CSS, js=SCRIPT)
    draw(data=data(board, own, wall), key="room_picture")


def data(board: Board, own: Collection[str], wall: bool) -> dict[str, Any]:
    outcome = board.past[-1]
    return {
        "wall": wall,
        "top": t("orders.top", k=PICKS),
        "words": {word: t(f"picture.{word}") for word in ("rank", "before", "picks", "answer", "text", "own")},
        "help": [t("picture.help", wanted=PICKS, picked=outcome.picked), *marks_told(outcome, own)],
        "rows": rows(outcome, own),
        "wanted": PICKS,
        "running": running(board.past),
    }


def marks_told(outcome: Outcome, own: Collection[str]) -> list[str]:
    answers = t("picture.unjudged") if outcome.dealt.relevant is None else t("picture.judged")
    return [answers, *([t("picture.help_own")] if own else [])]


def rows(outcome: Outcome, own: Collection[str]) -> list[dict[str, Any]]:
    """Return the chunks in the cross-encoder's order, each with the length of its bar from 0 to 1."""
    chunks = {chunk.id: (rank, chunk) for rank, chunk in enumerate(outcome.dealt.chunks, start=1)}
    return [
        {
            "rank": after,
            "before": chunks[chunk_id][0],
            "move": tables.arrow(chunks[chunk_id][0] - after),
            "votes": outcome.counts[chunk_id],
            "bar": outcome.counts[chunk_id] / max(outcome.picked, 1),
            "own": chunk_id in own,
            "answer": chunk_id in (outcome.dealt.relevant or ()),
            "place": tables.where(chunks[chunk_id][1], tables.NAME_COLUMNS),
            "text": tables.one_line(chunks[chunk_id][1].text),
        }
        for after, chunk_id in enumerate(outcome.dealt.reranked, start=1)
    ]


def running(past: tuple[Outcome, ...]) -> dict[str, Any]:
    """Return the class's average of each question, and of all, beside what the vector search's own five hit."""
    picked = sum(outcome.picked for outcome in past)
    hits = sum(outcome.score.hits for outcome in past)
    vector = sum(by_vector(outcome) for outcome in past) / len(past)
    total = t("running.class", average=f"{hits / max(picked, 1):.1f}", vector=f"{vector:.1f}", wanted=PICKS)
    return {
        "title": t("running.title", rounds=len(past)),
        "total": total if picked else t("room.nobody"),
        "help": t("running.class_help", wanted=PICKS),
        "rows": [running_row(outcome) for outcome in past[-QUESTIONS_SHOWN:]],
    }


def running_row(outcome: Outcome) -> dict[str, Any]:
    average = outcome.score.hits / max(outcome.picked, 1)
    return {
        "number": outcome.number,
        "question": outcome.dealt.query,
        "average": f"{average:.1f}" if outcome.picked else "–",
        "bar": average / PICKS,
        "vector": by_vector(outcome) / PICKS,
        "said": t("running.class", average=f"{average:.1f}", vector=by_vector(outcome), wanted=PICKS),
    }


def by_vector(outcome: Outcome) -> int:
    return len(outcome.dealt.target & outcome.dealt.first)
