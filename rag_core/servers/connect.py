"""Connect to a server: for a visitor to public addresses alone, and with an end to the time until an answer begins.

A name may lead elsewhere the next time it is looked up, so what is guarded is looked up here, once, and reached by
number. A proxy would look it up again, so what is guarded goes by none. The client's own limit is on silence: a server
that sends its headers byte by byte would keep it for ever. While a server is silent, it is asked whether somebody still
waits for it.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import suppress
from ssl import SSLContext
from typing import Any

import httpcore2
import httpx2

from rag_core import presence
from rag_core.errors import ServerInternal
from rag_core.servers import http
from rag_core.servers.peer import Peer


class HeadStream(httpcore2.NetworkStream):
    """A connection on which an answer's head is whole ``seconds`` after its request began; ``lift`` says that it is."""

    def __init__(self, stream: httpcore2.NetworkStream, seconds: float) -> None:
        self.stream, self.seconds, self.end, self.asking = stream, seconds, time.monotonic() + seconds, True

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read what came. Raises httpcore2.ReadTimeout when the time is over, and whatever ``presence.look`` does."""
        self.asking, silent = False, time.monotonic() + (self.seconds if timeout is None else timeout)
        while (left := min(self.end, silent) - time.monotonic()) > 0:
            presence.look()
            with suppress(httpcore2.ReadTimeout):
                return self.stream.read(max_bytes, min(left, presence.LOOK_SECONDS))
        raise httpcore2.ReadTimeout(f"no whole head in {self.seconds:g} s, or nothing for too long")

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write; what follows something that was read is the next request on this connection."""
        if not self.asking:
            self.asking, self.end = True, time.monotonic() + self.seconds
        self.stream.write(buffer, timeout)

    def lift(self) -> None:
        """Take the limit off until the next request: the head is whole."""
        self.end = float("inf")

    def close(self) -> None:
        """Close the connection."""
        self.stream.close()

    def start_tls(
        self, ssl_context: SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> HeadStream:
        """Return the same connection, encrypted."""
        return HeadStream(self.stream.start_tls(ssl_context, server_hostname, timeout), self.seconds)

    def get_extra_info(self, info: str) -> Any:
        """Return what the connection says of itself."""
        return self.stream.get_extra_info(info)


class Network(httpcore2.SyncBackend):
    """Connects to one peer: ``seconds`` are the longest that an answer's head may take."""

    def __init__(self, peer: Peer, seconds: float) -> None:
        self.peer, self.seconds = peer, seconds

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> HeadStream:
        """Connect to a host, or to its proxy.

        Raises:
            ServerInternal: the peer is guarded, and the host leads into this machine's own network.
        """
        failed: Exception = httpcore2.ConnectError(host)
        for place in self._places(host):
            try:
                stream = super().connect_tcp(place, port, timeout, local_address, socket_options)
                return HeadStream(stream, self.seconds)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failed = error
        raise failed

    def _places(self, host: str) -> list[str]:
        if not self.peer.guarded:
            return [host]
        places = http.places(host)
        if not http.are_public(places):
            raise ServerInternal(service=self.peer.service, address=self.peer.address)
        return [str(place) for place in places]


def hold(client: httpx2.Client, peer: Peer, seconds: float) -> None:
    """Have a client connect by ``Network`` alone. It offers no other way in than the pools that it has made."""
    if peer.guarded:
        client._mounts.clear()
    transports: list[Any] = [client._transport, *client._mounts.values()]
    for transport in filter(None, transports):
        transport._pool._network_backend = Network(peer, seconds)


def lift(response: httpx2.Response) -> None:
    """Take the limit off the connection of a response whose head is whole."""
    stream = response.extensions.get("network_stream")
    if isinstance(stream, HeadStream):
        stream.lift()
