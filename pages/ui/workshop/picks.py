"""The ten chunks of a round: to pick from, and with what they turned out to be."""

from collections.abc import Callable, Collection, Mapping

import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from pages.ui.parts import page_beside, tables
from pages.ui.shell import state
from pages.ui.shell.frame import errors_shown
from pages.ui.shell.i18n import t
from rag_core.workshop import predict
from rag_core.workshop.predict import PICKS, Round, Score
from rag_core.workshop.room import Board

TEXT_WIDTH = 760
Submit = Callable[[list[str]], None]


@state.fragment
def pick(dealt: Round, tag: str, submit: Submit, picked: Collection[str] | None = None) -> None:
    """Let five be picked; a click draws only this part again. ``tag`` keeps the boxes of two rounds apart."""
    if len(dealt.query) == 1:
        st.info(t("game.one_character"), icon=":material/info:")
    st.caption(t("pick.help", count=len(dealt.chunks), wanted=PICKS))
    for left in range(0, len(dealt.chunks), 2):
        for place, column in zip(range(left, len(dealt.chunks)), st.columns(2), strict=False):
            with column.container(border=True, height="stretch"):
                card(dealt, place, tag, picked or ())
    chosen = [chunk.id for place, chunk in enumerate(dealt.chunks) if st.session_state[box(tag, place)]]
    with st.container(key="hand_in", horizontal=True, vertical_alignment="center"), errors_shown():
        if hand_in(chosen, picked):
            submit(chosen)
            st.rerun()


def hand_in(chosen: Collection[str], picked: Collection[str] | None) -> bool:
    """Offer to hand in what is chosen, where it is five that are not handed in yet."""
    same = picked is not None and set(chosen) == set(picked)
    said = t("room.handed_in") if same else t("pick.count", picked=len(chosen), wanted=PICKS)
    st.markdown(said, width="stretch")
    off, icon = same or len(chosen) != PICKS, ":material/how_to_vote:"
    return st.button(t("pick.submit"), type="primary", icon=icon, disabled=off, key="submit")


def box(tag: str, place: int) -> str:
    return f"pick_{tag}_{place}"


def follow(dealt: Round, tag: str, picked: Collection[str] | None) -> None:
    """Tick what was handed in meanwhile in another tab of the same participant."""
    former = st.session_state.setdefault(f"handed_{tag}", picked)
    if picked is not None and picked != former:
        st.session_state[f"handed_{tag}"] = picked
        st.session_state.update({box(tag, place): chunk.id in picked for place, chunk in enumerate(dealt.chunks)})


def card(dealt: Round, place: int, tag: str, picked: Collection[str]) -> None:
    chunk, key = dealt.chunks[place], box(tag, place)
    st.session_state.setdefault(key, chunk.id in picked)
    st.checkbox(t("pick.chunk", rank=place + 1, page=tables.pages(chunk)), key=key)
    tables.name(chunk)
    st.text(tables.one_line(chunk.text))


def told(dealt: Round, picked: Collection[str] | None) -> None:
    """Say how many were hit, by the reader and by the vector order, and how many answer."""
    if picked is not None:
        st.subheader(t("reveal.hits", hits=predict.score(dealt, picked).hits, wanted=PICKS))
    st.markdown(t("reveal.vector", hits=len(dealt.target & dealt.first), wanted=PICKS))
    relevance(dealt, picked)
    wrong_first(dealt)
    if dealt.below:
        st.caption(t("reveal.below", below=dealt.below, wanted=PICKS, shown=len(dealt.chunks)))


def class_told(board: Board) -> None:
    """Say the same of everyone in a room."""
    outcome = board.past[-1]
    if outcome.picked:
        average = f"{outcome.score.hits / outcome.picked:.1f}"
        st.markdown(t("room.average", average=average, wanted=PICKS, picked=outcome.picked))
    else:
        st.markdown(t("room.nobody"))
    told(outcome.dealt, None)


def table(dealt: Round, picked: Collection[str], counts: Mapping[str, int] | None = None) -> None:
    """Show the chunks in the cross-encoder's order, each a click away from its page.

    Without a pick of one's own, ``counts`` say how often each was picked in a room.
    """
    chunks = {chunk.id: chunk for chunk in dealt.chunks}
    page_beside.table(
        order(dealt, marks(dealt, picked, counts)),
        [chunks[chunk_id] for chunk_id in dealt.reranked],
        "revealed",
        height=tables.height(len(dealt.chunks)),
        column_config={
            **{
                name: st.column_config.Column(width=width)
                for name, width in zip(columns()[:4], (60, 60, 60, 70), strict=True)
            },
            t("table.page"): tables.page_column(dealt.chunks),
            t("table.text"): st.column_config.TextColumn(width=TEXT_WIDTH),
        },
    )
    st.caption(t("reveal.help", wanted=PICKS))


def relevance(dealt: Round, picked: Collection[str] | None) -> None:
    if dealt.relevant is None:
        st.caption(t("reveal.unjudged"))
    elif not dealt.relevant:
        st.info(t("reveal.no_answer", shown=len(dealt.chunks)), icon=":material/search_off:")
    else:
        counts = {"vector": len(dealt.relevant & dealt.first), "reranked": len(dealt.relevant & dealt.target)}
        own = len(dealt.relevant & set(picked or ()))
        key = "reveal.judged" if picked is not None else "reveal.judged_room"
        st.markdown(t(key, relevant=len(dealt.relevant), shown=len(dealt.chunks), own=own, **counts))


def wrong_first(dealt: Round) -> None:
    """Say so where a chunk that does not answer stands above all that do: nobody should learn from it what is right."""
    rank = dealt.answer_rank
    if rank is not None and rank > 1:
        st.warning(t("reveal.wrong_first", rank=rank, shown=len(dealt.chunks)), icon=":material/wrong_location:")


def columns() -> list[str]:
    return [t("table.after"), t("table.before"), t("reveal.picked"), t("reveal.answers"), t("table.page")]


def marks(dealt: Round, picked: Collection[str], counts: Mapping[str, int] | None) -> dict[str, str]:
    return {chunk_id: str(counts[chunk_id]) if counts else "●" if chunk_id in picked else "" for chunk_id in dealt.ids}


def order(dealt: Round, picked: Mapping[str, str]) -> Styler:
    """Return the chunks in the cross-encoder's order, its first five shaded."""
    ranked = {chunk.id: (rank, chunk) for rank, chunk in enumerate(dealt.chunks, start=1)}
    rows = []
    for after, chunk_id in enumerate(dealt.reranked, start=1):
        before, chunk = ranked[chunk_id]
        marked = picked[chunk_id], answer_mark(dealt, chunk_id)
        rows.append((after, before, *marked, tables.page(chunk), tables.one_line(chunk.text)))
    frame = pd.DataFrame(rows, columns=[*columns(), t("table.text")])
    shade = f"background-color: {tables.TOP}"
    return frame.style.apply(lambda row: [shade if row.name < PICKS else ""] * len(row), axis=1)


def answer_mark(dealt: Round, chunk_id: str) -> str:
    return "?" if dealt.relevant is None else "✓" if chunk_id in dealt.relevant else ""


def score_so_far(reached: Score) -> None:
    """Show the score so far beside what trusting the vector order would have scored."""
    if not reached.rounds:
        return
    st.markdown(f"**{t('running.title', rounds=reached.rounds)}**")
    own, vector = st.columns(2)
    own.metric(t("running.own"), f"{reached.hits} / {reached.wanted}", border=True)
    vector.metric(t("running.vector"), f"{reached.vector} / {reached.wanted}", border=True)
    if reached.relevant:
        counts = {"own": reached.judged, "vector": reached.judged_vector, "reranked": reached.judged_reranked}
        st.caption(t("running.judged", **counts, relevant=reached.relevant))
