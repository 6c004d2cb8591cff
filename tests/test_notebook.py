"""The notebook that shows ``rag_core`` as a library: its cells run as they stand, one after the other."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
FILE = ROOT / "docs" / "library.ipynb"


def cells() -> list[dict]:
    notebook = json.loads(FILE.read_text(encoding="utf-8"))
    assert notebook["nbformat"] == 4
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def text(lines: list[str]) -> str:
    return "".join(lines)


def test_the_cells_run_and_print_as_many_lines_as_stand_below_them(capsys, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(ROOT)
    scope: dict[str, object] = {}
    said = []
    for number, cell in enumerate(cells()):
        exec(compile(text(cell["source"]), f"cell {number}", "exec"), scope)
        printed = "".join(text(output["text"]) for output in cell["outputs"])
        said.append(capsys.readouterr().out)
        # The models' last digits differ from one processor to another, and with them a rank now and then.
        assert said[-1].count("\n") == printed.count("\n"), f"cell {number}"
    assert "9 pages, 58 chunks, en\n" in said
    assert "True 3 judgments\n" in said


def test_the_notebook_needs_no_notebook():
    sources = [line for cell in cells() for line in cell["source"]]
    assert not [line for line in sources if line.lstrip()[:1] in ("%", "!")]
    assert not [line for line in sources if len(line) > 130]
