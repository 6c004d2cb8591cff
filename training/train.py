"""Fine-tune the cross-encoder: ``python -m training.train BASE GROUPS training/build/cross-encoder``.

Loss per group: softmax cross-entropy with the labels (listwise), plus binary cross-entropy on every pair, so that a
logit of 0 means "undecided", plus the Kullback-Leibler divergence of the negatives' order from the embedder's. The last
one matters: negatives that were chosen for being near the question teach that being about the same thing counts for
nothing, and a cross-encoder that believes it falls below the vector order on other texts. A group without any label
(across languages) has the last part alone.

The learning rate follows the clock, so that a run ends well in whatever time it was given; a checkpoint is written
every ten minutes and a broken run goes on from it. BASE is the embedder, or a cross-encoder trained before.
"""

import argparse
import copy
import gzip
import json
import random
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import torch
from torch.nn.functional import binary_cross_entropy_with_logits, kl_div, log_softmax, softmax
from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification

from training.files import UNMEASURED

MAX_TOKENS = 384
GROUPS_PER_STEP = 12
SLICE_TOKENS = 1500
"""So many tokens, padding included, go through the layers at a time."""
DROPOUT = 0.1
"""Of what layers put out. Among attention's weights it would take as long to draw as to multiply them."""
LEARNING_RATE = 1.5e-4
HEAD_RATE = 5  # times the learning rate: the head starts from nothing, the layers do not
DECAY = 0.85
"""Each layer learns at this part of the next one's rate: what lies lower is more general and is to move less (Howard
and Ruder 2018, arXiv 1801.06146)."""
FROZEN = 1 / 3
"""This share of the layers, the lower ones, stays as it is: a fifth of a step's time, and they would move least."""
WARM_UP = 0.05
CHECKPOINT_SECONDS = 600
HELD_OUT = 240
NEGATIVES = 4
COSINE_SCALE = 50  # among a question's candidates the embedder's cosines differ by about 0.1: five logits
EMBEDDER_WEIGHT = 1.0
NEVER = -1e4
PAIR_WEIGHT = 0.5


def start_model(base: Path) -> BertForSequenceClassification:
    """Take the embedder's layers; the pooler starts as the identity. A cross-encoder is taken as it is.

    The embeddings stay as they are: they are two fifths of a step's time and move little. Attention is written out,
    since torch's own one takes as long backwards on a processor as all matrix products together.
    """
    config = BertConfig.from_pretrained(base, num_labels=1)
    config.hidden_dropout_prob, config.attention_probs_dropout_prob = DROPOUT, 0.0
    model = BertForSequenceClassification.from_pretrained(base, config=config, attn_implementation="eager")
    if "BertForSequenceClassification" not in (config.architectures or []):
        torch.nn.init.eye_(model.bert.pooler.dense.weight)
        torch.nn.init.zeros_(model.bert.pooler.dense.bias)
    layers = model.bert.encoder.layer
    for part in (model.bert.embeddings, *layers[: int(FROZEN * len(layers))]):
        part.requires_grad_(False)
    return model


def rates(model: BertForSequenceClassification) -> list[dict]:
    """Return the parameters with their shares of the learning rate: each layer's and the head's."""
    layers = reversed(model.bert.encoder.layer)
    shares = [{"params": list(layer.parameters()), "factor": DECAY**above} for above, layer in enumerate(layers)]
    head = [*model.bert.pooler.parameters(), *model.classifier.parameters()]
    return [*shares, {"params": head, "factor": HEAD_RATE}]


def read_groups(file: Path) -> list[dict]:
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def split(groups: list[dict]) -> tuple[list[dict], list[dict]]:
    """Return what is trained on and what is held out: the labelled groups of about a twentieth of the documents.

    The document's name alone decides, so that training may go on with other groups.
    """
    apart = {name for name in {group["group"] for group in groups} if zlib.crc32(name.encode()) % 20 == 0}
    return [group for group in groups if group["group"] not in apart], [
        group for group in groups if group["group"] in apart and any(group["labels"])
    ]


def score(
    model: BertForSequenceClassification,
    tokenizer: AutoTokenizer,
    pairs: list[tuple[str, str]],
    encoder: torch.nn.Module | None = None,
) -> torch.Tensor:
    """Return one logit a pair; pairs of about as many tokens share a forward pass, which saves padding.

    ``encoder`` takes the place of the model's own layers. The head runs in float32: logits need the digits.
    """
    encoder = encoder or model.bert
    queries, texts = zip(*pairs, strict=True)
    encoded = tokenizer(list(queries), list(texts), truncation=True, max_length=MAX_TOKENS, return_token_type_ids=True)
    lengths = [len(ids) for ids in encoded["input_ids"]]
    order, first = sorted(range(len(pairs)), key=lengths.__getitem__), []
    for part in slices(order, lengths):
        some = {name: [values[i] for i in part] for name, values in encoded.items()}
        first.append(encoder(**tokenizer.pad(some, return_tensors="pt")).last_hidden_state[:, :1])
    logits = model.classifier(model.bert.pooler(torch.cat(first).float()))[:, 0]
    return logits[torch.argsort(torch.tensor(order))]


def slices(order: list[int], lengths: list[int]) -> Iterator[list[int]]:
    """Cut what is ordered by length into parts that have SLICE_TOKENS at most when padded to their longest."""
    part: list[int] = []
    for i in order:
        if part and (len(part) + 1) * lengths[i] > SLICE_TOKENS:
            yield part
            part = []
        part.append(i)
    yield part


def loss_of(logits: torch.Tensor, labels: torch.Tensor, cosines: torch.Tensor) -> torch.Tensor:
    """Return the loss of logits, labels and cosines of shape (groups, texts)."""
    labelled = labels.sum(1) > 0
    apart = (labels > 0) | (cosines == UNMEASURED)
    shares = labels / labels.sum(1, keepdim=True).clamp_min(1)
    ours = log_softmax(logits.masked_fill(apart, NEVER), 1)
    theirs = softmax((COSINE_SCALE * cosines).masked_fill(apart, NEVER), 1)
    return (
        -(shares * log_softmax(logits, 1)).sum(1).mean()
        + PAIR_WEIGHT * (labelled[:, None] * binary_cross_entropy_with_logits(logits, labels, reduction="none")).mean()
        + EMBEDDER_WEIGHT * kl_div(ours, theirs, reduction="batchmean")
    )


def table(groups: list[dict], key: str) -> torch.Tensor:
    """Return the labels or cosines of groups: (groups, texts)."""
    return torch.tensor([group[key] for group in groups])


def thin(group: dict, rng: random.Random) -> dict:
    """Keep the first text and some of the rest: more questions in the same time teach more than more negatives."""
    kept = [0, *rng.sample(range(1, len(group["texts"])), NEGATIVES)]
    return group | {key: [group[key][i] for i in kept] for key in ("texts", "labels", "cosines")}


def whole(groups: list[dict], tokenizer: AutoTokenizer) -> list[dict]:
    """Return the groups whose answer is read to its end."""
    encoded = tokenizer([group["query"] for group in groups], [group["texts"][0] for group in groups])
    return [group for group, ids in zip(groups, encoded["input_ids"], strict=True) if len(ids) <= MAX_TOKENS]


def pairs_of(groups: list[dict]) -> list[tuple[str, str]]:
    return [(group["query"], text) for group in groups for text in group["texts"]]


@torch.no_grad()
def top1(
    model: BertForSequenceClassification, tokenizer: AutoTokenizer, groups: list[dict], encoder: torch.nn.Module
) -> str:
    """Describe, by language and by size, the share of groups whose first text the model and the embedder put first."""
    encoder.eval()
    right: dict[str, list[tuple[bool, bool]]] = {}
    for start in range(0, len(groups), GROUPS_PER_STEP):
        part = groups[start : start + GROUPS_PER_STEP]
        ours = score(model, tokenizer, pairs_of(part), encoder).view(len(part), -1).argmax(1) == 0
        cosines = table(part, "cosines")
        theirs = cosines[:, 0] > cosines[:, 1:].amax(1)  # of groups written by hand it measured none
        for group, *found in zip(part, ours.tolist(), theirs.tolist(), strict=True):
            for key in (group["lang"], group["size"]):
                right.setdefault(key, []).append(found)
    encoder.train()
    shares = {key: torch.tensor(found).float().mean(0).tolist() for key, found in right.items()}
    return ", ".join(f"{key} {ours:.3f} (embedder {theirs:.3f})" for key, (ours, theirs) in sorted(shares.items()))


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

    def __init__(self, base: Path, target: Path, minutes: float, learning_rate: float, bfloat16: bool) -> None:
        self.base, self.target, self.seconds, self.learning_rate = base, target, minutes * 60, learning_rate
        self.tokenizer = AutoTokenizer.from_pretrained(base)
        self.model = start_model(base)
        self.encoder = copy.deepcopy(self.model.bert).bfloat16() if bfloat16 else self.model.bert
        both = zip(self.model.bert.encoder.parameters(), self.encoder.encoder.parameters(), strict=True)
        self.copies = [(ours, copied) for ours, copied in both if copied is not ours and ours.requires_grad]
        self.optimizer = torch.optim.AdamW(rates(self.model), lr=learning_rate, weight_decay=0.01, fused=True)
        self.steps, self.spent = 0, 0.0

    def resume(self) -> None:
        state = torch.load(self.target / "checkpoint.pt", weights_only=True)
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.steps, self.spent = state["steps"], state["spent"]
        self.give_weights()

    def save(self) -> None:
        self.target.mkdir(parents=True, exist_ok=True)
        self.model.save_pretrained(self.target)
        AutoTokenizer.from_pretrained(self.base).save_pretrained(self.target)  # ours would write where it cut texts
        state = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "steps": self.steps,
            "spent": self.spent,
        }
        torch.save(state, self.target / "checkpoint.pt")

    def step(self, batch: list[dict]) -> float:
        for group in self.optimizer.param_groups:
            group["lr"] = group["factor"] * self.learning_rate * rate(self.spent / self.seconds)
        logits = score(self.model, self.tokenizer, pairs_of(batch), self.encoder).view(len(batch), -1)
        loss = loss_of(logits, table(batch, "labels"), table(batch, "cosines"))
        self.optimizer.zero_grad()
        self.encoder.zero_grad()
        loss.backward()
        self.take_gradients()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.give_weights()
        self.steps += 1
        return loss.item()

    def take_gradients(self) -> None:
        """Give the float32 weights the gradients of their bfloat16 copies: steps are too small for eight digits."""
        for ours, copied in self.copies:
            ours.grad = copied.grad.float()

    @torch.no_grad()
    def give_weights(self) -> None:
        for ours, copied in self.copies:
            copied.copy_(ours)

    def train(self, groups: list[dict], held_out: list[dict]) -> None:
        self.encoder.train()
        before, mean, saved, clock = self.spent, 0.0, self.spent, time.monotonic()
        for batch in batches(groups, seed=self.steps):
            loss = self.step(batch)
            mean = loss if not mean else 0.98 * mean + 0.02 * loss
            self.spent = before + time.monotonic() - clock
            if self.steps % 20 == 0:
                pairs = self.steps * GROUPS_PER_STEP * len(batch[0]["texts"])
                print(f"step {self.steps} loss {mean:.3f} pairs {pairs} seconds {self.spent:.0f}", flush=True)
            if self.spent - saved > CHECKPOINT_SECONDS or self.spent >= self.seconds:
                print(f"held-out top-1 {top1(self.model, self.tokenizer, held_out, self.encoder)}", flush=True)
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
    parser.add_argument("--bfloat16", action="store_true", help="much faster where the processor multiplies in it")
    arguments = parser.parse_args()
    torch.manual_seed(7)
    run = Run(arguments.base, arguments.target, arguments.minutes, arguments.learning_rate, arguments.bfloat16)
    if (arguments.target / "checkpoint.pt").exists():
        run.resume()
    groups, held_out = split(whole(read_groups(arguments.groups), run.tokenizer))
    print(f"{len(groups)} groups to train on, {len(held_out)} held out", flush=True)
    rng = random.Random(7)
    run.train(groups, [thin(group, rng) for group in rng.sample(held_out, min(HELD_OUT, len(held_out)))])


if __name__ == "__main__":
    main()
