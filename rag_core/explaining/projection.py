"""Lay embeddings out on a plane: PCA at once, UMAP (McInnes, Healy and Melville 2018) for neighbourhoods."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass

import numpy as np

from rag_core.datatypes import Progress
from rag_core.errors import UmapMissing
from rag_core.extras import MAP

SEED = 42
NEIGHBOURS = 15
NEAREST_KEPT = 10
NEAREST_TO_PLACE = 5
ROWS_PER_BLOCK = 512
FEWEST_FOR_UMAP = 10


@dataclass(frozen=True, slots=True)
class Layout:
    """Chunks on a plane.

    ``points`` is float of shape (chunks, 2). ``kept`` is the share of each chunk's ``NEAREST_KEPT`` nearest ones that
    are among its nearest on the plane too, averaged: 1 is a faithful map of neighbourhoods.
    """

    method: str
    points: np.ndarray
    kept: float
    mean: np.ndarray | None = None
    axes: np.ndarray | None = None

    def place(self, vectors: np.ndarray, others: np.ndarray) -> np.ndarray:
        """Return where ``others``, embeddings that were not laid out, belong among ``vectors``, which were.

        PCA projects them. UMAP has no such rule: they lie in the middle of their nearest chunks, which is where its
        own ``transform`` begins.
        """
        if self.axes is not None:
            return (others - self.mean) @ self.axes.T
        near = np.argsort(-(others @ vectors.T), axis=1, kind="stable")[:, :NEAREST_TO_PLACE]
        return self.points[near].mean(axis=1)


def by_pca(vectors: np.ndarray) -> Layout:
    """Project on the two directions in which the embeddings vary most."""
    mean = vectors.mean(axis=0)
    rows = vectors - mean
    _, directions = np.linalg.eigh(rows.T @ rows)
    axes = directions.T[::-1][:2]
    # A direction has no sign of its own; the largest entry decides, so that a layout looks the same each time.
    axes = axes * np.sign(axes[np.arange(2), np.abs(axes).argmax(axis=1)])[:, None]
    points = rows @ axes.T
    return Layout("pca", points, kept_neighbours(vectors, points), mean, axes)


def by_umap(vectors: np.ndarray, progress: Progress | None = None) -> Layout:
    """Lay out by UMAP with a fixed seed; fewer than ``FEWEST_FOR_UMAP`` have no neighbourhoods and fall to ValueError.

    The neighbours are exact, counted here: UMAP's own search would compile for half a minute at a few thousand.

    Raises:
        UmapMissing: it is not installed.
    """
    if len(vectors) < FEWEST_FOR_UMAP:
        raise ValueError(f"{len(vectors)} embeddings are too few for UMAP")
    if not MAP.is_installed():
        raise UmapMissing(f"UMAP is not installed: {MAP.command}", command=MAP.command)
    from umap import UMAP

    count = min(NEIGHBOURS, len(vectors) - 1)
    with warnings.catch_warnings():  # it warns that it can place no further points, which place() does
        warnings.simplefilter("ignore", UserWarning)
        points = UMAP(
            n_neighbors=count,
            metric="cosine",
            random_state=SEED,
            n_jobs=1,
            precomputed_knn=nearest(vectors, count),
            tqdm_kwds=_counted(progress),
        ).fit_transform(vectors)
    points = np.asarray(points, np.float64)
    return Layout("umap", points, kept_neighbours(vectors, points))


def nearest(vectors: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return for each embedding the ``count`` nearest, itself first: indices and cosine distances, (n, count)."""
    indices, distances = [], []
    for start in range(0, len(vectors), ROWS_PER_BLOCK):
        block = 1 - vectors[start : start + ROWS_PER_BLOCK] @ vectors.T
        block[np.arange(len(block)), np.arange(start, start + len(block))] = -1
        near = np.argpartition(block, count - 1, axis=1)[:, :count]
        order = np.argsort(np.take_along_axis(block, near, axis=1), axis=1, kind="stable")
        indices.append(np.take_along_axis(near, order, axis=1))
        distances.append(np.maximum(np.take_along_axis(block, indices[-1], axis=1), 0))
    return np.concatenate(indices), np.concatenate(distances)


def kept_neighbours(vectors: np.ndarray, points: np.ndarray, count: int = NEAREST_KEPT) -> float:
    """Return the share of each row's nearest in ``vectors`` that are nearest in ``points`` too, averaged."""
    count = min(count, len(vectors) - 1)
    if count < 1:
        return 1.0
    true, _ = nearest(vectors, count + 1)
    shares = []
    for start in range(0, len(points), ROWS_PER_BLOCK):
        block = points[start : start + ROWS_PER_BLOCK]
        apart = ((block[:, None, :] - points[None, :, :]) ** 2).sum(-1)
        apart[np.arange(len(block)), np.arange(start, start + len(block))] = -1
        drawn = np.argpartition(apart, count, axis=1)[:, : count + 1]
        pairs = zip(true[start : start + len(block)], drawn, strict=True)
        shares += [(len(set(row) & set(drawn_row)) - 1) / count for row, drawn_row in pairs]
    return float(np.mean(shares))


class _Counter:
    """A file that UMAP's progress bar writes to, which counts for the reader instead."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress

    def write(self, line: str) -> None:
        match = re.search(r"(\d+)/(\d+)", line)
        if match:
            self.progress(int(match.group(1)), int(match.group(2)))

    def flush(self) -> None:
        """A bar flushes after each line; nothing is held back here."""


def _counted(progress: Progress | None) -> dict[str, object]:
    if progress is None:
        return {"disable": True}
    return {"disable": False, "file": _Counter(progress), "bar_format": "{n}/{total}", "mininterval": 0.2}
