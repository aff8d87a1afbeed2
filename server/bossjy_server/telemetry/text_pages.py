"""OperationsPages of the operations port: short texts beside the metrics, such as health and public keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

LIVE, READY, JWKS = "/livez", "/readyz", "/jwks.json"


@dataclass(frozen=True, slots=True)
class Page:
    """One answer over HTTP."""

    body: str
    content_type: str = "text/plain; charset=utf-8"
    status: int = 200


# By path. A page is made in a thread of the endpoint, for each request.
OperationsPages: TypeAlias = Mapping[str, Callable[[], Page]]
