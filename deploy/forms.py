"""How servers that others wrote are asked to rerank and to embed, and how they answer, a line for each path.

What a request may name beyond this is passed over, as those servers do, where it changes no number.
"""

import base64
import json
import math
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import AfterValidator, AliasChoices, BaseModel, BeforeValidator, Field, ValidationError
from pydantic_core import PydanticCustomError

MOST_TEXTS = 1000
UNNAMED = ("", "default/not-specified")
"""What clients say that name no model; the second is Infinity's."""
TOKENS = "tokens of another model say nothing here: send the text (LangChain: check_embedding_ctx_length=False)"
DIMENSIONS = "an embedding is given in its own length alone, and never cut: leave dimensions out"


def without_wrapping(document: Any) -> Any:
    """Return the text of a document as Cohere and Jina also take it, ``{"text": …}``."""
    return document.get("text") if isinstance(document, dict) else document


def as_list(texts: Any) -> Any:
    if isinstance(texts, list) and texts and isinstance(texts[0], int | list):
        raise PydanticCustomError("tokens", TOKENS)
    return [texts] if isinstance(texts, str) else texts


def own_length(dimensions: int | None) -> int | None:
    # Infinity's client says 0 where it wants none.
    if dimensions:
        raise PydanticCustomError("dimensions", DIMENSIONS)
    return dimensions


Text = Annotated[str, Field(max_length=100_000)]
Texts = Annotated[list[Text], Field(min_length=1, max_length=MOST_TEXTS)]
Documents = Annotated[
    list[Annotated[Text, BeforeValidator(without_wrapping)]], Field(min_length=1, max_length=MOST_TEXTS)
]


class RerankRequest(BaseModel):
    query: Text
    documents: Documents = Field(validation_alias=AliasChoices("documents", "texts"))
    model: str = ""
    raw_scores: bool = False
    return_documents: bool = Field(False, validation_alias=AliasChoices("return_documents", "return_text"))
    top_n: int | None = Field(default=None, gt=0)


class EmbeddingsRequest(BaseModel):
    input: Annotated[Texts, BeforeValidator(as_list)] = Field(validation_alias=AliasChoices("input", "inputs"))
    model: str = ""
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: Annotated[int | None, AfterValidator(own_length)] = None
    modality: Literal["text"] = "text"


@dataclass(frozen=True, slots=True)
class Ranked:
    """What was asked, and the logits of its documents, for which so many tokens were read."""

    asked: RerankRequest
    model: str
    logits: Sequence[float]
    tokens: int

    def rows(
        self, document: Callable[[str], Any], score: str = "relevance_score", text: str = "document"
    ) -> list[dict]:
        """Return the best documents first, under a form's names; ``document`` is what it makes of a text."""
        scores = self.logits if self.asked.raw_scores else [sigmoid(logit) for logit in self.logits]
        ranked = sorted(range(len(scores)), key=lambda index: -scores[index])[: self.asked.top_n]
        rows = [{"index": index, score: scores[index]} for index in ranked]
        if self.asked.return_documents:
            rows = [{**row, text: document(self.asked.documents[row["index"]])} for row in rows]
        return rows


@dataclass(frozen=True, slots=True)
class Embedded:
    """What was asked, and the vectors of its texts, for which so many tokens were read."""

    asked: EmbeddingsRequest
    model: str
    vectors: Sequence[Sequence[float]]
    tokens: int


def sigmoid(logit: float) -> float:
    return math.exp(min(logit, 0)) / (1 + math.exp(-abs(logit)))


def in_base64(vector: Sequence[float]) -> str:
    return base64.b64encode(np.asarray(vector, "<f4").tobytes()).decode()


# Answers


def head(found: Ranked | Embedded) -> dict:
    usage = {"prompt_tokens": found.tokens, "total_tokens": found.tokens}
    return {"id": str(uuid.uuid4()), "created": int(time.time()), "model": found.model, "usage": usage}


def meta(found: Ranked, version: str) -> dict:
    return {"api_version": {"version": version}, "tokens": {"input_tokens": found.tokens}}


def infinity(found: Ranked) -> dict:
    return {"object": "rerank", **head(found), "results": found.rows(str)}


def jina(found: Ranked) -> dict:
    """Answer with what Jina's clients read, those of Cohere's first version, and vLLM's."""
    return {"object": "list", **head(found), "results": found.rows(wrapped), "meta": meta(found, "1")}


def cohere(found: Ranked) -> dict:
    return {"id": str(uuid.uuid4()), "results": found.rows(wrapped), "meta": meta(found, "2")}


def tei(found: Ranked) -> list:
    return found.rows(str, score="score", text="text")


def wrapped(text: str) -> dict:
    return {"text": text}


def openai(found: Embedded) -> dict:
    vectors = map(in_base64, found.vectors) if found.asked.encoding_format == "base64" else found.vectors
    rows = [{"object": "embedding", "index": index, "embedding": vector} for index, vector in enumerate(vectors)]
    return {"object": "list", **head(found), "data": rows}


def tei_vectors(found: Embedded) -> Sequence:
    return found.vectors


# Errors


def openai_error(status: int, said: str) -> dict:
    """Answer with OpenAI's object, and beside it ``message`` and ``detail``, where other clients of the path look."""
    kind = "server_error" if status >= 500 else "invalid_request_error"
    # Infinity's client reads a list where a request is not of the form, and nowhere else.
    detail = [{"loc": ["body"], "msg": said, "type": kind}] if status == 422 else said
    return {"error": {"message": said, "type": kind, "param": None, "code": status}, "message": said, "detail": detail}


def cohere_error(_status: int, said: str) -> dict:
    return {"id": str(uuid.uuid4()), "message": said}


def tei_error(status: int, said: str) -> dict:
    return {"error": said, "error_type": "Backend" if status >= 500 else "Validation"}


# Forms


@dataclass(frozen=True, slots=True)
class Form:
    """How a path is asked, how it answers, and how it refuses, with a status and a sentence."""

    asked: type[BaseModel]
    answer: Callable[[Any], Any]
    error: Callable[[int, str], dict]


RERANK = {
    "/rerank": Form(RerankRequest, infinity, openai_error),
    "/v1/rerank": Form(RerankRequest, jina, openai_error),
    "/v2/rerank": Form(RerankRequest, cohere, cohere_error),
}
EMBEDDINGS = {
    "/embeddings": Form(EmbeddingsRequest, openai, openai_error),
    "/v1/embeddings": Form(EmbeddingsRequest, openai, openai_error),
    "/embed": Form(EmbeddingsRequest, tei_vectors, tei_error),
}
FORMS = RERANK | EMBEDDINGS
TEI_RERANK = Form(RerankRequest, tei, tei_error)


def of(path: str, body: Any) -> Form:
    """Return the form of a request: TEI shares its path with Infinity, and names the texts otherwise."""
    return TEI_RERANK if path == "/rerank" and isinstance(body, dict) and "texts" in body else FORMS[path]


def error(path: str) -> Callable[[int, str], dict]:
    """Return how a request is refused that was not read."""
    return FORMS[path].error if path in FORMS else openai_error


def loaded(body: bytes) -> Any:
    """Return what a body holds; None where that is no JSON, which is of no form."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def sentence(refused: ValidationError) -> str:
    """Return what is wrong with a request first, and where."""
    first = refused.errors(include_url=False)[0]
    return ": ".join(filter(None, [".".join(map(str, first["loc"])), first["msg"]]))
