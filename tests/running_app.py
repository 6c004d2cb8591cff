"""Start the app as a reader does, on loopback, and open it in Chromium."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

if TYPE_CHECKING:
    from playwright.sync_api import Page

ROOT = Path(__file__).parents[1]
RECORDER = Path(__file__).parent / "recorder"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
BROWSER_OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
START_SECONDS = 120
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
def running_app(home: Path, extra: Mapping[str, str] = MappingProxyType({})) -> Iterator[str]:
    """Run the app on a free port with ``home`` as its library folder and ``extra`` variables; give its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", f"--server.port={port}"]
    if can_trace():
        command = traced(command, trace_file(home))
    log = log_file(home)
    with log.open("w") as output:
        server = subprocess.Popen(command, cwd=ROOT, env={**environment(home), **extra}, stdout=output, stderr=output)
        try:
            wait_for(f"http://127.0.0.1:{port}/_stcore/health", server, log)
            yield f"http://127.0.0.1:{port}"
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
def browser_page(language: str = "en-GB", width: int = 1280, height: int = 900) -> Iterator[Page]:
    """Open an empty page in Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=BROWSER_OPTIONS)
        page = browser.new_page(locale=language, viewport={"width": width, "height": height})
        page.set_default_timeout(180_000)
        yield page
        browser.close()


def settle(page: Page) -> None:
    """Wait until the app has finished its run."""
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
    page.wait_for_timeout(600)
