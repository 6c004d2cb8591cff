"""Pictures of an evaluation. What shares an axis here are ranks and measures, never the scores of two models."""

from collections.abc import Callable

import altair as alt
import pandas as pd

from pages.ui.parts.charts import Row, label, layered, tooltips
from pages.ui.parts.palette import BLUE, INK, PALE, PICKED, SAME, SERIES
from pages.ui.parts.tables import one_line, where
from pages.ui.shell.i18n import t
from rag_core.datatypes import Chunk
from rag_core.measuring import metrics
from rag_core.measuring.depth import Ceiling
from rag_core.measuring.evaluate import Evaluation
from rag_core.measuring.metrics import MAIN
from rag_core.measuring.panel import Panel

OPPOSED, NEUTRAL, AGREED, ON_SHADE = "#d9a28f", "#f4f4f4", "#6f9fd0", "#1b1f24"
"""Shades of a field, and what is written on any of them."""

NAME_PIXELS = 260
AXIS = 80
"""Pixels for the axis below the bars: the height given here includes it."""
BUMP_RANKS = 20
BUMP_NAMED = 5
INTERVAL = {"low:Q": "2.5 %", "high:Q": "97.5 %"}
Names = Callable[[str], str]


def difference_chart(evaluation: Evaluation, name_of: Names) -> alt.LayerChart:
    """Draw each system's difference from the baseline with its interval, and zero as a line."""
    frame = pd.DataFrame(
        {"system": name_of(name), "mean": gain.mean, "low": gain.low, "high": gain.high, "p": gain.p}
        for name in evaluation.orders
        if (gain := evaluation.difference(name))
    )
    axis = alt.Axis(labelLimit=NAME_PIXELS, labelFontSize=12)
    base = alt.Chart(frame).encode(
        y=alt.Y("system:N", sort=None, title=None, axis=axis),
        tooltip=[
            *tooltips({"system:N": t("measured.system")}),
            *tooltips({"mean:Q": t("measured.gain"), **INTERVAL}, "+.3f"),
            *tooltips({"p:Q": "p"}, ".3f"),
        ],
    )
    title = f"{MAIN}: {t('measured.gain')}"
    bars = base.mark_rule(color=PALE, strokeWidth=4).encode(x=alt.X("low:Q", title=title), x2="high:Q")
    points = base.mark_point(filled=True, color=BLUE, size=90).encode(x=alt.X("mean:Q", title=title))
    zero = alt.Chart(pd.DataFrame({"x": [0.0]})).mark_rule(color=PICKED, strokeDash=[5, 4]).encode(x="x:Q")
    return layered(zero, bars, points).properties(height=AXIS + 32 * len(frame))


def depth_chart(evaluation: Evaluation) -> alt.LayerChart:
    """Draw the mean nDCG@10 against depth, a line a reranker, with the interval of the mean; the baseline dashed."""
    legend = alt.Legend(title=None, orient="bottom", labelLimit=NAME_PIXELS)
    # An ordinal axis: the depths are few and far apart.
    base = alt.Chart(pd.DataFrame(depth_rows(evaluation))).encode(
        x=alt.X("depth:O", title=t("depth.axis"), axis=alt.Axis(labelAngle=0)),
        color=alt.Color("model:N", scale=alt.Scale(range=SERIES), legend=legend),
        tooltip=[
            *tooltips({"model:N": t("form.reranker"), "depth:O": t("depth.axis")}),
            *tooltips({"mean:Q": MAIN, **INTERVAL}, ".3f"),
        ],
    )
    scale = alt.Scale(domain=[0, 1])
    lines = base.mark_line(point=alt.OverlayMarkDef(size=60)).encode(y=alt.Y("mean:Q", title=MAIN, scale=scale))
    spread = base.mark_rule(opacity=0.5, strokeWidth=3).encode(y=alt.Y("low:Q", scale=scale), y2="high:Q")
    before = baseline_line(evaluation.mean(evaluation.baseline, MAIN), scale)
    return layered(*before, *([spread] if evaluation.enough else []), lines).properties(height=400)


def depth_rows(evaluation: Evaluation) -> list[Row]:
    """Return a row a reranker and depth; the interval only where there are judgments enough for one."""
    rows = []
    for system in evaluation.reranked:
        model, _, depth = system.rpartition(" @")
        values = list(evaluation.values[system][MAIN].values())
        low, high = metrics.interval(values) if evaluation.enough else (None, None)
        rows.append({"model": model, "depth": int(depth), "mean": sum(values) / len(values), "low": low, "high": high})
    return rows


def baseline_line(mean: float | None, scale: alt.Scale) -> tuple[alt.Chart, alt.Chart]:
    """Draw what the first stage reaches as a dashed line, with its name."""
    rule = alt.Chart(pd.DataFrame({"y": [mean], "name": [t("depth.baseline")]}))
    line = rule.mark_rule(color=PICKED, strokeDash=[6, 4]).encode(y=alt.Y("y:Q", scale=scale))
    name = rule.mark_text(align="left", baseline="bottom", dx=6, dy=-3, color=INK, fontSize=12)
    return line, name.encode(x=alt.value(0), y=alt.Y("y:Q", scale=scale), text="name:N")


def ceiling_chart(ceiling: Ceiling, depths: tuple[int, ...]) -> alt.LayerChart:
    """Draw how many of the ideal top k each depth can reach, with the time it takes."""
    k = len(ceiling.ideal)
    shown = [depth for depth in depths if depth < len(ceiling.whole)] + [len(ceiling.whole)]
    frame = pd.DataFrame(
        {
            "depth": f"{depth}" if depth < len(ceiling.whole) else t("depth.all", count=depth),
            "reached": ceiling.reached(depth),
            "label": f"{ceiling.reached(depth)}/{k} · {ceiling.seconds(depth):.2f} s",
        }
        for depth in shown
    )
    scale = alt.Scale(domain=[0, k * 1.25], nice=False)
    base = alt.Chart(frame).encode(
        y=alt.Y("depth:N", sort=None, title=t("depth.axis"), axis=alt.Axis(labelLimit=NAME_PIXELS)),
        x=alt.X("reached:Q", title=t("depth.reached", k=k), axis=alt.Axis(tickMinStep=1, format="d"), scale=scale),
    )
    words = base.mark_text(align="left", dx=6, color=INK, fontSize=12).encode(text="label:N")
    return layered(base.mark_bar(color=BLUE), words).properties(height=AXIS + 30 * len(frame))


def agreement_chart(panel: Panel, index: int, name_of: Names) -> alt.LayerChart:
    """Draw the agreement of each two orders as a table of shades; ``index`` 0 is Kendall's tau, 1 the overlap."""
    numbers = {name: str(number) for number, name in enumerate(panel.rankings, start=1)}
    rows = [
        {
            "one": numbers[name],
            "other": f"{numbers[other]}  {name_of(other)}",
            "value": values[index],
            "label": agreement_label(values[index], index),
        }
        for (name, other), values in panel.agreement.items()
    ]
    base = alt.Chart(pd.DataFrame(rows)).encode(
        x=alt.X("one:N", sort=None, title=None, axis=alt.Axis(labelAngle=0, orient="top")),
        y=alt.Y("other:N", sort=None, title=None, axis=alt.Axis(labelLimit=150, labelOverlap=False)),
        tooltip=["one:N", "other:N", "label:N"],
    )
    domain, colours = ([-1, 0, 1], [OPPOSED, NEUTRAL, AGREED]) if index == 0 else ([0, 1], [NEUTRAL, AGREED])
    shade = alt.Color("value:Q", legend=None, scale=alt.Scale(domain=domain, range=colours))
    words = base.mark_text(fontSize=13, color=ON_SHADE).encode(text="label:N")
    return layered(base.mark_rect().encode(color=shade), words).properties(height=AXIS + 42 * len(numbers))


def agreement_label(value: float | None, index: int) -> str:
    if value is None:
        return "–"
    return f"{value:.2f}" if index == 0 else f"{value:.0%}"


def bump_chart(panel: Panel, name_of: Names) -> alt.LayerChart:
    """Draw a line a candidate through its ranks in every order; those that reach a first place are coloured."""
    columns = [name_of(name) for name in panel.rankings]
    rows = [row for chunk in panel.candidates.chunks for row in bump_rows(panel, chunk, name_of)]
    scale = alt.Scale(domain=[BUMP_RANKS + 1.5, 0.5], nice=False)
    base = alt.Chart(pd.DataFrame(rows)).encode(
        x=alt.X("order:N", sort=columns, title=None, axis=alt.Axis(labelAngle=0, orient="top", labelLimit=150)),
        y=alt.Y("y:Q", scale=scale, title=t("table.rank"), axis=alt.Axis(tickMinStep=1, values=[1, 5, 10, 15, 20])),
        tooltip=tooltips({"order:N": t("measured.system"), "rank:Q": t("table.rank"), "text:N": t("table.text")}),
    )
    colour = alt.Color("id:N", legend=None, scale=alt.Scale(range=SERIES))
    lines = base.mark_line(point=alt.OverlayMarkDef(size=40)).encode(
        detail="id:N",
        color=alt.condition("datum.named", colour, alt.value(SAME)),
        opacity=alt.condition("datum.named", alt.value(1), alt.value(0.18)),
        strokeWidth=alt.condition("datum.named", alt.value(2.2), alt.value(1)),
    )
    shown = alt.datum.named & (alt.datum.rank <= BUMP_RANKS)
    ends = base.transform_filter((alt.datum.order == columns[-1]) & shown)
    names = ends.mark_text(align="left", dx=8, color=INK, fontSize=11, limit=alt.ExprRef("width / 4")).encode(
        text="label:N"
    )
    return layered(lines, names).properties(height=560)


def bump_rows(panel: Panel, chunk: Chunk, name_of: Names) -> list[Row]:
    """Return a row an order with a candidate's rank there; none for one that no order puts among the first."""
    ranks = {name: ranking.ids.index(chunk.id) + 1 for name, ranking in panel.rankings.items()}
    best, last = min(ranks.values()), list(ranks.values())[-1]
    if best > BUMP_RANKS:
        return []
    return [
        {
            "id": chunk.id,
            "order": name_of(name),
            "rank": rank,
            "y": min(rank, BUMP_RANKS + 1),
            "named": best <= min(BUMP_NAMED, panel.k),
            "final": last,
            "text": f"{where(chunk)} {one_line(chunk.text, 120)}",
            "label": f"{rank}  {label(chunk, 30)}",
        }
        for name, rank in ranks.items()
    ]
