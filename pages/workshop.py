"""Workshop: predict and reveal, alone or in a room; eight lessons; and how both models read."""

import streamlit as st

from pages.ui.shell.frame import errors_shown, frame
from pages.ui.shell.i18n import t
from pages.ui.workshop import inside, lessons, predict, rooms

PARTS = {"predict": predict.show, "room": rooms.show, "lessons": lessons.show, "inside": inside.show}

frame("workshop")
rooms.arrive()
names = {part: t(f"workshop.{part}") for part in PARTS}
st.segmented_control(
    t("workshop.part"),
    list(PARTS),
    key="workshop_part",
    format_func=names.__getitem__,
    required=True,
    label_visibility="collapsed",
)
with errors_shown():
    PARTS[st.session_state["workshop_part"]]()
