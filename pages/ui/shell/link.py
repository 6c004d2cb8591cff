"""Put a comparison into the page's address and take it out again, so that a link reproduces it."""

from collections.abc import Callable

import streamlit as st

from pages.ui.shell import state
from pages.ui.shell.i18n import LANGUAGES, t
from rag_core.datatypes import Comparison, Expansion
from rag_core.models import catalog
from rag_core.reading.chunk import PRESETS, SIZES
from rag_core.search.expand import LONGEST_EXPANSION, MOST_EXPANSIONS
from rag_core.settings import CUTOFFS, DEPTHS, FIRST_STAGES, MAX_QUERY

Taker = Callable[[str], bool]
"""Takes a value of the address, and says whether it fits."""

ORIGINS = ("typed", "llm", "feedback")
MOST_IN_LINK, LONGEST_IN_LINK = 2 * MOST_EXPANSIONS, MAX_QUERY + LONGEST_EXPANSION


def write(comparison: Comparison) -> None:
    """Put a comparison into the address, which is not to be read again in this visit."""
    st.session_state["link_was_read"] = True
    st.query_params.from_dict(parameters(comparison))


def parameters(comparison: Comparison) -> dict[str, str | list[str]]:
    """Return what stands in the address of a comparison."""
    how = comparison.settings
    return {
        "doc": comparison.doc_id,
        "within": list(how.within),
        "q": comparison.query,
        "x": [f"{expansion.origin}:{expansion.text}" for expansion in comparison.expansions],
        "depth": str(how.depth),
        "cutoff": str(how.cutoff),
        "adaptive": str(int(how.adaptive)),
        "first": how.first_stage,
        "chunks": f"{how.chunks.preset}-{how.chunks.size}-{how.chunks.overlap}",
        "embedder": how.embedder,
        "reranker": how.reranker,
        "lang": st.session_state["lang"],
    }


def read() -> None:
    """Fill the form from the address, once a visit. What does not fit is left out and said.

    The comparison runs by itself only with the bundled models: a link must not make this machine fetch a model.
    """
    if st.session_state.get("link_was_read") or "q" not in st.query_params:
        return
    st.session_state["link_was_read"] = True
    refused = [name for name, take in TAKERS.items() if name in st.query_params and not take(st.query_params[name])]
    if not take_expansions(st.query_params.get_all("x")):
        refused.append("x")
    st.session_state["within"] = st.query_params.get_all("within")
    if refused:
        st.warning(t("link.refused", names=", ".join(refused)), icon=":material/link_off:")
    bundled = {line.id for line in (*catalog.EMBEDDERS, *catalog.RERANKERS) if line.kind == "onnx"}
    st.session_state["autorun"] = {state.chosen("embedder"), state.chosen("reranker")} <= bundled
    if not st.session_state["autorun"]:
        st.info(t("link.press"), icon=":material/link:")


def take_expansions(entries: list[str]) -> bool:
    """Take what fits; each expansion is a search more, so a link may not hold endlessly many."""
    linked = [Expansion(text, origin) for origin, _, text in (entry.partition(":") for entry in entries)]
    known = list(filter(fits_in_link, linked))[:MOST_IN_LINK]
    st.session_state["typed"] = "\n".join(expansion.text for expansion in known if expansion.origin == "typed")
    state.suggest([expansion for expansion in known if expansion.origin != "typed"])
    return known == linked


def fits_in_link(expansion: Expansion) -> bool:
    return expansion.origin in ORIGINS and 0 < len(expansion.text) <= LONGEST_IN_LINK


def take_text(key: str) -> Taker:
    def take(value: str) -> bool:
        st.session_state[key] = value
        return True

    return take


def take_model(role: str, lines: tuple[catalog.Line, ...]) -> Taker:
    def take(value: str) -> bool:
        listed = any(line.id == value for line in lines)
        fits = listed or bool(catalog.HUB_ID.fullmatch(value))
        if fits:
            st.session_state[role if listed else f"{role}_other"] = value
        return fits

    return take


def take_number(key: str, bounds: tuple[int, int]) -> Taker:
    def take(value: str) -> bool:
        fits = value.isascii() and value.isdigit() and len(value) < 9 and bounds[0] <= int(value) <= bounds[1]
        if fits:
            st.session_state[key] = int(value)
        return fits

    return take


def take_choice(key: str, choices: tuple[str, ...]) -> Taker:
    def take(value: str) -> bool:
        if value in choices:
            st.session_state[key] = value
        return value in choices

    return take


def take_switch(key: str) -> Taker:
    def take(value: str) -> bool:
        fits = value in ("0", "1")
        if fits:
            st.session_state[key] = value == "1"
        return fits

    return take


def take_chunks(value: str) -> bool:
    preset, *numbers = value.split("-")
    digits = len(numbers) == 2 and all(n.isascii() and n.isdigit() and len(n) < 6 for n in numbers)
    if not (digits and preset in PRESETS):
        return False
    size, overlap = map(int, numbers)
    fits = SIZES[0] <= size <= SIZES[1] and overlap <= state.OVERLAPS[1] and (overlap < size or preset != "window")
    if fits:
        st.session_state.update(preset=preset, size=size, overlap=overlap)
    return fits


def take_language(value: str) -> bool:
    """Say whether the language fits; ``state.prepare`` took it, for the switch is drawn by now."""
    return value in LANGUAGES


TAKERS = {
    "doc": take_text("doc_id"),
    "q": take_text("question"),
    "depth": take_number("depth", DEPTHS),
    "cutoff": take_number("cutoff", CUTOFFS),
    "adaptive": take_switch("adaptive"),
    "first": take_choice("first_stage", FIRST_STAGES),
    "chunks": take_chunks,
    "embedder": take_model("embedder", catalog.EMBEDDERS),
    "reranker": take_model("reranker", catalog.RERANKERS),
    "lang": take_language,
}
