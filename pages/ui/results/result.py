"""A finished comparison on screen, part by part: all that is drawn stands in its replay."""

from collections.abc import Callable
from functools import partial

import streamlit as st

from pages.ui.parts import best_part, charts, orders, page_beside, sentences, tables
from pages.ui.results import copied, report
from pages.ui.shell import cached, state
from pages.ui.shell.i18n import LANGUAGES, language, plain, t
from rag_core.datatypes import Chunk, Comparison
from rag_core.models.selftest import CASES, SelfTest
from rag_core.settings import CUTOFFS
from rag_core.sharing import replay_file
from rag_core.sharing.replay import SIDES, Replay, public

SLIDER_PIXELS = 220
FILES = {
    "save": (":material/save:", "rerank-lab-result.json", "application/json", "result.save_help"),
    "html": (":material/article:", "rerank-lab-report.html", "text/html", "result.html_help"),
    "markdown": (":material/notes:", "rerank-lab-report.md", "text/markdown", None),
    "csv": (":material/download:", "rerank-lab.csv", "text/csv", None),
}
"""Icon, name, type and help of each file that a result is offered as."""


def show(
    fetch: Callable[[], Replay],
    grade: Callable[[Chunk], None],
    cut: Callable[[int], None] = lambda _: None,
    pages: bool = False,
    key: str = "cutoff",
) -> None:
    """Show everything: what happened in a sentence, both rankings, and below them what explains it.

    ``fetch`` gives the comparison with its judgments so far, ``grade`` draws the way to judge a chunk, and ``cut``
    keeps another cutoff, which the slider ``key`` sets; with ``pages``, the document is at hand.
    """
    replay = fetch()
    headline(replay, cut, key)
    language_warning(replay.self_test, replay.source.language)
    body(fetch, grade, pages)


@state.fragment
def body(fetch: Callable[[], Replay], grade: Callable[[Chunk], None], pages: bool) -> None:
    """Show both rankings and all below; picking a row or a bar draws only this part again."""
    replay = fetch()
    comparison = replay.comparison
    orders.show(replay)
    picked_chunk(comparison, grade, pages)
    notes(replay, pages)
    bars(replay)
    metrics(comparison)
    parts(comparison, pages)
    download(replay, pages)


def parts(comparison: Comparison, pages: bool) -> None:
    """Draw the tab that is open: the others are not looked at, and drawing is what thirty readers wait for."""
    drawn: dict[str, Callable[[Comparison], None]] = {t("result.slope"): slope_part}
    if comparison.fused:
        drawn[t("result.ledger")] = partial(ledger_part, pages=pages)
    drawn[t("result.times")] = time_part
    for tab, part in zip(st.tabs(list(drawn), key="result_part", on_change="rerun"), drawn.values(), strict=True):
        if tab.open:
            with tab:
                part(comparison)


def headline(replay: Replay, cut: Callable[[int], None], key: str) -> None:
    """Say in a sentence what reranking did, and let the reader move the cutoff it speaks of."""
    changed, begins = sentences.outcome(replay)
    with st.container(horizontal=True, vertical_alignment="center", key="headline"):
        with st.container(gap=None):
            st.markdown(f"**{changed}**")
            st.caption(begins)
        cutoff_slider(replay.comparison, cut, key)


def cutoff_slider(comparison: Comparison, cut: Callable[[int], None], key: str) -> None:
    """Let the reader move the cutoff: nothing is scored for it. Adaptive depth settled no place below its own."""
    most = comparison.cutoff if comparison.settings.adaptive else CUTOFFS[1]
    st.session_state[key] = comparison.cutoff
    if most > CUTOFFS[0]:
        moved = partial(move_cutoff, key, cut)
        st.slider(
            t("form.cutoff"),
            CUTOFFS[0],
            most,
            key=key,
            on_change=moved,
            help=t("form.cutoff_help"),
            width=SLIDER_PIXELS,
        )


def move_cutoff(key: str, cut: Callable[[int], None]) -> None:
    cut(st.session_state[key])


def notes(replay: Replay, pages: bool) -> None:
    """Say how the two rankings are to be read, and what was tried of the reranker before.

    With ``pages``, the document is at hand, and it is said what of it could be no candidate.
    """
    comparison = replay.comparison
    if comparison.settings.depth > comparison.available:
        st.caption(t("result.shallow", available=comparison.available, depth=comparison.settings.depth))
    if len(comparison.moves) < comparison.found:
        counts = {"scored": len(comparison.moves), "found": comparison.found}
        st.info(t("result.settled", **counts, cutoff=comparison.cutoff), icon=":material/speed:")
    st.caption(t("result.same_candidates", count=len(comparison.moves), cutoff=comparison.cutoff))
    listed = len(cached.contents_pages(comparison.doc_id)) if pages else 0
    if listed:
        st.caption(t("result.contents", count=listed))
    twins = sum(bool(move.chunk.twins) for move in comparison.moves)
    if twins:
        st.caption(t("result.twins", count=twins))
    best_part.summary(comparison)
    self_test(replay.self_test)


def self_test(test: SelfTest) -> None:
    """Show what the reranker did in its self-test."""
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


def pick_bar(key: str) -> None:
    for point in st.session_state[key]["selection"].get("pick", []):
        st.session_state["picked"] = point["id"]


def picked_chunk(comparison: Comparison, grade: Callable[[Chunk], None], pages: bool) -> None:
    move = next((move for move in comparison.moves if move.chunk.id == st.session_state["picked"]), None)
    if move is None:
        return
    drawn_in = st.container(key="picked_chunk")
    with drawn_in, page_beside.box(move.chunk, move.part) if pages else st.container(border=True):
        st.markdown(tables.place(comparison, move))
        if not pages:
            tables.name(move.chunk)
        best_part.text(move)
        grade(move.chunk)


def metrics(comparison: Comparison) -> None:
    with st.container(horizontal=True, gap="large"):
        for name, value, meaning in sentences.measures(comparison):
            st.markdown(f"{name} **{value}**", width="content", help=meaning)


def slope_part(comparison: Comparison) -> None:
    st.caption(t("result.slope_help", ranks=charts.RANKS_SHOWN))
    st.vega_lite_chart(charts.slope_spec(comparison, st.session_state["picked"]), key="slope")


def bars(replay: Replay) -> None:
    """Draw the scores of both rankings side by side."""
    comparison = replay.comparison
    for column, side in zip(st.columns(2), SIDES, strict=True):
        key, unrelated = f"bars_{side}", replay.unrelated(side)
        with column:
            st.altair_chart(
                charts.score_chart(comparison, side, st.session_state["picked"], unrelated),
                key=key,
                on_select=lambda key=key: pick_bar(key),
                selection_mode="pick",
            )
    st.caption(f"{t('result.bars_help', count=charts.BARS_SHOWN)} {t('baseline.line')}")
    if comparison.order != "vector":
        st.caption(t("baseline.other"))


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


def download(replay: Replay, pages: bool) -> None:
    """Offer the result as a file that opens in another Rerank Lab, as a report for anybody, as a table, and as code."""
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
        copied.popover(replay.comparison, pages)
