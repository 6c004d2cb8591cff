"""Many documents at once: what is there already is skipped, what cannot be read is listed, and the rest is done.

Who reads and embeds is exchangeable: ``here`` does it in this process, ``cluster.make`` with Ray. Both only make; what
was made is kept by this process alone, a document at a time, so that a run that was stopped goes on where it stood.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter

import numpy as np

from rag_core.datatypes import Chunk, ChunkSettings, Document, Judgment, PageReading, Progress, Settings
from rag_core.documents import read_document
from rag_core.errors import DocumentError, DocumentMissing
from rag_core.keeping.library import Embeddings
from rag_core.lab import Lab
from rag_core.measuring import evaluate
from rag_core.measuring.evaluate import STAGES, Evaluation
from rag_core.measuring.exchange import Questions
from rag_core.measuring.judge import Judged
from rag_core.models.embed import Embedder
from rag_core.models.rerank import Reranker
from rag_core.reading import chunk, extract, pdf
from rag_core.search.index import Index


@dataclass(frozen=True, slots=True)
class Task:
    """A PDF to be indexed; without a ``preset`` its length decides how it is cut. ``document`` is one read before."""

    file: Path
    password: str | None = None
    preset: str | None = None
    document: Document | None = None


@dataclass(frozen=True, slots=True)
class Read:
    """A document that was read and cut, and the seconds that reading took."""

    document: Document
    cut: ChunkSettings
    chunks: tuple[Chunk, ...]
    seconds: float
    readings: tuple[PageReading, ...] = ()


@dataclass(frozen=True, slots=True)
class Failed:
    """Why a PDF could not be read, in English."""

    reason: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a PDF. ``cut`` is the key of how it is cut, ``new`` says that it was embedded now.

    ``reason`` says why it could not be read, and nothing where it was.
    """

    file: Path
    doc_id: str = ""
    pages: int = 0
    chunks: int = 0
    cut: str = ""
    new: bool = False
    reason: str = ""


Make = Callable[[Sequence[Task]], Iterator[tuple[Task, Read | Failed, Embeddings | None]]]


def index(
    lab: Lab, tasks: Sequence[Task], embedder: Embedder, make: Make, progress: Progress | None = None
) -> list[Outcome]:
    """Index PDFs that are not indexed yet, and say what became of each, in their order.

    Raises the errors of the embedder: what was done until then is kept.
    """
    outcomes: dict[Path, Outcome] = {}
    missing = []
    for task in tasks:
        found = look(lab, task, embedder)
        if isinstance(found, Outcome):
            outcomes[task.file] = found
        else:
            missing.append(found)
    if progress:
        progress(len(outcomes), len(tasks))
    for task, read, embeddings in make(missing):
        outcomes[task.file] = keep(lab, task, read, embeddings, embedder)
        if progress:
            progress(len(outcomes), len(tasks))
    return [outcomes[task.file] for task in tasks]


def look(lab: Lab, task: Task, embedder: Embedder) -> Outcome | Task:
    """Return what became of a PDF where that is known already, else the task, with the document where it was read."""
    try:
        document = lab.document(pdf.document_id(task.file.read_bytes()))
    except OSError as error:
        return Outcome(task.file, reason=str(error.strerror))
    except DocumentMissing:
        return task
    cut = cut_of(document, task.preset)
    if not lab.library.has_embeddings(document.id, cut.key, embedder.id):
        return replace(task, document=document)
    return Outcome(task.file, document.id, len(document.pages), len(lab.cut(document.id, cut)), cut.key)


def cut_of(document: Document, preset: str | None) -> ChunkSettings:
    return ChunkSettings(preset) if preset else chunk.recommend(document.pages)


def read(task: Task) -> Read | Failed:
    """Read and cut a PDF."""
    start, document, readings = perf_counter(), task.document, ()
    try:
        if document is None:
            document, readings = read_document(task.file.read_bytes(), task.file.name, task.password)
        extract.with_letters(document.pages)
    except OSError as error:
        return Failed(str(error.strerror))
    except DocumentError as error:
        return Failed(str(error))
    seconds, cut = perf_counter() - start, cut_of(document, task.preset)
    chunks = chunk.split(document.pages, cut.preset, cut.size, cut.overlap, document.id)
    return Read(document, cut, tuple(chunks), seconds, tuple(readings))


def embed(found: Read, embedder: Embedder) -> Embeddings:
    start = perf_counter()
    return Embeddings(embedder.embed_texts([piece.text for piece in found.chunks]), perf_counter() - start)


def here(embedder: Embedder) -> Make:
    """Return what makes everything in this process, one document after another."""

    def make(tasks: Sequence[Task]) -> Iterator[tuple[Task, Read | Failed, Embeddings | None]]:
        for task in tasks:
            found = read(task)
            yield task, found, embed(found, embedder) if isinstance(found, Read) else None

    return make


def keep(lab: Lab, task: Task, found: Read | Failed, embeddings: Embeddings | None, embedder: Embedder) -> Outcome:
    """Put into the library what was made of a PDF, and build its index."""
    if isinstance(found, Failed) or embeddings is None:
        return Outcome(task.file, reason=found.reason if isinstance(found, Failed) else "?")
    document, cut = found.document, found.cut
    if task.document is None:
        lab.library.save(document, found.seconds, readings=found.readings, data=task.file.read_bytes())
    lab.library.save_chunks(document.id, cut.key, found.chunks)
    lab.library.save_embeddings(document.id, cut.key, embedder.id, embeddings)
    lab.index(document.id, cut, embedder)
    return Outcome(task.file, document.id, len(document.pages), len(found.chunks), cut.key, new=True)


@dataclass(frozen=True, slots=True)
class Part:
    """An indexed document with its questions, under the name that tells them apart from others'."""

    name: str
    language: str
    cut: ChunkSettings
    index: Index
    questions: Questions


def part(lab: Lab, outcome: Outcome, name: str, questions: Questions, preset: str | None, embedder: Embedder) -> Part:
    document = lab.document(outcome.doc_id)
    cut = cut_of(document, preset)
    return Part(name, document.language, cut, lab.index(document.id, cut, embedder), questions)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Chunks that a reranker is to score for a question."""

    doc_id: str
    key: str
    question: str
    chunks: tuple[Chunk, ...]


def wanted(lab: Lab, part: Part, embedder: Embedder, reranker: Reranker, how: Settings, depth: int) -> Iterator[Wanted]:
    """Yield what an evaluation will have scored and the library does not hold yet."""
    asked, at = part.questions.questions, part.index.address
    for question, embedding in zip(asked, embedder.embed_queries(asked), strict=True):
        candidates = evaluate.first_stages(lab, part.index, question, embedding, depth)[STAGES[how.first_stage]]
        known = lab.library.scores(at.doc_id, at.chunks, reranker.weights, question).by_chunk
        missing = tuple(piece for piece in candidates.chunks if piece.id not in known)
        if missing:
            yield Wanted(at.doc_id, at.chunks, question, missing)


def evaluate_all(
    lab: Lab,
    parts: Sequence[Part],
    embedder: Embedder,
    rerankers: Sequence[Reranker],
    depths: Sequence[int],
    how: Settings,
    progress: Progress | None = None,
) -> Evaluation:
    """Evaluate each document on its questions, and return all as one."""
    found = {}
    for done, one in enumerate(parts):
        if progress:
            progress(done, len(parts))
        asked, here = one.questions, replace(how, chunks=one.cut)
        numbered = dict(enumerate(asked.questions, start=1))
        found[one.name] = evaluate.evaluate(
            lab, one.index, embedder, rerankers, depths, here, numbered, asked.judgments
        )
    if progress:
        progress(len(parts), len(parts))
    return together(found)


def judged_and_cut(parts: Sequence[Part]) -> tuple[list[Judgment], list[Chunk]]:
    """Return the judgments, under their questions' new names, and the chunks of all documents."""
    judgments = [replace(j, question=told(one.name, j.question)) for one in parts for j in one.questions.judgments]
    return judgments, [piece for one in parts for piece in one.index.chunks]


def together(found: Mapping[str, Evaluation]) -> Evaluation:
    """Return the evaluations of several documents as one; each question is told by its document's name.

    The same systems must have been evaluated on every document.
    """
    parts = [named(name, one) for name, one in found.items()]
    first, counts = parts[0], [len(one.numbers) for one in parts]
    asked = [question for one in parts for question in one.numbers]
    return replace(
        first,
        doc_id="",
        numbers={question: number for number, question in enumerate(asked, start=1)},
        orders={system: merged(one.orders[system] for one in parts) for system in first.orders},
        judged=Judged(
            merged(one.judged.qrels for one in parts),
            tuple(lost for one in parts for lost in one.judged.lost),
            sum(one.judged.disputed for one in parts),
        ),
        values={
            system: {name: merged(one.values[system][name] for one in parts) for name in values}
            for system, values in first.values.items()
        },
        scores={model: merged(one.scores[model] for one in parts) for model in first.scores},
        per_pair={
            model: float(np.average([one.per_pair[model] for one in parts], weights=counts)) for model in first.per_pair
        },
    )


def named(name: str, one: Evaluation) -> Evaluation:
    """Return an evaluation whose questions begin with a name."""

    def renamed(by_question: Mapping) -> dict:
        return {told(name, question): value for question, value in by_question.items()}

    return replace(
        one,
        numbers=renamed(one.numbers),
        orders={system: renamed(run) for system, run in one.orders.items()},
        judged=replace(one.judged, qrels=renamed(one.judged.qrels)),
        values={system: {m: renamed(v) for m, v in values.items()} for system, values in one.values.items()},
        scores={model: renamed(by_question) for model, by_question in one.scores.items()},
    )


def told(name: str, question: str) -> str:
    return f"{name}: {question}"


def merged(parts: Iterable[Mapping]) -> dict:
    return {key: value for part in parts for key, value in part.items()}
