"""Kill the indexing: ``python -m benchmarks.kills [--kills 50] [--seed 11]``.

A process of its own reads the bundled samples, cuts and embeds them and indexes them, and is killed at a random moment:
every other time it has everything but the index already, so that the kill meets Chroma. After each kill the library
is opened again. Printed is what was left of each piece of work, and whether everything finished before, after and
meanwhile answers as it does where nobody was killed: the same chunks with the same scores, and no text embedded twice.
"""

from __future__ import annotations

import argparse
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rag_core.datatypes import ChunkSettings, Document, Page, Settings
from rag_core.keeping.chroma import Address, failed
from rag_core.lab import Lab
from rag_core.models.embed import Embedder, load_embedder

ROOT = Path(__file__).parents[1]
SAMPLES = ("city-report-zh", "annual-report-en")
QUESTIONS = ("财政收入增长了多少？", "How many people work for the company?", "Which risks grew?")
DEPTH = 20


@dataclass(frozen=True, slots=True)
class Work:
    """One document, cut one way. More than 1,000 chunks are needed before Chroma writes its vector files."""

    names: tuple[str, ...]
    how: ChunkSettings

    def __str__(self) -> str:
        return f"{' + '.join(self.names)}, {self.how.key}"


KEPT = Work(SAMPLES[:1], ChunkSettings("sentence"))
"""What was finished long before anything is killed."""

WORKS = (
    Work(SAMPLES[:1], ChunkSettings("window", 300, 60)),
    Work(SAMPLES[1:], ChunkSettings("sentence")),
    Work((*SAMPLES, SAMPLES[0]), ChunkSettings("window", 50, 49)),
)

Answers = list[list[tuple[str, float]]]


class Counting:
    """The bundled embedder, with the texts it was given."""

    def __init__(self) -> None:
        self.embedder: Embedder = load_embedder(Settings().embedder)
        self.id, self.embed_queries, self.texts = self.embedder.id, self.embedder.embed_queries, 0

    def embed_texts(self, texts, progress=None) -> np.ndarray:
        self.texts += len(texts)
        return self.embedder.embed_texts(texts, progress)


def document_of(lab: Lab, work: Work) -> str:
    """Return the id of a document, or nothing where the library does not hold it."""
    title = f"{work.names[0]}.pdf" if len(work.names) == 1 else "both"
    return next((doc_id for doc_id, known in lab.documents.titles().items() if known == title), "")


def add(lab: Lab, work: Work) -> str:
    """Read samples into the library, unless it holds them, several as one long document; return its id."""
    if document_of(lab, work):
        return document_of(lab, work)
    files = [ROOT / "data" / "samples" / f"{name}.pdf" for name in work.names]
    documents = [lab.add(file.read_bytes(), file.name) for file in files]
    if len(documents) == 1:
        return documents[0].id
    texts = [page.text for document in documents for page in document.pages]
    pages = tuple(Page(number, text) for number, text in enumerate(texts, start=1))
    lab.documents.save(Document("both-of-them", "both", "zh", pages))
    return "both-of-them"


def answers(lab: Lab, work: Work, embedder: Counting) -> Answers:
    """Index a piece of work where it is not, and ask every question."""
    opened = lab.open(add(lab, work), Settings(chunks=work.how), embedder)
    found = opened.first_stage(QUESTIONS, DEPTH)
    return [[(hit.chunk.id, hit.score) for hit in ranking.hits] for ranking in found]


def finished(home: Path, works: tuple[Work, ...], embedder: Counting) -> dict[Work, Answers]:
    lab = Lab(home)
    found = {work: answers(lab, work, embedder) for work in works}
    lab.close()
    return found


def start(home: Path, works: int) -> subprocess.Popen:
    """Start the process that does the work; return once its model is loaded."""
    command = [sys.executable, "-m", "benchmarks.kills", "--home", str(home), "--works", str(works)]
    child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    child.stdout.readline()
    return child


def work_in(home: Path, works: int) -> None:
    import chromadb  # noqa: F401  # so that no kill meets the import

    embedder = Counting()
    embedder.embed_queries(QUESTIONS)
    print("ready", flush=True)
    lab = Lab(home)
    for work in WORKS[:works]:
        lab.open(add(lab, work), Settings(chunks=work.how), embedder)


def seconds_of(home: Path, works: int) -> float:
    """Return how long the work takes where nobody kills it."""
    with start(home, works) as child:
        begun = time.monotonic()
        child.wait()
    return time.monotonic() - begun


def kill_after(home: Path, works: int, seconds: float) -> None:
    with start(home, works) as child:
        time.sleep(seconds)
        child.kill()


def left_of(home: Path, works: int, embedder_id: str) -> dict[Work, str]:
    """Say what there is of each piece of work, before anything mends it."""
    lab = Lab(home)
    counts = collections_of(home)
    found = {work: state_of(lab, work, embedder_id, counts) for work in WORKS[:works]}
    lab.close()
    return found


def collections_of(home: Path) -> dict[str, int] | None:
    """Return how many chunks a copy of the index holds, by the name of the collection, or None where it is torn."""
    import chromadb

    with tempfile.TemporaryDirectory() as folder:
        copy = shutil.copytree(home / "chroma", Path(folder) / "chroma")
        try:
            client = chromadb.PersistentClient(copy)
            counts = {one.name: one.count() for one in client.list_collections()}
            client.close()
        except BaseException as error:
            if not failed(error):
                raise
            return None
    return counts


def state_of(lab: Lab, work: Work, embedder_id: str, counts: dict[str, int] | None) -> str:
    doc_id = document_of(lab, work)
    chunks = lab.embeddings.chunks(doc_id, work.how.key)
    embeddings = lab.embeddings.load(doc_id, work.how.key, embedder_id)
    held = (counts or {}).get(Address(doc_id, work.how.key, embedder_id).name)
    stored = "none" if embeddings is None else "all" if len(embeddings.vectors) == len(chunks) else "SOME"
    indexed = "none" if held is None else "all" if chunks and held == len(chunks) else "some"
    if counts is None:
        indexed = "unreadable"
    return f"{'cut' if chunks else 'not cut'}, embeddings {stored}, in the index {indexed}"


@dataclass(frozen=True, slots=True)
class Found:
    """What one kill left, piece of work by piece, what was built again, and what is wrong now."""

    left: dict[Work, str]
    rebuilt: int
    wrong: list[str]


def look(home: Path, expected: dict[Work, Answers], embedder: Counting) -> Found:
    """Open the library after a kill, finish everything and ask again."""
    left, lab, wrong = left_of(home, len(expected) - 1, embedder.id), Lab(home), []
    for work, answer in expected.items():
        embedder.texts = 0
        if answers(lab, work, embedder) != answer:
            wrong.append(f"{work} answers otherwise; left was: {left.get(work)}")
        if embedder.texts and "embeddings none" not in left.get(work, ""):
            wrong.append(f"{work} was embedded again; left was: {left.get(work)}")
    rebuilt = len(lab.store.rebuilt)
    lab.close()
    return Found(left, rebuilt, wrong + [f"{work}: {state}" for work, state in left.items() if "SOME" in state])


class Killing:
    """Homes to kill in: one with what was kept alone, one with everything but the index of the rest."""

    def __init__(self, folder: Path, works: int = len(WORKS)) -> None:
        self.folder, self.works, self.embedder = folder, works, Counting()
        base, whole = folder / "base", folder / "whole"
        self.expected = finished(base, (KEPT,), self.embedder)
        shutil.copytree(base, whole)
        self.expected |= finished(whole, WORKS[:works], self.embedder)
        shutil.rmtree(whole / "chroma")
        shutil.copytree(base / "chroma", whole / "chroma")
        self.homes = (base, whole)
        timed = [shutil.copytree(home, folder / f"timed-{home.name}") for home in self.homes]
        self.seconds = [seconds_of(home, works) for home in timed]

    def kill(self, number: int, rng: random.Random) -> Found:
        home = shutil.copytree(self.homes[number % 2], self.folder / f"killed-{number}")
        kill_after(home, self.works, rng.uniform(0, self.seconds[number % 2]))
        found = look(home, self.expected, self.embedder)
        shutil.rmtree(home)
        return found


def table(found: list[Found]) -> str:
    states = Counter(state for one in found for state in one.left.values())
    rows = [f"| {state} | {count} |" for state, count in sorted(states.items())]
    return "\n".join(["| left of a piece of work | times |\n|---|---|", *rows])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--home", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--works", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.home:
        work_in(arguments.home, arguments.works)
        return
    rng = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as folder:
        killing = Killing(Path(folder))
        found = [killing.kill(number, rng) for number in range(arguments.kills)]
    wrong = [text for one in found for text in one.wrong]
    print(
        f"{len(found)} kills within {' and '.join(f'{s:.1f} s' for s in killing.seconds)} of work; wrong: {len(wrong)}"
    )
    print(f"indexes found damaged and built again: {sum(one.rebuilt for one in found)}\n\n{table(found)}")
    print(*wrong, sep="\n")
    if wrong:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
