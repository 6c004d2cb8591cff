"""Contract of both catalogues: what select boxes, the README and the loaders rely on."""

from collections import Counter

import pytest

from rag_core.datatypes import Settings
from rag_core.errors import ModelNotOffered, ModelUnusable, UnknownModel
from rag_core.models import catalog, hub
from rag_core.models.catalog import BUNDLED, EMBEDDERS, RERANKERS, Line, find, leaves, served
from rag_core.servers.rerank import FORMS

LINES = [*EMBEDDERS, *RERANKERS]
PROMISED_EMBEDDERS = {
    "bilingual-embedder",
    "text-embedding-3-small",
    "text-embedding-3-large",
    "Qwen/Qwen3-Embedding-0.6B",
    "BAAI/bge-large-zh-v1.5",
    "BAAI/bge-small-zh-v1.5",
    "intfloat/multilingual-e5-small",
}
PROMISED_RERANKERS = {
    "bilingual-cross-encoder",
    "cross-encoder/ms-marco-MiniLM-L6-v2",
    "BAAI/bge-reranker-base",
    "BAAI/bge-reranker-v2-m3",
    "mixedbread-ai/mxbai-rerank-base-v2",
    "Qwen/Qwen3-Reranker-0.6B",
    "cross-encoder/mmarco-mMiniLMv2-L12-H384-v1",
}

every_line = pytest.mark.parametrize("line", LINES, ids=lambda line: line.id)


def test_every_promised_model_is_there():
    assert {line.id for line in EMBEDDERS} >= PROMISED_EMBEDDERS
    assert {line.id for line in RERANKERS} >= PROMISED_RERANKERS


def test_ids_are_unique():
    assert Counter(line.id for line in LINES).most_common(1)[0][1] == 1


def test_the_defaults_are_bundled_and_come_first():
    assert (EMBEDDERS[0].id, RERANKERS[0].id) == (Settings().embedder, Settings().reranker)
    assert (EMBEDDERS[0].kind, RERANKERS[0].kind) == ("onnx", "onnx")


@every_line
def test_a_line_names_languages_and_licence(line):
    assert line.languages
    assert set(line.languages) <= {"zh", "en", "…"}
    assert line.licence.strip()


@every_line
def test_a_line_is_of_a_known_kind(line):
    assert line.kind in {"onnx", "openai", "sentence-transformers", "server"}
    assert line.batch > 0


def test_only_embedders_come_from_openai():
    assert {line.kind for line in RERANKERS} == {"onnx", "sentence-transformers", "server"}


def test_a_server_of_the_catalogue_has_an_address_a_form_and_a_key_of_its_own():
    known = [line for line in LINES if line.address]
    assert all(line.address.startswith("https://") and line.form in FORMS and line.key_name for line in known)
    assert len({line.key_name for line in known}) == len({line.address for line in known}) == 3
    assert len({(line.address, line.form, line.key_name) for line in known}) == 3


def test_texts_leave_for_a_server_alone():
    leaving = [line.id for line in LINES if leaves((*EMBEDDERS, *RERANKERS), line.id)]
    assert leaving == [line.id for line in LINES if line.licence.endswith("API")]
    assert not leaves(RERANKERS, "organisation/unlisted")


def test_a_served_model_of_the_catalogue_keeps_its_prefixes():
    line = find(EMBEDDERS, "embedding-server")
    known, unknown = served(line, "intfloat/multilingual-e5-small"), served(line, "organisation/unlisted")
    assert (known.query_prefix, known.text_prefix, known.kind) == ("query: ", "passage: ", "server")
    assert (unknown.id, unknown.query_prefix, unknown.text_prefix) == ("organisation/unlisted", "", "")


@every_line
def test_what_is_fetched_has_a_hub_id_and_a_size(line):
    fetched = line.kind == "sentence-transformers"
    assert (line.size > 0) == fetched
    assert ("/" in line.id) == fetched


@pytest.mark.parametrize("line", [line for line in LINES if line.kind == "onnx"], ids=lambda line: line.id)
def test_a_bundled_model_lies_in_the_repository_and_is_light(line):
    assert line.folder.parent == BUNDLED
    assert (line.folder / "tokenizer.json").is_file()
    assert (line.folder / "onnx" / "model.onnx").stat().st_size <= 40_000_000


@pytest.mark.parametrize("lines", [EMBEDDERS, RERANKERS], ids=["embedders", "rerankers"])
def test_find_returns_the_line_itself(lines):
    assert [find(lines, line.id) for line in lines] == list(lines)


def test_the_query_prefix_is_the_one_the_model_was_trained_with():
    assert find(EMBEDDERS, "intfloat/multilingual-e5-small").query_prefix == "query: "
    assert find(EMBEDDERS, "BAAI/bge-small-zh-v1.5").query_prefix == "为这个句子生成表示以用于检索相关文章："
    qwen = find(EMBEDDERS, "Qwen/Qwen3-Embedding-0.6B")
    assert qwen.query_prefix.startswith("Instruct: ") and qwen.query_prefix.endswith("\nQuery:")
    assert qwen.text_prefix == ""


@pytest.mark.parametrize("model_id", ["thenlper/gte-small-zh", "a/b", "org.name/model_1.5-x"])
def test_find_makes_up_a_line_for_a_hub_id(model_id):
    assert find(EMBEDDERS, model_id) == Line(model_id, "sentence-transformers", (), 0, "")


@pytest.mark.parametrize("name", ["config.json", "modules.json"])
def test_find_makes_up_a_line_for_a_folder(tmp_path, name):
    (tmp_path / name).write_text("{}")
    assert find(RERANKERS, str(tmp_path)).id == str(tmp_path)


NO_MODELS = ["", " ", "nonsense", "/no/such/folder", "a/b/c", "two words/x", "x" * 5000, "\0", "/", "/etc", "../../.."]


@pytest.mark.parametrize("model_id", NO_MODELS)
def test_find_refuses_what_is_none_of_the_three(model_id):
    with pytest.raises(UnknownModel) as caught:
        find(RERANKERS, model_id)
    assert caught.value.values == {"model": model_id}


def test_an_embedder_is_no_reranker():
    with pytest.raises(UnknownModel):
        find(RERANKERS, "bilingual-embedder")


@pytest.fixture
def visitor(monkeypatch):
    monkeypatch.setattr(catalog, "is_visitor", lambda: True)


@pytest.mark.parametrize("lines", [EMBEDDERS, RERANKERS], ids=["embedders", "rerankers"])
def test_a_visitor_is_offered_what_loads_nothing(visitor, lines):
    assert {line.kind for line in catalog.offered(lines)} <= {"onnx", "openai", "server"}
    assert [find(lines, line.id) for line in catalog.offered(lines)] == list(catalog.offered(lines))


def test_no_name_tells_a_visitor_what_lies_on_this_machine(visitor, tmp_path):
    (tmp_path / "config.json").write_text("{}")
    hub = [line.id for line in RERANKERS if line.kind == "sentence-transformers"]
    said = []
    for name in [*NO_MODELS, str(tmp_path), "organisation/name", *hub]:
        with pytest.raises(ModelNotOffered) as caught:
            find(RERANKERS, name)
        assert caught.value.values.pop("model") == name
        said.append(caught.value.values)
    assert all(values == said[0] for values in said)
    assert "bilingual-cross-encoder" in said[0]["offered"]


def test_what_the_host_lists_is_offered_to_visitors(visitor, monkeypatch, tmp_path):
    (tmp_path / "config.json").write_text("{}")
    monkeypatch.setenv("RERANK_LAB_MODELS", f"BAAI/bge-reranker-base, {tmp_path}")
    assert "BAAI/bge-reranker-base" in [line.id for line in catalog.offered(RERANKERS)]
    assert find(RERANKERS, str(tmp_path)).id == str(tmp_path)
    with pytest.raises(ModelNotOffered, match="name"):
        find(RERANKERS, "organisation/name")


def test_a_folder_of_more_files_than_any_model_has_is_not_walked_to_its_end(tmp_path):
    for number in range(hub.MOST_FILES + 1):
        (tmp_path / f"{number}.bin").touch()
    with pytest.raises(ModelUnusable) as caught:
        hub.weights_id(str(tmp_path))
    assert caught.value.values["reason"] == f"> {hub.MOST_FILES} files"
