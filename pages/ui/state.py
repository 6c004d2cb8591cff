"""What a visitor has chosen: one table of defaults, kept from page to page."""

import secrets
from collections.abc import Sequence

import streamlit as st

from pages.ui import i18n
from rag_core.datatypes import ChunkSettings, Settings
from rag_core.metrics import MAIN

HOW = Settings()
DEFAULTS: dict[str, object] = {
    "lang": None,
    "doc_id": None,
    "preset": HOW.chunks.preset,
    "size": HOW.chunks.size,
    "overlap": HOW.chunks.overlap,
    "question": "",
    "depth": HOW.depth,
    "cutoff": HOW.cutoff,
    "adaptive": HOW.adaptive,
    "first_stage": HOW.first_stage,
    "judge": "",
    "rerankers": [HOW.reranker],
    "panel_stages": ["vector", "bm25", "fused"],
    "panel_models": [HOW.reranker],
    "panel_question": None,
    "ceiling_question": None,
    "chosen_question": "",
    "judged_question": "",
    "judged_chunk": "",
    "shown_system": None,
    "shown_measure": MAIN,
    "evaluation": None,
    "evaluating": False,
    "ceiling": None,
    "panel": None,
    "added": "",
    "typed": "",
    "suggested": [],
    "kept": [],
    "embedder": HOW.embedder,
    "embedder_other": "",
    "reranker": HOW.reranker,
    "reranker_other": "",
    "answer_source": "extractive",
    "llm_key": "",
    "llm_url": "",
    "llm_model": "",
    "picked": None,
    "comparison": None,
    "answers": None,
    "autorun": False,
    "explain_part": "why",
    "probe_unit": "clause",
    "probe_stopped": None,
    "bench_target": "text",
    "bench_text": "",
    "bench_of": None,
    "bench_kind": None,
    "bench_log": [],
    "map_layout": "pca",
    "other_question": "",
    "other_question_of": None,
    "two_languages": None,
    "workshop_part": "predict",
    "game": None,
    "game_scores": {},
    "deal_now": False,
    "teaching": None,
    "taught": None,
    "joined": None,
    "arrived": False,
    "inside_chunk": None,
    "gate_page": None,
    "shown_chunk": None,
    "shown_source": None,
}
OVERLAPS = (0, 1000)
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def prepare() -> None:
    """Give every key its default; assigning it again keeps it alive when its widget is not on the page."""
    for key, value in DEFAULTS.items():
        st.session_state[key] = st.session_state.get(key, value)
    if st.session_state["lang"] not in i18n.LANGUAGES:
        st.session_state["lang"] = i18n.first_language()


def settle(key: str, options: Sequence, first: object = None) -> None:
    """Give a select box one of its options before it is drawn: ``first``, or the first there is."""
    if st.session_state[key] not in options:
        st.session_state[key] = first if first in options else options[0]


def chunk_settings() -> ChunkSettings:
    return ChunkSettings(st.session_state["preset"], st.session_state["size"], st.session_state["overlap"])


def use_chunks(how: ChunkSettings) -> None:
    st.session_state.update(preset=how.preset, size=how.size, overlap=how.overlap)


def chosen(role: str) -> str:
    """Return the model chosen for a role, ``embedder`` or ``reranker``: what was typed goes before the list."""
    return st.session_state[f"{role}_other"].strip() or st.session_state[role]


def settings() -> Settings:
    return Settings(
        embedder=chosen("embedder"),
        reranker=chosen("reranker"),
        chunks=chunk_settings(),
        depth=st.session_state["depth"],
        cutoff=st.session_state["cutoff"],
        adaptive=st.session_state["adaptive"],
        first_stage=st.session_state["first_stage"],
    )


def owner() -> str:
    """Return whose documents this visitor sees: everybody's on their own machine, on a server their session's."""
    if st.get_option("server.address") in LOOPBACK:
        return ""
    return st.session_state.setdefault("owner", secrets.token_hex(16))


def suggest(expansions: list) -> None:
    """Offer expansions, all of them chosen."""
    st.session_state["suggested"] = expansions
    st.session_state["kept"] = list(range(len(expansions)))


def expansions(typed: list) -> list:
    """Return what was typed and the suggestions that are still chosen, in that order, each once."""
    chosen_ones = [st.session_state["suggested"][i] for i in st.session_state["kept"]]
    return list({expansion.text: expansion for expansion in (*typed, *chosen_ones)}.values())


def take_suggestions() -> None:
    """Show suggestions made in the last run: a widget's value can only be set before the widget is drawn."""
    if "pending_suggestions" in st.session_state:
        suggest(st.session_state.pop("pending_suggestions"))
