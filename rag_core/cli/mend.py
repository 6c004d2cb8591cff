"""mend: copy what is whole of a damaged library into a new one."""

from __future__ import annotations

import argparse
from contextlib import closing, nullcontext
from pathlib import Path

from rag_core import settings
from rag_core.errors import RerankLabError
from rag_core.keeping import mend
from rag_core.keeping.chroma_folder import FolderStore
from rag_core.keeping.mend import Mended

NAMES = {
    "documents": "documents",
    "embeddings": "sets of embeddings",
    "questions": "questions",
    "judgments": "judgments",
    "history": "comparisons",
}
"""What a reader knows of, by table."""


def arguments(command: argparse.ArgumentParser) -> None:
    """Add the folder of the library."""
    command.add_argument("folder", type=Path, metavar="FOLDER", help="the folder in which library.sqlite is")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> str:
    """Mend a library while nobody has it open, and say what was kept and what is lost."""
    file = arguments.folder / "library.sqlite"
    if not file.is_file():
        raise RerankLabError(f"{file} is not there: name the folder of a library")
    chroma = settings.chroma() or arguments.folder / "chroma"
    with closing(FolderStore(chroma)) if isinstance(chroma, Path) else nullcontext():
        return said(mend.mend(file), file)


def said(mended: Mended, file: Path) -> str:
    """Say it in lines."""
    rows = [f"{mended.kept.get(table, 0)} {name}, lost: {mended.lost.get(table, 0)}" for table, name in NAMES.items()]
    again = [f"damaged, add its PDF again: {title}" for title in mended.damaged]
    return "\n".join([f"kept in {file}:", *rows, *again, f"the damaged file is {mended.put_aside}"])
