"""The package as a reader gets it: a wheel, built here and put into an environment that has nothing else."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import zipfile
from collections.abc import Callable
from email import message_from_bytes
from email.message import Message
from pathlib import Path, PurePosixPath
from urllib.request import ProxyHandler, Request, build_opener

import fresh
import pytest
import running_app
from command import run
from packaging.requirements import Requirement

from benchmarks.crowd import prepare
from benchmarks.tab import opened, play
from rag_core import __version__
from rag_core.extras import MAP, MODELS, OCR, SERVE

ROOT = Path(__file__).parents[1]
SAMPLE = "data/samples/annual-report-en.pdf"
QUESTION = "What made the company miss its leakage goal?"
LIGHT_MB = 1000
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    fresh.uv("build", "--quiet", "--wheel", ROOT, "--out-dir", folder)
    [file] = folder.glob("*.whl")
    return file


@pytest.fixture(scope="module")
def programs(wheel, tmp_path_factory) -> Path:
    return fresh.environment(tmp_path_factory.mktemp("installed") / "venv", "-c", ROOT / "constraints.txt", wheel)


@pytest.fixture
def rerank_lab(programs, tmp_path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return what runs the installed command, in a folder of the reader's."""
    (folder := tmp_path / "reader").mkdir()
    return lambda *words: fresh.run(programs, tmp_path / "home", "rerank-lab", *words, folder=folder)


def metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as files:
        [name] = [name for name in files.namelist() if name.endswith(".dist-info/METADATA")]
        return message_from_bytes(files.read(name))


def asked(wheel: Path, extra: str = "") -> set[str]:
    """Return what the package asks for, or what one of its extras does."""
    lines = map(Requirement, metadata(wheel).get_all("Requires-Dist"))
    for_extra = [line for line in lines if (f'extra == "{extra}"' if extra else "") == str(line.marker or "")]
    return {str(line).partition(";")[0].strip() for line in for_extra}


def pinned(name: str) -> set[str]:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return {str(Requirement(line)).lower() for line in lines if line and line[0] not in "-#"}


def test_the_version_stands_in_one_place(wheel):
    assert metadata(wheel)["Version"] == __version__
    assert f"## {__version__}\n" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert "version =" not in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_the_package_asks_for_what_the_files_name(wheel):
    assert asked(wheel) == pinned("requirements-light.txt")
    assert asked(wheel, MODELS.name) | asked(wheel, MAP.name) == pinned("requirements.txt")
    assert {Requirement(line).name for line in asked(wheel, MAP.name)} == {"umap-learn"}
    assert asked(wheel, OCR.name) == pinned("requirements-ocr.txt")
    assert asked(wheel, SERVE.name) == pinned("deploy/requirements.txt")
    extras = [asked(wheel, extra.name) for extra in (MODELS, MAP, SERVE)]
    assert asked(wheel, "dev") == pinned("requirements-dev.txt").union(*extras)


def test_the_wheel_holds_the_app_with_models_and_samples_and_no_more(wheel):
    with zipfile.ZipFile(wheel) as files:
        names = [PurePosixPath(name) for name in files.namelist() if ".dist-info" not in name]
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    kept = {"app.py", "pages", "data", "deploy", ".streamlit", "rag_core"}
    wanted = {
        PurePosixPath(name if name.startswith("rag_core/") else f"rerank_lab/{name}")
        for name in tracked.split("\0")
        if name.partition("/")[0] in kept and not name.startswith("data/screenshots/")
    }
    assert set(names) == wanted


def test_it_says_its_version_and_how_it_is_used(rerank_lab):
    assert rerank_lab("--version").stdout == f"Rerank Lab {__version__}\n"
    told = rerank_lab("--help").stdout
    assert "rerank-lab compare report.pdf" in told and "python -m rag_core" not in told


def test_a_comparison_is_the_one_that_is_made_here(rerank_lab, programs, tmp_path):
    [sample] = (programs.parent).rglob(SAMPLE)
    words = ["compare", sample, QUESTION, "--depth", "10", "--json"]
    there, here = rerank_lab(*words), run(tmp_path / "here", *words)
    assert (there.returncode, there.stderr) == (0, "")
    theirs, ours = json.loads(there.stdout), json.loads(here.stdout)
    assert theirs["reranked"] and [theirs[side] for side in ("vector", "reranked")] == [
        ours[side] for side in ("vector", "reranked")
    ]


def test_a_report_has_the_apps_words(rerank_lab, tmp_path):
    saved, page = tmp_path / "result.json", tmp_path / "report.html"
    assert rerank_lab("compare", ROOT / SAMPLE, QUESTION, "--depth", "5", "--replay", saved).returncode == 0
    assert rerank_lab("report", saved, page).returncode == 0
    assert QUESTION in page.read_text(encoding="utf-8")
    assert "sentence-transformers" not in json.loads(saved.read_text(encoding="utf-8"))["versions"]


def test_what_needs_more_names_a_command_that_brings_it(rerank_lab, programs):
    done = rerank_lab("compare", ROOT / SAMPLE, QUESTION, "--reranker", "nobody/no-such-model")
    assert (done.returncode, done.stdout) == (1, "")
    assert 'sentence-transformers, which is not installed: run pip install "rerank-lab[models]"' in done.stderr
    assert rerank_lab("serve").stderr == 'Ray is not installed: pip install "rerank-lab[serve]"\n'
    brings = fresh.uv("pip", "install", "--dry-run", "--python", programs.parent, "rerank-lab[map]")
    assert re.search(r"^ \+ umap-learn==", brings, re.MULTILINE)


def test_it_starts_the_app_which_compares(programs, tmp_path):
    questions = prepare(tmp_path / "home")
    (folder := tmp_path / "reader").mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [programs / "rerank-lab", f"--server.port={port}"]
    log = tmp_path / "log"
    with log.open("w") as output:
        server = subprocess.Popen(
            command, cwd=folder, env=fresh.plain(tmp_path / "home", programs), stdout=output, stderr=output
        )
        try:
            running_app.wait_for(f"http://127.0.0.1:{port}/_stcore/health", server, log)
            assert play(compared(port, questions[0]))
        finally:
            server.terminate()
            server.wait(30)
    assert f"http://127.0.0.1:{port}" in log.read_text()  # its own configuration is read: loopback alone


def test_with_ray_it_serves_the_models(wheel, tmp_path):
    asked = f"rerank-lab[{SERVE.name}] @ {wheel.as_uri()}"
    programs = fresh.environment(tmp_path / "venv", "-c", ROOT / "constraints.txt", asked)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    variables, log = fresh.plain(tmp_path / "home", programs) | {"HOME": str(tmp_path)}, tmp_path / "log"
    command = [programs / "rerank-lab", "serve", f"--port={port}", "--cpus=0.1"]
    with log.open("w") as output:
        server = subprocess.Popen(command, cwd=tmp_path, env=variables, stdout=output, stderr=output)
        try:
            running_app.wait_for(f"http://127.0.0.1:{port}/health", server, log)
            body = json.dumps({"query": QUESTION, "documents": ["Parks were built.", "The leakage goal was missed."]})
            sent = Request(f"http://127.0.0.1:{port}/rerank", body.encode(), {"Content-Type": "application/json"})
            with build_opener(ProxyHandler({})).open(sent, timeout=60) as reply:
                results = json.load(reply)["results"]
        finally:
            server.terminate()
            server.wait(60)
    assert [result["index"] for result in results] == [1, 0]


async def compared(port: int, question: str) -> bool:
    async with opened(port) as tab:
        return await tab.compare(question)


def test_an_environment_of_the_light_package_is_as_large_as_is_said(programs):
    files = [file for file in programs.parent.rglob("*") if file.is_file() and not file.is_symlink()]
    assert sum(file.stat().st_size for file in files) < LIGHT_MB * 2**20
    packages = {folder.name for folder in programs.parent.rglob("site-packages/*")}
    assert "onnxruntime" in packages and not packages & {"torch", "numba", "umap", "sentence_transformers"}
