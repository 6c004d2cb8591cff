"""Whose documents a visitor sees, from how they came."""

from __future__ import annotations

import pytest
import streamlit as st
from screens import open_page, says, text_of

from pages.ui.shell import state

HERE = {"Host": "127.0.0.1:8501", "Origin": "http://127.0.0.1:8501"}


@pytest.mark.parametrize(
    ("headers", "forwarded"),
    [
        ({}, False),
        (HERE, False),
        ({"Host": "localhost:8501", "Origin": "http://localhost:8501"}, False),
        ({"Host": "[::1]:8501", "Origin": "http://[::1]:8501"}, False),
        (HERE | {"X-Forwarded-For": "192.0.2.7"}, True),
        (HERE | {"Forwarded": "for=192.0.2.7"}, True),
        (HERE | {"X-Real-IP": "127.0.0.1"}, True),
        (HERE | {"Via": "1.1 proxy"}, True),
        (HERE | {"Host": "lab.example"}, True),
        (HERE | {"Origin": "https://lab.example"}, True),
        (HERE | {"Origin": "null"}, True),
    ],
)
def test_a_proxy_is_noticed(monkeypatch, headers, forwarded):
    monkeypatch.setattr(type(st.context), "headers", headers)
    assert state.forwarded() is forwarded


@pytest.mark.parametrize("headers", [HERE | {"X-Forwarded-For": "192.0.2.7"}, {"Host": "lab.example"}])
def test_behind_a_proxy_on_the_same_machine_the_library_is_private(monkeypatch, headers):
    monkeypatch.setattr(type(st.context), "headers", headers)
    owners = [open_page("documents").session_state["owner"] for _ in range(2)]
    assert len({*owners, ""}) == 3


def test_a_library_of_a_visitor_of_their_own_can_be_asked_for(monkeypatch):
    monkeypatch.setenv("RERANK_LAB_LIBRARY", "private")
    assert open_page("documents").session_state["owner"]


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("page", ["home", "documents", "compare", "answer", "evaluate", "explain", "workshop"])
def test_a_visitor_is_told_that_the_library_cannot_be_written_and_not_where_it_is(
    monkeypatch, tmp_path, page, language
):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("RERANK_LAB_HOME", str(tmp_path / "file" / "home"))
    monkeypatch.setenv("RERANK_LAB_LIBRARY", "private")
    at = open_page(page, language)
    assert not at.exception
    assert says(at, "error.of_host")
    assert all(str(tmp_path) not in error.value for error in at.error)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("page", ["home", "documents", "compare", "answer", "evaluate", "explain", "workshop"])
def test_a_setting_that_cannot_be_stops_every_page(monkeypatch, page, language):
    monkeypatch.setenv("RERANK_LAB_LIBRARY", "everybody")
    at = open_page(page, language)
    assert says(at, "error.bad_setting") and says(at, "setting.library")
    assert not at.button


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_dotenv_that_is_not_utf8_stops_every_page(monkeypatch, tmp_path, language):
    (tmp_path / ".env").write_bytes("# 密钥\n".encode("gbk"))
    monkeypatch.chdir(tmp_path)
    at = open_page("compare", language)
    assert text_of(at, "error.bad_setting", setting=r"\.env", value="≠ UTF\\-8", limit=r"UTF\-8") in at.error[0].value
    assert not at.button
