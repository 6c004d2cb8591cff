"""What every server that a reader points at has: an address and a key."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Mapping, Sequence
from ipaddress import ip_network
from typing import Any

Place = ipaddress.IPv4Address | ipaddress.IPv6Address

PROTOCOLS, CLOUD, NOBODY = ("192.0.0.0/24", "192.88.99.0/24"), ("168.63.129.16/32",), ("::/3", "4000::/2", "8000::/1")
SET_ASIDE = tuple(map(ip_network, (*PROTOCOLS, *CLOUD, *NOBODY)))
"""What stands for protocols (RFC 6890, 7526), where a cloud answers its own machines, and what of IPv6 is given out to
nobody (IANA)."""
TRANSLATED = ip_network("64:ff9b::/96")
"""An IPv4 address in its last 32 bits (RFC 6052)."""

HIDDEN = "***"
SHORTEST_PIECED_KEY = 12
SENTENCES = ("message", "msg", "error_msg", "error", "errors", "detail")
"""Where servers say what is wrong, each in a field of its own."""
MODEL = re.compile("model|模型", re.IGNORECASE)
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


def lacks_scheme(address: str) -> bool:
    """Say whether what is missing from an address is its beginning alone."""
    return "://" not in address and " " not in address and is_http(f"http://{address}")


def is_internal(address: str) -> bool:
    """Say whether an address leads into this machine or its own network, or nowhere, which says as little."""
    import httpx2

    return not are_public(places(httpx2.URL(address).host))


def places(host: str) -> list[Place]:
    """Return the addresses that a host's name leads to now; none where it cannot be looked up."""
    try:
        records = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    # A scope such as %eth0 is no part of the address.
    return [ipaddress.ip_address(str(place[0]).partition("%")[0]) for *_, place in records]


def are_public(some: Sequence[Place]) -> bool:
    """Say whether there are addresses, each of them for everybody."""
    return bool(some) and all(map(_is_public, some))


def _is_public(place: Place) -> bool:
    inside = _inside(place)
    if inside:
        return _is_public(inside)
    return place.is_global and not place.is_multicast and not any(place in network for network in SET_ASIDE)


def _inside(place: Place) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address that an IPv6 address leads to."""
    if isinstance(place, ipaddress.IPv4Address):
        return None
    if place in TRANSLATED:
        return ipaddress.IPv4Address(int(place) & 0xFFFFFFFF)
    return place.ipv4_mapped or place.sixtofour


def said(answer: Any) -> str:
    """Return the sentence of an answer that is none, in one line; empty where it has no field for one."""
    while isinstance(answer, Mapping):
        answer = next((answer[name] for name in SENTENCES if answer.get(name)), "")
    return " ".join(str(answer or "").split())


def is_of_a_model(said: str) -> bool:
    """Say whether a refusal is of the model, and not of the address."""
    return bool(MODEL.search(said))


def with_path(address: str, path: str) -> str:
    """Add to an address's path, before its parameters."""
    place, mark, parameters = address.partition("?")
    return place.rstrip("/") + path + mark + parameters


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
