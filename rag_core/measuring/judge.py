"""Say which chunks answer a question: graded spans of text, and what they mean for chunks of any cut.

A judgment names words on a page and not a chunk, so it outlives another chunking, another embedder and another reading
of the PDF. A span counts for a chunk when they share at least half of the shorter of the two: a window that holds the
sentence, or a clause inside it. A chunk that only touches a span stays unjudged by it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from statistics import median_low

from rag_core.datatypes import Chunk, Document, Judgment, Page, Place, Qrels, Span
from rag_core.reading.fold import Folded, for_quotes

GRADES = (0, 1, 2)
"""Does not answer, answers in part, answers."""

RELEVANT = 1
"""The lowest grade that counts as relevant where a measure knows only yes and no."""

ENOUGH = 0.5


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


def apply(judgments: Iterable[Judgment], documents: Sequence[Document], chunks: Sequence[Chunk]) -> Judged:
    """Carry judgments over to chunks of these documents.

    For each judge a chunk has the highest grade among that judge's spans that count for it.
    """
    stand = {judgment: _settled(judgment, documents) for judgment in latest(judgments)}
    lost = tuple(judgment for judgment, places in stand.items() if not places)
    return carry([place for places in stand.values() for place in places], chunks, lost)


def settle(judgments: Iterable[Judgment], documents: Sequence[Document]) -> list[Judgment]:
    """Return judgments with their words as they stand on the pages now; those whose words are gone are left out."""
    return [place for judgment in latest(judgments) for place in _settled(judgment, documents)]


def assign(judgments: Iterable[Judgment], documents: Sequence[Document]) -> Iterator[tuple[str, Judgment]]:
    """Yield each judgment with the id of the document it is about.

    One that names none of them is about every one that holds its words; where none does, the first has it, as lost.
    """
    for judgment in judgments:
        about = [place.span.doc_id for place in _settled(judgment, documents)] or [documents[0].id]
        named = judgment.span.doc_id in {document.id for document in documents}
        for doc_id in [judgment.span.doc_id] if named else about:
            yield doc_id, judgment


def _settled(judgment: Judgment, documents: Sequence[Document]) -> list[Judgment]:
    """Return the judgment once for each document that holds its words, or for the one it names."""
    return [replace(judgment, span=span) for span in spans(judgment.span, documents)]


def spans(span: Span, documents: Sequence[Document]) -> Iterator[Span]:
    """Yield where a span's words stand now, once for each document that holds them, or for the one it names."""
    named = [document for document in documents if document.id == span.doc_id]
    places = ((document, locate(span, document.pages)) for document in named or documents)
    yield from (span_at(document, place) for document, place in places if place)


def span_at(document: Document, place: Place) -> Span:
    """Return the words at a place as they stand there."""
    number, start, end = place
    text = next(page.text for page in document.pages if page.number == number)
    return Span(number, start, text[start:end], document.id)


def news(arrived: Iterable[Judgment], held: Iterable[Judgment], own: str = "") -> list[Judgment]:
    """Return what judgments from elsewhere say that those held here do not.

    Another judge's later word counts. Where somebody here judged the same span without a name or as ``own``, what is
    held stands: it may be newer than what was once sent away.
    """
    kept = {_words(judgment): judgment for judgment in latest(held)}
    asked = [(judgment, kept.get(_words(judgment))) for judgment in latest(arrived)]
    return [
        judgment
        for judgment, old in asked
        if old is None or (old.grade != judgment.grade and judgment.judge not in ("", own))
    ]


def _words(judgment: Judgment) -> tuple[object, ...]:
    """Name what was judged by its words alone: elsewhere the same document has another id."""
    span = judgment.span
    return judgment.question, span.page, span.start, span.quote, judgment.judge


def carry(settled: Iterable[Judgment], chunks: Sequence[Chunk], lost: Sequence[Judgment] = ()) -> Judged:
    """Carry judgments over to chunks, taken at their word about where they stand; ``lost`` stand nowhere.

    A judgment of any place of a candidate's words is one of the candidate.
    """
    near = by_page(chunks)
    grades: dict[str, dict[str, dict[str, int]]] = {}
    for judgment in settled:
        span, of_question = judgment.span, grades.setdefault(judgment.question, {})
        end = span.start + len(span.quote)
        for chunk in near.get((span.doc_id, span.page), ()):
            if chunk.shares(span.page, span.start, end) >= ENOUGH:
                by_judge = of_question.setdefault(chunk.id, {})
                by_judge[judgment.judge] = max(by_judge.get(judgment.judge, 0), judgment.grade)
    qrels = {
        question: {chunk_id: median_low(by_judge.values()) for chunk_id, by_judge in of_question.items()}
        for question, of_question in grades.items()
    }
    several = [by_judge for of_question in grades.values() for by_judge in of_question.values()]
    return Judged(qrels, tuple(lost), sum(len(set(by_judge.values())) > 1 for by_judge in several))


def by_page(chunks: Iterable[Chunk]) -> dict[tuple[str, int], list[Chunk]]:
    """Return the chunks of each page of each document, in their order."""
    pages: dict[tuple[str, int], list[Chunk]] = {}
    for chunk in chunks:
        for page in chunk.pages:
            pages.setdefault((chunk.doc_id, page), []).append(chunk)
    return pages


def latest(judgments: Iterable[Judgment]) -> list[Judgment]:
    """Return each judge's last word on each question and span."""
    return list({(judgment.question, judgment.span, judgment.judge): judgment for judgment in judgments}.values())


def locate(span: Span, pages: Sequence[Page]) -> Place | None:
    """Find a span's words: where they stood, else nearest to there on the page, else on the nearest other page.

    They may be written in another way (``reading.fold``): a viewer copies other quotation marks, hyphens and spaces,
    and another reading of the PDF breaks lines elsewhere. None when the words are gone.
    """
    page = page_of(span, pages)
    return place_on(span, page) if page else None


def page_of(span: Span, pages: Sequence[Page]) -> Page | None:
    """Return the page that holds a span's words: its own, or else the nearest."""
    words, near = letters(span.quote), sorted(pages, key=lambda page: abs(page.number - span.page))
    return next((page for page in near if words in letters(page.text)), None) if words else None


def place_on(span: Span, page: Page) -> Place:
    """Return where on a page that holds them a span's words stand: nearest to where they did, or first."""
    places = _places(letters(span.quote), page.text)
    start, end = min(places, key=lambda place: abs(place[0] - span.start) if page.number == span.page else 0)
    return page.number, start, end


@lru_cache(maxsize=4096)
def letters(text: str) -> str:
    """Return what is looked for in pages, and what pages hold: each is folded once for all judgments."""
    return for_quotes(text).text


def _places(words: str, text: str) -> list[tuple[int, int]]:
    page = _folded(text)
    starts = (match.start() for match in re.finditer(f"(?={re.escape(words)})", page.text))
    return [page.span(start, start + len(words)) for start in starts]


@lru_cache(maxsize=64)
def _folded(text: str) -> Folded:
    """Return a page as it is looked through; many spans of one are looked for together."""
    return for_quotes(text)
