"""The stages of a batch as Ray Data actors: each holds its model, on this machine or on those of a cluster.

Files are opened where they are read, so every machine must see them under the same path.
"""

from __future__ import annotations

import logging
import os
import pickle
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from time import perf_counter
from typing import Any

from rag_core import settings
from rag_core.batch import indexing
from rag_core.batch.evaluation import Wanted
from rag_core.batch.indexing import Failed, Make, Read, Task
from rag_core.datatypes import Progress
from rag_core.errors import RerankLabError
from rag_core.extras import SERVE
from rag_core.keeping.embeddings import Embeddings, Scores
from rag_core.lab import Lab
from rag_core.models.embed import load_embedder
from rag_core.models.rerank import finite, load_reranker
from rag_core.place import ROOT

log = logging.getLogger(__name__)

Row = dict[str, Any]

HERE = "local"
QUIET: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
KNOCK_SECONDS = 5
LOGS = "/tmp/ray/session_latest/logs"
NOT_SENT = [".git", ".venv", ".venv-light", "tests", "training", "data/screenshots", "data/samples"]
"""What other machines do without. Where pip put the app, they have the package from pip as well."""

READER_CPUS, WORKER_CPUS = 0.25, 0.5
"""What Ray reserves. A model's worker uses every core of its machine: a second one belongs on another machine."""

ROWS_AT_ONCE = 4
SERVERS = ("RERANK_LAB_RERANK_", "RERANK_LAB_EMBED_", "OPENAI_", "COHERE_API_KEY", "JINA_API_KEY", "VOYAGE_API_KEY")
"""Where models on servers answer, with their keys: workers elsewhere must be told."""


def join(address: str, variables: Mapping[str, str] | None = None) -> None:
    """Start Ray on this machine alone for ``HERE``, or join a cluster; it gets the code, and environment ``variables``.

    Raises:
        RerankLabError: Ray is not installed, or the cluster does not answer.
    """
    # Ray would report its use, and tell of it on the screen.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError:
        raise RerankLabError(f"Ray is not installed: {SERVE.command}") from None
    if address == HERE:
        # Named, for without a name Ray joins a cluster that happens to run on this machine, or once did.
        with started():
            ray.init(HERE, include_dashboard=False, _node_ip_address="127.0.0.1", **QUIET)
        return
    code = {"working_dir": str(ROOT), "excludes": NOT_SENT, "env_vars": dict(variables or {})}
    try:
        knock(address)
        ray.init(address, runtime_env=code, **QUIET)
    except (OSError, RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise RerankLabError(f"no Ray cluster answers at {address} ({reason}): start one with ray start") from error


@contextmanager
def started() -> Iterator[None]:
    """Say in a sentence that Ray did not start what it was told to.

    Raises:
        RerankLabError: it gave up, which it says with an exception of any class, a bare one for a time-out.
    """
    try:
        yield
    except Exception as error:
        log.info("Ray did not start", exc_info=error)
        # Where one of its processes failed, Ray's words are a whole traceback: what failed stands last.
        last = (str(error).strip() or "?").splitlines()[-1].strip()
        reason = f"{type(error).__name__}: {last}"[:300]
        raise RerankLabError(
            f"Ray did not start ({reason}): see that the port is free and that the machine is not busy or out of "
            f"memory, and start again; its logs are in {LOGS}"
        ) from error


def knock(address: str) -> None:
    """Connect once and hang up: where nobody listens, Ray itself goes on trying for minutes."""
    host, _, port = address.rpartition("//")[2].partition(":")
    if port.isdecimal():
        socket.create_connection((host, int(port)), timeout=KNOCK_SECONDS).close()


@contextmanager
def joined(address: str) -> Iterator[None]:
    """Have Ray at hand for a while, with the host's models on servers known to its workers; see ``join``."""
    os.environ.setdefault("RAY_DATA_LOG_LEVEL", "ERROR")
    join(address, {name: value for name, value in settings.environment().values().items() if name.startswith(SERVERS)})
    import ray

    ray.data.DataContext.get_current().enable_progress_bars = False
    try:
        yield
    finally:
        ray.shutdown()


def make(model_id: str, workers: int) -> Make:
    """Return what makes everything with Ray: PDFs are read wherever there is room, and embedded by so many workers."""

    def made(tasks: Sequence[Task]) -> Iterator[tuple[Task, Read | Failed, Embeddings | None]]:
        rows = ({"task": pickle.dumps(task)} for task in tasks)
        for row in run(rows, EmbedRow, model_id, workers, first=_read_row):
            task, reading, embeddings = (pickle.loads(row[name]) for name in ("task", "read", "embeddings"))
            yield task, reading, embeddings

    return made


def score(lab: Lab, wanted: Sequence[Wanted], model_id: str, workers: int, progress: Progress | None = None) -> None:
    """Have so many workers score what is wanted, and keep each question's scores as they come."""
    weights, rows = load_reranker(model_id).weights, ({"wanted": pickle.dumps(request)} for request in wanted)
    for done, row in enumerate(run(rows, ScoreRow, model_id, workers), start=1):
        request, fresh = pickle.loads(row["wanted"]), pickle.loads(row["scores"])
        place = (request.key, weights, request.question)
        scores = lab.embeddings.scores([request.doc_id], *place).extended(fresh)
        lab.embeddings.save_scores(*place, {request.doc_id: scores})
        if progress:
            progress(done, len(wanted))


def run(
    rows: Iterable[Row], worker: type, model_id: str, workers: int, first: Callable[[Row], Row] | None = None
) -> Iterator[Row]:
    """Yield rows as they come out of the workers, in any order; before, ``first`` is done wherever there is room."""
    import ray

    listed = list(rows)
    if not listed:
        return
    data: ray.data.Dataset = ray.data.from_items(listed, override_num_blocks=-(-len(listed) // ROWS_AT_ONCE))
    if first:
        data = data.map(first, num_cpus=READER_CPUS)
    pool = ray.data.ActorPoolStrategy(size=workers)
    yield from data.map(worker, fn_constructor_args=[model_id], compute=pool, num_cpus=WORKER_CPUS).iter_rows()


def _read_row(row: Row) -> Row:
    return {**row, "read": pickle.dumps(indexing.read(pickle.loads(row["task"])))}


class EmbedRow:
    """An embedder in a process of its own."""

    def __init__(self, model_id: str) -> None:
        self.embedder = load_embedder(model_id)

    def __call__(self, row: Row) -> Row:
        """Return the row with its document's embeddings, None where the document could not be read."""
        reading = pickle.loads(row["read"])
        embeddings = indexing.embed(reading, self.embedder) if isinstance(reading, Read) else None
        return {**row, "embeddings": pickle.dumps(embeddings)}


class ScoreRow:
    """A cross-encoder in a process of its own."""

    def __init__(self, model_id: str) -> None:
        self.reranker = load_reranker(model_id)

    def __call__(self, row: Row) -> Row:
        """Return the row with the scores of its chunks, and the seconds that they took."""
        wanted, start = pickle.loads(row["wanted"]), perf_counter()
        scored = self.reranker.score_parts(wanted.question, [piece.passage for piece in wanted.chunks])
        finite(self.reranker, scored.scores)
        fresh = Scores.made([piece.id for piece in wanted.chunks], scored, perf_counter() - start)
        return {**row, "scores": pickle.dumps(fresh)}
