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

from rag_core.errors import ServerError
from rag_core.servers import http
from rag_core.servers.peer import Peer
from rag_core.settings import environment

if TYPE_CHECKING:
    import openai

logger = logging.getLogger(__name__)

DEFAULT_ADDRESS = "https://api.openai.com/v1"
DEFAULT_MODEL = "gpt-4o-mini"
FORM = "OpenAI"
NO_TEXT = "content = ''"
CHAT = ("OPENAI_API_KEY", "OPENAI_BASE_URL", "RERANK_LAB_LLM_MODEL")
EMBEDDING = ("RERANK_LAB_EMBED_KEY", "RERANK_LAB_EMBED_URL", "RERANK_LAB_EMBED_MODEL")
"""Names of the settings: key, address, model."""

TALKATIVE = ("openai", "httpx2", "httpcore2")
"""Loggers that write whole addresses and whatever headers a server sends back; both may hold the key."""

Message = Mapping[str, str]
"""``{"role": "system" | "user" | "assistant", "content": ...}``."""


@dataclass(frozen=True, slots=True)
class LLMSettings:
    """Where a language model is and how to enter. ``base_url`` includes the ``/v1``; None is OpenAI itself.

    ``service`` is what it is asked as, ``key_name`` the setting that holds the key.
    """

    key: str = field(repr=False)
    base_url: str | None = None
    model: str = DEFAULT_MODEL
    guarded: bool = False
    service: str = "llm"
    key_name: str = CHAT[0]

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

        Raises BadSetting, see ``settings.environment``.
        """
        known = environment().values()
        its_key, its_address, its_model = names
        own_address = known.get(its_address, "")
        address = base_url.strip() or own_address
        trusted = _same_address(address, own_address)
        return cls(
            key=key.strip() or (known.get(its_key, "") if trusted else ""),
            base_url=address or None,
            model=model.strip() or known.get(its_model, "") or DEFAULT_MODEL,
            guarded=guarded and not trusted,
            key_name=its_key,
        )

    @property
    def peer(self) -> Peer:
        """Return who is asked: the server with this key, or OpenAI itself."""
        url = self.base_url or DEFAULT_ADDRESS
        return Peer(self.service, url, FORM, DEFAULT_ADDRESS, self.key_name, self.key, self.guarded)

    @property
    def address(self) -> str:
        """Return the server's address as it may be shown and kept, see ``Peer``."""
        return self.peer.address


class ChatModel:
    """A language model that answers chat messages."""

    def __init__(self, settings: LLMSettings, timeout: float = 30.0) -> None:
        """Prepare the client; nothing is sent yet.

        ``timeout`` is the longest silence in seconds. Raises the errors of ``open_client``.
        """
        self.settings, self.peer = settings, settings.peer
        self._client = open_client(settings, timeout)

    def stream(self, messages: Sequence[Message]) -> Iterator[str]:
        """Yield the answer piece by piece.

        Raises a ServerError, also after some pieces: ServerBadAnswer holds what came so far in ``values["text"]``.
        Nothing is asked again once a piece was given.
        """
        pieces: list[str] = []
        with translated_errors(self.peer, pieces), self._ask(messages, stream=True) as reply:
            if reply.response.headers.get("content-type", "").startswith("text/html"):
                raise self.peer.no_api()
            finished, length = False, 0
            for delta, finish_reason in _deltas(reply):
                finished = finished or bool(finish_reason)
                if delta:
                    length += len(delta)
                    self._check_length(length)
                    pieces.append(delta)
                    yield delta
        if not (finished and pieces):
            reason = "finish_reason = None" if pieces else _sent_instead(reply) or NO_TEXT
            raise self.peer.bad_answer(reason, "".join(pieces))

    def complete(self, messages: Sequence[Message]) -> str:
        """Return the whole answer. Raises a ServerError."""
        with translated_errors(self.peer):
            reply = self._ask(messages)
            check_said(self.peer, reply, "choices")
            content = reply.choices[0].message.content
        if not (isinstance(content, str) and content.strip()):
            raise self.peer.bad_answer(NO_TEXT)
        self._check_length(len(content))
        return self.peer.without_key(_drawable(content))

    def _check_length(self, length: int) -> None:
        from rag_core.servers.limits import LONGEST_ANSWER, too_long

        if length > LONGEST_ANSWER:
            raise too_long(self.peer)

    def _ask(self, messages: Sequence[Message], **options: object) -> Any:
        create: Any = self._client.chat.completions.create  # its overloads tell literal roles and options apart
        return create(model=self.settings.model, messages=list(messages), **options)


def open_client(settings: LLMSettings, timeout: float = 30.0) -> openai.OpenAI:
    """Make an OpenAI client that takes its proxies from the environment and is held to ``servers.limits``.

    It tries twice at most, so with the ``timeout`` of 30 seconds an answer begins within 66 seconds or not at all; what
    has begun ends within ``LONGEST_SECONDS``. Raises the errors of ``Peer.check``, and ServerUnreachable when the
    environment's proxy or certificates cannot be used.
    """
    import httpx2
    import openai

    from rag_core.servers.connect import hold
    from rag_core.servers.limits import limited

    peer = settings.peer
    peer.check(wants_key=True)
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    try:
        carrier = openai.DefaultHttpxClient(event_hooks={"response": [limited(peer)]}, follow_redirects=False)
        hold(carrier, peer, timeout)
        return openai.OpenAI(
            api_key=settings.key,
            base_url=peer.url.partition("?")[0],
            default_query=dict(httpx2.URL(peer.url).params),
            timeout=timeout,
            max_retries=1,
            default_headers={"Accept-Encoding": "identity"},
            http_client=carrier,
        )
    except (ImportError, OSError, ValueError, httpx2.InvalidURL) as error:
        # A SOCKS proxy without its package, a broken proxy address, a missing SSL_CERT_FILE: all fail on construction.
        raise peer.unreachable(str(error)) from None


def check_said(peer: Peer, reply: Any, field: str) -> None:
    """Look for an error where a reply lacks the ``field`` that answers: some servers send one with status 200.

    Raises:
        ServerBadAnswer: there is one; it holds the server's own sentence.
    """
    said = "" if getattr(reply, field, None) else http.said(getattr(reply, "model_extra", None))
    if said:
        raise peer.bad_answer(said)


@contextmanager
def translated_errors(peer: Peer, heard: Sequence[str] = ()) -> Iterator[None]:
    """Turn the client's errors into ours; ``heard`` is what was received before.

    Read the reply's fields inside: the client checks none of them. Its error is not chained, for its message may quote
    the key.
    """
    import openai

    try:
        yield
    except openai.OpenAIError as error:
        logger.info("request to %s failed: %s", peer.address, type(error).__name__)
        raise _translated(error, peer, "".join(heard)) from None
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        # Broken JSON and missing fields stand outside the client's error tree, and a page of HTML is given as a str.
        logger.info("answer of %s cannot be read: %s", peer.address, type(error).__name__)
        page = isinstance(error, AttributeError) and isinstance(error.obj, str) and error.name in ("choices", "data")
        raise peer.no_api() if page else peer.bad_answer(type(error).__name__, "".join(heard)) from None


def _translated(error: openai.OpenAIError, peer: Peer, heard: str) -> ServerError:
    import openai

    match error:
        case openai.APIConnectionError(__cause__=ServerError() as ours):
            return ours
        case openai.APITimeoutError():
            return peer.timeout(error.request.extensions["timeout"]["read"])
        case openai.APIConnectionError() if heard:
            return peer.bad_answer(str(error.__cause__ or error), heard)
        case openai.APIConnectionError():
            return peer.unreachable(str(error.__cause__ or error))
        case openai.AuthenticationError():
            # OpenAI's own sentence quotes the ends of the key.
            return peer.key_refused("")
        case openai.APIResponseValidationError():
            return peer.bad_answer(type(error).__name__, heard)
        case openai.APIStatusError():
            return peer.refusal(error.status_code, _said(error), http.wait_seconds(error.response.headers))
        case _:
            return peer.refusal(200, _said(error), None)


def _said(error: openai.OpenAIError) -> str:
    body = getattr(error, "body", None)
    said = http.said(body) if isinstance(body, Mapping) else str(error)
    # A page is for a browser.
    return "" if said.lstrip().startswith("<") else " ".join((said or str(error)).split())


def _sent_instead(reply: openai.Stream[Any]) -> str:
    """Return the sentence of an error that came where a stream should."""
    from rag_core.servers.limits import LimitedStream

    sent = reply.response.stream
    return sent.said if isinstance(sent, LimitedStream) else ""


def _drawable(text: str) -> str:
    # JSON can hold half a character, which nothing can encode.
    return text.encode("utf-8", "replace").decode("utf-8")


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
