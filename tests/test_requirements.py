"""An install brings the same versions each time, direct and indirect ones."""

from __future__ import annotations

import ast
import sys
from collections import Counter
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, packages_distributions, requires, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
FILES = ["requirements-light.txt", "requirements.txt", "requirements-dev.txt"]


def lines(name: str) -> list[Requirement]:
    text = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return [Requirement(line) for line in text if line and not line.startswith(("#", "-"))]


def all_lines(name: str) -> list[Requirement]:
    """Return the lines of a file and of those that it includes."""
    text = (ROOT / name).read_text(encoding="utf-8").splitlines()
    included = [line.removeprefix("-r ") for line in text if line.startswith("-r ")]
    return [*lines(name), *(line for other in included for line in all_lines((Path(name).parent / other).as_posix()))]


def pins() -> dict[str, str]:
    """Return the pinned versions that count on this machine."""
    here = [pin for pin in lines("constraints.txt") if pin.marker is None or pin.marker.evaluate()]
    return {canonicalize_name(pin.name): str(pin.specifier) for pin in here}


def brought(wanted: list[Requirement]) -> Iterator[str]:
    """Yield the name of everything that requirements bring, themselves included."""
    seen: set[tuple[str, str]] = set()
    while wanted:
        one = wanted.pop()
        name = canonicalize_name(one.name)
        for extra in ["", *one.extras]:
            if (name, extra) not in seen:
                seen.add((name, extra))
                inside = map(Requirement, requires(name) or [])
                wanted += [new for new in inside if new.marker is None or new.marker.evaluate({"extra": extra})]
    yield from sorted({name for name, _ in seen})


@pytest.mark.parametrize("file", [*FILES, "constraints.txt"])
def test_every_line_is_one_version_of_a_named_package(file):
    assert all(line.url is None and [one.operator for one in line.specifier] == ["=="] for line in lines(file))


@pytest.mark.parametrize("file", FILES)
def test_what_is_asked_for_is_what_was_tested(file):
    known = pins()
    assert [line for line in map(str, lines(file)) if known[Requirement(line).name.lower()] not in line] == []


def test_the_pins_are_used():
    assert (ROOT / "requirements-light.txt").read_text(encoding="utf-8").startswith("-c constraints.txt\n")
    assert (ROOT / "requirements.txt").read_text(encoding="utf-8").startswith("-r requirements-light.txt\n")


def test_nothing_is_pinned_twice():
    names = [canonicalize_name(line.name) for line in all_lines("requirements-dev.txt")]
    shared = {canonicalize_name(line.name) for line in lines("requirements-light.txt")}
    # The light file is included by the full one and by that of the servers.
    assert Counter(names) - Counter(set(names)) == Counter(shared)


@pytest.mark.parametrize("file", FILES)
def test_everything_that_an_install_brings_is_pinned_to_what_is_here(file):
    known = pins()
    try:
        # A build for one kind of machine names it behind a plus.
        found = {name: f"=={version(name).partition('+')[0]}" for name in brought(lines(file))}
    except PackageNotFoundError as error:
        pytest.skip(f"{error.name} is not installed here")
    assert {name: pin for name, pin in found.items() if known.get(name) != pin} == {}


ELSEWHERE = {"ray", "rapidocr"}
"""What is installed only where it is asked for."""


def test_everything_the_app_imports_is_asked_for_by_name():
    asked, found = {canonicalize_name(line.name) for line in all_lines("requirements.txt")}, packages_distributions()
    files = [ROOT / "app.py", *(ROOT / "rag_core").rglob("*.py"), *(ROOT / "pages").rglob("*.py")]
    foreign = {name.partition(".")[0] for file in files for name in imported(file)} - sys.stdlib_module_names
    for name in foreign - {"rag_core", "pages"} - ELSEWHERE:
        assert asked & set(map(canonicalize_name, found[name])), name


def imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module


def test_the_tests_of_a_file_stay_on_one_worker(request: pytest.FixtureRequest):
    """With pytest 9.2.0 xdist 3.8.0 forgets its groups without a word, and every worker makes what tests share."""
    if not hasattr(request.config, "workerinput"):
        pytest.skip("there is one worker")
    assert request.node.nodeid.endswith("@test_requirements")
