"""Run a small BERT on onnxruntime: what the bundled embedder and cross-encoder share. Torch is never imported."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rag_core.errors import ModelUnusable

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Encoding, Tokenizer

Texts = Sequence[str] | Sequence[tuple[str, str]]
Progress = Callable[[int, int], None]
Pool = Callable[[np.ndarray, np.ndarray], np.ndarray]

TEXTS_PER_REPORT = 16


class OnnxModel:
    """A tokenizer and an ONNX graph from one folder.

    Raises:
        ModelUnusable: ``tokenizer.json`` or ``onnx/model.onnx`` is missing or damaged.
    """

    def __init__(self, folder: Path, max_tokens: int = 512) -> None:
        for name in ("tokenizer.json", "onnx/model.onnx"):
            if not (folder / name).is_file():
                raise ModelUnusable(f"{folder / name} is missing: install again", model=folder.name, reason=name)
        try:
            self.tokenizer = _tokenizer(folder / "tokenizer.json", max_tokens)
            self.session = _session(folder / "onnx" / "model.onnx")
        except Exception as error:  # for a damaged file both libraries raise errors of no common kind
            reason = " ".join(str(error).split())[:200]
            raise ModelUnusable(
                f"{folder} is damaged ({reason}): install again", model=folder.name, reason=reason
            ) from error
        self.workers = ThreadPoolExecutor(max_workers=os.cpu_count() or 1)

    def run(self, texts: Texts, pool: Pool, progress: Progress | None = None) -> np.ndarray:
        """Return ``pool(output, attention_mask)`` for each text or pair, in the order given: float32, (n, width).

        Each text runs by itself, on all cores, the longest first. A run of an int8 graph has one scale for all its
        activations: in a batch a text's result would follow its neighbours, by more than lies between two ranks.
        """
        encodings = self.tokenizer.encode_batch_fast(list(texts))  # places of tokens are not needed here
        order = sorted(range(len(encodings)), key=lambda i: -len(encodings[i].ids))
        jobs = {i: self.workers.submit(self._forward, encodings[i], pool) for i in order}
        try:
            for done, i in enumerate(order, start=1):
                jobs[i].result()
                if progress and (done % TEXTS_PER_REPORT == 0 or done == len(order)):
                    progress(done, len(order))
        finally:  # a reader who went away, or an error, must not leave the rest running
            for job in jobs.values():
                job.cancel()
        return np.stack([jobs[i].result() for i in range(len(encodings))])

    def reads(self, *texts: str) -> int:
        """Return how many characters of the last of these texts, one or a pair, are read before the limit cuts it."""
        return characters_read(self.tokenizer.encode(*texts), texts)

    def _forward(self, encoding: Encoding, pool: Pool) -> np.ndarray:
        names = {"input_ids": "ids", "attention_mask": "attention_mask", "token_type_ids": "type_ids"}
        feeds = {name: np.array([getattr(encoding, field)], np.int64) for name, field in names.items()}
        return pool(self.session.run(None, feeds)[0], feeds["attention_mask"])[0]


def characters_read(encoding: Encoding, texts: Sequence[str]) -> int:
    """Return where in the last of these texts the tokens end that a truncated encoding has left."""
    if not encoding.overflowing:
        return len(texts[-1])
    places = zip(encoding.sequence_ids, encoding.offsets, strict=True)
    return max((end for sequence, (_, end) in places if sequence == len(texts) - 1), default=0)


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
