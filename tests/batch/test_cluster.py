"""The stages as Ray Data actors, for real on this machine: the same library and the same tables as without Ray."""

from __future__ import annotations

import importlib.util

import pytest
from command import run, run_apart

from rag_core.batch import cluster
from rag_core.errors import RerankLabError
from tests.batch.test_many import content, folder, write_questions

pytestmark = pytest.mark.slow

__all__ = ["folder"]  # a fixture
HAS_RAY = importlib.util.find_spec("ray") is not None
needs_ray = pytest.mark.skipif(not HAS_RAY, reason="Ray is not installed: pip install -r deploy/requirements.txt")


@needs_ray
def test_with_ray_everything_comes_out_as_without(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "spread"))  # Ray keeps a token in the user's folder
    questions, plainly, spreading = tmp_path / "questions", tmp_path / "plain", tmp_path / "spread"
    write_questions(questions)
    spreading.mkdir()
    asked = ["evaluate", folder, questions, "--depths", "5,10", "--output"]
    plain = run(plainly, *asked, tmp_path / "out")
    spread = run_apart(spreading, *asked, tmp_path / "out-ray", "--ray", "local", "--workers", "2")
    assert (plain.returncode, spread.returncode) == (0, 0), spread.stderr
    assert spread.stdout == plain.stdout
    assert "broken.pdf: not indexed: " in spread.stderr
    files = sorted(file.name for file in (tmp_path / "out").iterdir())
    assert len(files) > 5
    for name in files:
        assert (tmp_path / "out-ray" / name).read_bytes() == (tmp_path / "out" / name).read_bytes(), name
    assert content(spreading) == content(plainly) != []


@needs_ray
def test_a_cluster_that_does_not_answer_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(RerankLabError, match=r"127\.0\.0\.1:9"):
        cluster.join("127.0.0.1:9")


@pytest.mark.skipif(HAS_RAY, reason="Ray is installed")
def test_without_ray_the_reader_is_told_what_to_install():
    with pytest.raises(RerankLabError, match=r"deploy/requirements\.txt"):
        cluster.join(cluster.HERE)
