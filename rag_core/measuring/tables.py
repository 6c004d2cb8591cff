"""An evaluation as tables and files."""

from __future__ import annotations

from collections.abc import Sequence

from rag_core.datatypes import Chunk, Judgment
from rag_core.measuring import exchange, judge
from rag_core.measuring.evaluate import Difference, Evaluation
from rag_core.measuring.metrics import MAIN, MEASURES


def files(evaluation: Evaluation, judgments: Sequence[Judgment], chunks: Sequence[Chunk]) -> dict[str, bytes]:
    """Return the files of an evaluation by name: CSV for spreadsheets, topics, qrels and runs for trec_eval's kin."""
    numbers = evaluation.numbers
    qrels = {question: grades for question, grades in evaluation.judged.qrels.items() if question in numbers}
    made = {
        "judgments.csv": exchange.write_judgments(numbers, judgments),
        "means.csv": exchange.write_csv(*means(evaluation)),
        "questions.csv": exchange.write_csv(*per_question(evaluation)),
        "ranks.csv": exchange.write_csv(*ranks(evaluation, chunks)),
        "topics.tsv": exchange.write_topics(numbers).encode(),
        "qrels.txt": exchange.write_qrels(qrels, numbers).encode(),
    }
    for number, (name, run) in enumerate(evaluation.orders.items(), start=1):
        tag = "".join(character if character.isalnum() else "-" for character in name).strip("-")
        made[f"run-{number}-{tag}.txt"] = exchange.write_run(run, numbers, tag, evaluation.scores_of(name)).encode()
    return made


Table = tuple[list[str], list[list[object]]]
"""Column names and rows."""


def means(evaluation: Evaluation) -> Table:
    """Return a row a system: mean measures, unjudged in the first ten, difference from the baseline.

    Where an imported ranking lacks measured questions, rows of all systems over those it ranks follow under its name.
    """
    columns = ["system", "questions", *MEASURES, "unjudged@10", f"{MAIN} - {evaluation.baseline}", "low", "high", "p"]
    comparable = evaluation.comparable
    rows = [mean_row(comparable, system) for system in comparable.orders]
    if not evaluation.partial:
        return columns, rows
    parts = [(name, evaluation.over(name)) for name in evaluation.partial]
    of_parts = [[*mean_row(part, system), f"those of {name}"] for name, part in parts for system in part.orders]
    return [*columns, "over"], [*([*row, "all"] for row in rows), *of_parts]


def mean_row(evaluation: Evaluation, system: str) -> list[object]:
    """Return a system's row of ``means``; what was not measured is empty."""
    values = [_rounded(evaluation.mean(system, name)) for name in MEASURES]
    difference = _cells(evaluation.difference(system))
    return [system, len(evaluation.measured), *values, _rounded(evaluation.unjudged(system)), *difference]


def _cells(difference: Difference | None) -> list[float | str]:
    if difference is None:
        return [""] * 4
    return [_rounded(value) for value in (difference.mean, difference.low, difference.high, difference.p)]


def _rounded(value: float | None) -> float | str:
    return "" if value is None else round(value, 4)


def per_question(evaluation: Evaluation) -> Table:
    """Return a row a question and system: the measures where it is judged, and what changed in the first places."""
    columns = ["id", "question", "system", "judged", "relevant", *MEASURES, f"new in top {evaluation.how.cutoff}"]
    rows: list[list[object]] = []
    for question in evaluation.questions:
        asked = [exchange.question_id(evaluation.numbers, question), question]
        grades = evaluation.judged.qrels.get(question, {})
        relevant = sum(grade >= judge.RELEVANT for grade in grades.values())
        ranked = [name for name, run in evaluation.orders.items() if question in run]
        for system, values in ((name, evaluation.values[name]) for name in ranked):
            measures = [_rounded(values[name].get(question)) for name in MEASURES]
            new, _ = evaluation.changed(system, question)
            rows.append([*asked, system, len(grades), relevant, *measures, new])
    return columns, rows


def ranks(evaluation: Evaluation, chunks: Sequence[Chunk]) -> Table:
    """Return a row a question and chunk: its grade, its rank and score in every system."""
    by_id, systems, models = {chunk.id: chunk for chunk in chunks}, list(evaluation.orders), list(evaluation.scores)
    named = any(chunk.title for chunk in chunks)
    several = any(chunk.twins for chunk in chunks)
    document, pages = ["document"] if named else [], ["pages"] if several else []
    headed = any(chunk.head for chunk in chunks)
    heads = ["head"] if headed else []
    measured = [*(f"rank {name}" for name in systems), *(f"score {name}" for name in models)]
    columns = ["id", "question", "chunk", *document, "page", *pages, *heads, "text", "grade", *measured]
    rows: list[list[object]] = []
    for question in evaluation.questions:
        asked = [exchange.question_id(evaluation.numbers, question), question]
        ranked = {name: run.get(question, ()) for name, run in evaluation.orders.items()}
        places = {name: {i: n for n, i in enumerate(order, 1)} for name, order in ranked.items()}
        for chunk_id in dict.fromkeys(i for order in ranked.values() for i in order):
            chunk, grade = by_id[chunk_id], evaluation.judged.qrels.get(question, {}).get(chunk_id, "")
            scores = [evaluation.scores[name][question].get(chunk_id, "") for name in models]
            ranks = [places[name].get(chunk_id, "") for name in systems]
            title = [chunk.title] if named else []
            on = [chunk.page, ", ".join(map(str, chunk.pages))] if several else [chunk.page]
            head = [chunk.head] if headed else []
            rows.append([*asked, chunk_id, *title, *on, *head, chunk.text, grade, *ranks, *scores])
    return columns, rows
