"""evaluate: measure every ranking on a file of questions and judgments, or on a folder of such files."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

from rag_core import settings
from rag_core.batch import cluster, evaluation
from rag_core.batch.evaluation import Part
from rag_core.batch.indexing import Outcome, cut_of
from rag_core.cli.arguments import asked_settings, document_arguments, known, ray_arguments
from rag_core.cli.documents import document_of, open_lab, worked
from rag_core.cli.files import pdfs, read, write
from rag_core.cli.index import index_all, outcome_line
from rag_core.cli.printed import as_table, counting, one_line, tell_run, tell_understood, warn
from rag_core.datatypes import Settings
from rag_core.errors import BadSetting, RerankLabError
from rag_core.lab import Lab
from rag_core.measuring import evaluate, judge, metrics, runs, tables
from rag_core.measuring.evaluate import Evaluation
from rag_core.measuring.questions import Questions, read_questions
from rag_core.measuring.runs import RunFile
from rag_core.models import catalog, selftest
from rag_core.models.embed import Embedder, load_embedder
from rag_core.models.rerank import Reranker, load_reranker
from rag_core.reading.document import apart

SUFFIXES = (".csv", ".tsv", ".xlsx", ".jsonl", ".json", ".txt")


def arguments(command: argparse.ArgumentParser) -> None:
    """Add a document or a folder, its questions, and what is measured."""
    document_arguments(command)
    command.add_argument(
        "questions",
        type=Path,
        metavar="QUESTIONS",
        help="a table (CSV in any encoding and with any separator, or XLSX) with the columns question, page, quote,"
        " grade, judge (all but the first may be left out), JSON a line, or lines; a folder with such a file named like"
        " each PDF of a folder, to evaluate each on its own",
    )
    command.add_argument(
        "--rerankers",
        default=Settings().reranker,
        metavar="IDS",
        help="separated by commas; " + known(catalog.RERANKERS),
    )
    command.add_argument(
        "--depths", default="10,50", metavar="NUMBERS", help="5 to 100, separated by commas (default %(default)s)"
    )
    command.add_argument(
        "--run",
        dest="runs",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="another system's ranking, measured beside ours; may be given several times: a table with the columns"
        " question, text, rank (or score), or a TREC run of this document's chunks",
    )
    command.add_argument("--output", type=Path, metavar="FOLDER", help="write CSV files, qrels and runs here")
    ray_arguments(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> str:
    """Evaluate each PDF of a folder on questions of its own, or everything on one file of questions."""
    each = arguments.file.is_dir() and arguments.questions.is_dir()
    if each and arguments.runs:
        raise RerankLabError("--run goes with one document or one file of questions, not with a folder of them")
    return each_alone(arguments) if each else as_one(arguments)


def as_one(arguments: argparse.Namespace) -> str:
    """Evaluate a file's questions on a document or a collection, write the files, and return the tables."""
    how, depths = settings.check(asked_settings(arguments)), _depths_of(arguments)
    questions = read_questions(read(arguments.questions))
    tell_understood(questions)
    brought = named_runs(arguments.runs)
    with document_of(arguments) as (lab, document, cut):
        embedder, rerankers = load_embedder(how.embedder), _load_rerankers(arguments)
        _warn_of(rerankers, [document.language])
        opened = lab.open(document.id, replace(how, chunks=cut), embedder)
        numbered = dict(enumerate(questions.questions, start=1))
        orders = evaluate.evaluate(opened, numbered, rerankers, depths, counting("question"))
        chunks = opened.distinct_chunks
        parts = lab.documents.parts(document.id)
        judged = judge.apply(questions.judgments, parts, chunks)
        matched = {name: runs.match(run, numbered, parts, opened.chunks) for name, run in brought.items()}
        imported = {name: runs.carry(found.named(name), parts, chunks).orders for name, found in matched.items()}
    for name, found in matched.items():
        tell_run(name, brought[name], found)
    measured = orders.rejudged(judged).beside(imported)
    if arguments.output:
        unmatched = {f"unmatched-{n}.csv": runs.unmatched_csv(found) for n, found in enumerate(matched.values(), 1)}
        write(arguments.output, {**tables.files(measured, questions.judgments, chunks), **unmatched})
    return evaluation_text(measured)


def named_runs(files: Sequence[Path]) -> dict[str, RunFile]:
    """Read rankings of other systems, each by what it calls itself, or else its file."""
    named: dict[str, RunFile] = {}
    for file in files:
        try:
            brought = runs.read_run(read(file))
        except RerankLabError as error:
            raise RerankLabError(f"{file}: {error}") from error
        named[apart(runs.short_name(brought.tag or file.stem), named)] = brought
    return named


def each_alone(arguments: argparse.Namespace) -> str:
    """Evaluate a folder's PDFs as one, each on the questions that lie under its name in the other folder."""
    how, depths = settings.check(asked_settings(arguments)), _depths_of(arguments)
    asked = dict(questions_beside(arguments.file, arguments.questions))
    with open_lab() as lab:
        embedder, rerankers = load_embedder(how.embedder), _load_rerankers(arguments)
        with worked(arguments):
            outcomes = index_all(arguments, lab, embedder, list(asked))
            sys.stderr.writelines(f"{outcome_line(outcome)}\n" for outcome in outcomes if outcome.reason)
            indexed = [outcome for outcome in outcomes if not outcome.reason]
            if not indexed:
                raise RerankLabError("none of the files could be indexed: see the lines above")
            parts = [_part_of(arguments, lab, outcome, asked[outcome.file], embedder) for outcome in indexed]
            _warn_of(rerankers, sorted({part.document.language for part in parts}))
            score_ahead(arguments, lab, parts, rerankers, max(depths))
        measured = evaluation.evaluate_all(parts, rerankers, depths, counting("document"))
    if arguments.output:
        write(arguments.output, tables.files(measured, *evaluation.judged_and_cut(parts)))
    return evaluation_text(measured)


def questions_beside(folder: Path, questions: Path) -> Iterator[tuple[Path, Questions]]:
    """Yield the PDFs of a folder that have questions, a file of their name, in another.

    Raises:
        RerankLabError: none has.
    """
    places = [(file, questions / file.relative_to(folder)) for file in pdfs([folder])]
    named = [(file, [place.with_suffix(suffix) for suffix in SUFFIXES]) for file, place in places]
    pairs = [(file, found[0]) for file, some in named if (found := [one for one in some if one.is_file()])]
    if not pairs:
        raise RerankLabError(f"no PDF of {folder} has a CSV of its name in {questions}")
    for file, beside in pairs:
        try:
            asked = read_questions(read(beside))
        except RerankLabError as error:
            raise RerankLabError(f"{beside}: {error}") from error
        tell_understood(asked, f"{one_line(beside.name)}: ")
        yield file.resolve(), asked


def _part_of(
    arguments: argparse.Namespace, lab: Lab, outcome: Outcome, questions: Questions, embedder: Embedder
) -> Part:
    document = lab.documents.load(outcome.doc_id)
    how = replace(asked_settings(arguments), chunks=cut_of(document, arguments.chunks))
    name = str(outcome.file.relative_to(arguments.file.resolve()))
    return Part(name, document, lab.open(document.id, how, embedder), questions)


def score_ahead(
    arguments: argparse.Namespace, lab: Lab, parts: Sequence[Part], rerankers: Iterable[Reranker], depth: int
) -> None:
    """Have a Ray cluster, where there is one, score what the evaluation will ask for."""
    for reranker in rerankers if arguments.ray else ():
        wanted = chain.from_iterable(evaluation.wanted(part, reranker, depth) for part in parts)
        cluster.score(lab, [*wanted], reranker.id, arguments.workers, counting("question"))


def _load_rerankers(arguments: argparse.Namespace) -> list[Reranker]:
    names = [name.strip() for name in arguments.rerankers.split(",") if name.strip()]
    return [load_reranker(name) for name in dict.fromkeys(names)]


def _warn_of(rerankers: Iterable[Reranker], languages: Sequence[str]) -> None:
    for test in [selftest.check(reranker) for reranker in rerankers]:
        for language in languages:
            warn(test, language)


def _depths_of(arguments: argparse.Namespace) -> list[int]:
    return [_depth(text) for text in arguments.depths.split(",")]


def _depth(text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        message = f"{text!r} is no depth: give numbers separated by commas"
        raise BadSetting(message, setting="depth", value=text, limit="5–100") from error


def evaluation_text(measured: Evaluation) -> str:
    """Write the table of means, what is not measured and why, and where reranking harmed."""
    lines = [f"{len(measured.questions)} questions, {len(measured.measured)} with a relevant chunk", ""]
    lines += as_table(*tables.means(measured)) if measured.measured else ["nothing is judged relevant: no measures"]
    if measured.measured and not measured.enough:
        lines.append(f"fewer than {metrics.FEW} questions: too few to claim a difference")
    lines += [f"no relevant chunk, left out: {one_line(question)}" for question in measured.excluded]
    lines += [f"words not found: p. {lost.span.page} {one_line(lost.span.quote)}" for lost in measured.judged.lost]
    for system in measured.reranked:
        fall, loss = measured.fell_furthest(system), measured.lost_most(system)
        if fall:
            lines.append(f"{system}: relevant chunk that fell furthest {fall[2]} → {fall[3]}: {one_line(fall[0])}")
        if loss:
            lines.append(f"{system}: question that lost most {metrics.MAIN} {loss[1]:+.3f}: {one_line(loss[0])}")
    return "\n".join(lines)
