"""Open a result: a comparison that was saved elsewhere, drawn from its file alone."""

import streamlit as st

from pages.ui.results import replay
from pages.ui.shell.frame import errors_shown, frame
from pages.ui.shell.i18n import t

frame("replay")
st.caption(t("replay.lead"))
with errors_shown():
    replay.choose()
    if st.session_state["opened"] is None:
        st.info(t("replay.empty"), icon=":material/help:")
        st.stop()
    replay.banner()
    replay.show()
