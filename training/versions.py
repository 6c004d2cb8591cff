"""Compare two versions of the cross-encoder on the same questions.

``python -m training.versions EVALUATION training/build/long --versions bilingual-cross-encoder OTHER``

For each file, cut and length of the answer: nDCG@10 of the vector order and of both versions at depth 50, what the
second gains over the vector order and over the first, with paired bootstrap intervals, and, among pieces that do not
answer, Spearman's correlation of logit and length, a mean over questions; the last columns are the calibration error of
the first ten pieces. Files and cuts are those of ``training.evaluate``; lines are printed as they come, and logits are
kept, so that more questions cost what is new.
"""

import argparse
from collections.abc import Iterator, Sequence
from itertools import cycle
from pathlib import Path

import numpy as np

from rag_core.models.embed import load_embedder
from training.evaluate import CUTS, MAIN_DEPTH, USUAL, Setup, reranker_of
from training.files import read_rows
from training.lengths import BUCKETS, Lengths, bucket, calibration, interval, mean
from training.scores import KeptScores

HEAD = (
    "| file | pieces | answer's length | questions | vector | first | second | second − vector [95 %] "
    "| second − first [95 %] | Spearman, first | second | calibration error, first | second |"
)
RULE = "|---" * 13 + "|"


def rows_of(name: str, pieces: str, first: Sequence[Lengths], second: Sequence[Lengths]) -> Iterator[str]:
    """Write a line for all questions and one for each length of the answer."""
    lengths = [bucket(one.answer) for one in first]
    for label in ("all", *BUCKETS):
        some = [i for i, length in enumerate(lengths) if label in ("all", length)]
        if some:
            yield f"| {name} | {pieces} | {label} {row_of([first[i] for i in some], [second[i] for i in some])}"


def row_of(first: Sequence[Lengths], second: Sequence[Lengths]) -> str:
    vector, before, after = (
        np.array(values)
        for values in (
            [one.vector for one in first],
            [one.reranked for one in first],
            [one.reranked for one in second],
        )
    )
    reached = f"{vector.mean():.3f} | {before.mean():.3f} | {after.mean():.3f}"
    correlations = " | ".join(mean([one.spearman() for one in some]) for some in (first, second))
    errors = " | ".join(calibration(some) for some in (first, second))
    return f"| {len(first)} | {reached} | {gain(after - vector)} | {gain(after - before)} | {correlations} | {errors} |"


def gain(differences: np.ndarray) -> str:
    low, high = interval(differences)
    return f"{differences.mean():+.3f} [{low:+.3f}, {high:+.3f}]"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="+")
    parser.add_argument("--versions", nargs=2, required=True, help="of the catalogue, or exported folders")
    parser.add_argument("--pair-tokens", type=int, nargs=2, default=(0, 0), help="by default as the app does")
    parser.add_argument(
        "--questions", type=int, nargs="+", default=[60], help="one number, or one for each of --pieces"
    )
    parser.add_argument("--pieces", nargs="+", choices=CUTS, default=list(USUAL), help="how to cut the passages")
    parser.add_argument("--files", nargs="*", help="of these names alone")
    parser.add_argument("--embedder", default="bilingual-embedder")
    parser.add_argument("--cache", type=Path, default=Path("training/build/evaluation"))
    arguments = parser.parse_args()
    embedder, kept = load_embedder(arguments.embedder), arguments.cache / arguments.embedder.replace("/", "_")
    scores = [
        KeptScores(reranker_of(name), arguments.cache / "scores.sqlite", tokens)
        for name, tokens in zip(arguments.versions, arguments.pair_tokens, strict=True)
    ]
    setups = [Setup(embedder, one, kept, MAIN_DEPTH) for one in scores]
    print(HEAD, RULE, sep="\n")
    for file in sorted(file for folder in arguments.folder for file in folder.glob("*.jsonl.gz")):
        rows, name = list(read_rows(file)), file.name.split(".")[0]
        if arguments.files and name not in arguments.files:
            continue
        for pieces, count in zip(arguments.pieces, cycle(arguments.questions), strict=False):
            first, second = ([one.lengths for one in setup.measure(rows, name, pieces, count)] for setup in setups)
            print("\n".join(rows_of(name, pieces, first, second)), flush=True)


if __name__ == "__main__":
    main()
