"""Reading in a process of its own: the same pages, the same errors, and limits that hold."""

from __future__ import annotations

import random
import subprocess
import sys
import time

import hostile
import psutil
import pytest
from pdfs import blank_pdf, encrypted_pdf, text_pdf

from rag_core import errors
from rag_core.errors import PasswordNeeded, ReadTooLarge, ReadTooLong, TooManyPages, WrongPassword
from rag_core.reading import extract, sandbox

PLAIN = text_pdf(["全市收入增长8.2%。", "Revenue grew."], [], ["The tram opened."])
TRIED = 40


def command_of(child: psutil.Process) -> list[str]:
    """Return a process's command line: none of one that has just ended, as a child of a test before may have."""
    try:
        return child.cmdline()
    except (psutil.ZombieProcess, psutil.NoSuchProcess):
        return []


def children() -> list[psutil.Process]:
    found = psutil.Process().children(recursive=True)
    return [child for child in found if "rag_core.reading.sandbox" in " ".join(command_of(child))]


def test_the_pages_are_those_that_are_read_here():
    counts = []
    assert sandbox.read_pages(PLAIN, None, lambda *count: counts.append(count)) == extract.read(PLAIN)
    assert counts == [(1, 3), (2, 3), (3, 3), (3, 3), (3, 3), (3, 3)]


def test_a_password_opens_the_file():
    assert sandbox.read_pages(encrypted_pdf(PLAIN, "sécret 密码"), "sécret 密码") == extract.read(PLAIN)


@pytest.mark.parametrize(
    ("data", "password", "error"),
    [
        (b"", None, errors.EmptyFile),
        (b"text", None, errors.NotAPdf),
        (PLAIN[:300], None, errors.DamagedPdf),
        (encrypted_pdf(PLAIN, "secret"), None, PasswordNeeded),
        (encrypted_pdf(PLAIN, "secret"), "wrong", WrongPassword),
        (blank_pdf(1001), None, TooManyPages),
    ],
)
def test_errors_come_back_as_they_are(data, password, error):
    with pytest.raises(error) as apart:
        sandbox.read_pages(data, password)
    with pytest.raises(error) as here:
        extract.read(data, password)
    assert (str(apart.value), apart.value.values) == (str(here.value), here.value.values)


def test_a_file_that_takes_too_long_is_given_up(monkeypatch):
    monkeypatch.setattr(sandbox, "SILENT_SECONDS", 0.01)
    with pytest.raises(ReadTooLong):
        sandbox.read_pages(PLAIN)


def test_a_file_that_needs_too_much_memory_is_given_up(monkeypatch):
    monkeypatch.setattr(sandbox, "MEMORY_BYTES", 100 * 2**20)
    with pytest.raises(ReadTooLarge) as told:
        sandbox.read_pages(hostile.page(hostile.shown(b"x" * 5_000_000)))
    assert told.value.values == {"megabytes": 100}


def test_a_child_that_dies_is_a_damaged_file(monkeypatch):
    def dying(*_args: object, **_options: object) -> subprocess.Popen:
        command = [sys.executable, "-c", "import os; os.abort()"]
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    monkeypatch.setattr(sandbox, "_started", dying)
    with pytest.raises(errors.DamagedPdf):
        sandbox.read_pages(PLAIN)


def test_a_reader_who_goes_away_leaves_no_child_running():
    def leave(*_count: int) -> None:
        assert len(children()) == 1
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sandbox.read_pages(PLAIN, None, leave)
    assert children() == []


def test_the_password_does_not_stand_in_the_list_of_processes():
    seen = []
    data = encrypted_pdf(PLAIN, "top-secret")
    sandbox.read_pages(data, "top-secret", lambda *_: seen.extend(filter(None, map(command_of, children()))))
    assert seen
    assert not any("top-secret" in word for command in seen for word in command)


def test_the_child_loads_nothing_heavy():
    heavy = {"torch", "numpy", "onnxruntime", "chromadb", "streamlit", "rapidocr"}
    program = f"import sys, rag_core.reading.sandbox; print(*{heavy!r} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == ""


@pytest.fixture(scope="module")
def corpus() -> list[tuple[str, bytes]]:
    return hostile.corpus()


@pytest.mark.slow
def test_the_corpus_has_two_hundred_files_of_the_same_kinds_each_time(corpus):
    assert len(corpus) >= 200
    assert [kind for kind, _ in hostile.corpus()] == [kind for kind, _ in corpus]


@pytest.mark.slow
@pytest.mark.parametrize("number", range(TRIED))
def test_a_hostile_file_ends_in_pages_or_in_a_message(corpus, number):
    kind, data = random.Random(3).sample(corpus, TRIED)[number]
    start = time.monotonic()
    assert hostile.outcome(data), kind
    # Far above what is measured: it catches what never ends, on a machine however busy.
    assert time.monotonic() - start < 6 * hostile.SECONDS


def test_the_process_that_reads_sees_no_key_of_the_host(monkeypatch):
    for name in ("OPENAI_API_KEY", "COHERE_API_KEY", "RERANK_LAB_RERANK_KEY", "HF_TOKEN", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "sk-distinctive-0123456789wxyz")
    seen, start = [], sandbox.subprocess.Popen

    def started(*command: object, env: dict[str, str], **how: object) -> subprocess.Popen:
        seen.append(env)
        return start(*command, env=env, **how)

    monkeypatch.setattr(sandbox.subprocess, "Popen", started)
    assert sandbox.read_pages(text_pdf(["全市收入增长8.2%。"]))[0].chosen.text == "全市收入增长8.2%。"
    assert {name for env in seen for name in env if not name.startswith("LC_")} <= {"PATH", "LANG", "PYTHONPATH"}
    assert "sk-distinctive-0123456789wxyz" not in str(seen)
