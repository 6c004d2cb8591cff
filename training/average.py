"""Average two trained cross-encoders: ``python -m training.average ONE OTHER TARGET --share 0.65``.

Models that were trained on from one another lie in one basin; the mean of their weights keeps much of what each does
better, at the cost of one (Wortsman et al. 2022, arXiv 2109.01903).
"""

import argparse
from pathlib import Path

import torch
from transformers import AutoTokenizer, BertForSequenceClassification


@torch.no_grad()
def average(one: Path, other: Path, target: Path, share: float) -> None:
    """Write ``share`` of one model's weights plus the rest of the other's, with the tokenizer of the one."""
    model, second = (BertForSequenceClassification.from_pretrained(folder) for folder in (one, other))
    theirs = second.state_dict()
    model.load_state_dict(
        {name: share * ours + (1 - share) * theirs[name] for name, ours in model.state_dict().items()}
    )
    model.save_pretrained(target)
    AutoTokenizer.from_pretrained(one).save_pretrained(target)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("one", "other", "target"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--share", type=float, default=0.5, help="of the first one's weights")
    arguments = parser.parse_args()
    average(arguments.one, arguments.other, arguments.target, arguments.share)


if __name__ == "__main__":
    main()
