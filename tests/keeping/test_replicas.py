"""Two processes behind a real nginx with ``deploy/nginx.conf``: a password, TLS, a seat to keep, and packed files."""

from __future__ import annotations

import re
import sqlite3
import ssl
import time
from base64 import b64encode
from http.client import HTTPSConnection
from pathlib import Path

import pytest
import running_app
from running_app import asked_outside, settle
from running_app import running_app as serve

from benchmarks import first_visit
from benchmarks.nginx import NAME, NGINX, PASSWORD, nginx
from pages.ui.shell.i18n import texts

SAMPLE = running_app.ROOT / "data" / "samples" / "annual-report-en.pdf"
LOGIN = {"Authorization": "Basic " + b64encode(f"{NAME}:{PASSWORD}".encode()).decode()}
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "MDEyMzQ1Njc4OWFiY2RlZg==",
}
VISITORS = 24

pytestmark = [pytest.mark.slow, pytest.mark.skipif(NGINX is None, reason="nginx is not installed")]


def ask(port: int, path: str, headers: dict[str, str], method: str = "GET") -> tuple[int, str]:
    """Return the status, and the seat where a new one was given."""
    unchecked = ssl.create_default_context()
    unchecked.check_hostname, unchecked.verify_mode = False, ssl.CERT_NONE
    connection = HTTPSConnection("localhost", port, timeout=30, context=unchecked)
    try:
        connection.request(method, path, headers=headers)
        reply = connection.getresponse()
        seat = re.search(r"rerank_lab=\w+; Path=/; Secure; HttpOnly", reply.getheader("Set-Cookie") or "")
        return reply.status, seat[0].partition(";")[0] if seat else ""
    finally:
        connection.close()


def seats(folder: Path) -> list[tuple[str, str]]:
    """Return the process and the path of every request that reached one."""
    lines = (folder / "access.log").read_text().splitlines()
    found = [re.fullmatch(r"\d+ (127\.0\.0\.1:\d+) (\S+) .*", line) for line in lines]
    return [match.groups() for match in found if match]


def test_two_replicas(tmp_path, request):
    homes = [tmp_path / "one", tmp_path / "two"]
    private = {"RERANK_LAB_LIBRARY": "private"}
    with serve(homes[0], private) as one, serve(homes[1], private) as two:
        replicas = [address.removeprefix("http://") for address in (one, two)]
        (folder := tmp_path / "nginx").mkdir()
        with nginx(folder, replicas) as port:
            a_password_is_demanded(port)
            what_is_too_large_stops_at_the_door(port)
            visitors_spread_and_each_stays(port, folder, replicas)
            if running_app.CHROMIUM:
                person = request.getfixturevalue("person")
                browsers_keep_their_seat_and_their_documents(port, folder, homes, person)
                a_first_visit_is_less_than_half(one, port, person)
    assert [asked_outside(home) for home in homes] == [[], []]


def a_password_is_demanded(port: int) -> None:
    wrong = {"Authorization": "Basic " + b64encode(f"{NAME}:guess".encode()).decode()}
    for headers in ({}, wrong):
        for path in ("/", "/documents", "/_stcore/health", "/_stcore/upload_file/x/y"):
            assert ask(port, path, headers)[0] == 401
        assert ask(port, "/_stcore/stream", headers | UPGRADE)[0] == 401
    assert ask(port, "/", LOGIN)[0] == 200


def what_is_too_large_stops_at_the_door(port: int) -> None:
    size = {"Content-Length": str(52 * 2**20)}
    assert ask(port, "/_stcore/upload_file/x/y", LOGIN | size, "PUT")[0] == 413


def visitors_spread_and_each_stays(port: int, folder: Path, replicas: list[str]) -> None:
    first = len(seats(folder))
    for _ in range(VISITORS):
        status, seat = ask(port, "/_stcore/health", LOGIN)
        assert status == 200 and seat
        for _ in range(2):
            again = ask(port, "/_stcore/health", LOGIN | {"Cookie": seat})
            assert again == (200, ""), "a visitor with a seat gets no other"
    asked = [process for process, _ in seats(folder)[first:]]
    visits = [set(asked[3 * visitor : 3 * visitor + 3]) for visitor in range(VISITORS)]
    assert all(len(visit) == 1 for visit in visits)
    assert set.union(*visits) == set(replicas)


def a_first_visit_is_less_than_half(address: str, port: int, person) -> None:
    plain = sizes_of_files(person(), address)
    packed = sizes_of_files(person(**first_visit.LOGIN), f"https://localhost:{port}")
    assert len(plain) > 50 and abs(len(packed) - len(plain)) < 5
    assert sum(packed) < sum(plain) / 2, (sum(packed), sum(plain))


def sizes_of_files(context, address: str) -> list[int]:
    """Return how many bytes each file of a first visit takes on the wire."""
    page = context.new_page()
    wire = first_visit.Wire(context.new_cdp_session(page))
    first_visit.see_home(page, address)
    page.wait_for_load_state("networkidle")
    context.close()
    return wire.files


def browsers_keep_their_seat_and_their_documents(port: int, folder: Path, homes: list[Path], person) -> None:
    for _ in range(2):
        first = len(seats(folder))
        context = person(**first_visit.LOGIN)
        page = context.new_page()
        compare(page, f"https://localhost:{port}")
        what_holds_a_readers_text_is_not_packed(page)
        context.close()
        asked = until_the_page_is_left(folder, first)
        assert len({process for process, _ in asked}) == 1
        assert {path for _, path in asked} > {"/documents", "/_stcore/stream"}
    owners = [owner for home in homes for owner in owners_in(home)]
    assert len(set(owners)) == 2 and "" not in owners


def until_the_page_is_left(folder: Path, first: int) -> list[tuple[str, str]]:
    """Return a browser's requests; nginx writes that of its websocket when it is closed."""
    end = time.monotonic() + 30
    while "/_stcore/stream" not in {path for _, path in seats(folder)[first:]} and time.monotonic() < end:
        time.sleep(0.1)
    return seats(folder)[first:]


def compare(page, address: str) -> None:
    """Upload and compare as a visitor who sees nobody else's document, and come back to it from another page."""
    sockets: list[str] = []
    page.on("websocket", lambda opened: sockets.append(opened.url))
    page.goto(f"{address}/documents")
    page.get_by_text("There is no document yet").wait_for()
    page.get_by_test_id("stFileUploader").locator("input[type=file]").set_input_files(SAMPLE)
    page.get_by_text(SAMPLE.name).first.wait_for()
    page.get_by_text("all readable").wait_for()
    settle(page)
    page.get_by_role("link", name="Compare").click()
    page.get_by_label("Question", exact=True).fill("What made the company miss its leakage goal?")
    page.get_by_role("button", name="Compare", exact=True).click()
    page.get_by_text("Both tables rank").wait_for()
    settle(page)
    assert page.get_by_test_id("stException").count() == 0
    assert sockets and all(url.startswith("wss://localhost:") for url in sockets)


def what_holds_a_readers_text_is_not_packed(page) -> None:
    with page.expect_download() as found:
        page.get_by_role("button", name=texts("en")["result.save"]).click()
    replies = [page.context.request.get(address) for address in (found.value.url, page.url)]
    assert [reply.headers.get("content-encoding", "plain") for reply in replies] == ["plain", "gzip"]
    assert len(replies[0].body()) > 10_000 and replies[0].ok


def owners_in(home: Path) -> list[str]:
    """Return the owners in a process's library; there is none where both visitors got their seat at the other."""
    if not (home / "library.sqlite").exists():
        return []
    with sqlite3.connect(home / "library.sqlite") as library:
        return [owner for (owner,) in library.execute("SELECT owner FROM documents")]
