"""Models and what is measured of them, kept between reruns. Failures are never kept."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import psutil
import streamlit as st

from pages.ui.shell import cached, state
from rag_core import presence
from rag_core.datatypes import Comparison, Settings
from rag_core.explaining import probe
from rag_core.models import baseline as unrelated
from rag_core.models import catalog, parts, selftest, tokens
from rag_core.models.embed import AskedOnce, Embedder, load_embedder
from rag_core.models.parts import Cut
from rag_core.models.rerank import CrossEncoderReranker, Reranker, bundled_weights, load_reranker, server_of
from rag_core.servers import llm
from rag_core.workshop.waiting import Line


def embedder(model_id: str, how: llm.LLMSettings) -> Embedder:
    """Return an embedder; one that uses a visitor's key or server is made for that visitor alone."""
    if catalog.find(catalog.EMBEDDERS, model_id).kind == "server":
        return load_embedder(model_id, state.embedding_server())
    if catalog.find(catalog.EMBEDDERS, model_id).kind == "openai":
        return load_embedder(model_id, how)
    return shared_embedder(model_id)


@st.cache_resource(show_spinner=False, max_entries=3)
def shared_embedder(model_id: str) -> Embedder:
    return AskedOnce(load_embedder(model_id))


@st.cache_data(show_spinner=False, max_entries=50)
def vector_length(model_id: str) -> int:
    """Return the length of a bundled embedder's vectors."""
    return shared_embedder(model_id).embed_queries(["?"]).shape[1]


def reranker(model_id: str) -> Reranker:
    """Return a reranker; one on a visitor's server is made for that visitor alone."""
    if catalog.leaves(catalog.RERANKERS, model_id):
        return load_reranker(model_id, state.rerank_server())
    return loaded_reranker(model_id)[0]


def megabytes(model_id: str) -> float:
    """Return by how many MB this process grew while the reranker was loaded; one on a server takes none."""
    return 0 if catalog.leaves(catalog.RERANKERS, model_id) else loaded_reranker(model_id)[1]


def bundled(lines: Sequence[catalog.Line], model_id: str) -> catalog.Line | None:
    """Return a model's line in the catalogue where it is a bundled one."""
    return next((line for line in lines if line.id == model_id and line.kind == "onnx"), None)


def kept_under(model_id: str) -> str:
    """Return the name under which a bundled reranker's scores are kept, without loading it; nothing for any other."""
    line = bundled(catalog.RERANKERS, model_id)
    return bundled_weights(line) if line else ""


def cut(model_id: str, load: bool) -> Cut | None:
    """Return what says which parts of a text a reranker reads; None where it is no bundled one, nor to be loaded."""
    line = bundled(catalog.RERANKERS, model_id)
    if line:
        return partial(parts.texts, limit=line.pair_tokens, encode=tokens.encoding(line.folder))
    loaded = loaded_reranker(model_id)[0] if load else None
    if not isinstance(loaded, CrossEncoderReranker):
        return None
    return partial(parts.texts, limit=loaded.limit, encode=loaded.encode)


def rerank_address(model_id: str) -> str:
    """Return where a reranker's texts are sent, as it may be shown; nothing where no server is set."""
    return server_of(catalog.find(catalog.RERANKERS, model_id), state.rerank_server()).shown


@st.cache_resource(show_spinner=False, max_entries=4)
def loaded_reranker(model_id: str) -> tuple[Reranker, float]:
    process = psutil.Process()
    before = process.memory_info().rss
    return load_reranker(model_id), max(0, process.memory_info().rss - before) / 2**20


def self_test(model_id: str) -> selftest.SelfTest:
    tried = reranker(model_id)
    return tested(tried.weights, tried)


@st.cache_resource(show_spinner=False, max_entries=50)
def tested(weights: str, _reranker: Reranker) -> selftest.SelfTest:
    return selftest.check(_reranker)


def ready(model_id: str) -> Reranker:
    """Load a reranker and try it before any of its scores is shown."""
    loaded = reranker(model_id)
    with presence.asked(state.still_here):  # others at the same server wait until it is tried
        self_test(model_id)
    return loaded


def line(model_id: str) -> Line:
    """Return the line of those who wait for a reranker; who has a server of their own waits for nobody else's."""
    if not catalog.leaves(catalog.RERANKERS, model_id):
        return line_before(model_id, "", "")
    where = server_of(catalog.find(catalog.RERANKERS, model_id), state.rerank_server())
    return line_before(model_id, where.address, where.key)


@st.cache_resource(show_spinner=False, max_entries=200)
def line_before(model_id: str, address: str, key: str) -> Line:
    return Line()


def baseline(comparison: Comparison, model: str) -> unrelated.Baseline | None:
    """Return what a comparison's ``reranker`` or ``embedder`` gives unrelated texts; None for one paid by the text."""
    return baseline_for(comparison.doc_id, comparison.query, comparison.settings, model)


def baseline_for(doc_id: str, query: str, how: Settings, model: str) -> unrelated.Baseline | None:
    """Return it for a comparison that is to be made."""
    language = cached.document(doc_id).language
    if model == "reranker":
        if catalog.leaves(catalog.RERANKERS, how.reranker):
            return None
        return reranker_baseline(how.reranker, query, language)
    if catalog.leaves(catalog.EMBEDDERS, how.embedder):
        return None
    return embedder_baseline(how.embedder, query, language)


@st.cache_data(show_spinner=False, max_entries=200)
def reranker_baseline(model_id: str, query: str, language: str) -> unrelated.Baseline:
    return unrelated.measure(language, probe.of_texts(reranker(model_id), query))


@st.cache_data(show_spinner=False, max_entries=200)
def embedder_baseline(model_id: str, query: str, language: str) -> unrelated.Baseline:
    [question] = shared_embedder(model_id).embed_queries([query])
    return unrelated.measure(language, lambda _: unrelated_vectors(model_id, language) @ question)


@st.cache_data(show_spinner=False, max_entries=50)
def unrelated_vectors(model_id: str, language: str) -> np.ndarray:
    """Return the embeddings of the unrelated texts: they are the same whatever is asked."""
    return shared_embedder(model_id).embed_texts(unrelated.UNRELATED[language])
