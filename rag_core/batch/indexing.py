"""Many documents at once: what is there already is skipped, what cannot be read is listed, and the rest is done.

Who reads and embeds is exchangeable: ``here`` does it in this process, ``cluster.make`` with Ray. Both only make; what
was made is kept by this process alone, a document at a time, so that a run that was stopped goes on where it stood.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter

from rag_core.datatypes import Chunk, ChunkSettings, Document, Progress, Readings, Settings
from rag_core.errors import DocumentDamaged, DocumentError, DocumentMissing
from rag_core.keeping.documents import NOT_KEPT
from rag_core.keeping.embeddings import Embeddings
from rag_core.lab import Lab
from rag_core.models.embed import Embedder
from rag_core.reading import chunk, extract, pdf
from rag_core.reading import document as documents


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
    readings: Readings = NOT_KEPT


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
        state = look(lab, task, embedder)
        if isinstance(state, Outcome):
            outcomes[task.file] = state
        else:
            missing.append(state)
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
        document = lab.documents.load(pdf.document_id(task.file.read_bytes()))
    except OSError as error:
        return Outcome(task.file, reason=str(error.strerror))
    except (DocumentMissing, DocumentDamaged):
        return task
    cut = cut_of(document, task.preset)
    if not lab.embeddings.has(document.id, cut.key, embedder.id):
        return replace(task, document=document)
    return Outcome(task.file, document.id, len(document.pages), len(lab.cut(document.id, cut)), cut.key)


def cut_of(document: Document, preset: str | None) -> ChunkSettings:
    """Return how a document is cut: by ``preset``, and without one as is best for its length."""
    return ChunkSettings(preset) if preset else chunk.recommend(document.pages)


def read(task: Task) -> Read | Failed:
    """Read and cut a PDF."""
    start, document, readings = perf_counter(), task.document, Readings()
    try:
        if document is None:
            document, readings = documents.read(task.file.read_bytes(), task.file.name, task.password)
        extract.with_text(document.pages)
    except OSError as error:
        return Failed(str(error.strerror))
    except DocumentError as error:
        return Failed(str(error))
    seconds, cut = perf_counter() - start, cut_of(document, task.preset)
    chunks = chunk.split(document.pages, cut.preset, cut.size, cut.overlap, document.id)
    return Read(document, cut, tuple(chunks), seconds, readings)


def embed(reading: Read, embedder: Embedder) -> Embeddings:
    """Embed the chunks of a document, and take the time."""
    start = perf_counter()
    return Embeddings(embedder.embed_texts([piece.passage for piece in reading.chunks]), perf_counter() - start)


def here(embedder: Embedder) -> Make:
    """Return what makes everything in this process, one document after another."""

    def make(tasks: Sequence[Task]) -> Iterator[tuple[Task, Read | Failed, Embeddings | None]]:
        for task in tasks:
            reading = read(task)
            yield task, reading, embed(reading, embedder) if isinstance(reading, Read) else None

    return make


def keep(lab: Lab, task: Task, reading: Read | Failed, embeddings: Embeddings | None, embedder: Embedder) -> Outcome:
    """Put into the library what was made of a PDF, and build its index."""
    if isinstance(reading, Failed) or embeddings is None:
        return Outcome(task.file, reason=reading.reason if isinstance(reading, Failed) else "?")
    document, cut = reading.document, reading.cut
    if task.document is None:
        lab.documents.save(document, reading.seconds, readings=reading.readings, data=task.file.read_bytes())
    lab.embeddings.save_chunks(document.id, cut.key, reading.chunks)
    lab.embeddings.save(document.id, cut.key, embedder.id, embeddings)
    lab.open(document.id, Settings(chunks=cut), embedder)
    return Outcome(task.file, document.id, len(document.pages), len(reading.chunks), cut.key, new=True)
