"""Time a folder in this process and with Ray: ``python -m benchmarks.folder [--documents 24] [--workers 1,2]``.

The documents are the samples again and again, each with another byte or two, with their own questions. Printed are the
seconds for starting Ray on this machine, for reading and embedding, and for scoring each question's candidates.
"""

import argparse
import io
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from time import perf_counter

from pypdf import PdfReader, PdfWriter

from benchmarks.crowd import ROOT
from rag_core.batch import cluster, evaluation, indexing
from rag_core.datatypes import Settings
from rag_core.lab import Lab
from rag_core.measuring.questions import Questions
from rag_core.models.cores import cores
from rag_core.models.embed import Embedder, load_embedder
from rag_core.models.rerank import load_reranker

SAMPLES = ("city-report-zh", "annual-report-en")
HOW = Settings(depth=20)


def write(folder: Path, count: int) -> dict[Path, Questions]:
    """Write so many documents, each one's own bytes; return them with their questions."""
    made = {}
    for number in range(count):
        name = SAMPLES[number % len(SAMPLES)]
        source = ROOT / "data" / "samples" / name
        writer = PdfWriter(clone_from=PdfReader(io.BytesIO(source.with_suffix(".pdf").read_bytes())))
        writer.add_metadata({"/Subject": str(number)})
        file = folder / f"{name}-{number:05}.pdf"
        writer.write(file)
        asked = json.loads(source.with_suffix(".questions.json").read_text(encoding="utf-8"))
        made[file] = Questions(tuple(row["question"] for row in asked), (), 0)
    return made


@contextmanager
def timed(times: list[float]) -> Iterator[None]:
    start = perf_counter()
    yield
    times.append(perf_counter() - start)


def part_of(lab: Lab, outcome: indexing.Outcome, questions: Questions, embedder: Embedder) -> evaluation.Part:
    opened = lab.open(outcome.doc_id, replace(HOW, chunks=lab.recommend(outcome.doc_id)), embedder)
    return evaluation.Part(outcome.file.name, lab.documents.load(outcome.doc_id), opened, questions)


def measure(asked: dict[Path, Questions], home: Path, workers: int) -> tuple[list[float], int, int]:
    """Return the seconds for starting, indexing and scoring, and the numbers of chunks and of pairs."""
    lab, times = Lab(home), []
    embedder, reranker = load_embedder(HOW.embedder), load_reranker(HOW.reranker)
    make = cluster.make(HOW.embedder, workers) if workers else indexing.here(embedder)
    running = cluster.joined(cluster.HERE) if workers else nullcontext()
    with timed(times):
        running.__enter__()
    with timed(times):
        outcomes = indexing.index(lab, [indexing.Task(file) for file in asked], embedder, make)
    parts = [part_of(lab, one, asked[one.file], embedder) for one in outcomes]
    wanted = [one for part in parts for one in evaluation.wanted(part, reranker, HOW.depth)]
    with timed(times):
        if workers:
            cluster.score(lab, wanted, HOW.reranker, workers)
        else:
            evaluation.evaluate_all(parts, [reranker], [HOW.depth])
    running.__exit__(None, None, None)
    lab.close()
    return times, sum(one.chunks for one in outcomes), sum(len(one.chunks) for one in wanted)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.folder", description=__doc__)
    parser.add_argument("--documents", type=int, default=24)
    parser.add_argument("--workers", default="1,2", metavar="NUMBERS")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / "pdfs"
        folder.mkdir()
        asked = write(folder, arguments.documents)
        print(f"{cores()} cores, {len(asked)} documents\n")
        print("| where | start Ray | read and embed | chunks/s | score | pairs/s |\n|---|---|---|---|---|---|")
        for workers in (0, *map(int, arguments.workers.split(","))):
            (start, index, score), chunks, pairs = measure(asked, Path(made) / str(workers), workers)
            name = f"Ray, {workers} worker{'s' * (workers > 1)}" if workers else "in this process"
            began = f"{start:.0f} s" if workers else ""
            rates = f"{index:.0f} s | {chunks / index:.0f} | {score:.0f} s | {pairs / score:.0f}"
            print(f"| {name} | {began} | {rates} |", flush=True)


if __name__ == "__main__":
    main()
