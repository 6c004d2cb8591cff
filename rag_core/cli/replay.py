"""replay: print a comparison that was saved; needs neither its PDF nor models."""

from __future__ import annotations

import argparse
from pathlib import Path

from rag_core.cli.files import read
from rag_core.cli.printed import as_json, as_text, one_line
from rag_core.sharing import replay_file


def arguments(command: argparse.ArgumentParser) -> None:
    """Add a saved comparison, and the form in which it is printed."""
    command.add_argument("file", type=Path, metavar="FILE", help="a result saved on a page or by compare --replay")
    command.add_argument("--json", action="store_true", help="print one JSON object, as compare does")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> str:
    """Return a saved comparison as ``compare`` prints it, below what it was made from."""
    made = replay_file.read(read(arguments.file))
    if arguments.json:
        return as_json(made.comparison)
    title = f"{made.source.title}, compared {made.made} with Rerank Lab {made.versions.get('app', '?')}"
    question, judged = f"question: {one_line(made.comparison.query, 200)}", f"{len(made.judgments)} judgments"
    return "\n".join([one_line(title, 200), question, judged, as_text(made.comparison)])
