"""Who is asked over HTTP, and where each failure of one becomes an error of ours.

What a server says may quote the key that it was sent: nothing of it is passed on before the key is blanked out.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from rag_core.errors import (
    ServerAddress,
    ServerBadAnswer,
    ServerBusy,
    ServerError,
    ServerInternal,
    ServerKey,
    ServerKeyGarbled,
    ServerKeyMissing,
    ServerRefused,
    ServerScheme,
    ServerTimeout,
    ServerUnreachable,
)
from rag_core.servers import http

LONGEST_QUOTE = 200


@dataclass(frozen=True, slots=True)
class Peer:
    """One of ``errors.SERVICES`` at an address, asked in the API called ``form``; ``example`` is an address of one.

    ``setting`` holds the key. With ``guarded`` the address must not lie in this machine's own network.
    """

    service: str
    url: str
    form: str
    example: str
    setting: str
    key: str = field(default="", repr=False)
    guarded: bool = False

    @property
    def address(self) -> str:
        """Return the address as it may be shown and kept: without key, user name, password and parameters."""
        return self.without_key(http.shown(self.url))

    def without_key(self, text: str) -> str:
        """Blank out this peer's key in a text, see ``http.without_key``."""
        return http.without_key(text, self.key)

    def quoted(self, text: str) -> str:
        """Return the beginning of what a server or the system said, without the key."""
        return self.without_key(text)[:LONGEST_QUOTE]

    def check(self, wants_key: bool) -> None:
        """Look at address and key before anything is sent.

        Raises:
            ServerScheme, ServerAddress, ServerInternal: the address is none, or not for a visitor.
            ServerKeyMissing, ServerKeyGarbled: there is no key though it ``wants_key``, or no header can hold it.
        """
        if http.lacks_scheme(self.url):
            raise ServerScheme(service=self.service, address=self.address)
        if not http.is_http(self.url):
            raise self.no_api()
        if wants_key and not self.key:
            raise ServerKeyMissing(service=self.service, address=self.address, setting=self.setting)
        if not http.fits_a_header(self.key):
            raise ServerKeyGarbled(service=self.service, address=self.address)
        if self.guarded and http.is_internal(self.url):
            raise ServerInternal(service=self.service, address=self.address)

    def refusal(self, status: int, said: str, wait: float | None) -> ServerError:
        """Return the error for a status that is no success; ``wait`` is the seconds that the server asks for."""
        said = self.quoted(said)
        if status in (401, 403):
            return self.key_refused(said)
        if status in (404, 405) and not http.is_of_a_model(said):
            return self.no_api(said)
        if status in (429, 503) and wait:
            return self._busy(status, said, wait)
        return ServerRefused(service=self.service, address=self.address, status=status, said=said)

    def key_refused(self, said: str) -> ServerKey:
        """Return the error for a key that was not accepted; ``said`` is the server's sentence."""
        return ServerKey(service=self.service, address=self.address, setting=self.setting, said=self.quoted(said))

    def no_api(self, said: str = "") -> ServerAddress:
        """Return the error for an address at which something else answers, or nothing; ``said`` is its sentence."""
        return ServerAddress(
            service=self.service, address=self.address, form=self.form, example=self.example, said=self.quoted(said)
        )

    def timeout(self, seconds: float) -> ServerTimeout:
        """Return the error for an answer that was not whole after so many seconds."""
        return ServerTimeout(service=self.service, address=self.address, seconds=f"{seconds:g}")

    def unreachable(self, reason: str) -> ServerUnreachable:
        """Return the error for a connection that failed; ``reason`` is what the system says."""
        return ServerUnreachable(service=self.service, address=self.address, reason=self.quoted(reason))

    def bad_answer(self, reason: str, text: str = "") -> ServerBadAnswer:
        """Return the error for an answer that is not one; ``text`` is what came of it."""
        return ServerBadAnswer(
            service=self.service,
            address=self.address,
            form=self.form,
            reason=self.quoted(reason),
            text=self.without_key(text),
        )

    def _busy(self, status: int, said: str, wait: float) -> ServerBusy:
        seconds = f"{wait:.0f}"
        return ServerBusy(service=self.service, address=self.address, status=status, seconds=seconds, said=said)
