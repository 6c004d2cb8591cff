"""Call a server with the clients that others wrote, in an environment that has them: ``call_clients.py NAME …``.

Standard input holds the address, key, models, question and texts as JSON; what each client gave, or the error that it
raised, goes to standard output. Scores stand in the order of the texts.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from typing import Any

ASKED: dict[str, Any] = {}
COUNTS_BY_ITSELF = ("huggingface",)
"""TEI's answer has no place for tokens, so litellm guesses them."""


def in_order(rows: Sequence[Any]) -> list[float]:
    """Return the scores of rows, dicts or objects, by their index."""
    read = [(row if isinstance(row, dict) else vars(row)) for row in rows]
    scores = {row["index"]: row["relevance_score"] for row in read}
    return [scores[index] for index in range(len(scores))]


def v1() -> str:
    return ASKED["address"] + "/v1"


def openai_embeddings() -> dict[str, Any]:
    """The client asks for base64 when it is told nothing."""
    import openai

    client = openai.OpenAI(base_url=v1(), api_key=ASKED["key"], max_retries=0)
    reply = client.embeddings.create(model=ASKED["embedder"], input=ASKED["texts"])
    return {"vectors": [row.embedding for row in reply.data], "tokens": reply.usage.total_tokens}


def openai_floats() -> dict[str, Any]:
    import openai

    client = openai.OpenAI(base_url=v1(), api_key=ASKED["key"], max_retries=0)
    reply = client.embeddings.create(model=ASKED["embedder"], input=ASKED["texts"], encoding_format="float")
    return {"vectors": [row.embedding for row in reply.data], "tokens": reply.usage.prompt_tokens}


def openai_models() -> dict[str, Any]:
    import openai

    client = openai.OpenAI(base_url=v1(), api_key=ASKED["key"], max_retries=0)
    return {"models": [model.id for model in client.models.list()]}


def openai_error() -> dict[str, Any]:
    import openai

    client = openai.OpenAI(base_url=v1(), api_key=ASKED["key"], max_retries=0)
    try:
        client.embeddings.create(model=ASKED["embedder"], input=["a"], dimensions=64)
    except openai.APIStatusError as error:
        return {"status": error.status_code, "said": error.body["message"]}
    return {}


def cohere_v1() -> dict[str, Any]:
    import cohere

    client = cohere.Client(ASKED["key"], base_url=ASKED["address"])
    reply = client.rerank(
        model=ASKED["reranker"], query=ASKED["query"], documents=ASKED["texts"], return_documents=True
    )
    texts = {row.index: row.document.text for row in reply.results}
    found = {"scores": in_order(reply.results), "texts": [texts[index] for index in sorted(texts)]}
    return {**found, "id": reply.id, "tokens": reply.meta.tokens.input_tokens}


def cohere_v2() -> dict[str, Any]:
    import cohere

    client = cohere.ClientV2(ASKED["key"], base_url=ASKED["address"])
    reply = client.rerank(model=ASKED["reranker"], query=ASKED["query"], documents=ASKED["texts"])
    return {"scores": in_order(reply.results), "id": reply.id, "tokens": reply.meta.tokens.input_tokens}


def cohere_error() -> dict[str, Any]:
    import cohere
    from cohere.core.api_error import ApiError

    client = cohere.ClientV2("another", base_url=ASKED["address"])
    try:
        client.rerank(model=ASKED["reranker"], query=ASKED["query"], documents=ASKED["texts"])
    except ApiError as error:
        return {"status": error.status_code, "said": error.body["message"]}
    return {}


def litellm_embeddings(provider: str, path: str, **options: Any) -> Callable[[], dict[str, Any]]:
    def call() -> dict[str, Any]:
        import litellm

        reply = litellm.embedding(
            model=f"{provider}/{ASKED['embedder']}",
            input=ASKED["texts"],
            api_base=ASKED["address"] + path,
            api_key=ASKED["key"],
            **options,
        )
        found = {"vectors": [row["embedding"] for row in reply.data]}
        return found if provider in COUNTS_BY_ITSELF else found | {"tokens": reply.usage.total_tokens}

    return call


def litellm_rerank(provider: str, path: str) -> Callable[[], dict[str, Any]]:
    """The client asks for the documents as well when it is told nothing."""

    def call() -> dict[str, Any]:
        import litellm

        reply = litellm.rerank(
            model=f"{provider}/{ASKED['reranker']}",
            query=ASKED["query"],
            documents=ASKED["texts"],
            api_base=ASKED["address"] + path,
            api_key=ASKED["key"],
        )
        texts = {row["index"]: row["document"]["text"] for row in reply.results}
        found = {"scores": in_order(reply.results), "texts": [texts[index] for index in sorted(texts)]}
        if provider in COUNTS_BY_ITSELF:
            return found
        return found | {
            "tokens": reply.meta["tokens"].get("input_tokens") or reply.meta["billed_units"]["total_tokens"]
        }

    return call


def langchain_openai() -> dict[str, Any]:
    """Told nothing, it sends the tokens of another model instead of the text."""
    from langchain_openai import OpenAIEmbeddings

    embeddings = OpenAIEmbeddings(
        model=ASKED["embedder"], base_url=v1(), api_key=ASKED["key"], check_embedding_ctx_length=False
    )
    return {"vectors": embeddings.embed_documents(ASKED["texts"])}


def langchain_cohere() -> dict[str, Any]:
    from langchain_cohere import CohereRerank

    reranker = CohereRerank(base_url=ASKED["address"], cohere_api_key=ASKED["key"], model=ASKED["reranker"], top_n=None)
    return {"scores": in_order(reranker.rerank(ASKED["texts"], ASKED["query"], top_n=None))}


def langchain_infinity_rerank() -> dict[str, Any]:
    from infinity_client import Client
    from langchain_community.document_compressors import InfinityRerank

    client = Client(base_url=ASKED["address"], headers={"Authorization": f"Bearer {ASKED['key']}"})
    reranker = InfinityRerank(client=client, model=ASKED["reranker"])
    return {"scores": in_order(reranker.rerank(ASKED["texts"], ASKED["query"], top_n=None))}


def infinity_rerank() -> dict[str, Any]:
    from infinity_client import AuthenticatedClient
    from infinity_client.api.default import rerank
    from infinity_client.models import RerankInput

    client = AuthenticatedClient(base_url=ASKED["address"], token=ASKED["key"], raise_on_unexpected_status=True)
    asked = RerankInput(ASKED["query"], ASKED["texts"], return_documents=True)
    reply = rerank.sync(client=client, body=asked)
    texts = {row.index: row.document for row in reply.results}
    rows = [{"index": row.index, "relevance_score": row.relevance_score} for row in reply.results]
    found = {"scores": in_order(rows), "texts": [texts[index] for index in sorted(texts)]}
    return {**found, "tokens": reply.usage.total_tokens, "id": reply.id}


def infinity_embeddings() -> dict[str, Any]:
    from infinity_client import AuthenticatedClient
    from infinity_client.api.default import embeddings
    from infinity_client.models import OpenAIEmbeddingInputText

    client = AuthenticatedClient(base_url=ASKED["address"], token=ASKED["key"], raise_on_unexpected_status=True)
    reply = embeddings.sync(client=client, body=OpenAIEmbeddingInputText(ASKED["texts"], ASKED["embedder"]))
    return {"vectors": [row.embedding for row in reply.data], "tokens": reply.usage.total_tokens}


def infinity_error() -> dict[str, Any]:
    from infinity_client import AuthenticatedClient
    from infinity_client.api.default import rerank
    from infinity_client.models import RerankInput

    client = AuthenticatedClient(base_url=ASKED["address"], token=ASKED["key"])
    reply = rerank.sync_detailed(client=client, body=RerankInput(ASKED["query"], []))
    return {"status": reply.status_code, "said": reply.parsed.detail[0].msg}


def llama_nodes() -> list[Any]:
    from llama_index.core.schema import NodeWithScore, TextNode

    return [NodeWithScore(node=TextNode(text=text, id_=str(place))) for place, text in enumerate(ASKED["texts"])]


def llama_scores(postprocessor: Any) -> dict[str, Any]:
    nodes = postprocessor.postprocess_nodes(llama_nodes(), query_str=ASKED["query"])
    return {"scores": in_order([{"index": int(node.node.id_), "relevance_score": node.score} for node in nodes])}


def llama_cohere() -> dict[str, Any]:
    from llama_index.postprocessor.cohere_rerank import CohereRerank

    top_n = len(ASKED["texts"])
    where = {"base_url": ASKED["address"], "api_key": ASKED["key"]}
    return llama_scores(CohereRerank(top_n=top_n, model=ASKED["reranker"], max_retries=1, **where))


def llama_jina() -> dict[str, Any]:
    from llama_index.postprocessor.jinaai_rerank import JinaRerank

    top_n = len(ASKED["texts"])
    return llama_scores(JinaRerank(top_n=top_n, model=ASKED["reranker"], base_url=v1(), api_key=ASKED["key"]))


def llama_tei() -> dict[str, Any]:
    from llama_index.postprocessor.tei_rerank import TextEmbeddingInference

    top_n, token = len(ASKED["texts"]), f"Bearer {ASKED['key']}"
    return llama_scores(TextEmbeddingInference(top_n=top_n, base_url=ASKED["address"], auth_token=token))


def llama_tei_embeddings() -> dict[str, Any]:
    from llama_index.embeddings.text_embeddings_inference import TextEmbeddingsInference

    where = {"base_url": ASKED["address"], "auth_token": ASKED["key"]}
    embeddings = TextEmbeddingsInference(model_name=ASKED["embedder"], text_instruction="", **where)
    return {"vectors": embeddings.get_text_embedding_batch(ASKED["texts"])}


def llama_openai_like() -> dict[str, Any]:
    from llama_index.embeddings.openai_like import OpenAILikeEmbedding

    embeddings = OpenAILikeEmbedding(model_name=ASKED["embedder"], api_base=v1(), api_key=ASKED["key"], max_retries=0)
    return {"vectors": embeddings.get_text_embedding_batch(ASKED["texts"])}


def rerankers_api(provider: str, path: str) -> Callable[[], dict[str, Any]]:
    def call() -> dict[str, Any]:
        from rerankers.models.api_rankers import APIRanker

        ranker = APIRanker(ASKED["reranker"], ASKED["key"], provider, url=ASKED["address"] + path)
        found = ranker.rank(ASKED["query"], ASKED["texts"]).results
        return {"scores": in_order([{"index": row.doc_id, "relevance_score": row.score} for row in found])}

    return call


CLIENTS: dict[str, Callable[[], dict[str, Any]]] = {
    "openai": openai_embeddings,
    "openai, float": openai_floats,
    "openai, models": openai_models,
    "openai, an error": openai_error,
    "cohere.Client": cohere_v1,
    "cohere.ClientV2": cohere_v2,
    "cohere, an error": cohere_error,
    "litellm openai/": litellm_embeddings("openai", "/v1"),
    "litellm infinity/ embeddings": litellm_embeddings("infinity", ""),
    "litellm hosted_vllm/ embeddings": litellm_embeddings("hosted_vllm", "/v1"),
    "litellm jina_ai/ embeddings": litellm_embeddings("jina_ai", "/v1"),
    "litellm huggingface/ embeddings": litellm_embeddings("huggingface", "/embed", input_type="feature-extraction"),
    "litellm cohere/": litellm_rerank("cohere", ""),
    "litellm jina_ai/": litellm_rerank("jina_ai", ""),
    "litellm infinity/": litellm_rerank("infinity", ""),
    "litellm hosted_vllm/": litellm_rerank("hosted_vllm", "/v1"),
    "litellm huggingface/": litellm_rerank("huggingface", ""),
    "langchain-openai": langchain_openai,
    "langchain-cohere": langchain_cohere,
    "llama-index CohereRerank": llama_cohere,
    "llama-index JinaRerank": llama_jina,
    "llama-index TextEmbeddingInference": llama_tei,
    "llama-index TextEmbeddingsInference": llama_tei_embeddings,
    "llama-index OpenAILikeEmbedding": llama_openai_like,
    "rerankers cohere": rerankers_api("cohere", "/v1/rerank"),
    "rerankers jina": rerankers_api("jina", "/v1/rerank"),
    "rerankers text-embeddings-inference": rerankers_api("text-embeddings-inference", "/rerank"),
}
WITH_OLDER_HTTPX: dict[str, Callable[[], dict[str, Any]]] = {
    "langchain-community InfinityRerank": langchain_infinity_rerank,
    "infinity-client rerank": infinity_rerank,
    "infinity-client embeddings": infinity_embeddings,
    "infinity-client, an error": infinity_error,
    "newest cohere.Client": cohere_v1,
    "newest cohere.ClientV2": cohere_v2,
    "newest cohere, an error": cohere_error,
}


def called(name: str) -> dict[str, Any]:
    try:
        with redirect_stdout(sys.stderr):
            return (CLIENTS | WITH_OLDER_HTTPX)[name]()
    except Exception as error:  # clients raise anything
        return {"error": f"{type(error).__name__}: {error}"[:500]}


if __name__ == "__main__":
    ASKED.update(json.load(sys.stdin))
    asyncio.set_event_loop(asyncio.new_event_loop())
    json.dump({name: called(name) for name in sys.argv[1:]}, sys.stdout)
