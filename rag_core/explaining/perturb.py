"""Change a text in one way at a time, so that a reader sees what each model notices.

The rules are a few lines each and know no grammar: they make a text wrong on purpose, and the reader can go on by hand.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence

from rag_core.explaining.units import Span, words
from rag_core.reading.language import language_of

SEED = 3

# Negation

NEGATED_ZH = re.compile(r"没有|并非|不是|未能|尚未|不(?=[\u3400-\u9fff])|未(?=[\u3400-\u9fff])")
VERB_ZH = re.compile(
    r"(?<![不没未])(?:是(?!否)|能够|可以|应当|将|会(?![议计员展])|完成|达到|增长|提高|提升|下降|减少|超过|实现|建成|开工|交付|通过|发生|来自|集中|位于|实行|取消)"
)
NEGATED_EN = re.compile(r"\b(?:not|never|no longer) |n['’]t\b")
VERB_EN = re.compile(r"\b(?:is|are|was|were|has|have|had|will|would|can|could|should|must|may|did|does|do)\b(?! not)")
DENIED = {"zh": "以下说法不属实：", "en": "It is not true that "}


def negate(text: str) -> str:
    """Take a negation out, else put one before the first verb that is known, else deny the whole."""
    han = language_of(text) == "zh"
    negated, verb = (NEGATED_ZH, VERB_ZH) if han else (NEGATED_EN, VERB_EN)
    if negated.search(text):
        return negated.sub("", text, count=1)
    if verb.search(text):
        return verb.sub(lambda match: _negated(match.group(), han), text, count=1)
    return DENIED["zh"] + text if han else DENIED["en"] + text[:1].lower() + text[1:]


def _negated(verb: str, han: bool) -> str:
    if not han:
        return f"{verb} not"
    return f"不{verb}" if verb[0] in "是能可应会将" else f"没有{verb}"


# Numbers and dates

MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
YEAR = re.compile(r"(?<![\d.,])(?:19|20)\d\d(?![\d%‰]|[.,]\d)")
DAY_ZH = re.compile(r"(?<!\d)(\d{1,2})(?=[月日号])")
MONTH_EN = re.compile(rf"\b(?:{'|'.join(MONTHS)})\b")
NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


def swap_number(text: str) -> str | None:
    """Change every digit of the first number that is no date."""
    dates = [match.span() for date in (YEAR, DAY_ZH) for match in date.finditer(text)]
    for match in NUMBER.finditer(text):
        if not any(start <= match.start() < end for start, end in dates):
            return text[: match.start()] + _other_number(match.group()) + text[match.end() :]
    return None


def _other_number(number: str) -> str:
    # A leading digit stays one; 8.2 becomes 4.5.
    shifted = [str((int(digit) + 2) % 9 + 1) if digit.isdigit() else digit for digit in number]
    return "".join(shifted)


def swap_date(text: str) -> str | None:
    """Move the first date: a year by three back, a month or day to another one."""
    rules: Sequence[tuple[re.Pattern[str], Callable[[str], str]]] = (
        (YEAR, lambda year: str(int(year) - 3)),
        (MONTH_EN, lambda month: MONTHS[(MONTHS.index(month) + 5) % 12]),
        (DAY_ZH, lambda day: str((int(day) + 4) % 12 + 1)),
    )
    dates = [(match.start(), match.end(), rule) for date, rule in rules for match in date.finditer(text)]
    if not dates:
        return None
    start, end, rule = min(dates, key=lambda place: place[0])
    return text[:start] + rule(text[start:end]) + text[end:]


# Names

_NO_NAME = "的了是在和与及从到对于把被由为这那各全本该我个每并将向往使其有等省市区县"
NAME_ZH = re.compile(
    rf"(?:(?![{_NO_NAME}])[\u3400-\u9fff]){{2,3}}(?=(?:公司|集团|大学|医院|银行|水库|机场|[省市区县镇乡村港河湖路]))"
)
_NOT_NAMES = rf"{'|'.join(MONTHS)}|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday|I|The|A|An"
NAME_EN = re.compile(rf"(?<=[a-z,;] )(?!(?:{_NOT_NAMES})\b)[A-Z][a-z]+(?: [A-Z][a-z]+)*")
OTHER_NAMES = {"zh": ("临江", "北岭"), "en": ("Ashford", "Redfield")}


def swap_name(text: str) -> str | None:
    """Put another name for the first place, firm or person that looks like one, wherever it stands."""
    han = language_of(text) == "zh"
    match = (NAME_ZH if han else NAME_EN).search(text)
    if not match:
        return None
    [other] = [name for name in OTHER_NAMES["zh" if han else "en"] if name not in match.group()][:1]
    return text.replace(match.group(), other)


# Order


def shuffle_words(text: str) -> str:
    """Put the words into another order, the same one each time; marks stay where they were."""
    spans = words(text)
    order = random.Random(SEED).sample(spans, len(spans))
    pieces, last = [], 0
    for (start, end), (first, stop) in zip(spans, order, strict=True):
        pieces += [text[last:start], text[first:stop]]
        last = end
    return "".join([*pieces, text[last:]])


CHANGES: dict[str, Callable[[str], str | None]] = {
    "negate": negate,
    "number": swap_number,
    "date": swap_date,
    "name": swap_name,
    "shuffle": shuffle_words,
}


def change(text: str, kind: str, focus: Sequence[Span] = ()) -> str | None:
    """Change the first of these spans that can be changed so, else the text; None where there is nothing to change.

    Words are shuffled in the whole text.
    """
    rule = CHANGES[kind]
    for start, end in () if kind == "shuffle" else focus:
        changed = rule(text[start:end])
        if changed not in (None, text[start:end]):
            return text[:start] + changed + text[end:]
    changed = rule(text)
    return None if changed == text else changed
