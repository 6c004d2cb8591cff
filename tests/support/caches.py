"""Forget what Streamlit kept between one test and the next."""

from __future__ import annotations

from streamlit.runtime.caching.cache_utils import CachedFunc

from pages.ui.shell import cached, models, samples, visits
from pages.ui.workshop import open_rooms

KEPT = {
    "shared_embedder",
    "loaded_reranker",
    "tested",
    "unrelated_vectors",
    "vector_length",
    "load",
    "rows",
    "judgments",
    "translation",
    "stay",
}
"""What follows from a model or a bundled sample alone; and what only a visitor's session can clear."""


def forget() -> None:
    """Clear every cache but those; the library among them is closed on the way, which frees its folder."""
    for module in (cached, models, samples, visits, open_rooms):
        for name, function in vars(module).items():
            if isinstance(function, CachedFunc) and name not in KEPT:
                function.clear()
