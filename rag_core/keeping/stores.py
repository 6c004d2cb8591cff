"""Where the indexes are: in a folder of this machine or on a server."""

from __future__ import annotations

from pathlib import Path

from rag_core.keeping.chroma import Store
from rag_core.keeping.chroma_folder import FolderStore
from rag_core.keeping.chroma_server import ServerStore
from rag_core.settings import ChromaServer


def open_store(where: Path | ChromaServer) -> Store:
    """Return Chroma in a folder or on a server."""
    return FolderStore(where) if isinstance(where, Path) else ServerStore(where)
