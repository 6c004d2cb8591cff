"""Two answers side by side: what only one of them says is marked, and each sentence names its chunk's two ranks."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from pages.ui.parts import tables
from pages.ui.parts.component import style_and_script
from pages.ui.shell.i18n import t
from rag_core.comparing.answer import EXTRACTIVE, Said, is_clear, plain, said
from rag_core.datatypes import Answer, Comparison
from rag_core.sharing.replay import SIDES

HERE = Path(__file__)
CSS, SCRIPT = style_and_script(HERE)
TAGS = {"vector": "gone", "reranked": "new"}


def show(comparison: Comparison, answers: Mapping[str, Answer], key: str = "cards") -> None:
    """Draw both answers; the chunk of the sentence that was clicked is kept as ``picked``."""
    draw = st.components.v2.component("answers", html='<div class="answers"></div>', css=CSS, js=SCRIPT)
    draw(data=data(comparison, answers), key=key, on_picked_change=lambda: pick(key))


def pick(key: str) -> None:
    st.session_state["picked"] = st.session_state[key]["picked"]


def data(comparison: Comparison, answers: Mapping[str, Answer]) -> dict[str, Any]:
    """Return what the cards show."""
    parts = {side: said(answers[side]) for side in SIDES}
    words = {side: {plain(part.words) for part in parts[side] if is_clear(answers[side])} for side in SIDES}
    return {
        "picked": st.session_state["picked"],
        "sides": [
            {
                "title": tables.order_name(comparison, side),
                "source": source_name(answers[side]),
                "tag": t(f"answer.{TAGS[side]}"),
                "unclear": "" if is_clear(answers[side]) else unclear(parts[side]),
                "said": [
                    {
                        "words": part.words,
                        "alone": is_clear(answers[side]) and plain(part.words) not in words[other],
                        "sources": sources(comparison, answers[side], part),
                    }
                    for part in parts[side]
                ],
            }
            for side, other in zip(SIDES, SIDES[::-1], strict=True)
        ],
    }


def unclear(parts: Sequence[Said]) -> str:
    return t("answer.unclear_nearest" if parts else "answer.unclear")


def source_name(answer: Answer) -> str:
    return t("answer.extractive") if answer.source == EXTRACTIVE else f"{t('answer.by_llm')}: {answer.source}"


def sources(comparison: Comparison, answer: Answer, part: Said) -> list[dict[str, str]]:
    """Return the chunks that a sentence cites, each with its ranks in both orders and its page."""
    moves = {move.chunk.id: move for move in comparison.moves}
    cited = [(number, moves[answer.chunks[number - 1].id]) for number in part.sources]
    return [
        {
            "id": move.chunk.id,
            "label": t("answer.ranks", number=number, before=move.before, after=move.after)
            + f" · {tables.where(move.chunk, tables.NAME_COLUMNS)}",
        }
        for number, move in cited
    ]
