"""Run ``python -m rag_core``: in this process for what it says, in one of its own for what a process does."""

from __future__ import annotations

import io
import logging
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from unittest import mock

from rag_core.__main__ import main

ROOT = Path(__file__).parents[2]


def run(home: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a command here; an error that it does not tell is raised."""
    said, told = io.StringIO(), io.StringIO()
    handler = logging.StreamHandler(told)
    handler.setLevel(logging.WARNING)  # in a process of its own Python writes these to standard error
    logging.getLogger().addHandler(handler)
    try:
        with mock.patch.dict(os.environ, environment(home)), redirect_stdout(said), redirect_stderr(told):
            code = main([*map(str, arguments)])
    except SystemExit as ended:
        code = ended.code
    finally:
        logging.getLogger().removeHandler(handler)
    return subprocess.CompletedProcess(arguments, code, said.getvalue(), told.getvalue())


def run_apart(home: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a command as a reader does."""
    command = [sys.executable, "-m", "rag_core", *map(str, arguments)]
    return subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | environment(home),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
    )


def environment(home: Path) -> dict[str, str]:
    return {"RERANK_LAB_HOME": str(home), "PYTHONIOENCODING": "utf-8"}
