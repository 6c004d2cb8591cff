"""Measure the bundled models on the bundled samples: ``python -m training.samples``.

Each sample's twelve questions are asked in its own language and in the other one, at depth 50, of the chunks that the
documents page proposes. Printed are the rank of the first chunk that answers, in the vector order and in the
cross-encoder's, their mean reciprocal ranks, and how many answers reach the top 5.
"""

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rag_core import chunk
from rag_core.datatypes import Chunk, Document, Ranking, Settings
from rag_core.embed import load_embedder
from rag_core.pipeline import Lab
from rag_core.rerank import load_reranker

SAMPLES = Path(__file__).parents[1] / "data" / "samples"
NAMES = ("city-report-zh", "annual-report-en")
ASKED = {"own language": "question", "other language": "translation"}
COVERED = 0.5
"""A chunk answers when it holds at least this share of a quoted answer."""


def quoted_places(document: Document, answer: dict) -> set[int]:
    """Return the places in the page's text of the characters of a quote; white space does not count."""
    text = document.pages[answer["page"] - 1].text
    places = [place for place, character in enumerate(text) if not character.isspace()]
    quote = "".join(answer["quote"].split())
    start = "".join(text[place] for place in places).index(quote)
    return set(places[start : start + len(quote)])


def answers(document: Document, answer: dict, piece: Chunk) -> bool:
    places = quoted_places(document, answer)
    inside = sum(piece.start <= place < piece.end for place in places)
    return piece.page == answer["page"] and inside >= COVERED * len(places)


def first_rank(ranking: Ranking, document: Document, row: dict) -> int | None:
    """Return the rank of the first chunk that answers, or None when none is among the candidates."""
    found = (
        rank
        for rank, hit in enumerate(ranking.hits, start=1)
        if any(answers(document, answer, hit.chunk) for answer in row["answers"])
    )
    return next(found, None)


def row_of(name: str, asked: str, order: str, ranks: Sequence[int | None]) -> str:
    mean = sum(1 / rank for rank in ranks if rank) / len(ranks)
    top = sum(rank is not None and rank <= Settings().cutoff for rank in ranks)
    places = " ".join("–" if rank is None else str(rank) for rank in ranks)
    return f"| {name} | {asked} | {order} | {mean:.3f} | {top} of {len(ranks)} | {places} |"


def main() -> None:
    embedder, reranker = load_embedder(Settings().embedder), load_reranker(Settings().reranker)
    print("| sample | asked in | order | MRR | in the top 5 | ranks |\n|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as home:
        lab = Lab(Path(home))
        for name in NAMES:
            document = lab.add((SAMPLES / f"{name}.pdf").read_bytes(), name)
            rows = json.loads((SAMPLES / f"{name}.questions.json").read_text(encoding="utf-8"))
            how = Settings(chunks=chunk.recommend(document.pages))
            index = lab.index(document.id, how.chunks, embedder)
            for asked, key in ASKED.items():
                found = [lab.compare(index, row[key], [], how, embedder, reranker) for row in rows]
                for order in ("vector", "reranked"):
                    ranks = [
                        first_rank(getattr(one, order), document, row) for one, row in zip(found, rows, strict=True)
                    ]
                    print(row_of(name, asked, order, ranks))
        lab.close()


if __name__ == "__main__":
    main()
