"""Colours of charts: each mark is told from a light and from a dark page by a contrast of at least 3 to 1."""

import altair as alt

INKS = "#2f2d2b", "#edebe8"
"""What is written on a light page and on a dark one: no single colour has 4.5 to 1 on both."""

INK = alt.ExprRef(f"background && luminance(background) < 0.5 ? '{INKS[1]}' : '{INKS[0]}'")
"""The same as a chart takes it, which alone of all knows the page that it is drawn on."""

BLUE, PALE = "#3274ba", "#7f93ad"
SAME, PICKED = "#8a8f98", "#d97706"
UP, DOWN = "#1a7f4b", "#b3402a"
SERIES = (BLUE, "#2f9e62", "#c2483a", "#8a5cc2", "#0e8f9e", "#b0609a", "#7d8b2b", "#5b6ee0")
"""One after another, where several things of a kind are told apart."""
