"""A finished comparison as one file that opens anywhere, without models, keys or the document: ``docs/replay.md``.

What is read was written by anybody: nothing of it is believed before its kind, its limits, and its agreement with the
rest were checked.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from importlib import metadata
from pathlib import Path

from rag_core import __version__
from rag_core.comparing import orders
from rag_core.datatypes import (
    Answer,
    Chunk,
    ChunkSettings,
    Comparison,
    Document,
    Expansion,
    FirstStage,
    Found,
    Hit,
    Judgment,
    Move,
    Part,
    Ranking,
    Settings,
    Span,
)
from rag_core.errors import NotAReplay, ReplayAltered, ReplayDamaged, ReplayTooLarge, ReplayTooNew
from rag_core.measuring import judge
from rag_core.measuring.judge import GRADES
from rag_core.models import catalog, hub
from rag_core.models.baseline import Baseline
from rag_core.models.selftest import CASES, SelfTest
from rag_core.reading.chunk import PRESETS
from rag_core.reading.pdf import MAX_PAGES
from rag_core.search.expand import LONGEST_EXPANSION, MOST_EXPANSIONS
from rag_core.search.fuse import RRF_K, SOURCES
from rag_core.settings import CUTOFFS, DEPTHS, FIRST_STAGES, MAX_QUERY
from rag_core.sharing.fields import Field, load

FORMAT, VERSION = "rerank-lab-replay", 1
MAX_BYTES = 20 * 1024 * 1024
MOST_VALUES = 1_000_000
"""So many values at most: twenty megabytes of empty lists would take half a gigabyte of memory."""

ORIGINS = ("typed", "llm", "feedback")
STEPS = ("parse", "embed", "question", "search", "bm25", "wait", "rerank")
SIDES = ("vector", "reranked")
SCALES = ("logit", "sigmoid", "relevance", "unknown")
MODELS = ("embedder", "reranker")
LIBRARIES = ("onnxruntime", "tokenizers", "sentence-transformers", "chromadb", "bm25s", "pypdf", "numpy")

MOST_QUERIES = 2 * MOST_EXPANSIONS
MOST_CANDIDATES = 2 * DEPTHS[1] * (1 + MOST_QUERIES)
MOST_JUDGMENTS, MOST_MEMBERS = 10_000, 10_000
MOST_CITED = 1000
LONGEST_QUERY = MAX_QUERY + LONGEST_EXPANSION
LONGEST_NAME, LONGEST_TEXT = 300, 200_000
LONGEST_DOCUMENT = 10**9
"""In chunks or characters: nothing real comes near it."""


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
        return judge.carry(settled, self.comparison.vector.chunks).qrels.get(self.comparison.query, {})

    def unrelated(self, side: str) -> float | None:
        """Return where unrelated texts stand among a side's scores; a fused or BM25 score is no model's: None."""
        if side == "vector" and self.comparison.order != "vector":
            return None
        found = self.baselines["reranker" if side == "reranked" else "embedder"]
        return found and found.median

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
            for chunk in self.comparison.vector.chunks
        )


def record(
    comparison: Comparison,
    document: Document,
    parts: Sequence[Document],
    self_test: SelfTest,
    baselines: Mapping[str, Baseline | None],
    answers: Mapping[str, Answer],
    judgments: Iterable[Judgment],
) -> Replay:
    """Gather what a file of this comparison holds, which was made now; ``parts`` are those of a collection, or it."""
    made = Replay(
        comparison,
        Source(document.id, document.title, document.language, sum(len(part.pages) for part in parts)),
        datetime.now(UTC).isoformat(timespec="seconds"),
        versions(),
        {role: weights(role, getattr(comparison.settings, role)) for role in MODELS},
        self_test,
        baselines,
    )
    return brought_up(made, parts, answers, judgments)


def brought_up(
    replay: Replay, parts: Sequence[Document], answers: Mapping[str, Answer], judgments: Iterable[Judgment]
) -> Replay:
    """Return the replay with these answers and judgments; judgments of other questions are left out."""
    asked = [one for one in judgments if one.question == replay.comparison.query]
    return replace(replay, answers=answers, judgments=tuple(judge.settle(asked, parts)))


@lru_cache
def versions() -> Mapping[str, str]:
    """Return the versions of the app, of Python, and of the libraries that make a result."""
    return {
        "app": __version__,
        "python": platform.python_version(),
        **{library: metadata.version(library) for library in LIBRARIES},
    }


def weights(role: str, model_id: str) -> str:
    """Name a model's weights without naming a folder of this machine: a bundled model with its file's hash."""
    line = catalog.find(catalog.EMBEDDERS if role == "embedder" else catalog.RERANKERS, model_id)
    return f"{line.id}#{_digest(line.folder)}" if line.kind == "onnx" else public_name(hub.weights_id(line.id))


@lru_cache
def _digest(folder: Path) -> str:
    files = sorted(folder.rglob("*.onnx"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]


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
        "self_test": _tested(replay.self_test),
        "baselines": {role: _scores(replay.baselines[role]) for role in MODELS},
        "answers": {side: _answer(found) for side, found in replay.answers.items()},
    }
    lists = {
        "judgments": [_judged(one) for one in replay.judgments],
        "candidates": [_candidate(comparison, move) for move in sorted(comparison.moves, key=lambda one: one.before)],
    }
    lines = [f"{_json(name)}: {_json(value)}" for name, value in head.items()]
    lines += [f"{_json(name)}: [\n{_lines(rows)}\n]" for name, rows in lists.items()]
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode()


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _lines(rows: Sequence[object]) -> str:
    return ",\n".join(map(_json, rows))


def _scores(found: Baseline | None) -> list[float] | None:
    return found and list(found.scores)


def _answer(found: Answer) -> dict[str, object]:
    return {"text": found.text, "source": found.source, "cited": found.cited, "chunks": [c.id for c in found.chunks]}


def _tested(test: SelfTest) -> dict[str, object]:
    """Return the self-test's fields; that of long texts only where it was made, which was not always so."""
    told = {**asdict(test), "right": dict(test.right), "long": dict(test.long)}
    return {name: value for name, value in told.items() if name != "long" or value}


def _judged(one: Judgment) -> dict[str, object]:
    place = {"document": one.span.doc_id, "page": one.span.page, "start": one.span.start, "quote": one.span.quote}
    return {**place, "grade": one.grade, "judge": one.judge}


def _candidate(comparison: Comparison, move: Move) -> dict[str, object]:
    queries = [comparison.query, *(expansion.text for expansion in comparison.expansions)]
    chunk = move.chunk
    return {
        "id": chunk.id,
        "document": chunk.doc_id,
        "title": chunk.title,
        "page": chunk.page,
        "start": chunk.start,
        "end": chunk.end,
        "text": chunk.text,
        "sha256": _hash(chunk.text),
        "vector": {"rank": move.before, "score": move.before_score},
        "reranked": {
            "rank": move.after,
            "score": move.after_score,
            **({"part": asdict(move.part)} if move.part else {}),
        },
        "found": [
            {"query": queries.index(one.query), "source": one.source, "rank": one.rank, "score": one.score}
            for one in comparison.ledger[chunk.id]
        ],
    }


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def read(data: bytes) -> Replay:
    """Read a file that ``write`` made, here or elsewhere.

    Raises:
        ReplayError: it is another kind of file, too large, cut off, of a newer version, or does not agree with itself.
    """
    if len(data) > MAX_BYTES or sum(map(data.count, (b",", b"[", b"{"))) > MOST_VALUES:
        megabytes, limit = len(data) / 2**20, MAX_BYTES // 2**20
        raise ReplayTooLarge(f"{megabytes:.1f} MB, more than a replay can hold ({limit} MB, {MOST_VALUES} values): "
                             "compare with less depth", size=f"{megabytes:.1f}", limit=limit)  # fmt: skip
    top = _opened(data)
    version = top["version"].whole(1, LONGEST_DOCUMENT)
    if version > VERSION:
        raise ReplayTooNew(f"made in format {version}, newer than {VERSION}, the newest known here: update the app",
                           version=version, known=VERSION)  # fmt: skip
    return _replay(top)


def _opened(data: bytes) -> Field:
    try:
        top = load(data)
    except ValueError as error:
        if FORMAT.encode() in data[:200]:
            raise ReplayDamaged(f"the file is cut off or damaged ({error}): ask for it again") from error
        raise _not_a_replay() from error
    if not isinstance(top.value, dict) or top.value.get("format") != FORMAT:
        raise _not_a_replay()
    return top


def _not_a_replay() -> NotAReplay:
    return NotAReplay("the file holds no comparison: choose one that was saved as a replay file")


def _replay(top: Field) -> Replay:
    comparison = _comparison(top)
    return Replay(
        comparison,
        _source(top["document"]),
        _time(top["made"]),
        {name: version.text(LONGEST_NAME) for name, version in top["versions"].entries(50).items()},
        {role: top["weights"][role].text(LONGEST_NAME) for role in MODELS},
        _self_test(top["self_test"]),
        {role: _baseline(top["baselines"][role]) for role in MODELS},
        _answers(top["answers"], {chunk.id: chunk for chunk in comparison.vector.chunks}),
        tuple(_judgment(one, comparison) for one in top["judgments"].each(MOST_JUDGMENTS)),
    )


def _source(one: Field) -> Source:
    return Source(
        one["id"].text(LONGEST_NAME, 1),
        one["title"].text(LONGEST_NAME),
        one["language"].choice(tuple(CASES)),
        one["pages"].whole(0, LONGEST_DOCUMENT),
    )


def _time(one: Field) -> str:
    try:
        return datetime.fromisoformat(one.text(40)).astimezone(UTC).isoformat(timespec="seconds")
    except (ValueError, OverflowError) as error:
        raise one.wrong("a time") from error


def _self_test(one: Field) -> SelfTest:
    return SelfTest(
        one["model"].text(LONGEST_NAME),
        one["scale"].choice(SCALES),
        {language: one["right"][language].whole(0, len(cases)) for language, cases in CASES.items()},
        one["lowest"].real(),
        one["highest"].real(),
        one["milliseconds"].real(0),
        {language: one["long"][language].flag() for language in CASES} if "long" in one else {},
    )


def _baseline(one: Field) -> Baseline | None:
    return None if one.value is None else Baseline((), tuple(score.real() for score in one.each(100, 1)))


def _answers(one: Field, chunks: Mapping[str, Chunk]) -> dict[str, Answer]:
    found = one.entries(len(SIDES))
    if found and set(found) != set(SIDES):
        raise one.wrong(f"answers for {' and '.join(SIDES)}")
    return {side: _read_answer(found[side], chunks) for side in SIDES if found}


def _read_answer(one: Field, chunks: Mapping[str, Chunk]) -> Answer:
    given = tuple(chunks[name.choice(chunks)] for name in one["chunks"].each(CUTOFFS[1]))
    cited = tuple(number.whole(1, len(given)) for number in one["cited"].each(MOST_CITED))
    return Answer(one["text"].text(LONGEST_TEXT), cited, one["source"].text(LONGEST_NAME), given)


def _judgment(one: Field, comparison: Comparison) -> Judgment:
    named = one["document"].text(LONGEST_NAME) if "document" in one else ""
    span = Span(one["page"].whole(1, MAX_PAGES), one["start"].whole(0, LONGEST_DOCUMENT),
                one["quote"].text(LONGEST_TEXT, 1), named or comparison.doc_id)  # fmt: skip
    return Judgment(comparison.query, span, one["grade"].whole(GRADES[0], GRADES[-1]), one["judge"].text(LONGEST_NAME))


def _comparison(top: Field) -> Comparison:
    how, query = _settings(top["settings"]), top["question"].text(MAX_QUERY, 1)
    expansions = tuple(
        Expansion(one["text"].text(LONGEST_QUERY, 1), one["origin"].choice(ORIGINS))
        for one in top["expansions"].each(MOST_QUERIES)
    )
    rows = top["candidates"].each(MOST_CANDIDATES, 1)
    chunks = [_chunk(one) for one in rows]
    if len({chunk.id for chunk in chunks}) < len(chunks):
        raise ReplayAltered("two candidates have the same id: ask for the file again", place="candidates")
    comparison = Comparison(
        doc_id=top["document"]["id"].text(LONGEST_NAME, 1),
        query=query,
        expansions=expansions,
        settings=how,
        vector=_ranking("vector", query, chunks, rows),
        reranked=_ranking("reranked", query, chunks, rows),
        moves=(),
        ledger={
            chunk.id: tuple(_found(entry, query, expansions) for entry in one["found"].each(2 + 2 * MOST_QUERIES, 1))
            for chunk, one in zip(chunks, rows, strict=True)
        },
        scale=top["scale"].choice(SCALES),
        available=top["available"].whole(len(chunks), LONGEST_DOCUMENT),
        found=top["found"].whole(len(chunks), top["available"].whole(len(chunks), LONGEST_DOCUMENT)),
        timings=_timings(top["timings"]),
    )
    for place, agrees in _agreements(comparison):
        if not agrees:
            raise ReplayAltered(f"{place}: ranks and scores contradict each other: ask for the file again",
                                place=place)  # fmt: skip
    named = replace(comparison.vector, name=comparison.order)
    return replace(comparison, vector=named, moves=orders.moves(named, comparison.reranked))


def _settings(one: Field) -> Settings:
    chunks = one["chunks"]
    return Settings(
        one["embedder"].text(LONGEST_NAME, 1),
        one["reranker"].text(LONGEST_NAME, 1),
        ChunkSettings(
            chunks["preset"].choice(PRESETS), chunks["size"].whole(0, 10**6), chunks["overlap"].whole(0, 10**6)
        ),
        one["depth"].whole(*DEPTHS),
        one["cutoff"].whole(*CUTOFFS),
        one["adaptive"].flag(),
        FirstStage(one["first_stage"].choice(FIRST_STAGES)),
        tuple(name.text(LONGEST_NAME, 1) for name in one["within"].each(MOST_MEMBERS)) if "within" in one else (),
    )


def _timings(one: Field) -> dict[str, float]:
    found = {name: seconds.real(0) for name, seconds in one.entries(len(STEPS)).items()}
    if not set(found) <= set(STEPS) or not found.get("rerank"):
        raise one.wrong(f"seconds of {', '.join(STEPS)}, the last of them above zero")
    return found


def _chunk(one: Field) -> Chunk:
    text, start = one["text"].text(LONGEST_TEXT, 1), one["start"].whole(0, LONGEST_DOCUMENT)
    if one["sha256"].text(LONGEST_NAME) != _hash(text):
        raise ReplayAltered(f"{one.place}: the text is not the one that was saved: ask for the file again",
                            place=one.place)  # fmt: skip
    end = one["end"].whole(start + len(text), start + len(text))
    names = [one[name].text(LONGEST_NAME, 1) for name in ("id", "document")]
    title = one["title"].text(LONGEST_NAME) if "title" in one else ""
    return Chunk(*names, text, one["page"].whole(1, MAX_PAGES), start, end, title)


def _ranking(side: str, query: str, chunks: Sequence[Chunk], rows: Sequence[Field]) -> Ranking:
    """Put the candidates where their ranks say; the scores must fall with them."""
    ranks = [one[side]["rank"].whole(1, len(rows)) for one in rows]
    hits = {rank: _hit(chunk, one[side]) for rank, chunk, one in zip(ranks, chunks, rows, strict=True)}
    ranking = Ranking(side, query, tuple(hits[rank] for rank in sorted(hits)))
    if len(ranking) < len(rows) or not _falling([hit.score for hit in ranking.hits]):
        raise ReplayAltered(f"{side}: ranks and scores contradict each other: ask for the file again", place=side)
    return ranking


def _hit(chunk: Chunk, one: Field) -> Hit:
    return Hit(chunk, one["score"].real(), _part(one["part"], chunk) if "part" in one else None)


def _part(one: Field, chunk: Chunk) -> Part:
    start = one["start"].whole(0, len(chunk.text) - 1)
    return Part(start, one["end"].whole(start + 1, len(chunk.text)), one["of"].whole(1, len(chunk.text)))


def _falling(scores: Sequence[float]) -> bool:
    return list(scores) == sorted(scores, reverse=True)


def _found(one: Field, query: str, expansions: Sequence[Expansion]) -> Found:
    queries = [(query, "question"), *((expansion.text, expansion.origin) for expansion in expansions)]
    text, origin = queries[one["query"].whole(0, len(expansions))]
    return Found(
        text, origin, one["rank"].whole(1, MOST_CANDIDATES), one["score"].real(), one["source"].choice(SOURCES)
    )


def _agreements(comparison: Comparison) -> Iterable[tuple[str, bool]]:
    """Yield each place where the ledger must agree with itself and with the first order, and whether it does."""
    searches: dict[tuple[str, str], dict[int, tuple[float, str]]] = {}
    for chunk_id, entries in comparison.ledger.items():
        for one in entries:
            hits = searches.setdefault((one.query, one.source), {})
            yield f"found: {chunk_id}", hits.setdefault(one.rank, (one.score, chunk_id)) == (one.score, chunk_id)
    for hits in searches.values():
        yield "found", _falling([hits[rank][0] for rank in sorted(hits)])
    for rank, hit in enumerate(comparison.vector.hits, start=1):
        entries = comparison.ledger[hit.chunk.id]
        fused = math.isclose(hit.score, sum(1 / (RRF_K + one.rank) for one in entries), rel_tol=1e-6)
        alone = [(one.rank, one.score, one.source) for one in entries]
        agrees = fused if comparison.fused else alone == [(rank, hit.score, comparison.order)]
        yield f"vector: {hit.chunk.id}", agrees
