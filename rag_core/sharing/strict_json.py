"""JSON from elsewhere, read to the letter."""

from __future__ import annotations

import json
from collections.abc import Iterable


def load(data: bytes) -> object:
    """Read UTF-8 JSON. NaN, infinities and a name that stands twice in one object are refused as well.

    Raises:
        ValueError: it is no such text.
    """
    try:
        return json.loads(data.decode("utf-8-sig"), parse_constant=_refuse, object_pairs_hook=_once)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _once(pairs: Iterable[tuple[str, object]]) -> dict[str, object]:
    pairs = list(pairs)
    values = dict(pairs)
    if len(values) < len(pairs):
        raise ValueError("a name stands twice")
    return values
