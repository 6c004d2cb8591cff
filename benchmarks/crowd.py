"""Play a class: ``python -m benchmarks.crowd [--people 30] [--seconds 300] [--every 20] [--distinct]``.

The app runs as it does for a reader, with the Chinese sample in its library. Every participant opens one tab on the
compare page and keeps it: one websocket session from the beginning to the end. They ask at moments of their own, the
same in every run, each time another question in the page's form; with ``--distinct`` no two in the whole run are equal.
The tabs say what a browser says: the values of all widgets, the pressed button, which large messages they still hold.

A comparison is done when the page has run to its end and shows it: the address names the question, both orders are
new, and there is no error, no bar and no note that the result is an old one. Anything else failed. Printed are the
seconds from the press to the finished page, failures, the server's CPU seconds for one comparison, which another
program on the machine lengthens little, what a tab receives for it before the connection packs it, and the server's
memory as it starts, after the first comparison, after ten seconds of everybody's and at the end. The time to open the
tabs is not counted.

With ``--room`` the class plays one question of the workshop instead: a teacher opens a room, everyone joins within ten
seconds, hands in within twenty and sees the reveal, without a press in between. Printed are the seconds of each step,
the server's CPU seconds for it by participant, and what it costs that the pages look for the teacher's next step.
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
from contextlib import AsyncExitStack
from itertools import count
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

import numpy as np
import psutil
import websockets

from benchmarks import room
from benchmarks.tab import Tab, opened
from rag_core.datatypes import Settings
from rag_core.lab import Lab
from rag_core.models.embed import load_embedder
from rag_core.reading import chunk

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "data" / "samples" / "city-report-zh.pdf"
QUESTIONS = ROOT / "data" / "samples" / "city-report-zh.questions.json"
SETTLED = 10
SEED = 0
"""When several ask at the same moment they wait, so two runs can be compared only with the same moments."""


def prepare(home: Path) -> list[str]:
    """Index the sample; return its questions."""
    lab = Lab(home)
    document = lab.add(SAMPLE.read_bytes(), SAMPLE.name)
    lab.open(document.id, Settings(chunks=chunk.recommend(document.pages)), load_embedder(Settings().embedder))
    lab.close()
    return [row["question"] for row in json.loads(QUESTIONS.read_text(encoding="utf-8"))]


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
    for _ in range(2400):
        try:
            ask(f"http://127.0.0.1:{port}/_stcore/health", timeout=5).close()
            return
        except OSError:
            time.sleep(0.05)
    raise SystemExit("the app did not start")


async def load(port: int, question: str) -> None:
    """Have the models loaded once, before anybody counts."""
    async with opened(port) as tab:
        await tab.compare(question)


def asker(questions: list[str], distinct: bool) -> Callable[[], str]:
    """Return what gives the next question: one of these, or one with its number in the run after it."""
    numbers = count(1)
    return lambda: f"{random.choice(questions)} {next(numbers)}" if distinct else random.choice(questions)


async def participant(tab: Tab, ask: Callable[[], str], every: float, end: float, took: list[float | None]) -> None:
    await asyncio.sleep(random.uniform(0, every))
    while time.monotonic() < end:
        start = time.monotonic()
        try:
            done = await tab.compare(ask())
        except (OSError, websockets.WebSocketException):  # an answer that does not come is an OSError too
            done = False
        took.append(time.monotonic() - start if done else None)
        await asyncio.sleep(max(0.0, start + every - time.monotonic()))


def cpu_seconds(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


async def play(
    port: int, ask: Callable[[], str], arguments: argparse.Namespace, memory: list[float], pid: int
) -> tuple[list[float | None], float, int]:
    """Seat everybody, then let them ask; return how long each comparison took, and CPU seconds and bytes for all."""
    took: list[float | None] = []
    async with AsyncExitStack() as stack:
        tabs = [await stack.enter_async_context(opened(port)) for _ in range(arguments.people)]
        seated = sum(tab.received for tab in tabs)
        before, end = cpu_seconds(pid), time.monotonic() + arguments.seconds
        people = [participant(tab, ask, arguments.every, end, took) for tab in tabs]
        await asyncio.gather(look(memory, pid), *people)
    memory.append(megabytes(pid))
    return took, cpu_seconds(pid) - before, sum(tab.received for tab in tabs) - seated


async def look(memory: list[float], pid: int) -> None:
    await asyncio.sleep(SETTLED)
    memory.append(megabytes(pid))


def megabytes(pid: int) -> float:
    return psutil.Process(pid).memory_info().rss / 2**20


def print_room(costs: room.Costs) -> None:
    print("| step | median | p95 | slowest | CPU per participant |\n|---|---|---|---|---|")
    print(*costs.rows, costs.looks, sep="\n")


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.crowd", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--people", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--every", type=float, default=20, help="seconds between one participant's comparisons")
    parser.add_argument("--distinct", action="store_true", help="let no two questions be equal")
    parser.add_argument("--room", action="store_true", help="play a room of the workshop")
    arguments = parser.parse_args()
    random.seed(SEED)
    with tempfile.TemporaryDirectory() as folder:
        questions = prepare(Path(folder))
        port = free_port()
        server = serve(Path(folder), port)
        try:
            wait(port)
            ask, memory = asker(questions, arguments.distinct), [megabytes(server.pid)]
            asyncio.run(load(port, ask()))
            memory.append(megabytes(server.pid))
            if arguments.room:
                print_room(asyncio.run(room.play(port, arguments.people, ask(), server.pid)))
                return
            took, spent, received = asyncio.run(play(port, ask, arguments, memory, server.pid))
        finally:
            server.terminate()
            server.wait(30)
    done = [seconds for seconds in took if seconds is not None]
    failed = len(took) - len(done)
    print(f"{arguments.people} people, {len(took)} comparisons in {arguments.seconds:.0f} s, {failed} failed")
    if not done:
        raise SystemExit(1)
    print("| median | p95 | slowest | CPU per comparison | received per comparison |\n|---|---|---|---|---|")
    waits = f"{np.median(done):.2f} s | {np.percentile(done, 95):.2f} s | {max(done):.2f} s"
    print(f"| {waits} | {spent / len(took):.3f} s | {received / len(took) / 1000:.0f} kB |")
    moments = ("at the start", "after the first comparison", f"after {SETTLED} s", "at the end")
    print("server memory:", ", ".join(f"{size:.0f} MB {when}" for size, when in zip(memory, moments, strict=True)))


if __name__ == "__main__":
    main()
