"""The frame around every page: configuration, defaults, menu, language, and how errors are told."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import streamlit as st

from pages.ui.shell import i18n, state, theme, visits
from pages.ui.shell.i18n import as_code, plain, t
from pages.ui.shell.switch import switch
from rag_core import settings
from rag_core.errors import BadSetting, RerankLabError, ServerError

PAGES = {
    "home": ("app.py", ":material/home:"),
    "documents": ("pages/documents.py", ":material/description:"),
    "compare": ("pages/compare.py", ":material/swap_vert:"),
    "answer": ("pages/answer.py", ":material/forum:"),
    "evaluate": ("pages/evaluate.py", ":material/rule:"),
    "explain": ("pages/explain.py", ":material/troubleshoot:"),
    "workshop": ("pages/workshop.py", ":material/school:"),
    "replay": ("pages/replay.py", ":material/file_open:"),
}
STYLE = Path(__file__).with_name("style.css").read_text(encoding="utf-8")
log = logging.getLogger(__name__)


@contextmanager
def frame(page: str, lead: bool = True) -> Iterator[None]:
    """Draw a page: menu, title and lead, then what is said inside, with whatever goes wrong there told the reader."""
    state.prepare()
    title = t(f"{page}.title")
    st.set_page_config(page_title=f"{title} · Rerank Lab", page_icon="🔀", layout="wide")
    menu(page)
    # The menu shows where one is, a reader by ear has a heading too: one pixel high until the style hides it.
    with st.container(key="page_title", height=1, border=False):
        st.title(title)
        st.components.v2.component("style", css=STYLE, isolate_styles=False)(key="style")
    stay()
    if lead:
        st.caption(t(f"{page}.lead"))
    with errors_shown():
        yield


def stay() -> None:
    """Note that somebody is here; without knowing whose documents are shown, no page goes on."""
    try:
        owner = state.owner()
    except BadSetting as error:
        show_error(error)
        st.stop()
    with errors_shown():
        visits.stay(owner)


def menu(page: str) -> None:
    """Draw the menu above the page: a sidebar would take a quarter of the width that the two tables need."""
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="menu"):
        st.markdown("**Rerank Lab**", width="content")
        with st.container(horizontal=True, gap="xsmall", width="content", key="pages"):
            for name, (path, icon) in PAGES.items():
                st.page_link(path, label=t(f"frame.{name}"), icon=icon, width="content")
        st.space("stretch")
        theme.switch(address(page), [address(name) for name in PAGES])
        switch(t("frame.language"), i18n.LANGUAGES, "lang", labelled=False)


def address(page: str) -> str:
    """Return a page's path below the app's own."""
    return "" if page == "home" else page


def show_error(error: RerankLabError) -> None:
    """Tell a reader what went wrong; a visitor not where on the host, which they could not change either."""
    if of_host(error) and state.owner():
        st.error(t("error.of_host", code=error.code), icon=":material/error:")
        return
    values = {name: plain(value) for name, value in error.values.items()}
    if "command" in values:  # ours, and to be copied
        values["command"] = as_code(str(error.values["command"]))
    if isinstance(error, ServerError):
        values["service"] = t(f"service.{error.values['service']}")
    st.error(t(f"error.{error.code}", **values) + meaning(error), icon=":material/error:")


def of_host(error: RerankLabError) -> bool:
    """Say whether an error is about the host's own files, or the Chroma server behind them."""
    return "folder" in error.values or error.values.get("service") == "chroma"


def meaning(error: RerankLabError) -> str:
    """Return what the setting is that has a wrong value, where it is one of the environment."""
    name = settings.field_of(str(error.values["setting"])) if isinstance(error, BadSetting) else ""
    return "\n\n" + t(f"setting.{name}") if name else ""


@contextmanager
def errors_shown() -> Iterator[None]:
    """Tell the reader what went wrong inside, and leave what is on screen as it is."""
    try:
        yield
    except RerankLabError as error:
        log.info("told the reader: %s", error)
        show_error(error)
    except Exception:  # a reader must never see a traceback; the log has it
        log.exception("unexpected")
        st.error(t("error.unexpected"), icon=":material/error:")
