"""Explain: why chunks moved, asked of both models."""

import streamlit as st

from pages.ui.explain import baseline, bench, expansions, languages, probe, projection
from pages.ui.shell.frame import errors_shown, frame
from pages.ui.shell.i18n import t

PARTS = {
    "why": probe.show,
    "bench": bench.show,
    "map": projection.show,
    "languages": languages.show,
    "expansions": expansions.show,
    "baseline": baseline.show,
}

frame("explain")
st.caption(t("explain.lead"))
with errors_shown():
    comparison = st.session_state["comparison"]
    if comparison is None:
        st.info(t("explain.empty"), icon=":material/help:")
        st.page_link("pages/compare.py", label=t("compare.title"), icon=":material/swap_vert:")
        st.stop()
    st.text(comparison.query)
    names = {part: t(f"explain.part_{part}") for part in PARTS}
    st.segmented_control(
        t("explain.part"),
        list(names),
        key="explain_part",
        format_func=names.__getitem__,
        required=True,
        label_visibility="collapsed",
    )
    part = st.session_state["explain_part"]
    st.caption(t(f"explain.help_{part}"))
    PARTS[part](comparison)
