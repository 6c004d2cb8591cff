"""Calibrate the cross-encoder: ``python -m training.calibrate training/build/cross-encoder GROUPS``.

One temperature is fitted on the held-out groups and divided out of the last layer, so that the sigmoid of the exported
logit is the share of such candidates that answer the question (Guo et al. 2017, arXiv 1706.04599). Printed is the
expected calibration error before and after. Dividing changes no order.
"""

import argparse
import random
from pathlib import Path

import numpy as np
import torch
from scipy.optimize import minimize_scalar
from scipy.special import expit, log_expit
from transformers import AutoTokenizer, BertForSequenceClassification

from training.train import pairs_of, read_groups, score, split, table, thin

BINS = 10
GROUPS_PER_PASS = 16
MOST_GROUPS = 500


@torch.no_grad()
def held_out_logits(folder: Path, groups: list[dict]) -> np.ndarray:
    """Return logits of shape (groups, texts), the positive's first."""
    model, tokenizer = BertForSequenceClassification.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    parts = [groups[start : start + GROUPS_PER_PASS] for start in range(0, len(groups), GROUPS_PER_PASS)]
    return np.concatenate([score(model, tokenizer, pairs_of(part)).view(len(part), -1).numpy() for part in parts])


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """Return the temperature whose sigmoid gives the labels the highest likelihood."""
    signs = np.where(labels, 1.0, -1.0)
    return float(
        minimize_scalar(lambda t: -log_expit(signs * logits / t).mean(), bounds=(0.05, 20), method="bounded").x
    )


def calibration_error(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Return the expected calibration error over ten bins of equal width (Naeini et al. 2015)."""
    bins = np.minimum((probabilities * BINS).astype(int), BINS - 1)
    gaps = [
        (bins == number).mean() * abs(probabilities[bins == number].mean() - labels[bins == number].mean())
        for number in np.unique(bins)
    ]
    return float(sum(gaps))


def divide_out(folder: Path, temperature: float) -> None:
    """Scale the last layer, so that the model gives calibrated logits by itself."""
    model = BertForSequenceClassification.from_pretrained(folder)
    with torch.no_grad():
        for parameter in model.classifier.parameters():
            parameter /= temperature
    model.save_pretrained(folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("groups", type=Path)
    arguments = parser.parse_args()
    _, held_out = split(read_groups(arguments.groups))
    rng = random.Random(7)
    held_out = [thin(group, rng) for group in rng.sample(held_out, min(MOST_GROUPS, len(held_out)))]
    logits = held_out_logits(arguments.folder, held_out)
    graded = table(held_out, "labels").numpy()
    sure = graded != 0.5  # whether another piece that holds the answer string answers, nobody knows
    logits, labels = logits[sure], graded[sure] == 1
    temperature = fit_temperature(logits, labels)
    before, after = (calibration_error(expit(logits / t), labels) for t in (1.0, temperature))
    divide_out(arguments.folder, temperature)
    error = f"expected calibration error {before:.3f} before, {after:.3f} after"
    print(f"{labels.size} pairs, {labels.mean():.0%} of them answers: temperature {temperature:.3f}, {error}")


if __name__ == "__main__":
    main()
