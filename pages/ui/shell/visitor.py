"""Tell participants apart without knowing who they are."""

import secrets

import streamlit as st

COOKIE = "_streamlit_xsrf"


def who() -> str:
    """Return the same token for every tab of a browser, and another one for each browser.

    It is the token in the cookie by which Streamlit guards its uploads. A browser that sends none gets one in the
    page's address instead, which a reload and a duplicated tab keep.
    """
    return browser() or token_in_address()


def browser() -> str:
    """Return a browser's token where it sends one: nothing that stands in an address, which others may read."""
    return unmasked(st.context.cookies.get(COOKIE, ""))


def unmasked(cookie: str) -> str:
    """Return the token beneath the cookie's mask, which is another one at every visit; nothing where there is none.

    The cookie's form is ``2|mask|masked token|time``, in hexadecimal digits.
    """
    try:
        _, mask, masked, _ = cookie.strip("\"'").split("|")
        key = bytes.fromhex(mask)
        return bytes(byte ^ key[i % len(key)] for i, byte in enumerate(bytes.fromhex(masked))).hex()
    except (ValueError, ZeroDivisionError):
        return ""


def token_in_address() -> str:
    if "me" not in st.query_params:
        st.query_params["me"] = st.session_state.setdefault("me", secrets.token_urlsafe(8))
    return st.query_params["me"]
