"""index: read PDFs and embed them ahead of the first question."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rag_core.batch import cluster, indexing
from rag_core.batch.indexing import Outcome
from rag_core.cli.arguments import known, ray_arguments
from rag_core.cli.documents import open_lab, worked
from rag_core.cli.files import pdfs
from rag_core.cli.printed import counting
from rag_core.datatypes import Settings
from rag_core.errors import RerankLabError
from rag_core.lab import Lab
from rag_core.models import catalog
from rag_core.models.embed import Embedder, load_embedder
from rag_core.reading import chunk


def arguments(command: argparse.ArgumentParser) -> None:
    """Add PDFs and folders, and how they are cut and embedded."""
    command.add_argument("paths", type=Path, nargs="+", metavar="PATH", help="a PDF, or a folder: all PDFs in it")
    command.add_argument("--password", help="opens encrypted PDFs")
    command.add_argument("--chunks", choices=chunk.PRESETS, help="how to cut; by default the document's length decides")
    command.add_argument("--embedder", default=Settings().embedder, metavar="ID", help=known(catalog.EMBEDDERS))
    ray_arguments(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> str:
    """Index every PDF, and say of each how that went."""
    files = list(pdfs(arguments.paths))
    with open_lab() as lab:
        embedder = load_embedder(arguments.embedder)
        with worked(arguments):
            outcomes = index_all(arguments, lab, embedder, files)
    sys.stdout.writelines(f"{outcome_line(outcome)}\n" for outcome in outcomes)
    failed = sum(bool(outcome.reason) for outcome in outcomes)
    if failed:
        raise RerankLabError(f"{failed} of {len(files)} files could not be indexed: see the lines above")
    return f"{len(files)} of {len(files)} files indexed, {sum(not outcome.new for outcome in outcomes)} of them before"


def index_all(arguments: argparse.Namespace, lab: Lab, embedder: Embedder, files: Sequence[Path]) -> list[Outcome]:
    """Index files in this process, or with Ray where that was asked for."""
    make = cluster.make(arguments.embedder, arguments.workers) if arguments.ray else indexing.here(embedder)
    tasks = [indexing.Task(file.resolve(), arguments.password, arguments.chunks) for file in files]
    return indexing.index(lab, tasks, embedder, make, counting("document"))


def outcome_line(outcome: Outcome) -> str:
    """Say on one line what became of a file."""
    if outcome.reason:
        return f"{outcome.file}: not indexed: {outcome.reason}"
    before = "" if outcome.new else ", before"
    return f"{outcome.file}: {outcome.pages} pages, {outcome.chunks} chunks ({outcome.cut}){before}"
