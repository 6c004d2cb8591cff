"""Every model the app offers, a line each. Any Hugging Face id or local folder works too."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from rag_core.errors import ModelNotOffered, UnknownModel
from rag_core.place import ROOT
from rag_core.settings import environment

BUNDLED = ROOT / "data" / "models"
HUB_ID = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*")
DESCRIPTIONS = ("config.json", "modules.json")
"""A folder without one of these files is no model's."""


def _at_ones_own_machine() -> bool:
    return False


is_visitor: Callable[[], bool] = _at_ones_own_machine
"""Says whether who asks is a visitor of a server, which has no business with its files or what it downloads: whoever
serves visitors sets it."""


@dataclass(frozen=True, slots=True)
class Line:
    """One model. ``size`` is the download in MB. None runs code of its repository.

    ``kind`` is ``onnx`` (bundled), ``sentence-transformers``, ``openai`` or ``server``; ``batch`` is texts per request
    or pass. ``address``, ``form`` and ``key_name``, the setting that holds the key, belong to a reranker on a server;
    where ``address`` is empty the reader gives all three. ``pair_tokens`` are the tokens of question and text together
    that a cross-encoder reads well, 0 for all that it can read: a longer text is scored by its best part.
    """

    id: str
    kind: str
    languages: tuple[str, ...]
    size: int
    licence: str
    query_prefix: str = ""
    text_prefix: str = ""
    batch: int = 32
    address: str = ""
    form: str = ""
    key_name: str = ""
    pair_tokens: int = 0

    @property
    def folder(self) -> Path:
        """Where a bundled model lies."""
        return BUNDLED / self.id


ST, SERVER = "sentence-transformers", "server"
BGE_ZH_QUERY = "为这个句子生成表示以用于检索相关文章："
QWEN_QUERY = "Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery:"
MANY = ("zh", "en", "…")

EMBEDDERS = (
    Line("bilingual-embedder", "onnx", ("zh", "en"), 0, "MIT", "query: ", "passage: "),
    Line("intfloat/multilingual-e5-small", ST, MANY, 471, "MIT", "query: ", "passage: "),
    Line("BAAI/bge-small-zh-v1.5", ST, ("zh",), 96, "MIT", BGE_ZH_QUERY),
    Line("BAAI/bge-large-zh-v1.5", ST, ("zh",), 1300, "MIT", BGE_ZH_QUERY),
    Line("Qwen/Qwen3-Embedding-0.6B", ST, MANY, 1190, "Apache-2.0", QWEN_QUERY),
    Line("text-embedding-3-small", "openai", MANY, 0, "API", batch=100),
    Line("text-embedding-3-large", "openai", MANY, 0, "API", batch=100),
    Line("embedding-server", SERVER, MANY, 0, "API", batch=32),
)

COHERE = ("https://api.cohere.com/v2/rerank", "cohere", "COHERE_API_KEY")
JINA = ("https://api.jina.ai/v1/rerank", "jina", "JINA_API_KEY")
VOYAGE = ("https://api.voyageai.com/v1/rerank", "voyage", "VOYAGE_API_KEY")


def _paid(model_id: str, address: str, form: str, key_name: str) -> Line:
    return Line(model_id, SERVER, MANY, 0, f"{form.capitalize()} API", address=address, form=form, key_name=key_name)


RERANKERS = (
    Line("bilingual-cross-encoder", "onnx", ("zh", "en"), 0, "CC BY-SA 4.0", pair_tokens=160),
    Line("cross-encoder/ms-marco-MiniLM-L6-v2", ST, ("en",), 91, "Apache-2.0"),
    Line("cross-encoder/mmarco-mMiniLMv2-L12-H384-v1", ST, MANY, 471, "Apache-2.0"),
    Line("BAAI/bge-reranker-base", ST, ("zh", "en"), 1110, "MIT"),
    Line("BAAI/bge-reranker-v2-m3", ST, MANY, 2270, "Apache-2.0"),
    Line("mixedbread-ai/mxbai-rerank-base-v2", ST, MANY, 988, "Apache-2.0"),
    Line("Qwen/Qwen3-Reranker-0.6B", ST, MANY, 1190, "Apache-2.0"),
    Line("rerank-server", SERVER, MANY, 0, "API"),
    _paid("rerank-v5.0-fast", *COHERE),
    _paid("rerank-v5.0-pro", *COHERE),
    _paid("jina-reranker-v2-base-multilingual", *JINA),
    _paid("jina-reranker-v3.5", *JINA),
    _paid("rerank-3-lite", *VOYAGE),
    _paid("rerank-3", *VOYAGE),
)


def offered(lines: tuple[Line, ...]) -> tuple[Line, ...]:
    """Return the lines to choose from: a visitor has those that load nothing, and what the host lists."""
    if not is_visitor():
        return lines
    allowed = listed()
    return tuple(line for line in lines if line.kind != ST or line.id in allowed)


def listed() -> tuple[str, ...]:
    """Return the ids and folders that the host allows to visitors beside the bundled models: ``RERANK_LAB_MODELS``."""
    return tuple(name.strip() for name in environment().models.split(",") if name.strip())


def find(lines: tuple[Line, ...], model_id: str) -> Line:
    """Return the catalogue's line, or one made up for a local folder or a Hugging Face id.

    Raises:
        UnknownModel: it is none of the three.
        ModelNotOffered: it is not for visitors; whether there is such a model is not looked at.
    """
    line = next((line for line in lines if line.id == model_id), Line(model_id, ST, (), 0, ""))
    if line not in offered((*lines, line)):
        names = ", ".join(dict.fromkeys([*(line.id for line in offered(lines)), *listed()]))
        raise ModelNotOffered(f"{model_id!r} is not offered on this server", model=model_id, offered=names)
    if line not in lines and not _is_folder(model_id) and not HUB_ID.fullmatch(model_id):
        raise UnknownModel(
            f"{model_id!r} is neither in the list, nor a model's folder on this machine, nor a Hugging Face id "
            "like organisation/name",
            model=model_id,
        )
    return line


def _is_folder(name: str) -> bool:
    """Say whether a name is a folder that holds a model; no other is looked into any further."""
    # os.path.isfile is False for an empty or an endless name, where Path.is_file is True or raises.
    return bool(name.strip()) and any(os.path.isfile(os.path.join(name, file)) for file in DESCRIPTIONS)


def speaks(lines: tuple[Line, ...], model_id: str, language: str) -> bool:
    """Say whether a model was made for a language, or nothing is known of what it was made for."""
    languages = next((line.languages for line in lines if line.id == model_id), ())
    return not languages or bool({language, *MANY[2:]} & set(languages))


def multilingual(lines: tuple[Line, ...]) -> str:
    """Return the first model for many languages that runs on this machine."""
    return next(line.id for line in lines if line.languages == MANY and line.kind == ST)


def leaves(lines: tuple[Line, ...], model_id: str) -> bool:
    """Say whether texts leave this machine for a model; one that is unknown runs nowhere."""
    return any(line.id == model_id and line.kind in ("openai", "server") for line in lines)


def served(line: Line, model: str) -> Line:
    """Return the line of a server's embedder; a model of the catalogue keeps its prefixes wherever it runs."""
    known = next((embedder for embedder in EMBEDDERS if embedder.id == model), line)
    return replace(line, id=model, query_prefix=known.query_prefix, text_prefix=known.text_prefix)
