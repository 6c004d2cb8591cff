"""Have a server embed: OpenAI, or one that speaks the same language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rag_core.datatypes import Progress
from rag_core.errors import ModelUnusable, ServerMissing, ServerRefused
from rag_core.servers import http, llm

SERVICE = "embedder"


def normalise(vectors: np.ndarray) -> np.ndarray:
    """Return float32 rows of length one, so that a dot product is the cosine; a row of zeros stays one."""
    vectors = np.asarray(vectors, np.float32)
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


def with_address(name: str, where: llm.LLMSettings) -> llm.LLMSettings:
    """Return the settings of a server of one's own, with the key that the client insists on and such a server lacks.

    Raises:
        ServerMissing: they hold no address; ``name`` is that of the model that wants one.
    """
    key_name, address_name, _ = llm.EMBEDDING
    if not where.base_url:
        raise ServerMissing(service=SERVICE, model=name, setting=address_name)
    return replace(where, key=where.key or "none", key_name=key_name)


class OpenAIEmbedder:
    """The embeddings of ``where.model``, each text led by the prefix that the model wants.

    A server that finds a request too large is asked with half as many texts, now and from then on.
    """

    def __init__(self, where: llm.LLMSettings, query_prefix: str, text_prefix: str, batch: int) -> None:
        """Prepare the client; nothing is sent yet. Raises the errors of ``llm.open_client``."""
        self.where = replace(where, service=SERVICE)
        self.model, self.peer, self.batch = where.model, self.where.peer, batch
        self.query_prefix, self.text_prefix = query_prefix, text_prefix
        # Another server may give another model the same name.
        self.id = f"{where.model}@{where.address}" if where.base_url else where.model
        self.dimension: int | None = None
        self.client = llm.open_client(self.where)

    def embed_queries(self, queries: Sequence[str]) -> np.ndarray:
        """Embed questions with the model's prefix for them."""
        return self._embed(self.query_prefix, queries)

    def embed_texts(self, texts: Sequence[str], progress: Progress | None = None) -> np.ndarray:
        """Embed texts with the model's prefix for them, a request for each batch."""
        return self._embed(self.text_prefix, texts, progress)

    def reads(self, text: str) -> int:
        """Return the whole length: OpenAI refuses what is too long, and other servers cut without saying where."""
        return len(text)

    def _embed(self, prefix: str, texts: Sequence[str], progress: Progress | None = None) -> np.ndarray:
        parts, done = [], 0
        while done < len(texts):
            part = [prefix + text for text in texts[done : done + self.batch]]
            try:
                parts.append(self._request(part))
            except ServerRefused as refusal:
                if len(part) == 1 or not _is_too_many(refusal):
                    raise
                self.batch = len(part) // 2
                continue
            done += len(part)
            if progress:
                progress(done, len(texts))
        return np.concatenate(parts)

    def _request(self, texts: Sequence[str]) -> np.ndarray:
        with llm.translated_errors(self.peer):
            reply = self.client.embeddings.create(model=self.model, input=list(texts), encoding_format="float")
            llm.check_said(self.peer, reply, "data")
            # Servers may answer out of order; the index is what ties a vector to its text.
            rows = sorted(reply.data, key=lambda row: row.index)
            whole = [row.index for row in rows] == list(range(len(texts)))
            vectors = np.array([row.embedding for row in rows], np.float32)
        if not whole or vectors.ndim != 2 or not vectors.size or not np.isfinite(vectors).all():
            raise ModelUnusable(
                f"{self.model} did not send one usable embedding for each of {len(texts)} texts: "
                "try again, or another model",
                model=self.model,
                reason=f"{len(rows)}/{len(texts)}",
            )
        return self._alike(normalise(vectors))

    def _alike(self, vectors: np.ndarray) -> np.ndarray:
        """Return the vectors; the server may have been given another model since the last request."""
        self.dimension = self.dimension or vectors.shape[1]
        if vectors.shape[1] != self.dimension:
            raise ModelUnusable(
                f"{self.model} sent {self.dimension} numbers a text before and {vectors.shape[1]} now: start again",
                model=self.model,
                reason=f"{self.dimension} → {vectors.shape[1]}",
            )
        return vectors


def _is_too_many(refusal: ServerRefused) -> bool:
    status, said = refusal.values["status"], refusal.values["said"]
    return isinstance(status, int) and http.is_too_many(status, str(said))
