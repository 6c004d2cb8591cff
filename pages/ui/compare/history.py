"""The last comparisons of a document: restored, named, and set beside each other."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import streamlit as st

from pages.ui.parts import page_beside, tables
from pages.ui.shell import cached, link, state
from pages.ui.shell.frame import errors_shown
from pages.ui.shell.i18n import t
from rag_core.comparing.changes import Change, change, top
from rag_core.datatypes import Comparison, Move
from rag_core.models import catalog
from rag_core.sharing import replay_file
from rag_core.sharing.replay import MODELS, Replay

if TYPE_CHECKING:
    import pandas as pd

QUESTION_COLUMNS = 36

state.keep(history_open=False, history_name="", history_one=None, history_other=None)


def show(doc_id: str) -> None:
    """Show what was compared before; without anything there is nothing to show."""
    names: dict[int, str] = {}
    with errors_shown():
        entries = cached.lab().history.entries(doc_id)
        names = {entry.number: f"{local_time(entry.made)} · {entry.name}" for entry in entries}
    if not names:
        return
    label, icon = t("history.title", count=len(names)), ":material/history:"
    part = st.expander(label, icon=icon, key="history_open", on_change="rerun")
    if not part.open:
        return
    with part:
        st.caption(t("history.help"))
        state.settle("history_one", list(names))
        st.selectbox(t("history.one"), list(names), key="history_one", format_func=names.__getitem__)
        with errors_shown():
            restore_or_rename(doc_id, st.session_state["history_one"])
            second_comparison(doc_id, names)


def local_time(made: str) -> str:
    """Return a time as the reader's clock shows it: the browser says how many minutes UTC is ahead."""
    zone = timezone(-timedelta(minutes=st.context.timezone_offset or 0))
    return datetime.fromisoformat(made).astimezone(zone).strftime("%m-%d %H:%M")


def restore_or_rename(doc_id: str, number: int) -> None:
    """Offer to restore a comparison and to give it another name."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        label, icon = t("history.restore"), ":material/restore:"
        st.button(label, key="restore", icon=icon, on_click=restore, args=[doc_id, number])
        with st.popover(t("history.rename"), icon=":material/edit:"), st.form("rename", border=False):
            st.text_input(t("history.name"), key="history_name", max_chars=100)
            st.form_submit_button(t("history.rename_yes"), on_click=rename, args=[doc_id, number])


def recalled(doc_id: str, number: int) -> Replay:
    return replay_file.read(cached.lab().history.load(doc_id, number))


def restore(doc_id: str, number: int) -> None:
    """Make a comparison the one of the page, with the form as it was."""
    with errors_shown():
        replay = recalled(doc_id, number)
        fill(replay.comparison)
        st.session_state.update(
            comparison=replay.comparison, recorded=replay, picked=None, answers=None, history_open=False
        )
        link.write(replay.comparison)


def rename(doc_id: str, number: int) -> None:
    with errors_shown():
        cached.lab().history.rename(doc_id, number, st.session_state["history_name"])
    st.session_state["history_name"] = ""


def fill(comparison: Comparison) -> None:
    """Put a comparison's question and settings into the form."""
    how = comparison.settings
    typed = [expansion.text for expansion in comparison.expansions if expansion.origin == "typed"]
    st.session_state.update(question=comparison.query, typed="\n".join(typed), within=list(how.within))
    st.session_state.update(depth=how.depth, cutoff=how.cutoff, adaptive=how.adaptive)
    st.session_state["first_stage"] = how.first_stage.value
    state.suggest([expansion for expansion in comparison.expansions if expansion.origin != "typed"])
    state.use_chunks(how.chunks)
    for role, lines in (("embedder", catalog.EMBEDDERS), ("reranker", catalog.RERANKERS)):
        model = getattr(how, role)
        listed = any(line.id == model for line in lines)
        st.session_state[f"{role}_other"] = "" if listed else model
        if listed:
            st.session_state[role] = model


def name_of(comparison: Comparison) -> str:
    """Name a comparison by its question and by what is usually changed between two."""
    how, usual = comparison.settings, state.HOW
    parts = [
        tables.one_line(comparison.query, QUESTION_COLUMNS),
        tables.cut_name(how.chunks),
        t("history.depth", depth=how.depth),
    ]
    if how.first_stage != usual.first_stage:
        parts.append(t(f"form.first_{how.first_stage}"))
    if how.within:
        parts.append(t("history.within", count=len(how.within)))
    parts += [getattr(how, role) for role in MODELS if getattr(how, role) != getattr(usual, role)]
    if comparison.expansions:
        parts.append(t("history.expansions", count=len(comparison.expansions)))
    return " · ".join(parts)


def second_comparison(doc_id: str, names: dict[int, str]) -> None:
    """Let the reader choose a second comparison, and show what changed from the first to it."""
    others = [number for number in names if number != st.session_state["history_one"]]
    if not others:
        st.caption(t("history.only_one"))
        return
    if st.session_state["history_other"] not in others:
        st.session_state["history_other"] = None
    chosen = st.selectbox(
        t("history.other"),
        others,
        key="history_other",
        format_func=names.__getitem__,
        index=None,
        placeholder=t("history.other_hint"),
    )
    if chosen is not None:
        earlier, later = sorted((st.session_state["history_one"], chosen))
        changes(recalled(doc_id, earlier).comparison, recalled(doc_id, later).comparison)


def changes(earlier: Comparison, later: Comparison) -> None:
    """Show which settings differ, both tops, what came and went, and how far the new orders agree; ranks alone."""
    settings_part(earlier, later)
    difference = change(earlier, later)
    for column, comparison, gone, side in zip(
        st.columns(2), (earlier, later), (difference.left, difference.entered), ("one", "other"), strict=True
    ):
        with column:
            st.markdown(f"**{t('history.top_' + side, k=min(comparison.cutoff, len(comparison.moves)))}**")
            page_beside.table(
                top_table(comparison, gone, side),
                [move.chunk for move in top(comparison)],
                f"history_top_{side}",
                page_beside.stacked,
                column_config=widths(comparison),
            )
    st.markdown(overlap(earlier, later, difference))
    if difference.tau is not None:
        st.markdown(t("history.tau", tau=f"{difference.tau:.2f}", pairs=len(difference.pairs)))
    if any(difference.alone):
        st.caption(t("history.alone", one=difference.alone[0], other=difference.alone[1]))
    st.caption(t("history.no_scores"))


def settings_part(earlier: Comparison, later: Comparison) -> None:
    pairs = zip(tables.how_rows(earlier), tables.how_rows(later), strict=True)
    rows = [(name, before, after) for (name, before), (_, after) in pairs if before != after]
    if not rows:
        st.caption(t("history.same_settings"))
        return
    columns = [t("table.setting"), t("history.first"), t("history.second")]
    st.dataframe(tables.data_frame(rows, columns=columns), hide_index=True, key="history_settings")


def overlap(earlier: Comparison, later: Comparison, difference: Change) -> str:
    """Say how many of either top the other one holds as well."""
    before, after = (top(comparison) for comparison in (earlier, later))
    return t(
        "history.overlap",
        one=len(before) - len(difference.left),
        first=len(before),
        other=len(after) - len(difference.entered),
        second=len(after),
    )


def top_table(comparison: Comparison, alone: tuple[Move, ...], side: str) -> pd.DataFrame:
    """Return the top of a comparison, marked where the other one's top does not hold the text."""
    ids = {move.chunk.id for move in alone}
    mark = t("history.gone" if side == "one" else "history.new")
    rows = [
        (
            move.after,
            mark if move.chunk.id in ids else "",
            tables.page(move.chunk),
            tables.one_line(move.chunk.text),
        )
        for move in top(comparison)
    ]
    return tables.data_frame(rows, columns=[t("table.rank"), t("history.mark"), t("table.page"), t("table.text")])


def widths(comparison: Comparison) -> tables.Columns:
    return {
        t("table.rank"): st.column_config.NumberColumn(width=50),
        t("history.mark"): st.column_config.TextColumn(width=60),
        t("table.page"): tables.page_column(comparison.reranked.chunks),
        t("table.text"): st.column_config.TextColumn(width="large"),
    }
