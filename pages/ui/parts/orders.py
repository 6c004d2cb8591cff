"""Two rankings of the same chunks as linked tables: a row is picked anywhere, and lines join its two places."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from pages.ui.parts import sentences, tables
from pages.ui.parts.component import style_and_script
from pages.ui.shell.i18n import language, t
from rag_core.datatypes import Chunk, Move
from rag_core.reading.heads import figureless
from rag_core.reading.table_heads import head_of
from rag_core.search import lexical
from rag_core.sharing.replay import SIDES, Replay

HERE = Path(__file__)
CSS, SCRIPT = style_and_script(HERE)
HTML = """
<div class="orders">
  <div class="scroll"><div class="grid">
    <div class="table before" role="table"></div>
    <div class="between"><button type="button"></button></div>
    <svg aria-hidden="true"></svg>
    <div class="table after" role="table"></div>
    <div class="cutoff" aria-hidden="true"><span></span></div>
  </div></div>
</div>
"""
COLUMNS_SHOWN = 400
"""More than three lines hold on the widest screen."""

HEAD_COLUMNS = 48
"""Of a table's head, so that there is room for the row."""

HEAD_PAGES, HEAD_LINES = 3, 2
WORDS = ("up", "down", "same", "was", "entered", "left", "replay")


def show(replay: Replay, key: str = "orders") -> None:
    """Draw both rankings of a replay's comparison; the chunk of the row that was clicked is kept as ``picked``."""
    draw = st.components.v2.component("orders", html=HTML, css=CSS, js=SCRIPT)
    # In a list: in a dict Streamlit looks for tables, and loads pandas to know one.
    draw(data=[data(replay, st.session_state["picked"])], key=key, on_picked_change=lambda: pick(key))


def pick(key: str) -> None:
    st.session_state["picked"] = st.session_state[key]["picked"]


def data(replay: Replay, picked: str | None) -> dict[str, Any]:
    """Return what the tables show; ``name`` stays the same as long as the comparison does, ``drawn`` as the rows do."""
    comparison, grades = replay.comparison, replay.grades
    name = fingerprint(
        [comparison.doc_id, comparison.query, *(i for side in SIDES for i in comparison.ranking(side).ids)]
    )
    cutoff = min(comparison.cutoff, len(comparison.moves))
    return {
        "name": name,
        "drawn": fingerprint([name, language(), *map(str, sorted(grades.items()))]),
        "cutoff": cutoff,
        "picked": picked,
        "words": {word: t(f"orders.{word}", places="{places}") for word in WORDS}
        | {"cutoff": t("orders.top", k=cutoff)},
        "sides": [side_data(replay, side) for side in SIDES],
        "chunks": chunk_data(replay),
    }


def fingerprint(texts: Sequence[str]) -> str:
    return hashlib.md5("\n".join(texts).encode(), usedforsecurity=False).hexdigest()


def side_data(replay: Replay, side: str) -> dict[str, Any]:
    """Return the rows of one ranking, best first, with the length of each bar from 0 to 1."""
    comparison = replay.comparison
    start = tables.bar_start(comparison, side, replay.unrelated(side))
    hits, digits = comparison.ranking(side).hits, tables.digits(comparison, side)
    longest = max(hit.score for hit in hits) - (start or 0.0)
    return {
        "title": tables.order_name(comparison, side),
        "unit": tables.score_unit(comparison, side),
        "start": "" if start is None else t("orders.start", start=f"{start:.{digits}f}"),
        "rows": [
            {"id": hit.chunk.id, "score": f"{hit.score:.{digits}f}", "bar": share(hit.score, start, longest)}
            for hit in hits
        ],
    }


def share(score: float, start: float | None, longest: float) -> float:
    """Return how long a bar is beside the longest one; without a start, or below it, there is none."""
    return 0.0 if start is None or longest <= 0 else max(0.0, (score - start) / longest)


def chunk_data(replay: Replay) -> dict[str, Any]:
    comparison, grades = replay.comparison, replay.grades
    heads, answers = running_heads(comparison.before.chunks), sentences.quotes(replay)
    return {
        move.chunk.id: {
            "place": tables.where(move.chunk, tables.NAME_COLUMNS),
            "grade": tables.GRADES[grades.get(move.chunk.id)],
            "head": list(runs(head(move, answers), comparison.query)),
            "runs": list(runs(shown(move, heads, answers), comparison.query)),
        }
        for move in comparison.moves
    }


def running_heads(chunks: Sequence[Chunk]) -> frozenset[str]:
    """Return the lines, figures aside, at which chunks of three pages or more begin or end."""
    lines = ((line, chunk) for chunk in chunks for line in edges(chunk.text))
    pages = {(figureless(line), chunk.doc_id, page) for line, chunk in lines for page in chunk.pages}
    counts = Counter((line, doc_id) for line, doc_id, _ in pages)
    return frozenset(line for (line, _), count in counts.items() if line and count >= HEAD_PAGES)


def edges(text: str) -> list[str]:
    """Return the first and last lines of a chunk; a single line may be a sentence that the report repeats."""
    lines = text.split("\n")
    return [*lines[:HEAD_LINES], *lines[-HEAD_LINES:]] if len(lines) > 1 else []


def head(move: Move, quotes: Sequence[str] = ()) -> str:
    """Return the start of the head of the table that the shown words begin in, where it stands earlier on the page."""
    above = head_of(move.chunk, first_shown(move, quotes))
    return f"{tables.one_line(above, HEAD_COLUMNS)} / " if above else ""


def shown(move: Move, heads: frozenset[str], quotes: Sequence[str] = ()) -> str:
    """Return a chunk on one line, without running heads and feet.

    It begins with the words that were judged to answer, else with the part that scored best: what moved it is seen.
    """
    start = first_shown(move, quotes)
    lines = move.chunk.text[start:].split("\n")
    kept = [line for line in lines if figureless(line) not in heads] or lines
    return ("… " if start else "") + tables.one_line(" ".join(kept), COLUMNS_SHOWN)


def first_shown(move: Move, quotes: Sequence[str]) -> int:
    answers = [place for quote in quotes if (place := move.chunk.text.find(quote)) >= 0]
    return min(answers) if answers else move.part.start if move.part else 0


def runs(text: str, question: str) -> Iterator[tuple[str, bool]]:
    """Yield a text piece by piece, each with whether the question has its words too."""
    end = 0
    for first, last in lexical.shared(question, text):
        if end < first:
            yield text[end:first], False
        yield text[first:last], True
        end = last
    if end < len(text):
        yield text[end:], False
