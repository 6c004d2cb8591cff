import re
from pathlib import Path

import pytest

from rag_core import settings
from rag_core.environment import FIELDS, RERANK_FORMS
from rag_core.errors import BadSetting
from rag_core.models import catalog
from rag_core.servers import llm
from rag_core.servers.rerank import FORMS

ROOT = Path(__file__).parents[1]
KEYS = [name for name in FIELDS if name.endswith(("_KEY", "_TOKEN"))]
RIGHT = {"RERANK_LAB_LIBRARY": "private", "RERANK_LAB_RERANK_FORM": "tei", "RERANK_LAB_CHROMA": "cloud"}


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch, tmp_path):
    for name in FIELDS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", FIELDS)
def test_every_setting_is_read_from_the_environment_and_then_from_dotenv(monkeypatch, tmp_path, name):
    value = RIGHT.get(name, "of the file")
    (tmp_path / ".env").write_text(f"\ufeff{name}='{value}'\nOTHER=x\nBARE\n", encoding="utf-8")
    assert settings.environment().values()[name] == value
    monkeypatch.setenv(name, f" {RIGHT.get(name, 'of the environment')} ")
    assert settings.environment().values()[name] == RIGHT.get(name, "of the environment")


def test_what_is_blank_is_not_set(monkeypatch):
    for name in FIELDS:
        monkeypatch.setenv(name, "  ")
    assert settings.environment().values() == {"RERANK_LAB_LLM_MODEL": llm.DEFAULT_MODEL}


@pytest.mark.parametrize("where", ["environment", "dotenv"])
@pytest.mark.parametrize(
    ("name", "value", "limit"),
    [
        ("RERANK_LAB_LIBRARY", "open", "private, shared"),
        ("RERANK_LAB_RERANK_FORM", "openai", "cohere, jina, voyage, tei, vllm, infinity"),
        ("RERANK_LAB_CHROMA", "ftp://host", "http://host:port, https://host, cloud"),
    ],
)
def test_a_wrong_value_is_told_with_what_is_right(monkeypatch, tmp_path, name, value, limit, where):
    if where == "environment":
        monkeypatch.setenv(name, value)
    else:
        (tmp_path / ".env").write_text(f"{name}={value}\n", encoding="utf-8")
    with pytest.raises(BadSetting, match=f"{name} is '{value}'") as caught:
        settings.home()
    assert caught.value.values == {"setting": name, "value": value, "limit": limit}


def test_a_dotenv_that_is_not_utf8_is_told_by_every_setting(tmp_path):
    (tmp_path / ".env").write_bytes("# 密钥\nOPENAI_API_KEY=sk-x\n".encode("gbk"))
    for read in (settings.home, settings.chroma, llm.LLMSettings.from_environment):
        with pytest.raises(BadSetting, match=r"\.env is not UTF-8"):
            read()


@pytest.mark.parametrize("name", KEYS)
def test_a_key_is_never_shown(monkeypatch, name):
    monkeypatch.setenv(name, "sk-secret")
    known = settings.environment()
    assert "sk-secret" not in f"{known} {known!r} {known.model_dump()} {known.model_dump_json()}"
    monkeypatch.setenv("RERANK_LAB_LIBRARY", "open")
    with pytest.raises(BadSetting) as caught:
        settings.environment()
    assert "sk-secret" not in f"{caught.value} {caught.value.values} {caught.value.__cause__}"


def test_the_table_names_the_forms_that_are_spoken():
    assert tuple(FORMS) == RERANK_FORMS


def test_every_setting_that_a_model_asks_for_stands_in_the_table():
    asked = {*llm.CHAT, *llm.EMBEDDING, *(line.key_name for line in catalog.RERANKERS if line.key_name)}
    assert asked <= set(FIELDS)


FILES = [
    file
    for place in ("rag_core", "pages", "deploy", "docs", "benchmarks")
    for file in (ROOT / place).rglob("*.*")
    if file.suffix in (".py", ".md", ".json", ".conf")
]


def test_whoever_names_a_setting_names_one_of_the_table():
    named = {name for file in FILES for name in re.findall(r"RERANK_LAB_\w*[A-Z]\b", file.read_text(encoding="utf-8"))}
    assert named - set(FIELDS) == set()
