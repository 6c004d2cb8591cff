"""The words of the program: what passes from one step to the next."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np


Progress = Callable[[int, int], None]
"""What is called while something is made: with how many are done, and how many there are."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a document; ``number`` starts at 1, as printed by a PDF viewer."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Quality:
    """What was found in a page's text.

    ``replacement``, ``private`` and ``unlikely`` are shares of its ``characters``, white space not counted; ``spaced``
    is the share of its Han characters that spaces part from the next. ``verdict`` is ``good``, ``doubtful`` or
    ``unreadable``; ``reasons`` are codes, the gravest first.
    """

    characters: int
    replacement: float
    private: float
    unlikely: float
    spaced: float
    verdict: str
    reasons: tuple[str, ...]


class Unseen(NamedTuple):
    """Words that stand on a page and that nobody sees there; ``why`` is a code."""

    text: str
    why: str


@dataclass(frozen=True, slots=True)
class Extract:
    """What one extractor read on a page, without what nobody sees there.

    ``faults`` say what speaks against it: shares in [0, 1] by name.
    """

    text: str
    quality: Quality
    faults: Mapping[str, float] = field(default_factory=dict, compare=False)
    unseen: tuple[Unseen, ...] = ()


@dataclass(frozen=True, slots=True)
class PageReading:
    """A page as every extractor read it, by name; one of them is chosen, or the page is left out."""

    number: int
    extracts: Mapping[str, Extract]
    extractor: str
    left_out: bool = False

    @property
    def chosen(self) -> Extract:
        """What the chosen extractor read."""
        return self.extracts[self.extractor]


@dataclass(frozen=True, slots=True)
class Readings:
    """How the pages of a document were read, and whether running heads and feet and lists of contents are dropped.

    With ``keep_unseen``, what nobody sees on a page stands at its end.
    """

    pages: tuple[PageReading, ...] = ()
    drop_repeated: bool = True
    drop_contents: bool = True
    keep_unseen: bool = False


@dataclass(frozen=True, slots=True)
class Document:
    """A document that was read; ``id`` is the start of the SHA-256 of its bytes."""

    id: str
    title: str
    language: str
    pages: tuple[Page, ...] = ()

    @property
    def parts(self) -> tuple[str, ...]:
        """The ids of what is searched."""
        return (self.id,)


@dataclass(frozen=True, slots=True)
class Collection(Document):
    """Documents that are searched as one; it has no pages of its own. ``members`` are their ids."""

    members: tuple[str, ...] = ()

    @property
    def parts(self) -> tuple[str, ...]:
        """The ids of the members."""
        return self.members


@dataclass(frozen=True, slots=True)
class ChunkSettings:
    """How a document is cut. ``size`` and ``overlap`` are characters and matter to ``window`` alone."""

    preset: str = "window"
    size: int = 300
    overlap: int = 60

    @property
    def key(self) -> str:
        """The name under which chunks that were cut like this are kept."""
        return f"window-{self.size}-{self.overlap}" if self.preset == "window" else self.preset


Place = tuple[int, int, int]
"""Page number, start and end."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of one page: ``text == page.text[start:end]``.

    ``head`` is the head of the table in which it begins, where that stands earlier on the page.

    ``title`` names its document where several are searched as one; elsewhere it is empty. ``twins`` are the places
    where its words stand again in its document; only a candidate knows them.
    """

    id: str
    doc_id: str
    text: str
    page: int
    start: int
    end: int
    title: str = field(default="", compare=False)
    twins: tuple[Place, ...] = field(default=(), compare=False)
    head: str = ""

    @property
    def passage(self) -> str:
        """What models read: the text, below its table's head where that stands earlier."""
        return self.under_head(self.text)

    def under_head(self, text: str) -> str:
        """Return another text in the place of the chunk's, below the same head."""
        return f"{self.head}\n{text}" if self.head else text

    def part_of_text(self, part: Part | None) -> Part | None:
        """Return where a part of the passage stands in the text; of a head alone its first character stands there."""
        if part is None or not self.head:
            return part
        before = len(self.passage) - len(self.text)
        return replace(part, start=max(part.start - before, 0), end=max(part.end - before, 1))

    @property
    def places(self) -> tuple[Place, ...]:
        """All places where the words stand, the chunk's own first."""
        return (self.page, self.start, self.end), *self.twins

    @property
    def pages(self) -> tuple[int, ...]:
        """The pages on which the words stand, each once."""
        return tuple(dict.fromkeys(page for page, _, _ in self.places))

    def shares(self, page: int, start: int, end: int) -> float:
        """Return how much of the shorter of the two, chunk or span of a page, both have in common, in [0, 1].

        Of a chunk that stands in several places the nearest one counts.
        """
        return max(_shared(place, (page, start, end)) for place in self.places)


def _shared(place: Place, other: Place) -> float:
    (page, start, end), (other_page, other_start, other_end) = place, other
    common = min(end, other_end) - max(start, other_start)
    shorter = min(end - start, other_end - other_start)
    return max(common, 0) / shorter if page == other_page and shorter else 0.0


@dataclass(frozen=True, slots=True)
class Part:
    """The part of a text, ``text[start:end]``, that scored best of ``of`` overlapping ones."""

    start: int
    end: int
    of: int

    def words(self, text: str) -> str:
        """Return the part's words out of the whole text."""
        return text[self.start : self.end]


@dataclass(frozen=True, slots=True)
class Scored:
    """What a reranker made of some texts: float of shape (texts,), and of each the part that scored best.

    The part is None where a text was scored whole. ``kept`` counts the texts that had been scored before.
    """

    scores: np.ndarray
    parts: tuple[Part | None, ...]
    kept: int = 0


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk and the score one model gave it. Its rank is its place in the ranking.

    ``part`` is the part of the chunk that the score is of, None where it is of the whole.
    """

    chunk: Chunk
    score: float
    part: Part | None = None


@dataclass(frozen=True, slots=True)
class Ranking:
    """Chunks in descending order of score, for one query."""

    name: str
    query: str
    hits: tuple[Hit, ...]

    @classmethod
    def from_scores(
        cls,
        name: str,
        query: str,
        chunks: Iterable[Chunk],
        scores: Iterable[float],
        parts: Iterable[Part | None] | None = None,
    ) -> Ranking:
        """Sort chunks by score, highest first; equal scores keep the order they came in.

        ``parts`` says what of each chunk's passage its score is of; without it every score is of the whole chunk.

        Every order in this program is made here.
        """
        chunks = list(chunks)
        parts = [None] * len(chunks) if parts is None else parts
        scored = zip(chunks, scores, parts, strict=True)
        hits = (Hit(chunk, float(score), chunk.part_of_text(part)) for chunk, score, part in scored)
        return cls(name, query, tuple(sorted(hits, key=lambda hit: -hit.score)))

    def __len__(self) -> int:
        return len(self.hits)

    @property
    def chunks(self) -> list[Chunk]:
        """The chunks, best first."""
        return [hit.chunk for hit in self.hits]

    @property
    def ids(self) -> list[str]:
        """The ids of the chunks, best first."""
        return [hit.chunk.id for hit in self.hits]

    def top(self, k: int) -> tuple[Hit, ...]:
        """Return the first ``k`` hits, or all where there are fewer."""
        return self.hits[:k]

    def rank_of(self, chunk_id: str) -> int | None:
        """Return the rank, starting at 1, or None for a chunk that is not in this ranking."""
        ids = self.ids
        return ids.index(chunk_id) + 1 if chunk_id in ids else None


@dataclass(frozen=True, slots=True)
class Expansion:
    """Another wording of the question; ``origin`` is ``typed``, ``llm`` or ``feedback``."""

    text: str
    origin: str


@dataclass(frozen=True, slots=True)
class Found:
    """One entry of the ledger: this query found the chunk at this rank.

    ``score`` is a cosine similarity, or with ``source`` ``bm25`` a BM25 score.
    """

    query: str
    origin: str
    rank: int
    score: float
    source: str = "vector"


Ledger = Mapping[str, tuple[Found, ...]]
"""Chunk id to every query that found it."""


@dataclass(frozen=True, slots=True)
class Move:
    """Where one chunk stood before and after reranking."""

    chunk: Chunk
    before: int
    after: int
    before_score: float
    after_score: float
    part: Part | None = None
    """The part of the chunk that ``after_score`` is of; None where it is of the whole."""

    @property
    def delta(self) -> int:
        """Places gained: positive moved up."""
        return self.before - self.after

    @property
    def pairs(self) -> int:
        """How many pairs were scored for it: one, or one for each part."""
        return self.part.of if self.part else 1


class FirstStage(StrEnum):
    """What finds the candidates: vectors, words (BM25), or both, fused."""

    VECTOR = "vector"
    BM25 = "bm25"
    BOTH = "both"

    @property
    def order(self) -> str:
        """Name the order that it gives: ``vector``, ``bm25`` or ``fused``."""
        return "fused" if self is FirstStage.BOTH else self.value

    @property
    def searches(self) -> tuple[str, ...]:
        """Name what searches: ``vector``, ``bm25``, or one after the other."""
        return ("vector", "bm25") if self is FirstStage.BOTH else (self.value,)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that decides a comparison besides the document and the question.

    ``within`` are the members of a collection that are searched; empty means all.
    """

    embedder: str = "bilingual-embedder"
    reranker: str = "bilingual-cross-encoder"
    chunks: ChunkSettings = ChunkSettings()
    depth: int = 50
    cutoff: int = 5
    adaptive: bool = False
    first_stage: FirstStage = FirstStage.VECTOR
    within: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Kept:
    """The pairs of a comparison that had been scored before, and the seconds that scoring them took then."""

    pairs: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two orders of the same candidates, and what lies between them.

    ``before`` is the first stage's order; ``order`` says which that is. ``moves`` follow the new order. ``scale`` names
    the unit of the reranker's scores: ``logit``, ``relevance`` from 0 to 1, or ``unknown``. ``timings`` are seconds a
    step; reading, embedding and what was ``kept`` of scoring were done earlier. ``available`` is the number of chunks
    the document has, ``found`` the number of candidates; adaptive depth may leave the last of them unscored and out of
    both orders.
    """

    doc_id: str
    query: str
    expansions: tuple[Expansion, ...]
    settings: Settings
    before: Ranking
    reranked: Ranking
    moves: tuple[Move, ...]
    ledger: Ledger
    scale: str
    available: int
    found: int
    timings: Mapping[str, float] = field(default_factory=dict)
    kept: Kept = Kept()

    @property
    def cutoff(self) -> int:
        """How many chunks of either order an answer would be written from."""
        return self.settings.cutoff

    def cut_at(self, cutoff: int) -> Comparison:
        """Return the same comparison with another cutoff; no order changes."""
        return replace(self, settings=replace(self.settings, cutoff=cutoff))

    def ranking(self, side: str) -> Ranking:
        """Return one of the two orders, as a replay file calls it: ``vector`` or ``reranked``."""
        return {"vector": self.before, "reranked": self.reranked}[side]

    @property
    def pairs(self) -> int:
        """How many pairs the reranker scored: one a chunk, or one for each part of it."""
        return sum(move.pairs for move in self.moves)

    @property
    def entered(self) -> tuple[Move, ...]:
        """Moves that crossed the cutoff upwards, in the new order."""
        return tuple(move for move in self.moves if move.after <= self.cutoff < move.before)

    @property
    def left(self) -> tuple[Move, ...]:
        """Moves that crossed the cutoff downwards, in the old order."""
        moves = (move for move in self.moves if move.before <= self.cutoff < move.after)
        return tuple(sorted(moves, key=lambda move: move.before))

    @property
    def fused(self) -> bool:
        """Whether the first stage's order was fused of several rankings."""
        return bool(self.expansions) or self.settings.first_stage == FirstStage.BOTH

    @property
    def order(self) -> str:
        """Name the first stage's order: ``vector``, ``bm25`` or ``fused``."""
        return "fused" if self.fused else self.settings.first_stage.order


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer and the numbers of the sources it cites; ``source`` is a model's name or ``extractive``."""

    text: str
    cited: tuple[int, ...]
    source: str
    chunks: Sequence[Chunk] = ()


@dataclass(frozen=True, slots=True)
class Span:
    """Words of one page that were judged; ``start`` is where they stood when they were.

    ``doc_id`` is empty where nobody said which document they stand in.
    """

    page: int
    start: int
    quote: str
    doc_id: str = ""


@dataclass(frozen=True, slots=True)
class Judgment:
    """What one judge says of one span: 0 does not answer the question, 1 in part, 2 it does."""

    question: str
    span: Span
    grade: int
    judge: str = ""


@dataclass(frozen=True, slots=True)
class ImportedRun:
    """Another system's ranking: of each question the spans it found, best first; the document's words, not its ids."""

    name: str
    orders: Mapping[str, tuple[Span, ...]]


Qrels = Mapping[str, Mapping[str, int]]
"""Question to chunk id to grade."""
