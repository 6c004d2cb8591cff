"""From the checked rows of a replay file to the comparison they tell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from rag_core.comparing import orders
from rag_core.datatypes import (
    Answer,
    Chunk,
    ChunkSettings,
    Comparison,
    Expansion,
    FirstStage,
    Found,
    Hit,
    Judgment,
    Kept,
    Part,
    Ranking,
    Settings,
    Span,
)
from rag_core.models.baseline import Baseline
from rag_core.models.selftest import SelfTest
from rag_core.sharing import agreement
from rag_core.sharing.replay import Replay, Source

if TYPE_CHECKING:
    from rag_core.sharing import schema


def restored(file: schema.File) -> Replay:
    """Return the replay that a file holds.

    Raises:
        ReplayAltered, ReplayInvalid: the file does not agree with itself.
    """
    agreement.check_rows(file)
    comparison = _comparison(file)
    agreement.check_searches(comparison)
    agreement.check_answers(file)
    chunks = {chunk.id: chunk for chunk in comparison.before.chunks}
    return Replay(
        comparison,
        Source(**dict(file.document)),
        file.made,
        file.versions,
        dict(file.weights),
        _self_test(file.self_test),
        {role: scores and Baseline((), tuple(scores)) for role, scores in file.baselines},
        {side: _answer(answer, chunks) for side, answer in file.answers.items()},
        tuple(_judgment(judgment, comparison) for judgment in file.judgments),
    )


def _comparison(file: schema.File) -> Comparison:
    settings, rows = _settings(file.settings), file.candidates
    expansions = tuple(Expansion(**dict(expansion)) for expansion in file.expansions)
    queries = [(file.question, "question"), *((expansion.text, expansion.origin) for expansion in expansions)]
    chunks = [_chunk(row) for row in rows]
    first = [(row.vector.rank, Hit(chunk, row.vector.score)) for row, chunk in zip(rows, chunks, strict=True)]
    second = [(row.reranked.rank, _reranked(row.reranked, chunk)) for row, chunk in zip(rows, chunks, strict=True)]
    comparison = Comparison(
        doc_id=file.document.id,
        query=file.question,
        expansions=expansions,
        settings=settings,
        before=_ranking("vector", file.question, first),
        reranked=_ranking("reranked", file.question, second),
        moves=(),
        ledger={row.id: tuple(_found(search, *queries[search.query]) for search in row.found) for row in rows},
        scale=file.scale,
        available=file.available,
        found=file.found,
        timings=file.timings,
        kept=Kept(**dict(file.kept or ())),
    )
    before = replace(comparison.before, name=comparison.order)
    return replace(comparison, before=before, moves=orders.moves(before, comparison.reranked))


def _settings(row: schema.Settings) -> Settings:
    cut, stage = ChunkSettings(**dict(row.chunks)), FirstStage(row.first_stage)
    return Settings(**{**dict(row), "chunks": cut, "first_stage": stage, "within": tuple(row.within)})


def _chunk(row: schema.Candidate) -> Chunk:
    twins = tuple((twin.page, twin.start, twin.end) for twin in row.twins)
    return Chunk(row.id, row.document, row.text, row.page, row.start, row.end, row.title, twins, row.head)


def _reranked(row: schema.After, chunk: Chunk) -> Hit:
    return Hit(chunk, row.score, Part(**dict(row.part)) if row.part else None)


def _ranking(name: str, query: str, ranked: Iterable[tuple[int, Hit]]) -> Ranking:
    """Put the candidates where their ranks say."""
    hits = dict(ranked)
    return Ranking(name, query, tuple(hits[rank] for rank in sorted(hits)))


def _found(row: schema.Found, query: str, origin: str) -> Found:
    return Found(query, origin, row.rank, row.score, row.source)


def _self_test(row: schema.SelfTest) -> SelfTest:
    return SelfTest(**{**dict(row), "right": dict(row.right), "long": dict(row.long or ())})


def _answer(row: schema.Answer, chunks: Mapping[str, Chunk]) -> Answer:
    return Answer(row.text, tuple(row.cited), row.source, tuple(chunks[chunk_id] for chunk_id in row.chunks))


def _judgment(row: schema.Judgment, comparison: Comparison) -> Judgment:
    span = Span(row.page, row.start, row.quote, row.document or comparison.doc_id)
    return Judgment(comparison.query, span, row.grade, row.judge)
