"""Read a PDF in a process of its own, with limits on its time and memory: a bad file takes nothing else down.

The child is started anew for each file, since forking a server with threads is not safe. Through its standard input it
gets one line of JSON (the size, the password, the limit of memory) and the bytes; it answers with lines of JSON: what
is done of how many pages, and at last the pages or the error.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread, Timer
from typing import IO

from rag_core import errors, pdf
from rag_core.datatypes import Page
from rag_core.errors import ReadTooLarge, ReadTooLong, RerankLabError

Progress = Callable[[int, int], None]
SILENT_SECONDS = 20
"""So long may one page take, and opening the file."""

WHOLE_SECONDS = 300
MEMORY_BYTES = 2**30


def read_pages(data: bytes, password: str | None = None, progress: Progress | None = None) -> list[Page]:
    """Read every page of a PDF; see ``pdf.read_pages``.

    Raises:
        DocumentError: as ``pdf.read_pages`` does; ReadTooLong or ReadTooLarge when a limit is reached.
    """
    pdf.check_bytes(data)
    child = _started()
    clock = _Clock(child)
    try:
        Thread(target=_hand_over, args=(child.stdin, data, password), daemon=True).start()
        for answer in _answers(child.stdout):
            clock.restart()
            if "done" in answer and progress:
                progress(answer["done"], answer["total"])
            elif "pages" in answer:
                return [Page(*page) for page in answer["pages"]]
            elif "error" in answer:
                raise _error(answer)
        raise clock.error() or pdf.damaged(f"reading it ended with {child.wait()}")
    finally:  # a reader who went away must not leave the child running
        clock.stop()
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            with contextlib.suppress(OSError):
                pipe.close()


def _started() -> subprocess.Popen:
    root = str(Path(__file__).parents[1])
    found = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    return subprocess.Popen(
        [sys.executable, "-m", "rag_core.sandbox"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(found)},
    )


def _hand_over(pipe: IO[bytes], data: bytes, password: str | None) -> None:
    """Write the task; the child may have ended before it was read."""
    task = {"size": len(data), "password": password, "memory": MEMORY_BYTES}
    with contextlib.suppress(OSError, ValueError):
        pipe.write(json.dumps(task).encode() + b"\n")
        pipe.write(data)
        pipe.close()


def _answers(pipe: IO[bytes]) -> Iterator[dict]:
    for line in pipe:
        with contextlib.suppress(ValueError):  # what a library prints is no answer
            answer = json.loads(line)
            if isinstance(answer, dict):
                yield answer


def _error(answer: dict) -> RerankLabError:
    return getattr(errors, answer["error"])(answer["message"], **answer["values"])


class _Clock:
    """Kill a process that was silent, or at work, for too long."""

    def __init__(self, process: subprocess.Popen) -> None:
        self.process, self.end, self.late = process, time.monotonic() + WHOLE_SECONDS, 0.0
        self.restart()

    def restart(self) -> None:
        self.stop()
        seconds = min(SILENT_SECONDS, max(0.0, self.end - time.monotonic()))
        self.timer = Timer(seconds, self._kill, [seconds])
        self.timer.daemon = True
        self.timer.start()

    def stop(self) -> None:
        if hasattr(self, "timer"):
            self.timer.cancel()

    def _kill(self, seconds: float) -> None:
        self.late = max(seconds, 0.001)
        self.process.kill()

    def error(self) -> ReadTooLong | None:
        if not self.late:
            return None
        message = f"Reading the PDF took too long (a page more than {SILENT_SECONDS} s): print it to a new PDF."
        return ReadTooLong(message, seconds=SILENT_SECONDS)


def serve() -> None:
    """Be the child: read one task and answer."""
    answers, sys.stdout = sys.stdout, sys.stderr
    task = json.loads(sys.stdin.buffer.readline())
    data = sys.stdin.buffer.read(task["size"])
    _limit_memory(task["memory"])

    def say(**answer: object) -> None:
        answers.write(json.dumps(answer) + "\n")
        answers.flush()

    try:
        pages = _read(data, task["password"], task["memory"], lambda done, total: say(done=done, total=total))
        say(pages=[(page.number, page.text) for page in pages])
    except RerankLabError as error:
        say(error=type(error).__name__, message=str(error), values=error.values)


def _read(data: bytes, password: str | None, memory: int, progress: Progress) -> list[Page]:
    try:
        return pdf.read_pages(data, password, progress)
    except MemoryError as fault:
        megabytes = memory // 2**20
        message = f"Reading the PDF needs more than {megabytes} MB of memory: print it to a new PDF, or split it."
        raise ReadTooLarge(message, megabytes=megabytes) from fault
    except RecursionError as fault:
        raise pdf.damaged("it is nested too deeply") from fault


def _limit_memory(limit: int) -> None:
    """Set the limit where the system knows one; elsewhere time alone is limited."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


if __name__ == "__main__":
    serve()
