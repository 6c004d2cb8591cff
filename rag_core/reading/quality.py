"""Say whether the text of a page is what was printed on it: good, doubtful or unreadable, and why.

An extractor raises no error when a font lacks its map or a page is a photograph; it returns signs that nobody wrote, or
nothing. All of this is read off the text itself, so any extractor's text can be judged and the better one taken.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import astuple, replace
from itertools import pairwise
from typing import Any

from rag_core.datatypes import Extract, Quality

GOOD, DOUBTFUL, UNREADABLE = VERDICTS = ("good", "doubtful", "unreadable")

REASONS = (
    "image_only",
    "replacement",
    "private",
    "unlikely",
    "uncommon",
    "symbols",
    "columns",
    "repeats",
    "vertical",
    "spaced",
    "glued",
    "blank",
)

FEW = 10
"""Fewer letters and figures than this are no text, beside a picture that fills the page."""

ENOUGH = 60
"""From so many Han characters, or Latin letters, on, it means something how they are spread."""

SIGNS = {DOUBTFUL: 0.01, UNREADABLE: 0.2}
"""From these shares on, replacement characters and the like make a page doubtful, or unreadable."""

SPACED = 0.1
"""A tenth of the Han characters stands apart from the next ones: the typesetter's gaps became spaces."""

GLUED = 0.15
"""So many of the letters stand in words that nobody writes: the spaces are lost."""

LONGEST_WORD = 24

JOINT = 4
"""So many characters on either side of a line's end show that the line goes on there."""

SYMBOLS = 0.25
"""With more signs than this that are neither letters, figures nor punctuation, a page is no text."""

COMMON_HAN = frozenset(
    "的一是不了在人有我他这这这大来上国个到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可她里后小么心多天"
    "而能好都然没日于起还发成事只作当想看文无开手十用主行方又如前所本见经头面公同三已老从动两长知民样现分将外但身些与高"
    "意进把法此实回二理美点月明其种声全工己话儿者向情部正名定女问力机给等几很业最间新什打便位因重被走电四第门相次东政海"
    "口使教西再平真听世气信北少关并内加化由却代军产入先山五太水万市眼体别处总才场师书比住员九笑性通目华报立马命张活难神"
    "数件安表原车白应路期叫死常提感金何更反合放做系计或司利受光王果亲界及今京务制解各任至清物台象记边共风战干接它许八特"
    "觉望直服毛林题建南度统色字请交爱让认算论百吃义科怎元社术结六功指思非流每青管夫连远资队跟带花快条院变联言权往展该领"
    "传近留红治决周保达办运武半候七必城父强步完革深区即求品士转量空甚众技轻程告江语英基派满式李息写呢识极令黄德收脸钱党"
    "倒未持取设始版双历越史商千片容研像找友孩站广改议形委早房音火际则首单据导影失拿网香似斯专石若兵弟谁校读志飞观争究包"
    "這來國個說們為時會學對後過還發當開見經頭長現實種聲話從動兩樣將與進點問機給幾業間東電門關內產車應報馬張難數係計總場"
    "師書華親務記邊戰幹接許覺統請愛讓論義術結資隊帶條變聯權傳紅遠連運達辦歷轉輕語滿識極錢黨設雙據網專觀爭"
    "亿元增推市增区城企规划投项服务创育医疗款第章节条例"
)
"""The characters that make up half of any Chinese text, simplified and traditional."""

COMMON_HAN_SHARE = 0.12
"""With fewer common ones among its Han characters, a page is not Chinese: a font's numbers were taken for text."""

VOWEL_SHARE = (0.2, 0.6)
"""The share of vowels among the letters of any language that uses Latin letters lies between these."""

_MISREAD = re.compile(
    r"锟斤拷|锟|烫烫烫|屯屯屯|ï¿½|ï»¿"
    r"|[\u00c2\u00c3\u00e2][\u0080-\u00bf\u20ac\u2122\u0153\u017e\u2018-\u201d]"  # UTF-8 read as Latin-1: Ã©, â€™
    r"|[\u00e4-\u00e9][\u00a0-\u00bf\u0152-\u0178\u2010-\u203a]{1,2}"  # ä¸­ for 中
    r"|[鐨勭殑鍦ㄤ簡鏄绗鍜锛銆鈥涓枃]{3,}"  # UTF-8 read as GBK: 鐨 for 的
    r"|\(cid:\d+\)|/g\d{1,4}\b|/uni[0-9A-F]{4}\b"
)
_HAN = re.compile(r"[㐀-䶿一-鿿]")
_RARE_HAN = re.compile(r"[㐀-䶿\U00020000-\U000323af]")
_SPLIT = re.compile(r"(?:[㐀-䶿一-鿿]{1,2}[ \u3000]+){3,}[㐀-䶿一-鿿]{1,2}")
_LETTERS = re.compile(r"[A-Za-z]+")
_UNLIKELY = frozenset({"Cn", "Cs", "Cc"})
_EXPECTED = frozenset("\n\t\r\f\x02\ufffe")
"""Control characters that extractors write for white space and for a hyphen at a line's end."""

_PUNCTUATION = frozenset(
    ".,;:!?'\"()[]/-–—…·•%&@#*+=<>|_~，。；：！？、“”‘’（）《》〈〉【】「」『』％～￥$€£¥°×±→●○■□◆▲▼①②③④⑤⑥⑦⑧⑨⑩"
)


def assess(text: str, marks: Collection[str] = (), raw: str | None = None) -> Quality:
    """Judge a page by its text and what it shows: ``pictures``, ``drawn``, ``columns``, ``vertical``.

    ``raw`` is the text as it was extracted; cleaning takes away the very signs that give a bad text away.
    """
    raw = text if raw is None else raw
    written = [character for character in raw if not character.isspace()]
    total = max(len(written), 1)
    shares = {
        "replacement": written.count("\ufffd") / total,
        "private": sum(unicodedata.category(character) == "Co" for character in written) / total,
        "unlikely": unlikely(raw) / total,
    }
    spaced = spaced_share(text)
    faults = {reason: _grave(share) for reason, share in shares.items() if share >= SIGNS[DOUBTFUL]}
    faults |= _odd(text)
    faults |= _shown(len(written), sum(map(str.isalnum, text)), marks)
    if spaced >= SPACED:
        faults["spaced"] = DOUBTFUL
    reasons = tuple(sorted(faults, key=lambda reason: -VERDICTS.index(faults[reason])))
    verdict = max(faults.values(), key=VERDICTS.index, default=GOOD)
    characters = sum(not character.isspace() for character in text)
    return Quality(characters, **shares, spaced=spaced, verdict=verdict, reasons=reasons)


def doubt(quality: Quality, reason: str) -> Quality:
    """Return the quality with a reason to doubt it."""
    verdict = max(quality.verdict, DOUBTFUL, key=VERDICTS.index)
    return replace(quality, verdict=verdict, reasons=(*quality.reasons, reason))


def _grave(share: float) -> str:
    return UNREADABLE if share >= SIGNS[UNREADABLE] else DOUBTFUL


def unlikely(text: str) -> int:
    """Count the characters that no text holds: unassigned ones, and what a wrong encoding turns text into."""
    odd = sum(unicodedata.category(character) in _UNLIKELY and character not in _EXPECTED for character in text)
    return odd + sum(len(piece) for piece in _MISREAD.findall(text))


def spaced_share(text: str) -> float:
    """Return the share of the Han characters that stand alone, or two by two, in a row of at least four such."""
    han = len(_HAN.findall(text))
    split = sum(len(_HAN.findall(run)) for run in _SPLIT.findall(text))
    return split / han if han >= FEW else 0.0


def _odd(text: str) -> dict[str, str]:
    """Say what is odd about the spread of signs, letters and words, and how grave it is."""
    return _odd_signs(text) | _odd_han(text) | _odd_vowels(text) | _odd_words(text)


def _odd_signs(text: str) -> dict[str, str]:
    signs = [character for character in text if not character.isspace()]
    strange = sum(not character.isalnum() and character not in _PUNCTUATION for character in signs)
    return {"symbols": DOUBTFUL} if len(signs) >= FEW and strange >= SYMBOLS * len(signs) else {}


def _odd_han(text: str) -> dict[str, str]:
    """Say whether the Han characters are others than those that any Chinese text is made of."""
    han = _HAN.findall(text)
    if len(han) < ENOUGH:
        return {}
    common = sum(character in COMMON_HAN for character in han) / len(han)
    rare = len(_RARE_HAN.findall(text)) / len(han)
    if common >= COMMON_HAN_SHARE and rare <= COMMON_HAN_SHARE:
        return {}
    return {"uncommon": UNREADABLE if common < COMMON_HAN_SHARE / 2 else DOUBTFUL}


def _odd_vowels(text: str) -> dict[str, str]:
    """Say whether a text of Latin letters, more than Han characters, has a share of vowels that no language has."""
    letters = "".join(_LETTERS.findall(text)).lower()
    if len(letters) < ENOUGH or len(letters) <= len(_HAN.findall(text)):
        return {}
    fewest, most = VOWEL_SHARE
    vowels = sum(letter in "aeiouy" for letter in letters) / len(letters)
    return {} if fewest <= vowels <= most else {"uncommon": DOUBTFUL}


def _odd_words(text: str) -> dict[str, str]:
    """Say whether the spaces between Latin words are lost."""
    lengths = [len(word) for word in _LETTERS.findall(text)]
    if sum(lengths) < ENOUGH:
        return {}
    glued = sum(length for length in lengths if length > LONGEST_WORD) / sum(lengths)
    return {"glued": DOUBTFUL} if glued >= GLUED else {}


def _shown(characters: int, words: int, marks: Collection[str]) -> dict[str, str]:
    """Judge what a page shows against how much text there is."""
    if words < FEW and {"pictures", "drawn"} & set(marks):
        return {"image_only": UNREADABLE}
    if not characters:
        return {"blank": GOOD}
    return {"vertical": DOUBTFUL} if "vertical" in marks else {}


def is_interleaved(text: str, columns: str) -> bool:
    """Say whether a page of two columns was read across them: the ends of most lines go on elsewhere.

    ``columns`` is the text with a line break at the end of each printed line, one column after the other.
    """
    whole, lines = "".join(text.split()), ["".join(line.split()) for line in columns.split("\n")]
    long = (pair for pair in pairwise(lines) if min(map(len, pair)) >= JOINT)
    joints = [upper[-JOINT:] + lower[:JOINT] for upper, lower in long]
    return len(joints) >= FEW and sum(joint in whole for joint in joints) * 2 < len(joints)


def dump(extracts: Mapping[str, Extract]) -> str:
    """Write a page's extracts as JSON."""
    rows = {name: [extract.text, *astuple(extract.quality), extract.faults] for name, extract in extracts.items()}
    return json.dumps(rows)


def load(text: str) -> dict[str, Extract]:
    """Read what ``dump`` wrote."""
    return {name: _extract(row) for name, row in json.loads(text).items()}


def _extract(row: Sequence[Any]) -> Extract:
    text, characters, replacement, private, improbable, spaced, verdict, reasons, *faults = row
    quality = Quality(characters, replacement, private, improbable, spaced, verdict, tuple(reasons))
    return Extract(text, quality, *faults)
