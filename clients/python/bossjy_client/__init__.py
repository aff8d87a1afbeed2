"""Python client of BossJy: validated phone numbers, imports that count each row once, contacts.

All public names are listed here. The messages are those of the contracts: packages `bossjy.phone.v1`,
`bossjy.imports.v1`, `bossjy.contacts.v1`, `bossjy.auth.v1`. A name is imported at its first use, so that a program pays
for the parts that it uses.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bossjy_client.client import Client
    from bossjy_client.clients import AsyncClient, SyncClient
    from bossjy_client.config import ClientConfig
    from bossjy_client.errors import (
        BossjyError,
        ConflictError,
        CredentialsError,
        FieldViolation,
        InvalidRequestError,
        LimitError,
        NotFoundError,
        PermissionDeniedError,
        SourceError,
        UnauthenticatedError,
        UnavailableError,
        UploadError,
    )
    from bossjy_client.extras import MissingExtraError
    from bossjy_client.import_advice import region_advice
    from bossjy_client.phone_stream import TextBatch
    from bossjy_client.read_options import ReaderLimits, ReadOptions
    from bossjy_client.tokens import SessionSource, SessionTokens, StaticToken, TokenSource
    from bossjy_client.upload import UploadProgress

__all__ = [
    "AsyncClient",
    "BossjyError",
    "Client",
    "ClientConfig",
    "ConflictError",
    "CredentialsError",
    "FieldViolation",
    "InvalidRequestError",
    "LimitError",
    "MissingExtraError",
    "NotFoundError",
    "PermissionDeniedError",
    "ReadOptions",
    "ReaderLimits",
    "SessionSource",
    "SessionTokens",
    "SourceError",
    "StaticToken",
    "SyncClient",
    "TextBatch",
    "TokenSource",
    "UnauthenticatedError",
    "UnavailableError",
    "UploadError",
    "UploadProgress",
    "region_advice",
]

_MODULES = {
    "AsyncClient": "clients",
    "BossjyError": "errors",
    "ClientConfig": "config",
    "ConflictError": "errors",
    "CredentialsError": "errors",
    "FieldViolation": "errors",
    "InvalidRequestError": "errors",
    "LimitError": "errors",
    "MissingExtraError": "extras",
    "NotFoundError": "errors",
    "PermissionDeniedError": "errors",
    "ReadOptions": "read_options",
    "ReaderLimits": "read_options",
    "SessionSource": "tokens",
    "SessionTokens": "tokens",
    "SourceError": "errors",
    "StaticToken": "tokens",
    "SyncClient": "clients",
    "TextBatch": "phone_stream",
    "TokenSource": "tokens",
    "UnauthenticatedError": "errors",
    "UnavailableError": "errors",
    "UploadError": "errors",
    "UploadProgress": "upload",
    "region_advice": "import_advice",
}


def __getattr__(name: str) -> Any:
    """A public name, or the former name `Client` of AsyncClient."""
    if name in _MODULES:
        found = globals()[name] = getattr(import_module(f"bossjy_client.{_MODULES[name]}"), name)
        return found
    if name == "Client":
        import warnings  # noqa: PLC0415 - for users of the former name only

        warnings.warn(
            "bossjy_client.Client is AsyncClient: use that name, or SyncClient without asyncio. "
            "A later version gives the name Client to the synchronous one.",
            DeprecationWarning,
            stacklevel=2,
        )
        return __getattr__("AsyncClient")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
