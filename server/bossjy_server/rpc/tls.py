"""TLS of the port: certificates from files, read again after a change, so that a renewal needs no restart."""

from __future__ import annotations

import logging
import re
import ssl
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import grpc
from cryptography import x509

from bossjy_server.errors import StartError

_LOG = logging.getLogger(__name__)


# Names that can be bound to a service account: a URI, or the common name if the certificate has no URI.
_URI = re.compile(r"[a-z][a-z0-9+.-]*:[!-~]+")
_COMMON_NAME = re.compile(r"[A-Za-z0-9._@ -]+")
NAME_MAX_CHARS = 200


@dataclass(frozen=True, slots=True)
class TlsOptions:
    """PEM files. If `client_ca` is set, only clients with a certificate of that authority get a connection."""

    certificate: Path  # the server's own, then those between it and its root
    key: Path
    client_ca: Path | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """All the files to read."""
        return (self.certificate, self.key) if self.client_ca is None else (self.certificate, self.key, self.client_ca)


# The mark of a changed file: a renewal replaces the file or changes its time.
_Stamp = tuple[tuple[int, int, int], ...]


class Certificates:
    """The certificates of one port. grpc asks for them at each handshake, from threads of its own.

    The protocol is TLS 1.2 at least: grpc has no older one. If the files do not match (an unfinished renewal), the old
    certificates stay in use, with a warning, until they match.
    """

    def __init__(self, options: TlsOptions) -> None:
        """Read the files. Raises StartError with one line if they are not usable."""
        self._options = options
        self._lock = threading.Lock()
        try:
            self._stamp = self._stamp_now()
            self._configuration = self._read()
        except (OSError, ValueError) as error:
            raise StartError(_fault(options, error)) from error

    def credentials(self) -> grpc.ServerCredentials:
        """The credentials of the server."""
        # None means «as before»; the stubs omit it.
        fetch = cast("Callable[[], grpc.ServerCertificateConfiguration]", self.changed)
        return grpc.dynamic_ssl_server_credentials(
            self._configuration, fetch, require_client_authentication=self._options.client_ca is not None
        )

    def changed(self) -> grpc.ServerCertificateConfiguration | None:
        """The certificates if they changed since the last call, else None. Costs a `stat` of each file."""
        with self._lock:
            try:
                stamp = self._stamp_now()
                if stamp == self._stamp:
                    return None
                configuration = self._read()
            except (OSError, ValueError) as error:
                _LOG.warning("%s; the loaded certificates stay in use", _fault(self._options, error))
                return None
            self._stamp, self._configuration = stamp, configuration
        _LOG.warning("certificates were read again")
        return configuration

    def fault(self) -> str:
        """Check the files as they are now. Returns the fault in one line; empty if a handshake can use them."""
        try:
            self._read()
        except (OSError, ValueError) as error:
            return _fault(self._options, error)
        return ""

    def ends(self) -> dict[str, float]:
        """The Unix time at which the first certificate of each file expires. Unreadable files are omitted."""
        options = self._options
        found = {}
        for name, path in (("certificate", options.certificate), ("client_ca", options.client_ca)):
            with suppress(OSError, ValueError):
                if path is not None:
                    read = x509.load_pem_x509_certificates(path.read_bytes())
                    found[name] = min(one.not_valid_after_utc.timestamp() for one in read)
        return found

    def _stamp_now(self) -> _Stamp:
        states = (path.stat() for path in self._options.files)
        return tuple((state.st_mtime_ns, state.st_size, state.st_ino) for state in states)

    def _read(self) -> grpc.ServerCertificateConfiguration:
        options = self._options
        # Refuses a key that does not match the certificate. Never asks for a pass phrase on the terminal.
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
    return f"TLS cannot be set up from {names} ({why}): set PEM files that match"


def peer_names(properties: Mapping[str, Iterable[bytes]]) -> tuple[str, ...]:
    """The names in the peer's certificate: its URIs; if it has none, `CN=` and its common name.

    `properties` are grpc's properties of the connection. Their certificate is verified, because a port requests one
    only if it also requires one of its authority. The caller must refuse two names.
    """
    uris = tuple(properties.get("peer_uri", ()))
    names = [_text(value) for value in uris] or [f"CN={_text(v)}" for v in properties.get("x509_common_name", ())]
    return tuple(names) if all(is_name(one) for one in names) else ()


def is_name(text: str) -> bool:
    """True if a text can be a result of `peer_names`: `spiffe://acme/worker`, `CN=worker`."""
    pattern, name = (_COMMON_NAME, text[3:]) if text.startswith("CN=") else (_URI, text)
    return len(text) <= NAME_MAX_CHARS and pattern.fullmatch(name) is not None


def _text(value: bytes) -> str:
    return value.decode("ascii", "replace")
