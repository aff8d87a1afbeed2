"""Call from an ASGI scope: metadata, the peer and its certificate, the deadline."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache, partial
from typing import TypeVar

from cryptography import x509
from cryptography.x509.oid import NameOID

from bossjy_server.context import CallContext
from bossjy_server.network import Origin, TrustedProxies, origin_of_peer
from bossjy_server.rpc.call import Call
from bossjy_server.rpc.method import Method
from bossjy_server.rpc.native.asgi import Headers, Scope
from bossjy_server.rpc.request_context import new_request_id, request_id_for
from bossjy_server.rpc.tls import peer_names

_C = TypeVar("_C", bound=Call)
_NONE: frozenset[str] = frozenset()
_TIMEOUT = re.compile(r"([0-9]{1,10})([HMSmun])")  # Connect allows two digits more than gRPC
_DIGITS = 11
_SECONDS = {"H": 3600.0, "M": 60.0, "S": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9}
# HTTP/2 counts these bytes for each entry beside its key and its value.
_ENTRY_BYTES = 32
_FORWARDED = "x-forwarded-for"


def call_of(kind: type[_C], method: Method, scope: Scope, proxies: TrustedProxies | None) -> _C:
    """The call of a request, without its messages."""
    started = time.monotonic()
    entries: Headers = scope["headers"]
    metadata = {key.decode("latin-1"): value.decode("latin-1") for key, value in entries}
    repeated = _repeated(entries) if len(metadata) != len(entries) else _NONE
    offered = metadata.get("x-request-id")
    seconds = None
    if "grpc-timeout" in metadata:
        seconds = seconds_of(metadata["grpc-timeout"])
    elif "connect-timeout-ms" in metadata:
        seconds = seconds_of(metadata["connect-timeout-ms"][:_DIGITS] + "m")
    context = CallContext(
        request_id_for(offered) if offered else new_request_id(),
        method.path,
        "",
        metadata.get("user-agent", ""),
        None if seconds is None else started + seconds,
    )
    origin = _origin(scope)
    if proxies is not None and _FORWARDED in metadata and proxies.trusts(origin.address):
        forwarded = [value.decode("latin-1") for key, value in entries if key == _FORWARDED.encode()]
        origin = proxies.client(origin, forwarded)
    context.address, context.network = origin
    return kind(
        method,
        context,
        metadata,
        repeated,
        b"",
        None,
        _sends_nothing,
        started,
        peer_names=partial(certified_names, scope),
    )


async def _sends_nothing(_raw: bytes) -> None:
    raise LookupError("a unary call has no stream of answers")


def metadata_bytes(call: Call, entries: Headers) -> int:
    """The size of the metadata as HTTP/2 counts it."""
    if call.repeated:
        return sum(len(key) + len(value) + _ENTRY_BYTES for key, value in entries)
    metadata = call.metadata
    return sum(map(len, metadata)) + sum(map(len, metadata.values())) + _ENTRY_BYTES * len(metadata)


def seconds_of(timeout: str) -> float | None:
    """`grpc-timeout` in seconds; None if it is not one, as grpc ignores it."""
    found = _TIMEOUT.fullmatch(timeout)
    return None if found is None else int(found[1]) * _SECONDS[found[2]]


def _origin(scope: Scope) -> Origin:
    client = scope.get("client")
    return origin_of_host(client[0]) if client else Origin("unix", "unix")


@lru_cache(maxsize=4096)
def origin_of_host(host: str) -> Origin:
    """The origin of an address without a port."""
    return origin_of_peer(f"ipv4:{host}:0")


def _repeated(entries: Headers) -> frozenset[str]:
    return frozenset(key.decode("latin-1") for key, times in Counter(k for k, _ in entries).items() if times > 1)


def certified_names(scope: Scope) -> tuple[str, ...]:
    """The names in the verified certificate of the client; none without one."""
    chain: Sequence[str] = scope.get("extensions", {}).get("tls", {}).get("client_cert_chain", ())
    return _names(chain[0]) if chain else ()


@lru_cache(maxsize=1024)
def _names(pem: str) -> tuple[str, ...]:
    certificate = x509.load_pem_x509_certificate(pem.encode())
    try:
        alternatives = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        uris = alternatives.get_values_for_type(x509.UniformResourceIdentifier)
    except (x509.ExtensionNotFound, ValueError):
        uris = []
    common = [str(one.value) for one in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    return peer_names(
        {"peer_uri": [one.encode() for one in uris], "x509_common_name": [one.encode() for one in common]}
    )
