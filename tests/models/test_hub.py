"""The real Hugging Face client against a loopback hub, and sentence-transformers on tiny models built here."""

from __future__ import annotations

import logging
import socket
from pathlib import Path
from time import perf_counter

import pytest
import tiny_models
from hub_server import Hub
from huggingface_hub import constants

from rag_core.errors import HubUnreachable, ModelUnusable, UnknownModel
from rag_core.models import hub
from rag_core.models.rerank import load_reranker

MODEL = "nobody/no-such-model"


def never_built(local_files_only: bool) -> None:
    raise AssertionError("nothing is loaded before the hub has answered")


@pytest.fixture(autouse=True)
def empty_cache(monkeypatch, tmp_path):
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)


@pytest.fixture
def use_hub(monkeypatch):
    template = "/{repo_id}/resolve/{revision}/{filename}"

    def use(address: str) -> None:
        monkeypatch.setattr(constants, "ENDPOINT", address)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", address + template)

    return use


@pytest.fixture
def closed_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{found.getsockname()[1]}"


def test_a_hub_out_of_reach_is_said_within_seconds(use_hub, closed_port):
    use_hub(closed_port)
    start = perf_counter()
    with pytest.raises(HubUnreachable, match="bundled model") as caught:
        hub.load(MODEL, never_built)
    assert perf_counter() - start < 20  # the library itself goes on for most of a minute
    assert caught.value.values == {"model": MODEL}


def test_a_hub_that_stays_silent_is_given_up(use_hub, monkeypatch):
    monkeypatch.setattr(hub, "HUB_SECONDS", 0.2)
    with Hub(delay=2) as silent, pytest.raises(HubUnreachable):
        use_hub(silent.address)
        hub.load(MODEL, never_built)


def test_a_machine_told_to_stay_offline_does_not_ask(use_hub, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with Hub() as untouched, pytest.raises(HubUnreachable):
        use_hub(untouched.address)
        hub.load(MODEL, never_built)
    assert untouched.requests == []


def test_a_hub_in_trouble_is_out_of_reach(use_hub):
    with Hub(status=503) as broken, pytest.raises(HubUnreachable):
        use_hub(broken.address)
        hub.load(MODEL, never_built)


def test_a_model_that_the_hub_does_not_have_is_unknown(use_hub):
    with Hub() as empty, pytest.raises(UnknownModel, match=MODEL) as caught:
        use_hub(empty.address)
        hub.load(MODEL, never_built)
    assert caught.value.values == {"model": MODEL}
    assert f"/api/models/{MODEL}" in empty.requests


@pytest.mark.parametrize("status", [403, 404])
def test_a_mirror_that_does_not_have_the_model_says_so_too(use_hub, status):
    with Hub(status=status) as mirror, pytest.raises(UnknownModel):
        use_hub(mirror.address)
        hub.load(MODEL, never_built)


@pytest.mark.parametrize("model_id", ["org/two--dashes", "org/.hidden", "org/a..b", "组织/模型", "org/" + "x" * 97])
def test_a_name_that_no_model_can_have_is_unknown_without_asking(use_hub, model_id):
    with Hub() as untouched, pytest.raises(UnknownModel):
        use_hub(untouched.address)
        hub.load(model_id, never_built)
    assert untouched.requests == []


@pytest.mark.slow
@pytest.mark.torch
def test_a_local_folder_is_loaded_without_asking(use_hub, tmp_path):
    folder = tiny_models.cross_encoder(tmp_path / "tiny")
    with Hub() as untouched:
        use_hub(untouched.address)
        assert load_reranker(folder).score("what grew", ["revenue grew"]).shape == (1,)
    assert untouched.requests == []


@pytest.mark.slow
@pytest.mark.torch
@pytest.mark.parametrize("files", [{"config.json": "{}"}, {"config.json": "not json"}, {"modules.json": "[]"}])
def test_a_folder_without_a_whole_model_is_unusable(tmp_path, files):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(ModelUnusable, match="cannot be loaded") as caught:
        load_reranker(str(tmp_path))
    assert caught.value.values["model"] == str(tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.slow
@pytest.mark.torch
def test_damaged_weights_are_unusable(tmp_path):
    folder = Path(tiny_models.cross_encoder(tmp_path / "tiny"))
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(ModelUnusable):
        load_reranker(str(folder))


def test_a_library_that_fails_without_a_word_is_still_explained(tmp_path):
    def fail(local_files_only: bool) -> None:
        raise EOFError

    with pytest.raises(ModelUnusable, match="EOFError"):
        hub.load(str(tmp_path), fail)


@pytest.mark.slow
@pytest.mark.torch
def test_the_errors_of_the_loading_library_are_not_printed(tmp_path, caplog):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelUnusable):
        load_reranker(str(tmp_path))
    assert [record for record in caplog.records if record.name == hub.__name__ and record.levelno > logging.INFO] == []


@pytest.mark.slow
@pytest.mark.torch
def test_a_model_is_fetched_once_and_then_needs_no_hub(use_hub, closed_port, tmp_path):
    folder = Path(tiny_models.cross_encoder(tmp_path / "tiny"))
    with Hub(folder, "tiny/cross-encoder") as serving:
        use_hub(serving.address)
        fetched = load_reranker("tiny/cross-encoder").score("what grew", ["revenue grew"])
        assert any(path.endswith("/model.safetensors") for path in serving.requests)
    use_hub(closed_port)
    again = load_reranker("tiny/cross-encoder").score("what grew", ["revenue grew"])
    assert fetched == again == load_reranker(str(folder)).score("what grew", ["revenue grew"])


@pytest.mark.slow
@pytest.mark.torch
def test_a_download_that_was_interrupted_is_finished(use_hub, closed_port, tmp_path):
    folder = Path(tiny_models.cross_encoder(tmp_path / "tiny"))
    with Hub(folder, "tiny/cross-encoder") as serving:
        use_hub(serving.address)
        load_reranker("tiny/cross-encoder")
    [weights] = (tmp_path / "cache").glob("*/snapshots/*/model.safetensors")
    weights.unlink()
    use_hub(closed_port)
    with pytest.raises(HubUnreachable):
        load_reranker("tiny/cross-encoder")
    with Hub(folder, "tiny/cross-encoder") as serving:
        use_hub(serving.address)
        assert load_reranker("tiny/cross-encoder").score("what grew", ["revenue grew"]).shape == (1,)
