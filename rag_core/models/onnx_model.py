"""Run a small BERT on onnxruntime: what the bundled embedder and cross-encoder share. Torch is never imported."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rag_core.datatypes import Progress
from rag_core.errors import ModelUnusable
from rag_core.models.catalog import Line
from rag_core.models.cores import cores

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Encoding, Tokenizer

Texts = Sequence[str] | Sequence[tuple[str, str]]
Pool = Callable[[np.ndarray, np.ndarray], np.ndarray]

GRAPH = "onnx/model.onnx"
TEXTS_PER_REPORT = 16
CORES = cores()
FIXED_SCALES = "fixed_activation_scales"
"""A graph with this property has its activations' int8 scales in it, whatever it is given: texts may run together."""
TOKENS_PER_RUN = (128, 512)
"""Fewest and most. With fewer the weights are read too often, with more what lies between layers leaves the cache."""
TOKENS_ALIKE = 8
FIELDS = {"input_ids": "ids", "attention_mask": "attention_mask", "token_type_ids": "type_ids"}


class OnnxModel:
    """A tokenizer and an ONNX graph from one folder.

    Raises:
        ModelUnusable: ``tokenizer.json`` or ``onnx/model.onnx`` is missing or damaged.
    """

    def __init__(self, folder: Path, max_tokens: int = 512) -> None:
        for name in ("tokenizer.json", GRAPH):
            if not (folder / name).is_file():
                raise ModelUnusable(f"{folder / name} is missing: install again", model=folder.name, reason=name)
        try:
            self.tokenizer = _tokenizer(folder / "tokenizer.json", max_tokens)
            self.session = _session(folder / GRAPH)
        except Exception as error:  # for a damaged file both libraries raise errors of no common kind
            reason = " ".join(str(error).split())[:200]
            raise ModelUnusable(
                f"{folder} is damaged ({reason}): install again", model=folder.name, reason=reason
            ) from error
        self.together = FIXED_SCALES in self.session.get_modelmeta().custom_metadata_map
        self.workers = ThreadPoolExecutor(max_workers=CORES)

    def run(self, texts: Texts, pool: Pool, progress: Progress | None = None) -> np.ndarray:
        """Return ``pool(output, attention_mask)`` for each text or pair, in the order given: float32, (n, width).

        Runs go on all cores, the longest texts first. What a text gives never depends on the others: see ``runs``.
        """
        encodings = self.tokenizer.encode_batch_fast(list(texts))  # places of tokens are not needed here
        parts = runs([len(encoding.ids) for encoding in encodings], self.together)
        jobs = [self.workers.submit(self._forward, [encodings[i] for i in part], pool) for part in parts]
        done = reported = 0
        try:
            for part, job in zip(parts, jobs, strict=True):
                job.result()
                done += len(part)
                if progress and (done - reported >= TEXTS_PER_REPORT or done == len(encodings)):
                    reported = done
                    progress(done, len(encodings))
        finally:  # a reader who went away, or an error, must not leave the rest running
            for job in jobs:
                job.cancel()
        order = np.argsort([i for part in parts for i in part])
        return np.concatenate([job.result() for job in jobs])[order]

    def count_tokens(self, texts: Texts) -> list[int]:
        """Count the tokens that are read of each text or pair."""
        return [len(encoding.ids) for encoding in self.tokenizer.encode_batch_fast(list(texts))]

    def reads(self, text: str) -> int:
        """Return how many characters of a text are read before the limit cuts it."""
        return characters_read(self.tokenizer.encode(text), text)

    def _forward(self, encodings: Sequence[Encoding], pool: Pool) -> np.ndarray:
        given = feeds(encodings, TOKENS_ALIKE if self.together else 1)
        return pool(self.session.run(None, given)[0], given["attention_mask"])


@lru_cache
def bundled_id(line: Line) -> str:
    """Name a bundled model's weights by its graph's hash, the same on every machine."""
    graph = (line.folder / GRAPH).read_bytes()
    return f"{line.id}#{hashlib.sha256(graph).hexdigest()[:12]}"


def runs(lengths: Sequence[int], together: bool) -> list[list[int]]:
    """Return which texts of these lengths in tokens run together, the longest first.

    Where the graph finds the scale of its activations in each run, every text runs by itself: in a batch its result
    would follow its neighbours, by more than lies between two ranks. Where scales are fixed, texts run together that
    have as many tokens when padded to a multiple of ``TOKENS_ALIKE``: so much padding a text has alone, too, and its
    result is the same to the last bit. Runs get smaller towards the end, so that all cores end at about the same time
    (guided self-scheduling, Polychronopoulos and Kuck 1987).
    """
    if not together:
        return [[i] for i in sorted(range(len(lengths)), key=lambda i: -lengths[i])]
    alike: dict[int, list[int]] = {}
    for i, length in enumerate(lengths):
        alike.setdefault(padded(length, TOKENS_ALIKE), []).append(i)
    parts, left = [], sum(tokens * len(members) for tokens, members in alike.items())
    for tokens, members in sorted(alike.items(), reverse=True):
        while members:
            most = int(np.clip(left / (2 * CORES), *TOKENS_PER_RUN)) // tokens or 1
            size = -(-len(members) // -(-len(members) // most))  # as few runs as the most allows, all alike
            part, members = members[:size], members[size:]
            parts.append(part)
            left -= tokens * len(part)
    return parts


def padded(length: int, multiple: int) -> int:
    """Return the length rounded up to a multiple."""
    return -(-length // multiple) * multiple


def feeds(encodings: Sequence[Encoding], multiple: int = 1) -> dict[str, np.ndarray]:
    """Return a graph's inputs, int64 of shape (texts, tokens), padded with zeros to a multiple."""
    width = padded(max(len(encoding.ids) for encoding in encodings), multiple)
    given = {name: np.zeros((len(encodings), width), np.int64) for name in FIELDS}
    for row, encoding in enumerate(encodings):
        for name, field in FIELDS.items():
            values = getattr(encoding, field)
            given[name][row, : len(values)] = values
    return given


def characters_read(encoding: Encoding, text: str) -> int:
    """Return where in a text the tokens end that its truncated encoding has left."""
    return max(end for _, end in encoding.offsets) if encoding.overflowing else len(text)


def _tokenizer(file: Path, max_tokens: int) -> Tokenizer:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(file))
    tokenizer.enable_truncation(max_tokens)
    tokenizer.no_padding()
    return tokenizer


def _session(file: Path) -> InferenceSession:
    import onnxruntime

    # One thread per run and several runs at once: two threads inside one run wait for each other at every layer.
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    # Adding and normalising in two steps is four times as fast as onnxruntime's fused one on the CPU.
    slow = ["SkipLayerNormFusion"]
    return onnxruntime.InferenceSession(
        str(file), options, providers=["CPUExecutionProvider"], disabled_optimizers=slow
    )
