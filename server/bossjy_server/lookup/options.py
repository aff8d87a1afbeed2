"""The settings of live look-ups, with their defaults. Times are seconds."""

from __future__ import annotations

import ipaddress
import re
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from bossjy_server.lookup.pointers import Pointer

PLACE = "{e164}"
_HEADER = re.compile(r"[A-Za-z0-9-]{1,100}")


@dataclass(frozen=True, slots=True)
class LookupOptions:
    """What is asked, how often, and for how long an answer counts. `check()` refuses what cannot work."""

    # The provider: a URL in which {e164} stands for the number, and one header with a secret.
    # Empty: there is none, and every look-up is refused. Its query may hold a key.
    url: str = field(default="", repr=False)
    header: str = "Authorization"
    secret: str = field(default="", repr=False)  # the header's value
    secret_file: str = ""  # holds the header's value instead
    ca_file: str = ""  # PEM file of the authorities that its certificate may be of; empty: the public ones

    # Where the answer stands in the provider's JSON: JSON pointers (RFC 6901).
    carrier: str = "/carrier"
    line_status: str = "/line_status"
    ported: str = "/ported"

    timeout_s: float = 2.0  # of one question; a caller's deadline may end it sooner
    per_second: int = 10  # questions of all processes together, repeated ones too
    per_day: int = 1000  # by the UTC day
    tenant_per_day: int = 0  # of these, for one tenant; 0: as many as there are
    ttl_s: float = 86_400.0  # an answer is kept for so long
    unknown_ttl_s: float = 3600.0  # and that a number is not known
    running: int = 32  # look-ups at once in one process, those that wait for the same answer too

    # Not settings of a server: what a well-behaved provider never reaches.
    most_bytes: int = 64 * 1024
    longest_pause_s: float = 3600.0  # what a Retry-After may ask for

    def check(self) -> None:
        """Raise ValueError with one line when a value cannot work."""
        parts = urlsplit(self.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("BOSSJY_LOOKUP_URL must begin with `https://` and name a host")
        if parts.scheme == "http" and not _loopback(parts.hostname):
            raise ValueError("BOSSJY_LOOKUP_URL must begin with `https://`: `http://` is for this machine alone")
        if PLACE not in parts.path + parts.query or PLACE in parts.netloc or "@" in parts.netloc:
            raise ValueError(f"BOSSJY_LOOKUP_URL must hold {PLACE} in its path or query, and no password")
        for text in (self.carrier, self.line_status, self.ported):
            Pointer(text)
        if not _HEADER.fullmatch(self.header):
            raise ValueError("BOSSJY_LOOKUP_HEADER must be the name of a header, such as `Authorization`")
        if self.secret and self.secret_file:
            raise ValueError("set one of BOSSJY_LOOKUP_SECRET and BOSSJY_LOOKUP_SECRET_FILE")
        if self.ca_file and parts.scheme != "https":
            raise ValueError("BOSSJY_LOOKUP_CA_FILE needs a BOSSJY_LOOKUP_URL that begins with `https://`")

    def header_value(self) -> str:
        """The secret. Blocks to read its file. Raises ValueError, which does not tell the secret."""
        value = self.secret
        if self.secret_file:
            try:
                value = Path(self.secret_file).read_text("utf-8").strip()
            except OSError as error:
                raise ValueError(f"BOSSJY_LOOKUP_SECRET_FILE cannot be read: {error.strerror}") from error
            if not value:
                raise ValueError("the file of BOSSJY_LOOKUP_SECRET_FILE is empty")
        if not value.isascii() or not value.isprintable():
            raise ValueError("the secret of live look-ups must be one line of ASCII")
        return value

    def tls_context(self) -> ssl.SSLContext | None:
        """Trust in the authorities of `ca_file` alone; None where it is not set. Blocks. Raises ValueError."""
        if not self.ca_file:
            return None
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
        except ssl.SSLError as error:
            raise ValueError("the file of BOSSJY_LOOKUP_CA_FILE holds no certificates in PEM") from error
        except OSError as error:
            raise ValueError(f"BOSSJY_LOOKUP_CA_FILE cannot be read: {error.strerror}") from error
        # From Python 3.13 on it would refuse what many private authorities sign: certificates without key identifiers.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        return context


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
