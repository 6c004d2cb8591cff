"""Fine-tune the cross-encoder: ``python -m training.train BASE GROUPS training/build/cross-encoder``.

Loss per group: softmax cross-entropy over one positive and its negatives (listwise), plus binary cross-entropy on
every pair, so that a logit of 0 means "undecided", plus the Kullback-Leibler divergence of the negatives' order from
the embedder's. The last one matters: negatives that were chosen for being near the question teach that being about the
same thing counts for nothing, and a cross-encoder that believes it falls below the vector order on other texts.

The learning rate follows the clock, so that a run ends well in whatever time it was given; a checkpoint is written
every ten minutes and a broken run goes on from it. BASE is the embedder, or a cross-encoder trained before.
"""

import argparse
import gzip
import json
import random
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, kl_div, log_softmax, softmax
from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification, BertModel

LAYERS = [0, 2, 4, 7, 9, 11]
MAX_TOKENS = 160
GROUPS_PER_STEP = 8
SLICES = 6
LEARNING_RATE = 2e-4
HEAD_RATE = 5  # times the learning rate: the head starts from nothing, the layers do not
WARM_UP = 0.05
CHECKPOINT_SECONDS = 600
HELD_OUT = 300
NEGATIVES = 5
COSINE_SCALE = 50  # among a question's candidates the embedder's cosines differ by about 0.1: five logits
EMBEDDER_WEIGHT = 1.0
PAIR_WEIGHT = 0.5


def start_model(base: Path) -> BertForSequenceClassification:
    """Take six of the embedder's layers; the pooler starts as the identity."""
    if "BertForSequenceClassification" in (BertConfig.from_pretrained(base).architectures or []):
        return BertForSequenceClassification.from_pretrained(base)
    source = BertModel.from_pretrained(base, add_pooling_layer=False)
    config = BertConfig.from_pretrained(base, num_hidden_layers=len(LAYERS), num_labels=1)
    config.hidden_dropout_prob = config.attention_probs_dropout_prob = 0.0
    model = BertForSequenceClassification(config)
    model.bert.embeddings.load_state_dict(source.embeddings.state_dict())
    for ours, theirs in enumerate(LAYERS):
        model.bert.encoder.layer[ours].load_state_dict(source.encoder.layer[theirs].state_dict())
    torch.nn.init.eye_(model.bert.pooler.dense.weight)
    return model


def read_groups(file: Path) -> list[dict]:
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def split(groups: list[dict]) -> tuple[list[dict], list[dict]]:
    """Return what is trained on and what is held out: a twentieth of the documents, always the same ones."""
    documents = sorted({group["group"] for group in groups})
    apart = set(random.Random(7).sample(documents, len(documents) // 20))
    return [group for group in groups if group["group"] not in apart], [
        group for group in groups if group["group"] in apart
    ]


def score(model: BertForSequenceClassification, tokenizer: AutoTokenizer, pairs: list[tuple[str, str]]) -> torch.Tensor:
    """Return one logit a pair; pairs of as many tokens share a forward pass, which saves padding."""
    queries, texts = zip(*pairs, strict=True)
    encoded = tokenizer(list(queries), list(texts), truncation=True, max_length=MAX_TOKENS, return_token_type_ids=True)
    order = sorted(range(len(pairs)), key=lambda i: len(encoded["input_ids"][i]))
    step = -(-len(order) // SLICES)
    logits = []
    for start in range(0, len(order), step):
        some = {name: [values[i] for i in order[start : start + step]] for name, values in encoded.items()}
        logits.append(model(**tokenizer.pad(some, return_tensors="pt")).logits[:, 0])
    return torch.cat(logits)[torch.argsort(torch.tensor(order))]


def loss_of(logits: torch.Tensor, cosines: torch.Tensor) -> torch.Tensor:
    """Return the loss of logits and cosines of shape (groups, texts); the first text of each group is the positive."""
    first = torch.zeros(len(logits), dtype=torch.long)
    labels = torch.nn.functional.one_hot(first, logits.shape[1]).float()
    ours, theirs = log_softmax(logits[:, 1:], 1), softmax(COSINE_SCALE * cosines[:, 1:], 1)
    return (
        cross_entropy(logits, first)
        + PAIR_WEIGHT * binary_cross_entropy_with_logits(logits, labels)
        + EMBEDDER_WEIGHT * kl_div(ours, theirs, reduction="batchmean")
    )


def cosines_of(groups: list[dict]) -> torch.Tensor:
    return torch.tensor([group["cosines"] for group in groups])


def thin(group: dict, rng: random.Random) -> dict:
    """Keep the positive and some of the negatives: more questions in the same time teach more than more negatives."""
    kept = [0, *rng.sample(range(1, len(group["texts"])), NEGATIVES)]
    return group | {key: [group[key][i] for i in kept] for key in ("texts", "cosines")}


def pairs_of(groups: list[dict]) -> list[tuple[str, str]]:
    return [(group["query"], text) for group in groups for text in group["texts"]]


@torch.no_grad()
def top1(model: BertForSequenceClassification, tokenizer: AutoTokenizer, groups: list[dict]) -> str:
    """Describe the share of groups whose positive is scored highest, by the model and by the embedder, per language."""
    right: dict[str, list[tuple[bool, bool]]] = {}
    for start in range(0, len(groups), GROUPS_PER_STEP):
        part = groups[start : start + GROUPS_PER_STEP]
        ours = score(model, tokenizer, pairs_of(part)).view(len(part), -1).argmax(1) == 0
        theirs = cosines_of(part).argmax(1) == 0
        for group, *found in zip(part, ours.tolist(), theirs.tolist(), strict=True):
            right.setdefault(group["lang"], []).append(found)
    shares = {lang: torch.tensor(found).float().mean(0).tolist() for lang, found in right.items()}
    return ", ".join(f"{lang} {ours:.3f} (embedder {theirs:.3f})" for lang, (ours, theirs) in sorted(shares.items()))


def batches(groups: list[dict], seed: int) -> Iterator[list[dict]]:
    """Give batches for ever, in a new order each time round."""
    rng = random.Random(seed)
    while True:
        rng.shuffle(groups)
        for start in range(0, len(groups) - GROUPS_PER_STEP + 1, GROUPS_PER_STEP):
            yield [thin(group, rng) for group in groups[start : start + GROUPS_PER_STEP]]


def rate(progress: float) -> float:
    """Rise over the first five per cent of the time, then fall in a straight line to nothing."""
    return min(progress / WARM_UP, max(0.0, (1 - progress) / (1 - WARM_UP)))


class Run:
    """One training run: the model, what it has seen, and the clock."""

    def __init__(self, base: Path, target: Path, minutes: float, learning_rate: float) -> None:
        self.target, self.seconds, self.learning_rate = target, minutes * 60, learning_rate
        self.tokenizer = AutoTokenizer.from_pretrained(base)
        self.model = start_model(base)
        self.model.bert.embeddings.word_embeddings.weight.requires_grad_(False)
        head = [*self.model.bert.pooler.parameters(), *self.model.classifier.parameters()]
        body = [*self.model.bert.embeddings.parameters(), *self.model.bert.encoder.parameters()]
        groups = [
            {"params": [p for p in body if p.requires_grad], "factor": 1},
            {"params": head, "factor": HEAD_RATE},
        ]
        self.optimizer = torch.optim.AdamW(groups, lr=learning_rate, weight_decay=0.01)
        self.steps, self.spent = 0, 0.0

    def resume(self) -> None:
        state = torch.load(self.target / "checkpoint.pt", weights_only=True)
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.steps, self.spent = state["steps"], state["spent"]

    def save(self) -> None:
        self.target.mkdir(parents=True, exist_ok=True)
        self.model.save_pretrained(self.target)
        self.tokenizer.save_pretrained(self.target)
        state = {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict(),
                 "steps": self.steps, "spent": self.spent}  # fmt: skip
        torch.save(state, self.target / "checkpoint.pt")

    def step(self, batch: list[dict]) -> float:
        for group in self.optimizer.param_groups:
            group["lr"] = group["factor"] * self.learning_rate * rate(self.spent / self.seconds)
        logits = score(self.model, self.tokenizer, pairs_of(batch)).view(len(batch), -1)
        loss = loss_of(logits, cosines_of(batch))
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.steps += 1
        return loss.item()

    def train(self, groups: list[dict], held_out: list[dict]) -> None:
        before, mean, saved, clock = self.spent, 0.0, self.spent, time.monotonic()
        for batch in batches(groups, seed=self.steps):
            loss = self.step(batch)
            mean = loss if not mean else 0.98 * mean + 0.02 * loss
            self.spent = before + time.monotonic() - clock
            if self.steps % 20 == 0:
                pairs = self.steps * GROUPS_PER_STEP * len(batch[0]["texts"])
                print(f"step {self.steps} loss {mean:.3f} pairs {pairs} seconds {self.spent:.0f}", flush=True)
            if self.spent - saved > CHECKPOINT_SECONDS or self.spent >= self.seconds:
                print(f"held-out top-1 {top1(self.model, self.tokenizer, held_out)}", flush=True)
                self.save()
                saved = self.spent
            if self.spent >= self.seconds:
                return


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("base", type=Path)
    parser.add_argument("groups", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--minutes", type=float, default=90)
    parser.add_argument("--learning-rate", type=float, default=LEARNING_RATE)
    arguments = parser.parse_args()
    torch.manual_seed(7)
    groups, held_out = split(read_groups(arguments.groups))
    run = Run(arguments.base, arguments.target, arguments.minutes, arguments.learning_rate)
    if (arguments.target / "checkpoint.pt").exists():
        run.resume()
    run.train(groups, held_out[:HELD_OUT])


if __name__ == "__main__":
    main()
