"""A result as a page of its own, for a reader who has nothing installed: HTML with its charts inside, or Markdown."""

import base64
import hashlib
import json
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import altair as alt
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from pages.ui.parts import best_part, charts, chunk_text, sentences, tables
from pages.ui.shell import i18n
from pages.ui.shell.i18n import LANGUAGES, t
from rag_core.datatypes import Comparison, Hit, Move
from rag_core.models.selftest import CASES
from rag_core.sharing.replay import Replay

TEMPLATES = Path(__file__).parent / "templates"
VEGA = Path(__file__).parents[3] / "data" / "vega"
SCRIPTS = ("vega.min.js", "vega-lite.min.js", "vega-embed.min.js")
ROWS = 10
"""The two tables side by side hold so many rows, or as many as the cutoff; the whole order follows in one table."""

LIMITS = ("report.limit_better", "report.limit_one", "report.limit_depth", "report.limit_scores", "report.limit_time")


def html(replay: Replay, language: str) -> str:
    """Return a page that asks for nothing outside itself; its Content-Security-Policy allows its own scripts alone."""
    with i18n.speaking(language):
        scripts = [*map(script, SCRIPTS), (TEMPLATES / "page.js").read_text(encoding="utf-8")]
        style = (TEMPLATES / "page.css").read_text(encoding="utf-8")
        return template("page.html.j2").render(
            content(replay),
            scripts=list(map(Markup, scripts)),
            style=Markup(style),
            policy=policy(scripts, style),
            licence=Markup((VEGA / "LICENSE-vega").read_text(encoding="utf-8")),
            specs=Markup(specs(replay)),
        )


def markdown(replay: Replay, language: str) -> str:
    """Return the same without the charts, which Markdown cannot hold."""
    with i18n.speaking(language):
        return template("page.md.j2").render(content(replay))


@lru_cache
def script(name: str) -> str:
    return (VEGA / name).read_text(encoding="utf-8")


def template(name: str) -> Template:
    """Return a template; in HTML every text is escaped, in Markdown what came from outside is escaped."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=name.endswith(".html.j2"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["plain"] = i18n.escaped
    return environment.get_template(name)


def policy(scripts: Iterable[str], style: str) -> str:
    allowed = " ".join(map(fingerprint, scripts))
    return (
        f"default-src 'none'; script-src {allowed}; style-src {fingerprint(style)}; base-uri 'none'; form-action 'none'"
    )


def fingerprint(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def specs(replay: Replay) -> str:
    """Return the charts as JSON in which no text can end the element that holds it."""
    comparison = replay.comparison
    drawn: dict[str, alt.Chart | alt.LayerChart] = {
        "slope": charts.slope_chart(comparison, None),
        "vector": charts.score_chart(comparison, "vector", None, replay.unrelated("vector")),
        "reranked": charts.score_chart(comparison, "reranked", None, replay.unrelated("reranked")),
        "times": charts.time_chart(dict(comparison.timings), comparison.kept.seconds),
    }
    text = json.dumps({name: fitting(chart) for name, chart in drawn.items()}, ensure_ascii=False, allow_nan=False)
    return text.replace("<", "\\u003c")


def fitting(chart: alt.Chart | alt.LayerChart) -> dict:
    """Return a chart's specification, as wide as its place on the page."""
    return chart.to_dict() | {"width": "container", "autosize": {"type": "fit", "contains": "padding"}}


def content(replay: Replay) -> dict[str, object]:
    """Return every text of the report; which of them came from outside, the templates know."""
    comparison = replay.comparison
    changed, begins = sentences.headline(comparison)
    k = min(comparison.cutoff, len(comparison.moves))
    return {
        "language": i18n.language(),
        "title": t("report.title"),
        "question": comparison.query,
        "facts": facts(replay),
        "changed": changed,
        "begins": begins.replace("**", ""),
        "crossings": [
            (t("result.entered", k=k), list(map(crossing, comparison.entered))),
            (t("result.left", k=k), list(map(crossing, comparison.left))),
        ],
        "nobody": t("result.nobody"),
        "orders": [order(replay, side) for side in ("vector", "reranked")],
        "same": t("result.same_candidates", count=len(comparison.moves), cutoff=comparison.cutoff),
        "measures": sentences.measures(comparison),
        "heads": heads(),
        "charts": chart_heads(),
        "scores": (t("result.bars"), t("result.bars_help", count=charts.BARS_SHOWN) + " " + t("baseline.line")),
        "no_script": t("report.no_script"),
        "expansions": [(t("origin." + expansion.origin), expansion.text) for expansion in comparison.expansions],
        "answers": [
            (tables.order_name(comparison, side), sentences.answer(replay.answers[side])) for side in replay.answers
        ],
        "columns": columns(comparison),
        "candidates": [candidate(replay, move) for move in comparison.moves],
        "method": method(replay),
        "settings": [*tables.how_table(replay).itertuples(index=False)],
        "limits": list(map(t, LIMITS)),
    }


def heads() -> dict[str, str]:
    return {
        "charts": t("report.charts"),
        "all": t("report.all"),
        "answers": t("report.answers"),
        "method": t("report.method"),
        "limits": t("report.limits"),
        "expansions": t("report.expansions"),
    }


def chart_heads() -> list[tuple[str, str, str]]:
    """Return name, heading and help of the charts that are not of one side alone."""
    return [
        ("slope", t("result.slope"), t("result.slope_help", ranks=charts.RANKS_SHOWN)),
        ("times", t("result.times"), t("report.times_help")),
    ]


def facts(replay: Replay) -> list[tuple[str, str]]:
    return [
        (t("form.document"), replay.source.title),
        (t("report.made"), tables.time_of(replay.made)),
        (t("report.by"), f"Rerank Lab {replay.versions.get('app', '?')}"),
    ]


def crossing(move: Move) -> tuple[str, str, str, str]:
    """Return move, places, page and text of a chunk that crossed the cutoff."""
    places = t("result.from_to", before=move.before, after=move.after)
    return tables.arrow(move.delta), places, tables.where(move.chunk), chunk_text.whole(move.chunk)


def order(replay: Replay, side: str) -> dict[str, object]:
    comparison = replay.comparison
    deltas = {move.chunk.id: move.delta for move in comparison.moves}
    hits = comparison.ranking(side).hits[: max(ROWS, comparison.cutoff)]
    return {
        "name": tables.order_name(comparison, side),
        "columns": [t("table.rank"), "▲▼", t("table.page"), tables.score_unit(comparison, side), t("table.text")],
        "rows": [
            order_row(comparison, side, rank, hit, deltas[hit.chunk.id]) for rank, hit in enumerate(hits, start=1)
        ],
    }


def order_row(comparison: Comparison, side: str, rank: int, hit: Hit, delta: int) -> tuple[object, ...]:
    value, text = score(comparison, side, hit.score), tables.one_line(hit.chunk.text, 160)
    return rank <= comparison.cutoff, rank, tables.arrow(delta), tables.page(hit.chunk), value, text


def score(comparison: Comparison, side: str, value: float) -> str:
    digits = 2 if side == "reranked" else tables.FIRST_DIGITS[comparison.order]
    return f"{value:.{digits}f}"


def columns(comparison: Comparison) -> list[str]:
    units = [tables.score_unit(comparison, side) for side in ("vector", "reranked")]
    return [t("table.after"), t("table.before"), "▲▼", t("table.page"), *units, t("table.grade"), t("table.text")]


def candidate(replay: Replay, move: Move) -> tuple[object, ...]:
    before = score(replay.comparison, "vector", move.before_score)
    after = score(replay.comparison, "reranked", move.after_score)
    grade = tables.GRADES[replay.grades.get(move.chunk.id)]
    ranks = move.after, move.before, tables.arrow(move.delta)
    runs = [(words, False) for words in filter(None, [chunk_text.before(move.chunk)])]
    runs += best_part.runs(move.chunk.text, move.part)
    return *ranks, tables.page(move.chunk), before, after, grade, runs


def method(replay: Replay) -> list[str]:
    """Say in order what was done."""
    comparison = replay.comparison
    how, queries = comparison.settings, 1 + len(comparison.expansions)
    steps = [
        t("report.method_cut", chunks=comparison.available, pages=replay.source.pages),
        t(f"report.method_{how.first_stage}", depth=how.depth),
    ]
    if comparison.fused:
        steps.append(t("report.method_fused", queries=queries))
    steps.append(t("report.method_rerank", scored=len(comparison.moves), found=comparison.found))
    if comparison.pairs > len(comparison.moves):
        steps.append(t("report.method_parts", count=sum(move.part is not None for move in comparison.moves)))
    tested = ", ".join(
        f"{LANGUAGES[language]} {right}/{len(CASES[language])}" for language, right in replay.self_test.right.items()
    )
    return [*steps, t("report.method_tested", tested=tested)]
