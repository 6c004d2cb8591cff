"""How to begin where nothing is measured yet: in one press, with a sample that is judged."""

from typing import NoReturn

import streamlit as st

from pages.ui.parts import question_file
from pages.ui.shell import samples, work
from pages.ui.shell.i18n import language, t


def taken() -> bool:
    """Take the sample that was pressed in the last run; say whether there was one."""
    pressed = [spoken for spoken in samples.FILES if st.session_state.get(key_of(spoken))]
    for spoken in pressed:
        work.add_sample(spoken)
    return bool(pressed)


def key_of(spoken: str) -> str:
    return f"evaluate_{spoken}"


def offer() -> None:
    """Offer the bundled samples with their judged questions, the one in the page's language first."""
    with st.container(horizontal=True, key="judged_samples"):
        for spoken in sorted(samples.FILES, key=lambda spoken: spoken != language()):
            label, icon, forget = t(f"evaluate.sample_{spoken}"), ":material/play_arrow:", question_file.forget_added
            st.button(label, key=key_of(spoken), icon=icon, on_click=forget)


def say() -> None:
    """Say what is measured here, and offer to begin."""
    st.markdown(f"**{t('evaluate.nothing')}**")
    st.markdown(t("evaluate.lead"))
    offer()


def stop() -> NoReturn:
    """Say how to begin, with a document of one's own too, and end the page there."""
    say()
    st.caption(t("evaluate.empty"))
    st.stop()
