"""Start processes that read: each is new for its task, and forked from one that has loaded what all of them need.

Forking a server with threads is not safe, so this one asks another process to do it: one that has no threads, has
never seen a file and knows nothing of the host. It gets the ends of two pipes with each request, and keeps who has
ended until it is told that nobody will signal them any more. It ends with the process that started it, or once nothing
was asked of it for ``IDLE_SECONDS``. Where a system knows no fork, every process is started from nothing.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import IO, Protocol

IDLE_SECONDS = 600
FORK, END = b"f", b"e"
_NUMBER = 8
"""Bytes of a number, the id of a process or how it ended, in a message."""

PASSED_ON = ("PATH", "LANG", "SYSTEMROOT")
"""Without the last, Python does not start on Windows."""

TRIES = 2
"""A nursery that has ended meanwhile is started anew."""


class Reader(Protocol):
    """A process that reads: where it is asked, where it answers, and how it is ended."""

    @property
    def stdin(self) -> IO[bytes] | None:
        """Where it is asked."""

    @property
    def stdout(self) -> IO[bytes] | None:
        """Where it answers."""

    def kill(self) -> None:
        """End it at once."""

    def wait(self) -> int:
        """Wait until it has ended, and return its exit code, negative for a signal."""


def start() -> Reader:
    """Start a process that does one task; see ``sandbox.serve``."""
    return _forked() if hasattr(os, "fork") else _started("sandbox", subprocess.PIPE, subprocess.PIPE)


def _started(module: str, stdin: int, stdout: int) -> subprocess.Popen[bytes]:
    folders = [str(Path(__file__).parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])]
    return subprocess.Popen(
        [sys.executable, "-m", f"rag_core.reading.{module}"],
        stdin=stdin,
        stdout=stdout,
        stderr=subprocess.DEVNULL,
        env=_environment() | {"PYTHONPATH": os.pathsep.join(folders)},
    )


def _environment() -> dict[str, str]:
    """Return what Python needs to start: a bad file that took the child over would otherwise read the host's keys."""
    return {name: value for name, value in os.environ.items() if name in PASSED_ON or name.startswith("LC_")}


# The side that asks


class Nursery:
    """The process that forks others, and the line to it."""

    def __init__(self) -> None:
        self.line, theirs = socket.socketpair()
        with theirs:
            self.process = _started("nursery", theirs.fileno(), subprocess.DEVNULL)

    def ask(self, what: bytes, number: int = 0, pipes: Sequence[int] = ()) -> int:
        """Ask for something and return the number that comes back; raises OSError where nobody is there."""
        socket.send_fds(self.line, [what + number.to_bytes(_NUMBER, "big", signed=True)], pipes)
        answer = self.line.recv(_NUMBER, socket.MSG_WAITALL)
        if len(answer) < _NUMBER:
            raise BrokenPipeError("the nursery has ended")
        return int.from_bytes(answer, "big", signed=True)

    def close(self) -> None:
        """End it, and whoever it forked."""
        self.line.close()
        self.process.kill()
        self.process.wait()


_lock = Lock()
_nurseries: list[Nursery] = []
"""The one of this process, or none."""


def close() -> None:
    """End the nursery, if there is one; the next reader starts another."""
    with _lock:
        while _nurseries:
            _nurseries.pop().close()


def _forget() -> None:
    """Leave the nursery to the process that this one was forked from."""
    global _lock
    _lock = Lock()
    while _nurseries:
        _nurseries.pop().line.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
atexit.register(close)


class Forked:
    """A process that a nursery forked."""

    def __init__(self, nursery: Nursery) -> None:
        ours = [os.pipe(), os.pipe()]
        (asked, ask), (answer, answers) = ours
        try:
            self.pid, self.nursery = nursery.ask(FORK, pipes=[asked, answers]), nursery
        except OSError:
            os.close(ask)
            os.close(answer)
            raise
        finally:
            os.close(asked)
            os.close(answers)
        self.stdin: IO[bytes] = os.fdopen(ask, "wb")
        self.stdout: IO[bytes] = os.fdopen(answer, "rb")
        self.code: int | None = None

    def kill(self) -> None:
        """End it at once; until it is waited for, its id is nobody else's."""
        if self.code is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def wait(self) -> int:
        """End it and return its exit code, negative for a signal."""
        if self.code is None:
            with _lock:
                try:
                    self.code = self.nursery.ask(END, self.pid)
                except OSError:  # it went with its nursery
                    self.code = -signal.SIGKILL
        return self.code


def _forked() -> Forked:
    for _ in range(TRIES - 1):
        with contextlib.suppress(OSError):
            return _fork()
        close()
    return _fork()


def _fork() -> Forked:
    with _lock:
        if not _nurseries:
            _nurseries.append(Nursery())
        return Forked(_nurseries[0])


# The side that is asked


def serve() -> None:
    """Be the nursery: fork, and end who was forked, until nobody asks any more."""
    from rag_core.reading import sandbox

    line = socket.socket(fileno=os.dup(0))
    line.settimeout(IDLE_SECONDS)
    sandbox.load()
    forked: list[int] = []
    while message := _next(line, bool(forked)):
        what, number, pipes = message
        if what == FORK:
            number = os.fork()
            if not number:
                _read(line, pipes)
            forked.append(number)
        else:
            forked.remove(number)
            number = _end(number)
        for pipe in pipes:
            os.close(pipe)
        line.sendall(number.to_bytes(_NUMBER, "big", signed=True))
    for number in forked:
        _end(number)


def _next(line: socket.socket, busy: bool) -> tuple[bytes, int, list[int]] | None:
    """Return what is asked next: what, a number and the ends of pipes; None where nobody asks any more."""
    while True:
        try:
            message, pipes, _, _ = socket.recv_fds(line, 1 + _NUMBER, 2)
        except TimeoutError:
            if busy:
                continue
            return None
        except OSError:
            return None
        return (message[:1], int.from_bytes(message[1:], "big", signed=True), pipes) if message else None


def _end(number: int) -> int:
    with contextlib.suppress(ProcessLookupError):
        os.kill(number, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(number, 0)[1])


def _read(line: socket.socket, pipes: Sequence[int]) -> None:
    """Be the process that reads, and end."""
    from rag_core.reading import sandbox

    code = 1
    try:
        line.close()
        for number, pipe in enumerate(pipes):
            os.dup2(pipe, number)
            os.close(pipe)
        sandbox.serve()
        code = 0
    finally:
        os._exit(code)


if __name__ == "__main__":
    serve()
