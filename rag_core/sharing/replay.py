"""The words of a finished comparison that goes elsewhere, without models, keys or the document."""

from __future__ import annotations

import hashlib
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from importlib import metadata
from pathlib import Path

from rag_core import __version__
from rag_core.datatypes import Answer, Comparison, Document, Judgment
from rag_core.measuring import judge
from rag_core.models import catalog, hub
from rag_core.models.baseline import Baseline
from rag_core.models.onnx_model import bundled_id
from rag_core.models.selftest import SelfTest

SIDES = ("vector", "reranked")
MODELS = ("embedder", "reranker")
LIBRARIES = ("onnxruntime", "tokenizers", "sentence-transformers", "chromadb", "pypdf", "numpy")


@dataclass(frozen=True, slots=True)
class Source:
    """The document or collection that was asked; ``pages`` counts them all."""

    id: str
    title: str
    language: str
    pages: int


@dataclass(frozen=True, slots=True)
class Replay:
    """A comparison with all that its page shows.

    ``made`` is the time in UTC (ISO 8601), ``versions`` name the app and its libraries, ``weights`` the two models.
    ``baselines`` are what unrelated texts got, for ``embedder`` and ``reranker``, None where that was not measured.
    ``judgments`` are those of this question, with their words where they stand on the page.
    """

    comparison: Comparison
    source: Source
    made: str
    versions: Mapping[str, str]
    weights: Mapping[str, str]
    self_test: SelfTest
    baselines: Mapping[str, Baseline | None]
    answers: Mapping[str, Answer] = field(default_factory=dict)
    judgments: tuple[Judgment, ...] = ()

    @property
    def grades(self) -> Mapping[str, int]:
        """Chunk id to grade, of the candidates that were judged."""
        settled = judge.latest(self.judgments)
        return judge.carry(settled, self.comparison.before.chunks).qrels.get(self.comparison.query, {})

    def unrelated(self, side: str) -> float | None:
        """Return where unrelated texts stand among a side's scores; a fused or BM25 score is no model's: None."""
        if side == "vector" and self.comparison.order != "vector":
            return None
        baseline = self.baselines["reranker" if side == "reranked" else "embedder"]
        return baseline.median if baseline else None

    def judged(self, judgment: Judgment) -> Replay:
        """Return the replay with one judgment more."""
        return replace(self, judgments=(*self.judgments, judgment))

    def without_last(self) -> Replay:
        """Return the replay without its last judgment."""
        return replace(self, judgments=self.judgments[:-1])

    def is_of(self, doc_id: str, parts: Sequence[Document]) -> bool:
        """Say whether a document, or a collection of these, was asked: by its id, or by the candidates' words."""
        texts = [{page.number: page.text for page in part.pages} for part in parts]
        return doc_id == self.source.id or all(
            any(text.get(chunk.page, "")[chunk.start : chunk.end] == chunk.text for text in texts)
            for chunk in self.comparison.before.chunks
        )


def record(
    comparison: Comparison,
    document: Document,
    parts: Sequence[Document],
    self_test: SelfTest,
    baselines: Mapping[str, Baseline | None],
) -> Replay:
    """Gather what was measured of this comparison, now; ``parts`` are the members of a collection, or the document.

    ``brought_up`` adds what was answered and judged.
    """
    return Replay(
        comparison,
        Source(document.id, document.title, document.language, sum(len(part.pages) for part in parts)),
        datetime.now(UTC).isoformat(timespec="seconds"),
        versions(),
        {role: weights(role, getattr(comparison.settings, role)) for role in MODELS},
        self_test,
        baselines,
    )


def brought_up(
    replay: Replay, parts: Sequence[Document], answers: Mapping[str, Answer], judgments: Iterable[Judgment]
) -> Replay:
    """Return the replay with these answers and judgments; judgments of other questions are left out."""
    asked = [judgment for judgment in judgments if judgment.question == replay.comparison.query]
    return replace(replay, answers=answers, judgments=tuple(judge.settle(asked, parts)))


@lru_cache
def versions() -> Mapping[str, str]:
    """Return the versions of the app, of Python, and of those libraries that make a result and are installed."""
    return {
        "app": __version__,
        "python": platform.python_version(),
        **{name: found for name in LIBRARIES if (found := _version(name))},
    }


def _version(library: str) -> str | None:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return None


def weights(role: str, model_id: str) -> str:
    """Name a model's weights without naming a folder of this machine: a bundled model with its file's hash."""
    line = catalog.find(catalog.EMBEDDERS if role == "embedder" else catalog.RERANKERS, model_id)
    return bundled_id(line) if line.kind == "onnx" else public_name(hub.weights_id(line.id))


def public_name(model_id: str) -> str:
    """Return a model's name without the folders that lead to it."""
    # os.path.isdir is False for an endless name, where Path.is_dir raises.
    return Path(model_id).name if os.path.isabs(model_id) or os.path.isdir(model_id) else model_id


def public(replay: Replay) -> Replay:
    """Return a replay for others: a model of this machine is called by its folder's name alone."""
    how = replay.comparison.settings
    named = replace(how, embedder=public_name(how.embedder), reranker=public_name(how.reranker))
    return replace(
        replay,
        comparison=replace(replay.comparison, settings=named),
        self_test=replace(replay.self_test, model=public_name(replay.self_test.model)),
    )


def text_hash(text: str) -> str:
    """Return the SHA-256 of a text in UTF-8, in hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()
