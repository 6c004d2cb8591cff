"""Make small comparisons by hand: every rank and score is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rag_core.comparing import orders
from rag_core.datatypes import Chunk, Comparison, Expansion, Found, Judgment, Ranking, Settings
from rag_core.measuring import judge
from rag_core.models.baseline import Baseline
from rag_core.models.selftest import SelfTest
from rag_core.sharing.replay import Replay, Source

TIMINGS = {"parse": 0.5, "embed": 2.0, "question": 0.01, "search": 0.02, "rerank": 0.4}


def chunk(number: int, text: str) -> Chunk:
    start = 1000 * (number % 10)
    return Chunk(f"doc-{number}", "doc", text, page=1 + number // 10, start=start, end=start + len(text))


def comparison(
    texts: Sequence[str], after: Sequence[int] | None = None, expansions: Sequence[Expansion] = (), **how: object
) -> Comparison:
    """Give the texts in the old order, and ``after``: their places from 0 in the new one, by default reversed.

    The question found every second chunk, and each expansion all of them.
    """
    chunks = [chunk(number, text) for number, text in enumerate(texts)]
    places = list(after) if after is not None else list(range(len(texts)))[::-1]
    vector = Ranking.from_scores("vector", "question", chunks, [0.9 - 0.004 * n for n in range(len(chunks))])
    reranked = Ranking.from_scores("reranked", "question", chunks, [3.5 - 0.25 * place for place in places])
    ledger = {
        piece.id: tuple(
            Found(query, origin, rank, 0.5)
            for query, origin in [("question", "question"), *((one.text, one.origin) for one in expansions)]
            if origin != "question" or not expansions or rank % 2
        )
        for rank, piece in enumerate(chunks, start=1)
    }
    return Comparison(
        doc_id="doc",
        query="question",
        expansions=tuple(expansions),
        settings=Settings(**how),
        before=vector,
        reranked=reranked,
        moves=orders.moves(vector, reranked),
        ledger=ledger,
        scale="logit",
        available=len(chunks),
        found=len(chunks),
        timings=TIMINGS,
    )


def replay_of(
    made: Comparison, grades: Mapping[str, int] | None = None, baselines: Mapping[str, Baseline] | None = None
) -> Replay:
    """Give a comparison made by hand as a saved result: chunks of these ids are judged, models have these baselines."""
    chunks = {one.id: one for one in made.before.chunks}
    judgments = [Judgment(made.query, judge.span_of(chunks[i]), grade) for i, grade in (grades or {}).items()]
    return Replay(
        made,
        Source("doc", "report.pdf", "en", 3),
        "2026-11-25T08:00:00+00:00",
        {"app": "1.0"},
        {"embedder": "e", "reranker": "r"},
        SelfTest("r", "logit", {"zh": 6, "en": 6}, -9.0, 5.0, 4.0),
        {"embedder": None, "reranker": None, **(baselines or {})},
        judgments=tuple(judgments),
    )
