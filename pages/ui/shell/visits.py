"""Who is here: a visitor's documents stay as long as their session lasts, and a while longer."""

import logging
import math
import time
from threading import Event, Thread

import streamlit as st

from pages.ui.shell.cached import lab
from rag_core import clock
from rag_core.errors import RerankLabError
from rag_core.lab import Lab

log = logging.getLogger(__name__)

STAYING = math.inf
GRACE_SECONDS = 120
SWEEP_SECONDS = 60
UNHEARD_SECONDS = 3 * SWEEP_SECONDS
LONGEST_STAY_SECONDS = 24 * 3600


@st.cache_resource(show_spinner=False)
def stays() -> dict[str, float]:
    """Return when each visitor of a server left, and ``STAYING`` for those who are here."""
    return {}


@st.cache_resource(show_spinner=False, scope="session", on_release=lambda owner: leave(owner))
def stay(owner: str) -> str:
    """Keep a visitor's documents as long as the session lasts."""
    stays()[owner] = STAYING
    sweeper()
    return owner


def leave(owner: str) -> None:
    """Note that a session ended; its documents go a while later, for a lost connection may come back."""
    stays()[owner] = time.monotonic()


@st.cache_resource(show_spinner=False, on_release=lambda stop: stop.set())
def sweeper() -> Event:
    """Sweep every minute, until the returned event is set."""
    stop, swept, known = Event(), lab(), stays()

    def work() -> None:
        while not stop.wait(SWEEP_SECONDS):
            try:
                sweep(swept, known)
            except RerankLabError as error:
                log.error("nothing is swept this time: %s", error)

    Thread(target=work, daemon=True).start()
    return stop


def sweep(swept: Lab, known: dict[str, float]) -> None:
    """Delete what belongs to visitors who left, here or from a process that ended, and what is older than a day."""
    moment, now = time.monotonic() - GRACE_SECONDS, clock.now()
    gone = [owner for owner, left in list(known.items()) if left <= moment]
    staying = [owner for owner in list(known) if owner not in gone]
    swept.sweep(staying, gone, now - UNHEARD_SECONDS, now - LONGEST_STAY_SECONDS)
