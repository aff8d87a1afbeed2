"""Settings of live look-ups, with their defaults. Times are seconds."""

from __future__ import annotations

import ipaddress
import re
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

from bossjy_server import setting_texts as read
from bossjy_server.lookup.pointers import Pointer
from bossjy_server.setting_texts import setting

PLACE = "{e164}"
_HEADER = re.compile(r"[A-Za-z0-9-]{1,100}")


@dataclass(frozen=True, slots=True)
class LookupOptions:
    """Provider, budget and cache times of look-ups. `check()` refuses unusable values."""

    # The provider: a URL in which {e164} is replaced by the number, and one header with a secret. If it is empty, there
    # is none, and every look-up is refused. Its query may contain a key.
    url: str = setting(
        "BOSSJY_LOOKUP_URL",
        "",
        read.url("https", "http"),
        "HTTP provider of live look-ups: a URL with {e164} for the number. If empty, look-ups are off.",
        secret=True,  # its query may contain a key
    )
    header: str = setting("BOSSJY_LOOKUP_HEADER", "Authorization", str, "Header that carries the provider's secret.")
    secret: str = setting(
        "BOSSJY_LOOKUP_SECRET",
        "",
        str,
        "The header's whole value, such as `Bearer …`. If empty, no header.",
        secret=True,
    )
    ca_file: str = setting(
        "BOSSJY_LOOKUP_CA_FILE",
        "",
        str,
        "PEM file of the authorities of the provider's certificate. If empty, the public ones.",
    )

    # Positions of values in the provider's JSON: JSON pointers (RFC 6901).
    carrier: str = setting(
        "BOSSJY_LOOKUP_CARRIER", "/carrier", str, "JSON pointer to the carrier in the provider's answer."
    )
    line_status: str = setting(
        "BOSSJY_LOOKUP_LINE_STATUS", "/line_status", str, "JSON pointer to the line or its status."
    )
    ported: str = setting(
        "BOSSJY_LOOKUP_PORTED", "/ported", str, "JSON pointer to the ported status of the number: true or false."
    )

    timeout_s: float = setting(
        "BOSSJY_LOOKUP_TIMEOUT_S",
        2.0,
        read.decimal(0.05, 60),
        "Longest wait for the provider in seconds, within a call's deadline.",
    )
    per_second: int = setting(
        "BOSSJY_LOOKUPS_PER_SECOND",
        10,
        read.whole(1, 100_000),
        "Queries per second to the provider, all processes together.",
    )
    per_day: int = setting(
        "BOSSJY_LOOKUPS_PER_DAY",
        1000,
        read.whole(1, 10**9),
        "Queries per day to the provider, all processes together, from midnight UTC.",
    )
    tenant_per_day: int = setting(
        "BOSSJY_LOOKUPS_PER_DAY_PER_TENANT",
        0,
        read.whole(0, 10**9),
        "Queries per day to the provider for one tenant; 0: no separate limit.",
    )
    ttl_s: float = setting(
        "BOSSJY_LOOKUP_TTL_S",
        86_400.0,
        read.decimal(1, 30 * 86_400),
        "Seconds for which an answer of the provider is cached.",
    )
    unknown_ttl_s: float = setting(
        "BOSSJY_LOOKUP_UNKNOWN_TTL_S",
        3600.0,
        read.decimal(1, 30 * 86_400),
        "Seconds for which a number that the provider does not know is cached.",
    )
    running: int = setting("BOSSJY_LOOKUPS_RUNNING", 32, read.whole(1, 10_000), "Simultaneous look-ups in one process.")

    # Not settings of a server: bounds that a well-behaved provider never reaches.
    most_bytes: int = 64 * 1024
    longest_pause_s: float = 3600.0  # the maximum delay of a Retry-After

    def check(self) -> None:
        """Raise ValueError with one line if a value is unusable."""
        parts = urlsplit(self.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("BOSSJY_LOOKUP_URL must begin with `https://` and name a host")
        if parts.scheme == "http" and not _loopback(parts.hostname):
            raise ValueError("BOSSJY_LOOKUP_URL must begin with `https://`: `http://` is only for this machine")
        if PLACE not in parts.path + parts.query or PLACE in parts.netloc or "@" in parts.netloc:
            raise ValueError(f"BOSSJY_LOOKUP_URL must contain {PLACE} in its path or query, and no password")
        for text in (self.carrier, self.line_status, self.ported):
            Pointer(text)
        if not _HEADER.fullmatch(self.header):
            raise ValueError("BOSSJY_LOOKUP_HEADER must be the name of a header, such as `Authorization`")
        if not self.secret.isascii() or not self.secret.isprintable():
            raise ValueError("BOSSJY_LOOKUP_SECRET must be one line of printable ASCII")
        if self.ca_file and parts.scheme != "https":
            raise ValueError("BOSSJY_LOOKUP_CA_FILE needs a BOSSJY_LOOKUP_URL that begins with `https://`")

    def tls_context(self) -> ssl.SSLContext | None:
        """Trust in only the authorities of `ca_file`; None if it is not set. Blocks. Raises ValueError."""
        if not self.ca_file:
            return None
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
        except ssl.SSLError as error:
            raise ValueError("the file of BOSSJY_LOOKUP_CA_FILE contains no certificates in PEM") from error
        except OSError as error:
            raise ValueError(f"BOSSJY_LOOKUP_CA_FILE cannot be read: {error.strerror}") from error
        # From Python 3.13 it refuses certificates of many private authorities: those without key identifiers.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        return context


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
