"""Play a class: ``python -m benchmarks.crowd [--people 30] [--seconds 300] [--every 20] [--distinct]``.

The app runs as it does for a reader, with the Chinese sample in its library. Every participant opens the compare page
by a link and waits for the finished comparison, at a moment of their own, again and again; each time it is a websocket
session of its own and another question; with ``--distinct`` no two of them in the whole run are equal. Printed are the
seconds from the request to the finished page, failures, the server's CPU seconds for one comparison, which another
program on the machine lengthens little, and its memory after the first ten seconds and at the end.
"""

import argparse
import asyncio
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import ProxyHandler, build_opener

import numpy as np
import psutil
import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from rag_core import chunk
from rag_core.datatypes import Settings
from rag_core.embed import load_embedder
from rag_core.pipeline import Lab

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "data" / "samples" / "city-report-zh.pdf"
QUESTIONS = ROOT / "data" / "samples" / "city-report-zh.questions.json"
SETTLED = 10


def prepare(home: Path) -> tuple[str, list[str]]:
    """Index the sample; return its id and its questions."""
    lab = Lab(home)
    document = lab.add(SAMPLE.read_bytes(), SAMPLE.name)
    lab.index(document.id, chunk.recommend(document.pages), load_embedder(Settings().embedder))
    lab.close()
    return document.id, [row["question"] for row in json.loads(QUESTIONS.read_text(encoding="utf-8"))]


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def serve(home: Path, port: int) -> subprocess.Popen:
    environment = os.environ | {"RERANK_LAB_HOME": str(home)}
    command = [sys.executable, "-m", "streamlit", "run", "app.py", f"--server.port={port}"]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def wait(port: int) -> None:
    ask = build_opener(ProxyHandler({})).open
    for _ in range(600):
        try:
            ask(f"http://127.0.0.1:{port}/_stcore/health", timeout=5).close()
            return
        except OSError:
            time.sleep(0.2)
    raise SystemExit("the app did not start")


async def compare(port: int, link: str) -> bool:
    """Open the compare page by a link and wait until it is drawn; say whether the comparison is on it."""
    address, found = f"ws://127.0.0.1:{port}/_stcore/stream", False
    async with websockets.connect(address, subprotocols=["streamlit"], max_size=None, proxy=None) as connection:
        asked = BackMsg()
        asked.rerun_script.query_string, asked.rerun_script.page_name = link, "compare"
        await connection.send(asked.SerializeToString())
        while True:
            message = ForwardMsg()
            message.ParseFromString(await connection.recv())
            kind = message.WhichOneof("type")
            if kind == "delta" and message.delta.new_element.WhichOneof("type") == "dataframe":
                found = True
            if kind == "script_finished":
                return found


def linker(doc_id: str, questions: list[str], distinct: bool) -> Callable[[], str]:
    """Return what gives the next link: to one of the questions, or with its number in the run after it."""
    numbers = count(1)

    def link() -> str:
        question = random.choice(questions)
        return urlencode({"q": f"{question} {next(numbers)}" if distinct else question, "doc": doc_id, "lang": "zh"})

    return link


async def participant(port: int, link: Callable[[], str], every: float, end: float, took: list[float | None]) -> None:
    await asyncio.sleep(random.uniform(0, every))
    while time.monotonic() < end:
        start = time.monotonic()
        try:
            done = await compare(port, link())
        except (OSError, websockets.WebSocketException):
            done = False
        took.append(time.monotonic() - start if done else None)
        await asyncio.sleep(max(0.0, start + every - time.monotonic()))


def cpu_seconds(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


async def play(
    port: int, link: Callable[[], str], arguments: argparse.Namespace, memory: list[float], pid: int
) -> list[float | None]:
    took: list[float | None] = []
    end = time.monotonic() + arguments.seconds
    people = [participant(port, link, arguments.every, end, took) for _ in range(arguments.people)]

    async def look() -> None:
        process = psutil.Process(pid)
        await asyncio.sleep(SETTLED)
        memory.append(process.memory_info().rss / 2**20)

    await asyncio.gather(look(), *people)
    memory.append(psutil.Process(pid).memory_info().rss / 2**20)
    return took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--every", type=float, default=20, help="seconds between one participant's comparisons")
    parser.add_argument("--distinct", action="store_true", help="let no two questions be equal")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        doc_id, questions = prepare(Path(folder))
        port = free_port()
        server = serve(Path(folder), port)
        try:
            wait(port)
            link = linker(doc_id, questions, arguments.distinct)
            asyncio.run(compare(port, link()))  # the models are loaded once, before anybody counts
            memory: list[float] = []
            before = cpu_seconds(server.pid)
            took = asyncio.run(play(port, link, arguments, memory, server.pid))
            spent = cpu_seconds(server.pid) - before
        finally:
            server.terminate()
            server.wait(30)
    done = [seconds for seconds in took if seconds is not None]
    failed = len(took) - len(done)
    print(f"{arguments.people} people, {len(took)} comparisons in {arguments.seconds:.0f} s, {failed} failed")
    if not done:
        raise SystemExit(1)
    print("| median | p95 | slowest | CPU per comparison |\n|---|---|---|---|")
    waits = f"{np.median(done):.2f} s | {np.percentile(done, 95):.2f} s | {max(done):.2f} s"
    print(f"| {waits} | {spent / len(took):.3f} s |")
    print(f"server memory: {memory[0]:.0f} MB after {SETTLED} s, {memory[1]:.0f} MB at the end")


if __name__ == "__main__":
    main()
