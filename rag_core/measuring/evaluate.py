"""Measure orders on a whole question set, see what depth can reach, and set several orders side by side.

For every question the first stages search, each reranker scores the first stage's candidates once, at the largest
depth, and all smaller depths are read off those scores. Scores are kept in the library question by question: a run
that was stopped goes on where it stood, and asking again costs a search.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from time import perf_counter

import numpy as np

from rag_core import settings
from rag_core.comparing.orders import agreement, most_disputed
from rag_core.datatypes import Chunk, Judgment, Progress, Ranking, Settings
from rag_core.errors import NoQuestions, NothingFound
from rag_core.keeping.library import Scores
from rag_core.lab import Lab
from rag_core.measuring import exchange, judge, metrics
from rag_core.measuring.judge import Judged
from rag_core.measuring.metrics import FEW, MAIN, MEASURES, Run
from rag_core.models.embed import Embedder
from rag_core.models.rerank import Reranker, finite
from rag_core.search import fuse
from rag_core.search.index import Searched

DEPTHS = (5, 10, 20, 50, 100)
KEPT_AT_ONCE = 100
STAGES = {"vector": "vector", "bm25": "bm25", "both": "fused"}
"""The name of the order that each setting of ``first_stage`` gives."""


@dataclass(frozen=True, slots=True)
class Difference:
    """How far a system's mean nDCG@10 lies above the baseline's: interval and p-value of the paired questions.

    With fewer than ``FEW`` questions ``low``, ``high`` and ``p`` are None: too few to claim anything.
    """

    mean: float
    low: float | None = None
    high: float | None = None
    p: float | None = None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Orders of every question by every system, and what the judgments say of them.

    ``orders`` maps a system's name to its run: ``vector``, ``bm25`` and ``fused`` are first stages, ``MODEL @DEPTH`` a
    reranker on the first ``DEPTH`` of the baseline, whose later places follow in the old order. ``values`` maps system,
    measure and question to a value, for ``measured`` questions alone: those with a relevant chunk. ``per_pair`` is
    seconds a pair by model, ``scores`` maps model and question to scores by chunk id.
    """

    doc_id: str
    how: Settings
    numbers: Mapping[str, int]
    orders: Mapping[str, Run]
    judged: Judged
    values: Mapping[str, Mapping[str, Mapping[str, float]]]
    scores: Mapping[str, Mapping[str, Mapping[str, float]]]
    per_pair: Mapping[str, float]

    @property
    def questions(self) -> list[str]:
        return list(self.numbers)

    @property
    def baseline(self) -> str:
        return STAGES[self.how.first_stage]

    @property
    def reranked(self) -> list[str]:
        """Return the names of the systems that rerank."""
        return [name for name in self.orders if name not in STAGES.values()]

    @property
    def measured(self) -> list[str]:
        answerable = set(self.judged.answerable)
        return [question for question in self.numbers if question in answerable]

    @property
    def excluded(self) -> list[str]:
        """Return the judged questions for which no chunk is relevant: no measure is defined for them."""
        answerable = set(self.judged.answerable)
        return [question for question in self.numbers if question in self.judged.qrels and question not in answerable]

    @property
    def enough(self) -> bool:
        return len(self.measured) >= FEW

    def mean(self, system: str, name: str) -> float | None:
        values = self.values[system][name]
        return sum(values.values()) / len(values) if values else None

    def differences(self, system: str, name: str = MAIN) -> dict[str, float]:
        """Return, for each measured question, the system's value less the baseline's."""
        before = self.values[self.baseline][name]
        return {question: value - before[question] for question, value in self.values[system][name].items()}

    def difference(self, system: str, name: str = MAIN) -> Difference | None:
        """Return the mean difference from the baseline; None for the baseline itself, or without judgments."""
        found = list(self.differences(system, name).values())
        if system == self.baseline or not found:
            return None
        if not self.enough:
            return Difference(float(np.mean(found)))
        return Difference(float(np.mean(found)), *metrics.interval(found), metrics.randomisation(found))

    def unjudged(self, system: str) -> float | None:
        """Return how many of the first ten nobody has judged, on average over the measured questions."""
        counts = [metrics.unjudged(self.orders[system][q], self.judged.qrels[q]) for q in self.measured]
        return sum(counts) / len(counts) if counts else None

    def pool(self, question: str) -> set[str]:
        """Return what stands in the first ten of any order: the chunks whose judgment matters."""
        return {chunk_id for run in self.orders.values() for chunk_id in run[question][:10]}

    def rejudged(self, judged: Judged) -> Evaluation:
        """Return the same orders measured against other judgments."""
        return replace(self, judged=judged, values={name: measured(run, judged) for name, run in self.orders.items()})

    def changed(self, system: str, question: str) -> tuple[int, bool]:
        """Return how many of the first ``cutoff`` are new against the baseline, and whether the first chunk is."""
        before, after, k = self.orders[self.baseline][question], self.orders[system][question], self.how.cutoff
        return len(set(after[:k]) - set(before[:k])), before[:1] != after[:1]

    def fell_furthest(self, system: str) -> tuple[str, str, int, int] | None:
        """Return question, relevant chunk, old and new rank of the worst fall; None when no relevant chunk fell."""
        falls = [
            (after - before, question, chunk_id, before, after)
            for question in self.measured
            for chunk_id, before, after in self._ranks_of_relevant(system, question)
        ]
        worst = max(falls, default=None, key=lambda fall: fall[0])
        return worst[1:] if worst and worst[0] > 0 else None

    def _ranks_of_relevant(self, system: str, question: str) -> list[tuple[str, int, int]]:
        before, after = self.orders[self.baseline][question], self.orders[system][question]
        grades = self.judged.qrels[question]
        relevant = [i for i in before if grades.get(i, 0) >= judge.RELEVANT and i in after]
        return [(i, before.index(i) + 1, after.index(i) + 1) for i in relevant]

    def lost_most(self, system: str) -> tuple[str, float] | None:
        """Return the question whose nDCG@10 fell most, and by how much; None when none fell."""
        worst = min(self.differences(system).items(), default=None, key=lambda entry: entry[1])
        return worst if worst and worst[1] < 0 else None


def evaluate(
    lab: Lab,
    index: Searched,
    embedder: Embedder,
    rerankers: Sequence[Reranker],
    depths: Sequence[int],
    how: Settings,
    questions: Mapping[int, str],
    judgments: Iterable[Judgment],
    progress: Progress | None = None,
) -> Evaluation:
    """Ask every question; ``how.first_stage`` finds the candidates, and its order is the baseline.

    ``questions`` go by the numbers under which they stand in exported qrels and runs.

    Raises:
        NoQuestions: there is none.
        BadSetting: a depth or another setting is out of range.
    """
    if not questions:
        raise NoQuestions("there are no questions: add some, or import a file")
    numbers = {question: number for number, question in questions.items()}
    depths = sorted({settings.check(replace(how, depth=depth)).depth for depth in depths})
    embeddings = embedder.embed_queries(list(numbers))
    runs: dict[str, dict[str, list[str]]] = {}
    kept: dict[str, dict[str, Scores]] = {reranker.id: {} for reranker in rerankers}
    for done, (question, embedding) in enumerate(zip(numbers, embeddings, strict=True)):
        if progress:
            progress(done, len(numbers))
        stages = first_stages(lab, index, question, embedding, depths[-1])
        for name, ranking in stages.items():
            runs.setdefault(name, {})[question] = ranking.ids
        candidates = stages[STAGES[how.first_stage]]
        for reranker in rerankers:
            scores = kept[reranker.id][question] = score(lab, index, question, candidates.chunks, reranker)
            for depth in depths:
                order = reordered(candidates, scores.by_chunk, depth)
                runs.setdefault(f"{reranker.id} @{depth}", {})[question] = order
    if progress:
        progress(len(numbers), len(numbers))
    judged = judge.apply(judgments, lab.parts(index.address.doc_id), index.chunks)
    return Evaluation(
        doc_id=index.address.doc_id,
        how=how,
        numbers=numbers,
        orders=runs,
        judged=judged,
        values={name: measured(run, judged) for name, run in runs.items()},
        scores={model: {q: found.by_chunk for q, found in by_q.items()} for model, by_q in kept.items()},
        per_pair={model: float(np.mean([one.per_pair for one in by_q.values()])) for model, by_q in kept.items()},
    )


def judgments_of(lab: Lab, doc_id: str, chunks: Sequence[Chunk], question: str | None = None) -> Judged:
    """Carry the document's judgments, or those of one question, over to its chunks."""
    wanted = [one for one in lab.judgments(doc_id) if question in (None, one.question)]
    return judge.apply(wanted, lab.parts(doc_id), chunks)


def measured(run: Run, judged: Judged) -> dict[str, dict[str, float]]:
    """Measure a run on the questions that have a relevant chunk."""
    answerable = set(judged.answerable)
    asked = {question: order for question, order in run.items() if question in answerable}
    return metrics.measure(asked, judged.qrels) if asked else {name: {} for name in MEASURES}


def first_stages(lab: Lab, index: Searched, question: str, embedding: np.ndarray, depth: int) -> dict[str, Ranking]:
    """Return the question's ``vector``, ``bm25`` and ``fused`` rankings, each at most ``depth`` long."""
    [vector] = index.search([question], embedding[None], depth)
    [bm25] = lab.lexical(index).search([question], depth)
    fused = fuse.fuse([vector, bm25])
    return {"vector": vector, "bm25": bm25, "fused": replace(fused, hits=fused.top(depth))}


def score(
    lab: Lab,
    index: Searched,
    question: str,
    chunks: Sequence[Chunk],
    reranker: Reranker,
    progress: Progress | None = None,
) -> Scores:
    """Return the reranker's scores of these chunks; only those not yet in the library are computed.

    They are kept ``KEPT_AT_ONCE`` at a time, so that little is lost when the work is stopped.
    """
    known = kept_scores(lab, index, reranker, question)
    missing = [chunk for chunk in chunks if chunk.id not in known.by_chunk]
    for first in range(0, len(missing), KEPT_AT_ONCE):
        part, start = missing[first : first + KEPT_AT_ONCE], perf_counter()
        found = finite(reranker, reranker.score(question, [chunk.text for chunk in part]))
        by_chunk = dict(known.by_chunk) | {c.id: float(s) for c, s in zip(part, found, strict=True)}
        known = Scores(by_chunk, known.seconds + perf_counter() - start)
        keep_scores(lab, index, reranker, question, known)
        if progress:
            progress(first + len(part), len(missing))
    return known


def kept_scores(lab: Lab, index: Searched, reranker: Reranker, question: str) -> Scores:
    """Return the scores that are kept with each searched document."""
    found = [lab.library.scores(part, index.address.chunks, reranker.weights, question) for part in index.doc_ids]
    return Scores({i: score for one in found for i, score in one.by_chunk.items()}, sum(one.seconds for one in found))


def keep_scores(lab: Lab, index: Searched, reranker: Reranker, question: str, scores: Scores) -> None:
    """Keep scores with the document of each chunk; every pair takes its share of the seconds along."""
    by_part: dict[str, dict[str, float]] = {}
    for chunk_id, value in scores.by_chunk.items():
        by_part.setdefault(index.by_id[chunk_id].doc_id, {})[chunk_id] = value
    for part, mine in by_part.items():
        kept = Scores(mine, scores.per_pair * len(mine))
        lab.library.save_scores(part, index.address.chunks, reranker.weights, question, kept)


def reordered(candidates: Ranking, scores: Mapping[str, float], depth: int) -> list[str]:
    """Return the candidates with their first ``depth`` in the reranker's order, and the rest as they were."""
    top = candidates.chunks[:depth]
    new = Ranking.from_scores("reranked", candidates.query, top, [scores[chunk.id] for chunk in top])
    return [*new.ids, *candidates.ids[depth:]]


@dataclass(frozen=True, slots=True)
class Ceiling:
    """What a reranker would choose from the whole document, and what the first stage lets it see.

    ``first`` is all that the first stage finds, ``whole`` ranks every chunk by the reranker. ``per_pair`` is seconds.
    """

    first: Ranking
    whole: Ranking
    k: int
    per_pair: float

    @property
    def ideal(self) -> list[Chunk]:
        return self.whole.chunks[: self.k]

    def reached(self, depth: int) -> int:
        """Return how many of the ideal top k lie within the first stage's first ``depth``."""
        return len({chunk.id for chunk in self.ideal} & set(self.first.ids[:depth]))

    def seconds(self, depth: int) -> float:
        """Return what scoring that many candidates takes on this machine."""
        return min(depth, len(self.first)) * self.per_pair


def ceiling(
    lab: Lab,
    index: Searched,
    query: str,
    how: Settings,
    embedder: Embedder,
    reranker: Reranker,
    progress: Progress | None = None,
) -> Ceiling:
    """Score every chunk of the document once; the scores are kept."""
    query = settings.check_query(query)
    orders = whole_orders(lab, index, query, embedder)
    scores = score(lab, index, query, index.chunks, reranker, progress)
    whole = Ranking.from_scores("reranked", query, index.chunks, [scores.by_chunk[c.id] for c in index.chunks])
    return Ceiling(orders[STAGES[how.first_stage]], whole, how.cutoff, scores.per_pair)


def whole_orders(lab: Lab, index: Searched, query: str, embedder: Embedder) -> dict[str, Ranking]:
    """Rank the whole document by cosine, by BM25 (what shares a word), and by both fused; exact, without the index."""
    [embedding] = embedder.embed_queries([query])
    vector = Ranking.from_scores("vector", query, index.chunks, index.vectors @ embedding)
    [bm25] = lab.lexical(index).search([query], len(index.chunks))
    return {"vector": vector, "bm25": bm25, "fused": fuse.fuse([vector, bm25])}


@dataclass(frozen=True, slots=True)
class Panel:
    """Several orders of the same candidates. ``seconds`` is by reranker; first stages take next to none.

    Candidates that share no word with the question have a BM25 score of 0; they keep the candidates' order.
    """

    candidates: Ranking
    rankings: Mapping[str, Ranking]
    seconds: Mapping[str, float]
    k: int

    @property
    def agreement(self) -> dict[tuple[str, str], tuple[float | None, float]]:
        return agreement(self.rankings, self.k)

    @property
    def consensus(self) -> Ranking:
        """Return the candidates by reciprocal rank fusion of all orders."""
        return fuse.fuse(list(self.rankings.values()))

    @property
    def disputed(self) -> tuple[Chunk, dict[str, int]]:
        return most_disputed(self.rankings)


def panel(
    lab: Lab,
    index: Searched,
    query: str,
    stages: Sequence[str],
    rerankers: Sequence[Reranker],
    how: Settings,
    embedder: Embedder,
    progress: Progress | None = None,
) -> Panel:
    """Rank the first stage's candidates by every first stage and reranker named."""
    query = settings.check_query(query)
    orders = whole_orders(lab, index, query, embedder)
    candidates = first_stages(lab, index, query, embedder.embed_queries([query])[0], how.depth)[STAGES[how.first_stage]]
    if not candidates.hits:
        raise NothingFound(f"no chunk shares a word with {query!r}: search by vectors too", query=query)
    rankings = {name: among(candidates, orders[name]) for name in stages}
    seconds = {}
    for reranker in rerankers:
        start = perf_counter()
        found = finite(reranker, reranker.score(query, [chunk.text for chunk in candidates.chunks], progress))
        seconds[reranker.id] = perf_counter() - start
        rankings[reranker.id] = Ranking.from_scores(reranker.id, query, candidates.chunks, found)
    return Panel(candidates, rankings, seconds, how.cutoff)


def among(candidates: Ranking, ranking: Ranking) -> Ranking:
    """Return the candidates in a ranking's order; what it does not hold scores 0."""
    scores = {hit.chunk.id: hit.score for hit in ranking.hits}
    found = [scores.get(chunk.id, 0.0) for chunk in candidates.chunks]
    return Ranking.from_scores(ranking.name, candidates.query, candidates.chunks, found)


def files(evaluation: Evaluation, judgments: Sequence[Judgment], chunks: Sequence[Chunk]) -> dict[str, bytes]:
    """Return the files of an evaluation by name: CSV for spreadsheets, qrels and runs for trec_eval's kin."""
    numbers = evaluation.numbers
    qrels = {question: grades for question, grades in evaluation.judged.qrels.items() if question in numbers}
    made = {
        "judgments.csv": exchange.write_judgments(evaluation.questions, judgments),
        "means.csv": exchange.write_csv(*means(evaluation)),
        "questions.csv": exchange.write_csv(*per_question(evaluation)),
        "ranks.csv": exchange.write_csv(*ranks(evaluation, chunks)),
        "qrels.txt": exchange.write_qrels(qrels, numbers).encode(),
    }
    for number, (name, run) in enumerate(evaluation.orders.items(), start=1):
        tag = "".join(character if character.isalnum() else "-" for character in name).strip("-")
        made[f"run-{number}-{tag}.txt"] = exchange.write_run(run, numbers, tag).encode()
    return made


Table = tuple[list[str], list[list[object]]]
"""Column names and rows."""


def means(evaluation: Evaluation) -> Table:
    """Return a row a system: mean measures, unjudged in the first ten, difference from the baseline."""
    columns = ["system", "questions", *MEASURES, "unjudged@10", f"{MAIN} - {evaluation.baseline}", "low", "high", "p"]
    return columns, [mean_row(evaluation, system) for system in evaluation.orders]


def mean_row(evaluation: Evaluation, system: str) -> list[object]:
    values = [rounded(evaluation.mean(system, name)) for name in MEASURES]
    found = evaluation.difference(system)
    sure = [rounded(value) for value in (found.mean, found.low, found.high, found.p)] if found else [""] * 4
    return [system, len(evaluation.measured), *values, rounded(evaluation.unjudged(system)), *sure]


def rounded(value: float | None) -> float | str:
    return "" if value is None else round(value, 4)


def per_question(evaluation: Evaluation) -> Table:
    """Return a row a question and system: the measures where it is judged, and what changed in the first places."""
    columns = ["question", "system", "judged", "relevant", *MEASURES, f"new in top {evaluation.how.cutoff}"]
    rows = []
    for question in evaluation.questions:
        grades = evaluation.judged.qrels.get(question, {})
        relevant = sum(grade >= judge.RELEVANT for grade in grades.values())
        for system, values in evaluation.values.items():
            found = [rounded(values[name].get(question)) for name in MEASURES]
            new, _ = evaluation.changed(system, question)
            rows.append([question, system, len(grades), relevant, *found, new])
    return columns, rows


def ranks(evaluation: Evaluation, chunks: Sequence[Chunk]) -> Table:
    """Return a row a question and chunk: its grade, its rank in every system, and every model's score."""
    by_id, systems, models = {chunk.id: chunk for chunk in chunks}, list(evaluation.orders), list(evaluation.scores)
    named = any(chunk.title for chunk in chunks)
    document = ["document"] if named else []
    columns = ["question", "chunk", *document, "page", "text", "grade", *(f"rank {name}" for name in systems),
               *(f"score {name}" for name in models)]  # fmt: skip
    rows = []
    for question in evaluation.questions:
        places = {name: {i: n for n, i in enumerate(run[question], 1)} for name, run in evaluation.orders.items()}
        for chunk_id in dict.fromkeys(i for name in systems for i in evaluation.orders[name][question]):
            chunk, grade = by_id[chunk_id], evaluation.judged.qrels.get(question, {}).get(chunk_id, "")
            scores = [evaluation.scores[name][question].get(chunk_id, "") for name in models]
            found = [places[name].get(chunk_id, "") for name in systems]
            title = [chunk.title] if named else []
            rows.append([question, chunk_id, *title, chunk.page, chunk.text, grade, *found, *scores])
    return columns, rows
