import pickle

import pytest

from rag_core.errors import SERVICES, NotChroma, ServerError, ServerMissing, ServerTimeout

VALUES = {
    "address": "http://host/v1",
    "seconds": "30",
    "form": "OpenAI",
    "example": "http://host",
    "said": "no",
    "setting": "KEY",
    "status": 500,
    "reason": "lost",
    "target": "http://other",
    "characters": 9,
    "model": "m",
    "version": "0.4",
    "database": "lab",
    "tenant": "school",
}


@pytest.mark.parametrize("leaf", ServerError.__subclasses__(), ids=lambda leaf: leaf.__name__)
@pytest.mark.parametrize("service", SERVICES)
def test_every_failure_of_a_server_is_one_whole_sentence_for_every_service(leaf, service):
    message = str(leaf(service=service, **VALUES))
    assert "{" not in message and "  " not in message
    assert SERVICES[service] in message or leaf in (ServerMissing, NotChroma)


def test_a_failure_of_a_server_crosses_to_another_process_whole():
    error = ServerTimeout(service="llm", address="http://host/v1", seconds="30")
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy), copy.values) == (ServerTimeout, str(error), error.values)
    assert str(copy).startswith("the language model at http://host/v1 gave no whole answer in 30 seconds")
