"""Count what the bundled models read: the tokens of a question, of a chunk, and of both together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from rag_core.models import catalog
from rag_core.models.parts import Encode

if TYPE_CHECKING:
    from tokenizers import Tokenizer

MOST = 512
"""What the bundled models read of a text, or of a pair; the rest is cut off."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The tokens that one run of a model reads, and how many there would be without the limit."""

    tokens: tuple[str, ...]
    whole: int

    def __len__(self) -> int:
        return len(self.tokens)

    @property
    def cut(self) -> bool:
        """Whether the limit kept tokens from being read."""
        return self.whole > len(self.tokens)


@dataclass(frozen=True, slots=True)
class Alone:
    """What a bi-encoder reads: two runs that know nothing of each other."""

    question: Reading
    chunk: Reading


def alone(model_id: str, question: str, chunk: str) -> Alone | None:
    """Return what a bundled embedder reads; None for a model whose tokenizer is not here."""
    line = catalog.find(catalog.EMBEDDERS, model_id)
    if line.kind != "onnx":
        return None
    return Alone(read(line.folder, line.query_prefix + question), read(line.folder, line.text_prefix + chunk))


def together(model_id: str, question: str, chunk: str) -> Reading | None:
    """Return what a bundled cross-encoder reads in its one run; None for a model whose tokenizer is not here."""
    line = catalog.find(catalog.RERANKERS, model_id)
    return read(line.folder, question, chunk) if line.kind == "onnx" else None


def of_texts(model_id: str, texts: Sequence[str]) -> list[int] | None:
    """Count the tokens of each text as a bundled embedder would read it without its limit; None as in ``alone``."""
    line = catalog.find(catalog.EMBEDDERS, model_id)
    if line.kind != "onnx":
        return None
    return _counts(line.folder, [line.text_prefix + text for text in texts])


def of_pairs(model_id: str, question: str, texts: Sequence[str]) -> list[int] | None:
    """Count the tokens of the question with each text, as ``of_texts`` does for a bundled cross-encoder."""
    line = catalog.find(catalog.RERANKERS, model_id)
    return _counts(line.folder, [(question, text) for text in texts]) if line.kind == "onnx" else None


def encoding(folder: Path) -> Encode:
    """Return what makes tokens of pairs as a bundled cross-encoder would without its limit."""
    return lambda pairs: tokenizer(folder, None).encode_batch(list(pairs))


def _counts(folder: Path, inputs: Sequence[str] | Sequence[tuple[str, str]]) -> list[int]:
    return [len(encoding.ids) for encoding in tokenizer(folder, None).encode_batch(list(inputs))]


def cut_share(counts: Sequence[int]) -> float:
    """Return which share of all tokens lies beyond the limit."""
    return sum(max(count - MOST, 0) for count in counts) / max(sum(counts), 1)


def read(folder: Path, text: str, second: str | None = None) -> Reading:
    """Read one text, or a pair, with the tokenizer of a folder, special tokens included."""
    read, whole = (tokenizer(folder, limit).encode(text, second).tokens for limit in (MOST, None))
    return Reading(tuple(read), len(whole))


@lru_cache
def tokenizer(folder: Path, limit: int | None) -> Tokenizer:
    """Return the tokenizer of a folder, loaded once for each limit; None cuts nothing off."""
    from tokenizers import Tokenizer

    made = Tokenizer.from_file(str(folder / "tokenizer.json"))
    made.no_padding()
    made.no_truncation() if limit is None else made.enable_truncation(limit)
    return made
