"""The main job in a real browser, and that nothing leaves this machine on the way."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import running_app
from running_app import asked_outside, order_rows, settle

SAMPLE = running_app.ROOT / "data" / "samples" / "city-report-zh.pdf"
QUESTION = "2025年一般公共预算收入打算增长多少？"
CANDIDATES = 42  # the windows of the sample, fewer than the depth of 50
ROWS = """rows => rows.map(
    row => [".rank", ".arrow", ".place", ".lines", ".number"].map(cell => row.querySelector(cell).textContent))"""


def read_table(page, number: int) -> list[list[str]]:
    """Return a table's rows in order: rank, move, page, page with text, score."""
    return order_rows(page, number).evaluate_all(ROWS)


def hosts(requests: list[str]) -> set[str | None]:
    """Return the hosts of addresses that go over a network; ``data:`` and ``blob:`` do not."""
    return {urlsplit(url).hostname for url in requests if urlsplit(url).scheme not in ("data", "blob")}


@pytest.mark.parametrize(
    "attempt", ["socket.getaddrinfo('name.invalid', 80)", "socket.create_connection(('192.0.2.1', 9), 0.1)"]
)
def test_the_recorder_sees_attempts_of_child_processes(tmp_path: Path, attempt: str):
    home = tmp_path / "home"
    child = f"import socket\ntry:\n    {attempt}\nexcept OSError:\n    pass"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}], check=True)"
    subprocess.run([sys.executable, "-c", parent], env=running_app.environment(home), check=True)
    assert any("name.invalid" in line or "192.0.2.1" in line for line in asked_outside(home))


def test_the_recorder_lets_loopback_pass(tmp_path: Path):
    home = tmp_path / "home"
    script = "import socket; s = socket.create_server(('127.0.0.1', 0)); socket.create_connection(s.getsockname())"
    subprocess.run([sys.executable, "-c", script], env=running_app.environment(home), check=True)
    assert asked_outside(home) == []


@pytest.mark.skipif(not running_app.can_trace(), reason="strace is not installed, or not allowed here")
def test_the_trace_sees_what_native_code_looks_up(tmp_path: Path):
    home = tmp_path / "home"
    native = "ctypes.CDLL(None).getaddrinfo(b'name.invalid', None, None, ctypes.byref(ctypes.c_void_p()))"
    command = running_app.traced([sys.executable, "-c", f"import ctypes; {native}"], running_app.trace_file(home))
    subprocess.run(command, env=running_app.environment(home), check=True)
    assert asked_outside(home)


def test_the_runtime_of_the_models_sends_no_telemetry(tmp_path: Path):
    script = "import os, rag_core; print(os.environ.get('ORT_DISABLE_TELEMETRY'))"
    environment = running_app.environment(tmp_path / "home") | {"PYTHONPATH": str(running_app.ROOT)}
    told = subprocess.run([sys.executable, "-c", script], env=environment, check=True, capture_output=True, text=True)
    assert told.stdout.strip() == "1", "onnxruntime reports to its maker unless told before it is loaded"


@pytest.mark.slow
def test_upload_compare_and_read_both_tables(served, tmp_path: Path, page):
    requests: list[str] = []
    address = served.open(tmp_path / "empty")
    page.on("request", lambda request: requests.append(request.url))
    page.on("websocket", lambda socket: requests.append(socket.url))
    upload(page, address)
    ask(page)
    vector, reranked = read_table(page, 0), read_table(page, 1)
    check_orders(vector, reranked)
    switch_to_chinese(page)
    assert [untranslated(row) for row in read_table(page, 1)] == [untranslated(row) for row in reranked]
    assert page.get_by_test_id("stException").count() == 0
    assert hosts(requests) == {"127.0.0.1"}
    page.evaluate("fetch('http://name.invalid/').catch(() => null)")
    assert "name.invalid" in hosts(requests), "requests outside would not have been seen"
    assert served.asked_outside() == []


def upload(page, address: str) -> None:
    page.goto(f"{address}/documents")
    page.get_by_test_id("stFileUploader").locator("input[type=file]").set_input_files(SAMPLE)
    page.get_by_text("9 pages, all readable").wait_for()
    settle(page)


def ask(page) -> None:
    page.get_by_role("link", name="Compare").click()
    page.get_by_label("Question", exact=True).fill(QUESTION)
    page.get_by_role("button", name="Compare", exact=True).click()
    page.get_by_text("Both tables rank").wait_for()
    settle(page)


def check_orders(vector: list[list[str]], reranked: list[list[str]]) -> None:
    """Both hold the same candidates, ranked 1 to n, and each move is the difference of its two ranks."""
    ranks = [str(rank) for rank in range(1, CANDIDATES + 1)]
    assert [row[0] for row in vector] == [row[0] for row in reranked] == ranks
    assert sorted(candidate(row) for row in vector) == sorted(candidate(row) for row in reranked)
    assert [candidate(row) for row in vector] != [candidate(row) for row in reranked]
    before = {candidate(row): int(row[0]) for row in vector}
    moves = {candidate(row): before[candidate(row)] - int(row[0]) for row in reranked}
    assert [signed(row[1]) for row in reranked] == [moves[candidate(row)] for row in reranked]


def candidate(row: list[str]) -> tuple[str, str]:
    """Return page and text, which name a candidate; the score behind them differs from side to side."""
    return row[2], row[3]


def untranslated(row: list[str]) -> list[str]:
    """Return a row without the name of its page, which follows the language."""
    rank, move, place, lines, score = row
    return [rank, move, *re.findall(r"\d+", place), lines.removeprefix(place), score]


def signed(move: str) -> int:
    return 0 if move == "＝" else int(move[1:]) * (1 if move[0] == "▲" else -1)


def switch_to_chinese(page) -> None:
    page.get_by_role("radio", name="中文").or_(page.get_by_role("button", name="中文")).click()
    page.get_by_role("button", name="对比", exact=True).wait_for()
    settle(page)
    page.get_by_text("两张表是同样的").wait_for()


@pytest.mark.slow
def test_the_question_is_still_there_after_a_chunk_was_picked_and_another_page_seen(address, page):
    upload(page, address)
    ask(page)
    order_rows(page, 1).first.click()  # draws this part of the page alone
    page.get_by_text("→ rank 1").wait_for()
    settle(page)
    page.get_by_role("link", name="Answer").click()
    page.get_by_text("The two sets share").wait_for()
    settle(page)
    page.get_by_role("link", name="Compare").click()
    settle(page)
    assert page.get_by_role("textbox", name="Question", exact=True).input_value() == QUESTION
