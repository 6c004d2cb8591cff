"""The files and folders that a command names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from rag_core.errors import RerankLabError


def pdfs(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield the files, and the PDFs of the folders with all below them.

    Raises:
        RerankLabError: a folder holds none.
    """
    for path in paths:
        inside = sorted(file for file in path.rglob("*") if file.suffix.lower() == ".pdf") if path.is_dir() else [path]
        if not inside:
            raise RerankLabError(f"{path} holds no PDF: name another folder or a file")
        yield from inside


def read(file: Path) -> bytes:
    """Return a file's bytes.

    Raises:
        RerankLabError: it cannot be read.
    """
    try:
        return file.read_bytes()
    except OSError as error:
        raise RerankLabError(f"{file} cannot be read: {error.strerror}") from error


def save(file: Path, content: bytes) -> None:
    """Write a file, and the folders that it lies in.

    Raises:
        RerankLabError: it cannot be written.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    except OSError as error:
        raise RerankLabError(f"{file} cannot be written: {error.strerror}") from error


def write(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files, by name, into a folder; see ``save``."""
    for name, content in files.items():
        save(folder / name, content)
