"""What every test gets: an own library folder, no key, no proxy on loopback, nothing kept from the test before."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rag_core import settings
from rag_core.datatypes import Comparison, Settings
from rag_core.lab import Lab
from rag_core.models import embed, rerank
from rag_core.models.catalog import Line
from rag_core.models.embed import Embedder, load_embedder
from rag_core.models.rerank import Reranker, load_reranker
from rag_core.reading.pdf import document_id

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page
    from running_app import App

FIRST = {"browser": 0, "torch": 1}
LONGEST_ID = 40
TESTS = Path(__file__).parent
FAILED = pytest.StashKey[bool]()
SERVERS = ("OPENAI_", "RERANK_LAB_RERANK_", "RERANK_LAB_EMBED_", "COHERE_", "JINA_")
REPORT = Path(__file__).parents[2] / "shared" / "documents" / "北京2024年政府工作报告.pdf"


def pytest_configure() -> None:
    """Have Ray start no process before one is needed."""
    os.environ |= {"RAY_enable_worker_prestart": "false", "RAY_prestart_worker_first_driver": "false"}


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name a file in a test's id by its argument: encrypted ones differ from worker to worker."""
    return argname if isinstance(val, bytes) and len(val) > LONGEST_ID else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of a file, all that need torch, and all in a browser on one worker: they share what they made.

    What is slow comes first, so that all workers end at about the same time.
    """
    for item in items:
        if not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(group_of(item)))
    items.sort(key=lambda item: (FIRST.get(group_of(item), len(FIRST)), not item.get_closest_marker("slow")))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo) -> Iterator[None]:
    """Note with a test that it failed, for the fixtures that end after it."""
    report = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    return report


def group_of(item: pytest.Item) -> str:
    if {"served", "chromium"} & set(item.fixturenames):
        return "browser"
    return "torch" if item.get_closest_marker("torch") else item.path.relative_to(TESTS).with_suffix("").as_posix()


@pytest.fixture(scope="session", autouse=True)
def streamlit_config() -> None:
    """Have Streamlit read the app's configuration, as the server does first.

    It reads it once, from the working directory of whoever asks first: a test in a folder of its own would have every
    page after it believe in a server open to the network.
    """
    from streamlit import config

    config.get_config_options()


@pytest.fixture(scope="session", autouse=True)
def bundled_models() -> Iterator[None]:
    """Load each bundled model once a worker, as the app does for all its visitors."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(embed, "OnnxEmbedder", once(embed.OnnxEmbedder))
        patch.setattr(rerank, "OnnxReranker", once(rerank.OnnxReranker))
        yield


def once(build: Callable[[Line], object]) -> Callable[[Line], object]:
    """Return what builds a model the first time that its folder is asked for."""
    made = cache(lambda line, _folder: build(line))
    return lambda line: made(line, line.folder)


@pytest.fixture(autouse=True)
def torch_where_it_is_said(request: pytest.FixtureRequest) -> Iterator[None]:
    """Importing torch takes seconds: only tests that are marked so may do it."""
    there = "torch" in sys.modules
    yield
    assert there or "torch" not in sys.modules or request.node.get_closest_marker("torch"), "mark the test: torch"


@pytest.fixture(autouse=True)
def own_world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setenv("RERANK_LAB_HOME", str(tmp_path / "home"))
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1,localhost")
    left_out = (*SERVERS, "RERANK_LAB_CHROMA", "RERANK_LAB_LLM_MODEL")
    for name in [name for name in os.environ if name.startswith(left_out)]:
        monkeypatch.delenv(name, raising=False)
    yield
    if "pages.ui.shell.cached" in sys.modules:
        import caches

        caches.forget()


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


# The screens without a browser


@pytest.fixture(scope="session")
def indexed(tmp_path_factory, embedder) -> Path:
    """Return a library that holds the small document, embedded: to be copied."""
    import screens

    home = tmp_path_factory.mktemp("indexed") / "home"
    lab = Lab(home)
    lab.open(lab.add(screens.SMALL, "small.pdf").id, Settings(chunks=screens.SENTENCES), embedder)
    lab.close()
    return home


@pytest.fixture(scope="session")
def compared(tmp_path_factory, indexed, embedder, reranker) -> Comparison:
    import screens

    home = shutil.copytree(indexed, tmp_path_factory.mktemp("compared") / "home")
    lab = Lab(home)
    opened = lab.open(document_id(screens.SMALL), Settings(chunks=screens.SENTENCES), embedder)
    made = opened.compare(screens.QUESTION, [], reranker)
    lab.close()
    return made


@pytest.fixture
def library(indexed) -> None:
    """Give the test a library that holds the small document, embedded."""
    shutil.copytree(indexed, settings.home())


# The screens in a browser


@pytest.fixture(scope="session")
def served(tmp_path_factory) -> Iterator[App]:
    import running_app

    with running_app.switched_app(tmp_path_factory.mktemp("app") / "unused") as app:
        yield app


@pytest.fixture(scope="session")
def samples(tmp_path_factory, embedder) -> Path:
    """Return a library that holds both samples, cut as they are by default, and embedded: to be copied."""
    from pages.ui.shell.samples import FILES, FOLDER

    home = tmp_path_factory.mktemp("samples") / "home"
    lab = Lab(home)
    for name in FILES.values():
        document = lab.add((FOLDER / f"{name}.pdf").read_bytes(), f"{name}.pdf")
        lab.open(document.id, Settings(chunks=lab.recommend(document.id)), embedder)
    lab.close()
    return home


@pytest.fixture
def app_home(tmp_path, samples) -> Path:
    return shutil.copytree(samples, tmp_path / "library")


@pytest.fixture
def address(served, app_home) -> str:
    """Return the app's address; its library is this test's own, and holds both samples."""
    return served.open(app_home)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    import running_app

    if running_app.CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    with running_app.running_browser() as browser:
        yield browser


@pytest.fixture
def person(chromium, request, tmp_path) -> Iterator[Callable[..., BrowserContext]]:
    """Return what opens a browser of one person's; where the test fails, its pages are left as pictures and printed."""
    from running_app import open_context

    opened = []

    def open_one(**how: object) -> BrowserContext:
        opened.append(open_context(chromium, **how))
        return opened[-1]

    yield open_one
    pages = [page for context in opened for page in context.pages] if request.node.stash.get(FAILED, False) else []
    for number, page in enumerate(pages):
        page.screenshot(path=tmp_path / f"page-{number}.png")
        print(f"page {number}: {page.url}", page.locator("body").inner_text(), sep="\n")
    for context in opened:
        context.close()


@pytest.fixture
def page(person) -> Page:
    return person().new_page()
