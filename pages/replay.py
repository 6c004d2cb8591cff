"""Open a result: a comparison that was saved elsewhere, drawn from its file alone."""

import streamlit as st

from pages.ui import opened
from pages.ui.frame import frame, told
from pages.ui.i18n import t

frame("replay")
st.caption(t("replay.lead"))
with told():
    opened.choose()
    if st.session_state["opened"] is None:
        st.info(t("replay.empty"), icon=":material/help:")
        st.stop()
    opened.banner()
    opened.show()
