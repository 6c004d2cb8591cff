"""Run a small BERT on onnxruntime: what the bundled embedder and cross-encoder share. Torch is never imported."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from rag_core.errors import ModelUnusable

Texts = Sequence[str] | Sequence[tuple[str, str]]
Progress = Callable[[int, int], None]
Pool = Callable[[np.ndarray, np.ndarray], np.ndarray]

TOKENS_PER_BATCH = 1024


def batches_by_length(lengths: Sequence[int], budget: int = TOKENS_PER_BATCH) -> Iterator[list[int]]:
    """Group positions of similar length, so that a batch holds at most ``budget`` tokens, padding included."""
    batch: list[int] = []
    for position in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        if batch and lengths[batch[0]] * (len(batch) + 1) > budget:
            yield batch
            batch = []
        batch.append(position)
    if batch:
        yield batch


class OnnxModel:
    """A tokenizer and an ONNX graph from one folder.

    Raises:
        ModelUnusable: the folder lacks ``tokenizer.json`` or ``onnx/model.onnx``.
    """

    def __init__(self, folder: Path, max_tokens: int = 512) -> None:
        import onnxruntime
        from tokenizers import Tokenizer

        for name in ("tokenizer.json", "onnx/model.onnx"):
            if not (folder / name).is_file():
                raise ModelUnusable(f"{folder / name} is missing: install again", model=folder.name, reason=name)
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.enable_truncation(max_tokens)
        self.tokenizer.no_padding()
        # One thread per run and several runs at once: two threads inside one run wait for each other at every layer.
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        graph = str(folder / "onnx" / "model.onnx")
        self.session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        self.workers = ThreadPoolExecutor(max_workers=os.cpu_count() or 1)

    def run(self, texts: Texts, pool: Pool, progress: Progress | None = None) -> np.ndarray:
        """Return ``pool(output, attention_mask)`` for each text or pair, in the order given: float32, (n, width)."""
        encodings = self.tokenizer.encode_batch(list(texts))
        batches = list(batches_by_length([len(encoding.ids) for encoding in encodings]))
        jobs = [self.workers.submit(self._forward, [encodings[i] for i in batch], pool) for batch in batches]
        rows: list[np.ndarray | None] = [None] * len(encodings)
        done = 0
        for batch, job in zip(batches, jobs, strict=True):
            for position, row in zip(batch, job.result(), strict=True):
                rows[position] = row
            done += len(batch)
            if progress:
                progress(done, len(encodings))
        return np.stack(rows)

    def _forward(self, encodings: list, pool: Pool) -> np.ndarray:
        shape = (len(encodings), max(len(encoding.ids) for encoding in encodings))
        ids, mask, types = np.ones(shape, np.int64), np.zeros(shape, np.int64), np.zeros(shape, np.int64)
        for row, encoding in enumerate(encodings):
            ids[row, : len(encoding.ids)] = encoding.ids
            mask[row, : len(encoding.ids)] = 1
            types[row, : len(encoding.ids)] = encoding.type_ids
        feeds = {"input_ids": ids, "attention_mask": mask, "token_type_ids": types}
        return pool(self.session.run(None, feeds)[0], mask)
