"""What the values of a replay file must have to do with each other, once each fits by itself."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from rag_core.datatypes import Comparison
from rag_core.errors import ReplayAltered
from rag_core.search.fuse import RRF_K
from rag_core.sharing.replay import SIDES, text_hash
from rag_core.sharing.rows import wrong

if TYPE_CHECKING:
    from rag_core.sharing.schema import Candidate, File, Part


def check_rows(file: File) -> None:
    """Check that texts, places, ranks and numbers of queries are possible with each other.

    Raises:
        ReplayAltered: a text is not the one that was saved, or an order does not fall.
        ReplayInvalid: a number is beyond what the rest of the file allows.
    """
    rows = file.candidates
    for place, row in _placed(rows):
        _check_text(place, row)
    if len({row.id for row in rows}) < len(rows):
        raise ReplayAltered("two candidates have the same id: ask for the file again", place="candidates")
    for side in SIDES:
        _check_order(side, rows)
    for place, row in _placed(rows):
        for number, search in enumerate(row.found):
            _check_between(f"{place}.found[{number}].query", search.query, 0, len(file.expansions))
    _check_between("found", file.found, len(rows), file.available)
    _check_kept(file)


def _check_kept(file: File) -> None:
    """Check that what had been scored before is a part of all that was, in pairs and in seconds."""
    if file.kept:
        pairs = sum(row.reranked.part.of if row.reranked.part else 1 for row in file.candidates)
        _check_between("kept.pairs", file.kept.pairs, 1, pairs)
        if file.kept.seconds > file.timings["rerank"]:
            raise wrong("kept.seconds", "should be at most timings.rerank", file.kept.seconds)


def _placed(rows: Sequence[Candidate]) -> Iterator[tuple[str, Candidate]]:
    return ((f"candidates[{number}]", row) for number, row in enumerate(rows))


def _check_text(place: str, row: Candidate) -> None:
    if row.sha256 != text_hash(row.text):
        raise ReplayAltered(f"{place}: the text is not the one that was saved: ask for the file again", place=place)
    _check_between(f"{place}.end", row.end, row.start + len(row.text), row.start + len(row.text))
    shortest = len("".join(row.text.split()))
    for number, twin in enumerate(row.twins):
        if twin.end < twin.start + shortest:
            raise wrong(f"{place}.twins[{number}].end", f"should be {twin.start + shortest} or more", twin.end)


def _check_order(side: str, rows: Sequence[Candidate]) -> None:
    """Check that the ranks run from 1 without a gap, and that the scores fall with them."""
    for place, row in _placed(rows):
        _check_between(f"{place}.{side}.rank", getattr(row, side).rank, 1, len(rows))
    for place, row in _placed(rows):
        if side == "reranked" and row.reranked.part:
            _check_part(f"{place}.reranked.part", row.reranked.part, len(row.text))
    scores = {getattr(row, side).rank: getattr(row, side).score for row in rows}
    if len(scores) < len(rows) or not _falling(scores):
        raise _contradiction(side)


def _check_part(place: str, part: Part, length: int) -> None:
    _check_between(f"{place}.start", part.start, 0, length - 1)
    _check_between(f"{place}.end", part.end, part.start + 1, length)
    _check_between(f"{place}.of", part.of, 1, length)


def _check_between(place: str, value: int, lowest: int, highest: int) -> None:
    if not lowest <= value <= highest:
        raise wrong(place, f"should be a whole number from {lowest} to {highest}", value)


def _falling(scores: dict[int, float]) -> bool:
    """Say whether scores, by rank, never rise."""
    in_order = [scores[rank] for rank in sorted(scores)]
    return in_order == sorted(in_order, reverse=True)


def _contradiction(place: str) -> ReplayAltered:
    return ReplayAltered(f"{place}: ranks and scores contradict each other: ask for the file again", place=place)


def check_searches(comparison: Comparison) -> None:
    """Check that the searches agree with themselves and with the first order.

    Raises:
        ReplayAltered: they do not.
    """
    for place, agrees in _agreements(comparison):
        if not agrees:
            raise _contradiction(place)


def _agreements(comparison: Comparison) -> Iterable[tuple[str, bool]]:
    """Yield each place where the ledger must agree, and whether it does."""
    searches: dict[tuple[str, str], dict[int, tuple[float, str]]] = {}
    for chunk_id, entries in comparison.ledger.items():
        for entry in entries:
            hits = searches.setdefault((entry.query, entry.source), {})
            scored = (entry.score, chunk_id)
            yield f"found: {chunk_id}", hits.setdefault(entry.rank, scored) == scored
    for hits in searches.values():
        yield "found", _falling({rank: score for rank, (score, _) in hits.items()})
    for rank, hit in enumerate(comparison.before.hits, start=1):
        entries = comparison.ledger[hit.chunk.id]
        fused = math.isclose(hit.score, sum(1 / (RRF_K + entry.rank) for entry in entries), rel_tol=1e-6)
        alone = [(entry.rank, entry.score, entry.source) for entry in entries]
        agrees = fused if comparison.fused else alone == [(rank, hit.score, comparison.order)]
        yield f"vector: {hit.chunk.id}", agrees


def check_answers(file: File) -> None:
    """Check that answers were given candidates, and cite what they were given.

    Raises:
        ReplayInvalid: one names or cites something else.
    """
    ids = {row.id for row in file.candidates}
    for side, answer in file.answers.items():
        for number, chunk_id in enumerate(answer.chunks):
            if chunk_id not in ids:
                raise wrong(f"answers.{side}.chunks[{number}]", "should be the id of a candidate", chunk_id)
        for number, source in enumerate(answer.cited):
            _check_between(f"answers.{side}.cited[{number}]", source, 1, len(answer.chunks))
