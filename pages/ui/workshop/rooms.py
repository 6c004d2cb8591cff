"""Rooms on screen: the door, and who is let in where."""

import streamlit as st

from pages.ui.shell import cached, form, state, visitor, visits
from pages.ui.shell.frame import errors_shown, show_error
from pages.ui.shell.i18n import t
from pages.ui.workshop import desk, predict, seat
from pages.ui.workshop.open_rooms import leave, rooms
from rag_core.datatypes import Comparison
from rag_core.errors import RoomEnded, RoomFull, RoomKeyWrong, RoomMissing
from rag_core.workshop.room import Desk, Keys, read_code


def show() -> None:
    try:
        if st.session_state["teaching"]:
            desk.show(st.session_state["teaching"])
            return
        if st.session_state["joined"]:
            seat.show(st.session_state["joined"])
            return
    except (RoomMissing, RoomEnded, RoomFull) as error:
        show_error(error)
        leave()
    door()


def arrive() -> None:
    """Go to the place that the page's address names, once a visit."""
    if st.session_state["arrived"]:
        return
    st.session_state["arrived"] = True
    if "desk" in st.query_params:
        with errors_shown():
            come_back(st.query_params["desk"])
    elif "room" in st.query_params:
        st.session_state.update(joined=read_code(st.query_params["room"]), workshop_part="room")


def come_back(code: str) -> None:
    """Take the desk again after a reload: in the browser that opened the room nobody has to know a key."""
    st.session_state["workshop_part"] = "room"
    try:
        keys, kept = rooms().take_back(code, visitor.browser())
    except RoomKeyWrong:
        st.session_state["back_code"] = read_code(code)
        raise
    comparison = kept.comparison
    st.session_state.update(teaching=keys, taught=comparison, doc_id=comparison.doc_id, question=comparison.query)
    if kept.owner:
        st.session_state["owner"] = kept.owner
        visits.stay(kept.owner)


def door() -> None:
    st.caption(t("room.lead"))
    join_form()
    with st.expander(t("room.back_title"), icon=":material/key:"):
        take_back()
    with st.container(border=True):
        st.markdown(f"**{t('room.open_title')}**")
        with errors_shown():
            open_room()


def join_form() -> None:
    with st.container(border=True):
        st.markdown(f"**{t('room.join_title')}**")
        with st.form("join", border=False):
            code = st.text_input(t("room.code"), key="room_code", max_chars=20, autocomplete="off")
            joined = st.form_submit_button(t("room.join"), type="primary", icon=":material/login:")
    if joined:
        with errors_shown():
            rooms().join(code, visitor.who())
            enter(read_code(code))


def enter(code: str) -> None:
    """Sit down; the address names the room, so that a reload comes back to it."""
    st.session_state.update(joined=code, arrived=True)
    st.query_params["room"] = code
    st.rerun()


def open_room() -> None:
    doc_id = form.pick_document()
    if predict.ask(doc_id, t("room.open")):
        comparison, dealt = predict.deal(doc_id, st.session_state["question"])
        teach(rooms().create(dealt, belongings(comparison)), comparison)


def belongings(comparison: Comparison) -> Desk:
    return Desk(visitor.browser(), state.owner(), comparison)


def teach(keys: Keys, comparison: Comparison | None = None) -> None:
    """Go to the desk; the address names it, so that a reload comes back to it."""
    cached.settle_in()  # thirty pages look every second: each look would pay for the collector
    st.session_state.update(teaching=keys, taught=comparison, arrived=True)
    st.query_params["desk"] = keys.code
    st.rerun()


def take_back() -> None:
    st.caption(t("room.back_help"))
    with st.form("take_back", border=False):
        code = st.text_input(t("room.code"), key="back_code", max_chars=20, autocomplete="off")
        control = st.text_input(t("room.control"), key="back_control", type="password", autocomplete="off")
        back = st.form_submit_button(t("room.back"), icon=":material/undo:")
    if back:
        with errors_shown():
            rooms().tally(code, control)
            teach(Keys(read_code(code), control.strip()))
