"""Environments that have only what is named, made by uv from what it has kept: nothing is downloaded for a test."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

SECONDS = 600


def python(folder: Path, *packages: str) -> Path:
    """Make an environment and return its Python; skip the test where a package was never fetched on this machine."""
    if not find_spec("uv"):
        pytest.skip("uv is not installed here")
    _uv("venv", "--quiet", "--python", sys.executable, folder)
    place = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    done = _uv("pip", "install", "--quiet", "--offline", "--python", place, *packages)
    if done.returncode:
        assert "disabled" in done.stderr and "cache" in done.stderr, done.stderr
        pytest.skip(f"fetch these once, in any environment: uv pip install {' '.join(packages)}")
    return place


def _uv(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "uv", *map(str, words)]
    return subprocess.run(command, cwd="/", capture_output=True, text=True, timeout=SECONDS)


def answer(python: Path, script: str, folder: Path) -> object:
    """Run a script in an environment, and return the JSON in its last line; it finds nothing of ours by its path."""
    left_out = ("PYTHON", "VIRTUAL_ENV", "RERANK_LAB_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    quiet = {"HF_HUB_OFFLINE": "1", "ANONYMIZED_TELEMETRY": "False", "PYTHONIOENCODING": "utf-8", "HOME": str(folder)}
    done = subprocess.run(
        [python, "-c", script],
        cwd=folder,
        env=kept | quiet,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])
