"""The index on a real Chroma server: what it finds, who shares it, and what may be wrong with it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import chromadb
import pytest
from chroma_server import CHROMA, answering, free_port, passed_on, running_chroma
from pdfs import text_pdf

from rag_core.datatypes import ChunkSettings, Expansion, FirstStage, Settings
from rag_core.errors import (
    ChromaDatabaseMissing,
    ChromaFailed,
    ChromaTooOld,
    NotChroma,
    ServerKey,
    ServerTimeout,
    ServerUnreachable,
    VectorSize,
)
from rag_core.keeping import chroma as chroma_module
from rag_core.keeping import chroma_server
from rag_core.keeping.chroma import Address
from rag_core.keeping.chroma_folder import FolderStore
from rag_core.keeping.chroma_server import ServerStore
from rag_core.lab import Lab
from rag_core.settings import ChromaServer
from tests.search.test_index import ADDRESS, PAST_THE_LOG, Stored, first_ids, index, nearest, random_vectors

ROOT = Path(__file__).parents[2]
PDF = text_pdf(
    ["全市一般公共预算收入增长8.2%，突破6000亿元。", "新建和改造公园二十处，绿化面积不断扩大。"],
    ["轨道交通十二号线五月开通运营。", "The library opened a reading room for children.", "全年粮食产量保持稳定。"],
)
SENTENCES = ChunkSettings("sentence")
BOTH = Settings(chunks=SENTENCES, depth=5, first_stage=FirstStage.BOTH)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMA.exists(), reason="the chroma command is not installed beside Python"),
]


@pytest.fixture(scope="module")
def chroma(tmp_path_factory):
    with running_chroma(tmp_path_factory.mktemp("chroma")) as server:
        yield server


@pytest.fixture
def empty(chroma):
    """Give the running server without a collection."""
    client = client_of(chroma)
    for collection in client.list_collections():
        client.delete_collection(collection.name)
    return chroma


@pytest.fixture
def store(empty):
    return ServerStore(ChromaServer(empty.url))


def client_of(chroma):
    return chromadb.HttpClient("127.0.0.1", chroma.port)


def collection_of(chroma, address: Address = ADDRESS):
    return client_of(chroma).get_collection(address.name, embedding_function=None)


QUERY = random_vectors(1, seed=2)[0]


def finds(store: ServerStore, stored: Stored) -> bool:
    return first_ids(store, stored, QUERY) == nearest(stored, QUERY, 20)


# What it finds


def test_a_comparison_on_a_server_is_the_one_in_a_folder(empty, tmp_path, embedder, reranker):
    def compared(lab: Lab):
        document = lab.add(PDF, "small.pdf")
        opened = lab.open(document.id, Settings(chunks=SENTENCES, depth=5), embedder)
        more = [Expansion("How much did revenue grow?", "typed")]
        made = opened.compare("财政收入增长了多少？", more, reranker)
        lab.close()
        return replace(made, timings={})

    on_server = compared(Lab(tmp_path / "a", ChromaServer(empty.url)))
    assert on_server == compared(Lab(tmp_path / "b"))
    assert len(client_of(empty).list_collections()) == 1
    assert not (tmp_path / "a" / "chroma").exists()


def test_a_collection_on_a_server_is_the_one_in_a_folder(empty, tmp_path, embedder, reranker):
    def compared(lab: Lab):
        ids = [lab.add(data, f"{n}.pdf").id for n, data in enumerate((PDF, text_pdf(["Parks were opened."])))]
        opened = lab.open(lab.library.collect("both", ids, collection_id="both").id, BOTH, embedder)
        made = opened.compare("财政收入增长了多少？", [], reranker)
        lab.delete(ids[1])
        left = lab.open("both", BOTH, embedder).compare("How many parks?", [], reranker)
        lab.close()
        return [replace(one, timings={}) for one in (made, left)]

    on_server = compared(Lab(tmp_path / "a", ChromaServer(empty.url)))
    assert on_server == compared(Lab(tmp_path / "b"))
    assert (on_server[0].available, on_server[1].available) == (6, 5)
    assert client_of(empty).list_collections() == []


def test_chunks_and_scores_are_those_of_a_folder_to_the_last_digit(store, tmp_path):
    stored = Stored(random_vectors(PAST_THE_LOG))
    in_folder = FolderStore(tmp_path)
    [[one], [other]] = [index(place, stored).search(["q"], QUERY[None, :], 100) for place in (store, in_folder)]
    in_folder.close()
    assert one == other
    assert len(one) == 100


def test_an_index_is_built_once_and_found_by_the_next_process(empty, store):
    stored = Stored(random_vectors(30))
    assert finds(store, stored)
    assert finds(ServerStore(ChromaServer(empty.url)), stored)
    assert stored.asked == 1


def test_delete_takes_every_collection_of_the_document_and_no_other(empty, store, monkeypatch):
    monkeypatch.setattr(chroma_module, "PAGE", 2)
    stored, other = Stored(random_vectors(5)), Address("0123abcdef", "clause", "some/model")
    for address in (*(Address("0123abcd", f"clause{n}", "some/model") for n in range(5)), other):
        first_ids(store, stored, QUERY, address=address)
    store.delete("0123abcd")
    assert [collection.name for collection in client_of(empty).list_collections()] == [other.name]


# What others do to it


def test_what_another_process_takes_out_is_put_back(empty, store):
    stored = Stored(random_vectors(40))
    assert finds(store, stored)
    collection_of(empty).delete(ids=nearest(stored, QUERY, 5))
    assert finds(store, stored)
    client_of(empty).delete_collection(ADDRESS.name)
    assert finds(store, stored)


def test_what_another_process_adds_is_thrown_out_with_its_collection_alone(empty, store):
    stored, kept = Stored(random_vectors(30)), Stored(random_vectors(30, seed=5))
    other = Address("0123abcd", "clause", "other/model")
    first_ids(store, kept, QUERY, address=other)
    assert finds(store, stored)
    collection_of(empty).add(ids=["stranger"], embeddings=QUERY[None, :])
    assert finds(store, stored)
    assert index(store, stored).take_notice()
    first_ids(store, kept, QUERY, address=other)
    assert kept.asked == 1


def test_threads_of_two_stores_that_index_at_once_find_the_same(empty):
    stored = Stored(random_vectors(PAST_THE_LOG))
    stores = [ServerStore(ChromaServer(empty.url)) for _ in range(2)]
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda number: finds(stores[number % 2], stored), range(16)))
    assert all(found)
    assert collection_of(empty).count() == PAST_THE_LOG


WORKER = """
import json, os, sys
from pathlib import Path
from rag_core import settings
from rag_core.datatypes import ChunkSettings, Settings
from rag_core.models.embed import load_embedder
from rag_core.lab import Lab

class Counting:
    def __init__(self):
        self.embedder, self.texts = load_embedder("bilingual-embedder"), 0
        self.id, self.embed_queries = self.embedder.id, self.embedder.embed_queries
    def embed_texts(self, texts, progress=None):
        print("embedding", flush=True)
        if "--hang" in sys.argv:
            sys.stdin.readline()
        self.texts += len(texts)
        return self.embedder.embed_texts(texts, progress)

embedder = Counting()
vectors = embedder.embed_queries(["财政收入"])
print("ready", flush=True)
sys.stdin.readline()
lab = Lab(Path(os.environ["RERANK_LAB_HOME"]), settings.chroma())
index = lab.open(sys.argv[1], Settings(chunks=ChunkSettings("sentence")), embedder).index
[found] = index.search(["q"], vectors, 20)
print(json.dumps([embedder.texts, [(hit.chunk.id, hit.score) for hit in found.hits]]), flush=True)
"""


def worker(doc_id: str, home: Path, url: str, *more: str) -> subprocess.Popen:
    command = [sys.executable, "-c", WORKER, doc_id, *more]
    environment = {"RERANK_LAB_HOME": str(home), "RERANK_LAB_CHROMA": url, "PATH": "", "NO_PROXY": "127.0.0.1"}
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "ready\n"
    return process


def go(process: subprocess.Popen) -> None:
    process.stdin.write("\n")
    process.stdin.flush()


def told(process: subprocess.Popen) -> tuple[int, list]:
    """Return how many texts a worker embedded, and what it found."""
    said, _ = process.communicate(timeout=120)
    return tuple(json.loads(said.splitlines()[-1]))


def sample(home: Path) -> tuple[str, int]:
    """Put a sample into a library; return its id and how many chunks it has."""
    lab = Lab(home)
    document = lab.add((ROOT / "data" / "samples" / "city-report-zh.pdf").read_bytes(), "a.pdf")
    count = len(lab.cut(document.id, SENTENCES))
    lab.close()
    return document.id, count


def test_two_processes_on_one_library_embed_a_document_once(empty, tmp_path):
    doc_id, count = sample(tmp_path)
    workers = [worker(doc_id, tmp_path, empty.url) for _ in range(2)]
    for process in workers:
        go(process)
    (first, found), (second, same) = map(told, workers)
    assert sorted([first, second]) == [0, count]
    assert found == same
    assert len(found) == 20


def test_two_processes_that_open_a_collection_embed_each_member_once(empty, tmp_path):
    doc_id, count = sample(tmp_path)
    lab = Lab(tmp_path)
    other = lab.add(PDF, "small.pdf").id
    reader = lab.library.collect("Reader", [doc_id, other]).id
    count += len(lab.cut(other, SENTENCES))
    lab.close()
    workers = [worker(reader, tmp_path, empty.url) for _ in range(2)]
    for process in workers:
        go(process)
    (first, found), (second, same) = map(told, workers)
    assert (first + second, found) == (count, same)
    assert len(found) == 20


def test_two_processes_with_libraries_of_their_own_share_the_index(empty, tmp_path):
    homes = [tmp_path / "a", tmp_path / "b"]
    [(doc_id, count), _] = map(sample, homes)
    workers = [worker(doc_id, home, empty.url) for home in homes]
    for process in workers:
        go(process)
    (first, found), (second, same) = map(told, workers)
    assert (first, second, found) == (count, count, same)
    [collection] = client_of(empty).list_collections()
    assert collection.count() == count


def test_a_process_that_is_killed_while_it_embeds_holds_nobody_up(empty, tmp_path):
    doc_id, count = sample(tmp_path)
    killed, waiting = worker(doc_id, tmp_path, empty.url, "--hang"), worker(doc_id, tmp_path, empty.url)
    go(killed)
    assert killed.stdout.readline() == "embedding\n"
    go(waiting)
    time.sleep(0.5)
    assert waiting.poll() is None
    killed.kill()
    killed.communicate()
    assert told(waiting)[0] == count


# What may be wrong with it


def opened(url: str, **how: str) -> None:
    index(ServerStore(ChromaServer(url, **how)), Stored(random_vectors(5))).prepare()


def test_a_server_that_is_down_is_told():
    url = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(ServerUnreachable, match="the Chroma server at") as caught:
        opened(url)
    assert (caught.value.values["service"], caught.value.values["address"]) == ("chroma", url)


def test_a_server_that_takes_the_call_and_says_nothing_is_told(monkeypatch):
    monkeypatch.setattr(chroma_server, "CONNECT_SECONDS", 0.3)
    silent = answering(lambda *_: (time.sleep(2), (200, "", b""))[1])
    with silent as url, pytest.raises(ServerTimeout, match=r"in 0\.3 seconds"):
        opened(url)


def test_a_server_that_grows_slow_is_told(empty, monkeypatch):
    monkeypatch.setattr(chroma_server, "ANSWER_SECONDS", 0.5)
    monkeypatch.setattr(chroma_server, "CONNECT_SECONDS", 0.5)
    slow: list[bool] = []

    def answer(request, asked):
        time.sleep(2 if slow else 0)
        return passed_on(empty.url, request, asked)

    with answering(answer) as url:
        store, stored = ServerStore(ChromaServer(url)), Stored(random_vectors(30))
        assert finds(store, stored)
        slow.append(True)
        with pytest.raises(ServerTimeout):
            finds(store, stored)
        slow.clear()
        assert finds(store, stored)


def guarded(url: str, token: str, header: str):
    def answer(request, asked):
        if request.headers.get(header) != token:
            return 401, "text/plain", b"who are you?"
        return passed_on(url, request, asked)

    return answering(answer)


@pytest.mark.parametrize(("header", "token"), [("X-Chroma-Token", "secret"), ("Authorization", "Bearer secret")])
def test_a_token_opens_a_server_that_asks_for_one(empty, header, token):
    with guarded(empty.url, token, header) as url:
        opened(url, token="secret")
        with pytest.raises(ServerKey, match="RERANK_LAB_CHROMA_TOKEN") as caught:
            opened(url, token="guessed")
    assert "guessed" not in str(caught.value)
    assert "secret" not in repr(ChromaServer(url, "secret"))


@pytest.mark.parametrize("body", [b"<html>hello</html>", b"[]", b"{}", b'{"tenant": null, "databases": null}'])
def test_what_is_no_chroma_server_is_told(body):
    with answering(lambda *_: (200, "text/html", body)) as url, pytest.raises((NotChroma, ChromaFailed)) as caught:
        opened(url)
    assert caught.type is NotChroma


def test_an_old_chroma_server_is_told():
    def answer(request, _):
        return (200, "application/json", b'"0.4.24"') if "/v1/" in request.path else (404, "text/plain", b"Not Found")

    with answering(answer) as url, pytest.raises(ChromaTooOld) as caught:
        opened(url)
    assert caught.value.values == {"service": "chroma", "address": url, "version": "0.4.24"}


def test_a_server_in_trouble_is_told():
    with answering(lambda *_: (503, "text/plain", b"later")) as url, pytest.raises(ServerUnreachable, match="503"):
        opened(url)


@pytest.mark.parametrize("how", [{"tenant": "nobody"}, {"database": "nowhere"}])
def test_a_tenant_or_database_that_is_not_there_is_told(empty, how):
    with pytest.raises(ChromaDatabaseMissing) as caught:
        opened(empty.url, **how)
    assert set(how.values()) < set(caught.value.values.values())


def test_a_database_of_a_name_is_used(empty):
    name = f"own{time.time_ns()}"
    chromadb.AdminClient(
        chromadb.config.Settings(
            chroma_api_impl="chromadb.api.fastapi.FastAPI",
            chroma_server_host="127.0.0.1",
            chroma_server_http_port=empty.port,
        )
    ).create_database(name)
    opened(empty.url, database=name)
    assert client_of(empty).list_collections() == []


def test_another_length_of_the_vectors_of_a_question_is_told(store):
    stored = Stored(random_vectors(30))
    with pytest.raises(VectorSize) as caught:
        first_ids(store, stored, random_vectors(1, dimension=24)[0])
    assert caught.value.values == {"asked": 24, "stored": 16, "embedder": "some/model"}
    assert finds(store, stored)


def test_a_server_that_is_killed_and_started_again_is_used_again(tmp_path):
    stored = Stored(random_vectors(PAST_THE_LOG))
    with running_chroma(tmp_path) as server:
        store = ServerStore(ChromaServer(server.url))
        assert finds(store, stored)
        server.kill()
        with pytest.raises(ServerUnreachable):
            finds(store, stored)
        server.start()
        assert finds(store, stored)


def test_a_server_killed_while_it_is_filled_loses_nothing(tmp_path):
    stored = Stored(random_vectors(4000, dimension=64))
    query = random_vectors(1, seed=2, dimension=64)[0]
    with running_chroma(tmp_path) as server:
        store = ServerStore(ChromaServer(server.url))
        with ThreadPoolExecutor(1) as thread:
            filling = thread.submit(first_ids, store, stored, query)
            time.sleep(0.4)
            server.kill()
            with pytest.raises(ServerUnreachable):
                filling.result()
        server.start()
        assert first_ids(store, stored, query) == nearest(stored, query, 20)
