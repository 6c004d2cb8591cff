"""A finished comparison on screen, part by part: all that is drawn stands in its replay."""

from collections.abc import Callable, Mapping
from functools import partial

import streamlit as st

from pages.ui.parts import best_part, charts, page_beside, sentences, tables
from pages.ui.results import report
from pages.ui.shell import state
from pages.ui.shell.i18n import LANGUAGES, language, plain, t
from rag_core.datatypes import Chunk, Comparison, Move
from rag_core.models.selftest import CASES, SelfTest
from rag_core.sharing import replay_file
from rag_core.sharing.replay import Replay, public

FILES = {
    "save": (":material/save:", "rerank-lab-result.json", "application/json", "result.save_help"),
    "html": (":material/article:", "rerank-lab-report.html", "text/html", "result.html_help"),
    "markdown": (":material/notes:", "rerank-lab-report.md", "text/markdown", None),
    "csv": (":material/download:", "rerank-lab.csv", "text/csv", None),
}
"""Icon, name, type and help of each file that a result is offered as."""


@state.fragment
def show(fetch: Callable[[], Replay], grade: Callable[[Chunk], None], pages: bool = False) -> None:
    """Show everything; picking a row or a bar draws only this part again.

    ``fetch`` gives the comparison with its judgments so far, and ``grade`` draws the way to judge a chunk; with
    ``pages``, the document is at hand.
    """
    replay = fetch()
    comparison = replay.comparison
    headline(comparison)
    self_test(replay)
    orders(comparison, replay.grades)
    picked_chunk(comparison, grade, pages)
    metrics(comparison)
    parts(replay, pages)
    download(replay)


def parts(replay: Replay, pages: bool) -> None:
    """Draw the tab that is open: three of four are not looked at, and drawing is what thirty readers wait for."""
    names = [t("result.slope"), t("result.bars"), t("result.ledger"), t("result.times")]
    tabs = st.tabs(names, key="result_part", on_change="rerun")
    drawn: tuple[Callable[[Comparison], None], ...] = (
        slope_part,
        lambda _: bar_part(replay),
        partial(ledger_part, pages=pages),
        time_part,
    )
    for tab, part in zip(tabs, drawn, strict=True):
        if tab.open:
            with tab:
                part(replay.comparison)


def headline(comparison: Comparison) -> None:
    """Say what changed in the first chunks, and list what came and went."""
    k = min(comparison.cutoff, len(comparison.moves))
    changed, begins = sentences.headline(comparison)
    st.subheader(changed)
    st.markdown(begins)
    if comparison.settings.depth > comparison.available:
        st.info(t("result.shallow", available=comparison.available, depth=comparison.settings.depth))
    if len(comparison.moves) < comparison.found:
        counts = {"scored": len(comparison.moves), "found": comparison.found}
        st.info(t("result.settled", **counts, cutoff=comparison.cutoff), icon=":material/speed:")
    entered, left = st.columns(2)
    with entered:
        crossing("entered", comparison.entered, k)
    with left:
        crossing("left", comparison.left, k)


def crossing(side: str, moves: tuple[Move, ...], k: int) -> None:
    st.markdown(f"**{t('result.' + side, k=k)}**")
    if not moves:
        st.caption(t("result.nobody"))
    for move in moves:
        places = t("result.from_to", before=move.before, after=move.after)
        text = tables.one_line(move.chunk.text, 90)
        st.text(f"{tables.arrow(move.delta)}  {places}  {tables.where(move.chunk)}  {text}")


def self_test(replay: Replay) -> None:
    """Show what the reranker did in its self-test, and warn where the document's language is beyond it."""
    test = replay.self_test
    language_warning(test, replay.source.language)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(t("selftest.of", model=plain(test.model)), width="content", help=t("selftest.help"))
        for code, right in test.right.items():
            passed_badge(f"{LANGUAGES[code]} {right}/{len(CASES[code])}", code in test.languages)
        if test.long:
            passed_badge(t("selftest.long"), not test.leaning)
        st.badge(f"{tables.unit(test.scale)} {test.lowest:.1f} … {test.highest:.1f}", color="gray")
        st.badge(t("selftest.speed", milliseconds=f"{test.milliseconds:.0f}"), color="gray")


def language_warning(test: SelfTest, spoken: str) -> None:
    names = {"model": plain(test.model), "language": LANGUAGES[spoken]}
    if spoken not in test.languages:
        beyond = t("selftest.beyond", **names, right=test.right[spoken], cases=len(CASES[spoken]))
        st.warning(beyond, icon=":material/translate:")
    elif spoken in test.leaning:
        st.warning(t("selftest.leans", **names), icon=":material/format_align_left:")


def passed_badge(text: str, passed: bool) -> None:
    if passed:
        st.badge(text, icon=":material/check:", color="green")
    else:
        st.badge(text, icon=":material/close:", color="orange")


def orders(comparison: Comparison, grades: Mapping[str, int]) -> None:
    left, right = st.columns(2)
    with left:
        st.markdown(f"**{tables.order_name(comparison, 'vector')}**")
        order(comparison, "vector", grades)
    with right:
        st.markdown(f"**{tables.order_name(comparison, 'reranked')}**")
        order(comparison, "reranked", grades)
    st.caption(t("result.same_candidates", count=len(comparison.moves), cutoff=comparison.cutoff))
    best_part.summary(comparison)


def order(comparison: Comparison, side: str, grades: Mapping[str, int]) -> None:
    ids = comparison.ranking(side).ids
    key = state.key_of(f"order_{side}", ids)
    st.dataframe(
        tables.order_table(comparison, side, st.session_state["picked"], grades),
        key=key,
        height=tables.height(len(comparison.moves)),
        hide_index=True,
        on_select=lambda: state.keep_row(key, "picked", ids),
        selection_mode="single-row",
        column_config={
            t("table.rank"): st.column_config.NumberColumn(width=50),
            "▲▼": st.column_config.TextColumn(width=58),
            t("table.page"): tables.page_column(comparison.before.chunks),
            tables.score_unit(comparison, side): st.column_config.NumberColumn(width=72),
            t("table.grade"): st.column_config.TextColumn(width=58),
            t("table.text"): st.column_config.TextColumn(width="large"),
        },
    )


def pick_bar(key: str) -> None:
    for point in st.session_state[key]["selection"].get("pick", []):
        st.session_state["picked"] = point["id"]


def picked_chunk(comparison: Comparison, grade: Callable[[Chunk], None], pages: bool) -> None:
    move = next((move for move in comparison.moves if move.chunk.id == st.session_state["picked"]), None)
    if move is None:
        st.caption(t("result.pick_hint"))
        return
    with page_beside.box(move.chunk, move.part) if pages else st.container(border=True):
        st.markdown(tables.place(comparison, move))
        if not pages:
            tables.name(move.chunk)
        best_part.text(move)
        grade(move.chunk)


def metrics(comparison: Comparison) -> None:
    measures = sentences.measures(comparison)
    for column, (name, value, meaning) in zip(st.columns(len(measures)), measures, strict=True):
        with column.container(border=True):
            st.metric(name, value)
            st.caption(meaning)


def slope_part(comparison: Comparison) -> None:
    st.caption(t("result.slope_help", ranks=charts.RANKS_SHOWN))
    st.vega_lite_chart(charts.slope_spec(comparison, st.session_state["picked"]), key="slope")


def bar_part(replay: Replay) -> None:
    comparison = replay.comparison
    st.caption(t("result.bars_help", count=charts.BARS_SHOWN))
    st.caption(t("baseline.line"))
    if comparison.order != "vector":
        st.caption(t("baseline.other"))
    for column, side in zip(st.columns(2), ("vector", "reranked"), strict=True):
        key, unrelated = f"bars_{side}", replay.unrelated(side)
        with column:
            st.altair_chart(
                charts.score_chart(comparison, side, st.session_state["picked"], unrelated),
                key=key,
                on_select=lambda key=key: pick_bar(key),
                selection_mode="pick",
            )


def ledger_part(comparison: Comparison, pages: bool) -> None:
    st.caption(t("result.ledger_help"))
    for number, expansion in enumerate(comparison.expansions, start=1):
        st.text(f"{number}. {t('origin.' + expansion.origin)}: {expansion.text}")
    rows = tables.ledger_table(comparison).style.format(na_rep="")
    if pages:
        page_beside.table(rows, [move.chunk for move in comparison.moves], "ledger")
    else:
        st.dataframe(rows, hide_index=True, key="ledger")


def time_part(comparison: Comparison) -> None:
    chunks, seconds = len(comparison.moves), comparison.timings["rerank"]
    st.markdown(speed(comparison))
    more = min(2 * chunks, comparison.available)
    if more > chunks:
        extra, each = f"{(more - chunks) * seconds / chunks:.2f}", f"{1000 * seconds / chunks:.1f}"
        st.markdown(t("result.forecast", more=more, chunks=chunks, extra=extra, each=each))
    st.altair_chart(charts.time_chart(dict(comparison.timings), comparison.kept.seconds), key="times")


def speed(comparison: Comparison) -> str:
    """Say how fast pairs were scored; where some had been before, that, and no rate: a few alone are slower."""
    pairs, kept, seconds = comparison.pairs, comparison.kept, comparison.timings["rerank"]
    steps = sum(value for step, value in comparison.timings.items() if step not in ("parse", "embed"))
    values = {"pairs": pairs, "now": f"{steps - kept.seconds:.2f}"}
    if not kept.pairs:
        return t("result.speed", seconds=f"{seconds:.2f}", rate=f"{pairs / seconds:.0f}", **values)
    values |= {"kept": kept.pairs, "before": f"{kept.seconds:.2f}"}
    if kept.pairs == pairs:
        return t("result.speed_kept", **values)
    return t("result.speed_part", scored=pairs - kept.pairs, seconds=f"{seconds - kept.seconds:.2f}", **values)


def download(replay: Replay) -> None:
    """Offer the result as a file that opens in another Rerank Lab, as a report for anybody, and as a table."""
    spoken, shared = language(), public(replay)  # a button's file is made when it is pressed, outside this run
    makes = {
        "save": lambda: replay_file.write(shared),
        "html": lambda: report.html(shared, spoken).encode(),
        "markdown": lambda: report.markdown(shared, spoken).encode(),
        "csv": lambda: tables.as_csv(tables.full_table(replay.comparison)),
    }
    with st.container(horizontal=True):
        for key, make in makes.items():
            icon, name, mime, hint = FILES[key]
            label, tip = t(f"result.{key}"), t(hint) if hint else None
            st.download_button(label, make, name, mime, key=key, help=tip, icon=icon, on_click="ignore")
