"""Explain: why chunks moved, asked of both models."""

import streamlit as st

from pages.ui.explain import baseline, bench, expansions, languages, probe, projection
from pages.ui.shell import empty
from pages.ui.shell.frame import frame
from pages.ui.shell.i18n import t
from pages.ui.shell.switch import switch

PARTS = {
    "why": probe.show,
    "bench": bench.show,
    "map": projection.show,
    "languages": languages.show,
    "expansions": expansions.show,
    "baseline": baseline.show,
}

with frame("explain", lead=False):
    comparison = empty.comparison_or_stop(t("explain.empty"))
    st.text(comparison.query)
    names = {part: t(f"explain.part_{part}") for part in PARTS}
    part = switch(t("explain.part"), names, "explain_part", labelled=False)
    st.caption(t(f"explain.help_{part}"))
    PARTS[part](comparison)
