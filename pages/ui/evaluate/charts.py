"""Pictures of an evaluation. What shares an axis here are ranks and measures, never the scores of two models."""

from collections.abc import Callable

import altair as alt
import pandas as pd

from pages.ui.parts.charts import PICKED, SAME, label, layered
from pages.ui.parts.tables import one_line, where
from pages.ui.shell.i18n import t
from rag_core.measuring import metrics
from rag_core.measuring.depth import Ceiling
from rag_core.measuring.evaluate import Evaluation
from rag_core.measuring.metrics import MAIN
from rag_core.measuring.panel import Panel

BLUE, PALE = "#2563a8", "#a9bcd3"
OPPOSED, NEUTRAL, AGREED = "#d9a28f", "#f4f4f4", "#6f9fd0"
NAME_PIXELS = 260
AXIS = 80
"""Pixels for the axis below the bars: the height given here includes it."""
BUMP_RANKS = 20
BUMP_NAMED = 5
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
        tooltip=[alt.Tooltip("system:N", title=t("measured.system")),
                 alt.Tooltip("mean:Q", title=t("measured.gain"), format="+.3f"),
                 alt.Tooltip("low:Q", title="2.5 %", format="+.3f"),
                 alt.Tooltip("high:Q", title="97.5 %", format="+.3f"), alt.Tooltip("p:Q", title="p", format=".3f")],
    )  # fmt: skip
    title = f"{MAIN}: {t('measured.gain')}"
    bars = base.mark_rule(color=PALE, strokeWidth=4).encode(x=alt.X("low:Q", title=title), x2="high:Q")
    points = base.mark_point(filled=True, color=BLUE, size=90).encode(x=alt.X("mean:Q", title=title))
    zero = alt.Chart(pd.DataFrame({"x": [0.0]})).mark_rule(color=PICKED, strokeDash=[5, 4]).encode(x="x:Q")
    return layered(zero, bars, points).properties(height=AXIS + 32 * len(frame))


def depth_chart(evaluation: Evaluation) -> alt.LayerChart:
    """Draw the mean nDCG@10 against depth, a line a reranker, with the interval of the mean; the baseline dashed."""
    rows = []
    for system in evaluation.reranked:
        model, _, depth = system.rpartition(" @")
        values = list(evaluation.values[system][MAIN].values())
        low, high = metrics.interval(values) if evaluation.enough else (None, None)
        rows.append({"model": model, "depth": int(depth), "mean": sum(values) / len(values), "low": low, "high": high})
    frame, before = pd.DataFrame(rows), evaluation.mean(evaluation.baseline, MAIN)
    # An ordinal axis: the depths are few and far apart.
    base = alt.Chart(frame).encode(
        x=alt.X("depth:O", title=t("depth.axis"), axis=alt.Axis(labelAngle=0)),
        color=alt.Color("model:N", legend=alt.Legend(title=None, orient="bottom", labelLimit=NAME_PIXELS)),
        tooltip=[alt.Tooltip("model:N", title=t("form.reranker")), alt.Tooltip("depth:O", title=t("depth.axis")),
                 alt.Tooltip("mean:Q", title=MAIN, format=".3f"), alt.Tooltip("low:Q", title="2.5 %", format=".3f"),
                 alt.Tooltip("high:Q", title="97.5 %", format=".3f")],
    )  # fmt: skip
    scale = alt.Scale(domain=[0, 1])
    lines = base.mark_line(point=alt.OverlayMarkDef(size=60)).encode(y=alt.Y("mean:Q", title=MAIN, scale=scale))
    spread = base.mark_rule(opacity=0.5, strokeWidth=3).encode(y=alt.Y("low:Q", scale=scale), y2="high:Q")
    rule = alt.Chart(pd.DataFrame({"y": [before], "name": [t("depth.baseline")]}))
    line = rule.mark_rule(color=PICKED, strokeDash=[6, 4]).encode(y=alt.Y("y:Q", scale=scale))
    name = rule.mark_text(align="left", baseline="bottom", dx=6, dy=-3, color=PICKED, fontSize=12).encode(
        x=alt.value(0), y=alt.Y("y:Q", scale=scale), text="name:N"
    )
    return layered(line, name, *([spread] if evaluation.enough else []), lines).properties(height=400)


def ceiling_chart(ceiling: Ceiling, depths: tuple[int, ...]) -> alt.LayerChart:
    """Draw how many of the ideal top k each depth can reach, with the time it takes."""
    shown = [depth for depth in depths if depth < len(ceiling.whole)] + [len(ceiling.whole)]
    frame = pd.DataFrame(
        {
            "depth": f"{depth}" if depth < len(ceiling.whole) else t("depth.all", count=depth),
            "reached": ceiling.reached(depth),
            "label": f"{ceiling.reached(depth)}/{len(ceiling.ideal)} · {ceiling.seconds(depth):.2f} s",
        }
        for depth in shown
    )
    base = alt.Chart(frame).encode(
        y=alt.Y("depth:N", sort=None, title=t("depth.axis"), axis=alt.Axis(labelLimit=NAME_PIXELS)),
        x=alt.X("reached:Q", title=t("depth.reached", k=len(ceiling.ideal)), axis=alt.Axis(tickMinStep=1, format="d"),
                scale=alt.Scale(domain=[0, len(ceiling.ideal) * 1.25], nice=False)),
    )  # fmt: skip
    words = base.mark_text(align="left", dx=6, fontSize=12).encode(text="label:N")
    return layered(base.mark_bar(color=BLUE), words).properties(height=AXIS + 30 * len(frame))


def agreement_chart(panel: Panel, index: int, name_of: Names) -> alt.LayerChart:
    """Draw the agreement of each two orders as a table of shades; ``index`` 0 is Kendall's tau, 1 the overlap."""
    numbers = {name: str(number) for number, name in enumerate(panel.rankings, start=1)}
    rows = [
        {"one": numbers[name], "other": f"{numbers[other]}  {name_of(other)}", "value": values[index],
         "label": "–" if values[index] is None else f"{values[index]:.2f}" if index == 0 else f"{values[index]:.0%}"}
        for (name, other), values in panel.agreement.items()
    ]  # fmt: skip
    base = alt.Chart(pd.DataFrame(rows)).encode(
        x=alt.X("one:N", sort=None, title=None, axis=alt.Axis(labelAngle=0, orient="top")),
        y=alt.Y("other:N", sort=None, title=None, axis=alt.Axis(labelLimit=150, labelOverlap=False)),
        tooltip=["one:N", "other:N", "label:N"],
    )
    domain, colours = (
        ((-1, 0, 1), ("#d9a28f", "#f4f4f4", "#6f9fd0")) if index == 0 else ((0, 1), ("#f4f4f4", "#6f9fd0"))
    )
    shade = alt.Color("value:Q", legend=None, scale=alt.Scale(domain=list(domain), range=list(colours)))
    words = base.mark_text(fontSize=13, color="#1b1f24").encode(text="label:N")
    return layered(base.mark_rect().encode(color=shade), words).properties(height=AXIS + 42 * len(numbers))


def bump_chart(panel: Panel, name_of: Names) -> alt.LayerChart:
    """Draw a line a candidate through its ranks in every order; those that reach a first place are coloured."""
    columns = [name_of(name) for name in panel.rankings]
    rows, last = [], list(panel.rankings)[-1]
    for chunk in panel.candidates.chunks:
        ranks = [ranking.ids.index(chunk.id) + 1 for ranking in panel.rankings.values()]
        if min(ranks) > BUMP_RANKS:
            continue
        named = min(ranks) <= min(BUMP_NAMED, panel.k)
        for column, rank in zip(columns, ranks, strict=True):
            rows.append(
                {
                    "id": chunk.id,
                    "order": column,
                    "rank": rank,
                    "y": min(rank, BUMP_RANKS + 1),
                    "named": named,
                    "final": panel.rankings[last].rank_of(chunk.id),
                    "text": f"{where(chunk)} {one_line(chunk.text, 120)}",
                    "label": f"{rank}  {label(chunk, 30)}",
                }
            )
    frame = pd.DataFrame(rows)
    scale = alt.Scale(domain=[BUMP_RANKS + 1.5, 0.5], nice=False)
    base = alt.Chart(frame).encode(
        x=alt.X("order:N", sort=columns, title=None, axis=alt.Axis(labelAngle=0, orient="top", labelLimit=150)),
        y=alt.Y("y:Q", scale=scale, title=t("table.rank"), axis=alt.Axis(tickMinStep=1, values=[1, 5, 10, 15, 20])),
        tooltip=[alt.Tooltip("order:N", title=t("measured.system")), alt.Tooltip("rank:Q", title=t("table.rank")),
                 alt.Tooltip("text:N", title=t("table.text"))],
    )  # fmt: skip
    lines = base.mark_line(point=alt.OverlayMarkDef(size=40)).encode(
        detail="id:N",
        color=alt.condition("datum.named", alt.Color("id:N", legend=None, scale=alt.Scale(scheme="tableau10")),
                            alt.value(SAME)),
        opacity=alt.condition("datum.named", alt.value(1), alt.value(0.18)),
        strokeWidth=alt.condition("datum.named", alt.value(2.2), alt.value(1)),
    )  # fmt: skip
    shown = alt.datum.named & (alt.datum.rank <= BUMP_RANKS)
    ends = base.transform_filter((alt.datum.order == columns[-1]) & shown)
    names = ends.mark_text(align="left", dx=8, fontSize=11, limit=alt.ExprRef("width / 4")).encode(text="label:N")
    return layered(lines, names).properties(height=560)
