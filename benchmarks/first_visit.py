"""Time a first visit in a browser: ``python -m benchmarks.first_visit [--rounds 3]``.

Each round starts the app in a folder of its own and opens its home page in Chromium, each time as somebody who was
never there: the first visitor of the process, the next one, that one again (whose browser has the files), and where
nginx is installed somebody who comes through ``deploy/nginx.conf``, with TLS and its password. Home is drawn when the
rows of both rankings, the last line below them and every picture stand there and nothing is left to be loaded.

Printed as they are measured are seconds on the wall, CPU seconds of the app and of the browser, the files that came
over the wire, their size there with what HTTP says of them, and what the WebSocket brought; the medians at the end.
The browser runs before anything is timed, and nothing lies between it and the app but this machine's loopback.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from statistics import median
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import psutil

from benchmarks.crowd import cpu_seconds, free_port, serve, wait
from benchmarks.machine import CHROMIUM, load, machine
from benchmarks.nginx import NAME, NGINX, PASSWORD, nginx
from pages.ui.shell.i18n import texts

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, CDPSession, Page

OPTIONS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")
LAST_LINE = texts("en")["home.offline"]
COMPLETE = """!document.querySelector('[data-testid=stSkeleton]')
    && document.querySelector('[data-testid=stApp][data-test-script-state=notRunning]')
    && [...document.images].every(image => image.complete)"""
COLUMNS = ("visit", "wall", "CPU, app", "CPU, browser", "files", "over the wire", "WebSocket")
STARTED, FIRST, NEXT, AGAIN = "start the app until it serves", "first of the process", "next", "the same browser again"
PACKED = "next, through nginx"
NO_LOGIN: Mapping[str, object] = MappingProxyType({})
LOGIN = {"ignore_https_errors": True, "http_credentials": {"username": NAME, "password": PASSWORD}}


class Visit(NamedTuple):
    """What a visit took until home was drawn, and what came over the wire for it."""

    wall: float
    app: float
    browser: float
    files: int
    size: int
    said: int

    def __str__(self) -> str:
        spent = f"{self.wall:.2f} s | {self.app:.2f} s | {self.browser:.2f} s"
        return f"{spent} | {self.files:.0f} | {self.size / 1000:.0f} kB | {self.said / 1000:.0f} kB"


class Wire:
    """What a page fetches: a file that the browser has is none."""

    def __init__(self, session: CDPSession) -> None:
        self.sizes, self.said = list[int](), 0
        session.on("Network.loadingFinished", lambda event: self.sizes.append(int(event["encodedDataLength"])))
        session.on("Network.webSocketFrameReceived", self._receive)
        session.send("Network.enable")

    def _receive(self, event: dict) -> None:
        self.said += len(event["response"]["payloadData"]) * 3 // 4  # as base64

    @property
    def files(self) -> list[int]:
        return [size for size in self.sizes if size]


def browser_seconds() -> float:
    """Return the CPU of every process of the browser that this one started."""
    return sum(cpu_seconds(one.pid) for one in psutil.Process().children(recursive=True) if "chrom" in one.name())


def see_home(page: Page, address: str) -> None:
    """Open home, and return when it is drawn."""
    page.goto(address, wait_until="commit")
    page.locator(".orders .table").nth(1).locator(".row").first.wait_for()
    page.get_by_text(LAST_LINE).wait_for()
    page.wait_for_function(COMPLETE)


def visit(context: BrowserContext, address: str, app: int) -> Visit:
    """Open home in a new tab of somebody's browser; ``app`` is the id of the process that serves it."""
    page = context.new_page()
    wire = Wire(context.new_cdp_session(page))
    spent, drew, start = cpu_seconds(app), browser_seconds(), time.perf_counter()
    see_home(page, address)
    wall = time.perf_counter() - start
    spent, drew = cpu_seconds(app) - spent, browser_seconds() - drew
    page.wait_for_load_state("networkidle")
    return Visit(wall, spent, drew, len(wire.files), sum(wire.files), wire.said)


@contextmanager
def somebody(browser: Browser, how: Mapping[str, object] = NO_LOGIN) -> Iterator[BrowserContext]:
    """Open a browser of somebody who was never here."""
    context = browser.new_context(locale="en-GB", viewport={"width": 1280, "height": 800}, **how)
    yield context
    context.close()


def visits(browser: Browser, folder: Path) -> Iterator[tuple[str, Visit | float]]:
    """Start the app and visit it; yield the seconds of the start, then each visit."""
    with ExitStack() as stack:
        port, start = free_port(), time.perf_counter()
        app = serve(folder / "home", port)
        stack.callback(app.wait)
        stack.callback(app.terminate)
        wait(port)
        yield STARTED, time.perf_counter() - start
        for name, people, address in visitors(stack, browser, folder, port):
            with people as context:
                yield name, visit(context, address, app.pid)
                if name == NEXT:
                    yield AGAIN, visit(context, address, app.pid)


def visitors(
    stack: ExitStack, browser: Browser, folder: Path, port: int
) -> Iterator[tuple[str, AbstractContextManager[BrowserContext], str]]:
    """Yield who comes, their browser, and the address that they open."""
    for name in (FIRST, NEXT):
        yield name, somebody(browser), f"http://127.0.0.1:{port}"
    if NGINX:
        (made := folder / "nginx").mkdir()
        before = stack.enter_context(nginx(made, [f"127.0.0.1:{port}"]))
        yield PACKED, somebody(browser, LOGIN), f"https://localhost:{before}"


def row(name: str, found: Visit | float) -> str:
    return f"| {name} | {found} |" if isinstance(found, Visit) else f"| {name} | {found:.2f} s |" + " |" * 5


def middle(found: list[Visit | float]) -> Visit | float:
    """Return the median of each figure."""
    if isinstance(found[0], Visit):
        return Visit(*map(median, zip(*found, strict=True)))
    return median(found)


def main() -> None:
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.first_visit",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    if not CHROMIUM:
        raise SystemExit("Chromium is not installed")
    print(machine(), f"{time.strftime('%Y-%m-%d')}, {load()}", "", sep="\n")
    print(f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}", flush=True)
    found: dict[str, list[Visit | float]] = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        for _ in range(rounds):
            with tempfile.TemporaryDirectory() as folder:
                for name, one in visits(browser, Path(folder)):
                    found.setdefault(name, []).append(one)
                    print(row(name, one), flush=True)
        browser.close()
    print(f"| *median of {rounds}* |" + " |" * (len(COLUMNS) - 1))
    print(*(row(name, middle(each)) for name, each in found.items()), sep="\n")
    until_home = [start + first.wall for start, first in zip(found[STARTED], found[FIRST], strict=True)]
    print(f"from the start of the process to its first home: {median(until_home):.2f} s")


if __name__ == "__main__":
    main()
