"""A room on screen: the door, a participant's place, and the teacher's desk."""

from functools import partial

import pandas as pd
import streamlit as st

from pages.ui.parts import page_beside, tables
from pages.ui.shell import form, state, visitor
from pages.ui.shell.frame import errors_shown, show_error
from pages.ui.shell.i18n import t
from pages.ui.workshop import picks, predict
from rag_core.errors import RoomEnded, RoomFull, RoomMissing
from rag_core.workshop.predict import PICKS
from rag_core.workshop.room import Keys, Rooms, Table, Tally, read_code

LIVE = "2s"

state.keep(workshop_part="predict", teaching=None, taught=None, joined=None, arrived=False)


@st.cache_resource(show_spinner=False)
def rooms() -> Rooms:
    """Return the rooms of this server: all sessions see the same."""
    return Rooms()


def show() -> None:
    if st.session_state["teaching"]:
        teach(st.session_state["teaching"])
    elif st.session_state["joined"]:
        take_part(st.session_state["joined"])
    else:
        door()


def arrive() -> None:
    """Go into the room that the page's address names, once a visit."""
    if "room" in st.query_params and not st.session_state["arrived"]:
        st.session_state.update(arrived=True, joined=read_code(st.query_params["room"]), workshop_part="room")


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
        comparison, dealt = predict.deal(doc_id)
        st.session_state.update(teaching=rooms().create(dealt), taught=comparison)
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
            st.session_state["teaching"] = Keys(read_code(code), control.strip())
            st.rerun()


def leave() -> None:
    st.session_state.update(joined=None, teaching=None, taught=None)
    st.query_params.pop("room", None)


# A participant


def take_part(code: str) -> None:
    """Show what lies on the table now. The page asks again when the participant presses, so thirty cost little."""
    try:
        table = rooms().join(code, visitor.who())
    except (RoomMissing, RoomEnded, RoomFull) as error:
        show_error(error)
        leave()
        join_form()
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(t("room.here", code=code), width="content")
        st.button(t("room.refresh"), icon=":material/refresh:", key="refresh")
        st.button(t("room.leave"), icon=":material/logout:", key="leave", on_click=leave)
    with errors_shown():
        place(code, table)


def place(code: str, table: Table) -> None:
    st.subheader(t("room.round", number=table.number))
    if table.revealed:
        if table.picked is None:
            st.info(t("room.missed"), icon=":material/info:")
        picks.reveal(table.dealt, table.picked)
        picks.score_so_far(table.score)
        st.caption(t("room.wait_next"))
        return
    if table.picked is not None:
        st.success(t("room.handed_in"), icon=":material/check:")
    submit = partial(hand_in, code, table.number)
    picks.pick(table.dealt, f"{code}_{table.number}", submit, table.picked or ())


def hand_in(code: str, number: int, chosen: list[str]) -> None:
    rooms().pick(code, visitor.who(), number, chosen)


# The teacher


def teach(keys: Keys) -> None:
    signpost(keys)
    desk(keys)
    finish(keys)
    with st.expander(t("room.next_title"), icon=":material/skip_next:"), errors_shown():
        next_round(keys)


def signpost(keys: Keys) -> None:
    """Show how to come in. The control key stays folded away: this screen is on the wall."""
    code, way = st.columns([1, 2], vertical_alignment="center")
    code.metric(t("room.code"), f"{keys.code[:3]} {keys.code[3:]}", border=True)
    with way:
        st.markdown(t("room.how_to_join"))
        st.code(f"{(st.context.url or '').partition('?')[0]}?room={keys.code}", language=None)
    if state.bound_to_loopback() and not state.forwarded():
        st.info(t("room.loopback"), icon=":material/lan:")


@partial(state.fragment, run_every=LIVE)
def desk(keys: Keys) -> None:
    """Count live; only this part is drawn again."""
    with errors_shown():
        tally = rooms().tally(keys.code, keys.control)
        st.subheader(t("room.round", number=tally.number))
        counts = st.columns(3)
        counts[0].metric(t("room.joined"), tally.joined, border=True)
        counts[1].metric(t("room.picked"), tally.picked, border=True)
        counts[2].metric(t("room.left"), t("room.minutes", minutes=int(tally.seconds_left // 60)), border=True)
        if tally.revealed:
            outcome(tally)
        else:
            waiting(keys, tally)


def waiting(keys: Keys, tally: Tally) -> None:
    st.text(tally.dealt.query)
    label, icon = t("room.reveal"), ":material/visibility:"
    st.button(label, type="primary", icon=icon, key="reveal", on_click=reveal, args=[keys])
    table = [
        (rank, tally.counts[chunk.id], tables.page(chunk), tables.one_line(chunk.text))
        for rank, chunk in enumerate(tally.dealt.chunks, start=1)
    ]
    votes = t("room.votes")
    page_beside.table(
        pd.DataFrame(table, columns=[t("table.rank"), votes, t("table.page"), t("table.text")]),
        tally.dealt.chunks,
        "tally",
        height=tables.height(len(table)),
        column_config={
            t("table.rank"): st.column_config.NumberColumn(width=50),
            votes: st.column_config.ProgressColumn(min_value=0, max_value=max(tally.picked, 1), format="%d", width=130),
            t("table.page"): tables.page_column(tally.dealt.chunks),
            t("table.text"): st.column_config.TextColumn(width=picks.TEXT_WIDTH),
        },
    )


def reveal(keys: Keys) -> None:
    """Reveal to everyone; from here on the comparison is the one that the other screens show."""
    with errors_shown():
        rooms().reveal(keys.code, keys.control)
        if st.session_state["taught"]:
            st.session_state.update(comparison=st.session_state["taught"], answers=None, picked=None)


def outcome(tally: Tally) -> None:
    if tally.picked:
        average = f"{tally.score.hits / tally.picked:.1f}"
        st.markdown(t("room.average", average=average, wanted=PICKS, picked=tally.picked))
    else:
        st.markdown(t("room.nobody"))
    picks.reveal(tally.dealt, None, tally.counts)


def next_round(keys: Keys) -> None:
    doc_id = form.pick_document()
    if predict.ask(doc_id, t("room.next")):
        comparison, dealt = predict.deal(doc_id)
        rooms().deal(keys.code, keys.control, dealt)
        st.session_state["taught"] = comparison
        st.rerun()


def finish(keys: Keys) -> None:
    with st.container(horizontal=True):
        with st.popover(t("room.control_title"), icon=":material/key:"):
            st.caption(t("room.control_help"))
            st.code(keys.control, language=None)
        with st.popover(t("room.end"), icon=":material/stop_circle:"):
            st.markdown(t("room.end_sure"))
            st.button(t("room.end_yes"), key="end", on_click=end, args=[keys])
        st.button(t("room.leave"), icon=":material/logout:", key="leave", on_click=leave)


def end(keys: Keys) -> None:
    with errors_shown():
        rooms().end(keys.code, keys.control)
    leave()
