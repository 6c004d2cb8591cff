"""Who imports whom: read from the source, so that a shortcut shows before it is a habit."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

WORDS = {"datatypes", "errors"}
GROUND = {"settings", "text", "catalog", "hub", "onnx_model", "selftest", "judge", "exchange", "units", "disk"}
GROUND |= {"quality", "fields", "server", "server_limits", "remote", "waiting", "tokens", "language"}
"""What steps stand on: limits, facts about writing, the models and how one is loaded and tried, judgments, files."""

STEPS = {"pdf", "chunk", "embed", "index", "lexical", "expand", "fuse", "rerank", "compare", "answer", "metrics"}
STEPS |= {"pdfium", "parts"}
STEPS |= {"probe", "perturb", "projection", "baseline"}
"""What explains a comparison; each takes texts, embeddings or a function that scores."""

LONG_TEXTS = {"rerank": {"parts"}, "parts": {"chunk"}}
"""A text that is too long for a cross-encoder is cut where a page is."""

ASKS_A_SERVER = {"expand", "answer", "embed"}
ORDER = {"pipeline", "documents", "evaluate", "collection", "extract", "ocr", "sandbox", "__main__"}
ORDER |= {"replay", "history", "batch", "cluster"}
"""What knows the order of the steps, what runs one apart, and what keeps the outcome of all of them."""

KEPT = {"library", "llm"}
WORKSHOP = {"predict", "room", "lessons"}
"""What is taught about a comparison that is already made."""

HEAVY = {"torch", "transformers", "sentence_transformers", "chromadb", "onnxruntime", "openai", "streamlit", "altair"}
HEAVY |= {"umap", "numba"}
HEAVY |= {"ray"}

MADE_IN_ONE_PLACE = {"pipeline", "documents", "embed", "rerank"}
"""What opens the library and loads models: on the screens, only ``ui/cached.py`` does."""

BEHIND_THE_PIPELINE = {"index", "library", "fuse", "hub", "onnx_model"}
"""What a screen reaches through ``Lab`` alone; it may name the type that ``Lab.index`` returns."""


def imports(file: Path, outermost: bool = False) -> Iterator[str]:
    """Yield every module a file imports, in full; ``outermost`` leaves out what functions import when called."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for node in tree.body if outermost else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file.name} imports relatively"
            yield from (f"{node.module}.{name.name}" for name in node.names)


def parts(file: Path) -> set[str]:
    """Return the modules of rag_core that a file imports."""
    return {name.split(".")[1] for name in imports(file) if name.startswith("rag_core.")}


def core(name: str) -> Path:
    return ROOT / "rag_core" / f"{name}.py"


CORE = sorted(file.stem for file in (ROOT / "rag_core").glob("*.py") if file.stem != "__init__")
SCREENS = [ROOT / "app.py", *sorted((ROOT / "pages").glob("*.py"))]
PARTS_OF_SCREENS = sorted((ROOT / "pages" / "ui").glob("*.py"))

every_screen_file = pytest.mark.parametrize(
    "file", [*SCREENS, *PARTS_OF_SCREENS], ids=lambda file: str(file.relative_to(ROOT))
)


def test_every_module_of_rag_core_has_its_place():
    assert set(CORE) == WORDS | GROUND | STEPS | ORDER | KEPT | WORKSHOP


@pytest.mark.parametrize("name", sorted(WORDS))
def test_the_words_stand_alone(name):
    assert parts(core(name)) == set()


@pytest.mark.parametrize("name", sorted(GROUND | KEPT))
def test_the_ground_knows_no_step(name):
    assert parts(core(name)) <= WORDS | GROUND


@pytest.mark.parametrize("name", sorted(STEPS))
def test_a_step_knows_no_other_step(name):
    llm = {"llm"} if name in ASKS_A_SERVER else set()
    assert parts(core(name)) <= WORDS | GROUND | llm | LONG_TEXTS.get(name, set())


@pytest.mark.parametrize("name", sorted(WORKSHOP))
def test_the_workshop_knows_no_step(name):
    assert parts(core(name)) <= WORDS | GROUND | {"predict"}


REPORT = {"pages.ui.report"}
"""The one thing the command line takes from above it, when it is asked for: a report has the app's words and charts."""


@pytest.mark.parametrize("name", CORE)
def test_rag_core_knows_nothing_of_the_screen(name):
    asked_for = REPORT if name == "__main__" else set()
    foreign = {module.split(".")[0] for module in set(imports(core(name))) - asked_for}
    assert not foreign & {"streamlit", "altair", "pandas", "pages", "app", "training", "tests"}


def test_the_report_is_reached_only_when_it_is_asked_for():
    assert REPORT & set(imports(core("__main__")))
    assert not REPORT & set(imports(core("__main__"), outermost=True))


@pytest.mark.parametrize("name", CORE)
def test_heavy_imports_wait_until_they_are_needed(name):
    assert not {module.split(".")[0] for module in imports(core(name), outermost=True)} & HEAVY


@pytest.mark.parametrize("module", ["rag_core", "rag_core.pipeline", "rag_core.__main__"])
def test_importing_the_program_imports_nothing_heavy(module):
    program = f"import sys, {module}; print(*{HEAVY!r} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.stdout.strip(), done.stderr) == ("", "")


@every_screen_file
def test_models_and_library_are_made_in_one_place(file):
    if file.name != "cached.py":
        assert not parts(file) & MADE_IN_ONE_PLACE


@every_screen_file
def test_a_screen_reaches_index_and_library_through_the_pipeline(file):
    named = {name for name in imports(file) if name.split(".")[0] == "rag_core"} - {"rag_core.index.Searched"}
    assert not {name for name in named if name.split(".")[1] in BEHIND_THE_PIPELINE}


@pytest.mark.parametrize("file", PARTS_OF_SCREENS, ids=lambda file: file.name)
def test_parts_of_screens_know_no_screen(file):
    screens = {f"pages.{screen.stem}" for screen in SCREENS} | {"app"}
    assert not {".".join(name.split(".")[:2]) for name in imports(file)} & screens


@every_screen_file
def test_screens_leave_the_libraries_to_rag_core(file):
    libraries = {name.split(".")[0] for name in imports(file)}
    assert not libraries & ((HEAVY - {"streamlit", "altair"}) | {"sqlite3", "pypdf", "huggingface_hub", "tokenizers"})
