"""Our own models behind Ray Serve, for real: one command, two replicas on loopback, asked by the app's own clients."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, Request, build_opener

import call_clients
import fresh
import numpy as np
import psutil
import pytest

from deploy.forms import sigmoid
from rag_core.batch import cluster
from rag_core.errors import RerankLabError, ServerKey, ServerRefused
from rag_core.models import catalog, selftest
from rag_core.servers.llm import LLMSettings
from rag_core.servers.rerank import FORMS, RemoteReranker, RerankServer

pytestmark = pytest.mark.slow

pytest.importorskip("ray", reason="Ray is not installed: pip install -r deploy/requirements.txt")

ROOT = Path(__file__).parents[2]
KEY = "key-1234567890"
START_SECONDS = 120
ALIKE = 1e-7  # a vector of length 1 is brought to length 1 once more here, in float32
QUESTION = "财政收入增长了多少？"
TEXTS = [
    "猫在沙发上睡觉",
    "一般公共预算收入增长8.2%，突破6000亿元",
    "新建和改造公园二十处，" * 60,
    "Revenue grew by 8.2 percent.",
    "全年粮食产量保持稳定，居民消费价格基本平稳",
]
CLIENTS = {"clients.txt": call_clients.CLIENTS, "clients_httpx027.txt": call_clients.WITH_OLDER_HTTPX}
"""What installs the clients, which do not all go together."""
REFUSALS = {
    "openai, an error": (422, "dimensions: an embedding is given in its own length alone, and never cut"),
    "cohere, an error": (401, "the key is missing or another one"),
    "newest cohere, an error": (401, "the key is missing or another one"),
    "infinity-client, an error": (422, "documents: List should have at least 1 item"),
}
LINE = catalog.find(catalog.RERANKERS, "rerank-server")
ask = build_opener(ProxyHandler({})).open


def command(*options: str) -> list[str]:
    return [sys.executable, "-m", "deploy.serve", *options]


def environment(home: Path) -> dict[str, str]:
    """Return an environment in which what Ray keeps in the user's folder goes to another one."""
    return os.environ | {"HOME": str(home), "PYTHONPATH": str(ROOT)}


@pytest.fixture(scope="module")
def running(tmp_path_factory) -> Iterator[tuple[str, subprocess.Popen]]:
    home = tmp_path_factory.mktemp("ray")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = home / "log"
    (home / ".env").write_text(f"RERANK_LAB_SERVE_KEY={KEY}\n")  # replicas must ask for it as well
    with log.open("w") as output:
        options = ["--port", str(port), "--replicas", "2", "--cpus", "0.1"]
        server = subprocess.Popen(command(*options), cwd=home, env=environment(home), stdout=output, stderr=output)
        try:
            wait_for(f"http://127.0.0.1:{port}/health", server, log)
            yield f"http://127.0.0.1:{port}", server
            it_ends_when_it_is_told_to_and_leaves_nothing_running(server)
        finally:
            server.terminate()
            server.wait(60)


def wait_for(address: str, server: subprocess.Popen, log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while server.poll() is None and time.monotonic() < end:
        try:
            ask(address, timeout=5).close()
            return
        except (URLError, OSError):
            time.sleep(0.3)
    raise RuntimeError(f"Ray Serve did not start: {log.read_text()[-2000:]}")


@pytest.fixture(scope="module")
def address(running) -> str:
    return running[0]


def served(
    address: str, model: str = "bilingual-cross-encoder", key: str = KEY, form: str = "infinity"
) -> RemoteReranker:
    return RemoteReranker(LINE.id, RerankServer(address, form, model, key))


def served_embedder(address: str, model: str = "bilingual-embedder", key: str = KEY):
    from rag_core.models.embed import load_embedder

    return load_embedder("embedding-server", LLMSettings(key, f"{address}/v1", model))


def post(address: str, body: object, key: str = KEY) -> dict:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
    with ask(Request(address, json.dumps(body).encode(), headers), timeout=60) as reply:
        return json.load(reply)


def test_scores_are_those_of_this_process(address, reranker):
    assert served(address).score(QUESTION, TEXTS).tolist() == reranker.score(QUESTION, TEXTS).tolist()


@pytest.mark.parametrize("form", sorted(FORMS.keys() - {"voyage"}))  # asked where Jina's is, answered with other names
def test_our_own_client_is_answered_in_the_forms_that_are_served(address, reranker, form):
    own = reranker.score(QUESTION, TEXTS).tolist()
    expected = own if FORMS[form].scale == "logit" else [sigmoid(logit) for logit in own]
    assert served(address, form=form).score(QUESTION, TEXTS).tolist() == expected


@pytest.fixture(scope="module")
def answers(address, tmp_path_factory) -> dict[str, dict]:
    """Return what every client gave that others wrote."""
    models = {"reranker": "bilingual-cross-encoder", "embedder": "bilingual-embedder"}
    asked = json.dumps({"address": address, "key": KEY, "query": QUESTION, "texts": TEXTS, **models})
    found: dict[str, dict] = {}
    for requirements, clients in CLIENTS.items():
        programs = fresh.environment(tmp_path_factory.mktemp("clients"), "-r", Path(__file__).parent / requirements)
        command = [programs / "python", "-W", "ignore", call_clients.__file__, *clients]
        # litellm would fetch a list of prices, and tell of models that it does not know.
        how = {"env": os.environ | {"LITELLM_LOCAL_MODEL_COST_MAP": "True"}, "input": asked}
        done = subprocess.run(command, **how, capture_output=True, text=True, timeout=300, cwd=programs)
        assert done.returncode == 0, done.stderr
        found |= json.loads(done.stdout)
    return found


def test_every_client_gives_our_scores_vectors_and_tokens(answers, reranker, embedder):
    own = {
        "scores": [sigmoid(logit) for logit in reranker.score(QUESTION, TEXTS).tolist()],
        "vectors": embedder._embed("", TEXTS).tolist(),
        "texts": TEXTS,
        "models": ["bilingual-cross-encoder", "bilingual-embedder"],
    }
    read = sum(reranker.count_tokens([(QUESTION, text) for text in TEXTS]))
    embedded = sum(embedder.model.count_tokens(TEXTS))
    wrong = {
        name: (field, value)
        for name, answer in answers.items()
        for field, value in answer.items()
        if field not in ("id", "status", "said")
        and value != {**own, "tokens": embedded if "vectors" in answer else read}.get(field)
    }
    assert wrong == {}
    assert [name for name, answer in answers.items() if not answer] == []


def test_a_client_is_refused_in_the_shape_that_it_reads(answers):
    refused = {name: (answer["status"], answer["said"]) for name, answer in answers.items() if "said" in answer}
    assert {name: status for name, (status, _) in refused.items()} == {
        name: status for name, (status, _) in REFUSALS.items()
    }
    assert all(refused[name][1].startswith(said) for name, (_, said) in REFUSALS.items())


def test_scores_do_not_follow_the_company_they_are_batched_with(address, reranker):
    own = reranker.score(QUESTION, TEXTS).tolist()

    def one(number: int) -> list[float]:
        first = number % len(TEXTS)
        return served(address).score(QUESTION, [*TEXTS[first:], *TEXTS[:first]]).tolist()

    with ThreadPoolExecutor(16) as clients:
        found = list(clients.map(one, range(32)))
    assert found == [[*own[number % 5 :], *own[: number % 5]] for number in range(32)]


def test_embeddings_are_those_of_this_process(address, embedder):
    far = served_embedder(address)
    assert np.abs(far.embed_texts(TEXTS) - embedder.embed_texts(TEXTS)).max() < ALIKE
    assert np.abs(far.embed_queries([QUESTION]) - embedder.embed_queries([QUESTION])).max() < ALIKE


def test_the_self_test_finds_what_it_finds_here(address, reranker):
    far, own = selftest.check(served(address)), selftest.check(reranker)
    assert (far.scale, far.right, far.lowest, far.highest) == (own.scale, own.right, own.lowest, own.highest)


def test_more_texts_than_a_request_may_hold_are_asked_for_in_parts(address):
    many = served(address)
    many.batch = 1500
    assert many.score("q", ["a"] * 1500).shape == (1500,)
    assert many.batch == 750


def test_the_form_is_infinitys(address):
    asked = {"query": QUESTION, "documents": TEXTS[:2], "return_documents": True, "top_n": 1}
    answer = post(f"{address}/rerank", asked)
    [best] = answer["results"]
    assert (best["index"], best["document"]) == (1, TEXTS[1])
    raw = post(f"{address}/rerank", asked | {"raw_scores": True})["results"][0]["relevance_score"]
    assert best["relevance_score"] == pytest.approx(1 / (1 + np.exp(-raw)))
    assert (answer["object"], answer["model"]) == ("rerank", "bilingual-cross-encoder")


def test_only_what_is_served_can_be_asked_for(address):
    with pytest.raises(ServerRefused, match="not served"):
        served(address, "another").score("q", ["a"])
    with pytest.raises(ServerRefused, match="not served"):
        served_embedder(address, "another").embed_texts(["a"])


def test_without_the_key_nothing_is_scored(address):
    for key in ("", "another"):
        with pytest.raises(ServerKey):
            served(address, key=key).score("q", ["a"])
    with pytest.raises(ServerKey):
        served_embedder(address, key="another").embed_texts(["a"])


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/rerank", {}),
        ("/rerank", {"query": "q", "documents": []}),
        ("/rerank", {"query": "q", "documents": "a"}),
        ("/rerank", {"query": "q", "documents": [1]}),
        ("/rerank", {"query": "q", "documents": ["x" * 100_001]}),
        ("/rerank", {"query": "q", "documents": ["a"], "top_n": 0}),
        ("/v1/embeddings", {"input": []}),
        ("/v1/embeddings", {"input": ["a"], "dimensions": 64}),
        ("/v2/rerank", {"query": "q", "documents": []}),
        ("/embed", {}),
        ("/v1/embeddings", {"input": [[1, 2]]}),
    ],
)
def test_what_is_not_of_the_form_is_refused(address, path, body):
    with pytest.raises(HTTPError) as refused:
        post(address + path, body)
    assert refused.value.code == 422


def test_a_replica_that_dies_is_replaced(running, reranker):
    address, server = running
    scorers = [p for p in psutil.Process(server.pid).children(recursive=True) if "Scorer" in " ".join(p.cmdline())]
    assert len(scorers) == 2
    scorers[0].kill()
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        try:
            found = served(address).score(QUESTION, TEXTS)
            break
        except ServerRefused:  # what was on its way to the dead one is lost, and said to be
            time.sleep(0.2)
    assert found.tolist() == reranker.score(QUESTION, TEXTS).tolist()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--host", "0.0.0.0"], "RERANK_LAB_SERVE_KEY"),
        (["--reranker", "nonsense"], "nonsense"),
        (["--embedder", "text-embedding-3-small"], "on a server already"),
    ],
)
def test_what_cannot_be_served_is_said_before_anything_starts(tmp_path, options, said):
    how = {"cwd": tmp_path, "env": environment(tmp_path), "capture_output": True, "text": True}
    done = subprocess.run(command(*options), timeout=120, **how)
    assert done.returncode == 2
    assert said in done.stderr


def test_a_start_that_fails_is_said_in_a_sentence(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        how = {"cwd": tmp_path, "env": environment(tmp_path), "capture_output": True, "text": True}
        options = ["--port", str(taken.getsockname()[1]), "--cpus", "0.1"]
        done = subprocess.run(command(*options), timeout=START_SECONDS, **how)
    assert done.returncode == 1
    assert "Ray did not start (" in done.stderr and "Traceback" not in done.stderr


def test_a_start_that_takes_too_long_is_said_in_a_sentence():
    said = r"Ray did not start \(Exception: the node timed out\): .* start again"
    with pytest.raises(RerankLabError, match=said), cluster.started():
        raise Exception("Traceback …\n  the node timed out\n")


def it_ends_when_it_is_told_to_and_leaves_nothing_running(server: subprocess.Popen) -> None:
    family = psutil.Process(server.pid).children(recursive=True)
    server.send_signal(signal.SIGTERM)
    assert server.wait(60) == 0
    assert not psutil.wait_procs(family, timeout=20)[1]
