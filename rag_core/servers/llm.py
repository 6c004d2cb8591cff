"""Ask a language model behind any OpenAI-compatible server.

The client's own defaults can wait half an hour, some of its failures are not in its own error tree, and a stream that
is cut ends as if it were whole; here each of these becomes one error of ``errors.py``.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rag_core.errors import (
    BadServerAddress,
    KeyMissing,
    KeyRefused,
    LLMBadAnswer,
    LLMBusy,
    LLMError,
    LLMRefused,
    LLMTimeout,
    LLMUnreachable,
    ServerInternal,
)
from rag_core.servers import http

if TYPE_CHECKING:
    import openai

logger = logging.getLogger(__name__)

DEFAULT_ADDRESS = "https://api.openai.com/v1"
DEFAULT_MODEL = "gpt-4o-mini"
LONGEST_QUOTE = 200
CHAT = ("OPENAI_API_KEY", "OPENAI_BASE_URL", "RERANK_LAB_LLM_MODEL")
EMBEDDING = ("RERANK_LAB_EMBED_KEY", "RERANK_LAB_EMBED_URL", "RERANK_LAB_EMBED_MODEL")
"""Names of the settings: key, address, model."""

TALKATIVE = ("openai", "httpx2", "httpcore2")
"""Loggers that write whole addresses and whatever headers a server sends back; both may hold the key."""

Message = Mapping[str, str]
"""``{"role": "system" | "user" | "assistant", "content": ...}``."""


@dataclass(frozen=True, slots=True)
class LLMSettings:
    """Where the language model is and how to enter. ``base_url`` includes the ``/v1``; None is OpenAI itself."""

    key: str = field(repr=False)
    base_url: str | None = None
    model: str = DEFAULT_MODEL
    guarded: bool = False

    @classmethod
    def from_environment(
        cls,
        key: str = "",
        base_url: str = "",
        model: str = "",
        names: tuple[str, str, str] = CHAT,
        guarded: bool = False,
    ) -> LLMSettings:
        """Fill what was not typed from the environment, then from ``.env`` in the working directory.

        ``names`` are those of the settings. With ``guarded`` an address that was typed must not stand in this
        machine's own network.

        A key of the environment goes only to the address of the environment: a visitor of a shared server who types
        another address would otherwise be sent the host's key.

        Raises BadSetting for a ``.env`` that is not UTF-8.
        """
        known = http.environment()
        its_key, its_address, its_model = names
        own_address = known.get(its_address, "")
        address = base_url.strip() or own_address
        trusted = _same_address(address, own_address)
        return cls(
            key=key.strip() or (known.get(its_key, "") if trusted else ""),
            base_url=address or None,
            model=model.strip() or known.get(its_model, "") or DEFAULT_MODEL,
            guarded=guarded and not trusted,
        )

    @property
    def address(self) -> str:
        """Return the server's address as it may be shown and kept: without key, user name, password and parameters."""
        return self.without_key(http.shown(self.base_url or DEFAULT_ADDRESS))

    def without_key(self, text: str) -> str:
        return http.without_key(text, self.key)


class ChatModel:
    """A language model that answers chat messages."""

    def __init__(self, settings: LLMSettings, timeout: float = 30.0) -> None:
        """Prepare the client; nothing is sent yet.

        ``timeout`` is the longest silence in seconds. Raises the errors of ``open_client``.
        """
        self.settings = settings
        self._client = open_client(settings, timeout)

    def stream(self, messages: Sequence[Message]) -> Iterator[str]:
        """Yield the answer piece by piece.

        Raises an LLMError, also after some pieces: LLMBadAnswer holds what came so far in ``values["text"]``. Nothing
        is asked again once a piece was given.
        """
        pieces: list[str] = []
        with translated_errors(self.settings, pieces), self._ask(messages, stream=True) as reply:
            if reply.response.headers.get("content-type", "").startswith("text/html"):
                raise _not_an_api(self.settings)
            finished, length = False, 0
            for delta, finish_reason in _deltas(reply):
                finished = finished or bool(finish_reason)
                if delta:
                    length += len(delta)
                    _check_length(length)
                    pieces.append(delta)
                    yield delta
        if not (finished and pieces):
            raise _bad_answer("was cut off" if pieces else "holds no text", "".join(pieces), self.settings)

    def complete(self, messages: Sequence[Message]) -> str:
        """Return the whole answer. Raises an LLMError."""
        with translated_errors(self.settings):
            content = self._ask(messages).choices[0].message.content
        if not (isinstance(content, str) and content.strip()):
            raise _bad_answer("holds no text", "", self.settings)
        _check_length(len(content))
        return self.settings.without_key(_drawable(content))

    def _ask(self, messages: Sequence[Message], **options: object) -> Any:
        return self._client.chat.completions.create(model=self.settings.model, messages=list(messages), **options)


def open_client(settings: LLMSettings, timeout: float = 30.0) -> openai.OpenAI:
    """Make an OpenAI client that takes its proxies from the environment and is held to ``server_limits``.

    It tries twice at most, so with the ``timeout`` of 30 seconds an answer begins within 66 seconds or not at all; what
    has begun ends within ``LONGEST_SECONDS``. Raises KeyMissing, KeyRefused for a key that no header can hold,
    BadServerAddress, ServerInternal, and LLMUnreachable when the environment's proxy or certificates cannot be used.
    """
    import httpx2
    import openai

    from rag_core.servers import limits

    _check_key(settings)
    _check_address(settings)
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    try:
        return openai.OpenAI(
            api_key=settings.key,
            base_url=settings.base_url or DEFAULT_ADDRESS,
            timeout=timeout,
            max_retries=1,
            default_headers={"Accept-Encoding": "identity"},
            http_client=openai.DefaultHttpxClient(event_hooks={"response": [limits.limit]}, follow_redirects=False),
        )
    except (ImportError, OSError, ValueError, httpx2.InvalidURL) as error:
        # A SOCKS proxy without its package, a broken proxy address, a missing SSL_CERT_FILE: all fail on construction.
        raise _unreachable(settings, str(error)) from None


@contextmanager
def translated_errors(settings: LLMSettings, heard: Sequence[str] = ()) -> Iterator[None]:
    """Turn the client's errors into ours; ``heard`` is what was received before.

    Read the reply's fields inside: the client checks none of them. Its error is not chained, for its message may quote
    the key.
    """
    import openai

    try:
        yield
    except openai.OpenAIError as error:
        logger.info("request to %s failed: %s", settings.address, type(error).__name__)
        raise _translated(error, settings, "".join(heard)) from None
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        # Broken JSON and missing fields stand outside the client's error tree, and a page of HTML is given as a str.
        logger.info("answer of %s cannot be read: %s", settings.address, type(error).__name__)
        page = isinstance(getattr(error, "obj", None), str) and error.name in ("choices", "data")
        raise _not_an_api(settings) if page else _bad_answer("cannot be read", "".join(heard), settings) from None


def _translated(error: openai.OpenAIError, settings: LLMSettings, heard: str) -> LLMError:
    import openai

    from rag_core.servers.limits import wait_seconds

    said = settings.without_key(_said(error))[:LONGEST_QUOTE]
    match error:
        case openai.APITimeoutError():
            return _timeout(error, settings)
        case openai.APIConnectionError() if heard:
            return _bad_answer("was cut off", heard, settings)
        case openai.APIConnectionError():
            return _unreachable(settings, str(error.__cause__ or error))
        case openai.AuthenticationError():
            # OpenAI's own sentence quotes the ends of the key.
            return _key_refused(settings, "")
        case openai.PermissionDeniedError():
            return _key_refused(settings, said)
        case openai.NotFoundError() if "model" not in said.lower():
            return _not_an_api(settings)
        case openai.APIResponseValidationError():
            return _bad_answer("cannot be read", heard, settings)
        case openai.APIStatusError(status_code=429 | 503) if seconds := wait_seconds(error.response):
            return _busy(error.status_code, said, seconds)
        case _:
            return _refused(getattr(error, "status_code", 200), said)


def _said(error: openai.OpenAIError) -> str:
    body = getattr(error, "body", None)
    message = body.get("message") or body.get("detail") if isinstance(body, Mapping) else None
    return " ".join(str(message or error).split())


def _timeout(error: openai.APITimeoutError, settings: LLMSettings) -> LLMTimeout:
    seconds = error.request.extensions.get("timeout", {}).get("read")
    message = f"{settings.address} was silent for {seconds} seconds: try again, or raise the time-out."
    return LLMTimeout(message, address=settings.address, seconds=seconds)


def _unreachable(settings: LLMSettings, reason: str) -> LLMUnreachable:
    reason = settings.without_key(reason)[:LONGEST_QUOTE]
    message = f"{settings.address} cannot be reached ({reason}): check the address, the network and the proxy."
    return LLMUnreachable(message, address=settings.address, reason=reason)


def _key_refused(settings: LLMSettings, said: str) -> KeyRefused:
    message = f"{settings.address} does not accept the key: check it, and what it allows. {said}".strip()
    return KeyRefused(message, address=settings.address, said=said)


def _not_an_api(settings: LLMSettings) -> BadServerAddress:
    message = f"No OpenAI-compatible API answers at {settings.address}: the address usually ends in /v1."
    return BadServerAddress(message, address=settings.address)


def _refused(status: int, said: str) -> LLMRefused:
    return LLMRefused(f"The language model's server refused ({status}): {said}", status=status, said=said)


def _busy(status: int, said: str, seconds: float) -> LLMBusy:
    message = f"The language model's server is busy ({status}): try again in {seconds:.0f} seconds. {said}"
    return LLMBusy(message, status=status, seconds=f"{seconds:.0f}", said=said)


def _bad_answer(what: str, text: str, settings: LLMSettings) -> LLMBadAnswer:
    message = f"The language model's answer {what}: try again, or another model."
    return LLMBadAnswer(message, text=settings.without_key(text))


def _check_length(length: int) -> None:
    from rag_core.servers.limits import LONGEST_ANSWER, too_long

    if length > LONGEST_ANSWER:
        raise too_long()


def _drawable(text: str) -> str:
    # JSON can hold half a character, which nothing can encode.
    return text.encode("utf-8", "replace").decode("utf-8")


def _check_key(settings: LLMSettings) -> None:
    if not settings.key:
        raise KeyMissing(
            "No key: set OPENAI_API_KEY, write it into .env, or type one for this session. "
            "An address typed for this session needs a key typed with it."
        )
    if not http.fits_a_header(settings.key):
        raise KeyRefused("The key holds a character that no key has: copy it again.", address=settings.address, said="")


def _check_address(settings: LLMSettings) -> None:
    address = settings.base_url or DEFAULT_ADDRESS
    if not http.is_http(address):
        message = f"{settings.address!r} is not an address: write it like {DEFAULT_ADDRESS}."
        raise BadServerAddress(message, address=settings.address)
    if settings.guarded and http.is_internal(address):
        message = f"{settings.address} lies in this server's own network: only its host may set such an address."
        raise ServerInternal(message, address=settings.address)


def _same_address(left: str, right: str) -> bool:
    return http.same_address(left or DEFAULT_ADDRESS, right or DEFAULT_ADDRESS)


def _deltas(reply: Any) -> Iterator[tuple[str, str | None]]:
    # The client fills fields that the server left out with None, and a chunk that counts tokens has no choices.
    for chunk in reply:
        for choice in (getattr(chunk, "choices", None) or [])[:1]:
            content = getattr(getattr(choice, "delta", None), "content", None)
            if not (content is None or isinstance(content, str)):
                raise TypeError("the content is no text")
            yield _drawable(content or ""), getattr(choice, "finish_reason", None)
