"""Settings of a client: one frozen object, every wait and buffer bounded."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field

from bossjy_client.read_options import ReaderLimits

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ClientConfig:
    """How a client connects, waits and repeats. Times in seconds, sizes in bytes."""

    timeout_s: float = 30.0
    """Deadline of one unary call, all repetitions included."""

    max_attempts: int = 5
    """How often a safe call is tried at most while the service cannot be reached."""

    initial_backoff_s: float = 0.2
    """Longest wait before the second try; it doubles from try to try, and is drawn at random below that."""

    max_backoff_s: float = 5.0
    """The wait grows no further than this. A longer `retry_after_s` of the server ends the repeating."""

    chunk_bytes: int = 512 * 1024
    """Size of an upload's chunks. The server takes at most 3 MiB."""

    window_bytes: int = 16 * MIB
    """Bytes of an upload that may be unacknowledged, and so the memory that a stream without seek costs.
    The server's own window applies where it is smaller."""

    spool_bytes: int = 4 * 1024 * MIB
    """Bytes of a compressed stream that are kept on disk at most, to send it again after a broken connection. The same
    limit applies to a stream of a format that is not read from front to end, such as a workbook."""

    reader_limits: ReaderLimits = ReaderLimits()
    """The most that a file converted by the client may be."""

    upload_attempts: int = 30
    """How often an upload is opened again at most without a byte being committed in between."""

    stall_timeout_s: float = 60.0
    """An upload that hears nothing from the server for so long is opened again; pauses of the source do not count."""

    keepalive_s: float = 60.0
    """While calls run, a connection that is silent for so long is asked whether it still lives."""

    max_message_bytes: int = 32 * MIB
    """Largest message that is received."""

    plaintext: bool | None = None
    """True to speak without TLS. None: only to this machine (loopback addresses and unix sockets), and only if no
    certificates are given."""

    root_certificates: bytes | None = None
    """Certificate authorities to trust, PEM. None: those of gRPC."""

    certificate: tuple[bytes, bytes] | None = field(default=None, repr=False)
    """The client's own certificate chain and its private key, PEM, where the service asks for one."""

    user_agent: str = "bossjy-python"
    """What the client says of itself."""

    def speaks_plaintext(self, target: str) -> bool:
        """True if a connection to `target` is made without TLS."""
        if self.plaintext is not None:
            return self.plaintext
        return is_local(target) and self.root_certificates is None and self.certificate is None


def is_local(target: str) -> bool:
    """Whether a gRPC target names this machine, as far as its text tells."""
    if target.startswith("unix:"):
        return True
    authority = target.rsplit("/", 1)[-1]
    host = authority.rsplit(":", 1)[0] if not authority.endswith("]") else authority
    host = host.strip("[]")
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
