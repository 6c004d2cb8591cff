"""Embeddings on a plane: PCA against numpy, UMAP run for real."""

from __future__ import annotations

import numpy as np
import pytest

from rag_core.explaining import projection


def clouds(count: int = 60, seed: int = 0) -> np.ndarray:
    """Return unit vectors in three well separated groups, in turn."""
    random = np.random.default_rng(seed)
    centres = np.eye(3, 16)
    rows = centres[np.arange(count) % 3] + 0.1 * random.normal(size=(count, 16))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def apart(points: np.ndarray) -> bool:
    """Say whether the three groups of ``clouds`` lie apart: every point is nearest to its own group's middle."""
    middles = np.stack([points[group::3].mean(axis=0) for group in range(3)])
    nearest = ((points[:, None] - middles[None]) ** 2).sum(-1).argmin(axis=1)
    return bool((nearest == np.arange(len(points)) % 3).all())


def test_pca_keeps_as_much_variance_as_the_first_two_singular_values():
    vectors = clouds()
    layout = projection.by_pca(vectors)
    singular = np.linalg.svd(vectors - vectors.mean(axis=0), compute_uv=False)
    assert layout.points.shape == (60, 2)
    assert np.sqrt((layout.points**2).sum(axis=0)) == pytest.approx(singular[:2], rel=1e-3)
    assert apart(layout.points)


def test_pca_places_a_chunk_where_it_lies_already():
    vectors = clouds()
    layout = projection.by_pca(vectors)
    assert np.allclose(layout.place(vectors, vectors[:4]), layout.points[:4], atol=1e-5)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_pca_of_very_few(count):
    layout = projection.by_pca(clouds(count))
    assert layout.points.shape == (count, 2)
    assert np.isfinite(layout.points).all()


@pytest.mark.slow
@pytest.mark.xdist_group("umap")
def test_umap_keeps_neighbours_together_and_looks_the_same_each_time():
    vectors = clouds()
    seen: list[tuple[int, int]] = []
    layout = projection.by_umap(vectors, lambda *count: seen.append(count))
    assert apart(layout.points)
    assert seen[-1][0] == seen[-1][1] > 0
    assert np.array_equal(projection.by_umap(vectors).points, layout.points)
    assert 0.3 < layout.kept <= 1


@pytest.mark.slow
@pytest.mark.xdist_group("umap")
def test_umap_places_a_question_amid_its_nearest_chunks():
    vectors = clouds()
    layout = projection.by_umap(vectors)
    asked = clouds(3, seed=1)
    own = np.stack([layout.points[group::3].mean(axis=0) for group in range(3)])
    placed = layout.place(vectors, asked)
    assert ((placed[:, None] - own[None]) ** 2).sum(-1).argmin(axis=1).tolist() == [0, 1, 2]


def test_umap_wants_neighbourhoods():
    with pytest.raises(ValueError, match="too few"):
        projection.by_umap(clouds(projection.FEWEST_FOR_UMAP - 1))


def test_nearest_begins_with_itself_and_goes_by_cosine():
    vectors = clouds()
    indices, distances = projection.nearest(vectors, 5)
    assert indices[:, 0].tolist() == list(range(60))
    by_hand = np.argsort(-(vectors[7] @ vectors.T), kind="stable")[:5]
    assert set(indices[7]) == set(by_hand)
    assert (np.diff(distances, axis=1) >= 0).all()


def test_a_faithful_plane_keeps_all_neighbours_and_a_scrambled_one_few():
    random = np.random.default_rng(2)
    angles = np.sort(random.uniform(0, 1, 80))
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    assert projection.kept_neighbours(vectors, vectors.astype(float)) > 0.95
    assert projection.kept_neighbours(vectors, random.normal(size=(80, 2))) < 0.4
