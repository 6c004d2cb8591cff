"""Say why a folder cannot be written."""

from __future__ import annotations

import shutil
from pathlib import Path

from rag_core.errors import DiskFull, LibraryUnwritable

FULL = ("is full", "No space left")
"""What SQLite and the operating system call it."""

LEAST_ROOM = 2**20
"""Bytes below which any failure is put down to the disk: SQLite calls it an I/O error when its log cannot grow."""


def unwritable(folder: Path, reason: BaseException) -> DiskFull | LibraryUnwritable:
    """Return the error for a write into the folder that failed."""
    if is_full(folder, reason):
        return DiskFull(
            f"the disk of {folder} is full ({reason}): make room and try again; what is there stays", folder=str(folder)
        )
    return LibraryUnwritable(
        f"{folder} cannot be written ({reason}): set RERANK_LAB_HOME to a folder of yours", folder=str(folder)
    )


def is_full(folder: Path, reason: BaseException) -> bool:
    """Say whether a write failed for want of room: its reason says so, or next to none is left."""
    return any(word in str(reason) for word in FULL) or room(folder) < LEAST_ROOM


def room(folder: Path) -> int:
    """Return the bytes that are free where the folder is, or is to be."""
    there = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.is_dir())
    return shutil.disk_usage(there).free
