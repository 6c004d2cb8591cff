"""The rooms of this server, and which of them this visitor is in."""

import streamlit as st

from pages.ui.shell import state
from rag_core.errors import RoomEnded, RoomMissing
from rag_core.workshop.room import Glance, Rooms

LIVE = "1s"
"""So often a page looks whether its room has changed: with its drawing, a step is seen within two seconds."""

state.keep(workshop_part="predict", teaching=None, taught=None, joined=None, arrived=False, late=None)


@st.cache_resource(show_spinner=False)
def rooms() -> Rooms:
    """Return the rooms of this server: all sessions see the same."""
    return Rooms()


def look_again(code: str, who: str, seen: Glance) -> Glance:
    """Return how the room is now; where it is not as it was drawn, draw the page anew."""
    try:
        now = rooms().glance(code, who)
    except (RoomMissing, RoomEnded):
        st.rerun()
    if (now.state, now.own) != (seen.state, seen.own):
        st.rerun()
    return now


def leave() -> None:
    st.session_state.update(joined=None, teaching=None, taught=None, late=None)
    for name in ("room", "desk"):
        st.query_params.pop(name, None)
