"""Reading in a process of its own: the same pages, the same errors, and limits that hold."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import hostile
import psutil
import pytest
from pdfs import blank_pdf, encrypted_pdf, joined, text_pdf

from rag_core import errors, presence
from rag_core.errors import PasswordNeeded, ReadTooLarge, ReadTooLong, TooManyPages, WrongPassword
from rag_core.reading import extract, nursery, pdf, sandbox
from tests.workshop.test_waiting import until

ROOT = Path(__file__).parents[2]
PLAIN = text_pdf(["全市收入增长8.2%。", "Revenue grew."], [], ["The tram opened."])
TRIED = 40


def command_of(child: psutil.Process) -> list[str]:
    """Return a process's command line: none of one that has just ended, as a child of a test before may have."""
    try:
        return child.cmdline()
    except (psutil.ZombieProcess, psutil.NoSuchProcess):
        return []


def is_nursery(child: psutil.Process) -> bool:
    return "rag_core.reading.nursery" in command_of(child)


def nurseries() -> list[psutil.Process]:
    return list(filter(is_nursery, psutil.Process().children()))


def children() -> list[psutil.Process]:
    """Return who reads: whoever a nursery of this process has forked."""
    return [child for nursery in nurseries() for child in nursery.children() if is_nursery(child)]


def test_the_pages_are_those_that_are_read_here():
    counts = []
    assert sandbox.read_pages(PLAIN, None, lambda *count: counts.append(count)) == extract.read(PLAIN)
    assert counts == [(1, 3), (2, 3), (3, 3), (3, 3)]  # the blank page is read by pypdf, too


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

    monkeypatch.setattr(nursery, "start", dying)
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
    program = f"import sys; from rag_core.reading import sandbox; sandbox.load(); print(*{heavy!r} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == ""


@pytest.fixture
def short(monkeypatch) -> None:
    """Let a page take some seconds only: enough to start a child on a busy machine."""
    monkeypatch.setattr(sandbox, "SILENT_SECONDS", 4)


@pytest.mark.slow
@pytest.mark.usefixtures("short")
def test_a_page_that_takes_pdfium_too_long_is_passed_over():
    counts = []
    data = joined(PLAIN, hostile.slow(b"Revenue fell."), text_pdf(["电车通车。"]), hostile.slow(b""))
    *plain, slow, last, empty = sandbox.read_pages(data, None, lambda *count: counts.append(count))
    assert [*plain, last] == [
        *extract.read(PLAIN),
        replace(extract.read(text_pdf(["电车通车。"]))[0], number=5),
    ]
    assert (list(slow.extracts), slow.chosen.text) == (["pypdf"], "Revenue fell.")
    assert (slow.chosen.quality.verdict, slow.chosen.quality.reasons) == ("good", ("slow",))
    assert (empty.chosen.text, empty.chosen.quality.verdict) == ("", "unreadable")
    assert empty.chosen.quality.reasons == ("too_slow",)
    assert counts == sorted(counts) and {*counts} == {(done, 6) for done in range(1, 7)}
    assert children() == []


@pytest.mark.slow
@pytest.mark.usefixtures("short")
def test_many_such_pages_end_the_asking(monkeypatch):
    monkeypatch.setattr(sandbox, "MOST_SLOW", 1)
    first, *others = sandbox.read_pages(joined(PLAIN, hostile.slow(b"Revenue fell."), PLAIN, hostile.slow(b"Up.")))
    assert list(first.extracts) == ["pdfium"]
    assert [page.chosen.text for page in others] == [
        *("", "The tram opened.", "Revenue fell."),
        *("全市收入增长8.2%。\nRevenue grew.", "", "The tram opened.", "Up."),
    ]
    assert all("slow" in page.chosen.quality.reasons for page in others[2:] if page.chosen.text)


@pytest.mark.slow
@pytest.mark.usefixtures("short")
def test_a_file_of_nothing_but_such_pages_is_given_up():
    with pytest.raises(ReadTooLong):
        sandbox.read_pages(hostile.slow(b""))


@pytest.mark.slow
@pytest.mark.usefixtures("short")
def test_such_a_page_is_not_drawn_for_ever():
    start = time.monotonic()
    with pytest.raises(ReadTooLong):
        sandbox.draw_page(hostile.slow(b"Revenue fell."), 1)
    assert time.monotonic() - start < 20
    assert children() == []


@pytest.mark.slow
def test_nobody_waits_for_a_slow_page_whose_reader_has_left():
    start = time.monotonic()

    def left() -> None:
        if time.monotonic() - start > 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), presence.asked(left):
        sandbox.read_pages(hostile.slow(b"Revenue fell."))
    assert time.monotonic() - start < sandbox.SILENT_SECONDS
    assert children() == []


READ = "import hostile; from rag_core.reading import sandbox; sandbox.read_pages(hostile.slow(b''))"


@pytest.mark.slow
def test_a_reader_ends_with_the_process_that_started_it():
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests" / "support")])
    parent = psutil.Popen([sys.executable, "-c", READ], env=os.environ | {"PYTHONPATH": paths})
    until(lambda: [child for child in parent.children(recursive=True) if child.cpu_times().user > 1])
    others = parent.children(recursive=True)
    assert len(others) == 2
    parent.kill()
    parent.wait()
    gone, alive = psutil.wait_procs(others, timeout=30)
    assert gone and not alive


@pytest.mark.parametrize(
    ("slow", "read"),
    [([], [["pdfium"], ["pdfium"]]), ([2], [["pdfium"], ["pypdf"]]), ([1, 2], [["pypdf"], ["pypdf"]])],
)
def test_pdfium_is_not_asked_again_for_what_took_it_too_long(slow, read):
    data = text_pdf(["The tram opened."], ["Revenue grew."])
    where = []
    pages = extract.read(data, slow=slow, at=where.append)
    assert [list(page.extracts) for page in pages] == read
    assert [page.chosen.text for page in pages] == ["The tram opened.", "Revenue grew."]
    assert where[:3] == [1, 2, 0] and set(where[3:]) == {0}


@pytest.mark.parametrize("text", [None, ""])
def test_a_page_that_neither_could_read_is_no_good_page(text, monkeypatch):
    monkeypatch.setattr(pdf, "extract_some", lambda *_: pdf.Written(1, {1: text}))
    [page] = extract.read(text_pdf(["The tram opened."]), slow=[1])
    assert (page.chosen.text, page.chosen.quality.verdict) == ("", "unreadable")
    assert page.chosen.quality.reasons == ("too_slow",)


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
    seen, start = [], nursery.subprocess.Popen

    def started(*command: object, env: dict[str, str], **how: object) -> subprocess.Popen:
        seen.append(env)
        return start(*command, env=env, **how)

    nursery.close()
    monkeypatch.setattr(nursery.subprocess, "Popen", started)
    assert sandbox.read_pages(text_pdf(["全市收入增长8.2%。"]))[0].chosen.text == "全市收入增长8.2%。"
    assert len(seen) == 1
    assert {name for env in seen for name in env if not name.startswith("LC_")} <= {"PATH", "LANG", "PYTHONPATH"}
    assert "sk-distinctive-0123456789wxyz" not in str(seen)
