"""Start the app as a reader does, on loopback, and open it in Chromium."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import IO, TYPE_CHECKING
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener
from weakref import WeakKeyDictionary

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from benchmarks.machine import CHROMIUM

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Locator, Page, WebSocket

ROOT = Path(__file__).parents[2]
RECORDER = Path(__file__).parent / "recorder"
BROWSER_OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
START_SECONDS = SETTLE_SECONDS = 120
POLL = 50  # milliseconds; at every frame, which is the default, the page would be painted all the time
STAND_STILL = """
    const animate = Element.prototype.animate;
    Element.prototype.animate = function (frames, how) {
        return animate.call(this, frames, typeof how === "number" ? 0 : { ...how, delay: 0, duration: 0 });
    };
"""
"""Streamlit opens its lists with movement for whoever asked for none, too; a button below one moves from a click."""

NOTE_WHAT_IS_DRAWN = """
    const drawing = () => { window.drawn = performance.now(); };
    new MutationObserver(drawing).observe(document, {subtree: true, childList: true, characterData: true});
    drawing();
"""
DRAWN = """
    !document.querySelector("[data-testid=stSkeleton]") && document.fonts.status === "loaded"
        && performance.now() - window.drawn > 200
"""
"""Streamlit's stand-ins are gone, whose code is loaded when it is needed; fonts are here; nothing changes any more."""

STRACE = shutil.which("strace")
LOOPBACK = re.compile(r"127\.|::1$|::ffff:127\.")
NAME_SERVICE = re.compile(r"htons\(53\)|/run/systemd/resolve")


def environment(home: Path) -> dict[str, str]:
    """Return this process's environment without proxies and keys, with a library folder and a recorder of its own."""
    # Some libraries keep silent where CI is set; a reader's machine does not set it.
    left_out = ("openai_", "rerank_lab_", "hf_", "streamlit_", "ort_", "ci")
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.lower().endswith("_proxy") and not name.lower().startswith(left_out)
    }
    return kept | {
        "RERANK_LAB_HOME": str(home),
        "RECORD_OUTSIDE": str(outside_file(home)),
        "PYTHONPATH": str(RECORDER),
    }


def outside_file(home: Path) -> Path:
    return home.with_name(home.name + ".outside")


def log_file(home: Path) -> Path:
    return home.with_name(home.name + ".log")


def trace_file(home: Path) -> Path:
    return home.with_name(home.name + ".trace")


@cache
def can_trace() -> bool:
    """Say whether system calls can be watched: strace is there, and this machine lets it."""
    return (
        STRACE is not None and subprocess.run(traced(["true"], Path(os.devnull)), capture_output=True).returncode == 0
    )


def traced(command: list[str], file: Path) -> list[str]:
    """Return the command with its connections written into ``file``: those of native code pass by Python's hooks."""
    return [
        STRACE,
        "-D",
        "-f",
        "--seccomp-bpf",
        "-qq",
        "-e",
        "trace=connect,sendto,sendmsg",
        "-e",
        "signal=none",
        "-o",
        file,
        *command,
    ]


def asked_outside(home: Path) -> list[str]:
    """Return what the server looked up or connected to outside loopback, a line each."""
    recorded, trace = (
        file.read_text(encoding="utf-8", errors="replace").splitlines() if file.exists() else []
        for file in (outside_file(home), trace_file(home))
    )
    return recorded + [line for line in trace if leads_outside(line)]


def leads_outside(line: str) -> bool:
    """Say whether a line of strace goes to a name service, or to an address that is not loopback."""
    addresses = re.findall(r'inet_addr\("([^"]+)"|inet_pton\(AF_INET6, "([^"]+)"', line)
    return bool(NAME_SERVICE.search(line)) or any(not LOOPBACK.match(four or six) for four, six in addresses)


@contextmanager
def running_app(
    home: Path, extra: Mapping[str, str] = MappingProxyType({}), program: Sequence[str] = ("streamlit", "run", "app.py")
) -> Iterator[str]:
    """Run the app on a free port with ``home`` as its library folder and ``extra`` variables; give its address."""
    with _started(list(program), home, extra) as (address, _):
        yield address


class App:
    """The app at work for many tests, one after another, each with a library folder of its own."""

    def __init__(self, address: str, home: Path, orders: IO[bytes], replies: int) -> None:
        self.address, self._home, self._orders, self._replies = address, home, orders, replies

    def open(self, home: Path) -> str:
        """Serve another library from now on, and forget what was kept of the one before; return the address."""
        self._orders.write(f"{home}\n".encode())
        self._orders.flush()
        assert os.read(self._replies, 1), "the app has ended"
        return self.address

    def asked_outside(self) -> list[str]:
        """Return what it looked up or connected to outside loopback, in this test or before it."""
        return asked_outside(self._home)


@contextmanager
def switched_app(home: Path) -> Iterator[App]:
    """Run the app for many tests."""
    replies, reply = os.pipe()
    program = ["tests.support.switched_app", str(reply)]
    with _started(program, home, {}, stdin=subprocess.PIPE, pass_fds=[reply]) as (address, server):
        os.close(reply)
        try:
            yield App(address, home, server.stdin, replies)
        finally:
            server.stdin.close()
            os.close(replies)


@contextmanager
def _started(
    program: list[str], home: Path, extra: Mapping[str, str], **how: object
) -> Iterator[tuple[str, subprocess.Popen]]:
    """Run a module that serves the app; give its address and its process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", *program, f"--server.port={port}"]
    if can_trace():
        command = traced(command, trace_file(home))
    log = log_file(home)
    with log.open("w") as output:
        server = subprocess.Popen(
            command, cwd=ROOT, env={**environment(home), **extra}, stdout=output, stderr=output, **how
        )
        try:
            wait_for(f"http://127.0.0.1:{port}/_stcore/health", server, log)
            yield f"http://127.0.0.1:{port}", server
        finally:
            server.terminate()
            server.wait(30)


def wait_for(address: str, server: subprocess.Popen, log: Path) -> None:
    ask, end = build_opener(ProxyHandler({})).open, time.monotonic() + START_SECONDS
    while server.poll() is None and time.monotonic() < end:
        try:
            ask(address, timeout=5).close()
            return
        except (URLError, OSError):
            time.sleep(0.2)
    raise RuntimeError(f"the app did not start: {log.read_text()[-2000:]}")


@contextmanager
def running_browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=BROWSER_OPTIONS)
        yield browser
        browser.close()


def open_context(
    browser: Browser, language: str = "en-GB", width: int = 1280, height: int = 900, **how: object
) -> BrowserContext:
    """Open a browser of one person's: with its own cookies, and with nothing kept."""
    context = browser.new_context(
        locale=language, viewport={"width": width, "height": height}, reduced_motion="reduce", **how
    )
    context.set_default_timeout(180_000)
    context.add_init_script(STAND_STILL + NOTE_WHAT_IS_DRAWN)
    context.on("page", lambda page: page.on("websocket", PENDING.setdefault(page, Pending()).follow))
    return context


class Pending:
    """Whether a page still waits for a run of the app, read from what passes between the two."""

    def __init__(self) -> None:
        self.asked, self.begun = True, False  # a page asks for a run as soon as it is connected

    def follow(self, socket: WebSocket) -> None:
        self.asked, self.begun = True, False
        socket.on("framesent", self.sent)
        socket.on("framereceived", self.received)

    def sent(self, frame: bytes) -> None:
        if BackMsg.FromString(frame).HasField("rerun_script"):
            self.asked, self.begun = True, False

    def received(self, frame: bytes) -> None:
        message = ForwardMsg.FromString(frame)
        if message.HasField("new_session"):
            self.begun = True
        elif message.HasField("script_finished") and message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
            self.asked = self.asked and not self.begun


PENDING: WeakKeyDictionary[Page, Pending] = WeakKeyDictionary()


def settle(page: Page) -> None:
    """Wait until the app has answered what the page asked, and the page has drawn it."""
    end = time.monotonic() + SETTLE_SECONDS
    page.wait_for_function(DRAWN, polling=POLL)  # meanwhile what was asked just now has been sent
    while PENDING[page].asked:
        assert time.monotonic() < end, "the app does not finish its run"
        page.wait_for_timeout(20)
        page.wait_for_function(DRAWN, polling=POLL)
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")


def order_rows(page: Page, side: int) -> Locator:
    """Return the rows of one of the two linked tables, the new ranking's being 1."""
    return page.locator(".orders .table").nth(side).locator(".row")
