"""Python client of BossJy: validated phone numbers, imports that count each row once, contacts.

All public names are listed here. The messages are those of the contracts: packages `bossjy.phone.v1`,
`bossjy.imports.v1`, `bossjy.contacts.v1`, `bossjy.auth.v1`.
"""

from __future__ import annotations

from bossjy_client.client import Client
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
from bossjy_client.import_advice import region_advice
from bossjy_client.phone_stream import TextBatch
from bossjy_client.read_options import ReaderLimits, ReadOptions
from bossjy_client.tokens import SessionSource, SessionTokens, StaticToken, TokenSource
from bossjy_client.upload import UploadProgress

__all__ = [
    "BossjyError",
    "Client",
    "ClientConfig",
    "ConflictError",
    "CredentialsError",
    "FieldViolation",
    "InvalidRequestError",
    "LimitError",
    "NotFoundError",
    "PermissionDeniedError",
    "ReadOptions",
    "ReaderLimits",
    "SessionSource",
    "SessionTokens",
    "SourceError",
    "StaticToken",
    "TextBatch",
    "TokenSource",
    "UnauthenticatedError",
    "UnavailableError",
    "UploadError",
    "UploadProgress",
    "region_advice",
]
