"""Causes of a failed connection, named from gRPC's texts: refused, name not known, TLS, certificate, proxy."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass

# A refused connection may be a server that starts; these causes do not pass.
_LASTING = (
    ("DNS resolution failed", "the name of the host is not known: check the address"),
    ("Domain name not found", "the name of the host is not known: check the address"),
    (
        "CERTIFICATE_VERIFY_FAILED",
        "the server's certificate is not trusted, or is for another name: check root_certificates (--ca-file)",
    ),
    ("No match found for server name", "the server's certificate is for another name: check the address"),
    ("Hostname Verification Check failed", "the server's certificate is for another name: check the address"),
    ("WRONG_VERSION_NUMBER", "the server does not speak TLS: connect with plaintext=True (--no-tls)"),
    ("Ssl handshake failed", "the TLS handshake failed: the server may not speak TLS, or require a certificate"),
    ("SSL_ERROR", "the TLS handshake failed: the server may not speak TLS, or require a certificate"),
    ("Cannot check peer", "the server's certificate is for another name: check the address"),
)
_PASSING = (
    ("Connection refused", "the connection is refused: check the address, and that the server runs"),
    ("Socket closed", "the server closes the connection: it may require TLS: plaintext=False (--tls)"),
    ("Connection reset", "the server closes the connection: it may require TLS: plaintext=False (--tls)"),
    ("Broken pipe", "the server closes the connection: it may require TLS: plaintext=False (--tls)"),
    ("unreachable", "the network of the host cannot be reached"),
    ("HTTP proxy returned", "the proxy refuses the connection: set no_proxy for this host"),
    ("Failed to connect to HTTP proxy", "the proxy cannot be reached: set no_proxy for this host"),
)
# The beginnings of gRPC's texts with the policies pick_first and round_robin.
_NEVER_SENT = ("failed to connect to all addresses", "connections to all backends failing")
# Time of the own connection that tells a silent service from a silent address.
_PROBE_S = 0.3
_PROXIES = ("grpc_proxy", "https_proxy", "http_proxy")


@dataclass(frozen=True, slots=True)
class Cause:
    """The cause in words, and true if it does not pass while one waits."""

    text: str
    lasting: bool


def cause_of(details: str) -> Cause | None:
    """The cause in the details of an UNAVAILABLE of gRPC; None for an unknown text."""
    for lasting, texts in ((True, _LASTING), (False, _PASSING)):
        for mark, text in texts:
            if mark.lower() in details.lower():
                return Cause(text + _by_proxy(), lasting)
    return None


async def silence(target: str, waited_s: float) -> str:
    """The cause in words if gRPC has none: the address accepts no connection, or it accepts one and says nothing."""
    host, _, port = target.rpartition(":")
    if not host:
        return f"nothing answers within {waited_s:g} s: the target has no port, give HOST:PORT"
    try:
        async with asyncio.timeout(_PROBE_S):
            _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    except (TimeoutError, OSError, ValueError):
        return (
            f"nothing answers within {waited_s:g} s: check the address and the firewall, or wait longer "
            f"(connect_timeout_s){_by_proxy()}"
        )
    writer.close()
    return (
        f"it accepts the connection and says nothing within {waited_s:g} s: check the port, which may be that of "
        f"another service, or wait longer (connect_timeout_s){_by_proxy()}"
    )


def never_sent(details: str) -> bool:
    """True if the call failed because there was no connection, so that the server has not seen it."""
    return details.startswith(_NEVER_SENT)


def _by_proxy() -> str:
    name = next((name for name in _PROXIES if os.environ.get(name)), "")
    return f" (the environment names a proxy: {name})" if name else ""
