"""Tables of a comparison, and its file for a spreadsheet."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING
from unicodedata import east_asian_width

import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from pages.ui.shell.i18n import t
from rag_core.datatypes import Chunk, ChunkSettings, Comparison, FirstStage, Move
from rag_core.measuring.exchange import harmless
from rag_core.sharing.replay import Replay

if TYPE_CHECKING:
    import pandas as pd

Columns = Mapping[str, ColumnConfig]
"""How the columns of a table are set, by their names."""

ROSE, FELL = "rgba(26, 127, 75, 0.24)", "rgba(179, 64, 42, 0.24)"
TOP, PICKED = "rgba(37, 99, 168, 0.09)", "rgba(217, 119, 6, 0.22)"
FIRST_SCORES = {"vector": "cosine", "bm25": "bm25", "fused": "rrf"}
FIRST_DIGITS = {"vector": 3, "bm25": 2, "fused": 4}
GRADES = {None: "", 0: "0", 1: "★", 2: "★★"}
NAME_COLUMNS = 12
PAGES_NAMED = 8
"""A running head may stand on every page; a saved result and the CSV name them all."""

ROWS_SHOWN = 12
ROW_PIXELS = 35


def data_frame(rows: Sequence[object], columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Return a table; pandas is loaded with the first one, since Home, which many see first, has none."""
    import pandas as pd

    return pd.DataFrame(rows, columns=columns)


def arrow(delta: int) -> str:
    return f"▲ {delta}" if delta > 0 else f"▼ {-delta}" if delta < 0 else "＝"


def colour(cell: str) -> str:
    """Return the CSS of a move: a shade, for no colour of text can be read on a light and on a dark page."""
    sides = {"▲": f"background-color: {ROSE}", "▼": f"background-color: {FELL}"}
    return sides.get(str(cell)[:1], "")


def height(rows: int) -> int:
    return (min(rows, ROWS_SHOWN) + 1) * ROW_PIXELS + 3


def order_name(comparison: Comparison, side: str) -> str:
    """Name the order of a side."""
    return t("result.reranked") if side == "reranked" else t(f"result.{comparison.order}")


def score_name(comparison: Comparison, side: str) -> str:
    """Name a side's score together with its scale."""
    if side == "reranked":
        return t(f"score.{comparison.scale}")
    return t(f"score.{FIRST_SCORES[comparison.order]}")


def score_unit(comparison: Comparison, side: str) -> str:
    """Name a side's scale in a word that fits a column."""
    return unit(comparison.scale) if side == "reranked" else t(f"table.{FIRST_SCORES[comparison.order]}")


def digits(comparison: Comparison, side: str) -> int:
    """Return how many decimals tell a side's scores apart."""
    return 2 if side == "reranked" else FIRST_DIGITS[comparison.order]


def bar_start(comparison: Comparison, side: str, unrelated: float | None) -> float | None:
    """Return the score at which a side's bars begin: that of unrelated texts, or else the scale's own zero.

    None for a scale whose zero says nothing: on it no bar can be drawn.
    """
    if unrelated is not None:
        return unrelated
    return None if side == "reranked" and comparison.scale != "relevance" else 0.0


def unit(scale: str) -> str:
    """Name the scale of a cross-encoder's scores in a word."""
    names = {"relevance": t("unit.relevance"), "unknown": t("unit.unknown")}
    return names.get(scale, scale)


def place(comparison: Comparison, move: Move) -> str:
    """Say where a chunk stands in both orders, and with which scores."""
    return t(
        "result.picked",
        page=pages(move.chunk),
        before=move.before,
        after=move.after,
        before_score=f"{move.before_score:.4f}",
        before_name=score_name(comparison, "vector"),
        after_score=f"{move.after_score:.2f}",
        after_name=score_name(comparison, "reranked"),
    )


def where(chunk: Chunk, columns: int | None = None) -> str:
    """Say where a chunk stands: its pages, and where several documents were searched the name of its own first."""
    short = t("table.page_short", page=pages(chunk))
    return f"{middle_cut(chunk.title, columns)} · {short}" if chunk.title else short


def pages(chunk: Chunk) -> str:
    """Name the pages on which a chunk's words stand, of many the first."""
    named = t("table.pages_between").join(map(str, chunk.pages[:PAGES_NAMED]))
    return named if len(chunk.pages) <= PAGES_NAMED else f"{named} …"


def page(chunk: Chunk) -> str:
    """Return what stands in the column of pages: a text, which ``page_column`` shows as a number where it is one."""
    return f"{pages(chunk)} · {chunk.title}" if chunk.title else pages(chunk)


def of_document(title: str, number: int) -> int | str:
    return f"{number} · {title}" if title else number


def name(chunk: Chunk) -> None:
    """Show the name of a chunk's document where several were searched."""
    if chunk.title:
        st.text(chunk.title)


def page_column(chunks: Iterable[Chunk]) -> ColumnConfig:
    """Return how the column of pages is set: as text where a row names several, and wider where names stand there."""
    chunks = list(chunks)
    if any(chunk.title for chunk in chunks):
        return st.column_config.TextColumn(width=100)
    several = any(len(chunk.pages) > 1 for chunk in chunks)
    return st.column_config.TextColumn(width=70) if several else st.column_config.NumberColumn(width=50)


def middle_cut(text: str, columns: int | None) -> str:
    """Return a file's name cut in its middle to so many columns: those of one series may differ at their ends alone."""
    line = one_line(text)
    if columns is None or columns_of(line) <= columns:
        return line
    line, half = line.removesuffix(".pdf"), columns // 2
    if columns_of(line) <= columns:
        return line
    return one_line(line, half) + one_line(line[::-1], half).rstrip("…")[::-1]


def one_line(text: str, columns: int | None = None) -> str:
    """Return the text on one line, cut to so many columns; a Han character takes two."""
    line = " ".join(text.split())
    if not columns:
        return line
    widths = accumulate(2 if east_asian_width(character) in "WF" else 1 for character in line)
    end = next((i for i, width in enumerate(widths) if width > columns), None)
    return line if end is None else line[:end] + "…"


def ledger_table(comparison: Comparison) -> pd.DataFrame:
    """Return, for each candidate in the new order, the rank at which each query found it in each first stage."""
    asked = searches(comparison)
    origins = ["question", *(expansion.origin for expansion in comparison.expansions)]
    words = " · BM25" if comparison.settings.first_stage == FirstStage.BOTH else ""
    names = [
        f"{number}. {t('origin.' + origins[number])}{words if source == 'bm25' else ''}" for number, _, source in asked
    ]
    rows = []
    for move in comparison.moves:
        ranks = {(entry.query, entry.source): entry.rank for entry in comparison.ledger[move.chunk.id]}
        places = [ranks.get((query, source)) for _, query, source in asked]
        rows.append([move.after, move.before, one_line(move.chunk.text), *places])
    columns = [t("table.after"), t("table.before"), t("table.text"), *names]
    return data_frame(rows, columns=columns).astype({name: "Int64" for name in names})


def searches(comparison: Comparison) -> list[tuple[int, str, str]]:
    """Return number, text and first stage of every search that was made."""
    stages = comparison.settings.first_stage.searches
    queries = [comparison.query, *(expansion.text for expansion in comparison.expansions)]
    return [(number, query, source) for number, query in enumerate(queries) for source in stages]


def full_table(comparison: Comparison) -> pd.DataFrame:
    """Return every rank and score of every stage, a row a candidate, with plain English column names."""
    several = any(move.chunk.twins for move in comparison.moves)
    headed = any(move.chunk.head for move in comparison.moves)
    rows = [
        {
            "rank_reranked": move.after,
            f"rank_{comparison.order}": move.before,
            "move": move.delta,
            **({"document": move.chunk.title} if move.chunk.title else {}),
            "page": move.chunk.page,
            **({"pages": ", ".join(map(str, move.chunk.pages))} if several else {}),
            **({"head": move.chunk.head} if headed else {}),
            "text": move.chunk.text,
            **part_columns(comparison, move),
            f"score_reranked_{comparison.scale}": move.after_score,
            f"score_{FIRST_SCORES[comparison.order]}": move.before_score,
            **ledger_columns(comparison, move),
            "question": comparison.query,
            "chunk": move.chunk.id,
            "embedder": comparison.settings.embedder,
            "reranker": comparison.settings.reranker,
        }
        for move in comparison.moves
    ]
    return data_frame(rows)


def part_columns(comparison: Comparison, move: Move) -> dict[str, object]:
    """Return of how many parts which one scored best; nothing where every chunk was scored whole."""
    if comparison.pairs == len(comparison.moves):
        return {}
    part = move.part
    return {"parts": part.of if part else 1, "best_part": part.words(move.chunk.text) if part else move.chunk.text}


def ledger_columns(comparison: Comparison, move: Move) -> dict[str, object]:
    entries = {(entry.query, entry.source): entry for entry in comparison.ledger[move.chunk.id]}
    columns: dict[str, object] = {}
    for number, text, source in searches(comparison):
        entry = entries.get((text, source))
        columns[f"query_{number}"] = text
        columns[f"query_{number}_{source}_rank"] = entry and entry.rank
        columns[f"query_{number}_{FIRST_SCORES[source]}"] = entry and entry.score
    return columns


def as_csv(table: pd.DataFrame) -> bytes:
    """Return a CSV that spreadsheets open as UTF-8 and in which no text can start a formula."""
    import pandas as pd

    texts = [name for name in table if pd.api.types.is_string_dtype(table[name])]
    safe = table.assign(**{name: table[name].map(harmless, na_action="ignore") for name in texts})
    # Every text is quoted: a lone carriage return in one would otherwise begin a new row, which could be a formula.
    return safe.to_csv(index=False, quoting=csv.QUOTE_NONNUMERIC).encode("utf-8-sig")


def columns_of(text: str) -> int:
    """Return how many columns a text takes on one line."""
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in one_line(text))


def how_table(replay: Replay) -> pd.DataFrame:
    """Return what decided a result: settings, weights, versions, and the size of the document."""
    rows = [
        *how_rows(replay.comparison),
        (t("table.pages"), str(replay.source.pages)),
        (t("table.chunks"), str(replay.comparison.available)),
    ]
    rows += [(t("table.weights", model=t(f"form.{role}")), name) for role, name in replay.weights.items()]
    rows += [(t("table.versions"), ", ".join(f"{name} {version}" for name, version in replay.versions.items()))]
    return data_frame(rows, columns=[t("table.setting"), t("table.value")])


def how_rows(comparison: Comparison) -> list[tuple[str, str]]:
    """Return name and value of each setting of a comparison, in the reader's words."""
    how, named = comparison.settings, any(chunk.title for chunk in comparison.before.chunks)
    return [
        (t("form.question"), comparison.query),
        (t("table.expansions"), " · ".join(expansion.text for expansion in comparison.expansions) or "–"),
        (t("form.first_stage"), t(f"form.first_{how.first_stage}")),
        (t("documents.preset"), cut_name(how.chunks)),
        (t("form.embedder"), how.embedder),
        (t("form.reranker"), how.reranker),
        (t("form.depth"), str(how.depth)),
        (t("form.cutoff"), str(how.cutoff)),
        (t("table.adaptive"), t("table.yes") if how.adaptive else t("table.no")),
        *([(t("form.within"), searched(comparison))] if named else []),
    ]


def searched(comparison: Comparison) -> str:
    """Name the members of a collection that were searched; one without a candidate by its id alone."""
    titles = {chunk.doc_id: chunk.title for chunk in comparison.before.chunks}
    return ", ".join(titles.get(member, member) for member in comparison.settings.within) or t("form.within_all")


def cut_name(how: ChunkSettings) -> str:
    """Name a way of cutting; of windows with their size and overlap."""
    return t(f"preset.{how.preset}") + (f" {how.size}/{how.overlap}" if how.preset == "window" else "")


def time_of(made: str) -> str:
    """Return a time in UTC as far as its minutes."""
    return f"{made[:16].replace('T', ' ')} UTC"
