"""Who imports whom: folders are layers, read from the source, so that a shortcut shows before it is a habit."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

LAYERS = {
    "rag_core": (
        "reading",
        "servers",
        "models",
        "keeping",
        "comparing",
        "search",
        "measuring",
        "explaining",
        "sharing",
        "workshop",
        "batch",
        "cli",
    ),
    "pages/ui": (
        "shell",
        "parts",
        "answer",
        "results",
        "compare",
        "documents",
        "evaluate",
        "explain",
        "workshop",
        "home",
    ),
}
"""The rooms of each house from the ground up: a room knows those before it and nothing above."""

HEAVY = {"torch", "transformers", "sentence_transformers", "chromadb", "onnxruntime", "openai", "streamlit", "altair"}
HEAVY |= {"umap", "numba"}
HEAVY |= {"ray"}
LATE = HEAVY | {"pydantic", "pydantic_settings"}
"""What a start does without: the settings are read when one is asked for."""


def imports(file: Path, outermost: bool = False) -> Iterator[str]:
    """Yield every module a file imports, in full; ``outermost`` leaves out what functions import when called."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for node in tree.body if outermost else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file.name} imports relatively"
            yield from (f"{node.module}.{name.name}" for name in node.names)


def named(files: list[Path]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("file", files, ids=lambda file: str(file.relative_to(ROOT)))


CORE = sorted((ROOT / "rag_core").rglob("*.py"))
SCREENS = [ROOT / "app.py", *sorted((ROOT / "pages").glob("*.py"))]
PARTS_OF_SCREENS = sorted((ROOT / "pages" / "ui").rglob("*.py"))


def arrows(house: str) -> dict[str, set[str]]:
    """Return what each room, and each file beside the rooms, imports of the others."""
    known: dict[str, set[str]] = {}
    for file in (ROOT / house).rglob("*.py"):
        place = file.relative_to(ROOT / house)
        modules = (name.removeprefix(f"{house.replace('/', '.')}.") for name in imports(file))
        known.setdefault(place.parts[0].removesuffix(".py"), set()).update(name.split(".")[0] for name in modules)
    return {room: {other for other in others if other in known and other != room} for room, others in known.items()}


@pytest.mark.parametrize("house", LAYERS)
def test_every_room_knows_only_rooms_below_it(house):
    known, rooms = arrows(house), LAYERS[house]
    assert {room for room in known if (ROOT / house / room).is_dir()} == {*rooms}
    for below, room in enumerate(rooms):
        assert known[room] & {*rooms} <= {*rooms[:below]}, room
    TopologicalSorter(known).prepare()  # files beside the rooms stand in no circle either


REPORT = {"pages.ui.results.report"}
"""The one thing the command line takes from above it, when it is asked for: a report has the app's words and charts."""

COMMAND_LINE = ROOT / "rag_core" / "cli" / "report.py"


@named(CORE)
def test_rag_core_knows_nothing_of_the_screen(file):
    asked_for = REPORT if file == COMMAND_LINE else set()
    foreign = {module.split(".")[0] for module in {".".join(name.split(".")[:4]) for name in imports(file)} - asked_for}
    assert not foreign & {"streamlit", "altair", "pandas", "pages", "app", "training", "tests"}


def test_the_report_is_reached_only_when_it_is_asked_for():
    assert REPORT & set(imports(COMMAND_LINE))
    assert not REPORT & set(imports(COMMAND_LINE, outermost=True))


@named(CORE)
def test_heavy_imports_wait_until_they_are_needed(file):
    assert not {module.split(".")[0] for module in imports(file, outermost=True)} & HEAVY


@pytest.mark.parametrize("module", ["rag_core", "rag_core.lab", "rag_core.__main__"])
def test_importing_the_program_imports_nothing_heavy(module):
    program = f"import sys, {module}; print(*{LATE!r} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.stdout.strip(), done.stderr) == ("", "")


MADE_IN_ONE_PLACE = ("rag_core.lab.", "rag_core.models.embed.", "rag_core.models.rerank.")
"""What opens the library and loads models: on the screens, only the shell does."""

BEHIND_THE_LAB = (
    "rag_core.search.index.",
    "rag_core.keeping.",
    "rag_core.search.fuse.",
    "rag_core.models.hub.",
    "rag_core.models.onnx_model.",
)
"""What a screen reaches through ``Lab`` alone; it may name the type that ``Lab.index`` returns."""


@named([*SCREENS, *PARTS_OF_SCREENS])
def test_models_and_library_are_made_in_one_place(file):
    assert file.parent.name == "shell" or not [name for name in imports(file) if name.startswith(MADE_IN_ONE_PLACE)]


@named([*SCREENS, *PARTS_OF_SCREENS])
def test_a_screen_reaches_index_and_library_through_the_lab(file):
    known = {*imports(file)} - {"rag_core.search.index.Searched"}
    assert not [name for name in known if f"{name}.".startswith(BEHIND_THE_LAB)]


@named(PARTS_OF_SCREENS)
def test_parts_of_screens_know_no_screen(file):
    screens = {f"pages.{screen.stem}" for screen in SCREENS} | {"app"}
    assert not {".".join(name.split(".")[:2]) for name in imports(file)} & screens


@named([*SCREENS, *PARTS_OF_SCREENS])
def test_screens_leave_the_libraries_to_rag_core(file):
    libraries = {name.split(".")[0] for name in imports(file)}
    assert not libraries & ((HEAVY - {"streamlit", "altair"}) | {"sqlite3", "pypdf", "huggingface_hub", "tokenizers"})
