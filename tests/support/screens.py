"""The screens without a browser: open a page, press its buttons, and read what it says."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from copy import copy
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from llm_server import LLMServer
from pdfs import text_pdf
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from pages.ui.shell import i18n, models
from rag_core.datatypes import ChunkSettings, Comparison, Progress
from rag_core.models.embed import OnnxEmbedder
from rag_core.models.onnx_model import OnnxModel, Pool, Texts
from rag_core.models.rerank import OnnxReranker

# Each AppTest looks through every installed package for components; what is installed stays the same.
manifest_scanner.scan_component_manifests = cache(manifest_scanner.scan_component_manifests)

ROOT = Path(__file__).parents[2]
PDF = "application/pdf"
SMALL = text_pdf(
    [
        "The river town opened a new library in spring.",
        "Tax revenue grew by eight percent over the year.",
        "Twenty parks were built or repaired in the old quarter.",
        "The tram line to the harbour carries forty thousand people a day.",
        "Farmers brought in a good harvest of wheat and barley.",
        "The museum counted three hundred thousand visitors.",
        "Household income rose by five percent.",
    ],
    [
        "The budget of the town stayed in balance.",
        "Spending on schools grew faster than spending on roads.",
        "Revenue from tourism doubled in summer.",
        "A second bridge over the river is planned.",
        "The hospital hired ninety nurses.",
        "Water in the lake became cleaner.",
        "The harbour exported more timber than before.",
    ],
)
OTHER = text_pdf(["全市一般公共预算收入增长8.2%，突破6000亿元。", "新建公园二十处。", "粮食产量保持稳定。"])
CHUNKS = 14
QUESTION = "How much did tax revenue grow?"
SENTENCES = ChunkSettings("sentence", 600, 120)
TYPED, WRITTEN = "How fast did tax income rise?", "What was the growth of taxes?"


class Remembered:
    """A bundled model that runs a text, or a pair, once a worker: what that gives never depends on its neighbours."""

    def __init__(self, model: OnnxModel) -> None:
        self.model, self.known = model, {}

    def __getattr__(self, name: str) -> object:
        return getattr(self.model, name)

    def run(self, texts: Texts, pool: Pool, progress: Progress | None = None) -> np.ndarray:
        new = [text for text in dict.fromkeys(texts) if text not in self.known]
        if new:
            self.known |= zip(new, self.model.run(new, pool, progress), strict=True)
        elif progress:
            progress(len(texts), len(texts))
        return np.array([self.known[text] for text in texts])


@cache
def remembering(bundled: OnnxEmbedder | OnnxReranker) -> OnnxEmbedder | OnnxReranker:
    remembered = copy(bundled)
    remembered.model = Remembered(bundled.model)
    return remembered


def loading(load: Callable[..., object]) -> Callable[..., object]:
    """Return what loads a model for a screen; screens ask the bundled ones the same over and over."""

    def loaded(*arguments: object) -> object:
        model = load(*arguments)
        return remembering(model) if isinstance(model, (OnnxEmbedder, OnnxReranker)) else model

    return loaded


models.load_embedder, models.load_reranker = loading(models.load_embedder), loading(models.load_reranker)


def open_page(name: str, language: str = "en", **state: object) -> AppTest:
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
    at.session_state["lang"] = language
    for key, value in state.items():
        at.session_state[key] = value
    at.run()
    return run(at.switch_page(f"pages/{name}.py")) if name != "home" else run(at)


def run(at: AppTest) -> AppTest:
    """Run the page; whatever happens, a reader sees no traceback and no excuse."""
    at.run()
    assert not at.exception
    assert not [text for text in said(at) if "Traceback" in text or "Error:" in text or 'File "' in text]
    assert not says(at, "error.unexpected")
    return at


def said(at: AppTest) -> list[str]:
    kinds = ("title", "subheader", "markdown", "caption", "text", "error", "warning", "info", "success")
    return [element.value for kind in kinds for element in getattr(at, kind)]


def says(at: AppTest, key: str) -> bool:
    """Say whether the page holds the text of a key, with anything in its placeholders."""
    text = i18n.texts(at.session_state["lang"])[key]
    wanted = ".*".join(re.escape(part) for part in re.split(r"\{\w+\}", text)).removesuffix(r"\ .*")
    return any(re.search(wanted, found, re.DOTALL) for found in said(at))


def says_anywhere(at: AppTest, words: str) -> bool:
    return any(words in text for text in said(at))


def text_of(at: AppTest, key: str, **values: object) -> str:
    return i18n.texts(at.session_state["lang"])[key].format(**values)


def press(at: AppTest, key: str) -> AppTest:
    """Press the button with a key's label."""
    [button] = [button for button in at.button if button.label == text_of(at, key)]
    return click(at, button)


def click(at: AppTest, button) -> AppTest:
    button.click()
    return run(at)


def open_part(at: AppTest, key: str) -> AppTest:
    """Open a tab of the comparison."""
    at.session_state["result_part"] = text_of(at, key)
    return run(at)


def orders(at: AppTest) -> dict[str, Any]:
    """Return what the two linked tables are given to draw."""
    [tables] = [part.proto for part in at.get("bidi_component") if part.proto.component_name == "orders"]
    return json.loads(tables.json)[0]


def answered(at: AppTest) -> list[list[str]]:
    """Return the sentences of both answers, as they are drawn side by side."""
    [cards] = [part.proto for part in at.get("bidi_component") if part.proto.component_name == "answers"]
    return [[part["words"] for part in side["said"]] for side in json.loads(cards.json)["sides"]]


def ranked(at: AppTest) -> tuple[list[str], list[str]]:
    """Return the ids of the chunks in both tables, best first."""
    first, second = ([row["id"] for row in side["rows"]] for side in orders(at)["sides"])
    return first, second


def has_orders(at: AppTest) -> bool:
    return any(part.proto.component_name == "orders" for part in at.get("bidi_component"))


def upload(at: AppTest, *files: tuple[str, bytes]) -> AppTest:
    """Choose files, which are read at once."""
    at.file_uploader(key="files").set_value([(name, data, PDF) for name, data in files])
    return run(at)


def unlock(at: AppTest, password: str) -> AppTest:
    """Type the password of the one file that needs it, and open it."""
    [field] = [field for field in at.text_input if field.label == text_of(at, "documents.password")]
    field.set_value(password)
    return press(at, "documents.open")


def titles(at: AppTest) -> list[str]:
    return at.selectbox(key="doc_id").options if [box for box in at.selectbox if box.key == "doc_id"] else []


def asked(language: str = "en", **state: object) -> AppTest:
    """Open the compare page with a question typed and press Compare."""
    return press(open_page("compare", language, **{"question": QUESTION, **state}), "form.compare")


def with_model(server: LLMServer, **state: object) -> dict[str, object]:
    return {"llm_key": "sk-test", "llm_url": server.base_url, "llm_model": "m", **state}


def still_shows(at: AppTest, comparison: Comparison) -> bool:
    return at.session_state["comparison"] is comparison and says(at, "result.same_candidates")
