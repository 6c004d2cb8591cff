from __future__ import annotations

import pytest

from rag_core.reading.numerals import NUMBER, value


@pytest.mark.parametrize(
    ("number", "said"),
    [
        *(("7", 7), ("iv", 4), ("xxxix", 39), ("xc", 90), ("iiii", 0), ("vx", 0)),
        *(("三", 3), ("十", 10), ("十二", 12), ("二十", 20), ("二十三", 23), ("一百", 100), ("一百零二", 102)),
        *(("一百一十", 110), ("两千零五", 2005), ("一千三百二十", 1320), ("二〇二", 202), ("十十", 0), ("百", 0)),
    ],
)
def test_a_number_says(number, said):
    assert value(number) == said


def test_parts_of_larger_numbers_are_none():
    assert [match.group() for match in NUMBER.finditer("1,204 3.5 20241 8% 12 of iv 第十二页")] == [
        "12",
        "iv",
        "十二",
    ]
