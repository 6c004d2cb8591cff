"""Time a collection: ``python -m benchmarks.collection [--documents 10,50,100]``.

The documents are the samples again and again, each with another byte or two. Printed are, for a collection of so many,
the seconds for embedding what is new, for opening it again as every comparison does, for searching one question's
vectors and words in all members, and for a whole comparison of 50 candidates.
"""

import argparse
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

from benchmarks.folder import write
from rag_core.datatypes import Settings
from rag_core.lab import Lab
from rag_core.models.embed import load_embedder
from rag_core.models.rerank import load_reranker

ROUNDS = 5
QUESTION = "How much did revenue grow?"


def seconds(work) -> float:
    start = perf_counter()
    work()
    return perf_counter() - start


def row(lab: Lab, ids: list[str], models: tuple) -> list[str]:
    """Measure the collection of these documents."""
    embedder, reranker = models
    reader = lab.library.collect("Reader", ids, collection_id="reader")
    how = Settings(chunks=lab.recommend(reader.id))

    def opened():
        return lab.open(reader.id, how, embedder)

    new = seconds(opened)
    ready, embedding = opened(), embedder.embed_queries([QUESTION])
    ready.words()
    steps = (
        opened,
        lambda: ready.index.search([QUESTION], embedding, how.depth),
        lambda: ready.words().search([QUESTION], how.depth),
        lambda: opened().compare(QUESTION, [], reranker),
    )
    times = [median(seconds(step) for _ in range(ROUNDS)) for step in steps]
    return [str(len(ids)), str(len(ready.chunks)), f"{new:.1f} s", *(f"{1000 * one:.1f} ms" for one in times)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", default="10,50,100", help="sizes of the collection")
    sizes = sorted(map(int, parser.parse_args().documents.split(",")))
    models = load_embedder(Settings().embedder), load_reranker(Settings().reranker)
    print("| documents | chunks | embed what is new | open | search vectors | search words | compare |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        lab = Lab(Path(folder) / "home")
        ids = [lab.add(file.read_bytes(), file.name).id for file in write(Path(folder), sizes[-1])]
        for size in sizes:
            print(f"| {' | '.join(row(lab, ids[:size], models))} |", flush=True)
        lab.close()


if __name__ == "__main__":
    main()
