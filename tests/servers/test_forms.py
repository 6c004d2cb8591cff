"""What each form takes, answers and says when it refuses, without a server."""

from __future__ import annotations

import base64
import math

import numpy as np
import pytest
from pydantic import ValidationError

from deploy import forms
from deploy.forms import Embedded, EmbeddingsRequest, Ranked, RerankRequest

TEXTS = ["a", "b", "c"]
LOGITS = [0.0, 2.0, -800.0]
VECTORS = [[0.6, 0.8], [1.0, 0.0]]
RERANK = {"query": "q", "documents": TEXTS}
OWN = {"id", "created"}
"""What differs from answer to answer."""


def ranked(path: str, **asked):
    asked = {"query": "q", "documents": TEXTS, **asked}
    answer = forms.of(path, asked).answer(Ranked(RerankRequest.model_validate(asked), "m", LOGITS, 12))
    return {name: value for name, value in answer.items() if name not in OWN} if isinstance(answer, dict) else answer


def embedded(path: str, **asked):
    asked = EmbeddingsRequest.model_validate({"input": ["a", "b"], **asked})
    answer = forms.of(path, {}).answer(Embedded(asked, "m", VECTORS, 4))
    return {name: value for name, value in answer.items() if name not in OWN} if isinstance(answer, dict) else answer


def refused(path: str, body) -> str:
    with pytest.raises(ValidationError) as found:
        forms.of(path, body).asked.model_validate(body)
    return forms.sentence(found.value)


USAGE = {"prompt_tokens": 12, "total_tokens": 12}
BEST = {"index": 1, "relevance_score": 1 / (1 + math.exp(-2))}


def test_infinity_gives_a_document_as_it_is():
    assert ranked("/rerank", top_n=1, return_documents=True) == {
        "object": "rerank",
        "model": "m",
        "usage": USAGE,
        "results": [BEST | {"document": "b"}],
    }


def test_jina_and_coheres_first_version_wrap_a_document():
    assert ranked("/v1/rerank", top_n=1, return_documents=True) == {
        "object": "list",
        "model": "m",
        "usage": USAGE,
        "results": [BEST | {"document": {"text": "b"}}],
        "meta": {"api_version": {"version": "1"}, "tokens": {"input_tokens": 12}},
    }


def test_cohere_says_the_tokens_in_meta():
    assert ranked("/v2/rerank", top_n=1) == {
        "results": [BEST],
        "meta": {"api_version": {"version": "2"}, "tokens": {"input_tokens": 12}},
    }


def test_tei_answers_with_the_list_itself():
    asked = {"query": "q", "texts": TEXTS, "raw_scores": True, "return_text": True}
    found = Ranked(RerankRequest.model_validate(asked), "m", LOGITS, 12)
    assert forms.of("/rerank", asked).answer(found) == [
        {"index": 1, "score": 2.0, "text": "b"},
        {"index": 0, "score": 0.0, "text": "a"},
        {"index": 2, "score": -800.0, "text": "c"},
    ]


def test_a_relevance_is_between_0_and_1_and_a_logit_as_it_is():
    rows = ranked("/rerank")["results"]
    assert [row["index"] for row in rows] == [1, 0, 2]
    assert [row["relevance_score"] for row in rows] == [BEST["relevance_score"], 0.5, 0.0]
    assert [row["relevance_score"] for row in ranked("/rerank", raw_scores=True)["results"]] == [2, 0, -800.0]


@pytest.mark.parametrize("path", ["/embeddings", "/v1/embeddings"])
def test_embeddings_have_the_form_of_openai(path):
    assert embedded(path) == {
        "object": "list",
        "model": "m",
        "usage": {"prompt_tokens": 4, "total_tokens": 4},
        "data": [
            {"object": "embedding", "index": 0, "embedding": [0.6, 0.8]},
            {"object": "embedding", "index": 1, "embedding": [1.0, 0.0]},
        ],
    }


def test_base64_holds_the_same_numbers():
    rows = embedded("/v1/embeddings", encoding_format="base64")["data"]
    read = [np.frombuffer(base64.b64decode(row["embedding"]), "<f4") for row in rows]
    assert np.array_equal(read, np.array(VECTORS, np.float32))


def test_tei_embeds_into_the_list_itself():
    assert embedded("/embed") == VECTORS


def test_one_text_is_a_list_of_one_under_either_name():
    assert EmbeddingsRequest.model_validate({"input": "a"}).input == ["a"]
    assert EmbeddingsRequest.model_validate({"inputs": ["a"]}).input == ["a"]


def test_documents_may_be_wrapped():
    assert RerankRequest.model_validate({"query": "q", "documents": ["a", {"text": "b"}]}).documents == ["a", "b"]


def test_infinitys_0_dimensions_are_none_asked_for():
    assert EmbeddingsRequest.model_validate({"input": "a", "dimensions": 0}).dimensions == 0


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("/rerank", None, "Input should be a valid dictionary or instance of RerankRequest"),
        ("/rerank", {}, "query: Field required"),
        ("/rerank", RERANK | {"documents": []}, "documents: List should have at least 1 item"),
        ("/rerank", RERANK | {"documents": ["a"] * 1001}, "documents: List should have at most 1000 items"),
        ("/rerank", RERANK | {"documents": [{"title": "a"}]}, "documents.0: Input should be a valid string"),
        ("/rerank", {"query": "q", "texts": [1]}, "texts.0: Input should be a valid string"),
        ("/v1/embeddings", {"input": "a", "dimensions": 64}, "dimensions: an embedding is given in its own length"),
        ("/v1/embeddings", {"input": [[1, 2]]}, "input: tokens of another model say nothing here: send the text"),
        ("/v1/embeddings", {"input": [1, 2]}, "input: tokens of another model say nothing here: send the text"),
        ("/embeddings", {"input": "a", "modality": "image"}, "modality: Input should be 'text'"),
        ("/embed", {"inputs": []}, "inputs: List should have at least 1 item"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(path, body, said):
    assert refused(path, body).startswith(said)


def test_each_form_says_its_errors_in_its_own_shape():
    assert forms.RERANK["/v2/rerank"].error(401, "no").items() >= {"message": "no"}.items()
    assert forms.of("/rerank", {"texts": []}).error(422, "no") == {"error": "no", "error_type": "Validation"}
    assert forms.EMBEDDINGS["/embed"].error(500, "no") == {"error": "no", "error_type": "Backend"}
    openai = {"message": "no", "type": "invalid_request_error", "param": None, "code": 404}
    for path in ("/rerank", "/v1/rerank", "/embeddings", "/v1/embeddings", "/nowhere"):
        assert forms.error(path)(404, "no") == {"error": openai, "message": "no", "detail": "no"}


def test_infinitys_client_is_given_the_list_that_it_reads():
    said = forms.error("/rerank")(422, "no")
    assert said["detail"] == [{"loc": ["body"], "msg": "no", "type": "invalid_request_error"}]


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000])
def test_what_is_no_json_is_nothing(body):
    assert forms.loaded(body) is None
