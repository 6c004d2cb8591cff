"""The command line: ``python -m rag_core compare FILE QUESTION`` and ``evaluate FILE QUESTIONS``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from rag_core import catalog, chunk, evaluate, exchange, expand, metrics, selftest, settings
from rag_core.datatypes import Comparison, Document, Ranking, Settings
from rag_core.embed import load_embedder
from rag_core.errors import BadSetting, RerankLabError
from rag_core.pipeline import Lab
from rag_core.rerank import load_reranker


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m rag_core", description="See what reranking does to a vector search."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    compare_parser(
        commands.add_parser("compare", help="compare the vector order with the cross-encoder order on a PDF")
    )
    evaluate_parser(commands.add_parser("evaluate", help="measure every order on a file of questions and judgments"))
    return parser


def compare_parser(command: argparse.ArgumentParser) -> None:
    document_arguments(command)
    command.add_argument("question", metavar="QUESTION")
    command.add_argument(
        "--depth", type=int, default=Settings().depth, help="results per query, 5 to 100 (default %(default)s)"
    )
    command.add_argument("--adaptive", action="store_true", help="stop scoring once the first places are settled")
    command.add_argument(
        "--expansion", action="append", default=[], metavar="TEXT", help="another wording; may be repeated"
    )
    command.add_argument("--reranker", default=Settings().reranker, metavar="ID", help=known(catalog.RERANKERS))
    command.add_argument("--json", action="store_true", help="print one JSON object")
    command.set_defaults(run=lambda asked: (as_json if asked.json else as_text)(compare(asked)))


def evaluate_parser(command: argparse.ArgumentParser) -> None:
    document_arguments(command)
    command.add_argument(
        "questions",
        type=Path,
        metavar="QUESTIONS",
        help="a CSV with the columns question, page, quote, grade, judge (all but the first may be left out), or lines",
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
    command.add_argument("--output", type=Path, metavar="FOLDER", help="write CSV files, qrels and runs here")
    command.set_defaults(run=evaluate_text)


def document_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("file", type=Path, metavar="FILE", help="a PDF with a text layer")
    command.add_argument("--password", help="opens an encrypted PDF")
    command.add_argument("--chunks", choices=chunk.PRESETS, help="how to cut; by default the document's length decides")
    command.add_argument(
        "--first-stage", choices=settings.FIRST_STAGES, default=Settings().first_stage,
        help="what finds the candidates (default %(default)s)",
    )  # fmt: skip
    command.add_argument(
        "--cutoff", type=int, default=Settings().cutoff, help="how many reach the LLM (default %(default)s)"
    )
    command.add_argument("--embedder", default=Settings().embedder, metavar="ID", help=known(catalog.EMBEDDERS))


def known(lines: tuple[catalog.Line, ...]) -> str:
    return ", ".join(line.id for line in lines) + ", any Hugging Face id or a local folder (default %(default)s)"


def compare(arguments: argparse.Namespace) -> Comparison:
    how = settings.check(
        replace(asked_settings(arguments), reranker=arguments.reranker, depth=arguments.depth,
                adaptive=arguments.adaptive)
    )  # fmt: skip
    question = settings.check_query(arguments.question)
    expansions = expand.typed("\n".join(arguments.expansion), question)
    lab, document, how = opened(arguments, how)
    embedder, reranker = load_embedder(how.embedder), load_reranker(how.reranker)
    warn_of_language(selftest.check(reranker), document.language)
    index = lab.index(document.id, how.chunks, embedder)
    return lab.compare(index, question, expansions, how, embedder, reranker)


def asked_settings(arguments: argparse.Namespace) -> Settings:
    return Settings(arguments.embedder, cutoff=arguments.cutoff, first_stage=arguments.first_stage)


def opened(arguments: argparse.Namespace, how: Settings) -> tuple[Lab, Document, Settings]:
    """Read the document; without an order to the contrary its length decides how it is cut."""
    lab = Lab(settings.home(), settings.chroma())
    document = lab.add(read(arguments.file), arguments.file.name, arguments.password)
    recommended = chunk.recommend(document.pages)
    cut = replace(how.chunks, preset=arguments.chunks) if arguments.chunks else recommended
    return lab, document, replace(how, chunks=cut)


def evaluate_text(arguments: argparse.Namespace) -> str:
    """Evaluate a file's questions, write the files, and return the tables."""
    how = settings.check(asked_settings(arguments))
    depths = [number(text) for text in arguments.depths.split(",")]
    asked = exchange.read_questions(read(arguments.questions))
    lab, document, how = opened(arguments, how)
    embedder = load_embedder(how.embedder)
    rerankers = [load_reranker(name.strip()) for name in arguments.rerankers.split(",") if name.strip()]
    for reranker in rerankers:
        warn_of_language(selftest.check(reranker), document.language)
    index = lab.index(document.id, how.chunks, embedder)
    numbered = dict(enumerate(asked.questions, start=1))
    found = evaluate.evaluate(lab, index, embedder, rerankers, depths, how, numbered, asked.judgments, counted)
    if arguments.output:
        write(arguments.output, evaluate.files(found, asked.judgments, index.chunks))
    return evaluation_text(found)


def number(text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise BadSetting(f"{text!r} is no depth: give numbers separated by commas", setting="depth", value=text,
                         limit="5–100") from error  # fmt: skip


def counted(done: int, total: int) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\rquestion {done} of {total}" + ("\n" if done == total else ""))


def write(folder: Path, files: Mapping[str, bytes]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (folder / name).write_bytes(content)
    except OSError as error:
        raise RerankLabError(f"{folder} cannot be written: {error.strerror}") from error


def evaluation_text(found: evaluate.Evaluation) -> str:
    """Write the table of means, what is not measured and why, and where reranking harmed."""
    lines = [f"{len(found.questions)} questions, {len(found.measured)} with a relevant chunk", ""]
    lines += as_table(*evaluate.means(found)) if found.measured else ["nothing is judged relevant: no measures"]
    if found.measured and not found.enough:
        lines.append(f"fewer than {metrics.FEW} questions: too few to claim a difference")
    lines += [f"no relevant chunk, left out: {one_line(question)}" for question in found.excluded]
    lines += [f"words not found: p. {one.span.page} {one_line(one.span.quote)}" for one in found.judged.lost]
    for system in found.reranked:
        fall, loss = found.fell_furthest(system), found.lost_most(system)
        if fall:
            lines.append(f"{system}: relevant chunk that fell furthest {fall[2]} → {fall[3]}: {one_line(fall[0])}")
        if loss:
            lines.append(f"{system}: question that lost most {metrics.MAIN} {loss[1]:+.3f}: {one_line(loss[0])}")
    return "\n".join(lines)


def as_table(columns: list[str], rows: list[list[object]]) -> list[str]:
    """Set a table in columns of equal width; numbers stand to the right."""
    cells = [columns, *([f"{cell:.3f}" if isinstance(cell, float) else str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(columns))]
    return ["  ".join([row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:],
            strict=True))]) for row in cells]  # fmt: skip


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
    title = f"{comparison.order} order"
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
        text = arguments.run(arguments)
    except RerankLabError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(text + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
