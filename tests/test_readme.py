"""What the READMEs say is so."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import models_table
import pytest
import settings_table

from rag_core.__main__ import build_parser

ROOT = Path(__file__).parents[1]
READMES = sorted(models_table.WORDS)
PAGES = [*READMES, "CONTRIBUTING.md", "SECURITY.md", "training/README.md", "docs/serving.md", "docs/serving.zh.md"]


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", READMES)
def test_the_table_is_the_catalogue(name: str):
    assert models_table.between(read(name)) == models_table.table(name), "run: python -m tests.support.models_table"


@pytest.mark.parametrize("name", READMES)
def test_the_table_of_settings_is_the_settings(name: str):
    table = settings_table.between(read(name))
    assert table == settings_table.table(name), "run: python -m tests.support.settings_table"


@pytest.mark.parametrize("name", READMES)
@pytest.mark.parametrize(
    "command",
    [
        "pip install -r requirements-light.txt && streamlit run app.py",
        "pip install -r requirements.txt && streamlit run app.py",
        "pip install . && rerank-lab",
        "pip install -r requirements-dev.txt && pytest",
    ],
)
def test_the_commands_are_there(name: str, command: str):
    assert command in read(name)


@pytest.mark.parametrize("name", READMES)
def test_the_command_line_example_is_understood(name: str):
    [example] = re.findall(r"^ *python -m rag_core (compare .*)$", read(name), re.MULTILINE)
    arguments = build_parser().parse_args(shlex.split(example))
    assert (ROOT / arguments.file).is_file()


@pytest.mark.slow
@pytest.mark.parametrize("name", READMES)
def test_the_library_example_runs(name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(ROOT)
    [example] = re.findall(r"```python\n(.*?)```", read(name), re.DOTALL)
    exec(compile(example, name, "exec"), {})
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines() if line] == ["1", "2", "3", "4", "5"]


@pytest.mark.parametrize("name", PAGES)
def test_every_local_link_leads_somewhere(name: str):
    links = re.findall(r"\]\(([^)#:]+)\)", read(name))
    assert [link for link in links if not ((ROOT / name).parent / link).exists()] == []


@pytest.mark.parametrize("name", READMES)
def test_every_screenshot_exists(name: str):
    pictures = re.findall(r"!\[[^]]+\]\(([^)]+)\)", read(name))
    assert pictures and all((ROOT / picture).is_file() for picture in pictures)


@pytest.mark.parametrize("file", sorted(file.name for file in (ROOT / "training").glob("[!_]*.py")))
def test_the_training_readme_names_every_module_and_how_to_run_every_script(file: str):
    runs = "__main__" in read(f"training/{file}")
    named = rf"python -m training\.{file.removesuffix('.py')}\b" if runs else rf"`training/{re.escape(file)}`"
    assert re.search(named, read("training/README.md"))
