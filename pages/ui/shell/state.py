"""What a visitor has chosen: one table of defaults, kept from page to page."""

import re
import secrets
import zlib
from collections.abc import Callable, Iterable, Sequence
from contextvars import ContextVar
from functools import wraps
from typing import ParamSpec

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pages.ui.shell import i18n
from rag_core.datatypes import ChunkSettings, Expansion, FirstStage, Settings
from rag_core.models import catalog
from rag_core.servers.llm import EMBEDDING, LLMSettings
from rag_core.servers.rerank import RerankServer
from rag_core.settings import library

Drawn = ParamSpec("Drawn")

HOW = Settings()
PREPARED: ContextVar[list[str] | None] = ContextVar("PREPARED", default=None)
DEFAULTS: dict[str, object] = {
    "lang": None,
    "doc_id": None,
    "within": [],
    "preset": HOW.chunks.preset,
    "size": HOW.chunks.size,
    "overlap": HOW.chunks.overlap,
    "question": "",
    "depth": HOW.depth,
    "cutoff": HOW.cutoff,
    "adaptive": HOW.adaptive,
    "first_stage": HOW.first_stage.value,
    "typed": "",
    "suggested": [],
    "kept": [],
    "embedder": HOW.embedder,
    "reranker": HOW.reranker,
    "picked": None,
    "comparison": None,
    "answers": None,
    "autorun": False,
}
"""What several screens share; each screen adds its own with ``keep``."""

OVERLAPS = (0, 1000)
LOOPBACK = ("127.0.0.1", "localhost", "::1")
PROXY_HEADERS = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP", "Via")


def keep(**defaults: object) -> None:
    """Add a screen's own keys; a value of theirs lives as long as the visit, on whatever page it was chosen."""
    DEFAULTS.update(defaults)


def prepare() -> None:
    """Give every key its default; assigning it again keeps it alive when its widget is not on the page."""
    for key, value in DEFAULTS.items():
        st.session_state[key] = st.session_state.get(key, value)
    if st.session_state["lang"] not in i18n.LANGUAGES:
        st.session_state["lang"] = i18n.first_language()


def fragment(draw: Callable[Drawn, None], run_every: str | None = None) -> Callable[Drawn, None]:
    """Make a part of a page that is drawn alone when something in it changes.

    After such a run Streamlit forgets the widgets outside the part when the page is left, unless they are assigned too.
    """

    @st.fragment(run_every=run_every)
    @wraps(draw)
    def drawn(*arguments: Drawn.args, **named: Drawn.kwargs) -> None:
        run = get_script_run_ctx()
        asked = run.fragment_ids_this_run if run else None
        if asked and PREPARED.get() is not asked:  # once a run: a part inside of a part comes after widgets
            PREPARED.set(asked)
            prepare()
        draw(*arguments, **named)

    return drawn


def settle(key: str, options: Sequence, first: object = None) -> None:
    """Give a select box one of its options before it is drawn: ``first``, or the first there is."""
    if st.session_state[key] not in options:
        st.session_state[key] = first if first in options else options[0]


def key_of(table: str, rows: Iterable[str]) -> str:
    """Return a key of a table with these rows alone: a selection stays with its row's number when the rows change."""
    return f"{table}:{zlib.crc32(' '.join(rows).encode())}"


def keep_clicked(table: str, name: str, values: Sequence) -> None:
    """Keep the value of the row that was clicked anywhere, in a table that selects single cells."""
    for row, _ in st.session_state[table]["selection"]["cells"]:
        st.session_state[name] = values[row]


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
        first_stage=FirstStage(st.session_state["first_stage"]),
        within=tuple(sorted(st.session_state["within"])),
    )


def owner() -> str:
    """Return whose documents this visitor sees: everybody's on their own machine, on a server their session's.

    Raises BadSetting, see ``settings.library``.
    """
    if library(bound_to_loopback(), forwarded()) == "shared":
        return ""
    return st.session_state.setdefault("owner", secrets.token_hex(16))


def session() -> str:
    """Return which of all open tabs this is; nothing where no page runs."""
    run = get_script_run_ctx()
    return run.session_id if run else ""


def still_here() -> None:
    """End the page's run where its reader has left: nobody sees any more what it draws."""
    if session() and runtime.exists() and not runtime.get_instance().is_active_session(session()):
        st.stop()


catalog.is_visitor = lambda: bool(owner())


def rerank_server() -> RerankServer:
    """Return the rerank server that was typed; on a server a visitor's must not stand in the server's own network."""
    url, form, model, key = (st.session_state[f"rerank_{name}"].strip() for name in ("url", "form", "model", "key"))
    return RerankServer(url, form, model, key, guarded=bool(owner()))


def embedding_server() -> LLMSettings:
    key, url, model = (st.session_state[f"embed_{name}"] for name in ("key", "url", "model"))
    return LLMSettings.from_environment(key, url, model, names=EMBEDDING, guarded=bool(owner()))


def bound_to_loopback() -> bool:
    return st.get_option("server.address") in LOOPBACK


def forwarded() -> bool:
    """Say whether a request came through a proxy, or under a name that is not this machine's own.

    A proxy on this machine connects from loopback, as a reader here does; only what it hands on tells them apart.
    """
    headers = st.context.headers
    addresses = [headers[name] for name in ("Host", "Origin") if name in headers]
    return any(name in headers for name in PROXY_HEADERS) or not all(map(is_own_name, addresses))


def is_own_name(address: str) -> bool:
    return re.sub(r"^https?://|:\d+$", "", address).strip("[]") in LOOPBACK


def suggest(expansions: list[Expansion]) -> None:
    """Offer expansions, all of them chosen."""
    st.session_state["suggested"] = expansions
    st.session_state["kept"] = list(range(len(expansions)))


def expansions(typed: Sequence[Expansion]) -> list[Expansion]:
    """Return what was typed and the suggestions that are still chosen, in that order, each once."""
    chosen_ones = [st.session_state["suggested"][i] for i in st.session_state["kept"]]
    return list({expansion.text: expansion for expansion in (*typed, *chosen_ones)}.values())


def take_suggestions() -> None:
    """Show suggestions made in the last run: a widget's value can only be set before the widget is drawn."""
    if "pending_suggestions" in st.session_state:
        suggest(st.session_state.pop("pending_suggestions"))
