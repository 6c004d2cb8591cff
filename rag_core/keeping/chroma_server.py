"""Chroma on a server."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from rag_core.errors import ChromaDatabaseMissing, ChromaFailed, ChromaTooOld, NotChroma, RerankLabError
from rag_core.keeping.chroma import Store
from rag_core.servers.peer import Peer
from rag_core.settings import CHROMA_CLOUD, ChromaServer

if TYPE_CHECKING:
    import httpx
    from chromadb.api import ClientAPI

CONNECT_SECONDS = 5
ANSWER_SECONDS = 20
LONGEST_VERSION = 20


class ServerStore(Store):
    """Chroma on a server, for several processes at once: none is locked out, and nothing but a collection is dropped.

    Chroma Cloud is such a server. No test can reach it: for it, only what its client asks for is known to be right.
    """

    def __init__(self, server: ChromaServer) -> None:
        super().__init__(nullcontext())
        self.server = server
        self.peer = Peer("chroma", server.url, "Chroma", CHROMA_CLOUD, "RERANK_LAB_CHROMA_TOKEN", server.token)

    def _open(self) -> ClientAPI:
        import chromadb
        import httpx
        from chromadb.errors import NotFoundError

        tenant, database = self._greet()
        try:
            client = chromadb.HttpClient(self.server.url, headers=self._headers, tenant=tenant, database=database)
        except NotFoundError as error:
            raise ChromaDatabaseMissing(
                service=self.peer.service, address=self.peer.address, database=database, tenant=tenant
            ) from error
        # Chroma's client waits for ever, and has no setting for it.
        session: Any = client
        session._server._session.timeout = httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS)
        return client

    def _wrote(self) -> None:
        """Do nothing: a server looks after its own files."""

    @property
    def _headers(self) -> dict[str, str]:
        """Return both headers that carry a token: Chroma Cloud reads the first, proxies often read the other."""
        token = self.server.token
        return {"X-Chroma-Token": token, "Authorization": f"Bearer {token}"} if token else {}

    def _greet(self) -> tuple[str, str]:
        """Ask who is there, in a short time; return the tenant and database that are set, or that the server names."""
        answer = self._ask("/api/v2/auth/identity")
        try:
            known = answer.json()
            tenant, databases = known["tenant"], [name for name in known["databases"] if name != "*"]
        except (ValueError, KeyError, TypeError) as error:
            raise self._stranger() from error
        only = databases[0] if len(databases) == 1 else "default_database"
        return self.server.tenant or tenant, self.server.database or only

    def _ask(self, path: str) -> httpx.Response:
        import httpx

        try:
            answer = httpx.get(self.server.url + path, headers=self._headers, timeout=CONNECT_SECONDS)
        except httpx.HTTPError as error:
            raise self._unusable(error) from error
        if answer.status_code in (401, 403):
            raise self.peer.key_refused("")
        if answer.is_server_error:
            raise self.peer.unreachable(f"HTTP {answer.status_code}")
        return answer

    def _stranger(self) -> ChromaTooOld | NotChroma:
        """Return the error for a server that does not speak as we do: an old Chroma, or something else."""
        service, address, answer = self.peer.service, self.peer.address, self._ask("/api/v1/version")
        version = answer.text.strip().strip('"')
        if answer.is_success and version[:1].isdigit() and len(version) < LONGEST_VERSION:
            return ChromaTooOld(service=service, address=address, version=version)
        return NotChroma(service=service, address=address)

    def _put_away(self, name: str) -> None:
        """Drop the one collection that may be damaged, once the server has shown that it is well."""
        self._greet()
        if name:
            self._drop(name)

    def _unusable(self, error: BaseException) -> RerankLabError:
        import httpx

        if isinstance(error, httpx.TimeoutException):
            waited = "connect" if isinstance(error, httpx.ConnectTimeout) else "read"
            return self.peer.timeout(error.request.extensions["timeout"][waited])
        if isinstance(error, httpx.HTTPError):
            return self.peer.unreachable(str(error))
        return ChromaFailed(service=self.peer.service, address=self.peer.address, reason=self.peer.quoted(str(error)))
