"""The table of settings: what each is called in the environment, what it may be, and what it is where nobody set it.

All are read alike, from the environment and then from ``.env`` in the working directory; blank ones are not set. The
help text of a setting is ``setting.`` and its name here, in the locales. The reader's own choices, which no environment
sets, have their ranges in ``settings.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from rag_core.errors import BadSetting

RERANK_FORMS = ("cohere", "jina", "voyage", "tei", "vllm", "infinity")
CHROMA_PLACES = "http://host:port, https://host, cloud"
NO_KEY = SecretStr("")


def _one_of(*choices: str) -> Callable[[str], str]:
    def checked(chosen: str) -> str:
        if chosen not in choices:
            raise ValueError(", ".join(choices))
        return chosen

    return checked


def _is_server(url: str) -> bool:
    """Say whether a URL names a host, and no password: that is what the token is for."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in url and parts.port != 0
    except ValueError:
        return False


def _place(chosen: str) -> str:
    if "://" in chosen and not _is_server(chosen):
        raise ValueError(CHROMA_PLACES)
    return chosen


LibraryKind = Annotated[str, AfterValidator(_one_of("private", "shared"))]
RerankForm = Annotated[str, AfterValidator(_one_of(*RERANK_FORMS))]
ChromaPlace = Annotated[str, AfterValidator(_place)]


class Environment(BaseSettings):
    """The settings of the environment; keys are shown by ``values`` alone."""

    model_config = SettingsConfigDict(
        env_file=".env",
        # Editors on Windows begin the file with a byte order mark.
        env_file_encoding="utf-8-sig",
        env_ignore_empty=True,
        case_sensitive=True,
        extra="ignore",
        validate_default=False,
        frozen=True,
        hide_input_in_errors=True,
    )

    home: str = Field(default="", alias="RERANK_LAB_HOME")
    library: LibraryKind = Field(default="", alias="RERANK_LAB_LIBRARY")
    models: str = Field(default="", alias="RERANK_LAB_MODELS")

    chroma: ChromaPlace = Field(default="", alias="RERANK_LAB_CHROMA")
    chroma_token: SecretStr = Field(default=NO_KEY, alias="RERANK_LAB_CHROMA_TOKEN")
    chroma_tenant: str = Field(default="", alias="RERANK_LAB_CHROMA_TENANT")
    chroma_database: str = Field(default="", alias="RERANK_LAB_CHROMA_DATABASE")

    rerank_url: str = Field(default="", alias="RERANK_LAB_RERANK_URL")
    rerank_form: RerankForm = Field(default="", alias="RERANK_LAB_RERANK_FORM")
    rerank_model: str = Field(default="", alias="RERANK_LAB_RERANK_MODEL")
    rerank_key: SecretStr = Field(default=NO_KEY, alias="RERANK_LAB_RERANK_KEY")
    cohere_key: SecretStr = Field(default=NO_KEY, alias="COHERE_API_KEY")
    jina_key: SecretStr = Field(default=NO_KEY, alias="JINA_API_KEY")
    voyage_key: SecretStr = Field(default=NO_KEY, alias="VOYAGE_API_KEY")

    embed_url: str = Field(default="", alias="RERANK_LAB_EMBED_URL")
    embed_model: str = Field(default="", alias="RERANK_LAB_EMBED_MODEL")
    embed_key: SecretStr = Field(default=NO_KEY, alias="RERANK_LAB_EMBED_KEY")

    llm_key: SecretStr = Field(default=NO_KEY, alias="OPENAI_API_KEY")
    llm_url: str = Field(default="", alias="OPENAI_BASE_URL")
    llm_model: str = Field(default="gpt-4o-mini", alias="RERANK_LAB_LLM_MODEL")

    serve_key: SecretStr = Field(default=NO_KEY, alias="RERANK_LAB_SERVE_KEY")

    @model_validator(mode="before")
    @classmethod
    def _without_blanks(cls, given: dict[str, Any]) -> dict[str, Any]:
        return {name: value.strip() for name, value in given.items() if value and value.strip()}

    def values(self) -> dict[str, str]:
        """Return what is set, by environment name, keys in plain: for a client or a process of ours, for no log."""
        plain = {alias: _plain(getattr(self, name)) for alias, name in FIELDS.items()}
        return {alias: value for alias, value in plain.items() if value}


FIELDS = {str(field.alias): name for name, field in Environment.model_fields.items()}
"""The name here of each setting, by its environment name."""


def read() -> Environment:
    """Return the settings as they are now.

    Raises:
        BadSetting: one is not what it may be, or ``.env`` is not UTF-8.
    """
    try:
        return Environment()
    except UnicodeDecodeError:
        message = ".env is not UTF-8: save it again as UTF-8"
        raise BadSetting(message, setting=".env", value="≠ UTF-8", limit="UTF-8") from None
    except ValidationError as error:
        [first, *_] = error.errors(include_url=False)
        name, value = str(first["loc"][0]), str(first["input"])
        # A password stands before the @.
        raise BadSetting.outside(name, value.rpartition("@")[2], str(first["ctx"]["error"])) from None


def _plain(value: str | SecretStr) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else value
