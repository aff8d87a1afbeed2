"""Generic HTTP provider: one GET for each number, with a JSON response. Its size and its waits are bounded."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from datetime import UTC
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any
from urllib.parse import quote

import httpx
import orjson

from bossjy_server.lookup.options import PLACE, LookupOptions
from bossjy_server.lookup.pointers import Pointer
from bossjy_server.lookup.provider import Answer, ProviderBusy, ProviderFailed, ProviderFaltered

_MOST_CHARACTERS = 100
_BUSY_PAUSE_S = 1.0  # if a 429 states no delay
_FALTERS = frozenset({500, 502, 503, 504})


class HttpProvider:
    """A provider with an HTTP API. `close()` it.

    `tls_context`: the authorities of its certificate. If None, the public ones.
    """

    def __init__(
        self,
        options: LookupOptions,
        tls_context: ssl.SSLContext | None = None,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._options, self._clock = options, clock
        self._carrier, self._line_status, self._ported = (
            Pointer(text) for text in (options.carrier, options.line_status, options.ported)
        )
        # Compressed bodies can grow without bound.
        headers = {"accept": "application/json", "accept-encoding": "identity", "user-agent": "bossjy"}
        if options.secret:
            headers[options.header] = options.secret
        self._client = httpx.AsyncClient(
            headers=headers,
            follow_redirects=False,  # the number and the secret go to nobody else
            trust_env=False,  # only the settings are read from the environment
            timeout=options.timeout_s,
            verify=tls_context or True,
            limits=httpx.Limits(max_connections=options.running, max_keepalive_connections=8, keepalive_expiry=30.0),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def ask(self, e164: str) -> Answer | None:
        """As Provider.ask. 404: unknown number."""
        url = self._options.url.replace(PLACE, quote(e164, safe=""))
        # Errors of httpx contain the request with its URL: none of them may leave this function.
        try:
            async with self._client.stream("GET", url) as response:
                return await self._read(response)
        except httpx.TimeoutException:
            raise ProviderFailed("the provider did not answer in time") from None
        except httpx.RequestError as error:
            raise ProviderFaltered(f"the connection to the provider failed: {type(error).__name__}") from None

    async def _read(self, response: httpx.Response) -> Answer | None:
        status = response.status_code
        if status in {429, 503}:
            pause_s = self._pause_s(response.headers.get("retry-after", ""))
            if pause_s is not None or status == 429:
                raise ProviderBusy(f"the provider answered {status}", _BUSY_PAUSE_S if pause_s is None else pause_s)
        if status in _FALTERS:
            raise ProviderFaltered(f"the provider answered {status}")
        if status not in {200, 404}:
            raise ProviderFailed(f"the provider answered {status}")
        body = await self._body(response)
        if status == 404:
            return None
        try:
            document = orjson.loads(body)
        except orjson.JSONDecodeError:
            document = None
        if not isinstance(document, dict | list):
            raise ProviderFailed("the provider's answer is not a JSON object or array")
        ported = self._ported.value(document)
        return Answer(
            _text(self._carrier.value(document)),
            _text(self._line_status.value(document)),
            ported if isinstance(ported, bool) else None,
            self._clock(),
        )

    async def _body(self, response: httpx.Response) -> bytes:
        if response.headers.get("content-encoding", "identity") != "identity":
            raise ProviderFailed("the provider's answer is compressed, which was not requested")
        body = bytearray()
        async for piece in response.aiter_raw():
            body += piece
            if len(body) > self._options.most_bytes:
                raise ProviderFailed(f"the provider's answer has more than {self._options.most_bytes} bytes")
        return bytes(body)

    def _pause_s(self, text: str) -> float | None:
        """The delay in a Retry-After, in seconds or as a date, within bounds; None if it cannot be read."""
        try:
            if text.isascii() and text.isdigit():
                seconds = float(text)
            else:
                moment = parsedate_to_datetime(text)
                seconds = moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() - self._clock()
        except (ValueError, OverflowError):
            return None
        return min(max(seconds, 0.0), self._options.longest_pause_s)


def _text(value: Any) -> str:
    """A text or a whole number, printable and short; '' for anything else."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        return ""
    return "".join(one for one in value if one.isprintable())[:_MOST_CHARACTERS].strip()
