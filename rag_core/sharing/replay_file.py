"""The replay file as bytes: ``docs/replay.md`` tells what stands in it.

What is read was written by anybody: nothing of it is believed before its kind, its limits, and its agreement with the
rest were checked.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from rag_core.datatypes import Answer, Comparison, Judgment, Move
from rag_core.errors import NotAReplay, ReplayDamaged, ReplayTooLarge, ReplayTooNew
from rag_core.models.baseline import Baseline
from rag_core.models.selftest import SelfTest
from rag_core.sharing.replay import MODELS, Replay, text_hash
from rag_core.sharing.strict_json import load

FORMAT, VERSION = "rerank-lab-replay", 1
MAX_BYTES = 20 * 1024 * 1024
MOST_VALUES = 1_000_000
"""So many values at most: twenty megabytes of empty lists would take half a gigabyte of memory."""


def write(replay: Replay) -> bytes:
    """Return the file: UTF-8 JSON with a line for each candidate, so that two files can be compared by eye."""
    comparison = replay.comparison
    head = {
        "format": FORMAT,
        "version": VERSION,
        "made": replay.made,
        "versions": dict(replay.versions),
        "weights": dict(replay.weights),
        "document": asdict(replay.source),
        "question": comparison.query,
        "expansions": [asdict(expansion) for expansion in comparison.expansions],
        "settings": asdict(comparison.settings),
        "scale": comparison.scale,
        "available": comparison.available,
        "found": comparison.found,
        "timings": dict(comparison.timings),
        **({"kept": asdict(comparison.kept)} if comparison.kept.pairs else {}),
        "self_test": _self_test(replay.self_test),
        "baselines": {role: _scores(replay.baselines[role]) for role in MODELS},
        "answers": {side: _answer(answer) for side, answer in replay.answers.items()},
    }
    lists = {
        "judgments": [_judgment(judgment) for judgment in replay.judgments],
        "candidates": [_candidate(comparison, move) for move in sorted(comparison.moves, key=lambda move: move.before)],
    }
    lines = [f"{_json(name)}: {_json(value)}" for name, value in head.items()]
    lines += [f"{_json(name)}: [\n{_lines(rows)}\n]" for name, rows in lists.items()]
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode()


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _lines(rows: Sequence[object]) -> str:
    return ",\n".join(map(_json, rows))


def _scores(baseline: Baseline | None) -> list[float] | None:
    return list(baseline.scores) if baseline else None


def _answer(answer: Answer) -> dict[str, object]:
    given = [chunk.id for chunk in answer.chunks]
    return {"text": answer.text, "source": answer.source, "cited": answer.cited, "chunks": given}


def _self_test(test: SelfTest) -> dict[str, object]:
    """Return the self-test's fields; that of long texts only where it was made, which was not always so."""
    fields = {**asdict(test), "right": dict(test.right), "long": dict(test.long)}
    return {name: value for name, value in fields.items() if name != "long" or value}


def _judgment(judgment: Judgment) -> dict[str, object]:
    span = judgment.span
    place = {"document": span.doc_id, "page": span.page, "start": span.start, "quote": span.quote}
    return {**place, "grade": judgment.grade, "judge": judgment.judge}


def _candidate(comparison: Comparison, move: Move) -> dict[str, object]:
    queries = [comparison.query, *(expansion.text for expansion in comparison.expansions)]
    chunk, part = move.chunk, {"part": asdict(move.part)} if move.part else {}
    twins = [{"page": page, "start": start, "end": end} for page, start, end in chunk.twins]
    return {
        "id": chunk.id,
        "document": chunk.doc_id,
        "title": chunk.title,
        "page": chunk.page,
        "start": chunk.start,
        "end": chunk.end,
        **({"twins": twins} if twins else {}),
        **({"head": chunk.head} if chunk.head else {}),
        "text": chunk.text,
        "sha256": text_hash(chunk.text),
        "vector": {"rank": move.before, "score": move.before_score},
        "reranked": {"rank": move.after, "score": move.after_score, **part},
        "found": [
            {"query": queries.index(search.query), "source": search.source, "rank": search.rank, "score": search.score}
            for search in comparison.ledger[chunk.id]
        ],
    }


def read(data: bytes) -> Replay:
    """Read a file that ``write`` made, here or elsewhere.

    Raises:
        ReplayError: it is another kind of file, too large, cut off, of a newer version, or does not agree with itself.
    """
    # pydantic takes a tenth of a second to import, and only reading needs it.
    from rag_core.sharing.restore import restored
    from rag_core.sharing.rows import checked
    from rag_core.sharing.schema import File, Head

    _refuse_large(data)
    value = _opened(data)
    version = checked(Head, value).version
    if version > VERSION:
        message = f"made in format {version}, newer than {VERSION}, the newest known here: update the app"
        raise ReplayTooNew(message, version=version, known=VERSION)
    return restored(checked(File, value))


def _refuse_large(data: bytes) -> None:
    if len(data) > MAX_BYTES or sum(map(data.count, (b",", b"[", b"{"))) > MOST_VALUES:
        size, limit = f"{len(data) / 2**20:.1f}", MAX_BYTES // 2**20
        most = f"{limit} MB, {MOST_VALUES} values"
        message = f"{size} MB, more than a replay can hold ({most}): compare with less depth"
        raise ReplayTooLarge(message, size=size, limit=limit)


def _opened(data: bytes) -> dict[str, object]:
    try:
        value = load(data)
    except ValueError as error:
        if FORMAT.encode() in data[:200]:
            raise ReplayDamaged(f"the file is cut off or damaged ({error}): ask for it again") from error
        raise _not_a_replay() from error
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        raise _not_a_replay()
    return value


def _not_a_replay() -> NotAReplay:
    return NotAReplay("the file holds no comparison: choose one that was saved as a replay file")
