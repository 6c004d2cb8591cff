"""The reader's library, and the document or folder that a command asks."""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path

from rag_core import settings
from rag_core.batch import cluster
from rag_core.cli.files import pdfs, read
from rag_core.cli.printed import counting, tell_foreign
from rag_core.datatypes import ChunkSettings, Document
from rag_core.errors import RerankLabError
from rag_core.keeping.library import ID_LENGTH
from rag_core.lab import Lab


def open_lab() -> AbstractContextManager[Lab]:
    """Open the reader's library; it is free for others again when the command ends."""
    return closing(Lab(settings.home(), settings.chroma()))


@contextmanager
def document_of(arguments: argparse.Namespace) -> Iterator[tuple[Lab, Document, ChunkSettings]]:
    """Read a document, or a folder as a collection; without an order to the contrary its length decides how to cut."""
    with open_lab() as lab:
        if arguments.file.is_dir():
            document = collected(lab, arguments.file, arguments.password)
        else:
            document = lab.add(read(arguments.file), arguments.file.name, arguments.password)
        if arguments.contents:
            document = with_contents(lab, document, arguments.contents == "keep")
        tell_foreign(lab.documents.parts(document.id), arguments.embedder, rerankers_of(arguments))
        yield lab, document, ChunkSettings(arguments.chunks) if arguments.chunks else lab.recommend(document.id)


def with_contents(lab: Lab, document: Document, kept: bool) -> Document:
    """Search lists of contents, or leave them out, from now on; return the document as it is searched then."""
    for part in document.parts:
        readings = lab.documents.readings(part)
        if readings.pages and readings.drop_contents == kept:
            lab.pages.choose(part, replace(readings, drop_contents=not kept))
    return lab.documents.load(document.id)


def rerankers_of(arguments: argparse.Namespace) -> list[str]:
    """Return the ids of the rerankers that a command was given."""
    given = arguments.reranker if "reranker" in arguments else arguments.rerankers
    return [name.strip() for name in given.split(",") if name.strip()]


def collected(lab: Lab, folder: Path, password: str | None) -> Document:
    """Put the PDFs of a folder together; one that cannot be read is told and left out.

    Raises:
        RerankLabError: none can be read.
    """
    doc_ids, count = [], counting("document")
    files = list(pdfs([folder]))
    for done, file in enumerate(files, start=1):
        try:
            doc_ids.append(lab.add(read(file), str(file.relative_to(folder)), password).id)
        except RerankLabError as error:
            sys.stderr.write(f"{file}: left out: {error}\n")
        count(done, len(files))
    if not doc_ids:
        raise RerankLabError("none of the files could be read: see the lines above")
    return lab.library.collect(folder.resolve().name, doc_ids, collection_id=id_of(folder))


def id_of(folder: Path) -> str:
    """Return the id of the collection that stands for a folder: the same one each time the folder is read."""
    return hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:ID_LENGTH]


@contextmanager
def worked(arguments: argparse.Namespace) -> Iterator[None]:
    """Have a Ray cluster at hand where it was asked for."""
    with cluster.joined(arguments.ray) if arguments.ray else nullcontext():
        yield
