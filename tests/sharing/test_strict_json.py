"""JSON from elsewhere."""

from __future__ import annotations

import pytest

from rag_core.sharing.strict_json import load


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b'{"a": NaN}',
        b"[Infinity]",
        b'{"a": 1, "a": 2}',
        b'{"a": "\xff"}',
        b"[" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a": ' + b"9" * 5000 + b"}",
    ],
    ids=["empty", "cut", "NaN", "infinity", "twice", "no UTF-8", "open brackets", "deep", "endless number"],
)
def test_what_is_no_json_is_refused(data):
    with pytest.raises(ValueError):
        load(data)


def test_a_mark_of_byte_order_is_no_part_of_the_text():
    assert load('\ufeff{"rows": [{"page": 3, "名": "文"}]}'.encode()) == {"rows": [{"page": 3, "名": "文"}]}
