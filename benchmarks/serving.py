"""Time scoring in this process against scoring by Ray Serve: ``python -m benchmarks.serving``.

Every client sends one request after another, each a question of the Chinese sample with 20 of its chunks, for so many
seconds. Printed are requests a second, the median and the 95th percentile of their times, and how many failed or
brought other scores than this process gives. Clients, replicas and this process share the machine's cores.
"""

import argparse
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np

from benchmarks.crowd import QUESTIONS, ROOT, SAMPLE, free_port
from rag_core.datatypes import Settings
from rag_core.models import catalog
from rag_core.models.cores import cores
from rag_core.models.rerank import Reranker, load_reranker
from rag_core.reading import chunk, pdf
from rag_core.servers.rerank import RemoteReranker, RerankServer

PAIRS = 20
Task = tuple[str, list[str], np.ndarray]
"""A question, its texts, and the scores they have in this process."""


def tasks(reranker: Reranker) -> list[Task]:
    pages = pdf.read_pages(SAMPLE.read_bytes())
    how = chunk.recommend(pages)
    texts = [piece.passage for piece in chunk.split(pages, how.preset, how.size, how.overlap)]
    made = []
    for number, row in enumerate(json.loads(QUESTIONS.read_text(encoding="utf-8"))):
        part = [texts[(number * 7 + i) % len(texts)] for i in range(PAIRS)]
        made.append((row["question"], part, reranker.score(row["question"], part)))
    return made


def client(number: int, reranker: Reranker, asked: list[Task], end: float) -> list[float | None]:
    """Ask until the end; give the seconds of each request, and None for one that failed or brought other scores."""
    took: list[float | None] = []
    while time.perf_counter() < end:
        query, texts, expected = asked[(number + len(took)) % len(asked)]
        start = time.perf_counter()
        try:
            right = np.array_equal(reranker.score(query, texts), expected)
        except Exception:  # whatever goes wrong is one that failed
            right = False
        took.append(time.perf_counter() - start if right else None)
    return took


def row(name: str, make: Callable[[], Reranker], asked: list[Task], clients: int, seconds: float) -> str:
    rerankers = [make() for _ in range(clients)]
    rerankers[0].score(*asked[0][:2])
    start = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        work = [pool.submit(client, i, one, asked, start + seconds) for i, one in enumerate(rerankers)]
        took = [each for one in work for each in one.result()]
    whole, done = time.perf_counter() - start, [each for each in took if each is not None]
    middle, high = np.percentile(done or [np.nan], [50, 95])
    return f"| {name} | {len(done) / whole:.1f} | {middle:.2f} s | {high:.2f} s | {len(took) - len(done)} |"


@contextmanager
def served(replicas: int) -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "deploy.serve", "--port", str(port), "--replicas", str(replicas), "--cpus", "0.1"]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        if not server.stdout.readline():
            raise SystemExit("Ray Serve did not start: pip install -r deploy/requirements.txt")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serving", description=__doc__)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--replicas", default="1,2", metavar="NUMBERS")
    arguments = parser.parse_args()
    own, line = load_reranker(Settings().reranker), catalog.find(catalog.RERANKERS, "rerank-server")
    asked = tasks(own)
    print(f"{cores()} cores, {arguments.clients} clients, {PAIRS} pairs a request, {arguments.seconds:g} s each\n")
    print("| where | requests/s | median | p95 | failed or other scores |\n|---|---|---|---|---|")
    print(row("in this process", lambda: own, asked, arguments.clients, arguments.seconds), flush=True)
    for replicas in map(int, arguments.replicas.split(",")):
        with served(replicas) as address:
            where = RerankServer(address, "infinity")
            name = f"Ray Serve, {replicas} replica{'s' * (replicas > 1)}"
            far = row(name, lambda w=where: RemoteReranker(line.id, w), asked, arguments.clients, arguments.seconds)
            print(far, flush=True)


if __name__ == "__main__":
    main()
