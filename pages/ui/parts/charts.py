"""Pictures of a comparison. Two different scores never share an axis, and bars begin at what unrelated texts get."""

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import altair as alt
import pandas as pd

from pages.ui.parts.palette import BLUE, DOWN, INK, PALE, PICKED, SAME, SERIES, UP
from pages.ui.parts.tables import NAME_COLUMNS, bar_start, digits, one_line, score_name, where
from pages.ui.shell.i18n import language, t
from rag_core.datatypes import Chunk, Comparison

Row = dict[str, Any]
"""A row of a chart's table."""

RANKS_SHOWN = 50
LINES_LABELLED = 12
BARS_SHOWN = 25
BAR_COLUMNS, LINE_COLUMNS = 28, 44
LINE_ROOM = alt.ExprRef("width / 4 - 14")
"""Both ends of the lines lie a quarter of the width from the edge; longer names end in dots."""


def label(chunk: Chunk, columns: int) -> str:
    """Return place and beginning of a chunk; the name of its document takes room from the text, not from the chart."""
    left = columns - NAME_COLUMNS if chunk.title else columns
    return f"{where(chunk, NAME_COLUMNS)} {one_line(chunk.text, left)}"


def move_rows(comparison: Comparison, picked: str | None) -> list[Row]:
    """Return a row a candidate; ranks past ``RANKS_SHOWN`` share the last place of the picture."""
    return [
        {
            "id": move.chunk.id,
            "before": move.before,
            "after": move.after,
            "label": label(move.chunk, LINE_COLUMNS),
            "kind": kind(move.delta),
            "picked": move.chunk.id == picked,
            "named": min(move.before, move.after) <= LINES_LABELLED or move.chunk.id == picked,
            "text": f"{where(move.chunk)} {one_line(move.chunk.text, 160)}",
        }
        for move in comparison.moves
        if min(move.before, move.after) <= RANKS_SHOWN or move.chunk.id == picked
    ]


def end_rows(comparison: Comparison, picked: str | None) -> list[Row]:
    """Return both ends of each line: where it lies, and what is written beside it."""
    rows, sides = move_rows(comparison, picked), {"before": t("chart.before"), "after": t("chart.after")}
    return [
        {**row, "side": side, "y": min(row[end], RANKS_SHOWN + 1), "label": f"{row[end]}  {row['label']}"}
        for end, side in sides.items()
        for row in rows
    ]


def kind(delta: int) -> str:
    return t("chart.rose") if delta > 0 else t("chart.fell") if delta < 0 else t("chart.stayed")


def slope_chart(comparison: Comparison, picked: str | None) -> alt.LayerChart:
    """Draw a line a candidate from its old rank (left) to its new one (right), and the cutoff."""
    ends = end_rows(comparison, picked)
    return slope_lines(*slope_size(comparison, ends)).properties(data=pd.DataFrame(ends))


def slope_spec(comparison: Comparison, picked: str | None) -> dict[str, Any]:
    """Return the same chart as a page takes it: its specification and its table.

    The table has a name of its own: a browser draws a chart anew when its specification is another one.
    """
    ends = end_rows(comparison, picked)
    name = hashlib.md5(repr(ends).encode(), usedforsecurity=False).hexdigest()
    drawn = slope_template(language(), *slope_size(comparison, ends))
    return {**drawn, "data": {"name": name}, "datasets": {**drawn["datasets"], name: pd.DataFrame(ends)}}


@lru_cache(maxsize=64)
def slope_template(_spoken: str, lowest: int, cutoff: int) -> dict[str, Any]:
    """Return the chart without its table, once for all tables: Altair took as long for it as the page for the rest."""
    return slope_lines(lowest, cutoff).properties(data=alt.NamedData("ends")).to_dict()


def slope_size(comparison: Comparison, ends: list[Row]) -> tuple[int, int]:
    """Return the lowest place that is drawn, and the last one that the cutoff lets through."""
    lowest = max(row["y"] for row in ends)
    return lowest, min(comparison.cutoff, lowest)


def slope_lines(lowest: int, cutoff: int) -> alt.LayerChart:
    place = alt.Y("y:Q", scale=alt.Scale(domain=[lowest + 0.5, 0.5], nice=False), axis=None)
    axis = alt.Axis(labelAngle=0, orient="top", labelLimit=300, labelFontSize=13)
    base = alt.Chart().encode(
        x=alt.X("side:N", sort=[t("chart.before"), t("chart.after")], title=None, axis=axis),
        y=place,
        tooltip=tooltips({"before:Q": t("table.before"), "after:Q": t("table.after"), "text:N": t("table.text")}),
    )
    line = alt.Chart(alt.InlineData(values=[{"y": cutoff + 0.5}])).mark_rule(strokeDash=[6, 4], color=PICKED)
    return (
        layered(line.encode(y=place), move_lines(base), *end_names(base))
        .properties(height=max(220, lowest * 15))
        .configure_view(stroke=None)
    )


def move_lines(base: alt.Chart) -> alt.Chart:
    """Draw the lines: their colours and dashes say who rose, fell and stayed."""
    kinds = [kind(1), kind(-1), kind(0)]
    colours = alt.Scale(domain=kinds, range=[UP, DOWN, SAME])
    dashes = alt.Scale(domain=kinds, range=[[1, 0], [5, 3], [1, 0]])
    colour = alt.Color("kind:N", scale=colours, legend=alt.Legend(title=None, orient="bottom"))
    return base.mark_line(point=alt.OverlayMarkDef(size=28)).encode(
        detail="id:N",
        color=alt.condition("datum.picked", alt.value(PICKED), colour),
        strokeDash=alt.StrokeDash("kind:N", legend=None, scale=dashes),
        opacity=alt.condition("datum.named", alt.value(0.95), alt.value(0.15)),
        strokeWidth=alt.condition("datum.picked", alt.value(4), alt.value(1.6)),
    )


def end_names(base: alt.Chart) -> tuple[alt.Chart, alt.Chart]:
    """Write beside the first lines, and the picked one, which chunks they are."""
    right = alt.datum.side == t("chart.after")
    near = (alt.datum.y <= LINES_LABELLED) | alt.datum.picked
    names = base.encode(text="label:N")
    right_names = names.transform_filter(right & near).mark_text(
        align="left", dx=9, fontSize=11, limit=LINE_ROOM, color=INK
    )
    left_names = names.transform_filter(~right & near).mark_text(
        align="right", dx=-9, fontSize=11, limit=LINE_ROOM, color=INK
    )
    return right_names, left_names


def score_chart(
    comparison: Comparison, side: str, picked: str | None, unrelated: float | None = None
) -> alt.LayerChart:
    """Draw the scores of one side's first candidates, best first, on an axis of their own.

    Bars begin at ``unrelated``, the score of a text that has nothing to do with the question, see ``bar_start``: what
    is below has none. A scale whose zero says nothing has points. The first chunks of the new ranking have a colour
    each, the same on both sides.
    """
    start = bar_start(comparison, side, unrelated)
    rows, name = score_rows(comparison, side, picked, start), score_name(comparison, side)
    axis = alt.Axis(labelLimit=300, labelFontSize=12, labelOverlap=False, labelFlush=False)
    title = name if start is None else t("chart.from", name=name, start=f"{start:.{digits(comparison, side)}f}")
    base = alt.Chart(pd.DataFrame(rows)).encode(
        y=alt.Y("label:N", sort=alt.SortField("rank"), title=None, axis=axis),
        tooltip=[
            *tooltips({"rank:Q": t("table.rank")}),
            *tooltips({"score:Q": name}, ".4f"),
            *tooltips({"label:N": t("table.text")}),
        ],
    )
    marks = score_points(base, title) if start is None else score_bars(base, title, start)
    drawn = layered(marks.add_params(alt.selection_point(name="pick", fields=["id"])), score_numbers(base, start))
    return drawn.properties(title=name, height=max(120, len(rows) * 20))


def score_bars(base: alt.Chart, title: str, start: float) -> alt.Chart:
    scale = alt.Scale(zero=False, domainMin=start, nice=False)
    return base.mark_bar().encode(
        x=alt.X("end:Q", title=title, scale=scale), x2=alt.datum(start), color=chunk_colour(), **picked_edge()
    )


def score_points(base: alt.Chart, title: str) -> alt.Chart:
    return base.mark_point(filled=True, size=60).encode(
        x=alt.X("end:Q", title=title, scale=alt.Scale(zero=False)), color=chunk_colour(), **picked_edge()
    )


def picked_edge() -> dict[str, Any]:
    """Return what frames the picked chunk."""
    return {
        "stroke": alt.condition("datum.picked", alt.value(PICKED), alt.value(None)),
        "strokeWidth": alt.condition("datum.picked", alt.value(3), alt.value(0)),
    }


def chunk_colour() -> alt.Color:
    return alt.Color("colour:N", scale=None, legend=None)


def score_numbers(base: alt.Chart, start: float | None) -> alt.Chart:
    """Write each score beside its mark."""
    numbers = base.mark_text(align="left", dx=6 if start is None else 4, fontSize=11, color=INK)
    return numbers.encode(x=alt.X("end:Q"), text=alt.Text("number:N"))


def score_rows(comparison: Comparison, side: str, picked: str | None, start: float | None) -> list[Row]:
    """Return a row a bar: the first candidates, and the picked one wherever it stands."""
    colours = dict(zip(comparison.reranked.ids, SERIES, strict=False))
    return [
        {
            "id": hit.chunk.id,
            "rank": rank,
            "label": f"{rank}. {label(hit.chunk, BAR_COLUMNS)}",
            "score": hit.score,
            "end": hit.score if start is None else max(hit.score, start),
            "number": f"{hit.score:.{digits(comparison, side)}f}",
            "colour": colours.get(hit.chunk.id, PALE),
            "picked": hit.chunk.id == picked,
        }
        for rank, hit in enumerate(comparison.ranking(side).hits, start=1)
        if rank <= BARS_SHOWN or hit.chunk.id == picked
    ]


def layered(*charts: alt.Chart) -> alt.LayerChart:
    """Lay charts over each other; none has facets, of which ``alt.layer`` would make another kind of chart."""
    return alt.LayerChart(layer=list(charts))


def tooltips(titles: Mapping[str, str], number: str | None = None) -> list[alt.Tooltip]:
    """Return what the pointer shows: fields under their titles, numbers in a format where one is given."""
    return [alt.Tooltip(field, title=title, format=number or alt.Undefined) for field, title in titles.items()]


def length_histogram(lengths: list[int]) -> alt.Chart:
    bins = alt.Bin(maxbins=30, minstep=1)
    length_tip = alt.Tooltip("length:Q", bin=bins, title=t("documents.length"))
    return (
        alt.Chart(pd.DataFrame({"length": lengths}))
        .mark_bar(color=BLUE)
        .encode(
            x=alt.X("length:Q", bin=bins, title=t("documents.length")),
            y=alt.Y("count()", title=t("documents.chunks")),
            tooltip=[length_tip, alt.Tooltip("count()", title=t("documents.chunks"))],
        )
        .properties(height=220)
    )


def time_chart(timings: dict[str, float], scored_before: float = 0.0) -> alt.Chart:
    """Draw the seconds of each step; what was done earlier and kept is marked so, as much of scoring as is given."""
    once = ("parse", "embed")
    now = {**timings, "rerank": timings["rerank"] - scored_before}
    spent = [(step, seconds, step in once) for step, seconds in now.items()]
    spent += [("rerank", scored_before, True)] if scored_before else []
    colours = alt.Scale(domain=[t("chart.now"), t("chart.once")], range=[BLUE, PALE])
    axis = alt.Axis(labelLimit=240, labelOverlap=False, labelFlush=False)
    frame = pd.DataFrame(
        {"step": t(f"step.{step}"), "seconds": seconds, "when": t("chart.once" if before else "chart.now")}
        for step, seconds, before in spent
    )
    return (
        alt.Chart(frame)
        .mark_bar()
        .encode(
            x=alt.X("seconds:Q", title=t("chart.seconds")),
            y=alt.Y("step:N", sort=None, title=None, axis=axis),
            color=alt.Color("when:N", scale=colours, legend=alt.Legend(title=None, orient="bottom")),
            tooltip=[alt.Tooltip("step:N", title=t("table.step")), alt.Tooltip("seconds:Q", format=".3f")],
        )
        .properties(height=110 + 28 * len(timings))  # axis, title and legend take the first part
    )
