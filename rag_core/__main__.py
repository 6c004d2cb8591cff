"""The command line: index, compare, evaluate, replay, report, mend. Exit codes: 0 done, 1 told of a fault, 2 usage."""

from __future__ import annotations

import argparse
import os
import re
import runpy
import sys
from collections.abc import Sequence

from rag_core import __version__
from rag_core.cli import compare, evaluate, index, mend, replay, report
from rag_core.errors import RerankLabError
from rag_core.extras import SERVE
from rag_core.place import ROOT

PROGRAM, INSTALLED = "python -m rag_core", "rerank-lab"
OPTION_OF_STREAMLIT = re.compile(r"--\w+\.\w+")
EXAMPLES = """
examples:
  python -m rag_core index reports/
  python -m rag_core compare report.pdf "How much did revenue grow?" --replay result.json
  python -m rag_core compare reports/ "How much did revenue grow?"
  python -m rag_core replay result.json
  python -m rag_core report result.json report.html
  python -m rag_core evaluate report.pdf questions.csv --depths 10,50 --output measured/
  python -m rag_core mend documents/

RERANK_LAB_HOME names the folder where documents and embeddings are kept. Exit codes: 0 done, 1 told what is wrong on
standard error, 2 the command line itself was not understood.
"""
ALONE = """
Alone it starts the app, and hands options of Streamlit, such as --server.port=8600, on to it. "rerank-lab serve --help"
tells of the server that gives the models to other programs.
"""
COMMANDS = {
    "index": (index, "read PDFs and embed them ahead of the first question"),
    "compare": (compare, "compare the vector order with the cross-encoder order on a PDF or a folder"),
    "evaluate": (evaluate, "measure every order on a file of questions and judgments"),
    "replay": (replay, "print a comparison that was saved; needs neither its PDF nor models"),
    "report": (report, "make a page of a saved comparison, for a reader who has nothing installed"),
    "mend": (mend, "copy what is whole of a damaged library into a new one, and keep the damaged file beside it"),
}


def build_parser(program: str = PROGRAM) -> argparse.ArgumentParser:
    """Build the parser of the command line, with a subcommand for each of ``COMMANDS``."""
    parser = argparse.ArgumentParser(
        prog=program,
        description="See what reranking does to a vector search.",
        epilog=EXAMPLES.replace(PROGRAM, program) + (ALONE if program == INSTALLED else ""),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"Rerank Lab {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (command, meaning) in COMMANDS.items():
        command.arguments(commands.add_parser(name, help=meaning, description=f"{meaning[0].upper()}{meaning[1:]}."))
    return parser


def main(given: Sequence[str] | None = None, program: str = PROGRAM) -> int:
    """Do what the words of a command line say, by default this process's; return its exit code."""
    arguments = build_parser(program).parse_args(given)
    try:
        text = arguments.run(arguments)
    except RerankLabError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(text + "\n")
    return 0


def rerank_lab() -> int:
    """Start the app or the server of models, or do what the words of a command line say: what pip installs."""
    words = sys.argv[1:]
    if words[:1] == ["serve"]:
        return _serve(words[1:])
    if words and not OPTION_OF_STREAMLIT.match(words[0]):
        return main(words, INSTALLED)
    return _run("streamlit", ["run", str(ROOT / "app.py"), *words])


def _serve(words: Sequence[str]) -> int:
    if not SERVE.is_installed():
        sys.stderr.write(f"Ray is not installed: {SERVE.command}\n")
        return 1
    # Where pip put it, it is no package of its own: neither for this process nor for the replicas that it starts.
    sys.path.append(str(ROOT))
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return _run("deploy.serve", words)


def _run(module: str, words: Sequence[str]) -> int:
    sys.argv = [module, *words]
    runpy.run_module(module, run_name="__main__")
    return 0


if __name__ == "__main__":
    sys.exit(main())
