"""Serve an embedder and a cross-encoder to many clients: ``python -m deploy.serve``.

``POST /rerank`` is asked and answers in the form of Infinity, ``POST /v1/embeddings`` in that of OpenAI, texts as they
are given: prefixes are the client's. Requests that arrive together are scored together. Replicas stand on one machine,
or with ``--ray ADDRESS`` on those of a Ray cluster that runs already.
"""

import argparse
import asyncio
import hmac
import math
import os
import signal
import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal

import numpy as np
import ray
from fastapi import Depends, FastAPI, Header, HTTPException
from pydantic import BaseModel, Field
from ray import serve
from ray.serve.config import HTTPOptions
from ray.serve.handle import DeploymentHandle

from rag_core import settings
from rag_core.batch import cluster
from rag_core.datatypes import Settings
from rag_core.errors import RerankLabError
from rag_core.models import catalog
from rag_core.models.embed import Embedder, load_embedder
from rag_core.models.rerank import load_reranker

KEY = "RERANK_LAB_SERVE_KEY"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
MOST_TEXTS = 1000
MOST_REQUESTS_TOGETHER = 16
WAIT_SECONDS = 0.005
Text = Annotated[str, Field(max_length=100_000)]
Texts = Annotated[list[Text], Field(min_length=1, max_length=MOST_TEXTS)]


class RerankRequest(BaseModel):
    query: Text
    documents: Texts
    model: str = ""
    raw_scores: bool = False
    return_documents: bool = False
    top_n: int | None = Field(default=None, gt=0)


class EmbeddingsRequest(BaseModel):
    input: Text | Texts
    model: str = ""
    encoding_format: Literal["float"] = "float"


@serve.deployment(max_ongoing_requests=8 * MOST_REQUESTS_TOGETHER)
class Scorer:
    """A cross-encoder in a process of its own."""

    def __init__(self, model_id: str) -> None:
        self.reranker = load_reranker(model_id)

    @serve.batch(max_batch_size=MOST_REQUESTS_TOGETHER, batch_wait_timeout_s=WAIT_SECONDS)
    async def __call__(self, requests: list[tuple[str, list[str]]]) -> list[list[float]]:
        pairs = [(query, text) for query, texts in requests for text in texts]
        found = await asyncio.to_thread(self.reranker.best_parts, pairs)
        return divided(found.scores, [len(texts) for _, texts in requests])


@serve.deployment(max_ongoing_requests=8 * MOST_REQUESTS_TOGETHER)
class Encoder:
    """A bi-encoder in a process of its own."""

    def __init__(self, model_id: str) -> None:
        self.embedder = without_prefixes(load_embedder(model_id))

    @serve.batch(max_batch_size=MOST_REQUESTS_TOGETHER, batch_wait_timeout_s=WAIT_SECONDS)
    async def __call__(self, requests: list[list[str]]) -> list[list[list[float]]]:
        texts = [text for one in requests for text in one]
        vectors = await asyncio.to_thread(self.embedder.embed_texts, texts)
        return divided(vectors, [len(one) for one in requests])


def divided(rows: np.ndarray, counts: Sequence[int]) -> list[Any]:
    """Return the rows of each request."""
    return [part.tolist() for part in np.split(rows, np.cumsum(counts)[:-1])]


def sigmoid(logit: float) -> float:
    return math.exp(min(logit, 0)) / (1 + math.exp(-abs(logit)))


def without_prefixes(embedder: Embedder) -> Embedder:
    embedder.line = replace(embedder.line, query_prefix="", text_prefix="")
    return embedder


def own_key() -> str:
    return settings.environment().values().get(KEY, "")


def check_key(authorization: Annotated[str, Header()] = "") -> None:
    key = own_key()
    if key and not hmac.compare_digest(authorization.encode(), f"Bearer {key}".encode()):
        raise HTTPException(401, "the key is missing or another one")


def check_model(asked: str, served: str) -> str:
    if asked not in ("", served):
        raise HTTPException(404, f"model {asked!r} is not served here; {served!r} is")
    return served


web = FastAPI(title="Rerank Lab", docs_url=None, redoc_url=None, openapi_url=None)


@serve.deployment(max_ongoing_requests=1000, ray_actor_options={"num_cpus": 0})
@serve.ingress(web)
class Api:
    """What clients speak to."""

    def __init__(self, reranker: str, scorer: DeploymentHandle, embedder: str, encoder: DeploymentHandle) -> None:
        self.reranker, self.scorer, self.embedder, self.encoder = reranker, scorer, embedder, encoder

    @web.get("/health")
    async def health(self) -> dict:
        return {"reranker": self.reranker, "embedder": self.embedder}

    @web.post("/rerank", dependencies=[Depends(check_key)])
    async def rerank(self, asked: RerankRequest) -> dict:
        model = check_model(asked.model, self.reranker)
        logits = await self.scorer.remote((asked.query, asked.documents))
        scores = logits if asked.raw_scores else [sigmoid(logit) for logit in logits]
        ranked = sorted(range(len(scores)), key=lambda i: -scores[i])[: asked.top_n]
        results = [{"index": i, "relevance_score": scores[i]} for i in ranked]
        if asked.return_documents:
            results = [{**row, "document": asked.documents[row["index"]]} for row in results]
        return {"object": "rerank", "model": model, "results": results}

    @web.post("/v1/embeddings", dependencies=[Depends(check_key)])
    async def embeddings(self, asked: EmbeddingsRequest) -> dict:
        model = check_model(asked.model, self.embedder)
        texts = [asked.input] if isinstance(asked.input, str) else asked.input
        rows = enumerate(await self.encoder.remote(texts))
        found = [{"object": "embedding", "index": index, "embedding": vector} for index, vector in rows]
        return {"object": "list", "model": model, "data": found}


def application(reranker: str, embedder: str, replicas: int = 1, cpus: float = 1.0) -> serve.Application:
    """Return what Ray Serve runs: one face, and so many replicas of each model with so many cores each."""
    how = {"num_replicas": replicas, "ray_actor_options": {"num_cpus": cpus}}
    scorer, encoder = Scorer.options(**how).bind(reranker), Encoder.options(**how).bind(embedder)
    return Api.bind(reranker, scorer, embedder, encoder)


def start(app: serve.Application, host: str, port: int) -> None:
    serve.start(http_options=HTTPOptions(host=host, port=port))
    serve.run(app, route_prefix="/")


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m deploy.serve", description=__doc__)
    known = "of the catalogue, a Hugging Face id, or a folder (default %(default)s)"
    parser.add_argument("--reranker", default=Settings().reranker, metavar="ID", help=known)
    parser.add_argument("--embedder", default=Settings().embedder, metavar="ID", help=known)
    parser.add_argument("--replicas", type=int, default=1, help="of each model (default %(default)s)")
    parser.add_argument("--cpus", type=float, default=0.5, help="cores that Ray reserves a replica")
    parser.add_argument("--host", default="127.0.0.1", help="elsewhere than on loopback a key is needed: set " + KEY)
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--ray", metavar="ADDRESS", default=cluster.HERE, help="of a cluster (default: this machine)")
    return parser


def main() -> None:
    parser = build_parser()
    asked = parser.parse_args()
    try:
        # Replicas read it there: where they run lies no .env.
        key = os.environ[KEY] = own_key()
        if asked.host not in LOOPBACK and not key:
            parser.error(f"on {asked.host} everybody could ask: set {KEY}")
        for lines, model in ((catalog.RERANKERS, asked.reranker), (catalog.EMBEDDERS, asked.embedder)):
            if catalog.find(lines, model).kind in ("openai", "server"):
                parser.error(f"{model} is on a server already")
        cluster.join(asked.ray, {KEY: key})
    except RerankLabError as error:
        parser.error(str(error))
    end = told_to_end()
    start(application(asked.reranker, asked.embedder, asked.replicas, asked.cpus), asked.host, asked.port)
    print(f"http://{asked.host}:{asked.port}/rerank and /v1/embeddings answer; stop with Ctrl+C", flush=True)
    end.wait()
    serve.shutdown()
    ray.shutdown()


def told_to_end() -> threading.Event:
    """Return what is set when the process is told to end; Ray's own handlers, set when it starts, just die."""
    end = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: end.set())
    return end


if __name__ == "__main__":
    # Under its own name, so that replicas import these classes instead of being sent them.
    from deploy import serve as named

    named.main()
