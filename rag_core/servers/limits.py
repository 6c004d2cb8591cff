"""What a server that was asked may do: answer from its own address, within a time and a size.

The client has limits of none of these: it follows redirects with the reader's text, waits two minutes where the server
says so, and a server that sends a byte now and then keeps it for ever.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import httpx2

from rag_core.errors import LLMRedirected, LLMTooLong

LONGEST_SECONDS = 120.0
LONGEST_WAIT = 5.0
LONGEST_ANSWER = 20_000
MOST_BYTES = 16 * 2**20


class LimitedStream(httpx2.SyncByteStream):
    """A response's bytes, at most ``MOST_BYTES`` of them, for at most ``LONGEST_SECONDS``."""

    def __init__(self, stream: httpx2.SyncByteStream) -> None:
        self.stream, self.end = stream, time.monotonic() + LONGEST_SECONDS

    def __iter__(self) -> Iterator[bytes]:
        received = 0
        for part in self.stream:
            received += len(part)
            if received > MOST_BYTES or time.monotonic() > self.end:
                raise too_long()
            yield part

    def close(self) -> None:
        self.stream.close()


def limit(response: httpx2.Response) -> None:
    """Hold a response to the limits before its body is read; an event hook of the client.

    Raises LLMRedirected; reading the body raises LLMTooLong.
    """
    if response.has_redirect_location:
        raise _redirected(response)
    if (seconds := wait_seconds(response)) is not None and seconds > LONGEST_WAIT:
        response.headers["x-should-retry"] = "false"
    # None was asked for, and what unpacks without end would pass a limit on bytes.
    response.headers.pop("content-encoding", None)
    response.stream = LimitedStream(response.stream)


def wait_seconds(response: httpx2.Response) -> float | None:
    """Return how long the server asks to be left alone, where it says so in seconds."""
    said = response.headers.get("retry-after", "")
    return float(said) if said.isascii() and said.isdigit() and len(said) < 9 else None


def too_long() -> LLMTooLong:
    return LLMTooLong(
        f"The answer went on past {LONGEST_ANSWER} characters or {LONGEST_SECONDS:.0f} seconds and was stopped: "
        "ask again, or another model.",
        characters=LONGEST_ANSWER,
        seconds=f"{LONGEST_SECONDS:.0f}",
    )


def _redirected(response: httpx2.Response) -> LLMRedirected:
    # Host and scheme alone: the rest of an address may quote what was sent.
    here, there = (_origin(url) for url in (response.url, response.url.join(response.headers["location"])))
    message = f"{here} sends requests on to {there}; nothing was sent there: enter that address if you trust it."
    return LLMRedirected(message, address=here, target=there)


def _origin(url: httpx2.URL) -> str:
    return f"{url.scheme}://{url.netloc.decode('ascii')}"
