"""A comparison as code that repeats it without the app: written from it, shown, and taken along with its chunks."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from pages.ui.shell import cached, models, state, switch
from pages.ui.shell.i18n import t
from rag_core.datatypes import Chunk, Comparison
from rag_core.models import catalog, parts, tokens
from rag_core.models.rerank import CrossEncoderReranker
from rag_core.sharing import code
from rag_core.sharing.code import Cut

state.keep(code_form=next(iter(code.FORMS)))

HEIGHT = 280


def popover(comparison: Comparison, pages: bool) -> None:
    """Offer the code in a popover; with ``pages`` the document is at hand, and all its chunks go with the code."""
    with st.popover(t("result.code"), icon=":material/code:", width="content", key="code_open"):
        if not code.can_be_copied(comparison):
            st.markdown(t("result.code_server"))
            return
        show(comparison, searched(comparison) if pages else None, reads(comparison, pages))


def show(comparison: Comparison, chunks: Sequence[Chunk] | None, cut: Cut | None) -> None:
    form = switch.switch(t("result.code_form"), code.FORMS, "code_form", labelled=False)
    script = code.script(form, comparison, None if chunks is None else len(chunks))
    st.caption(t("result.code_help"))
    with st.container(horizontal=True):
        chunks_of = partial(code.chunks_file, comparison, chunks, cut)
        offer("code_script", script, f"rerank-lab-{form}.py", "text/x-python")
        offer("code_chunks", chunks_of, code.CHUNKS, "application/json")
    st.code(script, language="python", height=HEIGHT)


def offer(key: str, made: str | partial[bytes], name: str, mime: str) -> None:
    st.download_button(t(f"result.{key}"), made, name, mime, key=key, icon=":material/download:", on_click="ignore")


def searched(comparison: Comparison) -> list[Chunk]:
    """Return the chunks that the comparison searched."""
    how = comparison.settings
    chunks = cached.candidates(comparison.doc_id, how.chunks.preset, how.chunks.size, how.chunks.overlap)
    return [chunk for chunk in chunks if not how.within or chunk.doc_id in how.within]


def reads(comparison: Comparison, pages: bool) -> Cut | None:
    """Return what says which parts of a text the cross-encoder reads; None where its tokenizer is not at hand."""
    line = models.bundled(catalog.RERANKERS, comparison.settings.reranker)
    if line:
        return partial(parts.texts, limit=line.pair_tokens, encode=tokens.encoding(line.folder))
    if not pages:
        return None
    reranker = models.loaded_reranker(comparison.settings.reranker)[0]
    if not isinstance(reranker, CrossEncoderReranker):
        return None
    return partial(parts.texts, limit=reranker.limit, encode=reranker.encode)
