"""A finished comparison on screen, part by part."""

from collections.abc import Mapping

import streamlit as st

from pages.ui import beside, cached, charts, questions, tables, work
from pages.ui.i18n import LANGUAGES, plain, t
from rag_core.compare import RBO_PERSISTENCE, kendall_tau, overlap_at, rank_biased_overlap
from rag_core.datatypes import Comparison, Move
from rag_core.selftest import CASES


@st.fragment
def show(comparison: Comparison) -> None:
    """Show everything; picking a row or a bar draws only this part again."""
    headline(comparison)
    tested(comparison)
    orders(comparison)
    picked_chunk(comparison)
    metrics(comparison)
    slope, bars, ledger, times = st.tabs([t("result.slope"), t("result.bars"), t("result.ledger"), t("result.times")])
    with slope:
        slope_part(comparison)
    with bars:
        bar_part(comparison)
    with ledger:
        ledger_part(comparison)
    with times:
        time_part(comparison)
    download(comparison)


def headline(comparison: Comparison) -> None:
    """Say in one sentence what changed in the first chunks, and list what came and went."""
    count, k = len(comparison.entered), min(comparison.cutoff, len(comparison.moves))
    first = comparison.moves[0]
    key = "none" if not count else "one" if count == 1 else "some"
    st.subheader(t(f"headline.{key}", count=count, k=k))
    order = t(f"order.{comparison.order}")
    st.markdown(t("headline.first_same" if first.before == 1 else "headline.first", before=first.before, order=order))
    if comparison.settings.depth > comparison.available:
        st.info(t("result.shallow", available=comparison.available, depth=comparison.settings.depth))
    if len(comparison.moves) < comparison.found:
        st.info(t("result.settled", scored=len(comparison.moves), found=comparison.found, cutoff=comparison.cutoff),
                icon=":material/speed:")  # fmt: skip
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
        st.text(f"{tables.arrow(move.delta)}  {t('result.from_to', before=move.before, after=move.after)}  "
                f"{t('table.page_short', page=move.chunk.page)}  {tables.one_line(move.chunk.text, 90)}")  # fmt: skip


def tested(comparison: Comparison) -> None:
    """Show what the reranker did in its self-test, and warn where the document's language is beyond it."""
    test, language = cached.self_test(comparison.settings.reranker), cached.document(comparison.doc_id).language
    if language not in test.languages:
        st.warning(
            t("selftest.beyond", model=plain(test.model), language=LANGUAGES[language], right=test.right[language],
              cases=len(CASES[language])),
            icon=":material/translate:",
        )  # fmt: skip
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(t("selftest.of", model=plain(test.model)), width="content", help=t("selftest.help"))
        for code, right in test.right.items():
            passed = code in test.languages
            st.badge(
                f"{LANGUAGES[code]} {right}/{len(CASES[code])}",
                icon=":material/check:" if passed else ":material/close:",
                color="green" if passed else "orange",
            )
        st.badge(f"{test.scale} {test.lowest:.1f} … {test.highest:.1f}", color="gray")
        st.badge(t("selftest.speed", milliseconds=f"{test.milliseconds:.0f}"), color="gray")


def orders(comparison: Comparison) -> None:
    grades = work.grades(comparison.doc_id, comparison.query, comparison.vector.chunks)
    left, right = st.columns(2)
    with left:
        st.markdown(f"**{tables.order_name(comparison, 'vector')}**")
        order(comparison, "vector", grades)
    with right:
        st.markdown(f"**{tables.order_name(comparison, 'reranked')}**")
        order(comparison, "reranked", grades)
    st.caption(t("result.same_candidates", count=len(comparison.moves), cutoff=comparison.cutoff))


def order(comparison: Comparison, side: str, grades: Mapping[str, int]) -> None:
    key = f"order_{side}"
    st.dataframe(
        tables.order_table(comparison, side, st.session_state["picked"], grades),
        key=key,
        height=tables.height(len(comparison.moves)),
        hide_index=True,
        on_select=lambda: pick_row(key, getattr(comparison, side).ids),
        selection_mode="single-row",
        column_config={
            t("table.rank"): st.column_config.NumberColumn(width=50),
            "▲▼": st.column_config.TextColumn(width=58),
            t("table.page"): st.column_config.NumberColumn(width=50),
            tables.score_unit(comparison, side): st.column_config.NumberColumn(width=72),
            t("table.grade"): st.column_config.TextColumn(width=58),
            t("table.text"): st.column_config.TextColumn(width="large"),
        },
    )


def pick_row(key: str, ids: list[str]) -> None:
    for row in st.session_state[key]["selection"]["rows"]:
        st.session_state["picked"] = ids[row]


def pick_bar(key: str) -> None:
    for point in st.session_state[key]["selection"].get("pick", []):
        st.session_state["picked"] = point["id"]


def picked_chunk(comparison: Comparison) -> None:
    move = next((move for move in comparison.moves if move.chunk.id == st.session_state["picked"]), None)
    if move is None:
        st.caption(t("result.pick_hint"))
        return
    with st.container(border=True):
        text, picture = st.columns([3, 2])
        with text:
            st.markdown(tables.place(comparison, move))
            st.text(move.chunk.text)
            questions.grade_buttons(comparison.doc_id, comparison.query, move.chunk)
            st.page_link("pages/explain.py", label=t("explain.open"), icon=":material/troubleshoot:")
        with picture:
            beside.chunk(move.chunk)


def metrics(comparison: Comparison) -> None:
    before, after, k = comparison.vector.ids, comparison.reranked.ids, min(comparison.cutoff, len(comparison.moves))
    tau = kendall_tau(before, after)
    found = [
        (t("metric.overlap", k=k), f"{overlap_at(before, after, k):.0%}", t("metric.overlap_help", k=k)),
        (t("metric.tau"), "–" if tau is None else f"{tau:.2f}", t("metric.tau_help")),
        (t("metric.rbo"), f"{rank_biased_overlap(before, after):.2f}", t("metric.rbo_help", p=RBO_PERSISTENCE)),
    ]
    for column, (name, value, meaning) in zip(st.columns(len(found)), found, strict=True):
        with column.container(border=True):
            st.metric(name, value)
            st.caption(meaning)


def slope_part(comparison: Comparison) -> None:
    st.caption(t("result.slope_help", ranks=charts.RANKS_SHOWN))
    st.altair_chart(charts.slope_chart(comparison, st.session_state["picked"]), key="slope")


def bar_part(comparison: Comparison) -> None:
    st.caption(t("result.bars_help", count=charts.BARS_SHOWN))
    st.caption(t("baseline.line"))
    if comparison.order != "vector":
        st.caption(t("baseline.other"))
    for column, side in zip(st.columns(2), ("vector", "reranked"), strict=True):
        key, unrelated = f"bars_{side}", cached.unrelated_score(comparison, side)
        with column:
            st.altair_chart(
                charts.score_chart(comparison, side, st.session_state["picked"], unrelated),
                key=key,
                on_select=lambda key=key: pick_bar(key),
                selection_mode="pick",
            )


def ledger_part(comparison: Comparison) -> None:
    st.caption(t("result.ledger_help"))
    for number, expansion in enumerate(comparison.expansions, start=1):
        st.text(f"{number}. {t('origin.' + expansion.origin)}: {expansion.text}")
    st.dataframe(tables.ledger_table(comparison).style.format(na_rep=""), hide_index=True, key="ledger")


def time_part(comparison: Comparison) -> None:
    pairs, seconds = len(comparison.moves), comparison.timings["rerank"]
    now = sum(value for step, value in comparison.timings.items() if step not in ("parse", "embed"))
    st.markdown(
        t("result.speed", pairs=pairs, seconds=f"{seconds:.2f}", rate=f"{pairs / seconds:.0f}", now=f"{now:.2f}")
    )
    more = min(2 * pairs, comparison.available)
    if more > pairs:
        st.markdown(t("result.forecast", more=more, pairs=pairs, extra=f"{(more - pairs) * seconds / pairs:.2f}",
                      each=f"{1000 * seconds / pairs:.1f}"))  # fmt: skip
    st.altair_chart(charts.time_chart(dict(comparison.timings)), key="times")


def download(comparison: Comparison) -> None:
    st.download_button(
        t("result.csv"),
        lambda: tables.as_csv(tables.full_table(comparison)),
        file_name="rerank-lab.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
    )
    st.caption(t("result.link"))
