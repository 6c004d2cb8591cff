"""Build evaluation files of long passages: ``python -m training.long TEXTS training/build/long``.

The bundled weights come from runs that named none of these sources. A fifth of the documents of each is held out, by
the document's name alone, so that training may take the rest: ``training.pairs`` leaves them out. A passage is whole: a
positive as its file has it, or, in manuals and statutes, which the files cut into pieces, all pieces of one section.
"""

import argparse
import gzip
import json
import zlib
from collections.abc import Iterable
from pathlib import Path

from training.files import read_rows

WHOLE = ("nq_open_gold", "boolq_dev", "clapnq")
"""Real questions to a search engine, with a passage of Wikipedia that answers."""
SECTIONS = ("handbook18f_en", "d365bc_en", "d365ops_zh", "tidb_docs_zh", "partner_center_zh", "laws_zh")
"""Headings, and questions made of them, with the pieces of the section below, in order."""
FILES = {"long_zh": ("zh", 300, 900), "long_en": ("en", 300, 900), "longer_en": ("en", 1000, 2000)}
"""Language, and the fewest and the most characters of a passage."""
EVERY = 5
"""One document in so many is held out; 20, of ``train.split``, is a multiple, so that what it holds out is among
them."""


def held_out(source: str, group: str) -> bool:
    """Say whether a document of the file ``source`` is kept for measuring."""
    return source in WHOLE + SECTIONS and zlib.crc32(group.encode()) % EVERY == 0


def whole(row: dict, source: str) -> dict:
    """Return the row with the pieces of its section put together and without negatives, which are pieces too."""
    joint = "" if row["lang"] == "zh" else " "
    positives = [joint.join(row["positives"])] if source in SECTIONS else row["positives"]
    return {key: value for key, value in row.items() if key != "negatives"} | {"positives": positives}


def fits(row: dict, lang: str, fewest: int, most: int) -> bool:
    """Say whether a row is in this language and all its passages have so many characters."""
    return row["lang"] == lang and all(fewest <= len(passage) <= most for passage in row["positives"])


def write(file: Path, rows: Iterable[dict]) -> None:
    """Write one row a line; the same rows make the same bytes."""
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    file.write_bytes(gzip.compress(lines.encode(), mtime=0))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("texts", type=Path)
    parser.add_argument("target", type=Path)
    arguments = parser.parse_args()
    arguments.target.mkdir(parents=True, exist_ok=True)
    rows = [
        whole(row, source)
        for source in WHOLE + SECTIONS
        for row in read_rows(arguments.texts / f"{source}.jsonl.gz")
        if held_out(source, row["group"])
    ]
    for name, limits in FILES.items():
        kept = [row for row in rows if fits(row, *limits)]
        write(arguments.target / f"{name}.jsonl.gz", kept)
        passages, documents = {row["positives"][0] for row in kept}, {row["group"] for row in kept}
        print(f"{name}: {len(kept)} questions, {len(passages)} passages, {len(documents)} documents")


if __name__ == "__main__":
    main()
