"""What a collection costs: ``python -m benchmarks.collection [10 80 300 10000] [--home FOLDER]``.

A collection of so many documents is made: their pages are the samples' again and again, their vectors are random, so
that ten thousand of them are there in minutes. Each size is then opened by a process of its own. Printed are, size by
size as it is measured:

- new: CPU seconds and wall seconds until a new process has opened it and found its first candidates
- above one document: CPU that a comparison of 50 candidates takes beyond the same on one of the documents, the median
  of questions that nobody asked before; scoring is left out, which costs the same for both
- words: the same where BM25 searches, and what its first question costs in a new process
- memory: the most that the process held until then
- recall: the share of the exact 100 nearest that are found
"""

import argparse
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

import numpy as np

from rag_core.datatypes import Document, FirstStage, Progress, Scored, Settings
from rag_core.keeping.embeddings import Embeddings
from rag_core.lab import Lab
from rag_core.models.embed import load_embedder, normalise
from rag_core.search.once import Once

ROOT = Path(__file__).parents[1]
SAMPLES = ("annual-report-en", "city-report-zh")
SIZES, ROUNDS, DIMENSION, NEAREST = (10, 80, 300), 15, 384, 100
HEAD = "documents | chunks | new, CPU | new, wall | above one document | words, first | words, above | memory | recall"


class Free:
    """A reranker that costs nothing: what is left of a comparison is all else."""

    id, scale, weights = "free", "logit", "free"

    def score_parts(self, query: str, texts: Sequence[str], progress: Progress | None = None) -> Scored:
        return Scored(np.arange(len(texts), dtype=np.float32), (None,) * len(texts))

    def score(self, query: str, texts: Sequence[str], progress: Progress | None = None) -> np.ndarray:
        return self.score_parts(query, texts).scores


def document_id(number: int) -> str:
    return f"{number:016x}"


def fill(home: Path, size: int, embedder: str) -> None:
    """Put documents into a library until it has so many, and make a collection of them all."""
    lab = Lab(home)
    samples = [lab.add((ROOT / "data" / "samples" / f"{name}.pdf").read_bytes(), name) for name in SAMPLES]
    how = lab.recommend(lab.library.collect("Samples", [sample.id for sample in samples], collection_id="samples").id)
    chunks = [lab.cut(sample.id, how) for sample in samples]
    for number in range(sum(title.isdecimal() for title in lab.documents.titles().values()), size):
        doc_id, source = document_id(number), number % len(samples)
        lab.documents.save(Document(doc_id, str(number), samples[source].language, samples[source].pages))
        lab.embeddings.save_chunks(doc_id, how.key, chunks[source])
        vectors = np.random.default_rng(number).normal(size=(len(chunks[source]), DIMENSION))
        lab.embeddings.save(doc_id, how.key, embedder, Embeddings(normalise(vectors), 1.0))
    lab.library.collect("Reader", [document_id(number) for number in range(size)], collection_id=f"reader-{size}")
    lab.close()


def cpu_of(work: Callable[[], object]) -> float:
    start = process_time()
    work()
    return process_time() - start


class Measured:
    """One size, opened by this process."""

    def __init__(self, home: Path, size: int) -> None:
        self.lab, self.size, self.embedder = Lab(home), size, load_embedder(Settings().embedder)
        self.how, self.asked = Settings(chunks=self.lab.recommend("samples")), 0
        self.embedder.embed_queries(["load"])

    def compared(self, doc_id: str, stage: FirstStage = FirstStage.VECTOR) -> float:
        """Return the CPU of a comparison with a question that nobody asked before."""
        self.asked += 1
        question = f"How much did revenue grow in year {self.asked}?"
        how = replace(self.how, first_stage=stage)
        return cpu_of(lambda: Once(self.lab.open(doc_id, how, self.embedder)).compare(question, [], Free()))

    def above(self, stage: FirstStage) -> float:
        """Return what the collection costs above one document."""
        pairs = [
            (self.compared(f"reader-{self.size}", stage), self.compared(document_id(0), stage)) for _ in range(ROUNDS)
        ]
        together, alone = map(median, zip(*pairs, strict=True))
        return together - alone

    def recall(self) -> float:
        """Return the share of the exact nearest that are found, over random questions."""
        queries = normalise(np.random.default_rng(7).normal(size=(10, DIMENSION)))
        index = self.lab.open(f"reader-{self.size}", self.how, self.embedder).index
        found = index.search([""] * len(queries), queries, NEAREST)
        exact = self._nearest(queries)
        shares = [len(set(ranking.ids) & wanted) / NEAREST for ranking, wanted in zip(found, exact, strict=True)]
        return sum(shares) / len(shares)

    def _nearest(self, queries: np.ndarray) -> list[set[str]]:
        """Return the ids of the nearest of each question, by looking at every vector."""
        best: list[list[tuple[float, str]]] = [[] for _ in queries]
        for number in range(self.size):
            doc_id, key = document_id(number), self.how.chunks.key
            near = queries.astype(float) @ self.lab.embeddings.vectors(doc_id, key, self.embedder.id).T.astype(float)
            ids = [f"{doc_id}-{key}-{row:05d}" for row in range(1, near.shape[1] + 1)]
            best = [sorted([*old, *zip(new, ids, strict=True)])[-NEAREST:] for old, new in zip(best, near, strict=True)]
        return [{chunk_id for _, chunk_id in of_query} for of_query in best]


def cells(home: Path, size: int) -> Iterator[str]:
    """Yield what a row says, as it is measured."""
    measured = Measured(home, size)
    measured.compared(document_id(0))
    start = perf_counter()
    new = measured.compared(f"reader-{size}")
    wall = perf_counter() - start
    index = measured.lab.open(f"reader-{size}", measured.how, measured.embedder).index
    yield f"{size:,} | {len(index.vectors):,} | {new:.2f} s | {wall:.2f} s"
    yield f"{1000 * measured.above(FirstStage.VECTOR):.0f} ms"
    yield f"{measured.compared(f'reader-{size}', FirstStage.BM25):.2f} s"
    yield f"{1000 * measured.above(FirstStage.BM25):.0f} ms"
    yield f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.1f} GB"
    yield f"{measured.recall():.4f}"


def measure(home: Path, size: int) -> None:
    for cell in cells(home, size):
        print(f"| {cell} ", end="", flush=True)
    print("|", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", type=int, default=SIZES)
    parser.add_argument("--home", type=Path, help="where the library is made, and kept for the next time")
    parser.add_argument("--measure", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        measure(arguments.home, arguments.measure)
        return
    print(f"| {HEAD} |\n|{'---|' * len(HEAD.split(' | '))}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        home = arguments.home or Path(folder)
        for size in sorted(arguments.sizes):
            fill(home, size, load_embedder(Settings().embedder).id)
            command = ("-m", "benchmarks.collection", "--home", str(home), "--measure", str(size))
            subprocess.run([sys.executable, *command], check=True, cwd=ROOT)


if __name__ == "__main__":
    main()
