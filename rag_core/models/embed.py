"""Turn texts into embeddings: L2-normalised float32 rows, so that a dot product is the cosine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from rag_core.datatypes import Progress
from rag_core.errors import LLMRefused, ModelUnusable, ServerMissing
from rag_core.models import catalog, hub
from rag_core.models.onnx_model import OnnxModel
from rag_core.servers import http, llm

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


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


def normalise(vectors: np.ndarray) -> np.ndarray:
    vectors = np.asarray(vectors, np.float32)
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


def mean_pool(hidden: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Average the token states (batch, tokens, width) that are not padding."""
    weights = mask[..., None].astype(np.float32)
    return (hidden * weights).sum(1) / weights.sum(1)


class OnnxEmbedder:
    """The bundled embedder, on onnxruntime."""

    def __init__(self, line: catalog.Line) -> None:
        self.id, self.line, self.model = line.id, line, OnnxModel(line.folder)

    def embed_queries(self, queries: Sequence[str]) -> np.ndarray:
        return self._embed(self.line.query_prefix, queries)

    def embed_texts(self, texts: Sequence[str], progress: Progress | None = None) -> np.ndarray:
        return self._embed(self.line.text_prefix, texts, progress)

    def reads(self, text: str) -> int:
        prefix = self.line.text_prefix
        return max(self.model.reads(prefix + text) - len(prefix), 0)

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
            self.line.id, device="cpu", local_files_only=local_files_only, trust_remote_code=self.line.remote_code
        )

    def embed_queries(self, queries: Sequence[str]) -> np.ndarray:
        return self._encode(self.line.query_prefix, queries)

    def embed_texts(self, texts: Sequence[str], progress: Progress | None = None) -> np.ndarray:
        return in_batches(texts, self.line.batch, lambda part: self._encode(self.line.text_prefix, part), progress)

    def reads(self, text: str) -> int:
        prefix = self.line.text_prefix
        return max(hub.reads(self.model, prefix + text) - len(prefix), 0)

    def _encode(self, prefix: str, texts: Sequence[str]) -> np.ndarray:
        vectors = self.model.encode([prefix + text for text in texts], show_progress_bar=False)
        return normalise(vectors)


class OpenAIEmbedder:
    """OpenAI's embeddings, or those of a server that speaks the same language.

    A server that finds a request too large is asked with half as many texts, now and from then on.
    """

    def __init__(self, line: catalog.Line, settings: llm.LLMSettings) -> None:
        # Another server may give another model the same name.
        self.id = f"{line.id}@{settings.address}" if settings.base_url else line.id
        self.line, self.settings, self.batch = line, settings, line.batch
        self.dimension: int | None = None
        self.client = llm.open_client(settings)

    def embed_queries(self, queries: Sequence[str]) -> np.ndarray:
        return self._embed(self.line.query_prefix, queries)

    def embed_texts(self, texts: Sequence[str], progress: Progress | None = None) -> np.ndarray:
        return self._embed(self.line.text_prefix, texts, progress)

    def reads(self, text: str) -> int:
        """Return the whole length: OpenAI refuses what is too long, and other servers cut without saying where."""
        return len(text)

    def _embed(self, prefix: str, texts: Sequence[str], progress: Progress | None = None) -> np.ndarray:
        parts, done = [], 0
        while done < len(texts):
            part = [prefix + text for text in texts[done : done + self.batch]]
            try:
                parts.append(self._request(part))
            except LLMRefused as refusal:
                if len(part) == 1 or not http.is_too_many(refusal.values["status"], refusal.values["said"]):
                    raise
                self.batch = len(part) // 2
                continue
            done += len(part)
            if progress:
                progress(done, len(texts))
        return np.concatenate(parts)

    def _request(self, texts: Sequence[str]) -> np.ndarray:
        with llm.translated_errors(self.settings):
            reply = self.client.embeddings.create(model=self.line.id, input=list(texts), encoding_format="float")
            # Servers may answer out of order; the index is what ties a vector to its text.
            rows = sorted(reply.data, key=lambda row: row.index)
            whole = [row.index for row in rows] == list(range(len(texts)))
            vectors = np.array([row.embedding for row in rows], np.float32)
        if not whole or vectors.ndim != 2 or not vectors.size or not np.isfinite(vectors).all():
            raise ModelUnusable(
                f"{self.line.id} did not send one usable embedding for each of {len(texts)} texts: "
                "try again, or another model",
                model=self.line.id,
                reason=f"{len(rows)}/{len(texts)}",
            )
        return self._alike(normalise(vectors))

    def _alike(self, vectors: np.ndarray) -> np.ndarray:
        """Return the vectors; the server may have been given another model since the last request."""
        self.dimension = self.dimension or vectors.shape[1]
        if vectors.shape[1] != self.dimension:
            raise ModelUnusable(
                f"{self.line.id} sent {self.dimension} numbers a text before and {vectors.shape[1]} now: start again",
                model=self.line.id,
                reason=f"{self.dimension} → {vectors.shape[1]}",
            )
        return vectors


def in_batches(
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
        KeyMissing: an OpenAI embedder without a key.
        ServerMissing: a server's embedder without a server.
    """
    line = catalog.find(catalog.EMBEDDERS, model_id)
    if line.kind == "server":
        return served_embedder(line, settings or llm.LLMSettings.from_environment(names=llm.EMBEDDING))
    if line.kind == "openai":
        return OpenAIEmbedder(line, settings or llm.LLMSettings.from_environment())
    return OnnxEmbedder(line) if line.kind == "onnx" else SentenceTransformerEmbedder(line)


def served_embedder(line: catalog.Line, where: llm.LLMSettings) -> OpenAIEmbedder:
    if not where.base_url:
        address = llm.EMBEDDING[1]
        message = f"no address for {line.id}: set {address}, or type one for this session"
        raise ServerMissing(message, model=line.id, setting=address)
    # The client insists on a key; a server of one's own often has none.
    return OpenAIEmbedder(catalog.served(line, where.model), replace(where, key=where.key or "none"))
