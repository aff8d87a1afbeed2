"""The settings of live look-ups, with their defaults. Times are seconds."""

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
    """What is asked, how often, and for how long an answer counts. `check()` refuses what cannot work."""

    # The provider: a URL in which {e164} stands for the number, and one header with a secret.
    # Empty: there is none, and every look-up is refused. Its query may hold a key.
    url: str = setting(
        "BOSSJY_LOOKUP_URL",
        "",
        read.url("https", "http"),
        "Provider of live look-ups that is asked by HTTP: a URL with {e164} for the number. Empty: none is asked.",
        secret=True,  # its query may hold a key
    )
    header: str = setting("BOSSJY_LOOKUP_HEADER", "Authorization", str, "Header that carries the provider's secret.")
    secret: str = setting(
        "BOSSJY_LOOKUP_SECRET", "", str, "The header's whole value, such as `Bearer …`. Empty: no header.", secret=True
    )
    ca_file: str = setting(
        "BOSSJY_LOOKUP_CA_FILE",
        "",
        str,
        "PEM file of the authorities that the provider's certificate may be of. Empty: the public ones.",
    )

    # Where the answer stands in the provider's JSON: JSON pointers (RFC 6901).
    carrier: str = setting(
        "BOSSJY_LOOKUP_CARRIER", "/carrier", str, "JSON pointer to the carrier in the provider's answer."
    )
    line_status: str = setting(
        "BOSSJY_LOOKUP_LINE_STATUS", "/line_status", str, "JSON pointer to the line or its status."
    )
    ported: str = setting(
        "BOSSJY_LOOKUP_PORTED", "/ported", str, "JSON pointer to whether the number was ported: true or false."
    )

    timeout_s: float = setting(
        "BOSSJY_LOOKUP_TIMEOUT_S",
        2.0,
        read.decimal(0.05, 60),
        "Longest wait for the provider, within a call's deadline.",
    )
    per_second: int = setting(
        "BOSSJY_LOOKUPS_PER_SECOND", 10, read.whole(1, 100_000), "Questions to the provider, all processes together."
    )
    per_day: int = setting(
        "BOSSJY_LOOKUPS_PER_DAY", 1000, read.whole(1, 10**9), "The same for a day, from midnight UTC."
    )
    tenant_per_day: int = setting(
        "BOSSJY_LOOKUPS_PER_DAY_PER_TENANT",
        0,
        read.whole(0, 10**9),
        "Of these, for one tenant; 0: as many as there are.",
    )
    ttl_s: float = setting(
        "BOSSJY_LOOKUP_TTL_S", 86_400.0, read.decimal(1, 30 * 86_400), "How long an answer of the provider is kept."
    )
    unknown_ttl_s: float = setting(
        "BOSSJY_LOOKUP_UNKNOWN_TTL_S",
        3600.0,
        read.decimal(1, 30 * 86_400),
        "How long it is kept that it knows no such number.",
    )
    running: int = setting("BOSSJY_LOOKUPS_RUNNING", 32, read.whole(1, 10_000), "Look-ups at once in one process.")

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
        if not self.secret.isascii() or not self.secret.isprintable():
            raise ValueError("BOSSJY_LOOKUP_SECRET must be one line of printable ASCII")
        if self.ca_file and parts.scheme != "https":
            raise ValueError("BOSSJY_LOOKUP_CA_FILE needs a BOSSJY_LOOKUP_URL that begins with `https://`")

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
