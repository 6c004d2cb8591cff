"""The switch between light, dark and what the reader's system has; and in what language the page speaks."""

from pathlib import Path

import streamlit as st

from pages.ui.shell.i18n import language, t

HERE = Path(__file__).parent
HTML, STYLE, SCRIPT = ((HERE / f"theme.{kind}").read_text(encoding="utf-8") for kind in ("html", "css", "js"))


def switch(page: str, pages: list[str]) -> None:
    """Let the reader choose a theme, for every page: ``pages`` are their paths, and ``page`` is the one shown."""
    draw = st.components.v2.component("theme", html=HTML, css=STYLE, js=SCRIPT)
    names = {"System": t("theme.system"), "Light": t("theme.light"), "Dark": t("theme.dark")}
    uploads = {word: t(f"upload.{word}") for word in ("choose", "drop")}
    data = {"language": language(), "label": t("theme.label"), "names": names, "page": page, "pages": pages}
    # In a list: in a dict Streamlit looks for tables, and loads pandas to know one.
    draw(data=[data | {"uploads": uploads}], key="theme", width="content")
