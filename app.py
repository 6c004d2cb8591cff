"""Home: a finished comparison of a bundled sample, and the ways on from it."""

import streamlit as st

from pages.ui.home import show
from pages.ui.parts import picture
from pages.ui.shell.frame import frame
from pages.ui.shell.i18n import t

with frame("home", lead=False):
    show.what_this_is()
    result = show.choose()
    show.headline(result.replay)
    show.rankings(result.replay)
    for number in (1, 2, 3):
        st.markdown(t(f"home.line_{number}"))
    flow = [t("home.flow_document"), t("home.flow_question")]
    st.image(picture.flow([chain.split("→") for chain in flow]), width="stretch", alt="; ".join(flow))
    st.caption(t("home.offline"))
