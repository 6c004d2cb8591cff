"""Open a result: a comparison that was saved elsewhere, drawn from its file alone."""

import streamlit as st

from pages.ui.results import replay
from pages.ui.shell import saved
from pages.ui.shell.frame import frame

with frame("replay", lead=False):
    above, below = st.container(), st.container()
    with below:
        replay.choose(above)
    if st.session_state["opened"] is None:
        with above:
            replay.begin()
        with below:
            replay.example(lambda: saved.results(saved.spoken())[0].replay)
    else:
        with above:
            replay.source()
            replay.show()
