"""A few of the kills that ``python -m benchmarks.kills`` makes fifty of."""

import random

import pytest

from benchmarks.kills import Killing

pytestmark = pytest.mark.slow


def test_a_kill_leaves_every_index_complete_or_to_be_built_and_no_text_is_embedded_twice(tmp_path):
    killing, rng = Killing(tmp_path, works=1), random.Random(3)
    found = [killing.kill(number, rng) for number in range(3)]
    assert [one.wrong for one in found] == [[], [], []]
    assert all(len(one.left) == 1 for one in found)
