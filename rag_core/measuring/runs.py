"""Understand another system's ranking, a TREC run or a table of texts, and find what it ranks in a document.

What it ranks is kept as words of the document, as judgments are (``measuring.judge``), so it outlives another cut.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise

from rag_core.datatypes import Chunk, Document, ImportedRun, Page, Span
from rag_core.errors import (
    BadFile,
    BadRank,
    BadRun,
    BadScore,
    MixedRuns,
    NoRunColumns,
    RunChunksUnknown,
    RunOfAnotherCut,
    RunQuestionsUnknown,
    RunTextsUnknown,
)
from rag_core.measuring import cells, columns, exchange, judge, questions, records
from rag_core.measuring.metrics import Run
from rag_core.measuring.records import RUN, Record, Source
from rag_core.reading.fold import for_quotes

SHOWN = 3
"""So many of a ranking's places are kept for a look at what was understood."""

LONGEST_NAME = 60
LEAST_BYTES = 8
"""A shorter text, such as two Han characters or seven letters, stands in many places: only a whole chunk is that."""

WHYS = QUESTION, BLANK, SHORT, TEXT, CHUNK, CUT = "question", "blank", "short", "text", "chunk", "cut"
"""Why a line is not matched: its question is not in the set, it has no text, or one too short to be found, its words
are on no page, or its id is no chunk's, or one's of another cut."""

NOTES = SEVERAL, REPEATED, TIES, GAPS, FROM_ZERO, SCORES = (
    *("several", "repeated", "ties", "gaps", "from_zero", "scores"),
)
"""What is counted of the places that were matched: lines that stand for several chunks, that repeat what has a place,
and that share a rank; questions whose ranks have gaps, begin at 0, or do not follow their scores."""


What = Span | str
"""What a line ranks, or one of WHYS."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a ranking as it stands in the file; ``text`` are words, in a TREC run the id of a chunk."""

    line: int
    question: str
    text: str
    rank: int | None
    score: float | None
    page: int = 0
    document: str = ""


@dataclass(frozen=True, slots=True)
class RunFile:
    """A ranking as it was brought; ``tag`` is what a TREC run calls itself."""

    source: Source
    entries: tuple[Entry, ...]
    tag: str = ""

    @property
    def by_id(self) -> bool:
        """Say whether chunks are named by their ids, and questions by their numbers."""
        return self.source.form == RUN


@dataclass(frozen=True, slots=True)
class Place:
    """One of a ranking's places: the line that says so, the question of the set, and the words of the document."""

    entry: Entry
    question: str
    span: Span


@dataclass(frozen=True, slots=True)
class Matched:
    """What of a ranking stands in a document; ``unmatched`` holds the other lines, each with one of WHYS.

    ``notes`` counts by NOTES, ``missing`` are questions of the set for which nothing is ranked.
    """

    places: tuple[Place, ...]
    unmatched: tuple[tuple[Entry, str], ...]
    notes: Mapping[str, int]
    missing: tuple[str, ...]

    @property
    def first(self) -> tuple[Place, ...]:
        """Return the first places, for a look at them."""
        return self.places[:SHOWN]

    @property
    def questions(self) -> int:
        """Return for how many questions something is ranked."""
        return len({place.question for place in self.places})

    def named(self, name: str) -> ImportedRun:
        """Return the ranking as it is kept."""
        orders: dict[str, dict[Span, None]] = {}
        for place in self.places:
            orders.setdefault(place.question, {})[place.span] = None
        return ImportedRun(short_name(name), {question: tuple(spans) for question, spans in orders.items()})


def short_name(name: str) -> str:
    """Return a name on one line, as long as one may be, without characters that control a terminal or a page."""
    plain = "".join(character if character.isprintable() else " " for character in name)
    return " ".join(plain.split())[:LONGEST_NAME].strip()


# Read


def read_run(data: bytes, encoding: str = "") -> RunFile:
    """Read a TREC run, or a table with the columns of ``columns.RUN``, whatever kind of table it is.

    Raises:
        NoRunColumns: it is neither; BadFile: a line does not fit, and nothing is taken then.
    """
    if trec := _trec_lines(data, encoding):
        return _of_trec(*trec)
    source, rows = records.read(data, encoding, columns.RUN)
    if not rows:
        raise columns.RUN.missing(())
    return RunFile(source, tuple(_entry(row) for row in rows))


def of_questions(data: bytes, encoding: str = "") -> RunFile | None:
    """Read a file that may as well hold questions; nothing where it is no ranking.

    Raises:
        BadFile: as for ``read_run``.
    """
    try:
        return read_run(data, encoding)
    except NoRunColumns:
        return None


def refuse_ranks(asked: questions.Questions) -> None:
    """Refuse questions that come again and again with ranks, and nothing that was ranked: no set is meant by those.

    Raises:
        NoRunColumns: that is what they are.
    """
    unread = asked.source.unread
    if asked.repeated and "rank" in columns.RUN.places(unread):
        raise columns.RUN.missing(("question", *unread))


def _entry(row: Record) -> Entry:
    line, values = row.line, {name: exchange.unharmed(cell) for name, cell in row.values.items()}
    question = questions.question_of(line, values["question"])
    rank = _rank(line, values["rank"]) if "rank" in values else None
    score = _score(line, values["score"]) if "score" in values and (rank is None or values["score"].strip()) else None
    page = questions.page_of(line, values.get("page", ""))
    return Entry(line, question, values["text"], rank, score, page, values.get("document", "").strip())


def _rank(line: int, text: str) -> int:
    rank = cells.rank(text)
    if rank is None:
        raise BadRank(f"line {line}: the rank is {text!r}; write a whole number from 0 on", line=line, value=text)
    return rank


def _score(line: int, text: str) -> float:
    score = cells.score(text)
    if score is None:
        raise BadScore(f"line {line}: the score is {text!r}; write a number", line=line, value=text)
    return score


def _trec_lines(data: bytes, encoding: str) -> tuple[Source, list[tuple[int, list[str]]]] | None:
    """Return the fields of a TREC run by line; nothing where the first line is not of one."""
    text = records.text_of(data, encoding)
    if text is None:
        return None
    rows = [(line, words.split()) for line, words in enumerate(text.text.splitlines(), start=1) if words.strip()]
    if not rows or not _is_trec(rows[0][1]):
        return None
    return Source(RUN, text.encoding, text.possible), rows


def _is_trec(fields: Sequence[str]) -> bool:
    """Say whether fields are ``q1 Q0 chunk rank score tag``; one too few or too many is told as such, line by line."""
    return len(fields) >= 5 and fields[1].upper() in ("Q0", "0") and cells.score(fields[3]) is not None


def _of_trec(source: Source, rows: Sequence[tuple[int, list[str]]]) -> RunFile:
    tags: dict[str, int] = {}
    entries = []
    for line, fields in rows:
        if len(fields) != 6:
            message = f"line {line} has {len(fields)} fields; a run has six: question Q0 chunk rank score tag"
            raise BadRun(message, line=line, fields=len(fields))
        question, _, chunk, rank, score, tag = fields
        tags.setdefault(tag, line)
        entries.append(Entry(line, question, chunk, _rank(line, rank), _score(line, score)))
    if len(tags) > 1:
        (first, _), (other, line), *_ = tags.items()
        message = f"line {line}: the tag is {other!r}, before it was {first!r}: bring one ranking a file"
        raise MixedRuns(message, line=line, tag=other, first=first)
    return RunFile(source, tuple(entries), *tags)


# Find


def match(file: RunFile, asked: Mapping[int, str], documents: Sequence[Document], chunks: Sequence[Chunk]) -> Matched:
    """Find a ranking's questions in a question set, and what it ranks in documents that are cut into ``chunks``.

    The ranks give the order, lines of one rank stand by score, then as they come; without ranks the scores do.

    Raises:
        BadFile: nothing of it is found.
    """
    named = _question_finder(file, asked)
    known = [(entry, named(entry.question)) for entry in file.entries]
    standing = _find(file.by_id, [_key(entry) for entry, question in known if question], documents, chunks)
    found = [(entry, question, standing[_key(entry)] if question else QUESTION) for entry, question in known]
    unmatched = tuple((entry, what) for entry, _, what in found if isinstance(what, str))
    places = [Place(entry, q, what) for entry, q, what in found if q and isinstance(what, Span)]
    if not places:
        raise _nothing_found(unmatched, chunks)
    by_question: dict[str, list[Place]] = {question: [] for question in asked.values()}
    for place in sorted(places, key=lambda place: _by_rank(place.entry)):
        by_question[place.question].append(place)
    ranked = [place for of_question in by_question.values() for place in of_question]
    missing = tuple(question for question, of_question in by_question.items() if not of_question)
    notes = _notes_on_places(by_question.values(), _Carrier(documents, chunks))
    notes.update(_notes_on_ranks([(question, entry) for entry, question in known if question]))
    return Matched(tuple(ranked), unmatched, notes, missing)


def _by_rank(entry: Entry) -> tuple[float, float]:
    rank, score = entry.rank, entry.score
    return (0 if rank is None else rank), (float("inf") if score is None else -score)


def _question_finder(file: RunFile, asked: Mapping[int, str]) -> Callable[[str], str | None]:
    """Return what finds a question of the set: by number, or by its words, however they are written."""
    if file.by_id:
        return lambda name: exchange.numbered(name, asked)
    alike = {_alike(question): question for question in reversed([*asked.values()])}
    exact = {question: question for question in asked.values()}
    return lambda text: exact.get(text) or alike.get(_alike(text))


def _alike(text: str) -> str:
    return judge.letters(text).casefold()


Key = tuple[str, int, str]
"""What is looked for: the text or id, and the page and the document it is said to stand in."""


def _key(entry: Entry) -> Key:
    return entry.text, entry.page, entry.document


def _find(by_id: bool, keys: Iterable[Key], documents: Sequence[Document], chunks: Sequence[Chunk]) -> dict[Key, What]:
    """Return where each of these stands, or why that is not known."""
    once = list(dict.fromkeys(keys))
    return _chunks_named(once, documents, chunks) if by_id else _words_of(once, documents, chunks)


def _chunks_named(keys: Iterable[Key], documents: Sequence[Document], chunks: Sequence[Chunk]) -> dict[Key, What]:
    known, ours = (
        {chunk.id: judge.span_of(chunk) for chunk in chunks},
        tuple(f"{document.id}-" for document in documents),
    )
    return {key: known.get(key[0]) or (CUT if key[0].startswith(ours) else CHUNK) for key in keys}


def _words_of(keys: Sequence[Key], documents: Sequence[Document], chunks: Sequence[Chunk]) -> dict[Key, What]:
    """Find texts: as whole chunks, or else on the pages, page after page, for to look through one takes long."""
    by_words: dict[str, list[Chunk]] = {}
    for chunk in chunks:
        by_words.setdefault(for_quotes(chunk.text).text, []).append(chunk)
    found = {key: _whole_chunk(key, by_words.get(judge.letters(key[0]), ())) or _too_short(key) for key in keys}
    standing = [(key, *place) for key, what in found.items() if not what and (place := _page_of(key, documents))]
    for key, document, page in sorted(standing, key=lambda stands: (stands[1].id, stands[2].number)):
        found[key] = judge.span_at(document, judge.place_on(Span(key[1], 0, key[0]), page))
    return {key: what or TEXT for key, what in found.items()}


def _whole_chunk(key: Key, same: Iterable[Chunk]) -> Span | None:
    _, page, doc_id = key
    fitting = (chunk for chunk in same if page in (0, chunk.page) and doc_id in ("", chunk.doc_id))
    return next((judge.span_of(chunk) for chunk in fitting), None)


def _too_short(key: Key) -> str:
    words = judge.letters(key[0])
    return SHORT if words and len(words.encode()) < LEAST_BYTES else "" if words else BLANK


def _page_of(key: Key, documents: Sequence[Document]) -> tuple[Document, Page] | None:
    text, number, doc_id = key
    named = [document for document in documents if document.id == doc_id] or documents
    pages = ((document, judge.page_of(Span(number, 0, text), document.pages)) for document in named)
    return next(((document, page) for document, page in pages if page), None)


def _nothing_found(unmatched: Sequence[tuple[Entry, str]], chunks: Sequence[Chunk]) -> BadFile:
    entry, why = next((pair for pair in unmatched if pair[1] != QUESTION), unmatched[0])
    if why == QUESTION:
        message = f"none of its questions is in the set, first {entry.question[:80]!r}: add the questions first"
        return RunQuestionsUnknown(message, name=entry.question[:80])
    if why == CUT:
        cut, now = _cut_of(entry.text), _cut_of(chunks[0].id) if chunks else ""
        message = f"it ranks chunks of this document cut as {cut}, which is cut as {now} now: choose that chunking"
        return RunOfAnotherCut(message, cut=cut, now=now)
    if why == CHUNK:
        message = f"none of its ids is a chunk of this document, first {entry.text[:80]!r}: "
        remedy = "where they are another system's, bring a CSV with the columns question, text and rank instead"
        return RunChunksUnknown(message + remedy, chunk=entry.text[:80])
    message = f"none of its texts stands in the document, first {entry.text[:80]!r}: it takes the words of the pages"
    return RunTextsUnknown(message, text=" ".join(entry.text.split())[:80])


def _cut_of(chunk_id: str) -> str:
    """Return how a document was cut, out of a chunk's id: ``document-cut-number``."""
    return chunk_id.partition("-")[2].rpartition("-")[0] or chunk_id


def _notes_on_places(by_question: Iterable[Sequence[Place]], carrier: _Carrier) -> Counter[str]:
    notes: Counter[str] = Counter()
    for places in by_question:
        notes[REPEATED] += len(places) - len({place.span for place in places})
        notes[SEVERAL] += sum(len(carrier(place.span)) > 1 for place in places)
    return notes


def _notes_on_ranks(asked: Iterable[tuple[str, Entry]]) -> Counter[str]:
    """Count what is unusual in the ranks of each question, matched or not."""
    by_question: dict[str, list[Entry]] = {}
    for question, entry in asked:
        by_question.setdefault(question, []).append(entry)
    notes: Counter[str] = Counter()
    for entries in by_question.values():
        ordered = sorted(entries, key=_by_rank)
        ranks = [entry.rank for entry in ordered if entry.rank is not None]
        scores = [entry.score for entry in ordered if entry.score is not None]
        notes[TIES] += len(ranks) - len(set(ranks))
        notes[FROM_ZERO] += 0 in ranks
        notes[GAPS] += min(ranks, default=0) > 1 or any(after - before > 1 for before, after in pairwise(ranks))
        notes[SCORES] += any(after > before for before, after in pairwise(scores))
    return notes


def unmatched_csv(matched: Matched) -> bytes:
    """Write the lines that are not matched, and why."""
    rows = [(entry.line, entry.question, entry.text, why) for entry, why in matched.unmatched]
    return exchange.write_csv(("line", "question", "text", "why"), rows)


# Carry over


@dataclass(frozen=True, slots=True)
class Carried:
    """A ranking of chunks as they are cut now; ``lost`` counts the texts that are no longer in the document."""

    orders: Run
    lost: int = 0


def carry(run: ImportedRun, documents: Sequence[Document], chunks: Sequence[Chunk]) -> Carried:
    """Carry a ranking over to chunks of these documents, each at its best place.

    Words that are a chunk's are that chunk; others stand for all chunks with which they share half of the shorter of
    the two, in reading order.
    """
    carrier = _Carrier(documents, chunks)
    orders = {
        question: list(dict.fromkeys(chunk_id for span in spans for chunk_id in carrier(span)))
        for question, spans in run.orders.items()
    }
    return Carried({question: order for question, order in orders.items() if order}, carrier.lost)


class _Carrier:
    """Says which chunks the words of a span are; each span is looked at once."""

    def __init__(self, documents: Sequence[Document], chunks: Sequence[Chunk]) -> None:
        self._documents, self._by_page = documents, judge.by_page(chunks)
        self._texts = {(document.id, page.number): page.text for document in documents for page in document.pages}
        self._chunks: dict[Span, list[str]] = {}
        self.lost = 0

    def __call__(self, span: Span) -> list[str]:
        if span not in self._chunks:
            places = [span] if self._stands(span) else list(islice(judge.spans(span, self._documents), 1))
            self.lost += not places
            self._chunks[span] = [chunk_id for place in places for chunk_id in self._at(place)]
        return self._chunks[span]

    def _stands(self, span: Span) -> bool:
        """Say whether the words stand where they stood; looking for them takes longer."""
        return self._texts.get((span.doc_id, span.page), "").startswith(span.quote, span.start)

    def _at(self, span: Span) -> Iterator[str]:
        place = span.page, span.start, span.start + len(span.quote)
        near = self._by_page.get((span.doc_id, span.page), [])
        same = [chunk.id for chunk in near if place in chunk.places]
        yield from same or (chunk.id for chunk in near if chunk.shares(*place) >= judge.ENOUGH)
