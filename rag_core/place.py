"""Where the app and its data lie: in a checkout beside this package, or where pip put them."""

from pathlib import Path

BESIDE = Path(__file__).parents[1]
INSTALLED = BESIDE / "rerank_lab"
ROOT = INSTALLED if INSTALLED.is_dir() else BESIDE
"""The folder of ``app.py``, ``pages`` and ``data``."""


def is_installed() -> bool:
    """Say whether pip put the app here, and no requirements lie beside it."""
    return ROOT == INSTALLED
