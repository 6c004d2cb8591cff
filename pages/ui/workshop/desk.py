"""The teacher's desk: counts as they come in, the reveal, and what comes next."""

from functools import partial

import pandas as pd
import streamlit as st

from pages.ui.parts import page_beside, proposed, tables
from pages.ui.shell import cached, form, samples, state, visitor, work
from pages.ui.shell.frame import errors_shown
from pages.ui.shell.i18n import language, plain, t
from pages.ui.workshop import joining, lessons, picks, predict, room_picture
from pages.ui.workshop.open_rooms import LIVE, leave, look_again, rooms
from rag_core.explaining.lessons import NAMES, Fact, facts
from rag_core.workshop.predict import PICKS
from rag_core.workshop.room import Desk, Glance, Keys, Outcome, Tally


def show(keys: Keys) -> None:
    """Raises RoomMissing or RoomEnded, as ``Rooms.tally`` does."""
    tally = rooms().tally(keys.code, keys.control)
    room_picture.style(tally.board)
    table, way = st.columns([4, 1], gap="medium")
    with way:
        joining.signpost(keys.code)
        projector(keys.code)
        joining.warn_where_nobody_can()
    with table:
        st.subheader(t("room.round", number=tally.board.number))
        live(keys, tally.board.seen)
        if tally.board.lesson:
            lessons.before_the_room(tally.board.lesson)
        if tally.board.revealed:
            with errors_shown():
                outcome(keys, tally)
        tools(keys, tally)
        with st.expander(t("room.next_title"), icon=":material/skip_next:"), errors_shown():
            next_round(keys)


def projector(code: str) -> None:
    """Open the wall's page in a tab of its own; it holds nothing that the room may not see."""
    address = f"?wall={code}&lang={language()}"
    st.link_button(t("room.wall"), address, icon=":material/present_to_all:", width="stretch")


@partial(state.fragment, run_every=LIVE)
def live(keys: Keys, seen: Glance) -> None:
    """Count live; only this part is drawn again, unless the room has gone on."""
    look_again(keys.code, "", seen)
    tally = rooms().tally(keys.code, keys.control)
    now, minutes = tally.board.seen, int(tally.seconds_left // 60)
    with st.container(horizontal=True, key="desk_counts"):
        st.metric(t("room.joined"), now.joined, border=True)
        st.metric(t("room.picked"), now.picked, border=True)
        st.metric(t("room.left"), t("room.minutes", minutes=minutes), border=True)
    if not tally.board.revealed:
        waiting(keys, tally)


def waiting(keys: Keys, tally: Tally) -> None:
    dealt, picked = tally.board.dealt, tally.board.seen.picked
    st.text(dealt.query)
    label, icon = t("room.reveal"), ":material/visibility:"
    st.button(label, type="primary", icon=icon, key="reveal", on_click=reveal, args=[keys])
    table = [
        (rank, tally.counts[chunk.id], tables.page(chunk), tables.one_line(chunk.text))
        for rank, chunk in enumerate(dealt.chunks, start=1)
    ]
    votes = t("room.votes")
    page_beside.table(
        pd.DataFrame(table, columns=[t("table.rank"), votes, t("table.page"), t("table.text")]),
        dealt.chunks,
        "tally",
        height=tables.height(len(table)),
        column_config={
            t("table.rank"): st.column_config.NumberColumn(width=50),
            votes: st.column_config.ProgressColumn(min_value=0, max_value=max(picked, 1), format="%d", width=130),
            t("table.page"): tables.page_column(dealt.chunks),
            t("table.text"): st.column_config.TextColumn(width=picks.TEXT_WIDTH),
        },
    )


def reveal(keys: Keys) -> None:
    """Reveal to everyone; from here on the comparison is the one that the other screens show."""
    with errors_shown():
        rooms().reveal(keys.code, keys.control)
        if st.session_state["taught"]:
            st.session_state.update(comparison=st.session_state["taught"], answers=None, picked=None)


def outcome(keys: Keys, tally: Tally) -> None:
    board = tally.board
    with st.container(horizontal=True, vertical_alignment="center", key="headline"):
        st.text(board.dealt.query)
        onward(keys, tally)
    picks.class_told(board)
    room_picture.show(board)
    with st.expander(t("room.pages"), icon=":material/find_in_page:"):
        picks.table(board.dealt, (), tally.counts)


def onward(keys: Keys, tally: Tally) -> None:
    """Offer the next question that the document itself has, one press away."""
    question = next_of_document({outcome.dealt.query for outcome in tally.board.past})
    label = t("room.next_proposed", question=plain(question))
    if question and st.button(label, type="primary", icon=":material/skip_next:", key="room_next"):
        go_on(keys, st.session_state["doc_id"], question)


def next_of_document(asked: set[str]) -> str:
    doc_id, owner = st.session_state["doc_id"], state.owner()
    if doc_id not in cached.lab().documents.titles(owner):
        return ""
    questions = samples.questions(doc_id, owner) or proposed.offline(doc_id, owner)
    return next((question for question in questions if question not in asked), "")


def next_round(keys: Keys) -> None:
    doc_id = form.pick_document()
    if predict.ask(doc_id, t("room.next")):
        go_on(keys, doc_id, st.session_state["question"])


def go_on(keys: Keys, doc_id: str, question: str) -> None:
    comparison, dealt = predict.deal(doc_id, question)
    rooms().deal(keys.code, keys.control, dealt, Desk(visitor.browser(), state.owner(), comparison))
    st.session_state["taught"] = comparison
    st.rerun()


def tools(keys: Keys, tally: Tally) -> None:
    """Offer what is needed now and then. The control key stays folded away: this screen may be on the wall."""
    with st.container(horizontal=True):
        with st.popover(t("room.lesson"), icon=":material/school:"):
            lesson(keys, tally)
        if tally.board.past:
            file = f"room-{keys.code}.csv"
            data = tables.as_csv(counts_table(tally.board.past))
            st.download_button(t("room.csv"), data, file, "text/csv", icon=":material/download:", on_click="ignore")
        with st.popover(t("room.control_title"), icon=":material/key:"):
            st.caption(t("room.control_help"))
            st.code(keys.control, language=None)
        with st.popover(t("room.end"), icon=":material/stop_circle:"):
            st.markdown(t("room.end_sure"))
            st.button(t("room.end_yes"), key="end", on_click=end, args=[keys])
        st.button(t("room.leave"), icon=":material/logout:", key="leave", on_click=leave)


def lesson(keys: Keys, tally: Tally) -> None:
    """Let a lesson be put before the room, and taken away."""
    names = {name: t(f"lesson.{name}_title") for name in NAMES}
    st.selectbox(t("room.lesson_choose"), list(names), key="room_lesson", format_func=names.__getitem__)
    show_it, hide = t("room.lesson_show"), t("room.lesson_hide")
    st.button(show_it, key="lesson_show", type="primary", on_click=put, args=[keys, tally])
    if tally.board.lesson:
        st.button(hide, key="lesson_hide", on_click=rooms().show, args=[keys.code, keys.control, None])


def put(keys: Keys, tally: Tally) -> None:
    with errors_shown():
        rooms().show(keys.code, keys.control, fact(st.session_state["room_lesson"], tally))


def fact(name: str, tally: Tally) -> Fact:
    """Return a lesson with what this question shows of it: before the reveal nothing, for it would give the order."""
    comparison = st.session_state["taught"]
    if not tally.board.revealed or comparison is None:
        return Fact(name, "")
    relevant = work.relevant_ids(comparison.doc_id, comparison.query, comparison.before.chunks)
    return next(known for known in facts(comparison, relevant) if known.lesson == name)


def counts_table(past: tuple[Outcome, ...]) -> pd.DataFrame:
    """Return a row a chunk of every question that was revealed, with plain English column names and nobody's name."""
    return pd.DataFrame([row for outcome in past for row in count_rows(outcome)])


def count_rows(outcome: Outcome) -> list[dict[str, object]]:
    dealt = outcome.dealt
    chunks = {chunk.id: (rank, chunk) for rank, chunk in enumerate(dealt.chunks, start=1)}
    return [
        {
            "question_number": outcome.number,
            "question": dealt.query,
            "handed_in": outcome.picked,
            "rank_reranked": after,
            "rank_vector": chunks[chunk_id][0],
            "picks": outcome.counts[chunk_id],
            "in_top_five": int(after <= PICKS),
            "answers": "" if dealt.relevant is None else int(chunk_id in dealt.relevant),
            "pages": ", ".join(map(str, chunks[chunk_id][1].pages)),
            "text": chunks[chunk_id][1].text,
        }
        for after, chunk_id in enumerate(dealt.reranked, start=1)
    ]


def end(keys: Keys) -> None:
    with errors_shown():
        rooms().end(keys.code, keys.control)
    leave()
