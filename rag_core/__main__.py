"""The command line: ``python -m rag_core compare FILE QUESTION``."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

from rag_core import catalog, chunk, expand, selftest, settings
from rag_core.datatypes import Comparison, Ranking, Settings
from rag_core.embed import load_embedder
from rag_core.errors import RerankLabError
from rag_core.pipeline import Lab
from rag_core.rerank import load_reranker


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m rag_core", description="See what reranking does to a vector search."
    )
    command = parser.add_subparsers(dest="command", required=True).add_parser(
        "compare", help="compare the vector order with the cross-encoder order on a PDF"
    )
    command.add_argument("file", type=Path, metavar="FILE", help="a PDF with a text layer")
    command.add_argument("question", metavar="QUESTION")
    command.add_argument("--chunks", choices=chunk.PRESETS, help="how to cut; by default the document's length decides")
    command.add_argument(
        "--depth", type=int, default=Settings().depth, help="results per query, 5 to 100 (default %(default)s)"
    )
    command.add_argument(
        "--cutoff", type=int, default=Settings().cutoff, help="how many reach the LLM (default %(default)s)"
    )
    command.add_argument("--adaptive", action="store_true", help="stop scoring once the first places are settled")
    command.add_argument(
        "--expansion", action="append", default=[], metavar="TEXT", help="another wording; may be repeated"
    )
    command.add_argument("--embedder", default=Settings().embedder, metavar="ID", help=known(catalog.EMBEDDERS))
    command.add_argument("--reranker", default=Settings().reranker, metavar="ID", help=known(catalog.RERANKERS))
    command.add_argument("--password", help="opens an encrypted PDF")
    command.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def known(lines: tuple[catalog.Line, ...]) -> str:
    return ", ".join(line.id for line in lines) + ", any Hugging Face id or a local folder (default %(default)s)"


def compare(arguments: argparse.Namespace) -> Comparison:
    how = settings.check(
        Settings(
            arguments.embedder,
            arguments.reranker,
            depth=arguments.depth,
            cutoff=arguments.cutoff,
            adaptive=arguments.adaptive,
        )
    )
    question = settings.check_query(arguments.question)
    expansions = expand.typed("\n".join(arguments.expansion), question)
    lab = Lab(settings.home())
    document = lab.add(read(arguments.file), arguments.file.name, arguments.password)
    cut = replace(how.chunks, preset=arguments.chunks) if arguments.chunks else chunk.recommend(document.pages)
    embedder, reranker = load_embedder(how.embedder), load_reranker(how.reranker)
    warn_of_language(selftest.check(reranker), document.language)
    index = lab.index(document.id, cut, embedder)
    return lab.compare(index, question, expansions, replace(how, chunks=cut), embedder, reranker)


def warn_of_language(test: selftest.SelfTest, language: str) -> None:
    if language not in test.languages:
        cases = len(selftest.CASES[language])
        sys.stderr.write(
            f"warning: {test.model} scored the answer higher in {test.right[language]} of {cases} trials in the "
            f"document's language, {language}; its order means little here\n"
        )


def read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise RerankLabError(f"{file} cannot be read: {error.strerror}") from error


def rows(ranking: Ranking) -> list[dict[str, object]]:
    return [
        {"rank": rank, "page": hit.chunk.page, "text": hit.chunk.text, "score": hit.score}
        for rank, hit in enumerate(ranking.hits, start=1)
    ]


def as_json(comparison: Comparison) -> str:
    found = {
        "question": comparison.query,
        "chunks": comparison.available,
        "vector": rows(comparison.vector),
        "reranked": [
            {**row, "before": move.before, "move": move.delta}
            for row, move in zip(rows(comparison.reranked), comparison.moves, strict=True)
        ],
        "scale": comparison.scale,
        "seconds": dict(comparison.timings),
    }
    return json.dumps(found, ensure_ascii=False, indent=2)


def as_text(comparison: Comparison) -> str:
    title = "fused order" if comparison.fused else "vector order"
    before = [f"{row['rank']:>4}        p. {row['page']:<4} {one_line(row['text'])}" for row in rows(comparison.vector)]
    after = [
        f"{move.after:>4} {arrow(move.delta):>6} p. {move.chunk.page:<4} {one_line(move.chunk.text)}"
        for move in comparison.moves
    ]
    scored = f", {len(before)} scored" if len(before) < comparison.found else ""
    return "\n".join(
        [
            f"{comparison.available} chunks, {comparison.found} candidates{scored}",
            "",
            title,
            *before,
            "",
            "cross-encoder order",
            *after,
        ]
    )


def arrow(delta: int) -> str:
    return f"▲{delta}" if delta > 0 else f"▼{-delta}" if delta < 0 else "="


def one_line(text: object, width: int = 80) -> str:
    line = " ".join(str(text).split())
    return line if len(line) <= width else line[: width - 1] + "…"


def main() -> int:
    arguments = build_parser().parse_args()
    try:
        comparison = compare(arguments)
    except RerankLabError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write((as_json if arguments.json else as_text)(comparison) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
