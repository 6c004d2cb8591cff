"""A warning where a document is in a language that the models were not made for, with what to do."""

import streamlit as st

from pages.ui.shell import cached, state
from pages.ui.shell.i18n import LANGUAGES, plain, t
from rag_core.datatypes import Document
from rag_core.models import catalog
from rag_core.reading.language import KNOWN

ROLES = (("embedder", catalog.EMBEDDERS), ("reranker", catalog.RERANKERS))


def name(code: str) -> str:
    """Return the name of a language; those of the interface are called as they call themselves."""
    return LANGUAGES.get(code) or t(f"language.{code}")


def languages(document: Document) -> list[str]:
    """Return the languages of what is searched that the bundled models were not made for, each once."""
    spoken = dict.fromkeys(cached.language(part) for part in document.parts)
    return [code for code in spoken if code not in KNOWN]


def warn(document: Document) -> None:
    """Warn that the bundled models were not made for a document's language."""
    foreign = languages(document)
    if foreign:
        warning("foreign.bundled", foreign)


def warn_of_chosen(document: Document) -> None:
    """Warn that the models which are chosen were not made for a document's language."""
    foreign = languages(document)
    chosen = {state.chosen(role): lines for role, lines in ROLES}
    strangers = [
        model for model, lines in chosen.items() if not all(catalog.speaks(lines, model, code) for code in foreign)
    ]
    if strangers:
        warning("foreign.chosen", foreign, models=", ".join(map(plain, strangers)))


def warning(key: str, foreign: list[str], **values: str) -> None:
    better = {role: catalog.multilingual(lines) for role, lines in ROLES}
    named = t("foreign.and").join(map(name, foreign))
    st.warning(t(key, language=named, **values, **better), icon=":material/translate:")
