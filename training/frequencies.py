"""Count letters and characters: ``python -m training.frequencies TEXTS rag_core/reading/frequencies.json``.

TEXTS is a folder of files as the other steps read, or of ``text`` alone, at any depth. What comes out are counts, which
tell a page's language from what a font without its map gives; no sentence of a source can be read from them.
"""

import argparse
import json
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path

from training.files import read_rows

ENGLISH = {
    "squadshifts_new_wiki": "CC BY 4.0",
    "reqa_squad_train": "CC BY-SA 4.0",
    "fairytaleqa": "Apache-2.0",
    "medquad": "CC BY 4.0",
    "openstax_business_en": "CC BY 4.0",
    "handbook18f_en": "public domain",
}
CHINESE = {
    "cmrc2018_train": "CC BY-SA 4.0",
    "drcd_dev": "CC BY-SA 3.0",
    "laws_zh": "no copyright",
    "gov31_zh": "no copyright",
    "d365ops_zh": "CC BY 4.0",
    "toyhom_med_zh": "MIT",
    "text2vec_bge_ft": "Apache-2.0",
}
"""The sources, with their licences. Each counts for as much as any other; the second Chinese one is traditional."""

CHARACTERS = 400_000
"""So much of each source is counted."""

LETTERS = "_abcdefghijklmnopqrstuvwxyz"
"""The underscore stands for what is before a word and after it."""

COMMON_HAN, COMMON_PAIRS = 4200, 6000
MOST_BITS = 15
SMOOTHING = 5
"""A row of letters is believed as if it had been seen so often with the letters' own frequencies."""

_WORD = re.compile("[a-z]+")
_HAN = re.compile("[㐀-䶿一-鿿]+")


def texts(folder: Path, source: str) -> Iterator[str]:
    """Yield the texts of a source up to ``CHARACTERS``."""
    taken = 0
    for row in read_rows(min(folder.rglob(f"{source}.jsonl.gz"))):
        text = row.get("text") or row["positives"][0]
        yield text
        taken += len(text)
        if taken > CHARACTERS:
            return


def letter_rows(words: Iterable[str]) -> list[str]:
    """Return how many bits a letter costs after two others, as hexadecimal digits, a row for each first letter."""
    counts = [Counter[str]() for _ in range(4)]
    for word in words:
        row = f"__{word}_"
        for end in range(3, len(row) + 1):
            for length in (1, 2, 3):
                counts[length][row[end - length : end]] += 1
    before = {length: _beginnings(counts[length]) for length in (2, 3)}
    total = counts[1].total()

    def bits(row: str) -> int:
        share = (counts[1][row[2]] + 1) / (total + len(LETTERS))
        for length in (2, 3):
            known = row[3 - length :]
            share = (counts[length][known] + SMOOTHING * share) / (before[length][known[:-1]] + SMOOTHING)
        return min(MOST_BITS, round(-math.log2(share)))

    return ["".join(f"{bits(a + b + c):x}" for b in LETTERS for c in LETTERS) for a in LETTERS]


def _beginnings(counts: Counter[str]) -> Counter[str]:
    before: Counter[str] = Counter()
    for row, count in counts.items():
        before[row[:-1]] += count
    return before


def han_by_bits(runs: list[str]) -> dict[str, str]:
    """Return the common characters by how many bits they cost."""
    counts = Counter(character for run in runs for character in run)
    total, by_bits = counts.total(), defaultdict(str)
    for character, count in counts.most_common(COMMON_HAN):
        by_bits[str(round(-math.log2(count / total)))] += character
    return dict(by_bits)


def common_pairs(runs: list[str]) -> list[str]:
    """Return the common pairs: a word for each first character, which all its second ones follow."""
    counts = Counter(first + second for run in runs for first, second in pairwise(run))
    seconds = defaultdict(str)
    for pair, _ in counts.most_common(COMMON_PAIRS):
        seconds[pair[0]] += pair[1]
    return [first + following for first, following in seconds.items()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("texts", type=Path)
    parser.add_argument("output", type=Path)
    arguments = parser.parse_args()
    english = (text for source in ENGLISH for text in texts(arguments.texts, source))
    chinese = (text for source in CHINESE for text in texts(arguments.texts, source))
    runs = [run for text in chinese for run in _HAN.findall(text)]
    figures = {
        "sources": ENGLISH | CHINESE,
        "letters": letter_rows(word for text in english for word in _WORD.findall(text.lower())),
        "han": han_by_bits(runs),
        "pairs": " ".join(common_pairs(runs)),
    }
    arguments.output.write_text(json.dumps(figures, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
