"""What a server that was asked may do: answer from its own address, within a time and a size.

The client has limits of none of these: it follows redirects with the reader's text, waits two minutes where the server
says so, and a server that sends a byte now and then keeps it for ever.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import cast

import httpx2

from rag_core.errors import ServerMoved, ServerTooLong
from rag_core.servers.connect import lift
from rag_core.servers.http import said, wait_seconds
from rag_core.servers.peer import Peer

LONGEST_SECONDS = 120.0
LONGEST_WAIT = 5.0
LONGEST_ANSWER = 20_000
MOST_BYTES = 16 * 2**20
LONGEST_HEAD = 4096
"""Bytes of a response that are kept: an error is no longer."""


class LimitedStream(httpx2.SyncByteStream):
    """A response's bytes, at most ``MOST_BYTES`` of them, for at most ``LONGEST_SECONDS``; ``head`` keeps the first."""

    def __init__(self, stream: httpx2.SyncByteStream, peer: Peer) -> None:
        self.stream, self.peer, self.end = stream, peer, time.monotonic() + LONGEST_SECONDS
        self.head = b""

    def __iter__(self) -> Iterator[bytes]:
        received = 0
        for part in self.stream:
            received += len(part)
            if received > MOST_BYTES or time.monotonic() > self.end:
                raise too_long(self.peer)
            self.head += part[: LONGEST_HEAD - len(self.head)]
            yield part

    @property
    def said(self) -> str:
        """Return the sentence of an error that came in place of an answer, empty where there is none."""
        try:
            answer = json.loads(self.head)
        except (ValueError, RecursionError):
            return ""
        return said(answer) if isinstance(answer, dict) else ""

    def close(self) -> None:
        """Close the stream that is held to the limits."""
        self.stream.close()


def limited(peer: Peer) -> Callable[[httpx2.Response], None]:
    """Return what holds a response of this peer to the limits before its body is read: an event hook of a client.

    It raises ServerMoved; reading the body raises ServerTooLong.
    """

    def limit(response: httpx2.Response) -> None:
        lift(response)
        if response.has_redirect_location:
            raise _moved(peer, response)
        if (wait_seconds(response.headers) or 0) > LONGEST_WAIT:
            response.headers["x-should-retry"] = "false"
        # None was asked for, and what unpacks without end would pass a limit on bytes.
        response.headers.pop("content-encoding", None)
        # A hook is told less than is known here: no client of ours is asynchronous.
        response.stream = LimitedStream(cast(httpx2.SyncByteStream, response.stream), peer)

    return limit


def too_long(peer: Peer) -> ServerTooLong:
    """Return the error for an answer that went on past the limits."""
    seconds = f"{LONGEST_SECONDS:.0f}"
    return ServerTooLong(service=peer.service, address=peer.address, characters=LONGEST_ANSWER, seconds=seconds)


def _moved(peer: Peer, response: httpx2.Response) -> ServerMoved:
    # Host and scheme alone: the rest of an address may quote what was sent.
    target = response.url.join(response.headers["location"])
    origin = f"{target.scheme}://{target.netloc.decode('ascii')}"
    return ServerMoved(service=peer.service, address=peer.address, target=origin)
