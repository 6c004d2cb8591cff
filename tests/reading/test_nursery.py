"""Processes that read are forked, new for each file, and end; whatever ends the one that forks them, the next reads."""

from __future__ import annotations

import os
import resource
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import hostile
import psutil
import pytest
from pdfs import joined, text_pdf

from rag_core.errors import DamagedPdf
from rag_core.reading import extract, nursery, sandbox
from tests.reading.test_sandbox import children, nurseries

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system forks no processes")

PLAIN = text_pdf(["The tram opened."])
LONG = joined(*[text_pdf(["The tram opened."])] * 60)
"""Takes long enough to be watched."""


def who_reads() -> int:
    """Read a file and return the id of the process that did."""
    seen: set[int] = set()
    assert sandbox.read_pages(LONG, None, lambda *_: seen.update(child.pid for child in children()))
    [reader] = seen
    return reader


def test_each_file_is_read_by_a_process_of_its_own():
    first, second = who_reads(), who_reads()
    assert first != second
    assert not psutil.pid_exists(first) and not psutil.pid_exists(second)
    assert len(nurseries()) == 1


def test_a_nursery_that_was_ended_is_followed_by_another():
    who_reads()
    [before] = nurseries()
    before.kill()
    assert sandbox.read_pages(PLAIN) == extract.read(PLAIN)
    assert [each.pid for each in nurseries()] != [before.pid]


def test_many_read_at_once_and_one_that_is_killed_takes_nobody_else_down():
    files = [text_pdf([f"The tram opened {number} times."]) for number in range(8)]
    with ThreadPoolExecutor(len(files)) as pool:
        readings = list(pool.map(sandbox.read_pages, files))
    assert [pages for pages in readings] == [extract.read(data) for data in files]
    assert children() == []


def test_a_reader_that_is_killed_is_a_damaged_file_and_the_next_one_is_read():
    def kill(*_count: int) -> None:
        for child in children():
            child.kill()

    with pytest.raises(DamagedPdf, match="-9"):
        sandbox.read_pages(LONG, None, kill)
    assert sandbox.read_pages(PLAIN) == extract.read(PLAIN)


def test_a_limit_of_memory_holds_for_its_file_alone(monkeypatch):
    limits = []
    monkeypatch.setattr(sandbox, "MEMORY_BYTES", 600 * 2**20)

    def look(*_count: int) -> None:
        limits.extend(psutil.Process(each.pid).rlimit(resource.RLIMIT_AS)[0] for each in [*children(), *nurseries()])

    sandbox.read_pages(LONG, None, look)
    assert limits[:2] == [600 * 2**20, resource.RLIM_INFINITY]


FORKS = f"""
import os
from rag_core.reading import nursery, sandbox
data = {PLAIN!r}
assert sandbox.read_pages(data)
[mine] = nursery._nurseries
other = os.fork()
if not other:
    sandbox.read_pages(data)
    nursery.close()
    os._exit(nursery._nurseries == [])
assert os.waitpid(other, 0)[1] >> 8 == 1
assert sandbox.read_pages(data) and nursery._nurseries == [mine]
"""


def test_who_is_forked_from_the_app_has_a_nursery_of_its_own():
    paths = os.pathsep.join([str(Path(__file__).parents[2]), str(Path(hostile.__file__).parent)])
    command = [sys.executable, "-c", FORKS]
    assert not subprocess.run(command, env=os.environ | {"PYTHONPATH": paths}, timeout=60).returncode


def test_a_nursery_that_nobody_asks_ends_unless_somebody_reads():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.settimeout(0.01)
        assert nursery._next(theirs, busy=False) is None
        ours.sendall(nursery.END + (7).to_bytes(8, "big", signed=True))
        assert nursery._next(theirs, busy=True) == (nursery.END, 7, [])
    ours, theirs = socket.socketpair()
    ours.close()
    with theirs:
        assert nursery._next(theirs, busy=True) is None
