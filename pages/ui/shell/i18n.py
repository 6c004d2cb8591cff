"""Say things in the reader's language."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path

import streamlit as st

LANGUAGES = {"en": "English", "zh": "中文"}
LOCALES = Path(__file__).parents[1] / "locales"
SPOKEN: ContextVar[str] = ContextVar("spoken")
MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>$~:&])")
FOUND_UNESCAPED = re.compile(r"://|www\.|@|:[\w-]+(/\w+)?:|<-|->|--|[<>~]=")
"""Links, addresses, icons and arrows: the browser looks for these after the escapes are gone, but not in code."""


@lru_cache
def texts(language: str) -> dict[str, str]:
    return json.loads((LOCALES / f"{language}.json").read_text(encoding="utf-8"))


def first_language() -> str:
    """Return the language of the link that was opened, else the browser's, else the first."""
    if st.query_params.get("lang") in LANGUAGES:
        return st.query_params["lang"]
    spoken = (st.context.locale or "").lower()
    return next((code for code in LANGUAGES if spoken.startswith(code)), next(iter(LANGUAGES)))


def language() -> str:
    """Return the language that is spoken now: on a page the reader's."""
    return SPOKEN.get(None) or st.session_state["lang"]


@contextmanager
def speaking(spoken: str) -> Iterator[None]:
    """Speak this language inside, with or without a page."""
    before = SPOKEN.set(spoken)
    try:
        yield
    finally:
        SPOKEN.reset(before)


def t(key: str, **values: object) -> str:
    """Return the text of a key with its placeholders filled."""
    return texts(language())[key].format(**values)


def plain(text: object) -> str:
    """Make text that came from outside harmless where a widget reads Markdown."""
    text = " ".join(str(text).split())
    return as_code(text) if FOUND_UNESCAPED.search(text) else escaped(text)


def escaped(text: object) -> str:
    """Escape every sign of Markdown, for a file that no browser looks for links in."""
    return MARKDOWN.sub(r"\\\1", " ".join(str(text).split()))


def as_code(text: str) -> str:
    fence = "`" * (max(map(len, re.findall("`+", text)), default=0) + 1)
    return f"{fence} {text} {fence}"
