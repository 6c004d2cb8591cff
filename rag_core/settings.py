"""Where things are kept, and how much is accepted."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from platformdirs import user_data_path

from rag_core.datatypes import FirstStage, Settings
from rag_core.errors import BadSetting, EmptyQuery, EmptyText, QueryTooLong

if TYPE_CHECKING:
    from rag_core.environment import Environment

MAX_QUERY = 1000
LONGEST_TITLE = 200
VISITOR_DOCUMENTS, VISITOR_BYTES = 20, 200 * 2**20
"""So much may a visitor of a server keep there at a time."""
DEPTHS = (5, 100)
CUTOFFS = (1, 20)
FIRST_STAGES = tuple(stage.value for stage in FirstStage)
PATIENCE = 20
"""Adaptive depth gives up after so many candidates in a row that did not enter the first places."""

CHROMA_CLOUD = "https://api.trychroma.com"


def environment() -> Environment:
    """Return the settings of the environment and of ``.env``, see ``environment.py``.

    Raises:
        BadSetting: one is not what it may be, or ``.env`` is not UTF-8.
    """
    # It takes a tenth of a second, which a start that only prints its help does without.
    from rag_core.environment import read

    return read()


def field_of(name: str) -> str:
    """Return what a setting of the environment is called in the table, and its help text after ``setting.``."""
    from rag_core.environment import FIELDS

    return FIELDS.get(name, "")


def home() -> Path:
    """Return the folder of the reader's documents: ``RERANK_LAB_HOME``, or a place in the user's data directory."""
    chosen = environment().home
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
    known = environment()
    chosen = CHROMA_CLOUD if known.chroma == "cloud" else known.chroma
    if "://" not in chosen:
        return Path(chosen).expanduser() if chosen else home() / "chroma"
    token = known.chroma_token.get_secret_value()
    return ChromaServer(chosen.rstrip("/"), token, known.chroma_tenant, known.chroma_database)


def library(loopback: bool, forwarded: bool) -> str:
    """Return whose documents a reader sees: ``private``, their own of this visit, or ``shared``, all there are.

    ``RERANK_LAB_LIBRARY`` says which. Unset, only a reader on this machine shares: the server is bound to ``loopback``
    and the request was not ``forwarded`` by a proxy.

    Raises:
        BadSetting: it is neither, or ``shared`` on a server that listens beyond loopback.
    """
    chosen = environment().library or ("shared" if loopback and not forwarded else "private")
    if chosen == "shared" and not loopback:
        raise BadSetting.outside("RERANK_LAB_LIBRARY", chosen, "private")
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
        raise BadSetting.outside("first_stage", settings.first_stage, ", ".join(FIRST_STAGES))
    for name, value, (lowest, highest) in (("depth", settings.depth, DEPTHS), ("cutoff", settings.cutoff, CUTOFFS)):
        if not lowest <= value <= highest:
            raise BadSetting.outside(name, value, f"{lowest}–{highest}")
    return settings
