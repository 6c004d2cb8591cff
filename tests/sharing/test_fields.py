from __future__ import annotations

import pytest

from rag_core.errors import ReplayInvalid
from rag_core.sharing.fields import Field, load


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


def test_a_value_comes_with_its_place():
    field = load('\ufeff{"rows": [{"page": 3, "名": "文"}]}'.encode())
    [row] = field["rows"].each(5)
    assert (row["page"].whole(1, 9), row["page"].place, row["名"].text(9)) == (3, "rows[0].page", "文")


@pytest.mark.parametrize(
    ("value", "ask"),
    [
        (None, lambda field: field["x"]),
        ({}, lambda field: field["x"]),
        ([], lambda field: field["x"]),
        ({"x": 1}, lambda field: field.each(5)),
        ([1, 2, 3], lambda field: field.each(2)),
        ([], lambda field: field.each(2, 1)),
        ({"x": 1, "y": 2}, lambda field: field.entries(1)),
        (1, lambda field: field.text(5)),
        ("long", lambda field: field.text(3)),
        ("", lambda field: field.text(3, 1)),
        ("\ud800", lambda field: field.text(3)),
        ("c", lambda field: field.choice(("a", "b"))),
        (["a"], lambda field: field.choice({"a": 1})),
        ("1", lambda field: field.whole(0, 9)),
        (True, lambda field: field.whole(0, 9)),
        (1.0, lambda field: field.whole(0, 9)),
        (10**400, lambda field: field.whole(0, 9)),
        (10**400, lambda field: field.real()),
        (float("inf"), lambda field: field.real()),
        (float("nan"), lambda field: field.real()),
        (False, lambda field: field.real()),
        (-0.1, lambda field: field.real(0)),
        (1, lambda field: field.flag()),
    ],
)
def test_a_value_of_another_kind_is_named(value, ask):
    with pytest.raises(ReplayInvalid) as told:
        ask(Field(value, "rows[7]"))
    assert told.value.values["place"].startswith("rows[7]")
    assert len(told.value.values["value"]) < 70


def test_a_whole_number_will_do_for_a_real_one():
    assert Field(1).real() == 1.0
