"""Two processes behind a real nginx with ``deploy/nginx.conf``: a password, TLS, and a seat that a visitor keeps."""

from __future__ import annotations

import datetime
import os
import re
import shutil
import socket
import sqlite3
import ssl
import subprocess
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPSConnection
from pathlib import Path

import pytest
import running_app
from running_app import asked_outside, settle
from running_app import running_app as serve

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
CONFIG = running_app.ROOT / "deploy" / "nginx.conf"
SAMPLE = running_app.ROOT / "data" / "samples" / "annual-report-en.pdf"
NAME, PASSWORD = "class", "open-sesame"
LOGIN = {"Authorization": "Basic " + b64encode(f"{NAME}:{PASSWORD}".encode()).decode()}
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "MDEyMzQ1Njc4OWFiY2RlZg==",
}
VISITORS = 24

pytestmark = [pytest.mark.slow, pytest.mark.skipif(NGINX is None, reason="nginx is not installed")]


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def write_certificate(folder: Path) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + datetime.timedelta(days=1))
    names = x509.SubjectAlternativeName([x509.DNSName("localhost")])
    certificate = builder.add_extension(names, critical=False).sign(key, hashes.SHA256())
    (folder / "lab.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "lab.key").write_bytes(key.private_bytes(*form))


def own_config(folder: Path, port: int, replicas: list[str]) -> str:
    """Return the example with this test's ports and files in the place of its own, and nothing else changed."""
    text = CONFIG.read_text(encoding="utf-8")
    for old, new in (
        ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"),
        ("/etc/ssl/lab.example.crt", f"{folder}/lab.crt"),
        ("/etc/ssl/lab.example.key", f"{folder}/lab.key"),
        ("/etc/nginx/rerank-lab.password", f"{folder}/password"),
        ("127.0.0.1:8501", replicas[0]),
        ("# server 127.0.0.1:8502", f"server {replicas[1]}"),
    ):
        assert text.count(old) == 1
        text = text.replace(old, new)
    return text


@contextmanager
def nginx(folder: Path, replicas: list[str]) -> Iterator[int]:
    """Run nginx without any rights, in front of the replicas; give its port."""
    port = free_port()
    write_certificate(folder)
    (folder / "password").write_text(f"{NAME}:{{PLAIN}}{PASSWORD}\n")
    (folder / "site.conf").write_text(own_config(folder, port, replicas))
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in kinds)
    # Started by root, its workers would become somebody who cannot read the test's folder.
    user = "user root; " if os.geteuid() == 0 else ""
    (folder / "main.conf").write_text(
        f"{user}daemon off; pid {folder}/pid; error_log {folder}/error.log; events {{}}\n"
        f"http {{ log_format seats '$status $upstream_addr $uri $http_upgrade';\n"
        f"access_log {folder}/access.log seats; {temporary} include {folder}/site.conf; }}\n"
    )
    server = subprocess.Popen([NGINX, "-p", folder, "-e", folder / "error.log", "-c", folder / "main.conf"])
    try:
        wait_for(port, server)
        yield port
    finally:
        server.terminate()
        server.wait(30)


def wait_for(port: int, server: subprocess.Popen) -> None:
    end = time.monotonic() + 30
    while server.poll() is None and time.monotonic() < end:
        with socket.socket() as asked:
            if asked.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError("nginx did not start")


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
                browsers_keep_their_seat_and_their_documents(port, folder, homes, request.getfixturevalue("person"))
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


def browsers_keep_their_seat_and_their_documents(port: int, folder: Path, homes: list[Path], person) -> None:
    for _ in range(2):
        first = len(seats(folder))
        context = person(ignore_https_errors=True, http_credentials={"username": NAME, "password": PASSWORD})
        compare(context.new_page(), f"https://localhost:{port}")
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


def owners_in(home: Path) -> list[str]:
    """Return the owners in a process's library; there is none where both visitors got their seat at the other."""
    if not (home / "library.sqlite").exists():
        return []
    with sqlite3.connect(home / "library.sqlite") as library:
        return [owner for (owner,) in library.execute("SELECT owner FROM documents")]
