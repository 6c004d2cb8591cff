"""A loopback server that reranks in the form of Cohere, Jina, Voyage, TEI, vLLM or Infinity, or answers as told."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from llm_server import LLMServer, Reply

Score = Callable[[str, str], float]
"""A question and a text give a score."""


def answer(form: str, texts: Sequence[str], scores: Sequence[float]) -> Any:
    """Answer as such a server does, the best text first."""
    ranked = sorted(range(len(texts)), key=lambda i: -scores[i])
    if form == "tei":
        return [{"index": i, "score": scores[i]} for i in ranked]
    results = [{"index": i, "relevance_score": scores[i]} for i in ranked]
    if form == "vllm":
        results = [{**row, "document": {"text": texts[row["index"]], "multi_modal": None}} for row in results]
    return {
        "cohere": {"id": "1", "results": results, "meta": {"api_version": {"version": "2"}}},
        "jina": {"model": "m", "object": "list", "usage": {"total_tokens": 1}, "results": results},
        "voyage": {"object": "list", "data": results, "model": "m", "usage": {"total_tokens": 1}},
        "vllm": {"id": "rerank-1", "model": "m", "usage": {"total_tokens": 1}, "results": results},
        "infinity": {"object": "rerank", "model": "m", "usage": {"total_tokens": 1}, "id": "1", "results": results},
    }[form]


def refusal(form: str, asked: dict[str, Any]) -> str | None:
    """Return what such a server finds wrong with a request, or None: each insists on its own names."""
    must = {
        "cohere": {"model", "query", "documents"},
        "jina": {"model", "query", "documents", "return_documents"},
        "voyage": {"model", "query", "documents", "return_documents", "truncation"},
        "tei": {"query", "texts", "raw_scores", "truncate"},
        "vllm": {"query", "documents", "truncate_prompt_tokens"},
        "infinity": {"query", "documents", "raw_scores", "return_documents"},
    }[form]
    may = must | {"model"}
    return None if must <= set(asked) <= may else f"{sorted(asked)} is not {sorted(must)}"


def reranking(form: str, score: Score, most: int = 1000) -> LLMServer:
    """Serve a form; more than ``most`` texts are refused as TEI refuses them."""

    def reply(asked: dict[str, Any]) -> Reply:
        wrong = refusal(form, asked)
        if wrong:
            return Reply(json.dumps({"message": wrong}), status=400)
        texts = asked["texts" if form == "tei" else "documents"]
        if len(texts) > most:
            said = f"batch size {len(texts)} > maximum allowed batch size {most}"
            return Reply(json.dumps({"error": said, "error_type": "Validation"}), status=413)
        return Reply(json.dumps(answer(form, texts, [score(asked["query"], text) for text in texts])))

    return LLMServer(reply)


def saying(body: Any, **reply: Any) -> LLMServer:
    """Serve one answer to everything; what is no string goes out as JSON."""
    return LLMServer(Reply(body if isinstance(body, str) else json.dumps(body), **reply))
