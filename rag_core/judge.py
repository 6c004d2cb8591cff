"""Say which chunks answer a question: graded spans of text, and what they mean for chunks of any cut.

A judgment names words on a page and not a chunk, so it outlives another chunking, another embedder and another reading
of the PDF. A span counts for a chunk when they share at least half of the shorter of the two: a window that holds the
sentence, or a clause inside it. A chunk that only touches a span stays unjudged by it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median_low

from rag_core.datatypes import Chunk, Judgment, Page, Qrels, Span

GRADES = (0, 1, 2)
"""Does not answer, answers in part, answers."""

RELEVANT = 1
"""The lowest grade that counts as relevant where a measure knows only yes and no."""

ENOUGH = 0.5

Place = tuple[int, int, int]
"""Page number, start and end."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What judgments say of chunks. ``lost`` are those whose words are no longer in the document.

    ``disputed`` counts pairs of question and chunk on which two judges differ; the lower median of their grades stands.
    """

    qrels: Qrels
    lost: tuple[Judgment, ...] = ()
    disputed: int = 0

    @property
    def answerable(self) -> list[str]:
        """Return the questions with at least one relevant chunk; only these can be measured."""
        return [question for question, grades in self.qrels.items() if max(grades.values(), default=0) >= RELEVANT]


def span_of(chunk: Chunk) -> Span:
    """Return the span that judging this chunk judges."""
    return Span(chunk.page, chunk.start, chunk.text, chunk.doc_id)


def apply(judgments: Iterable[Judgment], pages: Sequence[Page], chunks: Sequence[Chunk]) -> Judged:
    """Carry judgments over to chunks.

    For each judge a chunk has the highest grade among that judge's spans that count for it.
    """
    by_page: dict[int, list[Chunk]] = {}
    for chunk in chunks:
        by_page.setdefault(chunk.page, []).append(chunk)
    grades: dict[str, dict[str, dict[str, int]]] = {}
    lost = []
    for judgment in latest(judgments):
        place = locate(judgment.span, pages)
        if place is None:
            lost.append(judgment)
            continue
        of_question = grades.setdefault(judgment.question, {})
        for chunk in by_page.get(place[0], ()):
            if share(chunk, place) >= ENOUGH:
                by_judge = of_question.setdefault(chunk.id, {})
                by_judge[judgment.judge] = max(by_judge.get(judgment.judge, 0), judgment.grade)
    qrels = {
        question: {chunk_id: median_low(by_judge.values()) for chunk_id, by_judge in of_question.items()}
        for question, of_question in grades.items()
    }
    several = [by_judge for of_question in grades.values() for by_judge in of_question.values()]
    return Judged(qrels, tuple(lost), sum(len(set(by_judge.values())) > 1 for by_judge in several))


def together(parts: Sequence[Judged]) -> Judged:
    """Join what judgments say of the chunks of several documents; lost are those whose words none of them holds."""
    qrels: dict[str, dict[str, int]] = {}
    for part in parts:
        for question, grades in part.qrels.items():
            qrels.setdefault(question, {}).update(grades)
    missed = Counter(one for part in parts for one in part.lost)
    lost = [one for one, count in missed.items() if one.span.doc_id or count == len(parts)]
    return Judged(qrels, tuple(lost), sum(part.disputed for part in parts))


def latest(judgments: Iterable[Judgment]) -> list[Judgment]:
    """Return each judge's last word on each question and span."""
    return list({(one.question, one.span, one.judge): one for one in judgments}.values())


def share(chunk: Chunk, place: Place) -> float:
    """Return how much of the shorter of the two, chunk or span, both have in common, in [0, 1]."""
    page, start, end = place
    common = min(chunk.end, end) - max(chunk.start, start)
    shorter = min(chunk.end - chunk.start, end - start)
    return max(common, 0) / shorter if page == chunk.page and shorter else 0.0


def locate(span: Span, pages: Sequence[Page]) -> Place | None:
    """Find a span's words: where they stood, else nearest to there on the page, else on the nearest other page.

    White space may differ, since another reading of the PDF breaks lines elsewhere. None when the words are gone.
    """
    pattern = _pattern(span.quote)
    if pattern is None:
        return None
    for page in sorted(pages, key=lambda page: abs(page.number - span.page)):
        found = [match.span() for match in pattern.finditer(page.text)]
        if found:
            start, end = min(found, key=lambda place: abs(place[0] - span.start) if page.number == span.page else 0)
            return page.number, start, end
    return None


def _pattern(quote: str) -> re.Pattern[str] | None:
    characters = [re.escape(character) for character in quote if not character.isspace()]
    return re.compile(r"\s*".join(characters)) if characters else None
