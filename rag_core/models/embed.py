"""Turn texts into embeddings: L2-normalised float32 rows, so that a dot product is the cosine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from rag_core.datatypes import Progress
from rag_core.models import catalog, hub
from rag_core.models.onnx_model import OnnxModel, bundled_id
from rag_core.servers import llm
from rag_core.servers.embed import OpenAIEmbedder, normalise, with_address

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


MOST_QUESTIONS = 200


class Embedder(Protocol):
    """What a bi-encoder does. ``id`` addresses its vectors in the library, so it must name the weights."""

    id: str

    def embed_queries(self, queries: Sequence[str]) -> np.ndarray:
        """Return float32 of shape (queries, dimension)."""
        ...

    def embed_texts(self, texts: Sequence[str], progress: Progress | None = None) -> np.ndarray:
        """Return float32 of shape (texts, dimension); ``progress(done, all)`` is called as work goes on."""
        ...

    def reads(self, text: str) -> int:
        """Return how many characters of the text are read; the rest is cut off."""
        ...


def mean_pool(hidden: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Average the token states (batch, tokens, width) that are not padding."""
    weights = mask[..., None].astype(np.float32)
    return (hidden * weights).sum(1) / weights.sum(1)


class OnnxEmbedder:
    """The bundled embedder, on onnxruntime."""

    def __init__(self, line: catalog.Line) -> None:
        self.model = OnnxModel(line.folder)
        self.id, self.line = bundled_id(line), line

    def embed_queries(self, queries: Sequence[str]) -> np.ndarray:
        """Embed questions with the model's prefix for them."""
        return self._embed(self.line.query_prefix, queries)

    def embed_texts(self, texts: Sequence[str], progress: Progress | None = None) -> np.ndarray:
        """Embed texts with the model's prefix for them, on all cores."""
        return self._embed(self.line.text_prefix, texts, progress)

    def reads(self, text: str) -> int:
        """Return how many characters of the text are read, the prefix not counted."""
        prefix = self.line.text_prefix
        return max(self.model.reads(prefix + text) - len(prefix), 0)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Count the tokens that are read of each text, the prefix counted."""
        return self.model.count_tokens([self.line.text_prefix + text for text in texts])

    def _embed(self, prefix: str, texts: Sequence[str], progress: Progress | None = None) -> np.ndarray:
        return normalise(self.model.run([prefix + text for text in texts], mean_pool, progress))


class SentenceTransformerEmbedder:
    """Any model that sentence-transformers loads; importing it takes seconds, so it happens here."""

    def __init__(self, line: catalog.Line) -> None:
        self.id, self.line = hub.weights_id(line.id), line
        self.model = hub.load(line.id, self._build)

    def _build(self, local_files_only: bool) -> SentenceTransformer:
        from sentence_transformers import SentenceTransformer

        return SentenceTransformer(
            self.line.id, device="cpu", local_files_only=local_files_only, model_kwargs=hub.PRECISE
        )

    def embed_queries(self, queries: Sequence[str]) -> np.ndarray:
        """Embed questions with the model's prefix for them."""
        return self._encode(self.line.query_prefix, queries)

    def embed_texts(self, texts: Sequence[str], progress: Progress | None = None) -> np.ndarray:
        """Embed texts with the model's prefix for them, a batch at a time."""
        return _in_batches(texts, self.line.batch, lambda part: self._encode(self.line.text_prefix, part), progress)

    def reads(self, text: str) -> int:
        """Return how many characters of the text are read, the prefix not counted."""
        prefix = self.line.text_prefix
        return max(hub.reads(self.model, prefix + text) - len(prefix), 0)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Count the tokens that are read of each text, the prefix counted."""
        return hub.count_tokens(self.model, [self.line.text_prefix + text for text in texts])

    def _encode(self, prefix: str, texts: Sequence[str]) -> np.ndarray:
        vectors = self.model.encode([prefix + text for text in texts], show_progress_bar=False)
        return normalise(vectors)


class AskedOnce:
    """An embedder that embeds no question twice while it is among the last ``MOST_QUESTIONS``."""

    def __init__(self, embedder: Embedder) -> None:
        self.id, self.reads = embedder.id, embedder.reads
        self.embedder, self.known = embedder, dict[str, np.ndarray]()

    def embed_texts(self, texts: Sequence[str], progress: Progress | None = None) -> np.ndarray:
        """Embed texts as the embedder does."""
        return self.embedder.embed_texts(texts, progress)

    def embed_queries(self, queries: Sequence[str]) -> np.ndarray:
        """Embed those questions that are not known."""
        known = self.known  # never changed but replaced, so threads need no care
        missing = [query for query in dict.fromkeys(queries) if query not in known]
        if missing:
            known = known | dict(zip(missing, self.embedder.embed_queries(missing), strict=True))
            self.known = dict(list(known.items())[-MOST_QUESTIONS:])
        return np.stack([known[query] for query in queries])


def _in_batches(
    texts: Sequence[str], size: int, embed: Callable[[Sequence[str]], np.ndarray], progress: Progress | None
) -> np.ndarray:
    parts = []
    for start in range(0, len(texts), size):
        parts.append(embed(texts[start : start + size]))
        if progress:
            progress(min(start + size, len(texts)), len(texts))
    return np.concatenate(parts)


def load_embedder(model_id: str, settings: llm.LLMSettings | None = None) -> Embedder:
    """Load an embedder of the catalogue, of a local folder, or of the Hugging Face hub.

    Raises:
        ModelError: it cannot be found, reached or used.
        ServerError: it is a server's, and there is no server, or no key for it.
    """
    line = catalog.find(catalog.EMBEDDERS, model_id)
    if line.kind == "openai":
        return _from_server(line, replace(settings or llm.LLMSettings.from_environment(), model=line.id))
    if line.kind == "server":
        where = with_address(line.id, settings or llm.LLMSettings.from_environment(names=llm.EMBEDDING))
        return _from_server(catalog.served(line, where.model), where)
    return OnnxEmbedder(line) if line.kind == "onnx" else SentenceTransformerEmbedder(line)


def _from_server(line: catalog.Line, where: llm.LLMSettings) -> OpenAIEmbedder:
    return OpenAIEmbedder(where, line.query_prefix, line.text_prefix, line.batch)
