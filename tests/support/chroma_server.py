"""A real Chroma server on loopback, and what may stand before one."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

from loopback import LoopbackServer

CHROMA = Path(sys.executable).with_name("chroma")
START_SECONDS = 60
ask = build_opener(ProxyHandler({})).open


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class Chroma:
    """``chroma run`` on a folder; it may be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port, self.process = folder, free_port(), None
        self.url = f"http://127.0.0.1:{self.port}"

    def start(self) -> Chroma:
        command = [CHROMA, "run", "--path", self.folder, "--host", "127.0.0.1", "--port", str(self.port)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + START_SECONDS
        while self.process.poll() is None and time.monotonic() < end:
            try:
                ask(f"{self.url}/api/v2/heartbeat", timeout=5).close()
                return self
            except OSError:
                time.sleep(0.05)
        raise RuntimeError("Chroma did not start")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(30)


@contextmanager
def running_chroma(folder: Path) -> Iterator[Chroma]:
    chroma = Chroma(folder).start()
    try:
        yield chroma
    finally:
        chroma.kill()


Answer = tuple[int, str, bytes]
"""Status, content type and body."""


@contextmanager
def answering(answer: Callable[[BaseHTTPRequestHandler, bytes], Answer]) -> Iterator[str]:
    """Run a server that answers every request as the function says; give its address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def reply(self) -> None:
            asked = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, kind, body = answer(self, asked)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_DELETE = reply

        def log_message(self, *_: object) -> None:
            pass

    server = LoopbackServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def passed_on(url: str, request: BaseHTTPRequestHandler, asked: bytes) -> Answer:
    """Return what the server behind answers."""
    headers = {"Content-Type": "application/json"}
    onwards = Request(url + request.path, asked or None, headers, method=request.command)
    try:
        with ask(onwards, timeout=30) as found:
            return found.status, found.headers.get("Content-Type", ""), found.read()
    except HTTPError as error:
        return error.code, error.headers.get("Content-Type", ""), error.read()
