"""Eight lessons, and what the comparison on screen has to say to each.

Every rule looks at the surface alone: ranks, scores, and characters that question and chunk share. It can say that a
chunk which rose contains the year that was asked for; whether it rose for that reason, no rule can know.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from rag_core.datatypes import Chunk, Comparison, Move

NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
YEAR = re.compile(r"(?:19|20)\d\d")
WORD = re.compile(r"[A-Za-z]{4,}")
HAN = re.compile(r"[\u3400-\u9fff]+")
ASKS_FOR_A_FIGURE = re.compile(r"how (?:much|many|long|far|fast|old|often)|几|多少|多久|多长|多大|多高|何时|比例", re.I)
COMMON = frozenset(
    re.findall(
        r"\S+",
        "about after also been does from have into made many more most much over shall should than that their them then"
        " there these they this those were what when where which while whom whose will with would your"
        " 什么 多少 怎么 怎样 哪个 哪些 哪里 为什 是什 主要 可以 现在 如何 还有 没有 时候",
    )
)
"""Words too common to tie a text to a question."""

LONGEST = 8
"""Characters of the longest run of Han characters that is looked for; longer ones would only take time."""

RISE, FALL = 3, 3
"""Fewer places than these are too little to make a lesson of."""


@dataclass(frozen=True, slots=True)
class Fact:
    """What a comparison shows of a lesson.

    ``case`` names the rule that held; ``none`` says that the comparison holds no case. ``chunk`` is the chunk it is
    about.
    """

    lesson: str
    case: str
    values: Mapping[str, object] = field(default_factory=dict)
    chunk: Chunk | None = None


def facts(comparison: Comparison, relevant: Collection[str] | None = None) -> list[Fact]:
    """Return one fact for each lesson, in their order.

    ``relevant`` are the ids of the chunks that answer, or None where nobody has judged.
    """
    rules: tuple[Rule, ...] = (embedding, tail, reading, scores, harm, expansion, depth, judging)
    return [rule(comparison, relevant) for rule in rules]


Rule = Callable[[Comparison, Collection[str] | None], Fact]


def _places(move: Move) -> dict[str, object]:
    return {"page": move.chunk.page, "before": move.before, "after": move.after, "places": abs(move.delta)}


def embedding(comparison: Comparison, _: Collection[str] | None) -> Fact:
    """Find the chunk of the vector's first that fell the most: near in subject, and no answer to the cross-encoder."""
    first = [move for move in comparison.moves if move.before <= comparison.cutoff and move.delta <= -FALL]
    if not first or comparison.order == "bm25":
        return Fact("embedding", "none", {"k": comparison.cutoff})
    fallen = min(first, key=lambda move: move.delta)
    return Fact("embedding", "fell", _places(fallen), fallen.chunk)


def tail(comparison: Comparison, _: Collection[str] | None) -> Fact:
    """Find the deepest chunk that entered the cutoff from beyond twice the cutoff."""
    deep = [move for move in comparison.entered if move.before > 2 * comparison.cutoff]
    if not deep:
        return Fact("tail", "none", {"k": comparison.cutoff, "edge": 2 * comparison.cutoff})
    rescued = max(deep, key=lambda move: move.before)
    return Fact("tail", "rescued", {**_places(rescued), "k": comparison.cutoff}, rescued.chunk)


def reading(comparison: Comparison, _: Collection[str] | None) -> Fact:
    """Find, among those that now reach the first places, the highest riser with a visible tie to the question."""
    risers = [move for move in comparison.moves if move.after <= comparison.cutoff and move.delta >= RISE]
    for tie in (number_asked_for, figure, words_shared):
        for move in sorted(risers, key=lambda move: -move.delta):
            if evidence := tie(comparison.query, move.chunk.passage):
                return Fact("reading", tie.__name__, {**_places(move), "found": evidence}, move.chunk)
    if risers:
        best = max(risers, key=lambda move: move.delta)
        return Fact("reading", "no_tie", _places(best), best.chunk)
    return Fact("reading", "none", {"rise": RISE})


def number_asked_for(query: str, text: str) -> str:
    """Return the first number of the question that stands in the text too."""
    there = set(NUMBER.findall(text))
    return next((number for number in NUMBER.findall(query) if number in there), "")


def figure(query: str, text: str) -> str:
    """Return the first figure of the text that is no bare year, where the question asks for one."""
    if not ASKS_FOR_A_FIGURE.search(query):
        return ""
    return next((number for number in NUMBER.findall(text) if not YEAR.fullmatch(number)), "")


def words_shared(query: str, text: str) -> str:
    """Return the longest word, or run of two Han characters or more, that question and text share."""
    text = text.lower()
    words = [word for word in WORD.findall(query.lower()) if word in WORD.findall(text)]
    runs = [run[i : i + n] for run in HAN.findall(query) for i in range(len(run)) for n in range(2, LONGEST + 1)]
    shared = [word for word in (*words, *(run for run in runs if len(run) > 1 and run in text)) if word not in COMMON]
    return max(shared, key=len, default="")


def scores(comparison: Comparison, _: Collection[str] | None) -> Fact:
    """Take the two scores of the cross-encoder's first chunk, and the cosine of the last candidate."""
    first, last = comparison.moves[0], comparison.before.hits[-1]
    values = {
        "page": first.chunk.page,
        "score": first.after_score,
        "scale": comparison.scale,
        "vector": first.before_score,
        "last": last.score,
        "candidates": len(comparison.before),
    }
    case = "fused" if comparison.order != "vector" else "negative" if first.after_score < 0 else "positive"
    return Fact("scores", case, values, first.chunk)


def harm(comparison: Comparison, relevant: Collection[str] | None) -> Fact:
    """Find a chunk that answers and fell; where nobody has judged, the one that fell furthest out of the cutoff."""
    fallen = [move for move in comparison.moves if move.delta < 0]
    if relevant is not None:
        wronged = [move for move in fallen if move.chunk.id in relevant]
        worst = min(wronged, key=lambda move: (-(move in comparison.left), move.delta), default=None)
        case = "none_judged" if worst is None else "left_judged" if worst in comparison.left else "fell_judged"
    else:
        worst = min(comparison.left, key=lambda move: move.delta, default=None)
        case = "none" if worst is None else "left"
    values = {"k": comparison.cutoff, **(_places(worst) if worst else {})}
    return Fact("harm", case, values, worst.chunk if worst else None)


def expansion(comparison: Comparison, _: Collection[str] | None) -> Fact:
    """Count the candidates that only an expansion found, and those of them that reached the cutoff."""
    if not comparison.expansions:
        return Fact("expansion", "none")
    new = [move for move in comparison.moves if _found_without_the_question(comparison, move.chunk.id)]
    helped = [move for move in new if move.after <= comparison.cutoff]
    values = {"queries": len(comparison.expansions) + 1, "new": len(new), "k": comparison.cutoff}
    if not helped:
        return Fact("expansion", "cost", values)
    return Fact("expansion", "helped", {**values, **_places(helped[0])}, helped[0].chunk)


def _found_without_the_question(comparison: Comparison, chunk_id: str) -> bool:
    return all(entry.origin != "question" for entry in comparison.ledger[chunk_id])


def depth(comparison: Comparison, _: Collection[str] | None) -> Fact:
    """Name the depth that would have been enough for the first places, beside the one that was paid for."""
    deepest = max((move for move in comparison.moves if move.after <= comparison.cutoff), key=lambda move: move.before)
    pairs = len(comparison.moves)
    milliseconds = 1000 * comparison.timings.get("rerank", 0.0) / pairs
    values = {**_places(deepest), "k": comparison.cutoff, "pairs": pairs, "milliseconds": milliseconds}
    if deepest.before <= comparison.cutoff:
        return Fact("depth", "all", values)
    return Fact("depth", "enough", values, deepest.chunk)


def judging(comparison: Comparison, relevant: Collection[str] | None) -> Fact:
    """Count the chunks that answer in both first places, or those to read where nobody has judged."""
    if relevant is None:
        return Fact("judging", "none", {"new": len(comparison.entered), "k": comparison.cutoff})
    answers = [move for move in comparison.moves if move.chunk.id in relevant]
    values = {
        "relevant": len(answers),
        "k": comparison.cutoff,
        "before": sum(move.before <= comparison.cutoff for move in answers),
        "after": sum(move.after <= comparison.cutoff for move in answers),
    }
    return Fact("judging", "judged" if answers else "not_found", values)


NAMES = ("embedding", "tail", "reading", "scores", "harm", "expansion", "depth", "judging")
