"""What every test gets: an own library folder, no key, no proxy on loopback, nothing kept from the test before."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag_core import settings
from rag_core.embed import Embedder, load_embedder
from rag_core.pipeline import Lab
from rag_core.rerank import Reranker, load_reranker

REPORT = Path(__file__).parents[2] / "shared" / "documents" / "北京2024年政府工作报告.pdf"


@pytest.fixture(autouse=True)
def own_world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setenv("RERANK_LAB_HOME", str(tmp_path / "home"))
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1,localhost")
    left_out = ("OPENAI_", "RERANK_LAB_CHROMA", "RERANK_LAB_LLM_MODEL")
    for name in [name for name in os.environ if name.startswith(left_out)]:
        monkeypatch.delenv(name, raising=False)
    yield
    forget_what_streamlit_kept()


def forget_what_streamlit_kept() -> None:
    """Clear the caches; the library among them is closed on the way, which frees its folder."""
    if "streamlit" in sys.modules:
        import streamlit

        streamlit.cache_data.clear()
        streamlit.cache_resource.clear()


@pytest.fixture(scope="session")
def report() -> bytes:
    if not REPORT.is_file():
        pytest.skip(f"{REPORT.name} does not lie beside the repository")
    return REPORT.read_bytes()


@pytest.fixture(scope="session")
def embedder() -> Embedder:
    return load_embedder("bilingual-embedder")


@pytest.fixture(scope="session")
def reranker() -> Reranker:
    return load_reranker("bilingual-cross-encoder")


@pytest.fixture
def lab() -> Iterator[Lab]:
    lab = Lab(settings.home())
    yield lab
    lab.close()
