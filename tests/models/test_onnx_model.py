"""Which texts run together, and that what a text gives does not depend on the others."""

from __future__ import annotations

import random

import numpy as np
import pytest

from rag_core.models import onnx_model
from rag_core.models.onnx_model import TOKENS_ALIKE, TOKENS_PER_RUN, padded, runs


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("cores", [1, 2, 16])
def test_every_text_runs_once_with_texts_of_its_padded_length(monkeypatch, seed, cores):
    monkeypatch.setattr(onnx_model, "CORES", cores)
    rng = random.Random(seed)
    lengths = [rng.randint(3, 700) for _ in range(rng.randint(1, 300))]
    parts = runs(lengths, together=True)
    assert sorted(i for part in parts for i in part) == list(range(len(lengths)))
    widths = [{padded(lengths[i], TOKENS_ALIKE) for i in part} for part in parts]
    assert all(len(width) == 1 for width in widths)
    assert widths == sorted(widths, key=max, reverse=True)
    assert all(
        len(part) == 1 or len(part) * max(width) <= TOKENS_PER_RUN[1] for part, width in zip(parts, widths, strict=True)
    )


def test_texts_of_one_length_are_shared_out_evenly_among_the_cores(monkeypatch):
    monkeypatch.setattr(onnx_model, "CORES", 2)
    sizes = [len(part) for part in runs([64] * 50, together=True)]
    assert sizes[0] * 64 > 0.8 * TOKENS_PER_RUN[1] and sizes[-1] * 64 <= TOKENS_PER_RUN[0]
    free = [0, 0]  # when each core is done, the next run going to the one that is free first
    for size in sizes:
        free[free.index(min(free))] += size
    assert abs(free[0] - free[1]) * 64 <= TOKENS_PER_RUN[0]


def test_where_scales_are_not_fixed_every_text_runs_alone_the_longest_first():
    assert runs([5, 9, 9, 2], together=False) == [[1], [2], [0], [3]]


def test_a_pair_scores_the_same_to_the_last_bit_alone_and_among_any_others(reranker):
    rng, text = random.Random(2), "一般公共预算收入增长8.2%，突破6000亿元。Revenue grew by 8.2 percent. " * 8
    pairs = [("收入增长了多少？", text[: rng.randint(1, len(text))]) for _ in range(40)]
    together = reranker.score_pairs(pairs)
    alone = np.concatenate([reranker.score_pairs([pair]) for pair in pairs])
    assert (together == alone).all() and (reranker.score_pairs(pairs[::-1])[::-1] == alone).all()
    assert len(set(together.tolist())) > 30


def test_progress_is_told_up_to_the_last_text(reranker):
    told = []
    reranker.score("question", ["text " * (number % 7 + 1) for number in range(50)], lambda *now: told.append(now))
    assert told[-1] == (50, 50) and [done for done, _ in told] == sorted(done for done, _ in told)
    assert 2 <= len(told) <= 4
