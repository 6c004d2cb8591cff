"""What stands on the wall: question, code and counts, and at the reveal the votes as one picture."""

from functools import partial

import streamlit as st

from pages.ui.shell import state
from pages.ui.shell.frame import show_error
from pages.ui.shell.i18n import t
from pages.ui.workshop import joining, lessons, picks, room_picture
from pages.ui.workshop.open_rooms import LIVE, look_again, rooms
from rag_core.errors import RoomEnded, RoomMissing
from rag_core.workshop.room import Board, Glance, read_code


def show(typed: str) -> None:
    """Show what everyone may see of a room: whoever knows its code may open this page at the projector."""
    code = read_code(typed)
    try:
        board = rooms().look(code)
    except (RoomMissing, RoomEnded) as error:
        show_error(error)
        return
    room_picture.style(board)
    with st.container(key="wall"):
        if board.revealed and not board.lesson:
            outcome(code, board)
        else:
            asked(code, board)


def asked(code: str, board: Board) -> None:
    question, way = st.columns([5, 2], gap="large")
    with way:
        joining.signpost(code)
    with question:
        st.markdown(t("room.round", number=board.number))
        st.text(board.dealt.query)
        live(code, board.seen)
        if board.lesson:
            lessons.before_the_room(board.lesson)


def outcome(code: str, board: Board) -> None:
    with st.container(key="wall_outcome"):
        st.text(board.dealt.query)
        picks.class_told(board)
        room_picture.show(board, wall=True)
        live_code(code, board.seen)


@partial(state.fragment, run_every=LIVE)
def live(code: str, seen: Glance) -> None:
    now = look_again(code, "", seen)
    with st.container(horizontal=True, key="wall_counts"):
        st.metric(t("room.picked"), f"{now.picked} / {now.joined}")


@partial(state.fragment, run_every=LIVE)
def live_code(code: str, seen: Glance) -> None:
    now = look_again(code, "", seen)
    st.caption(f"{t('room.here', code=code)} · {t('room.joined')}: {now.joined}")
