"""Print how fast this machine is: ``python -m benchmarks [PDF] [--budget SECONDS] [--rounds N] [--json]``.

Every line is printed as soon as it is measured. Without a PDF the Chinese sample is used. The other engines install by
``pip install -r requirements-benchmarks.txt``; one that is not there is named and left out.
"""

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from functools import partial
from pathlib import Path

from benchmarks import reranking
from benchmarks.clock import seconds
from benchmarks.machine import load, machine
from rag_core.datatypes import ChunkSettings, Settings
from rag_core.lab import Lab
from rag_core.models.embed import load_embedder
from rag_core.models.rerank import load_reranker

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "data" / "samples" / "city-report-zh.pdf"
QUESTION = "去年的财政收入增长了多少？"
REPEATS = 7
PORT = 8765


def pipeline_rows(file: Path, home: Path) -> list[tuple[str, str]]:
    """Time reading, indexing and comparing, with clauses: the shortest chunks and the most of them."""
    lab, how = Lab(home), Settings(chunks=ChunkSettings("clause"))
    embedder, reranker = load_embedder(how.embedder), load_reranker(how.reranker)
    read = seconds(lambda: lab.add(file.read_bytes(), file.name))
    doc_id = next(iter(lab.documents.titles()))
    build = seconds(lambda: lab.open(doc_id, how, embedder))
    opened = lab.open(doc_id, how, embedder)
    times = [seconds(lambda: opened.compare(QUESTION, [], reranker)) for _ in range(REPEATS)]
    lab.close()
    warm = sorted(times[1:])[len(times) // 2 - 1]
    return [
        (f"read {file.name}", f"{read:.2f} s"),
        (f"embed and index {len(opened.chunks)} clauses", f"{build:.1f} s"),
        (f"compare at depth {how.depth}, first time", f"{times[0]:.2f} s"),
        (
            f"compare at depth {how.depth}, warm (median of {REPEATS - 1})",
            f"{warm:.2f} s",
        ),
    ]


def start_row(home: Path) -> tuple[str, str]:
    """Time from starting the app until it says that it is ready to serve a page."""
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py"), "--server.port", str(PORT)]
    start = time.perf_counter()
    app = subprocess.Popen(
        command, env={**os.environ, "RERANK_LAB_HOME": str(home)}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        while not healthy():
            time.sleep(0.05)
        return "start the app until it serves", f"{time.perf_counter() - start:.1f} s"
    finally:
        app.terminate()
        app.wait()


def healthy() -> bool:
    try:
        return urllib.request.urlopen(f"http://127.0.0.1:{PORT}/_stcore/health", timeout=1).status == 200
    except OSError:
        return False


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("file", nargs="?", type=Path, default=SAMPLE, metavar="PDF")
    parser.add_argument("--json", action="store_true", help="print one JSON object at the end; the rest goes to stderr")
    parser.add_argument(
        "--rounds", type=int, default=reranking.ROUNDS, help="the best of so many (default %(default)s)"
    )
    parser.add_argument("--budget", type=float, default=math.inf, metavar="SECONDS", help="begin no case after so long")
    arguments = parser.parse_args()
    said = partial(print, sep="\n", flush=True, file=sys.stderr if arguments.json else sys.stdout)
    how = reranking.How(arguments.rounds, time.monotonic() + arguments.budget, said)
    said(machine(), f"{time.strftime('%Y-%m-%d')}, {load()}", "", reranking.row("step", "time"), reranking.rule(1))
    with tempfile.TemporaryDirectory() as folder:
        rows = [*pipeline_rows(arguments.file, Path(folder) / "lab"), start_row(Path(folder) / "app")]
        said(*(reranking.row(*one) for one in rows), "")
        found = reranking.measure(Path(folder), how)
    if arguments.json:
        print(json.dumps({"machine": machine(), "steps": dict(rows), **found}, indent=2))


if __name__ == "__main__":
    main()
