"""Save what Home shows: the first three questions of each sample, asked with the bundled models.

Run ``PYTHONPATH=. python data/samples/make_results.py``. It says of every question of the samples where its best answer
stands before and after, and writes the ``effect`` of that beside the question; those marked ``chosen`` were written for
what reranking does to them, after that was seen.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

from rag_core.cli.compare import unrelated_to
from rag_core.comparing.answer import extractive
from rag_core.datatypes import Answer, Comparison, Document, Judgment, Settings, Span
from rag_core.lab import Lab
from rag_core.measuring.judge import GRADES, RELEVANT
from rag_core.models.embed import Embedder, load_embedder
from rag_core.models.rerank import Reranker, load_reranker
from rag_core.models.selftest import check
from rag_core.sharing import replay, replay_file
from rag_core.sharing.replay import Replay

HERE = Path(__file__).parent
NAMES = ("annual-report-en", "city-report-zh")
SHOWN = 3
JUDGE = "Rerank Lab"


def rows_of(name: str) -> list[dict]:
    return json.loads((HERE / f"{name}.questions.json").read_text(encoding="utf-8"))


def file_of(name: str, number: int) -> Path:
    return HERE / f"{name}.{number}.json"


def judgments(row: dict) -> list[Judgment]:
    return [
        Judgment(row["question"], Span(answer["page"], 0, answer["quote"]), GRADES[-1], JUDGE)
        for answer in row["answers"]
    ]


def results(name: str, embedder: Embedder, reranker: Reranker) -> Iterator[Replay]:
    """Ask a sample's questions at the app's default settings, cut as is recommended."""
    with tempfile.TemporaryDirectory() as home:
        lab, test = Lab(Path(home)), check(reranker)
        document = lab.add((HERE / f"{name}.pdf").read_bytes(), f"{name}.pdf")
        opened = lab.open(document.id, Settings(chunks=lab.recommend(document.id)), embedder)
        for row in rows_of(name):
            comparison = opened.compare(row["question"], [], reranker)
            unrelated = unrelated_to(comparison, document, embedder, reranker)
            measured = replay.record(comparison, document, [document], test, unrelated)
            yield replay.brought_up(measured, [document], answers(comparison, document, reranker), judgments(row))
        lab.close()


def answers(comparison: Comparison, document: Document, reranker: Reranker) -> dict[str, Answer]:
    """Return the sentences that either order's first chunks answer with."""
    hits = {side: comparison.ranking(side).top(comparison.cutoff) for side in replay.SIDES}
    return {side: extractive(comparison.query, hits[side], [document], reranker) for side in replay.SIDES}


def ranks(result: Replay) -> tuple[int, int]:
    """Return the best rank of a chunk that answers, in the vector order and in the cross-encoder's."""
    moves = [move for move in result.comparison.moves if result.grades.get(move.chunk.id, 0) >= RELEVANT]
    return min(move.before for move in moves), min(move.after for move in moves)


def effect(result: Replay) -> str:
    """Say whether the best answer came within the cutoff or fell out of it."""
    before, after = (rank <= result.comparison.cutoff for rank in ranks(result))
    return "none" if before == after else "helps" if after else "harms"


def note_effects(name: str, effects: list[str]) -> None:
    """Write beside each question what reranking does to it."""
    rows = [row | {"effect": effect} for row, effect in zip(rows_of(name), effects, strict=True)]
    text = json.dumps(rows, ensure_ascii=False, indent=2)
    (HERE / f"{name}.questions.json").write_text(f"{text}\n", encoding="utf-8")


def main() -> None:
    embedder, reranker = load_embedder(Settings().embedder), load_reranker(Settings().reranker)
    for name in NAMES:
        effects = []
        for number, result in enumerate(results(name, embedder, reranker), start=1):
            before, after = ranks(result)
            effects.append(effect(result))
            print(f"{name}  {before} → {after}  {effects[-1]}  {result.comparison.query}", flush=True)
            if number <= SHOWN:
                file_of(name, number).write_bytes(replay_file.write(result))
        note_effects(name, effects)


if __name__ == "__main__":
    main()
