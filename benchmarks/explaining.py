"""Time what explains a comparison: ``python -m benchmarks.explaining``.

Printed are the seconds for leaving out each part of a chunk of 300 characters, by the cross-encoder and by the
embedder, and for laying out 5,000 embeddings by PCA and by UMAP, the first time and again.
"""

from time import perf_counter

import numpy as np

from rag_core.datatypes import Settings
from rag_core.explaining import probe, projection, units
from rag_core.models.embed import load_embedder, normalise
from rag_core.models.rerank import load_reranker

QUESTION = "财政收入增长了多少？"
TEXT = (
    "全市一般公共预算收入增长8.2%，突破6000亿元。新建和改造公园二十处，绿化面积不断扩大。轨道交通十二号线五月开通运营。"
    * 6
)
CHARACTERS, POINTS, CENTRES = 300, 5000, 200


def main() -> None:
    reranker, embedder = load_reranker(Settings().reranker), load_embedder(Settings().embedder)
    ways = {
        "cross-encoder": probe.of_texts(reranker, QUESTION),
        "embedder": probe.cosine_of_texts(embedder, QUESTION),
    }
    text = TEXT[:CHARACTERS]
    print(f"| leaving out parts of {CHARACTERS} characters | parts | cross-encoder | embedder |\n|---|---|---|---|")
    for name, cut in (("clauses", units.clauses), ("groups of words", units.groups)):
        spans, took = cut(text), []
        for score in ways.values():
            start = perf_counter()
            probe.leave_one_out(text, spans, score)
            took.append(f"{perf_counter() - start:.2f} s")
        print(f"| {name} | {len(spans)} | {' | '.join(took)} |")
    rng = np.random.default_rng(1)
    vectors = np.repeat(rng.normal(size=(CENTRES, 384)), POINTS // CENTRES, axis=0) + rng.normal(size=(POINTS, 384))
    vectors = normalise(vectors.astype(np.float32))
    print(f"\n| {POINTS} embeddings | seconds |\n|---|---|")
    for name, lay_out in (
        ("PCA", projection.by_pca),
        ("UMAP, first", projection.by_umap),
        ("UMAP", projection.by_umap),
    ):
        start = perf_counter()
        lay_out(vectors)
        print(f"| {name} | {perf_counter() - start:.1f} s |", flush=True)


if __name__ == "__main__":
    main()
