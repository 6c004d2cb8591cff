"""Show what the samples' questions are answered with: ``python -m training.sample_answers``.

Each question that is not ``chosen`` is answered from the first five chunks of either order, as the app does. Printed is
a row a question: the first sentence, how many are quoted and how many of them are a table's rows, and whether one of
them holds half of the judged words (✓), none does (✗), or no sentence answers clearly (○; with ✓ where the nearest one
holds them).
``--also`` names a PDF and its questions, in the form of the samples'.
"""

import argparse
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from rag_core.comparing.answer import CLEAR, Candidate, chosen, scored
from rag_core.comparing.quotes import is_whole
from rag_core.datatypes import Comparison, Document, Settings
from rag_core.lab import Lab
from rag_core.models.embed import load_embedder
from rag_core.models.rerank import Reranker, load_reranker
from rag_core.sharing.replay import SIDES
from training.samples import ask_samples, holds

SHOWN = 60
HEAD = "| question | vector order | | reranked | |\n" + "|---" * 5 + "|"


class Answered(NamedTuple):
    """What one order's first chunks answer a question with."""

    quoted: list[Candidate]
    clear: bool
    right: bool

    @property
    def mark(self) -> str:
        return ("✓" if self.right else "✗") if self.clear else ("○✓" if self.right else "○")

    @property
    def rows(self) -> int:
        """Return how many of the quotes are rows of tables, which are no sentences."""
        return sum(not is_whole(candidate.quote.text) for candidate in self.quoted)


def answered(comparison: Comparison, side: str, document: Document, row: dict, reranker: Reranker) -> Answered:
    hits = comparison.ranking(side).top(comparison.cutoff)
    candidates = scored(comparison.query, hits, [document], reranker)
    clear = chosen(candidates, CLEAR[reranker.id])
    quoted = clear or candidates[:1]
    right = any(holds(document, row, hits[one.number - 1].chunk, one.quote) for one in quoted)
    return Answered(quoted, bool(clear), right)


def cells(one: Answered) -> str:
    first = one.quoted[0].quote.text if one.quoted else ""
    short = first if len(first) <= SHOWN else f"{first[:SHOWN]}…"
    return f"{short} ({len(one.quoted)}, {one.rows} rows) | {one.mark}"


def sums(found: list[Answered]) -> str:
    marks, quotes = Counter(one.mark for one in found), sum(len(one.quoted) for one in found)
    counted = ", ".join(f"{mark} {marks[mark]}" for mark in ("✓", "✗", "○✓", "○"))
    return f"{len(found)} answers: {counted}; {quotes} quotes, of them {sum(one.rows for one in found)} rows"


def lines(also: tuple[Path, Path] | None) -> Iterator[str]:
    embedder, reranker = load_embedder(Settings().embedder), load_reranker(Settings().reranker)
    found: dict[str, list[Answered]] = {side: [] for side in SIDES}
    yield HEAD
    with tempfile.TemporaryDirectory() as home:
        lab = Lab(Path(home))
        for document, row, comparison in ask_samples(lab, embedder, reranker, also):
            for side in SIDES:
                found[side].append(answered(comparison, side, document, row, reranker))
            yield f"| {comparison.query} | {' | '.join(cells(found[side][-1]) for side in SIDES)} |"
        lab.close()
    yield from (f"\n{side}: {sums(some)}" for side, some in found.items())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--also", type=Path, nargs=2, metavar=("PDF", "QUESTIONS"))
    for line in lines(parser.parse_args().also):
        print(line, flush=True)


if __name__ == "__main__":
    main()
