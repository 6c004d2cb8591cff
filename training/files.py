"""Read the training and evaluation files, one JSON object a line, gzipped; and cut their passages."""

import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path

from rag_core.datatypes import Page
from rag_core.reading.chunk import recommend, split

SENTENCE = re.compile(r"(?<=[。！？；])|(?<=[.!?])\s+(?=[\"'“(]?[A-Z0-9])|\n+")
CLAUSE = re.compile(r"(?<=[，。！？；])")

UNMEASURED = -1.0
"""Stands for the cosine of a piece that was made for its question: the embedder never found it."""


def read_rows(file: Path) -> Iterator[dict]:
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def cut_sentences(text: str) -> list[str]:
    """Cut a passage into sentences."""
    return [piece.strip() for piece in SENTENCE.split(text) if piece and len(piece.strip()) > 1]


def cut_clauses(text: str) -> list[str]:
    """Cut Chinese text at its commas too; the mark at the end of a clause goes."""
    return [piece.strip(" ，。！？；") for piece in CLAUSE.split(text) if len(piece.strip(" ，。！？；")) > 1]


def cut_windows(text: str, sentences: int = 3) -> list[str]:
    """Cut a passage into runs of ``sentences`` sentences that overlap by one."""
    pieces = cut_sentences(text)
    joint = "" if re.search(r"[一-鿿]", text) else " "
    starts = range(0, max(1, len(pieces) - 1), sentences - 1)
    return [joint.join(pieces[start : start + sentences]) for start in starts]


def cut_as_app(text: str, preset: str) -> list[str]:
    """Cut a passage as the app cuts a page, at the default sizes for its language."""
    pages = [Page(1, text)]
    settings = recommend(pages)
    return [chunk.passage for chunk in split(pages, preset, settings.size, settings.overlap)]


def whole(text: str) -> list[str]:
    """Leave a passage uncut."""
    return [text]
