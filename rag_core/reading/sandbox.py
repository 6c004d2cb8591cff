"""Open PDFs in a process of its own, with limits on its time and memory: a bad file takes nothing else down.

The child is new for each task; see ``nursery``. Through its standard input it gets one line of JSON (the task, the size
of the file, the password, the limit of memory) and the bytes; it answers with lines of JSON: what is done of how many
pages, which page PDFium is at, and at last the result or the error. Its input stays open for as long as its parent
lives, and the child ends with it.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from queue import Empty, Queue
from threading import Thread, Timer
from typing import IO

from rag_core import errors, presence
from rag_core.datatypes import Extract, PageReading, Progress
from rag_core.errors import DamagedPdf, ReadTooLarge, ReadTooLong, RerankLabError
from rag_core.reading import extract, nursery, pdf, pdfium, quality

SILENT_SECONDS = 20
"""So long may one page take, and opening the file."""

MOST_SLOW = 3
"""After so many pages that took longer, PDFium is not asked for any that comes behind them."""

WHOLE_SECONDS = 300
MEMORY_BYTES = 2**30
WARMING = 3 * "The tram opened in May and nine thousand people took it. 全市收入比上年增长百分之八，突破六千亿元。"
"""A text of both languages, for which the tables of both are loaded."""

Say = Callable[..., None]
"""Writes a line of JSON to the parent."""

OCR_MEMORY_BYTES = 3 * 2**30
"""Recognising a page needs models and a large picture."""


def read_pages(data: bytes, password: str | None = None, progress: Progress | None = None) -> list[PageReading]:
    """Read every page of a PDF; see ``extract.read``. A page that takes too long is passed over, and says so.

    Raises:
        DocumentError: as ``extract.read`` does; ReadTooLong or ReadTooLarge when a limit is reached.
    """
    pdf.check_bytes(data)
    answer = _read_on({"do": "read", "password": password}, data, progress)
    readings = [
        PageReading(number, quality.load(extracts), extractor) for number, extracts, extractor in answer["pages"]
    ]
    if not any(reading.chosen.text for reading in readings) and any(map(extract.is_slow, readings)):
        raise _too_long()
    return readings


def _read_on(task: dict[str, object], data: bytes, progress: Progress | None) -> dict:
    """Have a child read; where it was silent over a page, have another go on without that."""
    course = _Course()
    while True:
        try:
            return _ask(task | course.known, data, progress, course)
        except ReadTooLong:
            if not course.passes_over():
                raise
        except DamagedPdf:
            if course.at:  # PDFium ends where memory does not suffice; pypdf can say so
                with contextlib.suppress(DamagedPdf, ReadTooLong):
                    _ask(task | {"slow": [*range(1, pdf.MAX_PAGES + 1)]}, data)
            raise


def draw_page(data: bytes, number: int, words: str = "", part: tuple[int, int] | None = None) -> tuple[bytes, bool]:
    """Return a page as PNG, and whether the words were found and marked on it; see ``pdfium.draw``.

    Raises:
        PageNotDrawn: it cannot be drawn; ReadTooLong or ReadTooLarge when a limit is reached.
    """
    answer = _ask({"do": "draw", "number": number, "words": words, "part": part}, data)
    return base64.b64decode(answer["png"]), answer["marked"]


def recognise(data: bytes, numbers: Sequence[int], progress: Progress | None = None) -> dict[int, Extract]:
    """Read pages from their pictures, by number; see ``ocr.recognise``.

    Raises:
        OcrMissing: the package for it is not installed; ReadTooLong or ReadTooLarge when a limit is reached.
    """
    task = {"do": "recognise", "numbers": list(numbers), "memory": OCR_MEMORY_BYTES}
    return {number: quality.load(extracts)[extract.OCR] for number, extracts in _ask(task, data, progress)["pages"]}


def _ask(task: dict[str, object], data: bytes, progress: Progress | None = None, course: _Course | None = None) -> dict:
    """Have a child do a task, and return its result; keep in the course what it tells."""
    course = course or _Course()
    child = nursery.start()
    stdin, stdout = _pipes(child)
    clock = _Clock(child, course.end)
    try:
        Thread(target=_hand_over, args=(stdin, data, task), daemon=True).start()
        for answer in _answers(stdout):
            clock.restart()
            if "done" in answer and progress:
                progress(answer["done"], answer["total"])
            elif "at" in answer:
                course.at = answer["at"]
            elif "result" in answer:
                return answer["result"]
            elif "error" in answer:
                raise _error(answer)
        raise clock.error() or pdf.damaged(f"reading it ended with {child.wait()}")
    finally:  # a reader who went away must not leave the child running
        clock.stop()
        child.kill()
        child.wait()
        for pipe in (stdin, stdout):
            with contextlib.suppress(OSError):
                pipe.close()


def _pipes(child: nursery.Reader) -> tuple[IO[bytes], IO[bytes]]:
    """Return where a child is asked, and where it answers."""
    assert child.stdin and child.stdout, "a child is started with both"
    return child.stdin, child.stdout


def _hand_over(pipe: IO[bytes], data: bytes, task: dict[str, object]) -> None:
    """Write the task; the child may have ended before it was read."""
    with contextlib.suppress(OSError, ValueError):
        pipe.write(json.dumps({"memory": MEMORY_BYTES} | task | {"size": len(data)}).encode() + b"\n")
        pipe.write(data)
        pipe.flush()


def _answers(pipe: IO[bytes]) -> Iterator[dict]:
    for line in _lines(pipe):
        with contextlib.suppress(ValueError):  # what a library prints is no answer
            answer = json.loads(line)
            if isinstance(answer, dict):
                yield answer


def _lines(pipe: IO[bytes]) -> Iterator[bytes]:
    """Yield a child's lines; while it is silent, ask whether somebody still waits for them."""
    lines: Queue[bytes] = Queue()
    Thread(target=_take_over, args=(pipe, lines), daemon=True).start()
    while line := _next(lines):
        yield line


def _take_over(pipe: IO[bytes], lines: Queue[bytes]) -> None:
    with contextlib.suppress(OSError, ValueError):  # it is closed when the child is killed
        for line in pipe:
            lines.put(line)
    lines.put(b"")


def _next(lines: Queue[bytes]) -> bytes:
    while True:
        presence.look()
        with contextlib.suppress(Empty):
            return lines.get(timeout=presence.LOOK_SECONDS)


def _error(answer: dict) -> RerankLabError:
    return getattr(errors, answer["error"])(answer["message"], **answer["values"])


class _Course:
    """How far the work on a file has come, in one child after the other."""

    def __init__(self) -> None:
        self.end, self.at = time.monotonic() + WHOLE_SECONDS, 0
        self.slow: list[int] = []

    @property
    def known(self) -> dict[str, object]:
        """What the next child need not find out again."""
        return {"slow": self.slow}

    def passes_over(self) -> bool:
        """Pass over the page that took too long; say whether it was one, and time is left for the others."""
        at, self.at = self.at, 0
        if not at or time.monotonic() >= self.end:
            return False
        last = pdf.MAX_PAGES if len(self.slow) + 1 >= MOST_SLOW else at
        self.slow = [*self.slow, *range(at, last + 1)]
        return True


class _Clock:
    """Kill a process that was silent, or at work, for too long."""

    def __init__(self, process: nursery.Reader, end: float) -> None:
        self.process, self.end, self.late = process, end, 0.0
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
        return _too_long() if self.late else None


def _too_long() -> ReadTooLong:
    message = f"Reading the PDF took too long (a page more than {SILENT_SECONDS} s): print it to a new PDF."
    return ReadTooLong(message, seconds=SILENT_SECONDS)


def load() -> None:
    """Load what most tasks need, PDFium and the tables of languages: whoever is forked after it has them."""
    import pypdfium2  # noqa: F401

    quality.assess(WARMING)


def serve() -> None:
    """Be the child: do one task and answer."""
    answers, sys.stdout = sys.stdout, sys.stderr
    task = json.loads(sys.stdin.buffer.readline())
    data = sys.stdin.buffer.read(task["size"])
    Thread(target=_end_with_parent, daemon=True).start()
    _limit_memory(task["memory"])

    def say(**answer: object) -> None:
        answers.write(json.dumps(answer) + "\n")
        answers.flush()

    try:
        _within_limits(task, lambda: say(result=TASKS[task["do"]](task, data, say)))
    except RerankLabError as error:
        say(error=type(error).__name__, message=str(error), values=error.values)


def _end_with_parent() -> None:
    """End this process where its parent was killed: nobody is left to end it, and a page may take for ever."""
    os.read(sys.stdin.fileno(), 1)
    os._exit(1)


def _within_limits(task: dict, work: Callable[[], None]) -> None:
    try:
        work()
    except MemoryError as fault:
        megabytes = task["memory"] // 2**20
        message = f"Reading the PDF needs more than {megabytes} MB of memory: print it to a new PDF, or split it."
        raise ReadTooLarge(message, megabytes=megabytes) from fault
    except RecursionError as fault:
        raise pdf.damaged("it is nested too deeply") from fault


def _read(task: dict, data: bytes, say: Say) -> dict[str, object]:
    readings = extract.read(data, task["password"], _counting(say), task["slow"], lambda number: say(at=number))
    return {"pages": [(reading.number, quality.dump(reading.extracts), reading.extractor) for reading in readings]}


def _draw(task: dict, data: bytes, _: Say) -> dict[str, object]:
    png, marked = pdfium.draw(data, task["number"], words=task["words"], part=task["part"])
    return {"png": base64.b64encode(png).decode(), "marked": marked}


def _recognise(task: dict, data: bytes, say: Say) -> dict[str, object]:
    from rag_core.reading import ocr

    recognised = ocr.recognise(data, task["numbers"], _counting(say))
    return {"pages": [(number, quality.dump({extract.OCR: page})) for number, page in recognised.items()]}


def _counting(say: Say) -> Progress:
    return lambda done, total: say(done=done, total=total)


TASKS = {"read": _read, "draw": _draw, "recognise": _recognise}


def _limit_memory(limit: int) -> None:
    """Set the limit where the system knows one; elsewhere time alone is limited."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


if __name__ == "__main__":
    serve()
