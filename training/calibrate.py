"""Calibrate the cross-encoder: ``python -m training.calibrate training/build/cross-encoder GROUPS``.

A slope and an offset are fitted on the held-out groups and worked into the last layer, so that the sigmoid of the
exported logit is the share of such candidates that answer the question (Platt 1999). A group has the answer and seven
others, about what the first ten of a search are. Printed is the expected calibration error before and after. The order
of no two texts changes.
"""

import argparse
import random
from pathlib import Path

import numpy as np
import torch
from scipy.optimize import minimize
from scipy.special import expit, log_expit
from transformers import AutoTokenizer, BertForSequenceClassification

from training.lengths import calibration_error
from training.train import pairs_of, read_groups, score, split

GROUPS_PER_PASS = 16
MOST_GROUPS = 300


@torch.no_grad()
def held_out_logits(folder: Path, groups: list[dict]) -> np.ndarray:
    """Return the logits of all texts of all groups, in order: float of shape (pairs,)."""
    model, tokenizer = BertForSequenceClassification.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    parts = [groups[start : start + GROUPS_PER_PASS] for start in range(0, len(groups), GROUPS_PER_PASS)]
    return np.concatenate([score(model, tokenizer, pairs_of(part)).numpy() for part in parts])


def fit(logits: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """Return the slope and the offset with which the logits' sigmoid gives the labels the highest likelihood."""
    signs = np.where(labels, 1.0, -1.0)
    found = minimize(lambda line: -log_expit(signs * (line[0] * logits + line[1])).mean(), (1.0, 0.0))
    return float(found.x[0]), float(found.x[1])


def work_in(folder: Path, slope: float, offset: float) -> None:
    """Change the last layer, so that the model gives calibrated logits by itself."""
    model = BertForSequenceClassification.from_pretrained(folder)
    with torch.no_grad():
        for parameter in model.classifier.parameters():
            parameter *= slope
        model.classifier.bias += offset
    model.save_pretrained(folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("groups", type=Path)
    arguments = parser.parse_args()
    _, held_out = split(read_groups(arguments.groups))
    held_out = random.Random(7).sample(held_out, min(MOST_GROUPS, len(held_out)))
    logits = held_out_logits(arguments.folder, held_out)
    graded = np.array([label for group in held_out for label in group["labels"]])
    sure = graded != 0.5  # whether another piece that holds the answer string answers, nobody knows
    logits, labels = logits[sure], graded[sure] == 1
    slope, offset = fit(logits, labels)
    before, after = (calibration_error(expit(a * logits + b), labels) for a, b in ((1.0, 0.0), (slope, offset)))
    work_in(arguments.folder, slope, offset)
    error = f"expected calibration error {before:.3f} before, {after:.3f} after"
    print(f"{labels.size} pairs, {labels.mean():.0%} of them answers: slope {slope:.3f}, offset {offset:+.3f}, {error}")


if __name__ == "__main__":
    main()
