"""The stages as Ray Data actors, for real on this machine: the same library and the same tables as without Ray."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
from test_batch import content, folder, write_questions
from test_cli import ROOT

from rag_core import cluster
from rag_core.errors import RerankLabError

__all__ = ["folder"]  # a fixture
HAS_RAY = importlib.util.find_spec("ray") is not None
needs_ray = pytest.mark.skipif(not HAS_RAY, reason="Ray is not installed: pip install -r deploy/requirements.txt")


def evaluated(
    home: Path, folder: Path, questions: Path, output: Path, *options: str
) -> subprocess.CompletedProcess[str]:
    home.mkdir()
    asked = ["evaluate", str(folder), str(questions), "--depths", "5,10", "--output", str(output), *options]
    command = [sys.executable, "-m", "rag_core", *asked]
    # Ray keeps a token in the user's folder.
    environment = os.environ | {"RERANK_LAB_HOME": str(home), "HOME": str(home), "PYTHONIOENCODING": "utf-8"}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)


@needs_ray
def test_with_ray_everything_comes_out_as_without(folder, tmp_path):
    questions = tmp_path / "questions"
    write_questions(questions)
    plain = evaluated(tmp_path / "plain", folder, questions, tmp_path / "out")
    spread = evaluated(tmp_path / "spread", folder, questions, tmp_path / "out-ray", "--ray", "local", "--workers", "2")
    assert (plain.returncode, spread.returncode) == (0, 0), spread.stderr
    assert spread.stdout == plain.stdout
    assert "broken.pdf: not indexed: " in spread.stderr
    files = sorted(file.name for file in (tmp_path / "out").iterdir())
    assert len(files) > 5
    for name in files:
        assert (tmp_path / "out-ray" / name).read_bytes() == (tmp_path / "out" / name).read_bytes(), name
    assert content(tmp_path / "spread") == content(tmp_path / "plain") != []


@needs_ray
def test_a_cluster_that_does_not_answer_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(RerankLabError, match=r"127\.0\.0\.1:9"):
        cluster.join("127.0.0.1:9")


@pytest.mark.skipif(HAS_RAY, reason="Ray is installed")
def test_without_ray_the_reader_is_told_what_to_install():
    with pytest.raises(RerankLabError, match=r"deploy/requirements\.txt"):
        cluster.join(cluster.HERE)
