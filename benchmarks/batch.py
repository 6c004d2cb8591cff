"""Time a batch of questions: ``python -m benchmarks.batch [QUESTIONS] [--depth N]``.

The questions are the clauses of the Chinese sample, since only their number matters here. Printed are the seconds for
reading and indexing, for the batch, and for the same batch again, when every score is kept already.
"""

import argparse
import tempfile
from pathlib import Path
from time import perf_counter

from rag_core.datatypes import ChunkSettings, Settings
from rag_core.lab import Lab
from rag_core.measuring import evaluate
from rag_core.models.embed import load_embedder
from rag_core.models.rerank import load_reranker
from rag_core.reading import chunk

SAMPLE = Path(__file__).parents[1] / "data" / "samples" / "city-report-zh.pdf"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("questions", type=int, nargs="?", default=200)
    parser.add_argument("--depth", type=int, default=Settings().depth)
    arguments = parser.parse_args()
    embedder, reranker = load_embedder(Settings().embedder), load_reranker(Settings().reranker)
    with tempfile.TemporaryDirectory() as folder:
        lab, clock = Lab(Path(folder)), [perf_counter()]
        document = lab.add(SAMPLE.read_bytes(), SAMPLE.name)
        how = Settings(chunks=chunk.recommend(document.pages), depth=arguments.depth)
        clauses = [piece.passage for piece in lab.cut(document.id, ChunkSettings("clause"))]
        questions = dict(enumerate(dict.fromkeys(clauses), start=1))
        chosen = {number: questions[number] for number in list(questions)[: arguments.questions]}
        opened = lab.open(document.id, how, embedder)
        clock.append(perf_counter())
        for _ in range(2):
            found = evaluate.evaluate(opened, chosen, [reranker], [how.depth])
            clock.append(perf_counter())
        lab.close()
    pairs = sum(map(len, found.scores[reranker.id].values()))
    print(f"{len(chosen)} questions, {len(opened.chunks)} chunks, {pairs} pairs")
    steps = ("read and index", "batch", "batch again")
    for name, start, end in zip(steps, clock[:-1], clock[1:], strict=True):
        print(f"| {name} | {end - start:.1f} s |")


if __name__ == "__main__":
    main()
