"""What several commands are told: a document, how it is searched, and where the work is done."""

from __future__ import annotations

import argparse
from pathlib import Path

from rag_core import settings
from rag_core.batch import cluster
from rag_core.datatypes import FirstStage, Settings
from rag_core.models import catalog
from rag_core.reading import chunk


def document_arguments(command: argparse.ArgumentParser) -> None:
    """Add what names a document and says how it is searched."""
    command.add_argument("file", type=Path, metavar="FILE", help="a PDF, or a folder: its PDFs as one collection")
    command.add_argument("--password", help="opens an encrypted PDF")
    command.add_argument("--chunks", choices=chunk.PRESETS, help="how to cut; by default the document's length decides")
    command.add_argument(
        "--contents",
        choices=("drop", "keep"),
        help="leave lists of contents out or search them; by default as the library has it, a new document without",
    )
    command.add_argument(
        "--first-stage",
        choices=settings.FIRST_STAGES,
        default=Settings().first_stage.value,
        help="what finds the candidates (default %(default)s)",
    )
    command.add_argument(
        "--cutoff", type=int, default=Settings().cutoff, help="how many reach the LLM (default %(default)s)"
    )
    command.add_argument("--embedder", default=Settings().embedder, metavar="ID", help=known(catalog.EMBEDDERS))


def ray_arguments(command: argparse.ArgumentParser) -> None:
    """Add what says on which Ray cluster the models work, and how many of each."""
    command.add_argument(
        "--ray", metavar="ADDRESS", help=f"work as Ray actors on this cluster, or with {cluster.HERE} on this machine"
    )
    command.add_argument("--workers", type=int, default=1, help="actors of each model with --ray (default %(default)s)")


def known(lines: tuple[catalog.Line, ...]) -> str:
    """Return the help for a model's id: those of the catalogue, and what else may stand there."""
    return ", ".join(line.id for line in lines) + ", any Hugging Face id or a local folder (default %(default)s)"


def asked_settings(arguments: argparse.Namespace) -> Settings:
    """Return the settings that ``document_arguments`` were given, all others at their defaults."""
    return Settings(arguments.embedder, cutoff=arguments.cutoff, first_stage=FirstStage(arguments.first_stage))
