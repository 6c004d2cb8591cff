"""compare: one question on a PDF or a folder, the vector ranking beside the cross-encoder's."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from rag_core import settings
from rag_core.cli.arguments import asked_settings, document_arguments, known
from rag_core.cli.documents import document_of
from rag_core.cli.files import save
from rag_core.cli.printed import as_json, as_text, counting, tell_contents, warn
from rag_core.datatypes import Comparison, Document, Settings
from rag_core.explaining import probe
from rag_core.models import baseline, catalog, selftest
from rag_core.models.baseline import Baseline
from rag_core.models.embed import Embedder, load_embedder
from rag_core.models.rerank import Reranker, load_reranker
from rag_core.search import expand
from rag_core.sharing import replay, replay_file
from rag_core.sharing.replay import Replay


def arguments(command: argparse.ArgumentParser) -> None:
    """Add a document, a question, and how they are compared."""
    document_arguments(command)
    command.add_argument("question", metavar="QUESTION")
    command.add_argument(
        "--depth",
        type=int,
        default=Settings().depth,
        help="candidates to rerank (results per query), 5 to 100 (default %(default)s)",
    )
    command.add_argument("--adaptive", action="store_true", help="stop scoring once the first places are settled")
    command.add_argument(
        "--expansion", action="append", default=[], metavar="TEXT", help="another wording; may be repeated"
    )
    command.add_argument("--reranker", default=Settings().reranker, metavar="ID", help=known(catalog.RERANKERS))
    command.add_argument("--json", action="store_true", help="print one JSON object")
    command.add_argument(
        "--replay", type=Path, metavar="FILE", help="save the result here: it opens anywhere, and makes a report"
    )
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> str:
    """Compare, save the result where that is wanted, and return both rankings."""
    made = compare(arguments)
    if arguments.replay:
        save(arguments.replay, replay_file.write(replay.public(made)))
    return (as_json if arguments.json else as_text)(made.comparison)


def compare(arguments: argparse.Namespace) -> Replay:
    """Make the comparison that was asked for, with all that a saved one holds where it is saved.

    Unrelated texts are scored for that alone: nothing that is printed begins at what they get.
    """
    how = settings.check(_compared_settings(arguments))
    question = settings.check_query(arguments.question)
    expansions = expand.typed("\n".join(arguments.expansion), question)
    with document_of(arguments) as (lab, document, cut):
        embedder, reranker = load_embedder(how.embedder), load_reranker(how.reranker)
        test = selftest.check(reranker)
        warn(test, document.language)
        tell_contents([page for part in document.parts for page in lab.pages.contents(part)])
        opened = lab.open(document.id, replace(how, chunks=cut), embedder, counting("chunk"))
        comparison = opened.compare(question, expansions, reranker)
        unrelated: dict[str, Baseline | None] = dict.fromkeys(replay.MODELS)
        if arguments.replay:
            unrelated = unrelated_to(comparison, document, embedder, reranker)
        parts, judgments = lab.documents.parts(document.id), lab.judgments.load(document.id)
        measured = replay.record(comparison, document, parts, test, unrelated)
        return replay.brought_up(measured, parts, {}, judgments)


def _compared_settings(arguments: argparse.Namespace) -> Settings:
    asked = {name: getattr(arguments, name) for name in ("reranker", "depth", "adaptive")}
    return replace(asked_settings(arguments), **asked)


def unrelated_to(
    comparison: Comparison, document: Document, embedder: Embedder, reranker: Reranker
) -> dict[str, Baseline | None]:
    """Return what both models give unrelated texts; one on a server is not asked."""
    how, query = comparison.settings, comparison.query
    asks = {
        "embedder": (catalog.EMBEDDERS, how.embedder, probe.cosine_of_texts(embedder, query)),
        "reranker": (catalog.RERANKERS, how.reranker, probe.of_texts(reranker, query)),
    }
    return {
        role: None if catalog.leaves(lines, model) else baseline.measure(document.language, ask)
        for role, (lines, model, ask) in asks.items()
    }
