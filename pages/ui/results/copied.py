"""A comparison as code that repeats it without the app: written from it, shown, and taken along with its chunks."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from pages.ui.shell import cached, models, state, switch
from pages.ui.shell.i18n import t
from rag_core.datatypes import Chunk, Comparison
from rag_core.models.parts import Cut
from rag_core.sharing import code

state.keep(code_form=next(iter(code.FORMS)))

HEIGHT = 280


def popover(comparison: Comparison, pages: bool) -> None:
    """Offer the code in a popover; with ``pages`` the document is at hand, and all its chunks go with the code."""
    with st.popover(t("result.code"), icon=":material/code:", width="content", key="code_open"):
        if not code.can_be_copied(comparison):
            st.markdown(t("result.code_server"))
            return
        show(comparison, searched(comparison) if pages else None, models.cut(comparison.settings.reranker, pages))


def show(comparison: Comparison, chunks: Sequence[Chunk] | None, cut: Cut | None) -> None:
    form = switch.switch(t("result.code_form"), code.FORMS, "code_form", labelled=False)
    script = code.script(form, comparison, None if chunks is None else len(chunks))
    st.caption(t("result.code_help"))
    with st.container(horizontal=True):
        chunks_of = partial(code.chunks_file, comparison, chunks, cut)
        offer(t("result.code_script"), script, f"rerank-lab-{form}.py", "text/x-python")
        offer(t("result.code_chunks"), chunks_of, code.CHUNKS, "application/json")
    st.code(script, language="python", height=HEIGHT)


def offer(label: str, made: str | partial[bytes], name: str, mime: str) -> None:
    st.download_button(label, made, name, mime, icon=":material/download:", on_click="ignore")


def searched(comparison: Comparison) -> list[Chunk]:
    """Return the chunks that the comparison searched."""
    how = comparison.settings
    chunks = cached.candidates(comparison.doc_id, how.chunks.preset, how.chunks.size, how.chunks.overlap)
    return [chunk for chunk in chunks if not how.within or chunk.doc_id in how.within]
