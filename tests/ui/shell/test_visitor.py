"""Participants are told apart by browser."""

from __future__ import annotations

import pytest

from pages.ui.shell.visitor import unmasked

TOKEN = "00112233445566778899aabbccddeeff"


def masked(mask: str) -> str:
    key = bytes.fromhex(mask)
    return bytes(byte ^ key[i % 4] for i, byte in enumerate(bytes.fromhex(TOKEN))).hex()


@pytest.mark.parametrize("mask", ["00000000", "deadbeef", "01020304"])
def test_two_visits_of_a_browser_are_one_whatever_their_mask(mask):
    assert unmasked(f"2|{mask}|{masked(mask)}|1764043396") == TOKEN
    assert unmasked(f'"2|{mask}|{masked(mask)}|1764043396"') == TOKEN


def test_the_cookie_of_the_installed_streamlit_has_this_form():
    from streamlit.web.server.starlette.starlette_app_utils import generate_xsrf_token_string

    cookies = [generate_xsrf_token_string(bytes.fromhex(TOKEN), 1764043396) for _ in range(3)]
    assert len(set(cookies)) == 3
    assert {unmasked(cookie) for cookie in cookies} == {TOKEN}


@pytest.mark.parametrize("cookie", ["", "x", "2|zz|00|1", "2||00|1", "2|00|00", "|||"])
def test_a_cookie_of_another_form_tells_nothing(cookie):
    assert unmasked(cookie) == ""
