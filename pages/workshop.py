"""Workshop: predict and reveal, alone or in a room; eight lessons; and how both models read."""

import streamlit as st

from pages.ui.shell.frame import frame
from pages.ui.shell.i18n import t
from pages.ui.shell.switch import switch
from pages.ui.workshop import inside, lessons, predict, projector, rooms

PARTS = {"predict": predict.show, "room": rooms.show, "lessons": lessons.show, "inside": inside.show}

with frame("workshop", lead=False):
    if "wall" in st.query_params:
        projector.show(st.query_params["wall"])
        st.stop()
    rooms.arrive()
    names = {part: t(f"workshop.{part}") for part in PARTS}
    PARTS[switch(t("workshop.part"), names, "workshop_part", labelled=False)]()
