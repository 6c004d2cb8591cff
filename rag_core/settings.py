"""Where things are kept, and how much is accepted."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from platformdirs import user_data_path

from rag_core.datatypes import FirstStage, Settings
from rag_core.errors import BadSetting, EmptyQuery, EmptyText, QueryTooLong

MAX_QUERY = 1000
LONGEST_TITLE = 200
DEPTHS = (5, 100)
CUTOFFS = (1, 20)
FIRST_STAGES = tuple(stage.value for stage in FirstStage)
CHROMA_CLOUD = "https://api.trychroma.com"
LIBRARIES = ("private", "shared")
PATIENCE = 20
"""Adaptive depth gives up after so many candidates in a row that did not enter the first places."""


def home() -> Path:
    """Return the folder of the reader's documents: ``RERANK_LAB_HOME``, or a place in the user's data directory."""
    chosen = _set("HOME")
    return Path(chosen).expanduser() if chosen else user_data_path("rerank-lab", appauthor=False)


@dataclass(frozen=True, slots=True)
class ChromaServer:
    """A Chroma server; without a tenant or a database it says itself which of them it has."""

    url: str
    token: str = field(default="", repr=False)
    tenant: str = ""
    database: str = ""


def chroma() -> Path | ChromaServer:
    """Return where the indexes are: ``RERANK_LAB_CHROMA``, or a folder in ``home()``.

    The setting is a folder, a server's URL, or ``cloud`` for Chroma Cloud. A server may want more of them: ``_TOKEN``,
    ``_TENANT`` and ``_DATABASE``.

    Raises:
        BadSetting: it is a URL that leads nowhere.
    """
    chosen = _set("CHROMA")
    if chosen == "cloud":
        chosen = CHROMA_CLOUD
    if "://" not in chosen:
        return Path(chosen).expanduser() if chosen else home() / "chroma"
    if not _is_server(chosen):
        shown = chosen.rpartition("@")[2]  # a password stands before it
        raise BadSetting(
            f"RERANK_LAB_CHROMA is {shown!r}; use a folder, http://host:port, https://host or cloud",
            setting="RERANK_LAB_CHROMA",
            value=shown,
            limit="http://host:port, https://host, cloud",
        )
    return ChromaServer(chosen.rstrip("/"), _set("CHROMA_TOKEN"), _set("CHROMA_TENANT"), _set("CHROMA_DATABASE"))


def _set(name: str) -> str:
    return os.environ.get(f"RERANK_LAB_{name}", "").strip()


def _is_server(url: str) -> bool:
    """Say whether a URL names a host, and no password: that is what the token is for."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in url and parts.port != 0
    except ValueError:
        return False


def library(loopback: bool, forwarded: bool) -> str:
    """Return whose documents a reader sees: ``private``, their own of this visit, or ``shared``, all there are.

    ``RERANK_LAB_LIBRARY`` says which. Unset, only a reader on this machine shares: the server is bound to ``loopback``
    and the request was not ``forwarded`` by a proxy.

    Raises:
        BadSetting: it is neither, or ``shared`` on a server that listens beyond loopback.
    """
    chosen = os.environ.get("RERANK_LAB_LIBRARY", "").strip() or ("shared" if loopback and not forwarded else "private")
    allowed = LIBRARIES if loopback else LIBRARIES[:1]
    if chosen not in allowed:
        raise BadSetting(
            f"RERANK_LAB_LIBRARY is {chosen!r}; allowed here: {', '.join(allowed)}",
            setting="RERANK_LAB_LIBRARY",
            value=chosen,
            limit=", ".join(allowed),
        )
    return chosen


def check_query(query: str) -> str:
    """Return the question without surrounding space.

    Raises:
        EmptyQuery: there is none.
        QueryTooLong: it has more than ``MAX_QUERY`` characters.
    """
    query = " ".join(query.split())
    if not query:
        raise EmptyQuery("the question is empty: type one")
    if len(query) > MAX_QUERY:
        raise QueryTooLong(
            f"the question has {len(query)} characters; at most {MAX_QUERY} are read: shorten it",
            length=len(query),
            limit=MAX_QUERY,
        )
    return query


def check_text(text: str) -> str:
    """Return a text that stands for a chunk, without surrounding space.

    Raises:
        EmptyText: there is none.
    """
    text = text.strip()
    if not text:
        raise EmptyText("the text is empty: type one")
    return text


def check(settings: Settings) -> Settings:
    """Return the settings.

    Raises:
        BadSetting: depth or cutoff is out of range, or there is no such first stage.
    """
    if settings.first_stage not in FIRST_STAGES:
        raise BadSetting(
            f"first_stage is {settings.first_stage!r}; choose from {', '.join(FIRST_STAGES)}",
            setting="first_stage",
            value=settings.first_stage,
            limit=", ".join(FIRST_STAGES),
        )
    for name, value, (lowest, highest) in (
        ("depth", settings.depth, DEPTHS),
        ("cutoff", settings.cutoff, CUTOFFS),
    ):
        if not lowest <= value <= highest:
            raise BadSetting(
                f"{name} is {value}; choose from {lowest} to {highest}",
                setting=name,
                value=value,
                limit=f"{lowest}–{highest}",
            )
    return settings
