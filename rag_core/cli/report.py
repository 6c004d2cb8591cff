"""report: make a page of a saved comparison, for a reader who has nothing installed."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rag_core.cli.files import read, save
from rag_core.errors import BadSetting
from rag_core.place import ROOT
from rag_core.sharing import replay, replay_file

FORMATS = (".html", ".md")
LANGUAGES = ("en", "zh")


def arguments(command: argparse.ArgumentParser) -> None:
    """Add a saved comparison, and the page that is made of it."""
    command.add_argument("file", type=Path, metavar="FILE", help="a result saved on a page or by compare --replay")
    command.add_argument("output", type=Path, metavar="OUTPUT", help="the page to write: .html with charts, or .md")
    command.add_argument("--language", choices=LANGUAGES, help="of the report; by default the document's")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> str:
    """Write a report; its words and charts are the app's own, so this one command reaches up to the screens."""
    if str(ROOT) not in sys.path:
        sys.path.append(str(ROOT))  # where pip put the screens they are no package of their own
    from pages.ui.results import report

    ending = arguments.output.suffix.lower()
    if ending not in FORMATS:
        message = f"{arguments.output} ends in neither .html nor .md: name a file that does"
        raise BadSetting(message, setting="output", value=arguments.output.name, limit=", ".join(FORMATS))
    made = replay_file.read(read(arguments.file))
    make = report.html if ending == ".html" else report.markdown
    save(arguments.output, make(replay.public(made), arguments.language or made.source.language).encode())
    return f"{arguments.output} written"
