"""A loopback server that gives scripted replies to the real OpenAI client."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from threading import Event, Thread
from types import TracebackType
from typing import Any

from loopback import LoopbackServer


@dataclass(frozen=True)
class Reply:
    """What the server answers.

    ``length`` is the length it announces, ``delay`` its silence in seconds; ``again`` is sent after the body every
    ``pause`` seconds, until somebody hangs up.
    """

    body: str | bytes
    status: int = 200
    content_type: str = "application/json"
    delay: float = 0.0
    length: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    again: str = ""
    pause: float = 0.01


def completion(content: object, **choice: object) -> Reply:
    """Answer like a chat completion."""
    message = {"role": "assistant", "content": content}
    choices = [{"index": 0, "message": message, "finish_reason": "stop", **choice}]
    return Reply(json.dumps({"id": "1", "object": "chat.completion", "model": "m", "choices": choices}))


def stream(pieces: Iterable[str], finish: str | None = "stop", end: str = "data: [DONE]\n\n", **reply: Any) -> Reply:
    """Answer like a streamed chat completion; ``finish=None`` and ``end=""`` cut it."""
    deltas: list[tuple[dict[str, str], str | None]] = [({"content": piece}, None) for piece in pieces]
    events = "".join(_event(delta, reason) for delta, reason in [*deltas, *([({}, finish)] if finish else [])])
    return Reply(events + end, content_type="text/event-stream", **reply)


def embeddings(vectors: Mapping[int, object]) -> Reply:
    """Answer like an embeddings request, in the order given: index to vector; None leaves the vector out."""
    rows = [{"object": "embedding", "index": index, "embedding": vector} for index, vector in vectors.items()]
    rows = [{name: value for name, value in row.items() if value is not None} for row in rows]
    return Reply(json.dumps({"object": "list", "model": "m", "data": rows}))


def refusal(status: int, message: str, **headers: str) -> Reply:
    """Answer with an error as OpenAI words it."""
    error = {"message": message, "type": "error", "code": None}
    return Reply(json.dumps({"error": error}), status=status, headers=headers)


def _event(delta: dict[str, str], finish: str | None) -> str:
    choices = [{"index": 0, "delta": delta, "finish_reason": finish}]
    chunk = {"id": "1", "object": "chat.completion.chunk", "model": "m", "choices": choices}
    return f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n"


class LLMServer:
    """Serve one reply to every request, or one made from its body; keep ``path``, ``authorization`` and ``body``."""

    def __init__(self, reply: Reply | Callable[[dict[str, Any]], Reply]) -> None:
        self.requests: list[dict[str, Any]] = []
        self.hosts: list[str] = []
        self.closed = Event()
        self._server = LoopbackServer(("127.0.0.1", 0), _handler(reply, self))

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def base_url(self) -> str:
        return self.root + "/v1"

    def __enter__(self) -> LLMServer:
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closed.set()
        self._server.shutdown()
        self._server.server_close()


def _handler(reply_to: Reply | Callable[[dict[str, Any]], Reply], server: LLMServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            authorization = self.headers["Authorization"]
            server.requests.append({"path": self.path, "authorization": authorization, "body": sent})
            server.hosts.append(self.headers["Host"])
            reply = reply_to if isinstance(reply_to, Reply) else reply_to(sent)
            server.closed.wait(reply.delay)
            if not server.closed.is_set():
                self._answer(reply, reply.body if isinstance(reply.body, bytes) else reply.body.encode())

        def _answer(self, reply: Reply, body: bytes) -> None:
            self.send_response(reply.status)
            length = len(body) if reply.length is None else reply.length
            sized = {} if reply.again else {"Content-Length": str(length)}
            for name, value in {"Content-Type": reply.content_type, **sized, **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            # Whoever asked may hang up at any time.
            with suppress(OSError):
                self.wfile.write(body)
                while reply.again and not server.closed.wait(reply.pause):
                    self.wfile.write(reply.again.encode())

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler
