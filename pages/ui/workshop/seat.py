"""A participant's place: what lies on the table now, drawn anew by itself when the teacher or the participant acts."""

from functools import partial

import streamlit as st

from pages.ui.shell import state, visitor
from pages.ui.shell.frame import errors_shown, show_error
from pages.ui.shell.i18n import t
from pages.ui.workshop import lessons, picks, room_picture
from pages.ui.workshop.open_rooms import LIVE, leave, look_again, rooms
from rag_core.errors import RoundOver
from rag_core.workshop.room import Board, Glance, Table


def show(code: str) -> None:
    """Raises RoomMissing, RoomEnded or RoomFull, as ``Rooms.join`` does."""
    table = rooms().join(code, visitor.who())
    board = table.board
    room_picture.style(board)
    with st.container(key="seat_head"):
        st.subheader(t("room.round", number=board.number))
    with st.container(key="question_head"):
        live(code, board.seen, board.revealed)
        st.text(board.dealt.query)
    too_late(board)
    with errors_shown():
        if board.lesson:
            lessons.before_the_room(board.lesson)
        if board.revealed:
            revealed(table)
        else:
            open_question(code, table)
    st.button(t("room.leave"), icon=":material/logout:", key="leave", on_click=leave)


@partial(state.fragment, run_every=LIVE)
def live(code: str, seen: Glance, revealed: bool) -> None:
    """Say how far the room is; only this line is drawn again, unless the room has gone on."""
    now = look_again(code, visitor.who(), seen)
    counts = t("room.live_revealed") if revealed else t("room.live", picked=now.picked, joined=now.joined)
    st.caption(f"{t('room.here', code=code)} · {counts}")


def open_question(code: str, table: Table) -> None:
    number, picked = table.board.number, table.picked
    tag = f"{code}_{number}"
    picks.follow(table.board.dealt, tag, picked)
    picks.pick(table.board.dealt, tag, partial(hand_in, code, number), picked)


def hand_in(code: str, number: int, chosen: list[str]) -> None:
    """Hand a pick in; where the question is over meanwhile, say so beside what has come instead."""
    try:
        rooms().pick(code, visitor.who(), number, chosen)
    except RoundOver as error:
        st.session_state["late"] = error, rooms().glance(code).state


def too_late(board: Board) -> None:
    error, state_then = st.session_state["late"] or (None, None)
    if error and state_then == board.seen.state:
        show_error(error)


def revealed(table: Table) -> None:
    board = table.board
    if table.picked is None:
        st.info(t("room.missed"), icon=":material/info:")
    picks.told(board.dealt, table.picked)
    room_picture.show(board, table.picked or ())
    picks.score_so_far(table.score)
    st.caption(t("room.wait_next"))
