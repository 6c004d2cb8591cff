"""Serve an embedder and a cross-encoder to many clients: ``python -m deploy.serve``.

It is asked and answers as OpenAI, Cohere, Jina, Infinity, vLLM and TEI do, see ``deploy.forms``, texts as they are
given: prefixes are the client's. Requests that arrive together are scored together. Replicas stand on one machine, or
with ``--ray ADDRESS`` on those of a Ray cluster that runs already.
"""

import argparse
import asyncio
import hmac
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Annotated, Any

import numpy as np
import ray
from fastapi import Depends, FastAPI, Header, Request
from fastapi.responses import JSONResponse
from pydantic import ValidationError
from ray import serve
from ray.serve.config import HTTPOptions
from ray.serve.handle import DeploymentHandle
from starlette.exceptions import HTTPException

from deploy import forms
from deploy.forms import Embedded, EmbeddingsRequest, Ranked, RerankRequest
from rag_core import settings
from rag_core.batch import cluster
from rag_core.datatypes import Settings
from rag_core.errors import RerankLabError
from rag_core.models import catalog
from rag_core.models.embed import Embedder, load_embedder
from rag_core.models.rerank import load_reranker

KEY = "RERANK_LAB_SERVE_KEY"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
MOST_REQUESTS_TOGETHER = 16
WAIT_SECONDS = 0.005
PROXY_SECONDS = 60
"""How long Ray's HTTP process may take to start: by itself Ray ends it after 5, which a busy machine needs."""


@serve.deployment(max_ongoing_requests=8 * MOST_REQUESTS_TOGETHER)
class Scorer:
    """A cross-encoder in a process of its own."""

    def __init__(self, model_id: str) -> None:
        self.reranker = load_reranker(model_id)

    @serve.batch(max_batch_size=MOST_REQUESTS_TOGETHER, batch_wait_timeout_s=WAIT_SECONDS)
    async def __call__(self, requests: list[tuple[str, list[str]]]) -> list[tuple[list[float], int]]:
        pairs = [(query, text) for query, texts in requests for text in texts]
        found = await asyncio.to_thread(self.reranker.best_parts, pairs)
        tokens = await asyncio.to_thread(self.reranker.count_tokens, pairs)
        return divided(found.scores, tokens, [len(texts) for _, texts in requests])


@serve.deployment(max_ongoing_requests=8 * MOST_REQUESTS_TOGETHER)
class Encoder:
    """A bi-encoder in a process of its own."""

    def __init__(self, model_id: str) -> None:
        self.embedder = without_prefixes(load_embedder(model_id))

    @serve.batch(max_batch_size=MOST_REQUESTS_TOGETHER, batch_wait_timeout_s=WAIT_SECONDS)
    async def __call__(self, requests: list[list[str]]) -> list[tuple[list[list[float]], int]]:
        texts = [text for one in requests for text in one]
        vectors = await asyncio.to_thread(self.embedder.embed_texts, texts)
        tokens = await asyncio.to_thread(self.embedder.count_tokens, texts)
        return divided(vectors, tokens, [len(one) for one in requests])


def divided(rows: np.ndarray, tokens: Sequence[int], counts: Sequence[int]) -> list[tuple[list[Any], int]]:
    """Return the rows of each request, and how many tokens were read for it."""
    bounds = np.cumsum(counts)[:-1]
    parts = zip(np.split(rows, bounds), np.split(np.array(tokens), bounds), strict=True)
    return [(part.tolist(), int(read.sum())) for part, read in parts]


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
    if asked not in (*forms.UNNAMED, served):
        raise HTTPException(404, f"model {asked!r} is not served here; {served!r} is")
    return served


async def read(request: Request) -> Any:
    """Return what is asked, in the form of its path."""
    body = forms.loaded(await request.body())
    request.state.form = form = forms.of(request.url.path, body)
    try:
        return form.asked.model_validate(body)
    except ValidationError as error:
        raise HTTPException(422, forms.sentence(error)) from None


web = FastAPI(title="Rerank Lab", docs_url=None, redoc_url=None, openapi_url=None)


def post(paths: Iterable[str]) -> Callable[[Callable], Callable]:
    """Have a method answer at several paths."""

    def routed(method: Callable) -> Callable:
        for path in paths:
            web.post(path, dependencies=[Depends(check_key)])(method)
        return method

    return routed


@web.exception_handler(HTTPException)
async def refused(request: Request, error: HTTPException) -> JSONResponse:
    return refusal(request, error.status_code, str(error.detail))


@web.exception_handler(Exception)
async def failed(request: Request, error: Exception) -> JSONResponse:
    return refusal(request, 500, f"{type(error).__name__}: the model gave no answer; the server's log says why")


def refusal(request: Request, status: int, said: str) -> JSONResponse:
    form = getattr(request.state, "form", None)
    error = form.error if form else forms.error(request.url.path)
    return JSONResponse(error(status, said), status)


@serve.deployment(max_ongoing_requests=1000, ray_actor_options={"num_cpus": 0})
@serve.ingress(web)
class Api:
    """What clients speak to."""

    def __init__(self, reranker: str, scorer: DeploymentHandle, embedder: str, encoder: DeploymentHandle) -> None:
        self.reranker, self.scorer, self.embedder, self.encoder = reranker, scorer, embedder, encoder
        self.since = int(time.time())

    @web.get("/health")
    async def health(self) -> dict:
        return {"reranker": self.reranker, "embedder": self.embedder}

    @web.get("/v1/models", dependencies=[Depends(check_key)])
    async def models(self) -> dict:
        about = {"object": "model", "created": self.since, "owned_by": "rerank-lab"}
        return {"object": "list", "data": [{"id": model, **about} for model in (self.reranker, self.embedder)]}

    @post(forms.RERANK)
    async def rerank(self, request: Request, asked: Annotated[RerankRequest, Depends(read)]) -> JSONResponse:
        model = check_model(asked.model, self.reranker)
        logits, tokens = await self.scorer.remote((asked.query, asked.documents))
        return JSONResponse(request.state.form.answer(Ranked(asked, model, logits, tokens)))

    @post(forms.EMBEDDINGS)
    async def embeddings(self, request: Request, asked: Annotated[EmbeddingsRequest, Depends(read)]) -> JSONResponse:
        model = check_model(asked.model, self.embedder)
        vectors, tokens = await self.encoder.remote(asked.input)
        return JSONResponse(request.state.form.answer(Embedded(asked, model, vectors, tokens)))


def application(reranker: str, embedder: str, replicas: int = 1, cpus: float = 1.0) -> serve.Application:
    """Return what Ray Serve runs: one face, and so many replicas of each model with so many cores each."""
    how = {"num_replicas": replicas, "ray_actor_options": {"num_cpus": cpus}}
    scorer, encoder = Scorer.options(**how).bind(reranker), Encoder.options(**how).bind(embedder)
    return Api.bind(reranker, scorer, embedder, encoder)


def start(app: serve.Application, host: str, port: int) -> None:
    """Start what Ray Serve runs. Raises RerankLabError where that was not ready in time, or broke."""
    with cluster.started():
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
        os.environ.setdefault("RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S", str(PROXY_SECONDS))
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
    try:
        start(application(asked.reranker, asked.embedder, asked.replicas, asked.cpus), asked.host, asked.port)
        paths = ", ".join(forms.FORMS)
        print(f"http://{asked.host}:{asked.port} answers at {paths}; stop with Ctrl+C", flush=True)
        end.wait()
        serve.shutdown()
    except RerankLabError as error:
        parser.exit(1, f"{parser.prog}: {error}\n")
    finally:
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
