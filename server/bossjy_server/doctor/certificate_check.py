"""Checks of the TLS files: expiry, names, match of key and certificate, mode of the key."""

from __future__ import annotations

import ssl
import stat
import time
from pathlib import Path

from cryptography import x509

from bossjy_server.doctor.findings import Finding, date_text, fail, ok, warn
from bossjy_server.rpc.options import ServerOptions

# The alert BossJyCertificateExpires has the same number.
SOON_DAYS, _DAY_S = 14, 86_400
_RENEW = "replace the files; running servers read them at the next connection, or at SIGHUP"
_NAMES_MOST = 10


def certificate_findings(options: ServerOptions) -> list[Finding]:
    """Findings about the TLS files that the settings name. Blocks."""
    if not options.tls_certificate:
        return [ok("certificate", "the settings name none: gRPC has no TLS")]
    certificate, key = Path(options.tls_certificate), Path(options.tls_key)
    found = [*_file_findings("certificate", certificate, names=True), *_key_findings(certificate, key)]
    if options.tls_client_ca:
        found += _file_findings("client CA", Path(options.tls_client_ca), names=False)
    return found


def _file_findings(check: str, path: Path, *, names: bool) -> list[Finding]:
    try:
        read = x509.load_pem_x509_certificates(path.read_bytes())
    except OSError as error:
        return [fail(check, f"{path} cannot be read: {error.strerror}", "correct the path, the owner or the mode")]
    except ValueError:
        return [fail(check, f"{path} has no certificate in PEM", "write certificates in PEM to it")]
    found = [_time_finding(check, f"{path} for {_names(read[0])}" if names else str(path), read)]
    if names and not _alternative_names(read[0]):
        text = f"{path} has no alternative name: clients refuse it"
        found.append(fail(check, text, "issue a certificate with the names of the server"))
    return found


def _time_finding(check: str, about: str, read: list[x509.Certificate]) -> Finding:
    """The earliest end, and the latest start, of all certificates of a file."""
    now = time.time()
    end = min(one.not_valid_after_utc.timestamp() for one in read)
    start = max(one.not_valid_before_utc.timestamp() for one in read)
    if end <= now:
        return fail(check, f"{about} expired on {date_text(end)}: the other side refuses it", _RENEW)
    if start > now:
        return fail(check, f"{about} is not valid before {date_text(start)}", "correct the clock, or wait")
    if end - now < SOON_DAYS * _DAY_S:
        return warn(check, f"{about} expires in {(end - now) / _DAY_S:.1f} days", _RENEW)
    return ok(check, f"{about}, valid until {date_text(end)}")


def _key_findings(certificate: Path, key: Path) -> list[Finding]:
    try:
        mode = stat.S_IMODE(key.stat().st_mode)
        # An empty pass phrase: otherwise OpenSSL asks for one on the terminal.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password="")
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            return [fail("TLS key", f"{key} is not the key of {certificate}", "name two files of one pair")]
        text = f"{key} and {certificate} cannot be used: {error.reason}"
        return [fail("TLS key", text, "write both in PEM, the key without a pass phrase")]
    except OSError as error:
        text = f"{error.filename or key} cannot be read: {error.strerror}"
        return [fail("TLS key", text, "correct its path, its owner or its mode")]
    if mode & 0o007:
        return [warn("TLS key", f"every user may read {key} (mode {mode:o})", f"chmod 640 {key}")]
    return [ok("TLS key", f"{key} matches the certificate")]


def _alternative_names(certificate: x509.Certificate) -> list[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return []
    return [str(name.value) for name in found]


def _names(certificate: x509.Certificate) -> str:
    names = _alternative_names(certificate)
    more = f" and {len(names) - _NAMES_MOST} more" if len(names) > _NAMES_MOST else ""
    return (", ".join(names[:_NAMES_MOST]) + more) or "no name"
