from dataclasses import replace
from pathlib import Path

import pytest

from rag_core import settings
from rag_core.datatypes import Settings
from rag_core.errors import BadSetting, EmptyQuery, EmptyText, QueryTooLong


def test_home_is_the_folder_of_the_environment(monkeypatch):
    monkeypatch.setenv("RERANK_LAB_HOME", " /some/where ")
    assert settings.home() == Path("/some/where")


def test_home_knows_the_tilde(monkeypatch):
    monkeypatch.setenv("RERANK_LAB_HOME", "~/lab")
    assert settings.home() == Path.home() / "lab"


@pytest.mark.parametrize("unset", ["", "  "])
def test_home_without_a_folder_is_the_users_data_directory(monkeypatch, unset):
    monkeypatch.setenv("XDG_DATA_HOME", "/data/of/user")
    monkeypatch.setenv("RERANK_LAB_HOME", unset)
    assert settings.home().is_absolute()
    assert "rerank-lab" in settings.home().parts


def test_question_loses_surrounding_space_and_line_breaks():
    assert settings.check_query("  收入\n增长  多少？ ") == "收入 增长 多少？"


@pytest.mark.parametrize("query", ["", "   ", "\n\t", "\u3000"])
def test_empty_question_is_refused(query):
    with pytest.raises(EmptyQuery):
        settings.check_query(query)


def test_question_of_ten_thousand_characters_is_refused_with_both_numbers():
    with pytest.raises(QueryTooLong, match=r"10000 .* 1000 ") as caught:
        settings.check_query("问" * 10_000)
    assert caught.value.values == {"length": 10_000, "limit": 1000}


def test_longest_question_is_accepted():
    assert settings.check_query("问" * 1000) == "问" * 1000


@pytest.mark.parametrize("how", [Settings(), Settings(depth=5, cutoff=1), Settings(depth=100, cutoff=20)])
def test_settings_in_range_are_returned(how):
    assert settings.check(how) is how


@pytest.mark.parametrize(
    ("name", "value"), [("depth", 4), ("depth", 101), ("depth", -1), ("cutoff", 0), ("cutoff", 21)]
)
def test_setting_out_of_range_is_named(name, value):
    with pytest.raises(BadSetting, match=f"{name} is {value}") as caught:
        settings.check(replace(Settings(), **{name: value}))
    assert (caught.value.values["setting"], caught.value.values["value"]) == (name, value)


def test_a_text_needs_a_character():
    assert settings.check_text(" 公园 ") == "公园"
    with pytest.raises(EmptyText):
        settings.check_text(" \n ")


def test_the_indexes_are_in_the_library_unless_another_place_is_set(monkeypatch):
    monkeypatch.setenv("RERANK_LAB_HOME", "/some/where")
    assert settings.chroma() == Path("/some/where/chroma")


def test_a_server_has_what_is_set_for_it(monkeypatch):
    values = {"": "https://chroma.example", "_TOKEN": "secret", "_TENANT": "school", "_DATABASE": "lab"}
    for name, value in values.items():
        monkeypatch.setenv(f"RERANK_LAB_CHROMA{name}", value)
    assert settings.chroma() == settings.ChromaServer("https://chroma.example", "secret", "school", "lab")


@pytest.mark.parametrize(
    "chosen", ["ftp://host", "http://", "http://host:port", "http://host:0", "http://me:secret@host", "https://[1"]
)
def test_an_address_that_leads_nowhere_is_refused(monkeypatch, chosen):
    monkeypatch.setenv("RERANK_LAB_CHROMA", chosen)
    with pytest.raises(BadSetting, match="RERANK_LAB_CHROMA") as caught:
        settings.chroma()
    assert "secret" not in str(caught.value.values) + str(caught.value)


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ("http://127.0.0.1:8000", settings.ChromaServer("http://127.0.0.1:8000")),
        (" https://chroma.example/lab/ ", settings.ChromaServer("https://chroma.example/lab")),
        ("cloud", settings.ChromaServer("https://api.trychroma.com")),
        ("/some/where", Path("/some/where")),
    ],
)
def test_the_place_of_the_indexes_is_a_setting(monkeypatch, chosen, expected):
    monkeypatch.setenv("RERANK_LAB_CHROMA", chosen)
    assert settings.chroma() == expected
