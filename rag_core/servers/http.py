"""What every server that a reader points at has: an address and a key."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Mapping

HIDDEN = "***"
SHORTEST_PIECED_KEY = 12
TOO_MANY = re.compile(r"batch|too.many|too_long|at most", re.IGNORECASE)


def is_http(address: str) -> bool:
    """Say whether an address is one that the client takes: http or https, a host, a port that there can be."""
    # The client's own reading of an address, so that nothing passes here and fails there.
    import httpx2

    try:
        url = httpx2.URL(address)
    except httpx2.InvalidURL:
        return False
    labels = url.host.rstrip(".").split(".")
    return url.scheme in ("http", "https") and all(0 < len(label) < 64 for label in labels) and (url.port or 80) < 65536


def is_internal(address: str) -> bool:
    """Say whether an address leads into this machine or its own network; one that cannot be looked up does not."""
    import httpx2

    try:
        records = socket.getaddrinfo(httpx2.URL(address).host, None)
    except (OSError, UnicodeError):
        return False
    # A scope such as %eth0 is no part of the address, and an IPv4 address may come dressed as an IPv6 one.
    places = [ipaddress.ip_address(str(place[0]).partition("%")[0]) for *_, place in records]
    return any(not (getattr(place, "ipv4_mapped", None) or place).is_global for place in places)


def is_too_many(status: int, said: str) -> bool:
    """Say whether a refusal is of the number of texts; each server has a status and words of its own for it."""
    return status == 413 or (status in (400, 422) and bool(TOO_MANY.search(said)))


def wait_seconds(headers: Mapping[str, str]) -> float | None:
    """Return how long a server asks to be left alone, where it says so in seconds."""
    said = headers.get("retry-after", "")
    return float(said) if said.isascii() and said.isdigit() and len(said) < 9 else None


def same_address(left: str, right: str) -> bool:
    """Say whether two addresses differ by a slash at their end at most."""
    return left.rstrip("/") == right.rstrip("/")


def shown(address: str) -> str:
    """Return an address without user name, password and parameters."""
    return re.sub(r"[?#].*", "", re.sub(r"//[^/]*@", "//", address))


def without_key(text: str, key: str) -> str:
    """Blank out the key, also where only its beginning or its end is quoted."""
    if not key:
        return text
    text = text.replace(key, HIDDEN)
    if len(key) < SHORTEST_PIECED_KEY:
        return text
    first, last = re.escape(key[:4]), re.escape(key[-4:])
    pieces = rf"(?<![A-Za-z0-9]){first}[!-~…•]*|[!-~…•]*[*.…•]{last}(?![A-Za-z0-9])"
    return re.sub(pieces, HIDDEN, text)


def fits_a_header(key: str) -> bool:
    """Say whether a request can carry a key: visible ASCII and spaces alone."""
    return key.isascii() and key.isprintable()
