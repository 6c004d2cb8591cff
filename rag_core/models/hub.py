"""Load a model with sentence-transformers: from a local folder, from the cache, or from the Hugging Face hub."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from rag_core.errors import HubUnreachable, ModelsMissing, ModelUnusable, UnknownModel
from rag_core.extras import MODELS
from rag_core.models.onnx_model import characters_read

if TYPE_CHECKING:
    from tokenizers import Encoding

Model = TypeVar("Model")
HUB_SECONDS = 5.0
MOST_FILES = 1000
NO_LIMIT = 1_000_000  # a model without a limit says an endless number
PRECISE = {"dtype": "float32"}
"""How weights are loaded. In 16 bits, as larger ones are kept, close scores are equal, and a text's changes with those
beside it."""
log = logging.getLogger(__name__)


def load(model_id: str, build: Callable[[bool], Model]) -> Model:
    """Return ``build(local_files_only)``: without the network when the files are here, else after asking the hub.

    Raises:
        ModelsMissing: sentence-transformers or torch is not installed.
        UnknownModel: the hub has no such model, or could not have one of that name.
        HubUnreachable: the model is not on this machine and the hub does not answer.
        ModelUnusable: the files are here but cannot be loaded.
    """
    _check_packages(model_id)
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    if Path(model_id).is_dir():
        return _built(model_id, build, local_files_only=True)
    if cached(model_id):
        try:
            return _built(model_id, build, local_files_only=True)
        except ModelUnusable:
            log.info("%s is here in part only: the rest is fetched", model_id)
    ask_hub(model_id)
    return _built(model_id, build, local_files_only=False)


def _check_packages(model_id: str) -> None:
    if not MODELS.is_installed():
        raise ModelsMissing(
            f"{model_id!r} is loaded by sentence-transformers, which is not installed: run {MODELS.command}, "
            "or choose a bundled model or one on a server",
            model=model_id,
            command=MODELS.command,
        )


def cached(model_id: str) -> bool:
    """Say whether a model's configuration is here already, and so perhaps the rest.

    Raises:
        UnknownModel: no model can have this id.
    """
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        return isinstance(try_to_load_from_cache(model_id, "config.json"), str)
    except HFValidationError as error:
        raise UnknownModel(f"{model_id!r} cannot be the id of a Hugging Face model", model=model_id) from error


def ask_hub(model_id: str) -> None:
    """Make one short request first: the loading library would go on retrying for most of a minute."""
    import httpx2
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

    try:
        HfApi().model_info(model_id, timeout=HUB_SECONDS)
    except (HfHubHTTPError, OSError, httpx2.TransportError) as error:
        log.info("asking the hub for %s: %s", model_id, error)
        # Asked without a token, the hub says 401 for what it does not have; mirrors of it pass that on.
        if isinstance(error, HfHubHTTPError) and error.response.status_code in (401, 403, 404):
            raise UnknownModel(f"the Hugging Face hub has no open model {model_id!r}", model=model_id) from error
        raise HubUnreachable(
            f"{model_id!r} is not on this machine and the Hugging Face hub cannot be reached: "
            "choose a bundled model, or connect to the internet and try again",
            model=model_id,
        ) from error


def _built(model_id: str, build: Callable[[bool], Model], local_files_only: bool) -> Model:
    try:
        return build(local_files_only)
    except Exception as error:  # the libraries raise anything from KeyError to SafetensorError for bad files
        log.info("loading %s", model_id, exc_info=error)
        reason = " ".join(f"{type(error).__name__} {error}".split())[:200]
        raise _unusable(model_id, reason) from error


def limit(model: Any) -> int:
    """Return how many tokens a loaded model reads."""
    return min(model.max_seq_length or NO_LIMIT, NO_LIMIT)


def template_tokens(model: Any) -> int:
    """Return how many tokens a cross-encoder reads of each pair that are neither question nor text.

    Raises:
        ValueError: it is a chat model whose template has no place for a question and a text.
    """
    prompt = model.prompts.get(model.default_prompt_name)
    asked = model.preprocess([("a", "a")], prompt=prompt)["input_ids"]
    return asked.shape[1] - count_tokens(model, ["a"], ["a"])[0]


def reads(model: Any, text: str) -> int:
    """Return how many characters of a text a loaded model reads before its limit."""
    encoded = model.tokenizer(text, truncation=True, max_length=limit(model))
    return characters_read(encoded.encodings[0], text)


def count_tokens(model: Any, *columns: Sequence[str]) -> list[int]:
    """Count the tokens that a loaded model reads of each text, or of each pair of two columns."""
    encoded = model.tokenizer(*map(list, columns), truncation=True, max_length=limit(model))
    return [len(ids) for ids in encoded["input_ids"]]


def encode(model: Any, pairs: Sequence[tuple[str, str]]) -> Sequence[Encoding]:
    """Return the tokens of each pair, none cut off, and where they stand.

    Raises:
        ModelUnusable: the tokenizer does not say where tokens stand.
    """
    queries, texts = zip(*pairs, strict=True) if pairs else ((), ())
    encoded = model.tokenizer(list(queries), list(texts), truncation=False, verbose=False).encodings
    if encoded is None:
        kind = type(model.tokenizer).__name__
        raise ModelUnusable(f"{kind} does not say where tokens stand: choose another model", model=kind, reason=kind)
    return encoded


def weights_id(model_id: str) -> str:
    """Return a name for the weights: a folder's files may be replaced, so their sizes and times belong to its name.

    Raises:
        ModelUnusable: the folder holds more than ``MOST_FILES`` entries, as no model's does, or cannot be read.
    """
    if not Path(model_id).is_dir():
        return model_id
    try:
        entries = list(islice(Path(model_id).rglob("*"), MOST_FILES + 1))
        facts = [
            (file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in sorted(entries) if file.is_file()
        ]
    except OSError as error:
        raise _unusable(model_id, str(error)) from error
    if len(entries) > MOST_FILES:
        raise _unusable(model_id, f"> {MOST_FILES} files")
    return f"{Path(model_id).resolve()}#{hashlib.sha256(repr(facts).encode()).hexdigest()[:12]}"


def _unusable(model_id: str, reason: str) -> ModelUnusable:
    return ModelUnusable(f"{model_id!r} cannot be loaded: {reason}", model=model_id, reason=reason)
