"""The bundled embedder for real, sentence-transformers on a tiny model, OpenAI's client against a loopback server."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tiny_models
from llm_server import LLMServer, Reply, embeddings, refusal

from rag_core.errors import (
    ModelUnusable,
    ServerBadAnswer,
    ServerInternal,
    ServerKey,
    ServerKeyMissing,
    ServerMissing,
    ServerMoved,
    ServerRefused,
    UnknownModel,
)
from rag_core.models import catalog, embed
from rag_core.models.embed import OnnxEmbedder, SentenceTransformerEmbedder, load_embedder, mean_pool, normalise
from rag_core.servers.llm import LLMSettings

ROOT = Path(__file__).parents[2]
TEXTS = [
    "一般公共预算收入增长8.2%",
    "新建公园二十处，" * 30,
    "Revenue grew by 8.2 percent.",
    "猫在沙发上睡觉",
    "The new metro line opened in May, and " * 20,
]


# Arithmetic


def test_normalise_gives_unit_rows_and_survives_zeros():
    assert normalise([[3, 4], [0, 0]]).tolist() == [[pytest.approx(0.6), pytest.approx(0.8)], [0, 0]]


def test_mean_pool_leaves_padding_out():
    hidden = np.array([[[2.0, 0.0], [4.0, 2.0], [99.0, 99.0]]])
    assert mean_pool(hidden, np.array([[1, 1, 0]])).tolist() == [[3.0, 1.0]]


# Questions asked before


def test_a_question_is_embedded_once_and_its_vector_is_the_same(embedder, monkeypatch):
    monkeypatch.setattr(embed, "MOST_QUESTIONS", 3)
    once, asked, real = embed.AskedOnce(embedder), [], embedder.embed_queries
    # Undone, setattr would leave the method on the model itself, which other tests share.
    monkeypatch.setitem(vars(embedder), "embed_queries", lambda queries: asked.extend(queries) or real(queries))
    for queries in (["a?", "b?"], ["b?", "c?", "b?"], ["c?", "a?"]):
        assert np.array_equal(once.embed_queries(queries), real(queries))
    assert asked == ["a?", "b?", "c?"]
    once.embed_queries(["d?", "e?"])
    once.embed_queries(["a?"])
    assert asked[3:] == ["d?", "e?", "a?"], "the oldest are forgotten"


# The bundled embedder


def test_embeddings_are_unit_rows_of_float32(embedder):
    vectors = embedder.embed_texts(TEXTS)
    assert (vectors.shape, vectors.dtype) == ((5, 384), np.float32)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(5), abs=1e-5)


def test_rows_follow_the_texts_whatever_their_order(embedder):
    assert np.array_equal(embedder.embed_texts(TEXTS), embedder.embed_texts(TEXTS[::-1])[::-1])


def test_a_text_is_embedded_alike_alone_and_among_others(embedder):
    alone = np.concatenate([embedder.embed_texts([text]) for text in TEXTS])
    assert embedder.embed_texts(TEXTS) == pytest.approx(alone, abs=1e-6)


def test_the_same_texts_give_the_same_bits(embedder):
    assert np.array_equal(embedder.embed_texts(TEXTS), embedder.embed_texts(TEXTS))


@pytest.mark.parametrize(
    ("query", "near", "far"),
    [
        ("财政收入增长了多少？", "一般公共预算收入增长8.2%，突破6000亿元", "新建和改造公园二十处，绿化面积不断扩大"),
        ("How much did revenue grow?", "Sales rose by 8.2 percent to 6 billion.", "The office cat sleeps on the sofa."),
        ("地铁新线什么时候开通？", "轨道交通十二号线五月开始运营", "全年粮食产量保持稳定"),
        ("How much did revenue grow?", "一般公共预算收入增长8.2%", "猫在沙发上睡觉"),
    ],
)
def test_the_answer_is_nearer_than_something_else(embedder, query, near, far):
    [question], [right, wrong] = embedder.embed_queries([query]), embedder.embed_texts([near, far])
    assert question @ right > question @ wrong


def test_questions_and_texts_carry_their_own_prefix(embedder):
    line = catalog.find(catalog.EMBEDDERS, "bilingual-embedder")
    bare = OnnxEmbedder(catalog.Line("bilingual-embedder", "onnx", ("zh",), 0, "MIT"))
    text = TEXTS[0]
    assert np.array_equal(embedder.embed_queries([text]), bare.embed_texts([line.query_prefix + text]))
    assert np.array_equal(embedder.embed_texts([text]), bare.embed_texts([line.text_prefix + text]))
    assert line.query_prefix != line.text_prefix


def test_progress_counts_up_to_the_number_of_texts(embedder):
    calls: list[tuple[int, int]] = []
    embedder.embed_texts(TEXTS * 16, lambda *counts: calls.append(counts))
    counts = [done for done, _ in calls]
    assert len(calls) > 1 and counts == sorted(set(counts)) and calls[-1] == (80, 80)


def test_work_stops_when_the_reader_goes_away(embedder):
    embedded: list[int] = []

    def counting(hidden, mask):
        embedded.append(1)
        return mean_pool(hidden, mask)

    def leave(done: int, count: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        embedder.model.run(["收入"] * 500, counting, leave)
    embedder.embed_texts(TEXTS)
    assert len(embedded) < 500


@pytest.mark.parametrize("text", ["", " ", "\n", "𠮷😀", "a" * 5000, "字" * 5000])
def test_odd_texts_are_embedded_too(embedder, text):
    assert np.isfinite(embedder.embed_texts([text])).all()


def test_the_default_path_never_imports_torch():
    program = """
import sys
from rag_core.models.embed import load_embedder
from rag_core.models.rerank import load_reranker
load_embedder("bilingual-embedder").embed_texts(["收入"])
load_reranker("bilingual-cross-encoder").score("收入？", ["收入"])
print(*{"torch", "transformers", "sentence_transformers", "openai"} & set(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.stdout.strip(), done.stderr) == ("", "")


@pytest.mark.parametrize("missing", ["tokenizer.json", "onnx/model.onnx"])
def test_a_bundled_model_with_a_file_missing_names_it(monkeypatch, tmp_path, missing):
    monkeypatch.setattr(catalog, "BUNDLED", tmp_path)
    for name in {"tokenizer.json", "onnx/model.onnx"} - {missing}:
        file = tmp_path / "bilingual-embedder" / name
        file.parent.mkdir(parents=True)
        file.write_text("{}")
    with pytest.raises(ModelUnusable, match=missing):
        load_embedder("bilingual-embedder")


def test_a_bundled_model_that_is_damaged_is_unusable(monkeypatch, tmp_path):
    monkeypatch.setattr(catalog, "BUNDLED", tmp_path)
    (tmp_path / "bilingual-embedder" / "onnx").mkdir(parents=True)
    for name in ("tokenizer.json", "onnx/model.onnx"):
        (tmp_path / "bilingual-embedder" / name).write_text("version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(ModelUnusable, match="bilingual-embedder"):
        load_embedder("bilingual-embedder")


# sentence-transformers


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> SentenceTransformerEmbedder:
    return load_embedder(tiny_models.bi_encoder(tmp_path_factory.mktemp("tiny")))


@pytest.mark.slow
@pytest.mark.torch
def test_the_tiny_model_knows_its_words(tiny):
    tokens = tiny.model.tokenizer.tokenize("Revenue grew by 8 percent. 预算收入增长")
    assert tokens == ["revenue", "grew", "by", "8", "percent", ".", *"预算收入增长"]


@pytest.mark.slow
@pytest.mark.torch
def test_sentence_transformers_gives_the_mean_of_the_tokens(tiny):
    import torch

    texts = ["revenue grew", "预算收入增长了多少"]
    with torch.no_grad():
        states = [tiny.model[0].model(**tiny.model.tokenizer(text, return_tensors="pt"))[0] for text in texts]
    expected = normalise(np.concatenate([state.mean(1).numpy() for state in states]))
    assert tiny.embed_texts(texts) == pytest.approx(expected, abs=1e-5)


@pytest.mark.slow
@pytest.mark.torch
def test_sentence_transformers_gives_unit_rows_and_counts(tiny):
    calls: list[tuple[int, int]] = []
    vectors = tiny.embed_texts(["收入"] * 70, lambda done, count: calls.append((done, count)))
    assert (vectors.shape, vectors.dtype) == ((70, 16), np.float32)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(70), abs=1e-5)
    assert calls == [(32, 70), (64, 70), (70, 70)]


@pytest.mark.slow
@pytest.mark.torch
def test_an_embedder_made_of_a_chat_model_reads_prefix_and_text_and_no_template(tmp_path):
    import torch
    from transformers import AutoModel, AutoTokenizer

    folder = tiny_models.causal_bi_encoder(tmp_path)
    embedder = SentenceTransformerEmbedder(catalog.Line(folder, catalog.ST, (), 0, "", query_prefix="judge relevance "))
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder, dtype=torch.float32)
    texts = ["what grew", "revenue grew by 8 percent . " * 5]
    with torch.no_grad():
        tokens = [tokenizer(f"judge relevance {text}", return_tensors="pt") for text in texts]
        last = [model.eval()(**one)[0][:, -1].numpy() for one in tokens]
    assert embedder.embed_queries(texts) == pytest.approx(normalise(np.concatenate(last)), abs=1e-5)
    assert embedder.model.dtype == torch.float32


@pytest.mark.slow
@pytest.mark.torch
def test_sentence_transformers_cuts_a_text_that_is_too_long(tiny):
    assert np.isfinite(tiny.embed_queries(["收入" * 2000])).all()


def test_an_embedder_says_how_far_it_reads(embedder):
    text = "图书馆每天上午九点开门。" * 100
    read = embedder.reads(text)
    assert 0 < read < len(text)
    assert np.array_equal(embedder.embed_texts([text]), embedder.embed_texts([text[:read] + "周一闭馆。" * 50]))
    assert embedder.reads("周一闭馆。") == 5
    assert embedder.count_tokens([text, "周一闭馆。"]) == [
        512,
        len(embedder.model.tokenizer.encode("passage: 周一闭馆。")),
    ]


@pytest.mark.slow
@pytest.mark.torch
def test_a_tiny_embedder_says_how_far_it_reads(tiny):
    text = "revenue grew by 8 percent . " * 30
    assert 0 < tiny.reads(text) < len(text)
    assert tiny.reads("revenue grew .") == 14
    assert tiny.count_tokens(["revenue grew .", text]) == [5, 64]


def test_nonsense_is_unknown():
    with pytest.raises(UnknownModel, match="nonsense"):
        load_embedder("nonsense")


# OpenAI

KEY = "sk-very-secret-0123456789"
MODEL = "text-embedding-3-small"


def openai_embedder(server: LLMServer):
    return load_embedder(MODEL, LLMSettings(KEY, server.base_url))


def numbered(request: dict) -> Reply:
    """Give each text the direction that its number names, in reverse order."""
    texts = list(enumerate(request["input"]))
    return embeddings({index: [float(text), 1.0] for index, text in reversed(texts)})


def test_openai_is_sent_model_texts_and_key():
    with LLMServer(embeddings({0: [3, 4]})) as server:
        assert openai_embedder(server).embed_queries(["收入？"]) == pytest.approx(np.array([[0.6, 0.8]]))
    [request] = server.requests
    assert (request["path"], request["authorization"]) == ("/v1/embeddings", f"Bearer {KEY}")
    assert request["body"] == {"model": MODEL, "input": ["收入？"], "encoding_format": "float"}


def test_openai_rows_are_put_in_the_order_of_the_texts():
    with LLMServer(embeddings({2: [0, -1], 0: [1, 0], 1: [0, 1]})) as server:
        assert openai_embedder(server).embed_texts(["a", "b", "c"]).tolist() == [[1, 0], [0, 1], [0, -1]]


def test_openai_cuts_nothing_itself():
    with LLMServer(numbered) as server:
        assert openai_embedder(server).reads("x" * 100_000) == 100_000


def test_openai_is_asked_in_batches():
    texts, calls = [str(number) for number in range(230)], []
    with LLMServer(numbered) as server:
        vectors = openai_embedder(server).embed_texts(texts, lambda *counts: calls.append(counts))
    assert [len(request["body"]["input"]) for request in server.requests] == [100, 100, 30]
    assert vectors == pytest.approx(normalise([[number, 1.0] for number in range(230)]))
    assert calls == [(100, 230), (200, 230), (230, 230)]


@pytest.mark.parametrize(
    "vectors",
    [
        {0: [1, 0]},
        {0: [1, 0], 1: [0, 1], 2: [1, 1]},
        {0: None, 1: None},
        {0: [1, 0], 1: None},
        {0: [1, 0], 1: [1, 0, 0]},
        {0: [1, 0], 1: [float("nan"), 1]},
        {0: "AACAPwAAAAA=", 1: "AACAPwAAAAA="},
        {0: [], 1: []},
        {},
    ],
    ids=["too few", "too many", "no field", "one field less", "two widths", "NaN", "text", "empty vectors", "none"],
)
def test_openai_answers_that_are_not_one_vector_a_text_are_refused(vectors):
    with LLMServer(embeddings(vectors)) as server, pytest.raises((ModelUnusable, ServerBadAnswer)):
        openai_embedder(server).embed_texts(["a", "b"])


@pytest.mark.parametrize("body", ["{}", '{"data": null}', '{"data": [{}, {}]}', "not json"])
def test_openai_answers_without_embeddings_are_bad_answers(body):
    with LLMServer(Reply(body)) as server, pytest.raises(ServerBadAnswer):
        openai_embedder(server).embed_texts(["a", "b"])


def test_an_error_with_status_200_is_said_in_the_servers_words():
    body = json.dumps({"code": 20012, "message": "模型不存在", "data": None})
    with LLMServer(Reply(body)) as server, pytest.raises(ServerBadAnswer) as caught:
        openai_embedder(server).embed_texts(["a"])
    assert caught.value.values["reason"] == "模型不存在"


def test_openai_refuses_a_wrong_key():
    with LLMServer(refusal(401, "Incorrect API key provided")) as server, pytest.raises(ServerKey):
        openai_embedder(server).embed_queries(["a"])


def test_openai_says_why_it_refuses():
    with LLMServer(refusal(400, "input too long")) as server, pytest.raises(ServerRefused, match="input too long"):
        openai_embedder(server).embed_queries(["a"])


def test_openai_without_a_key_asks_for_one(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ServerKeyMissing):
        load_embedder("text-embedding-3-small")


@pytest.mark.parametrize("places", [[0, 0], [1, 2], [0, 2], [-1, 0]])
def test_openai_indexes_that_are_not_one_a_text_are_refused(places):
    rows = [{"object": "embedding", "index": place, "embedding": [1, 0]} for place in places]
    body = json.dumps({"object": "list", "model": "m", "data": rows})
    with LLMServer(Reply(body)) as server, pytest.raises(ModelUnusable):
        openai_embedder(server).embed_texts(["a", "b"])


# A server of one's own


def served(server: LLMServer, model: str = "own/model", **settings: object):
    how = LLMSettings(**{"key": "", "model": model, **settings}, base_url=server.base_url)
    return load_embedder("embedding-server", how)


def taking(most: int, status: int, said: dict):
    """Serve embeddings of the texts' lengths to requests of at most so many texts."""

    def reply(request: dict) -> Reply:
        texts = request["input"]
        if len(texts) > most:
            return Reply(json.dumps(said), status=status)
        return embeddings({index: [float(len(text)), 1.0] for index, text in enumerate(texts)})

    return LLMServer(reply)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (413, {"message": "batch size 32 > maximum allowed batch size 10", "code": 413, "type": "validation"}),
        (422, {"detail": [{"type": "too_long", "msg": "List should have at most 10 items after validation"}]}),
        (400, {"error": {"message": "batch size is invalid, it should not be larger than 10", "code": "x"}}),
    ],
)
def test_a_server_that_takes_fewer_texts_is_asked_with_half_as_many(status, said):
    texts, counts = ["x" * number for number in range(40)], []
    with taking(10, status, said) as server:
        vectors = served(server).embed_texts(texts, lambda *count: counts.append(count))
    assert [len(request["body"]["input"]) for request in server.requests] == [32, 16, *[8] * 5]
    assert vectors == pytest.approx(normalise([[number, 1.0] for number in range(40)]))
    assert counts[-1] == (40, 40)


def test_a_server_that_refuses_for_another_reason_is_asked_once():
    with LLMServer(refusal(422, "input is not a string")) as server, pytest.raises(ServerRefused):
        served(server).embed_texts(["a", "b"])
    assert len(server.requests) == 1


def test_a_server_needs_no_key_and_is_told_which_model():
    with taking(100, 400, {}) as server:
        embedder = served(server)
        embedder.embed_queries(["收入？"])
    assert server.requests[0]["body"] == {"model": "own/model", "input": ["收入？"], "encoding_format": "float"}
    assert embedder.id == f"own/model@{server.base_url}"


def test_a_model_of_the_catalogue_gets_its_prefixes_from_here():
    with taking(100, 400, {}) as server:
        embedder = served(server, "bilingual-embedder")
        embedder.embed_queries(["收入？"])
        embedder.embed_texts(["增长"])
    assert [request["body"]["input"] for request in server.requests] == [["query: 收入？"], ["passage: 增长"]]


def test_a_server_that_changes_its_dimension_is_noticed():
    replies = iter([embeddings({0: [1, 0]}), embeddings({0: [1, 0, 0]})])
    with LLMServer(lambda _: next(replies)) as server:
        embedder = served(server)
        embedder.embed_texts(["a"])
        with pytest.raises(ModelUnusable, match="2 numbers"):
            embedder.embed_queries(["a"])


def test_the_environment_names_the_server(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with taking(100, 400, {}) as server:
        for name, value in {"URL": server.base_url, "MODEL": "own", "KEY": KEY}.items():
            monkeypatch.setenv(f"RERANK_LAB_EMBED_{name}", value)
        load_embedder("embedding-server").embed_queries(["a"])
    assert (server.requests[0]["authorization"], server.requests[0]["body"]["model"]) == (f"Bearer {KEY}", "own")


def test_without_a_server_there_is_none(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ServerMissing) as found:
        load_embedder("embedding-server")
    expected = {"service": "embedder", "model": "embedding-server", "setting": "RERANK_LAB_EMBED_URL"}
    assert found.value.values == expected


def test_a_redirect_is_not_followed():
    with LLMServer(numbered) as other:
        moved = LLMServer(Reply("", status=307, headers={"Location": other.base_url + "/embeddings"}))
        with moved, pytest.raises(ServerMoved):
            served(moved).embed_queries(["a"])
    assert other.requests == []


def test_a_visitors_server_may_not_stand_in_the_hosts_network():
    with taking(100, 400, {}) as server, pytest.raises(ServerInternal):
        served(server, guarded=True)
