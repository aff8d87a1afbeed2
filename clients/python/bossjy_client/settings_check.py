"""Check of a client's target and settings before it connects: gRPC ignores a wrong one, or waits for ever with it."""

from __future__ import annotations

import ssl

from bossjy_client.config import ClientConfig
from bossjy_client.errors import InvalidRequestError

# The beginnings of targets that `consul.py` reads.
CONSUL_SCHEMES = ("consul://", "consul+https://")
_POLICIES = ("pick_first", "round_robin", "weighted_round_robin")


def check_settings(target: str, config: ClientConfig) -> None:
    """Raises InvalidRequestError for a setting that cannot work."""
    if not target.strip():
        raise InvalidRequestError("the target is empty: give the address of the service, HOST:PORT")
    if target.startswith(("http://", "https://")):
        address = target.partition("//")[2].rstrip("/")
        tls = "True" if target.startswith("http:") else "False"
        raise InvalidRequestError(
            f"the target {target} is a URL: give {address}, and choose TLS by ClientConfig(plaintext={tls})"
        )
    if config.load_balancing and config.load_balancing not in _POLICIES:
        raise InvalidRequestError(
            f"load_balancing is {config.load_balancing!r}: the policies are {', '.join(_POLICIES)}"
        )
    if config.root_certificates is not None:
        _check_certificates(config.root_certificates, "root_certificates (--ca-file)")
    if config.certificate is not None:
        _check_certificates(config.certificate[0], "the certificate of the client (--cert-file)")
        if b"PRIVATE KEY-----" not in config.certificate[1]:
            raise InvalidRequestError("the private key of the client (--key-file) is no PEM: check the file")


def _check_certificates(pem: bytes, name: str) -> None:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=pem.decode("ascii", "replace"))
    except (ssl.SSLError, ValueError) as error:
        raise InvalidRequestError(f"{name}: these are no certificates in PEM, check the file: {error}") from error
