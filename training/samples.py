"""Measure the bundled models on the bundled samples: ``python -m training.samples``.

Each sample's twelve questions are asked in its own language and in the other one, at depth 50, of the chunks that the
documents page proposes, or of windows of each size in ``--windows``, with a fifth of it as their overlap. ``--also``
names a PDF and its questions, in the form of the samples'. Questions marked ``chosen`` were written for what reranking
does to them, after that was seen: they measure nothing and are left out. Printed are the rank of the first chunk that
answers, in the vector order and in the cross-encoder's, their mean reciprocal ranks, how many answers reach the top 5,
to how many of them the cross-encoder gives a logit above 0, and the seconds that scoring took.
"""

import argparse
import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from rag_core.comparing.quotes import Quote
from rag_core.datatypes import Chunk, ChunkSettings, Comparison, Document, Ranking, Settings
from rag_core.lab import Lab
from rag_core.models.embed import Embedder, load_embedder
from rag_core.models.rerank import Reranker, load_reranker
from rag_core.reading import chunk

SAMPLES = Path(__file__).parents[1] / "data" / "samples"
NAMES = ("city-report-zh", "annual-report-en")
ASKED = {"own language": "question", "other language": "translation"}
HEAD = (
    "| document | cut | asked in | order | MRR | in the top 5 | ranks | logit above 0 | seconds |\n" + "|---" * 9 + "|"
)
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


def row_of(name: str, cut: str, asked: str, order: str, ranks: Sequence[int | None]) -> str:
    mean = sum(1 / rank for rank in ranks if rank) / len(ranks)
    top = sum(rank is not None and rank <= Settings().cutoff for rank in ranks)
    places = " ".join("–" if rank is None else str(rank) for rank in ranks)
    return f"| {name} | {cut} | {asked} | {order} | {mean:.3f} | {top} of {len(ranks)} | {places} |"


def lines(
    name: str, cut: str, asked: str, document: Document, rows: list[dict], found: list[Comparison]
) -> Iterator[str]:
    """Write a line for each order of one document, cut one way and asked in one language."""
    for order, ranking in (("vector", "before"), ("reranked", "reranked")):
        ranks = [first_rank(getattr(one, ranking), document, row) for one, row in zip(found, rows, strict=True)]
        row = row_of(name, cut, asked, order, ranks)
        if order == "vector":
            yield f"{row} | |"
            continue
        hits = [one.reranked.hits for one in found]
        above = sum(bool(rank) and some[rank - 1].score > 0 for some, rank in zip(hits, ranks, strict=True))
        yield f"{row} {above} | {sum(one.timings['rerank'] for one in found):.1f} |"


def holds(document: Document, row: dict, piece: Chunk, quote: Quote) -> bool:
    """Say whether a quote of a chunk holds a quoted answer."""
    stands = replace(piece, start=quote.start, end=quote.end)
    return any(answers(document, answer, stands) for answer in row["answers"])


def ask_samples(
    lab: Lab, embedder: Embedder, reranker: Reranker, also: tuple[Path, Path] | None = None
) -> Iterator[tuple[Document, dict, Comparison]]:
    """Ask the samples' questions that are not ``chosen`` in their own language, and those of another document."""
    for pdf, questions in files(also):
        document = lab.add(pdf.read_bytes(), pdf.name)
        opened = lab.open(document.id, Settings(chunks=lab.recommend(document.id)), embedder)
        for row in rows_of(questions):
            yield document, row, opened.compare(row["question"], [], reranker)


def files(also: tuple[Path, Path] | None) -> list[tuple[Path, Path]]:
    bundled = [(SAMPLES / f"{name}.pdf", SAMPLES / f"{name}.questions.json") for name in NAMES]
    return [*bundled, also] if also else bundled


def rows_of(questions: Path) -> list[dict]:
    return [row for row in json.loads(questions.read_text(encoding="utf-8")) if not row.get("chosen")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--windows", type=int, nargs="+", help="sizes in characters")
    parser.add_argument("--also", type=Path, nargs=2, metavar=("PDF", "QUESTIONS"))
    arguments = parser.parse_args()
    embedder, reranker = load_embedder(Settings().embedder), load_reranker(Settings().reranker)
    print(HEAD)
    with tempfile.TemporaryDirectory() as home:
        lab = Lab(Path(home))
        for pdf, questions in files(arguments.also):
            document = lab.add(pdf.read_bytes(), pdf.name)
            rows = rows_of(questions)
            sizes = [ChunkSettings("window", size, size // 5) for size in arguments.windows or ()]
            for cut in sizes or [chunk.recommend(document.pages)]:
                opened = lab.open(document.id, Settings(chunks=cut), embedder)
                for asked, key in ASKED.items():
                    found = [opened.compare(row[key], [], reranker) for row in rows]
                    for line in lines(pdf.stem, cut.key, asked, document, rows, found):
                        print(line, flush=True)
        lab.close()


if __name__ == "__main__":
    main()
