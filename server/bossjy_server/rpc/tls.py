"""TLS of the port: certificates from files, read again when the files change, so that a renewal needs no restart."""

from __future__ import annotations

import logging
import re
import ssl
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import grpc

from bossjy_server.errors import StartError

_LOG = logging.getLogger(__name__)


# What can stand for a service account: a URI, or where the certificate has none its common name.
_URI = re.compile(r"[a-z][a-z0-9+.-]*:[!-~]+")
_COMMON_NAME = re.compile(r"[A-Za-z0-9._@ -]+")
NAME_MAX_CHARS = 200


@dataclass(frozen=True, slots=True)
class TlsOptions:
    """PEM files. `client_ca` set: only clients that show a certificate of that authority get a connection."""

    certificate: Path  # the server's own, then those between it and its root
    key: Path
    client_ca: Path | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """All the files that are read."""
        return (self.certificate, self.key) if self.client_ca is None else (self.certificate, self.key, self.client_ca)


# What tells a changed file: a renewal writes another file in its place or another time into it.
_Stamp = tuple[tuple[int, int, int], ...]


class Certificates:
    """The certificates of one port. grpc asks for them at each handshake, from threads of its own.

    The protocol is TLS 1.2 at least: grpc has no older one. Files that do not fit together (a renewal that is half
    written) leave the certificates as they are, with a warning, until they fit.
    """

    def __init__(self, options: TlsOptions) -> None:
        """Read the files. Raises StartError with one line when they cannot serve."""
        self._options = options
        self._lock = threading.Lock()
        try:
            self._stamp = self._stamp_now()
            self._configuration = self._read()
        except (OSError, ValueError) as error:
            raise StartError(_fault(options, error)) from error

    def credentials(self) -> grpc.ServerCredentials:
        """What a server listens with."""
        # None means «as before», which the stubs leave out.
        fetch = cast("Callable[[], grpc.ServerCertificateConfiguration]", self.changed)
        return grpc.dynamic_ssl_server_credentials(
            self._configuration, fetch, require_client_authentication=self._options.client_ca is not None
        )

    def changed(self) -> grpc.ServerCertificateConfiguration | None:
        """The certificates where they changed since the last call, else None. Costs a `stat` of each file."""
        with self._lock:
            try:
                stamp = self._stamp_now()
                if stamp == self._stamp:
                    return None
                configuration = self._read()
            except (OSError, ValueError) as error:
                _LOG.warning("%s; the certificates that are loaded go on", _fault(self._options, error))
                return None
            self._stamp, self._configuration = stamp, configuration
        _LOG.warning("certificates were read again")
        return configuration

    def _stamp_now(self) -> _Stamp:
        states = (path.stat() for path in self._options.files)
        return tuple((state.st_mtime_ns, state.st_size, state.st_ino) for state in states)

    def _read(self) -> grpc.ServerCertificateConfiguration:
        options = self._options
        # Refuses a key that does not belong to the certificate. Never asks for a pass phrase on the terminal.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(options.certificate, options.key, password="")
        roots = None
        if options.client_ca is not None:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(options.client_ca)
            roots = options.client_ca.read_bytes()
        return grpc.ssl_server_certificate_configuration(
            [(options.key.read_bytes(), options.certificate.read_bytes())], root_certificates=roots
        )


def _fault(options: TlsOptions, error: Exception) -> str:
    names = ", ".join(str(path) for path in options.files)
    why = error.strerror if isinstance(error, OSError) and not isinstance(error, ssl.SSLError) else str(error)
    return f"TLS cannot be had from {names} ({why}): name PEM files that belong together"


def peer_names(properties: Mapping[str, Iterable[bytes]]) -> tuple[str, ...]:
    """The names that the peer's certificate bears: its URIs; where it has none `CN=` and its common name.

    `properties` are those that grpc holds of the connection. They are of a certificate that was verified, since a port
    asks for one only where it also demands one of its authority. Two names are for the caller to refuse.
    """
    uris = tuple(properties.get("peer_uri", ()))
    names = [_text(value) for value in uris] or [f"CN={_text(v)}" for v in properties.get("x509_common_name", ())]
    return tuple(names) if all(is_name(one) for one in names) else ()


def is_name(text: str) -> bool:
    """Whether a text can be what `peer_names` gives: `spiffe://acme/worker`, `CN=worker`."""
    pattern, name = (_COMMON_NAME, text[3:]) if text.startswith("CN=") else (_URI, text)
    return len(text) <= NAME_MAX_CHARS and pattern.fullmatch(name) is not None


def _text(value: bytes) -> str:
    return value.decode("ascii", "replace")
