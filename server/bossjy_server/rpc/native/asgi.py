"""ASGI's types, as far as the native front end uses them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Event = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

BODY, DISCONNECT = "http.request", "http.disconnect"
START, PART, TRAILERS = "http.response.start", "http.response.body", "http.response.trailers"
