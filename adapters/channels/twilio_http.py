"""Twilio's async client over connections that are kept, with our time-outs and nothing done that a warning does not need."""

import base64
import logging
from collections.abc import Mapping
from typing import Any

import aiohttp
from twilio.auth_strategy.auth_type import AuthType
from twilio.credential.credential_provider import CredentialProvider
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.http.response import Response
from twilio.rest import Client

_KEEP_ALIVE_S = 60


class TwilioHttp(AsyncTwilioHttpClient):
    """What carries the requests of Twilio's client; ``close`` lets go of all connections.

    Twilio's own passes no time-out, which aiohttp takes for 'wait for ever', and spends half of its time on log lines and forms.
    """

    def __init__(self, *, connections: int, connect_timeout_s: float, timeout_s: float) -> None:
        """Opens nothing."""
        # A logger of its own: the library writes numbers into its log at level INFO.
        super().__init__(pool_connections=False, logger=logging.Logger("twilio", logging.ERROR))  # noqa: LOG001
        self._connections = connections
        self._timeout = aiohttp.ClientTimeout(total=None, sock_connect=connect_timeout_s, sock_read=timeout_s)

    async def request(  # type: ignore[override]  # noqa: PLR0913, PLR0917 - the signature is that of Twilio's own async client
        self,
        method: str,
        url: str,
        params: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: object = None,  # noqa: ARG002 - the header says it already
        timeout: float | None = None,  # noqa: ARG002, ASYNC109 - ours are longer than a library call
        allow_redirects: bool = False,  # noqa: FBT001, FBT002 - Twilio's signature
    ) -> Response:
        """One request, one answer, read to its end."""
        if self.session is None:
            connector = aiohttp.TCPConnector(limit=self._connections, keepalive_timeout=_KEEP_ALIVE_S)
            self.session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar(), timeout=self._timeout)
        body = form(data) if data else None
        async with self.session.request(
            method, url, params=params, data=body, headers=headers, allow_redirects=allow_redirects
        ) as response:
            return Response(response.status, (await response.read()).decode("utf-8", "replace"), response.headers)

    async def close(self) -> None:
        """Close the connections; a later request opens new ones."""
        session, self.session = self.session, None
        if session is not None:
            await session.close()


class _Basic(CredentialProvider):
    """Account and token as a ready header. Twilio's own way goes through a class that aiohttp has announced to remove."""

    def __init__(self, account: str, token: str) -> None:
        super().__init__(AuthType.BASIC)
        self._header = "Basic " + base64.b64encode(f"{account}:{token}".encode()).decode()

    def to_auth_strategy(self) -> "_Basic":
        return self

    def get_auth_string(self) -> str:
        return self._header


def client_of(http: TwilioHttp, account: str, token: str, base_url: str) -> Client:
    """Twilio's client for an account, at another address than Twilio's if need be."""
    client = Client(account_sid=account, http_client=http, credential_provider=_Basic(account, token))
    client.api.base_url = base_url
    return client


def form(fields: Mapping[str, Any]) -> bytes:
    """A form with every byte of a value escaped: five times as fast as choosing which, for a text that is Chinese anyway."""
    pairs = ((name, value) for name, given in fields.items() for value in (given if isinstance(given, list) else [given]))
    return "&".join(f"{name}={_escaped(str(value).encode())}" for name, value in pairs).encode("ascii")


def _escaped(value: bytes) -> str:
    return "%" + value.hex("%") if value else ""
