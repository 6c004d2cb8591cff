"""Ask the probes: ``python -m training.probes``.

A probe (``training/probes.jsonl``) is one question and a few texts, of which the first answers and the others look as
if they did; each kind shows one thing that a mean over a data set hides. A probe is right when its answer alone comes
first, or, where no text answers, when no logit is above 0. Half of the probes are kept unseen until training is over,
and then looked at by their figures alone.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np

from rag_core.models.embed import Embedder, load_embedder
from rag_core.models.rerank import OnnxReranker, Reranker
from training.evaluate import reranker_of
from training.scores import KeptScores

FILE = Path(__file__).with_name("probes.jsonl")
HALVES = {"seen": ("seen",), "unseen": ("unseen",), "both": ("seen", "unseen")}
HEAD = "| kind | half | probes | right by the embedder | by the cross-encoder |"
RULE = "|---" * 5 + "|"
SHOWN = 80
"""Characters of a text that are printed."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A question and its texts; the first answers, unless none is ``answered``."""

    kind: str
    half: str
    lang: str
    query: str
    texts: list[str]
    answered: bool = True


@dataclass(frozen=True, slots=True)
class Asked:
    """A probe with the cosine and the logit of each of its texts, both of shape (texts,)."""

    probe: Probe
    cosines: np.ndarray
    logits: np.ndarray

    @property
    def right(self) -> bool:
        """Say whether the cross-encoder is right."""
        return answer_first(self.logits) if self.probe.answered else bool(self.logits.max() <= 0)

    @property
    def misled_by(self) -> str:
        """Return the text that does not answer and has the highest logit."""
        skipped = int(self.probe.answered)
        return self.probe.texts[skipped + int(self.logits[skipped:].argmax())]


def answer_first(scores: np.ndarray) -> bool:
    """Say whether the first score is higher than all others: a tie is wrong."""
    return bool(scores[0] > scores[1:].max())


def read(file: Path) -> list[Probe]:
    with file.open(encoding="utf-8") as lines:
        return [Probe(**json.loads(line)) for line in lines]


def ask(probes: Sequence[Probe], embedder: Embedder, reranker: Reranker | KeptScores) -> list[Asked]:
    queries = embedder.embed_queries([probe.query for probe in probes])
    return [
        Asked(probe, embedder.embed_texts(probe.texts) @ query, reranker.score(probe.query, probe.texts))
        for probe, query in zip(probes, queries, strict=True)
    ]


def row_of(kind: str, half: str, asked: Sequence[Asked]) -> str:
    """Write a line of the table. No score of the embedder says that nothing answers: it is not asked such probes."""
    first = share([answer_first(one.cosines) for one in asked if one.probe.answered])
    return f"| {kind} | {half} | {len(asked)} | {first} | {share([one.right for one in asked])} |"


def table(
    probes: Sequence[Probe], halves: Sequence[str], embedder: Embedder, reranker: Reranker | KeptScores
) -> Iterator[Asked]:
    """Ask the probes of these halves; the table's lines are printed as they come, and at the end one for each half."""
    total: dict[str, list[Asked]] = {half: [] for half in halves}
    for kind, half in product(dict.fromkeys(probe.kind for probe in probes), halves):
        asked = ask([probe for probe in probes if (probe.kind, probe.half) == (kind, half)], embedder, reranker)
        print(row_of(kind, half, asked), flush=True)
        total[half] += asked
        yield from asked
    for half, asked in total.items():
        print(row_of("all", half, asked), flush=True)


def share(right: Sequence[bool]) -> str:
    return f"{sum(right)} of {len(right)}, {np.mean(right):.2f}" if right else "–"


def wrong(asked: Sequence[Asked]) -> Iterator[str]:
    """Write a line for each probe that the cross-encoder gets wrong."""
    for one in asked:
        if not one.right:
            yield f"- {one.probe.kind}: {one.probe.query} → {one.misled_by[:SHOWN]}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--half", choices=HALVES, default="seen")
    parser.add_argument("--embedder", default="bilingual-embedder")
    parser.add_argument("--reranker", default="bilingual-cross-encoder", help="of the catalogue, or an exported folder")
    parser.add_argument(
        "--pair-tokens",
        type=int,
        default=0,
        help="score a text of a longer pair by its best part; by default as the app does",
    )
    parser.add_argument("--each", nargs="?", choices=HALVES, const="seen", help="list what is wrong, of this half")
    parser.add_argument("--cache", type=Path, default=Path("training/build/evaluation"))
    arguments = parser.parse_args()
    embedder, reranker = load_embedder(arguments.embedder), reranker_of(arguments.reranker)
    if isinstance(reranker, OnnxReranker):
        reranker = KeptScores(reranker, arguments.cache / "scores.sqlite", arguments.pair_tokens)
    print(f"{HEAD}\n{RULE}", flush=True)
    asked = list(table(read(FILE), HALVES[arguments.half], embedder, reranker))
    if arguments.each:
        print("\n".join(["", *wrong([one for one in asked if one.probe.half in HALVES[arguments.each]])]))


if __name__ == "__main__":
    main()
