"""Score question and chunk together with a cross-encoder, and put the candidates in that order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

from rag_core.datatypes import Part, Progress, Ranking, Scored
from rag_core.errors import ModelUnusable
from rag_core.models import catalog, hub, parts
from rag_core.models.onnx_model import OnnxModel
from rag_core.models.parts import Pair
from rag_core.models.tokens import MOST, encoding
from rag_core.servers.rerank import RemoteReranker, RerankServer
from rag_core.settings import PATIENCE, environment

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder
    from tokenizers import Encoding

PAIRS_PER_PASS = 16
STEP = 10  # adaptive depth looks up so often


class Reranker(Protocol):
    """What a cross-encoder does. ``scale`` names the unit of its scores, ``logit`` or one of ``servers.rerank.FORMS``.

    ``weights`` names the weights themselves: under it scores are kept.
    """

    id: str
    scale: str
    weights: str

    def score(self, query: str, texts: Sequence[str], progress: Progress | None = None) -> np.ndarray:
        """Return float of shape (texts,): higher answers the question better."""
        ...

    def score_parts(self, query: str, texts: Sequence[str], progress: Progress | None = None) -> Scored:
        """Return the same scores, and of each text that was scored by its best part, which part that is."""
        ...


def first_logit(logits: np.ndarray, _mask: np.ndarray) -> np.ndarray:
    """Return the score of each pair: the only column of its logits, (pairs, 1)."""
    return logits[:, 0]


class OnnxReranker:
    """The bundled cross-encoder, on onnxruntime."""

    scale = "logit"

    def __init__(self, line: catalog.Line) -> None:
        self.id, self.folder, self.model = line.id, line.folder, OnnxModel(line.folder)
        self.limit = line.pair_tokens or MOST
        self.weights = bundled_weights(line)

    def score(self, query: str, texts: Sequence[str], progress: Progress | None = None) -> np.ndarray:
        """Return the scores of ``score_parts`` alone."""
        return self.score_parts(query, texts, progress).scores

    def score_parts(self, query: str, texts: Sequence[str], progress: Progress | None = None) -> Scored:
        """Score each text by its best part, see ``models.parts``."""
        return self.best_parts([(query, text) for text in texts], progress)

    def best_parts(self, pairs: Sequence[Pair], progress: Progress | None = None) -> Scored:
        """Score pairs of several questions, each by the best part of its text."""
        return parts.best(pairs, self.limit, self.encode, self.score_pairs, progress)

    def count_tokens(self, pairs: Sequence[Pair]) -> list[int]:
        """Count the tokens that ``best_parts`` reads of each pair."""
        return parts.count_tokens(pairs, self.limit, self.encode, self.model.count_tokens)

    def score_pairs(self, pairs: Sequence[Pair], progress: Progress | None = None) -> np.ndarray:
        """Score each pair in one run; what is beyond the model's limit is cut off."""
        return self.model.run(pairs, first_logit, progress)

    def encode(self, pairs: Sequence[Pair]) -> Sequence[Encoding]:
        """Return the tokens of each pair, none cut off, and where they stand."""
        return encoding(self.folder)(pairs)


class CrossEncoderReranker:
    """Any one-score cross-encoder that sentence-transformers loads.

    Models disagree on their default activation, so none is applied: scores are logits for every model. A causal one
    gives the logit of its word for yes less that of its word for no, and is asked in the words that its own repository
    holds: its chat template, with its default prompt.
    """

    scale = "logit"

    def __init__(self, line: catalog.Line) -> None:
        self.id, self.line = line.id, line
        self.model = hub.load(line.id, self._build)
        self.beside = hub.template_tokens(self.model)
        self.limit = line.pair_tokens or hub.limit(self.model) - self.beside
        self.weights = named(hub.weights_id(line.id), self.limit)
        if self.model.num_labels != 1:
            raise ModelUnusable(
                f"{line.id!r} gives {self.model.num_labels} scores a pair; a reranker gives one: choose another",
                model=line.id,
                reason=f"num_labels = {self.model.num_labels}",
            )

    def _build(self, local_files_only: bool) -> CrossEncoder:
        from sentence_transformers import CrossEncoder
        from torch.nn import Identity

        model = CrossEncoder(
            self.line.id,
            device="cpu",
            local_files_only=local_files_only,
            model_kwargs=hub.PRECISE,
            activation_fn=Identity(),
        )
        hub.template_tokens(model)  # raises where a chat model's template has no place for question and text
        return model

    def score(self, query: str, texts: Sequence[str], progress: Progress | None = None) -> np.ndarray:
        """Return the scores of ``score_parts`` alone."""
        return self.score_parts(query, texts, progress).scores

    def score_parts(self, query: str, texts: Sequence[str], progress: Progress | None = None) -> Scored:
        """Score each text by its best part, see ``models.parts``."""
        return self.best_parts([(query, text) for text in texts], progress)

    def best_parts(self, pairs: Sequence[Pair], progress: Progress | None = None) -> Scored:
        """Score pairs of several questions, each by the best part of its text."""
        return parts.best(pairs, self.limit, self.encode, self.score_pairs, progress)

    def count_tokens(self, pairs: Sequence[Pair]) -> list[int]:
        """Count the tokens that ``best_parts`` reads of each pair."""
        return parts.count_tokens(pairs, self.limit, self.encode, self._tokens)

    def encode(self, pairs: Sequence[Pair]) -> Sequence[Encoding]:
        """Return the tokens of each pair, none cut off, and where they stand."""
        return hub.encode(self.model, pairs)

    def score_pairs(self, pairs: Sequence[Pair], progress: Progress | None = None) -> np.ndarray:
        """Score each pair in one run; what is beyond the model's limit is cut off."""
        # Longest first, so that the texts of one pass are alike in length and little is padded.
        order = sorted(range(len(pairs)), key=lambda i: -len(pairs[i][1]))
        scores = np.empty(len(pairs), np.float32)
        for start in range(0, len(order), PAIRS_PER_PASS):
            part = order[start : start + PAIRS_PER_PASS]
            scores[part] = self.model.predict([pairs[i] for i in part], show_progress_bar=False)
            if progress:
                progress(start + len(part), len(order))
        return scores

    def _tokens(self, pairs: Sequence[Pair]) -> list[int]:
        counts = hub.count_tokens(self.model, *zip(*pairs, strict=True))
        return [min(self.beside + count, hub.limit(self.model)) for count in counts]


def bundled_weights(line: catalog.Line) -> str:
    """Name a bundled model's weights without loading them."""
    return named(hub.weights_id(str(line.folder)), line.pair_tokens or MOST)


def named(weights: str, limit: int) -> str:
    """Name the weights together with the length from which parts are scored: both decide a score."""
    return f"{weights}#parts-{limit}"


def load_reranker(model_id: str, typed: RerankServer | None = None) -> Reranker:
    """Load a cross-encoder of the catalogue, of a local folder, or of the Hugging Face hub, or point at a server.

    ``typed`` is a server that a reader typed in.

    Raises:
        ModelError: it cannot be found, reached or used.
        ServerError: it is a server's, and there is no server, or no key for it.
    """
    line = catalog.find(catalog.RERANKERS, model_id)
    if line.kind == "server":
        return RemoteReranker(line.id, server_of(line, typed))
    return OnnxReranker(line) if line.kind == "onnx" else CrossEncoderReranker(line)


def server_of(line: catalog.Line, typed: RerankServer | None = None) -> RerankServer:
    """Return where a reranker on a server is asked: as its line says, else as was typed or set.

    Raises:
        BadSetting: see ``settings.environment``.
    """
    if not line.address:
        return RerankServer.from_environment(typed)
    key = environment().values().get(line.key_name, "")
    return RerankServer(line.address, line.form, line.id, key, key_name=line.key_name)


def settled(scores: np.ndarray, k: int) -> bool:
    """Say whether the last ``PATIENCE`` of these scores, which are in candidate order, brought nothing into the top k.

    This is the rule of adaptive depth. It is a guess, not a bound: a later candidate may still be the best.
    """
    before, last = scores[:-PATIENCE], scores[-PATIENCE:]
    return len(before) >= k and float(last.max()) <= float(np.sort(before)[-k])


def rerank(
    query: str, candidates: Ranking, reranker: Reranker, progress: Progress | None = None, settle_at: int | None = None
) -> Ranking:
    """Score the candidates against the original question and sort.

    With ``settle_at`` scoring stops, from the first candidate on, as soon as the top ``settle_at`` is ``settled``; the
    ranking then holds the scored candidates alone.

    Raises:
        ModelUnusable: a score is not a number.
    """
    texts = [chunk.passage for chunk in candidates.chunks]
    step, scores = STEP if settle_at else len(texts) or 1, np.empty(0, np.float32)
    best: list[Part | None] = []
    fresh = 0
    for start in range(0, len(texts), step):
        part = texts[start : start + step]
        counted = _counted(progress, fresh, len(texts) - start - len(part))
        scored = reranker.score_parts(query, part, counted)
        scores, fresh = np.append(scores, scored.scores), fresh + len(part) - scored.kept
        best += scored.parts
        if settle_at and settled(scores, settle_at):
            break
    return Ranking.from_scores("reranked", query, candidates.chunks[: len(scores)], finite(reranker, scores), best)


def _counted(progress: Progress | None, before: int, after: int) -> Progress | None:
    """Return what counts the texts of one step among those scored ``before`` and those that may come ``after``."""
    return progress and (lambda done, of: progress(before + done, before + of + after))


def finite(reranker: Reranker, scores: np.ndarray) -> np.ndarray:
    """Return the scores.

    Raises:
        ModelUnusable: one is not a number.
    """
    if np.isfinite(scores).all():
        return scores
    raise ModelUnusable(
        f"{reranker.id!r} gave a score that is not a number: choose another model", model=reranker.id, reason="NaN"
    )
