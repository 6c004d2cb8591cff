"""Rows of a file from elsewhere: each is checked by pydantic, and what does not fit is named with its place."""

from __future__ import annotations

from collections.abc import Collection
from typing import TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from rag_core.errors import ReplayInvalid

SHOWN = 60
WORDS = {"missing": "should have a value", "model_type": "should be an object", "dict_type": "should be an object"}
"""What pydantic says in words of Python."""


class Row(BaseModel):
    """An object of the file: nothing is taken for what it is not, and what is not known is passed over."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True, allow_inf_nan=False)


Model = TypeVar("Model", bound=Row)


def one_of(choices: Collection[str]) -> AfterValidator:
    """Refuse a text that is none of these."""

    def check(value: str) -> str:
        if value not in choices:
            raise ValueError(f"should be one of {', '.join(choices)}")
        return value

    return AfterValidator(check)


def checked(model: type[Model], value: object) -> Model:
    """Return the value as the model has it.

    Raises:
        ReplayInvalid: something in it is missing, of another kind or beyond its limits; the first such place is named.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        value = None if first["type"] == "missing" else first["input"]
        wanted = WORDS.get(first["type"], first["msg"].removeprefix("Value error, "))
        raise wrong(_place(first["loc"]), wanted, value) from error


def wrong(place: str, wanted: str, value: object) -> ReplayInvalid:
    """Return the error that names a place of the file, what should stand there, and what does."""
    shown = type(value).__name__ if isinstance(value, list | dict) else _cut(repr(value))
    return ReplayInvalid(f"{place}: {wanted}, found {shown}: ask for the file again", place=place, value=shown)


def _place(steps: tuple[int | str, ...]) -> str:
    """Write where a value stands as ``candidates[3].page``; names can be the sender's own."""
    names = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps if step != "[key]")
    return _cut(names.removeprefix("."))


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN else text[:SHOWN] + "…"
