"""Rows from elsewhere: a value of another kind, or beyond its limits, is named with its place."""

from __future__ import annotations

from typing import Annotated

import pytest
from pydantic import Field

from rag_core.errors import ReplayInvalid
from rag_core.models.selftest import CASES
from rag_core.sharing.kinds import Duration, Number
from rag_core.sharing.rows import Row, checked, one_of
from rag_core.sharing.schema import SelfTestLong, SelfTestRight


class Mark(Row):
    name: Annotated[str, Field(min_length=1, max_length=3)] = "x"
    page: Annotated[int, Field(ge=0, le=9)] = 0
    score: Number = 0.0
    seconds: Duration = 0.0
    kind: Annotated[str, one_of(("a", "b"))] = "a"
    seen: bool = True


class Marks(Row):
    marks: Annotated[list[Mark], Field(min_length=1, max_length=2, fail_fast=True)]
    names: dict[Annotated[str, Field(max_length=9)], bool] = Field({})


def test_a_row_comes_with_what_is_known_of_it():
    marks = checked(Marks, {"marks": [{"page": 3, "name": "文", "colour": "red"}], "colour": ["\ud800"]})
    assert marks == Marks(marks=[Mark(page=3, name="文")])


@pytest.mark.parametrize(
    ("mark", "place"),
    [
        (None, "marks[0]"),
        ([], "marks[0]"),
        ({"name": 1}, "marks[0].name"),
        ({"name": "long"}, "marks[0].name"),
        ({"name": ""}, "marks[0].name"),
        ({"name": "\ud800"}, "marks[0].name"),
        ({"kind": "c"}, "marks[0].kind"),
        ({"kind": ["a"]}, "marks[0].kind"),
        ({"page": "1"}, "marks[0].page"),
        ({"page": True}, "marks[0].page"),
        ({"page": 1.0}, "marks[0].page"),
        ({"page": 10**400}, "marks[0].page"),
        ({"page": None}, "marks[0].page"),
        ({"score": 10**400}, "marks[0].score"),
        ({"score": float("inf")}, "marks[0].score"),
        ({"score": float("nan")}, "marks[0].score"),
        ({"score": False}, "marks[0].score"),
        ({"score": "1"}, "marks[0].score"),
        ({"seconds": -0.1}, "marks[0].seconds"),
        ({"seen": 1}, "marks[0].seen"),
    ],
)
def test_a_value_of_another_kind_is_named(mark, place):
    with pytest.raises(ReplayInvalid) as raised:
        checked(Marks, {"marks": [mark]})
    assert raised.value.values["place"] == place
    assert len(raised.value.values["value"]) < 70


@pytest.mark.parametrize(
    ("rows", "place", "value"),
    [
        ([], "", "list"),
        ({}, "marks", "None"),
        ({"marks": {}}, "marks", "dict"),
        ({"marks": []}, "marks", "list"),
        ({"marks": [{}, {}, {}]}, "marks", "list"),
        ({"marks": [{}], "names": {"here": 1}}, "names.here", "1"),
        ({"marks": [{}], "names": {"\ud800": True}}, "names.���", "'\\ud800'"),
        ({"marks": [{}], "names": {"n" * 500: True}}, f"names.{'n' * 54}…", f"'{'n' * 59}…"),
    ],
)
def test_a_list_or_an_object_that_does_not_fit_is_named(rows, place, value):
    with pytest.raises(ReplayInvalid) as raised:
        checked(Marks, rows)
    assert raised.value.values == {"place": place, "value": value}


@pytest.mark.parametrize(
    ("mark", "message"),
    [
        ({"page": 10}, "marks[0].page: Input should be less than or equal to 9, found 10: ask for the file again"),
        ({"kind": "c"}, "marks[0].kind: should be one of a, b, found 'c': ask for the file again"),
        ("x", "marks[0]: should be an object, found 'x': ask for the file again"),
    ],
)
def test_a_message_says_what_was_expected(mark, message):
    with pytest.raises(ReplayInvalid) as raised:
        checked(Marks, {"marks": [mark]})
    assert str(raised.value) == message


def test_a_whole_number_will_do_for_a_real_one():
    assert repr(checked(Mark, {"score": 1}).score) == "1.0"


def test_a_list_ends_at_its_first_fault():
    """Else a file of faults would fill the memory with them."""
    with pytest.raises(ReplayInvalid) as raised:
        checked(Marks, {"marks": [{"page": "x"}, {"page": "y"}]})
    assert len(raised.value.__cause__.errors()) == 1


def test_a_replay_file_has_a_place_for_every_language_of_the_self_test():
    assert {*SelfTestRight.model_fields} == {*SelfTestLong.model_fields} == {*CASES}
