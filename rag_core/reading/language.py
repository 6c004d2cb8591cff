"""Say which language a text is in, and where its sentences end: one rule for everything that reads one."""

from __future__ import annotations

import re
from bisect import bisect
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from unicodedata import normalize

from rag_core.reading.text import is_within, row_spans

Span = tuple[int, int]
"""Start and end offsets into a text."""

HAN_SHARE = 0.2
"""Han letters among all letters from which a text is Chinese.

A Han letter says as much as about four Latin ones, so at one in five the two languages weigh the same. English reports
with Chinese names stay far below, Chinese ones with English terms far above.
"""


def language_of(*texts: str) -> str:
    """Return ``zh`` when at least HAN_SHARE of all letters of these texts are Han, else ``en``."""
    letters = [letter for text in texts for letter in text if letter.isalpha()]
    han = sum(map(_is_han, letters))
    return "zh" if han and han >= HAN_SHARE * len(letters) else "en"


def _is_han(character: str) -> bool:
    return "\u3400" <= character <= "\u9fff" or "\U00020000" <= character <= "\U0003ffff"


# Languages by name

KNOWN = ("zh", "en")
"""The languages that the bundled models were made for."""

OTHER = "other"
"""Stands for a language whose script is told, but not its name."""

_SCRIPTS = (
    (0x0041, "Latin"),
    (0x0370, "el"),
    (0x0400, "Cyrillic"),
    (0x0530, "hy"),
    (0x0590, "he"),
    (0x0600, "Arabic"),
    (0x0780, ""),
    (0x0900, "hi"),
    (0x0980, "bn"),
    (0x0A00, "pa"),
    (0x0A80, "gu"),
    (0x0B00, ""),
    (0x0B80, "ta"),
    (0x0C00, "te"),
    (0x0C80, "kn"),
    (0x0D00, "ml"),
    (0x0D80, "si"),
    (0x0E00, "th"),
    (0x0E80, "lo"),
    (0x0F00, "bo"),
    (0x1000, "my"),
    (0x10A0, "ka"),
    (0x1100, "ko"),
    (0x1200, "am"),
    (0x13A0, ""),
    (0x1780, "km"),
    (0x1800, "mn"),
    (0x18B0, ""),
    (0x1E00, "Latin"),
    (0x1F00, "el"),
    (0x2000, ""),
    (0x3040, "ja"),
    (0x3100, ""),
    (0x3400, "zh"),
    (0xA000, ""),
    (0xAC00, "ko"),
    (0xD7B0, ""),
    (0xF900, "zh"),
    (0xFB00, "Latin"),
    (0xFB1D, "he"),
    (0xFB50, "Arabic"),
    (0xFF00, "Latin"),
    (0xFF66, "ja"),
    (0xFFA0, ""),
    (0x20000, "zh"),
    (0x40000, ""),
)
"""Where Unicode's scripts begin: each with the language it writes, or by name where it writes several."""

_STARTS = [start for start, _ in _SCRIPTS]

_LETTERS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "Cyrillic": (
        ("kk", "әғқңұһ"),
        ("be", "ў"),
        ("uk", "їєґі"),
        ("mk", "ѓќѕ"),
        ("sr", "ђјљњћџ"),
        ("mn", "өү"),
        ("ru", "ыэё"),
    ),
    "Arabic": (("ur", "ٹڈڑےں"), ("fa", "پچژگ")),
    "Latin": (
        ("vi", "ạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹơư"),
        ("cs", "ěřů"),
        ("hu", "őű"),
        ("pl", "ąęłńśźż"),
        ("tr", "ğış"),
        ("ro", "șță"),
        ("lt", "ėųį"),
        ("lv", "āēīģķļņ"),
    ),
}
"""Letters that one language of a script has and those after it have not."""

_REST = {"Cyrillic": "bg", "Arabic": "ar", "Latin": "en"}
_OWN_LETTERS = 0.01
"""A language has at least this share of the letters that tell it; names in another language's text have less."""

_WORDS: Mapping[str, frozenset[str]] = {
    language: frozenset(words.split())
    for language, words in {
        "en": "the of and to in is that for it was on with as are by this be from or have not which at an you",
        "de": "der die das und in den von zu mit ist nicht des im dem auf für ein eine sich auch es an werden aus",
        "fr": "le la les de des et en un une du que est pour dans qui par sur plus ce il au pas ne sont avec se aux",
        "es": "el la los las de del en que un una es por con para se no al lo como más su sus ha este fue son",
        "pt": "os as de do da dos das em um uma que para com não por se no na ao mais como foi são pelo pela",
        "it": "il la le gli di del della dei delle in un una che per con non si da dal alla nel nella sono più al",
        "ca": "el la els les de del dels en un una que per amb no és al als se més com va són aquest seva pel",
        "ro": "și în de la cu pe care nu este un din al ale pentru mai sau fi au ce se prin sunt lui fost că",
        "nl": "de het een van in is dat te op voor met zijn niet aan er om ook als bij door naar uit wordt deze tot",
        "sv": "och att det en som är på för av med den till inte har de ett om vi från var kan vid så också",
        "da": "og at det en som er på for af med den til ikke har de et om vi fra var kan ved så også blev efter",
        "no": "og at det en som er på for av med den til ikke har de et om vi fra var kan ved så også ble etter",
        "fi": "ja on ei että se oli hän ovat mutta myös kuin joka sen ole tai vuonna jotka mukaan sekä olla jossa",
        "et": "ja on ei et see oli kui ka mis või ta aga oma selle välja ning aasta kes pärast mida poolt",
        "hu": "az és hogy nem is egy volt van ez de csak mint ki még el vagy már amely után több ha azonban százalék",
        "pl": "na do się nie że jest to za od po przez jak dla są oraz ale co tym był która roku przy więcej między",
        "cs": "se na je že do to pro by jako za po ve jsou nebo však který není při jsem také mezi roku více jejich",
        "sk": "sa na je že do to pre by ako za po od vo sú alebo však ktorý nie pri jeho ktorá medzi roku viac tiež",
        "sl": "in je na se da za so ne pa ki po od kot tudi bi iz pri bil ali ter še ni do več leta med lahko",
        "hr": "je na se da za su ne od to kao iz koji što bi po nije te ili ali koja do koje kako godine nego između",
        "lt": "ir kad yra iš su tai buvo ne per jo bet kaip už apie dėl nuo jis pagal iki",
        "lv": "un ir ar no par kas uz bija ka lai tika kā tas arī pēc vai gada bet pie līdz",
        "tr": "ve bir bu da de için ile çok olarak daha olan ne sonra kadar olduğu göre her yüzde yeni var çünkü",
        "vi": "và của là có được cho trong các với không một những người đã này khi từ đến như để năm về trên tại",
        "id": "yang dan di dengan untuk pada dari ini dalam itu tidak adalah akan oleh sebagai juga ke atau karena",
        "tl": "ang ng sa na mga at ay ito para hindi kung siya niya nang may isang ni mula din ako",
        "sw": "ya wa na kwa ni katika la za kuwa hii cha yake kutoka hiyo pia huu kama au wakati",
        "cy": "yn yr ar ei mae gan am wedi oedd ac eu nad sydd hefyd bod ond fel mwy",
    }.items()
}
"""Words that a language cannot do without, a fifth of all that is written in it. One letter alone may be a list's."""

NAMED = {code for _, code in _SCRIPTS if len(code) == 2} | set(_WORDS) | set(_REST.values()) | {OTHER}
NAMED |= {code for letters in _LETTERS.values() for code, _ in letters}
"""What ``name_of`` may return."""

_LEAST_WORDS = 0.1
"""A language has at least this share of these words among all words; lists of names and code have less."""

_LEAST_DIFFERENT = 2

_SAMPLE = 20_000
"""Characters of a text whose words are counted."""

_LATIN_WORD = re.compile(r"[^\W\d_]+")


def name_of(*texts: str) -> str:
    """Return the ISO 639-1 code of the language of these texts together, ``en`` where nothing tells.

    Han, kana and Hangul letters decide from HAN_SHARE on, as in ``language_of``; of other scripts half the letters must
    be.
    """
    scripts = script_letters(texts)
    total, kana = sum(scripts.values()), scripts["ja"]
    east = {"ja": kana + scripts["zh"] if kana >= HAN_SHARE * scripts["zh"] else 0, "ko": scripts["ko"]}
    language = max(east, key=east.__getitem__)
    if east[language] > max(HAN_SHARE * total, scripts["zh"] if language == "ko" else 0):
        return language
    if language_of(*texts) == "zh":
        return "zh"
    script = max(scripts, key=scripts.__getitem__, default="Latin")
    if script != "Latin" and scripts[script] * 2 >= total:
        return _by_letters(script, texts)
    return by_words(" ".join(texts))


def script_letters(texts: Iterable[str]) -> Counter[str]:
    """Count the letters of each script."""
    scripts: Counter[str] = Counter()
    for letter, count in sum(map(Counter, texts), Counter[str]()).items():
        if letter.isalpha():
            scripts[_SCRIPTS[bisect(_STARTS, ord(letter)) - 1][1]] += count
    return scripts


def _by_letters(script: str, texts: Iterable[str]) -> str:
    """Tell the languages of a script by letters that only some of them have."""
    letters = Counter(normalize("NFC", "".join(texts).lower()))
    for language, own in _LETTERS.get(script, ()):
        if sum(letters[letter] for letter in own) > _OWN_LETTERS * letters.total():
            return language
    return _REST.get(script, script) or OTHER


def by_words(text: str) -> str:
    """Return the language of a text in Latin letters whose commonest words, or else whose letters, it has most of."""
    words = _latin_words(text)
    counts = {language: sum(words[word] for word in own) for language, own in _WORDS.items()}
    language = max(counts, key=counts.__getitem__)
    different = sum(word in words for word in _WORDS[language])
    if counts[language] >= _LEAST_WORDS * words.total() and different >= _LEAST_DIFFERENT:
        return language
    return _by_letters("Latin", [text])


def is_running(text: str, language: str) -> bool:
    """Say whether so many words of a text are its language's commonest ones that it is running text."""
    words = _latin_words(text)
    return sum(words[word] for word in _WORDS[language]) >= _LEAST_WORDS * max(words.total(), 1)


def _latin_words(text: str) -> Counter[str]:
    return Counter(_LATIN_WORD.findall(normalize("NFC", text[:_SAMPLE].lower())))


# Sentences

_CLOSERS = "”’」』）》】〉\"')\\]"
_BREAK = re.compile(
    rf"[。！？；…]+[。！？；….!?]*[{_CLOSERS}]*"
    rf"|[!?]+[.!?]*[{_CLOSERS}]*(?=\s|$|[\u3400-\u9fff])"
    rf"|\.+[{_CLOSERS}]*(?=\s|$|[\u3400-\u9fff])"
    r"|\n"
)
_TITLE = re.compile(
    r"(?<![A-Za-z.])(?:Mr|Mrs|Ms|Dr|Prof|St|Messrs|Gen|Gov|Sen|Rep|Hon|vs|cf|e\.g|i\.e|al|viz|resp)\.$", re.IGNORECASE
)
_LABEL = re.compile(
    r"(?<![A-Za-z.])(?:No|Nos|Fig|Figs|Eq|Eqs|Tab|Vol|Sec|Ch|Art|Ref|Refs|pp?|Nr|ca|approx|c"
    r"|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\.$",
    re.IGNORECASE,
)
_INITIAL = re.compile(r"(?<![A-Za-z])(?:[A-Z]\.)+$")
_LONGEST = 24
"""Characters before a point that tell what it is; looking further back would be slow on a page without sentences."""
_LEADER = re.compile(r"\.{4}$|\. \.$")
_ITEM_NUMBER = re.compile(r"(?:\d{1,3}|[A-Za-z]|[ivxIVX]+)(?:\.\d{1,3})*\.")


def sentences(text: str) -> Iterator[Span]:
    """Yield sentences with their end marks; a line's end is a sentence's end, and a span has a letter or a digit.

    The row of a table is one sentence.
    """
    for start, end in _between(text, _sentence_ends(text)):
        start, end = stripped(text, start, end)
        if any(map(str.isalnum, text[start:end])):
            yield start, end


def _sentence_ends(text: str) -> Iterator[int]:
    start, rows = 0, row_spans(text)
    for mark in _BREAK.finditer(text):
        if is_within(mark.start(), rows):
            continue
        if not mark.group().startswith(".") or _is_full_stop(text, start, mark):
            start = mark.end()
            yield start


def _is_full_stop(text: str, start: int, mark: re.Match[str]) -> bool:
    """Say whether a point ends a sentence, or an abbreviation, an initial, an item's number or a row of leaders."""
    following = text[mark.end() : mark.end() + 9].lstrip(" ")[:1]
    before = text[max(start, mark.start() - _LONGEST) : mark.start() + 1].lstrip()
    if following in ("", "\n"):
        return True
    if following == "." or following.islower() or _LEADER.search(text, max(start, mark.end() - _LONGEST), mark.end()):
        return False
    if _is_han(following):
        return not before[-2:-1].isdigit()
    if following.isdigit() and _LABEL.search(before):
        return False
    return not (_ITEM_NUMBER.fullmatch(before) or _TITLE.search(before) or _INITIAL.search(before))


def _between(text: str, ends: Iterable[int]) -> Iterator[Span]:
    start = 0
    for end in chain(ends, [len(text)]):
        yield start, end
        start = end


def stripped(text: str, start: int, end: int) -> Span:
    """Return a span without the white space at its ends; of white space alone it does not start before it ends."""
    piece = text[start:end]
    return end - len(piece.lstrip()), start + len(piece.rstrip())
