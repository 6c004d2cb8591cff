"""What an environment of ``requirements-light.txt`` alone does with what needs more: it says what brings it."""

from __future__ import annotations

import numpy as np
import pytest
import screens
from command import run
from screens import open_page, press, says, says_anywhere, text_of

from rag_core.errors import ModelsMissing, UmapMissing
from rag_core.explaining import projection
from rag_core.extras import MAP, MODELS
from rag_core.models import catalog
from rag_core.models.embed import load_embedder
from rag_core.models.rerank import load_reranker
from rag_core.sharing import replay

pytestmark = pytest.mark.skipif(
    MODELS.is_installed() or MAP.is_installed(), reason="more than requirements-light.txt is installed here"
)
COMMAND = "pip install -r requirements.txt"
MODEL = "nobody/no-such-model"
both_languages = pytest.mark.parametrize("language", ["en", "zh"])


@pytest.mark.parametrize("load", [load_embedder, load_reranker])
@pytest.mark.parametrize("kind", ["hub", "folder"])
def test_a_model_of_the_hub_or_of_a_folder_names_the_command(load, kind, tmp_path):
    (tmp_path / "config.json").write_text("{}")
    model = MODEL if kind == "hub" else str(tmp_path)
    with pytest.raises(ModelsMissing, match=COMMAND) as caught:
        load(model)
    assert caught.value.values == {"model": model, "command": COMMAND}


def test_the_command_line_says_it_too(tmp_path):
    (tmp_path / "small.pdf").write_bytes(screens.SMALL)
    done = run(tmp_path / "home", "compare", tmp_path / "small.pdf", screens.QUESTION, "--reranker", MODEL)
    assert (done.returncode, done.stdout) == (1, "")
    assert COMMAND in done.stderr


def test_umap_names_the_command():
    with pytest.raises(UmapMissing, match=COMMAND):
        projection.by_umap(np.eye(20, dtype=np.float32))


@both_languages
def test_the_map_draws_pca_and_says_so(library, compared, language):
    at = open_page("explain", language, comparison=compared, explain_part="map", map_layout="umap")
    assert [info.value for info in at.info] == [text_of(at, "map.umap_missing", command=COMMAND)]
    assert at.get("vega_lite_chart") and not at.error


@both_languages
def test_a_visitor_is_not_told_what_the_host_would_have_to_run(library, compared, language, monkeypatch):
    monkeypatch.setenv("RERANK_LAB_LIBRARY", "private")
    at = open_page("explain", language, comparison=compared, explain_part="map", map_layout="umap")
    assert [info.value for info in at.info] == [text_of(at, "map.umap_of_host")]
    assert at.get("vega_lite_chart") and not says_anywhere(at, "pip install")


@both_languages
def test_a_model_that_is_chosen_is_refused_with_the_command(library, language):
    at = screens.asked(language, reranker_other=MODEL)
    assert says(at, "error.models_missing")
    assert says_anywhere(at, f"` {COMMAND} `") and says_anywhere(at, r"nobody/no\-such\-model")
    at.session_state["reranker_other"] = ""
    assert screens.has_orders(press(at, "form.compare"))


@both_languages
def test_the_list_says_which_models_need_more(library, language):
    at = open_page("compare", language)
    needing = [line for line in catalog.RERANKERS if line.kind == catalog.ST]
    options = at.selectbox(key="reranker").options
    assert sum(text_of(at, "model.not_installed") in option for option in options) == len(needing) > 0


def test_a_result_names_the_versions_that_are_here():
    assert "onnxruntime" in replay.versions() and "sentence-transformers" not in replay.versions()
