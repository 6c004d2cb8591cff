"""Time what scoring long chunks by their best part costs: ``python -m benchmarks.parts [PDF …]``.

Each document, by default the two samples, is cut as the app proposes, and compared with questions of the samples in
turns: its chunks read whole, as far as the model reads, and part by part. Printed are the processor's seconds of the
scoring alone.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

from rag_core.datatypes import Settings
from rag_core.lab import Lab
from rag_core.models.embed import load_embedder
from rag_core.models.rerank import load_reranker
from rag_core.models.tokens import MOST

SAMPLES = Path(__file__).parents[1] / "data" / "samples"
NAMES = {"zh": "city-report-zh", "en": "annual-report-en"}
QUESTIONS = 6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pdf", type=Path, nargs="*", default=[SAMPLES / f"{name}.pdf" for name in NAMES.values()])
    embedder, reranker = load_embedder(Settings().embedder), load_reranker(Settings().reranker)
    ways = {"whole": MOST, "parts": reranker.limit}
    print("| document | cut | candidates | parts | whole | part by part | ratio |\n" + "|---" * 7 + "|")
    with tempfile.TemporaryDirectory() as home:
        lab = Lab(Path(home))
        for file in parser.parse_args().pdf:
            document = lab.add(file.read_bytes(), file.name)
            how = Settings(chunks=lab.recommend(document.id))
            opened = lab.open(document.id, how, embedder)
            asked = json.loads((SAMPLES / f"{NAMES[document.language]}.questions.json").read_text(encoding="utf-8"))
            spent, pairs = dict.fromkeys(ways, 0.0), 0
            for row in asked[:QUESTIONS]:
                first = opened.candidates(row["question"], how.depth)
                for name, reranker.limit in ways.items():
                    start = time.process_time()
                    found = reranker.score_parts(row["question"], [chunk.passage for chunk in first.chunks])
                    spent[name] += time.process_time() - start
                pairs += sum(part.of if part else 1 for part in found.parts)
            whole, parts = (spent[name] / QUESTIONS for name in ways)
            counts = f"{len(first)} | {pairs / QUESTIONS:.0f}"
            times = f"{whole:.2f} s | {parts:.2f} s | {parts / whole:.2f}"
            print(f"| {file.name} | {how.chunks.key} | {counts} | {times} |", flush=True)
        lab.close()


if __name__ == "__main__":
    main()
