import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest
from llm_server import LLMServer, Reply, completion, refusal, stream

from rag_core.errors import (
    BadSetting,
    ServerAddress,
    ServerBadAnswer,
    ServerError,
    ServerInternal,
    ServerKey,
    ServerKeyGarbled,
    ServerKeyMissing,
    ServerMoved,
    ServerRefused,
    ServerScheme,
    ServerTimeout,
    ServerUnreachable,
)
from rag_core.servers.llm import DEFAULT_MODEL, ChatModel, LLMSettings, open_client, translated_errors

KEY = "sk-very-secret-0123456789"
QUESTION = [{"role": "user", "content": "预算收入增长多少？"}]
ENVIRONMENT = ("OPENAI_API_KEY", "OPENAI_BASE_URL", "RERANK_LAB_LLM_MODEL")
PROXIES = ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy")


@pytest.fixture(autouse=True)
def own_environment(monkeypatch, tmp_path):
    for name in (*ENVIRONMENT, *PROXIES):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def model(address: str, timeout: float = 5.0) -> ChatModel:
    return ChatModel(LLMSettings(KEY, address, "m"), timeout=timeout)


def failure(reply: Reply, timeout: float = 5.0, streamed: bool = False) -> ServerError:
    with LLMServer(reply) as server, pytest.raises(ServerError) as caught:
        chat = model(server.base_url, timeout)
        list(chat.stream(QUESTION)) if streamed else chat.complete(QUESTION)
    return caught.value


def test_complete_sends_model_messages_and_key():
    with LLMServer(completion("增长8.2%。")) as server:
        assert model(server.base_url).complete(QUESTION) == "增长8.2%。"
    [request] = server.requests
    assert request["path"] == "/v1/chat/completions"
    assert request["authorization"] == f"Bearer {KEY}"
    assert request["body"] == {"model": "m", "messages": QUESTION}


def test_stream_yields_the_pieces_in_order():
    with LLMServer(stream(["增长", "8.2%", "。"])) as server:
        assert list(model(server.base_url).stream(QUESTION)) == ["增长", "8.2%", "。"]
    assert server.requests[0]["body"] == {"model": "m", "messages": QUESTION, "stream": True}


def test_stream_can_be_left_early():
    with LLMServer(stream(["增长", "8.2%"])) as server:
        pieces = model(server.base_url).stream(QUESTION)
        assert next(pieces) == "增长"
        pieces.close()


def test_stream_skips_a_chunk_without_choices():
    usage = 'data: {"id": "1", "object": "chat.completion.chunk", "choices": [], "usage": {"total_tokens": 9}}\n\n'
    with LLMServer(stream(["好"], end=usage + "data: [DONE]\n\n")) as server:
        assert list(model(server.base_url).stream(QUESTION)) == ["好"]


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (refusal(401, f"Incorrect API key provided: {KEY}."), ServerKey),
        (refusal(403, f"Country not supported, key {KEY}."), ServerKey),
        (refusal(404, "Not Found"), ServerAddress),
        (Reply("<html>nginx</html>", status=404, content_type="text/html"), ServerAddress),
        (refusal(404, "The model `m` does not exist"), ServerRefused),
        (refusal(400, f"Bad request with {KEY} in it"), ServerRefused),
        (refusal(429, "Too many requests"), ServerRefused),
        (refusal(500, "Out of memory " * 100 + KEY), ServerRefused),
        (Reply("<html>Sign in</html>", content_type="text/html; charset=utf-8"), ServerAddress),
        (Reply(""), ServerBadAnswer),
        (Reply("{}"), ServerBadAnswer),
        (Reply("[]"), ServerBadAnswer),
    ],
)
def test_each_failure_has_its_error_and_none_shows_the_key(reply, error, streamed, caplog):
    caplog.set_level(logging.DEBUG)
    caught = failure(reply, streamed=streamed)
    assert type(caught) is error
    assert KEY not in f"{caught} {caught.values} {caught.__cause__}" + caplog.text
    assert len(str(caught)) < 400


def test_a_refusal_holds_status_and_the_servers_words():
    caught = failure(refusal(429, "You exceeded your quota"))
    assert (caught.values["status"], caught.values["said"]) == (429, "You exceeded your quota")
    assert (caught.values["service"], caught.values["address"][:17]) == ("llm", "http://127.0.0.1:")


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"error": {"code": 1301, "message": f"模型正在加载 {KEY}"}}, "模型正在加载 ***"),
        ({"code": 20012, "message": "Model is overloaded", "choices": None}, "Model is overloaded"),
        ({"error_code": 336, "error_msg": "额度已用完"}, "额度已用完"),
        ({"error": "x" * 1000}, "x" * 200),
    ],
)
def test_an_error_with_status_200_is_said_in_the_servers_words(body, said, streamed):
    caught = failure(Reply(json.dumps(body)), streamed=streamed)
    assert type(caught) is ServerBadAnswer
    assert caught.values["reason"] == said


@pytest.mark.parametrize("streamed", [False, True])
def test_what_is_not_found_is_said_in_the_servers_words(streamed):
    caught = failure(refusal(404, "接口不存在"), streamed=streamed)
    assert (type(caught), caught.values["said"]) == (ServerAddress, "接口不存在")
    caught = failure(refusal(404, "没有该模型"), streamed=streamed)
    assert (type(caught), caught.values["said"]) == (ServerRefused, "没有该模型")


def test_a_forbidden_key_says_why():
    caught = failure(refusal(403, f"Country not supported for {KEY}"))
    assert caught.values["said"] == "Country not supported for ***"


@pytest.mark.parametrize(("status", "requests"), [(401, 1), (429, 2), (500, 2)])
def test_only_passing_failures_are_tried_again_and_once(status, requests):
    with LLMServer(refusal(status, "no", **{"retry-after-ms": "1"})) as server, pytest.raises(ServerError):
        model(server.base_url).complete(QUESTION)
    assert len(server.requests) == requests


@pytest.mark.parametrize("streamed", [False, True])
def test_silence_is_a_timeout(streamed):
    caught = failure(Reply("{}", delay=10), timeout=0.2, streamed=streamed)
    assert type(caught) is ServerTimeout
    assert caught.values["seconds"] == "0.2"


@pytest.mark.parametrize(
    "reply",
    [
        Reply('{"choices": [{"mess'),
        Reply('{"choices": null}'),
        Reply('{"choices": []}'),
        Reply('{"choices": {"message": "x"}}'),
        Reply('{"choices": [{"index": 0}]}'),
        Reply('{"choices": [{"index": 0, "message": "x"}]}'),
        Reply("null"),
        completion(None),
        completion(" "),
        completion([{"type": "text", "text": "x"}]),
    ],
)
def test_an_answer_without_text_is_a_bad_answer(reply):
    assert type(failure(reply)) is ServerBadAnswer


@pytest.mark.parametrize(
    "reply",
    [
        stream(["根据", "材料"], finish=None, end=""),
        stream(["根据", "材料"], finish=None),
        stream(["根据", "材料"], finish=None, end='data: {"choices": [{"del\n\n'),
        stream(["根据", "材料"], finish=None, end="", length=10_000),
    ],
    ids=["ended", "done without reason", "broken json", "connection lost"],
)
def test_a_cut_stream_keeps_what_came(reply):
    caught = failure(reply, streamed=True)
    assert type(caught) is ServerBadAnswer
    assert caught.values["text"] == "根据材料"


def test_an_error_inside_a_stream_is_a_refusal():
    caught = failure(stream(["根"], finish=None, end='data: {"error": {"message": "overloaded"}}\n\n'), streamed=True)
    assert type(caught) is ServerRefused
    assert caught.values["said"] == "overloaded"


def test_a_stream_without_text_is_a_bad_answer():
    assert type(failure(stream([]), streamed=True)) is ServerBadAnswer


def test_nobody_listening_is_unreachable():
    with LLMServer(completion("x")) as server:
        address = server.base_url
    with pytest.raises(ServerUnreachable) as caught:
        model(address, timeout=1).complete(QUESTION)
    assert caught.value.values["address"] == address


@pytest.mark.parametrize(
    "address",
    [
        "ftp://host/v1",
        "not an address",
        "http://",
        "http://[::1",
        "http://host:99999",
        "http://ａ.com",
    ],
)
def test_an_address_that_is_none_is_refused_before_anything_is_sent(address):
    with pytest.raises(ServerAddress) as caught:
        model(address)
    assert caught.value.values["address"] == address


def test_an_address_without_its_beginning_is_said_to_lack_it():
    with pytest.raises(ServerScheme, match=r"localhost:8000/v1 of the language model lacks http://"):
        model("localhost:8000/v1")


def test_an_address_keeps_its_parameters():
    with LLMServer(completion("好")) as server:
        assert model(f"{server.root}/openai/?api-version=2026-10-01&a=b").complete(QUESTION) == "好"
    assert server.requests[0]["path"] == "/openai/chat/completions?api-version=2026-10-01&a=b"


def test_an_address_is_shown_without_its_password_or_the_key():
    assert LLMSettings(KEY, f"ftp://me:word@host/{KEY}").address == "ftp://host/***"


@pytest.mark.parametrize(
    ("key", "error"), [("", ServerKeyMissing), ("sk-全角", ServerKeyGarbled), ("sk-a\nb", ServerKeyGarbled)]
)
def test_a_key_that_cannot_be_sent(key, error):
    with pytest.raises(error) as caught:
        ChatModel(LLMSettings(key, "http://127.0.0.1/v1", "m"))
    assert not key or key not in f"{caught.value} {caught.value.values}"


def test_a_proxy_of_the_environment_is_used(monkeypatch):
    with LLMServer(completion("好")) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.root)
        assert model("http://model.invalid/v1").complete(QUESTION) == "好"
    assert proxy.requests[0]["path"] == "http://model.invalid/v1/chat/completions"


@pytest.mark.parametrize("proxy", ["gopher://127.0.0.1:1", "::::"])
def test_a_broken_proxy_is_unreachable(monkeypatch, proxy):
    monkeypatch.setenv("HTTP_PROXY", proxy)
    with pytest.raises(ServerUnreachable):
        model("http://model.invalid/v1")


@pytest.mark.parametrize("encoding", ["float", "base64"])
@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply("{}"), ServerBadAnswer),
        (Reply("[]"), ServerBadAnswer),
        (Reply("<html>Sign in</html>", content_type="text/html"), ServerAddress),
        (refusal(401, KEY), ServerKey),
    ],
)
def test_embeddings_share_the_errors(reply, error, encoding):
    with LLMServer(reply) as server, pytest.raises(error):
        settings = LLMSettings(KEY, server.base_url, "m")
        with translated_errors(settings.peer):
            client = open_client(settings, timeout=5)
            reply = client.embeddings.create(model="m", input=["x"], encoding_format=encoding)
            assert [row.embedding for row in reply.data]


def test_settings_hide_the_key():
    assert KEY not in repr(LLMSettings(KEY))


def test_typed_values_win_over_the_environment_and_that_over_dotenv(monkeypatch, tmp_path):
    (tmp_path / ".env").write_text("\ufeffOPENAI_API_KEY=sk-file\nRERANK_LAB_LLM_MODEL=file\n", encoding="utf-8")
    assert LLMSettings.from_environment() == LLMSettings("sk-file", None, "file")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-environment")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://host/v1")
    assert LLMSettings.from_environment() == LLMSettings("sk-environment", "http://host/v1", "file")
    typed = LLMSettings.from_environment(key=" sk-typed ", base_url="http://other/v1", model="typed")
    assert typed == LLMSettings("sk-typed", "http://other/v1", "typed")


def test_nothing_set_is_no_key_and_the_default_model(monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", "")
    assert LLMSettings.from_environment() == LLMSettings("", None, DEFAULT_MODEL)


def test_the_environments_key_stays_with_its_address(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    assert LLMSettings.from_environment(base_url="http://elsewhere/v1").key == ""
    assert LLMSettings.from_environment(base_url="https://api.openai.com/v1/").key == KEY


def test_a_dotenv_that_is_not_utf8_is_named(tmp_path):
    (tmp_path / ".env").write_bytes("# 密钥\nOPENAI_API_KEY=sk-x\n".encode("gbk"))
    with pytest.raises(BadSetting, match=r"\.env"):
        LLMSettings.from_environment()


def test_importing_the_steps_leaves_the_client_alone():
    modules = "rag_core.comparing.answer, rag_core.search.expand"
    code = f"import sys, {modules}; sys.exit('openai' in sys.modules or 'httpx2' in sys.modules)"
    root = Path(__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0


def test_a_visitors_address_may_not_stand_in_the_hosts_network_but_the_hosts_own_may(monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    typed = LLMSettings.from_environment(KEY, "http://localhost:9/v1", guarded=True)
    with pytest.raises(ServerInternal):
        ChatModel(typed)
    ChatModel(LLMSettings.from_environment(KEY, "", guarded=True))


def test_a_redirect_is_not_followed():
    with LLMServer(completion("stolen")) as other:
        moved = LLMServer(Reply("", status=307, headers={"Location": other.base_url + "/chat/completions"}))
        with moved, pytest.raises(ServerMoved):
            ChatModel(LLMSettings(KEY, moved.base_url)).complete([{"role": "user", "content": "q"}])
    assert other.requests == []
