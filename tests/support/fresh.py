"""Environments of their own, made by uv from the package index as pip is set up here; without an index a test skips."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

UNREACHABLE = re.compile(r"Failed to fetch|error sending request|dns error|timed out|Connection refused")
SECONDS = 600


def uv(*words: object) -> str:
    """Run uv; skip the test where uv cannot reach the index."""
    command = [sys.executable, "-m", "uv", *map(str, words)]
    done = subprocess.run(command, cwd="/", capture_output=True, text=True, timeout=SECONDS)
    if done.returncode and UNREACHABLE.search(done.stderr):
        pytest.skip(f"the package index cannot be reached: {done.stderr.splitlines()[-1].strip()}")
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def environment(folder: Path, *packages: object) -> Path:
    """Make an environment with these packages alone; return its folder of programs."""
    uv("venv", "--quiet", "--python", sys.executable, folder)
    programs = folder / ("Scripts" if os.name == "nt" else "bin")
    uv("pip", "install", "--quiet", "--python", folder, *packages)
    return programs


def plain(home: Path, programs: Path) -> dict[str, str]:
    """Return this process's environment for a program of another one: nothing of ours is found there by its path."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    paths = os.pathsep.join([str(programs), os.environ["PATH"]])
    return kept | {"PATH": paths, "RERANK_LAB_HOME": str(home), "PYTHONIOENCODING": "utf-8"}


def run(programs: Path, home: Path, *words: object, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a program of an environment, in a folder that has nothing of this repository."""
    command: Sequence[str] = [str(programs / str(words[0])), *map(str, words[1:])]
    return subprocess.run(
        command,
        cwd=folder,
        env=plain(home, programs),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=SECONDS,
    )
