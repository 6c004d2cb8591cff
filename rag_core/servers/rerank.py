"""Have a server rerank: Cohere, Jina, Voyage, TEI, vLLM, Infinity, or one that speaks like one of them.

They differ in a few names. What they share is trusted in nothing: a score that is missing, doubled, not a number, or in
a field of another name is an error, never a zero.
"""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from rag_core.datatypes import Progress, Scored
from rag_core.errors import BadSetting, ServerMissing, ServerMoved, ServerUnreachable
from rag_core.servers import http
from rag_core.servers.peer import Peer
from rag_core.settings import environment

if TYPE_CHECKING:
    import httpx2

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 5.0
PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 5.0
LONGEST_ANSWER_SECONDS = 60.0
LONGEST_ANSWER_BYTES = 16 * 2**20
ROUNDING = 1e-6
"""How far beyond 0 and 1 a relevance may lie that was reckoned in float32."""
SERVICE = "reranker"


@dataclass(frozen=True, slots=True)
class Form:
    """How one kind of server is asked, and how it answers.

    ``path`` completes an address that names the host alone. ``rows`` is the field that holds the results; empty where
    the answer is the list itself. ``scale`` names the unit of the scores as the server's own documents promise it,
    ``unknown`` where that depends on the model.
    """

    path: str
    scale: str
    texts: str = "documents"
    score: str = "relevance_score"
    rows: str = "results"
    options: Mapping[str, object] = field(default_factory=dict)
    batch: int = 100


FORMS: Mapping[str, Form] = {
    "cohere": Form("/v2/rerank", "relevance"),
    "jina": Form("/v1/rerank", "unknown", options={"return_documents": False}),
    "voyage": Form("/v1/rerank", "unknown", rows="data", options={"return_documents": False, "truncation": True}),
    "tei": Form("/rerank", "logit", "texts", "score", "", {"raw_scores": True, "truncate": True}, batch=32),
    "vllm": Form("/rerank", "unknown", options={"truncate_prompt_tokens": -1}),
    "infinity": Form("/rerank", "logit", options={"raw_scores": True, "return_documents": False}),
}
"""By default TEI takes 32 texts a request and refuses long ones; vLLM cuts at the model's limit when told -1."""


@dataclass(frozen=True, slots=True)
class RerankServer:
    """Where a server is and how to enter. With ``guarded`` it must not stand in this machine's own network.

    ``key_name`` is the setting that holds the key, where the server wants one.
    """

    address: str
    form: str
    model: str = ""
    key: str = field(default="", repr=False)
    guarded: bool = False
    key_name: str = ""

    @classmethod
    def from_environment(cls, typed: RerankServer | None = None) -> RerankServer:
        """Return what was typed, filled from ``RERANK_LAB_RERANK_URL``, ``_FORM``, ``_MODEL`` and ``_KEY``.

        Form, model and key of the environment go with the environment's address alone: a visitor who types another
        address would otherwise be sent the host's key.

        Raises:
            BadSetting: see ``settings.environment``.
        """
        known = environment().values()
        address, form, model, key = (
            known.get(f"RERANK_LAB_RERANK_{name}", "") for name in ("URL", "FORM", "MODEL", "KEY")
        )
        own = cls(address, form, model, key)
        if typed is None:
            return own
        if typed.address and not http.same_address(typed.address, own.address):
            return typed
        return cls(own.address, typed.form or own.form, typed.model or own.model, typed.key or own.key)

    @property
    def shown(self) -> str:
        """Return the address as it may be shown: without the key, a user name or a password."""
        return http.without_key(http.shown(self.address), self.key)

    @property
    def peer(self) -> Peer:
        """Return who is asked: the server with this key, in the form that it speaks."""
        setting = self.key_name or "RERANK_LAB_RERANK_KEY"
        example = f"https://host{FORMS[self.form].path}"
        return Peer(SERVICE, self.address, self.form, example, setting, self.key, self.guarded)

    @property
    def endpoint(self) -> str:
        """Return the address to post to; one whose path ends in ``/rerank`` is taken as it is."""
        place = self.address.partition("?")[0].rstrip("/")
        if place.endswith("/rerank"):
            return http.with_path(self.address, "")
        host_alone = place.count("/") == 2
        return http.with_path(self.address, FORMS[self.form].path if host_alone else "/rerank")


class RemoteReranker:
    """A cross-encoder behind a server. Nothing is sent before the first score is asked for."""

    def __init__(self, model_id: str, where: RerankServer, timeout: float = 30.0) -> None:
        """Check the settings and prepare the client; ``timeout`` is the longest silence in seconds.

        Raises:
            ServerMissing: no address.
            ServerError: one that cannot be used, or a key that is missing or cannot be one, see ``Peer.check``.
            BadSetting: there is no such form.
        """
        _check(model_id, where)
        self.peer = where.peer
        self.peer.check(wants_key=bool(where.key_name))
        self.id, self.where, self.form, self.timeout = model_id, where, FORMS[where.form], timeout
        self.scale, self.batch = self.form.scale, self.form.batch
        # Other servers may give other weights the same name.
        self.weights = f"{where.model}@{where.shown}#{where.form}"
        self.client = _client(self.peer, timeout)

    def score(self, query: str, texts: Sequence[str], progress: Progress | None = None) -> np.ndarray:
        """Return float64 of shape (texts,).

        A server that finds a request too large is asked with half as many texts, now and from then on.

        Raises a ServerError.
        """
        scores: list[float] = []
        while len(scores) < len(texts):
            part = texts[len(scores) : len(scores) + self.batch]
            reply = self._post(query, part)
            if len(part) > 1 and http.is_too_many(reply.status, reply.said):
                self.batch = len(part) // 2
                continue
            scores += self._read(reply, len(part))
            if progress:
                progress(len(scores), len(texts))
        return np.array(scores, np.float64)

    def score_parts(self, query: str, texts: Sequence[str], progress: Progress | None = None) -> Scored:
        """Return the scores without parts: what is too long these servers cut, without saying where."""
        return Scored(self.score(query, texts, progress), (None,) * len(texts))

    def _post(self, query: str, texts: Sequence[str]) -> Reply:
        """Ask, and once more after a pause when the server is busy, broken or out of reach."""
        asked: dict[str, object] = {"query": query, self.form.texts: list(texts), **self.form.options}
        if self.where.model:
            asked["model"] = self.where.model
        try:
            reply = self._send(asked)
            if not reply.is_busy:
                return reply
            logger.info("%s answered %s: asked once more", self.where.shown, reply.status)
            time.sleep(reply.pause)
        except ServerUnreachable:
            time.sleep(PAUSE_SECONDS)
        return self._send(asked)

    def _send(self, asked: Mapping[str, object]) -> Reply:
        import httpx2

        from rag_core.servers.connect import lift

        try:
            with self.client.stream("POST", self.where.endpoint, json=asked) as reply:
                lift(reply)
                return Reply(reply.status_code, reply.headers, self._whole(reply))
        except (httpx2.ReadTimeout, httpx2.WriteTimeout):
            raise self.peer.timeout(self.timeout) from None
        except (httpx2.TransportError, httpx2.DecodingError) as error:
            raise self.peer.unreachable(f"{type(error).__name__} {error}") from None

    def _whole(self, reply: httpx2.Response) -> bytes:
        start, body = time.perf_counter(), bytearray()
        for piece in reply.iter_bytes():
            body += piece
            if len(body) > LONGEST_ANSWER_BYTES:
                raise self.peer.bad_answer(f"> {LONGEST_ANSWER_BYTES // 2**20} MB")
            if time.perf_counter() - start > LONGEST_ANSWER_SECONDS:
                raise self.peer.timeout(LONGEST_ANSWER_SECONDS)
        return bytes(body)

    def _read(self, reply: Reply, count: int) -> list[float]:
        _check_status(self.peer, reply)
        if reply.is_page:
            raise self.peer.no_api()
        try:
            return read_scores(self.form, reply.json, count)
        except ValueError as error:
            raise self.peer.bad_answer(": ".join(filter(None, [str(error), reply.said]))) from None


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server answered."""

    status: int
    headers: httpx2.Headers
    body: bytes

    @property
    def is_busy(self) -> bool:
        """Say whether asking again may help."""
        return self.status == 429 or self.status >= 500

    @property
    def is_page(self) -> bool:
        """Say whether the body is a page for a browser, which no API sends."""
        return self.body.lstrip()[:1] == b"<"

    @property
    def pause(self) -> float:
        """Return the seconds until asking again: those the server wants, within bounds."""
        asked = http.wait_seconds(self.headers)
        return PAUSE_SECONDS if asked is None else min(asked, LONGEST_PAUSE_SECONDS)

    @property
    def json(self) -> Any:
        """Return what the body holds. Raises ValueError where that is no JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            raise ValueError("JSON?") from None

    @property
    def said(self) -> str:
        """Return the sentence of a refusal; what is no JSON, and no page, is one itself."""
        try:
            answer = self.json
        except ValueError:
            answer = "" if self.is_page else self.body.decode("utf-8", "replace")
        return "" if isinstance(answer, list) else http.said(answer)


def read_scores(form: Form, answer: Any, count: int) -> list[float]:
    """Return the scores of an answer in the order of the texts.

    Raises:
        ValueError: there is not exactly one finite score for each of ``count`` texts, or one is outside the scale.
    """
    rows = answer.get(form.rows) if form.rows and isinstance(answer, dict) else answer
    if not isinstance(rows, list):
        raise ValueError(f"{form.rows or '[…]'} = {_quoted(rows)}")
    if len(rows) != count:
        raise ValueError(f"{len(rows)} ≠ {count}")
    scores: dict[int, float] = {}
    for place, row in enumerate(rows):
        fields: dict[str, Any] = row if isinstance(row, dict) else {}
        index: Any = fields.get("index")
        score: Any = fields.get(form.score)
        if type(index) is not int or not 0 <= index < count or index in scores:
            raise ValueError(f"[{place}].index = {_quoted(index)}")
        if not _is_within(form, score):
            raise ValueError(f"[{place}].{form.score} = {_quoted(score)}")
        scores[index] = float(np.clip(score, 0, 1)) if form.scale == "relevance" else float(score)
    return [scores[index] for index in range(count)]


def _is_within(form: Form, score: Any) -> bool:
    """Say whether a score is a number, which True is not, and on the form's scale."""
    if type(score) not in (int, float):
        return False
    try:
        return -ROUNDING <= score <= 1 + ROUNDING if form.scale == "relevance" else math.isfinite(float(score))
    except OverflowError:
        return False


def _quoted(value: object) -> str:
    return repr(value)[:40]


def _client(peer: Peer, timeout: float) -> httpx2.Client:
    import httpx2

    from rag_core.servers.connect import hold

    headers = {"Authorization": f"Bearer {peer.key}"} if peer.key else {}
    try:
        # Redirects are not followed: the texts and the key are for this address.
        waits = httpx2.Timeout(timeout, connect=min(timeout, CONNECT_SECONDS))
        client = httpx2.Client(headers=headers, timeout=waits, follow_redirects=False)
        hold(client, peer, timeout)
        return client
    except (ImportError, OSError, ValueError, httpx2.InvalidURL) as error:
        # A SOCKS proxy without its package, a broken proxy address, a missing SSL_CERT_FILE: all fail on construction.
        raise peer.unreachable(str(error)) from None


def _check(model_id: str, where: RerankServer) -> None:
    if not where.address:
        raise ServerMissing(service=SERVICE, model=model_id, setting="RERANK_LAB_RERANK_URL")
    if where.form not in FORMS:
        raise BadSetting.outside("RERANK_LAB_RERANK_FORM", where.form, ", ".join(FORMS))


def _check_status(peer: Peer, reply: Reply) -> None:
    if 300 <= reply.status < 400:
        target = peer.quoted(http.shown(reply.headers.get("location", "?")))
        raise ServerMoved(service=SERVICE, address=peer.address, target=target)
    if reply.status != 200:
        raise peer.refusal(reply.status, reply.said, http.wait_seconds(reply.headers))
