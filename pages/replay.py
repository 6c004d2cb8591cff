"""Open a result: a comparison that was saved elsewhere, drawn from its file alone."""

import streamlit as st

from pages.ui.results import replay
from pages.ui.shell import empty
from pages.ui.shell.frame import frame
from pages.ui.shell.i18n import t

with frame("replay"):
    replay.choose()
    if st.session_state["opened"] is None:
        empty.stop(t("replay.empty"))
    replay.banner()
    replay.show()
