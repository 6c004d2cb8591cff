"""How to come into a room: its code, its address, and the address as a picture for a telephone."""

import io
from functools import lru_cache
from ipaddress import ip_address
from socket import AF_INET
from urllib.parse import urlsplit

import psutil
import segno
import streamlit as st

from pages.ui.shell import state
from pages.ui.shell.i18n import t

PIXELS, MARGIN = 10, 3
"""Of one square of the picture, and how many squares stay free around it, as a telephone needs them."""

LIKELY = ("192.168.", "10.")
"""How addresses in a school's or an office's network begin; others may be those of virtual machines."""


def signpost(code: str) -> None:
    """Show how to come in."""
    address = address_of(code)
    st.metric(t("room.code"), f"{code[:3]} {code[3:]}", border=True)
    st.image(qr(address), width="stretch", alt=t("room.qr"))
    st.caption(t("room.how_to_join"))
    st.code(address, language=None, wrap_lines=True)


def warn_where_nobody_can() -> None:
    if state.bound_to_loopback() and not state.forwarded():
        st.info(t("room.loopback"), icon=":material/lan:")


def address_of(code: str) -> str:
    """Return where a room is joined."""
    page = (st.context.url or "").partition("?")[0]
    return f"{page if state.bound_to_loopback() else reachable(page)}?room={code}"


def reachable(url: str) -> str:
    """Return an address that other machines know: a teacher may have opened the page as ``localhost``."""
    parts = urlsplit(url)
    if parts.hostname not in state.LOOPBACK or not (own := own_address()):
        return url
    return parts._replace(netloc=f"{own}:{parts.port}" if parts.port else own).geturl()


def own_address() -> str:
    """Return this machine's address in its network, read from its cards, or nothing."""
    cards = (card.address for cards in psutil.net_if_addrs().values() for card in cards if card.family == AF_INET)
    private = [card for card in cards if ip_address(card).is_private and not ip_address(card).is_loopback]
    return min(private, key=lambda card: not card.startswith(LIKELY), default="")


@lru_cache(maxsize=64)
def qr(text: str) -> bytes:
    """Return a PNG of a text's QR code."""
    png = io.BytesIO()
    segno.make_qr(text, error="m").save(png, kind="png", scale=PIXELS, border=MARGIN)
    return png.getvalue()
