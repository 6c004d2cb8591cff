"""Home: what this is, and the ways in."""

import streamlit as st

from pages.ui.parts import picture
from pages.ui.shell import samples, work
from pages.ui.shell.frame import errors_shown, frame
from pages.ui.shell.i18n import t


def try_sample(language: str) -> None:
    """Open a bundled sample with its first question; the compare page does the rest."""
    _, _, questions = samples.load(language)
    with errors_shown():
        work.add_sample(language)
        st.session_state.update(question=questions[0], typed="", comparison=None, autorun=True)
        st.session_state["pending_suggestions"] = []
        st.switch_page("pages/compare.py")


with frame("home", lead=False):
    for number in (1, 2, 3):
        st.markdown(t(f"home.line_{number}"))
    flow = [t("home.flow_document"), t("home.flow_question")]
    st.image(picture.flow([chain.split("→") for chain in flow]), width="stretch", alt="; ".join(flow))
    sample, other, own = st.columns(3)
    here = st.session_state["lang"] if st.session_state["lang"] in samples.FILES else "en"
    there = "en" if here == "zh" else "zh"
    with sample.container(border=True, height="stretch"):
        st.markdown(f"**{t('home.sample')}**")
        st.caption(t("home.sample_help"))
        if st.button(t("home.try"), type="primary", icon=":material/play_arrow:", key="try", width="stretch"):
            try_sample(here)
    with other.container(border=True, height="stretch"):
        st.markdown(f"**{t('home.other')}**")
        st.caption(t("home.other_help"))
        if st.button(t("home.try_other"), icon=":material/translate:", key="try_other", width="stretch"):
            try_sample(there)
    with own.container(border=True, height="stretch"):
        st.markdown(f"**{t('home.own')}**")
        st.caption(t("home.own_help"))
        st.page_link("pages/documents.py", label=t("home.upload"), icon=":material/upload_file:")
    st.caption(t("home.offline"))
