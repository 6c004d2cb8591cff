"""Who is here: a visitor's documents stay as long as their session lasts, and a while longer."""

import ctypes
import gc
import logging
import math
import time
from contextlib import suppress
from threading import Event, Thread

import streamlit as st
from streamlit import runtime

from pages.ui.shell import state
from pages.ui.shell.cached import lab
from rag_core import clock
from rag_core.errors import RerankLabError
from rag_core.lab import Lab

log = logging.getLogger(__name__)

STAYING = math.inf
GRACE_SECONDS = 120
SWEEP_SECONDS = 20
LOST_SECONDS = 80
"""So long a session may have lost its connection. Streamlit lets it come back for two minutes, but ends it only when
another is lost: what the last ones had uploaded would lie in memory until somebody else comes and goes."""

UNHEARD_SECONDS = 180
LONGEST_STAY_SECONDS = 24 * 3600


@st.cache_resource(show_spinner=False)
def stays() -> dict[str, float]:
    """Return when each visitor of a server left, and ``STAYING`` for those who are here."""
    return {}


@st.cache_resource(show_spinner=False)
def heard() -> dict[str, float]:
    """Return when each session was last connected."""
    return {}


@st.cache_resource(show_spinner=False, scope="session", on_release=lambda owner: leave(owner))
def stay(owner: str) -> str:
    """Keep a session, and a visitor's documents, as long as somebody is there. Raises what opening the library does."""
    if owner:
        lab()
        stays()[owner] = STAYING
    if state.session():
        heard()[state.session()] = time.monotonic()
    sweeper()
    return owner


def leave(owner: str) -> None:
    """Note that a session ended; its documents go a while later, for a lost connection may come back."""
    if owner:
        stays()[owner] = time.monotonic()


@st.cache_resource(show_spinner=False, on_release=lambda stop: stop.set())
def sweeper() -> Event:
    """Sweep again and again, until the returned event is set."""
    stop, known, sessions = Event(), stays(), heard()

    def work() -> None:
        ended = False
        while not stop.wait(SWEEP_SECONDS):
            if ended:
                give_back_memory()
            ended = end_lost(sessions)
            try:
                if known:
                    sweep(lab(), known)
            except RerankLabError as error:
                log.error("nothing is swept this time: %s", error)

    Thread(target=work, daemon=True).start()
    return stop


def end_lost(sessions: dict[str, float]) -> bool:
    """End the sessions whose connection was lost and has not come back; say whether there was one."""
    if not runtime.exists():
        return False
    server, now, left = runtime.get_instance(), time.monotonic(), len(sessions)
    for session_id, seen in list(sessions.items()):
        if server.is_active_session(session_id):
            sessions[session_id] = now
        elif now - seen > LOST_SECONDS:
            del sessions[session_id]
            server.clear_user_info_for_session(session_id)  # a log-out: it ends a session that is not connected
    return len(sessions) < left


def give_back_memory() -> None:
    """Give back to the system what the ended sessions held: the C library keeps what is freed in small pieces."""
    gc.collect()
    with suppress(AttributeError, OSError, TypeError):  # not glibc
        ctypes.CDLL(None).malloc_trim(0)


def sweep(swept: Lab, known: dict[str, float]) -> None:
    """Delete what belongs to visitors who left, here or from a process that ended, and what is older than a day."""
    moment, now = time.monotonic() - GRACE_SECONDS, clock.now()
    gone = [owner for owner, left in list(known.items()) if left <= moment]
    staying = [owner for owner in list(known) if owner not in gone]
    swept.sweep(staying, gone, now - UNHEARD_SECONDS, now - LONGEST_STAY_SECONDS)
