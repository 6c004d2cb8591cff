"""A loopback server that answers like the Hugging Face hub, for the real client."""

from __future__ import annotations

import hashlib
import json
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from threading import Thread

from loopback import LoopbackServer

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub:
    """Serve the files of ``folder`` as the model ``model_id``; every other model does not exist.

    ``status`` is the answer to all questions instead, ``delay`` the silence before each in seconds.
    """

    def __init__(self, folder: Path | None = None, model_id: str = "", status: int = 200, delay: float = 0.0) -> None:
        self.folder, self.model_id, self.status, self.delay = folder, model_id, status, delay
        self.requests: list[str] = []
        self._server = LoopbackServer(("127.0.0.1", 0), _handler(self))

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Hub:
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, path: str) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers and body for a path."""
        self.requests.append(path)
        time.sleep(self.delay)
        path = path.partition("?")[0]
        if self.status != 200:
            return self.status, {}, b""
        if path == f"/api/models/{self.model_id}" and self.folder:
            files = [{"rfilename": file.name} for file in self.folder.iterdir()]
            return 200, {}, json.dumps({"id": self.model_id, "sha": COMMIT, "siblings": files}).encode()
        if path.startswith((f"/{self.model_id}/resolve/", f"/api/models/{self.model_id}/tree/")) and self.folder:
            return self._file(path.rpartition("/")[2])
        # Asked without a token, the hub does not tell a missing model from a private one.
        return 401, {"X-Error-Message": "Invalid username or password."}, b""

    def _file(self, name: str) -> tuple[int, dict[str, str], bytes]:
        file = self.folder / name
        if not file.is_file():
            return 404, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": COMMIT}, b""
        content = file.read_bytes()
        return 200, {"ETag": f'"{hashlib.sha1(content).hexdigest()}"', "X-Repo-Commit": COMMIT}, content


def _handler(hub: Hub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            status, headers, body = hub.answer(self.path)
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        do_HEAD = do_GET

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler
