"""Documents searched as one: exact, in an order that does not depend on where a vector stands."""

from __future__ import annotations

import numpy as np
import pytest

from rag_core.datatypes import Chunk
from rag_core.errors import DocumentMissing, VectorSize
from rag_core.keeping.chroma import Address
from rag_core.keeping.embeddings import Embeddings, Version
from rag_core.search.together import Stacked, Together
from tests.search.test_index import random_vectors

ADDRESS = Address("reader", "clause", "some/model")
SIZES = {"a": 7, "b": 1, "c": 300, "d": 40}


def chunks_of(member: str, count: int) -> list[Chunk]:
    return [Chunk(f"{member}-clause-{n:05d}", member, f"text {n}", 1, n, n + 1) for n in range(1, count + 1)]


class Cutting:
    """Cuts members into chunks; ``asked`` are those that were."""

    def __init__(self, sizes: dict[str, int]) -> None:
        self.sizes, self.asked = sizes, []

    def __call__(self, member: str) -> list[Chunk]:
        self.asked.append(member)
        return chunks_of(member, self.sizes[member])


def together(vectors: dict[str, np.ndarray], cut: Cutting | None = None) -> Together:
    versions = {member: Version(member, 1.0) for member in vectors}
    stacked = Stacked.made(Embeddings(part, 0.5) for part in vectors.values())
    cut = cut or Cutting({member: len(part) for member, part in vectors.items()})
    return Together(ADDRESS, versions, stacked, cut)


@pytest.fixture
def vectors() -> dict[str, np.ndarray]:
    return {member: random_vectors(size, seed) for seed, (member, size) in enumerate(SIZES.items(), 1)}


@pytest.mark.parametrize("depth", [1, 20, 347, 348, 1000])
def test_what_is_found_is_exact(vectors, depth):
    index, queries = together(vectors), random_vectors(3, seed=9)
    rankings = index.search(["x", "y", "z"], queries, depth)
    for ranking, query in zip(rankings, queries, strict=True):
        scores = np.concatenate(list(vectors.values())).astype(float) @ query
        best = np.argsort(-scores, kind="stable")[:depth]
        assert ranking.ids == [index.chunks[row].id for row in best]
        assert [hit.score for hit in ranking.hits] == pytest.approx(scores[best].tolist(), abs=1e-6)
    assert [ranking.query for ranking in rankings] == ["x", "y", "z"]


@pytest.mark.parametrize("depth", [3, 10, 26])
def test_the_same_vector_scores_the_same_wherever_it_stands_and_the_first_comes_first(depth):
    same = random_vectors(1, dimension=384)
    between = -np.repeat(same, 5, axis=0)
    index = together({f"m{n:02}": np.concatenate([same, between[: n % 5]]) for n in range(26)})
    [found] = index.search(["q"], random_vectors(1, seed=1, dimension=384), depth)
    assert found.ids == [f"m{n:02}-clause-00001" for n in range(depth)]
    assert len({hit.score for hit in found.hits}) == 1


def test_chunks_are_made_of_the_members_that_are_found_and_once(vectors):
    cut = Cutting(SIZES)
    index = together(vectors, cut)
    for _ in range(2):
        [found] = index.search(["q"], vectors["b"], 1)
    assert (found.ids, cut.asked) == (["b-clause-00001"], ["b"])
    assert index.firsts == {"b-clause-00001": found.chunks[0]}
    assert [chunk.doc_id for chunk in index.chunks] == [member for member, size in SIZES.items() for _ in range(size)]


def test_it_knows_its_size_and_what_reading_and_embedding_took_together(vectors):
    assert together(vectors).size == 348
    assert together(vectors).prepared == {"parse": 4.0, "embed": 2.0}


def test_a_member_that_was_cut_otherwise_since_is_not_shown(vectors):
    index = together(vectors, Cutting(SIZES | {"b": 2}))
    with pytest.raises(DocumentMissing):
        index.search(["q"], vectors["b"], 1)


def test_another_length_of_the_vectors_of_a_question_is_told(vectors):
    with pytest.raises(VectorSize) as caught:
        together(vectors).search(["q"], random_vectors(1, dimension=24), 5)
    assert caught.value.values == {"asked": 24, "stored": 16, "embedder": "some/model"}
