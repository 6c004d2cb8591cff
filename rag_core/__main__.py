"""The command line: index, compare, evaluate, replay, report. Exit codes: 0 done, 1 told what is wrong, 2 usage."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import asdict, replace
from itertools import chain
from pathlib import Path

from rag_core import __version__, collection, settings
from rag_core.batch import cluster, work
from rag_core.datatypes import Chunk, ChunkSettings, Comparison, Document, Move, Ranking, Settings
from rag_core.errors import BadSetting, RerankLabError
from rag_core.explaining import probe
from rag_core.lab import Lab
from rag_core.measuring import evaluate, exchange, metrics
from rag_core.models import baseline, catalog, selftest
from rag_core.models.baseline import Baseline
from rag_core.models.embed import Embedder, load_embedder
from rag_core.models.rerank import Reranker, load_reranker
from rag_core.reading import chunk
from rag_core.search import expand
from rag_core.sharing import replay, replay_file

EXAMPLES = """
examples:
  python -m rag_core index reports/
  python -m rag_core compare report.pdf "How much did revenue grow?" --replay result.json
  python -m rag_core compare reports/ "How much did revenue grow?"
  python -m rag_core replay result.json
  python -m rag_core report result.json report.html
  python -m rag_core evaluate report.pdf questions.csv --depths 10,50 --output measured/

RERANK_LAB_HOME names the folder where documents and embeddings are kept. Exit codes: 0 done, 1 told what is wrong on
standard error, 2 the command line itself was not understood.
"""
FORMATS = (".html", ".md")
LANGUAGES = ("en", "zh")


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m rag_core",
        description="See what reranking does to a vector search.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"Rerank Lab {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, arguments, meaning in (
        ("index", index_parser, "read PDFs and embed them ahead of the first question"),
        ("compare", compare_parser, "compare the vector order with the cross-encoder order on a PDF or a folder"),
        ("evaluate", evaluate_parser, "measure every order on a file of questions and judgments"),
        ("replay", replay_parser, "print a comparison that was saved; needs neither its PDF nor models"),
        ("report", report_parser, "make a page of a saved comparison, for a reader who has nothing installed"),
    ):
        arguments(commands.add_parser(name, help=meaning, description=f"{meaning[0].upper()}{meaning[1:]}."))
    return parser


def index_parser(command: argparse.ArgumentParser) -> None:
    command.add_argument("paths", type=Path, nargs="+", metavar="PATH", help="a PDF, or a folder: all PDFs in it")
    command.add_argument("--password", help="opens encrypted PDFs")
    command.add_argument("--chunks", choices=chunk.PRESETS, help="how to cut; by default the document's length decides")
    command.add_argument("--embedder", default=Settings().embedder, metavar="ID", help=known(catalog.EMBEDDERS))
    ray_arguments(command)
    command.set_defaults(run=index)


def replay_parser(command: argparse.ArgumentParser) -> None:
    command.add_argument("file", type=Path, metavar="FILE", help="a result saved on a page or by compare --replay")
    command.add_argument("--json", action="store_true", help="print one JSON object, as compare does")
    command.set_defaults(run=replayed)


def report_parser(command: argparse.ArgumentParser) -> None:
    command.add_argument("file", type=Path, metavar="FILE", help="a result saved on a page or by compare --replay")
    command.add_argument("output", type=Path, metavar="OUTPUT", help="the page to write: .html with charts, or .md")
    command.add_argument("--language", choices=LANGUAGES, help="of the report; by default the document's")
    command.set_defaults(run=report)


def ray_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--ray", metavar="ADDRESS", help=f"work as Ray actors on this cluster, or with {cluster.HERE} on this machine"
    )
    command.add_argument("--workers", type=int, default=1, help="actors of each model with --ray (default %(default)s)")


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
    command.add_argument(
        "--replay", type=Path, metavar="FILE", help="save the result here: it opens anywhere, and makes a report"
    )
    command.set_defaults(run=compared)


def evaluate_parser(command: argparse.ArgumentParser) -> None:
    document_arguments(command)
    command.add_argument(
        "questions",
        type=Path,
        metavar="QUESTIONS",
        help="a CSV with the columns question, page, quote, grade, judge (all but the first may be left out), or lines;"
        " a folder with such a file named like each PDF of a folder, to evaluate each on its own",
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
    ray_arguments(command)
    command.set_defaults(run=evaluated)


def document_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("file", type=Path, metavar="FILE", help="a PDF, or a folder: its PDFs as one collection")
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


def compared(arguments: argparse.Namespace) -> str:
    found = compare(arguments)
    if arguments.replay:
        save(arguments.replay, replay_file.write(replay.public(found)))
    return (as_json if arguments.json else as_text)(found.comparison)


def replayed(arguments: argparse.Namespace) -> str:
    found = replay_file.read(read(arguments.file))
    if arguments.json:
        return as_json(found.comparison)
    made = f"{found.source.title}, compared {found.made} with Rerank Lab {found.versions.get('app', '?')}"
    judged = f"{len(found.judgments)} judgments"
    return "\n".join(
        [one_line(made, 200), f"question: {one_line(found.comparison.query, 200)}", judged, as_text(found.comparison)]
    )


def report(arguments: argparse.Namespace) -> str:
    """Write a report; its words and charts are the app's own, so this one command reaches up to the screens."""
    from pages.ui.results import report as page

    if arguments.output.suffix.lower() not in FORMATS:
        raise BadSetting(f"{arguments.output} ends in neither .html nor .md: name a file that does", setting="output",
                         value=arguments.output.name, limit=", ".join(FORMATS))  # fmt: skip
    found = replay_file.read(read(arguments.file))
    make = page.html if arguments.output.suffix.lower() == ".html" else page.markdown
    save(arguments.output, make(replay.public(found), arguments.language or found.source.language).encode())
    return f"{arguments.output} written"


def compare(arguments: argparse.Namespace) -> replay.Replay:
    how = settings.check(
        replace(asked_settings(arguments), reranker=arguments.reranker, depth=arguments.depth,
                adaptive=arguments.adaptive)
    )  # fmt: skip
    question = settings.check_query(arguments.question)
    expansions = expand.typed("\n".join(arguments.expansion), question)
    with opened(arguments, how) as (lab, document, how):
        embedder, reranker = load_embedder(how.embedder), load_reranker(how.reranker)
        test = selftest.check(reranker)
        warn(test, document.language)
        index = lab.index(document.id, how.chunks, embedder, counting("chunk"))
        found = lab.compare(index, question, expansions, how, embedder, reranker)
        unrelated = unrelated_to(found, document, embedder, reranker)
        parts = lab.parts(document.id)
        measured = replay.record(found, document, parts, test, unrelated)
        return replay.brought_up(measured, parts, {}, lab.judgments(document.id))


def unrelated_to(
    found: Comparison, document: Document, embedder: Embedder, reranker: Reranker
) -> dict[str, Baseline | None]:
    """Return what both models give unrelated texts; one on a server is not asked."""
    lines = {"embedder": catalog.EMBEDDERS, "reranker": catalog.RERANKERS}
    asks = {"embedder": probe.cosine_of_texts(embedder, found.query), "reranker": probe.of_texts(reranker, found.query)}
    return {
        role: None
        if catalog.leaves(lines[role], getattr(found.settings, role))
        else baseline.measure(document.language, ask)
        for role, ask in asks.items()
    }


def asked_settings(arguments: argparse.Namespace) -> Settings:
    return Settings(arguments.embedder, cutoff=arguments.cutoff, first_stage=arguments.first_stage)


def open_lab() -> AbstractContextManager[Lab]:
    """Open the reader's library; it is free for others again when the command ends."""
    return closing(Lab(settings.home(), settings.chroma()))


@contextmanager
def opened(arguments: argparse.Namespace, how: Settings) -> Iterator[tuple[Lab, Document, Settings]]:
    """Read a document, or a folder as a collection; without an order to the contrary its length decides how to cut."""
    with open_lab() as lab:
        if arguments.file.is_dir():
            document = collected(lab, arguments.file, arguments.password)
        else:
            document = lab.add(read(arguments.file), arguments.file.name, arguments.password)
        cut = ChunkSettings(arguments.chunks) if arguments.chunks else lab.recommend(document.id)
        yield lab, document, replace(how, chunks=cut)


def collected(lab: Lab, folder: Path, password: str | None) -> Document:
    """Put the PDFs of a folder together; one that cannot be read is told and left out.

    Raises:
        RerankLabError: none can be read.
    """
    found, count = [], counting("document")
    files = list(pdfs([folder]))
    for done, file in enumerate(files, start=1):
        try:
            found.append(lab.add(read(file), str(file.relative_to(folder)), password).id)
        except RerankLabError as error:
            sys.stderr.write(f"{file}: left out: {error}\n")
        count(done, len(files))
    if not found:
        raise RerankLabError("none of the files could be read: see the lines above")
    return collection.save(lab, folder.resolve().name, found, collection_id=collection.id_of(folder))


def index(arguments: argparse.Namespace) -> str:
    """Index every PDF, and say of each how that went."""
    files = list(pdfs(arguments.paths))
    with open_lab() as lab:
        embedder = load_embedder(arguments.embedder)
        with worked(arguments):
            outcomes = index_all(arguments, lab, embedder, files)
    sys.stdout.writelines(f"{outcome_line(one)}\n" for one in outcomes)
    failed, there = sum(bool(one.reason) for one in outcomes), sum(not one.new and not one.reason for one in outcomes)
    if failed:
        raise RerankLabError(f"{failed} of {len(files)} files could not be indexed: see the lines above")
    return f"{len(files)} of {len(files)} files indexed, {there} of them before"


def pdfs(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield the files, and the PDFs of the folders with all below them.

    Raises:
        RerankLabError: a folder holds none.
    """
    for path in paths:
        inside = sorted(file for file in path.rglob("*") if file.suffix.lower() == ".pdf") if path.is_dir() else [path]
        if not inside:
            raise RerankLabError(f"{path} holds no PDF: name another folder or a file")
        yield from inside


@contextmanager
def worked(arguments: argparse.Namespace) -> Iterator[None]:
    """Have a Ray cluster at hand where it was asked for."""
    with cluster.joined(arguments.ray) if arguments.ray else nullcontext():
        yield


def index_all(arguments: argparse.Namespace, lab: Lab, embedder: Embedder, files: Sequence[Path]) -> list[work.Outcome]:
    made_by_ray = arguments.ray and cluster.make(arguments.embedder, arguments.workers)
    tasks = [work.Task(file.resolve(), arguments.password, arguments.chunks) for file in files]
    return work.index(lab, tasks, embedder, made_by_ray or work.here(embedder), counting("document"))


def outcome_line(one: work.Outcome) -> str:
    if one.reason:
        return f"{one.file}: not indexed: {one.reason}"
    return f"{one.file}: {one.pages} pages, {one.chunks} chunks ({one.cut}){'' if one.new else ', before'}"


def evaluated(arguments: argparse.Namespace) -> str:
    each = arguments.file.is_dir() and arguments.questions.is_dir()
    return evaluate_many(arguments) if each else evaluate_text(arguments)


def evaluate_many(arguments: argparse.Namespace) -> str:
    """Evaluate a folder's PDFs as one, each on the questions that lie under its name in the other folder."""
    how, depths = settings.check(asked_settings(arguments)), [number(text) for text in arguments.depths.split(",")]
    asked = dict(questions_beside(arguments.file, arguments.questions))
    with open_lab() as lab:
        embedder, rerankers = load_embedder(how.embedder), load_rerankers(arguments)
        tests = [selftest.check(reranker) for reranker in rerankers.values()]
        with worked(arguments):
            outcomes = index_all(arguments, lab, embedder, list(asked))
            sys.stderr.writelines(f"{outcome_line(one)}\n" for one in outcomes if one.reason)
            parts = [work.part(lab, one, str(one.file.relative_to(arguments.file.resolve())), asked[one.file],
                                arguments.chunks, embedder) for one in outcomes if not one.reason]  # fmt: skip
            if not parts:
                raise RerankLabError("none of the files could be indexed: see the lines above")
            for language in sorted({part.language for part in parts}):
                for test in tests:
                    warn(test, language)
            for name, reranker in rerankers.items() if arguments.ray else ():
                wanted = [work.wanted(lab, part, embedder, reranker, how, max(depths)) for part in parts]
                cluster.score(lab, [*chain(*wanted)], name, arguments.workers, counting("question"))
        found = work.evaluate_all(lab, parts, embedder, [*rerankers.values()], depths, how, counting("document"))
    if arguments.output:
        write(arguments.output, evaluate.files(found, *work.judged_and_cut(parts)))
    return evaluation_text(found)


def load_rerankers(arguments: argparse.Namespace) -> dict[str, Reranker]:
    names = [name.strip() for name in arguments.rerankers.split(",") if name.strip()]
    return {name: load_reranker(name) for name in names}


def questions_beside(folder: Path, questions: Path) -> Iterator[tuple[Path, exchange.Questions]]:
    """Yield the PDFs of a folder that have questions, a CSV of their name, in another.

    Raises:
        RerankLabError: none has.
    """
    found = [(file, questions / file.relative_to(folder).with_suffix(".csv")) for file in pdfs([folder])]
    found = [(file, csv) for file, csv in found if csv.is_file()]
    if not found:
        raise RerankLabError(f"no PDF of {folder} has a CSV of its name in {questions}")
    for file, csv in found:
        try:
            yield file.resolve(), exchange.read_questions(read(csv))
        except RerankLabError as error:
            raise RerankLabError(f"{csv}: {error}") from error


def evaluate_text(arguments: argparse.Namespace) -> str:
    """Evaluate a file's questions, write the files, and return the tables."""
    how = settings.check(asked_settings(arguments))
    depths = [number(text) for text in arguments.depths.split(",")]
    asked = exchange.read_questions(read(arguments.questions))
    with opened(arguments, how) as (lab, document, how):
        embedder, rerankers = load_embedder(how.embedder), [*load_rerankers(arguments).values()]
        for reranker in rerankers:
            warn(selftest.check(reranker), document.language)
        index = lab.index(document.id, how.chunks, embedder)
        numbered = dict(enumerate(asked.questions, start=1))
        found = evaluate.evaluate(lab, index, embedder, rerankers, depths, how, numbered, asked.judgments,
                                  counting("question"))  # fmt: skip
        if arguments.output:
            write(arguments.output, evaluate.files(found, asked.judgments, index.chunks))
    return evaluation_text(found)


def number(text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise BadSetting(f"{text!r} is no depth: give numbers separated by commas", setting="depth", value=text,
                         limit="5–100") from error  # fmt: skip


def counting(what: str) -> Callable[[int, int], None]:
    """Return a progress callback that counts on a terminal."""

    def show(done: int, total: int) -> None:
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{what} {done} of {total}" + ("\n" if done == total else ""))

    return show


def write(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        save(folder / name, content)


def save(file: Path, content: bytes) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    except OSError as error:
        raise RerankLabError(f"{file} cannot be written: {error.strerror}") from error


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


def warn(test: selftest.SelfTest, language: str) -> None:
    if language not in test.languages:
        cases = len(selftest.CASES[language])
        sys.stderr.write(
            f"warning: {test.model} scored the answer higher in {test.right[language]} of {cases} trials in the "
            f"document's language, {language}; its order means little here\n"
        )
    elif language in test.leaning:
        sys.stderr.write(
            f"warning: {test.model} scored a long text above the short one that answers, in the document's language, "
            f"{language}; where chunks are long its order may follow their length\n"
        )


def read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise RerankLabError(f"{file} cannot be read: {error.strerror}") from error


def rows(ranking: Ranking) -> list[dict[str, object]]:
    return [
        {"rank": rank, **titled(hit.chunk), "page": hit.chunk.page, "text": hit.chunk.text, "score": hit.score}
        for rank, hit in enumerate(ranking.hits, start=1)
    ]


def titled(chunk: Chunk) -> dict[str, str]:
    return {"document": chunk.title} if chunk.title else {}


def where(chunk: Chunk) -> str:
    return f"{one_line(chunk.title)} p. {chunk.page:<4}" if chunk.title else f"p. {chunk.page:<4}"


def as_json(comparison: Comparison) -> str:
    found = {
        "question": comparison.query,
        "chunks": comparison.available,
        "vector": rows(comparison.vector),
        "reranked": [
            {**row, "before": move.before, "move": move.delta, **best_part(move)}
            for row, move in zip(rows(comparison.reranked), comparison.moves, strict=True)
        ],
        "scale": comparison.scale,
        "seconds": dict(comparison.timings),
    }
    return json.dumps(found, ensure_ascii=False, indent=2)


def best_part(move: Move) -> dict[str, object]:
    return {"part": {**asdict(move.part), "text": move.part.words(move.chunk.text)}} if move.part else {}


def as_text(comparison: Comparison) -> str:
    title = f"{comparison.order} order"
    chunks = comparison.vector.chunks
    before = [f"{rank:>4}        {where(chunk)} {one_line(chunk.text)}" for rank, chunk in enumerate(chunks, start=1)]
    after = [
        f"{move.after:>4} {arrow(move.delta):>6} {where(move.chunk)} {scored_text(move)}" for move in comparison.moves
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


def scored_text(move: Move) -> str:
    """Return the text that was scored: of a chunk in parts the best one, and of how many."""
    if move.part is None:
        return one_line(move.chunk.text)
    return f"[best of {move.part.of} parts] {one_line(move.part.words(move.chunk.text))}"


def arrow(delta: int) -> str:
    return f"▲{delta}" if delta > 0 else f"▼{-delta}" if delta < 0 else "="


def one_line(text: object, width: int = 80) -> str:
    line = " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())
    return line if len(line) <= width else line[: width - 1] + "…"


def main(given: Sequence[str] | None = None) -> int:
    """Do what the words of a command line say, by default this process's; return its exit code."""
    arguments = build_parser().parse_args(given)
    try:
        text = arguments.run(arguments)
    except RerankLabError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(text + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
