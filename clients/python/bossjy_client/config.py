"""Settings of a client: one frozen object that limits every wait and buffer."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bossjy_client.read_options import ReaderLimits

if TYPE_CHECKING:
    import grpc.aio

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ClientConfig:
    """Settings for connecting, waiting and repeating. Times in seconds, sizes in bytes."""

    timeout_s: float = 30.0
    """Deadline of one unary call, all repetitions included."""

    max_attempts: int = 5
    """Most tries of a safe call that the service refuses for the moment. While no server answers, a call is tried again
    until its deadline."""

    initial_backoff_s: float = 0.2
    """Longest wait before the second try. It doubles from try to try; the actual wait is a random shorter time."""

    max_backoff_s: float = 5.0
    """The longest wait. A longer `retry_after_s` of the server ends the repeating."""

    chunk_bytes: int = 512 * 1024
    """Size of an upload's chunks. The server accepts at most 3 MiB."""

    window_bytes: int = 16 * MIB
    """Bytes of an upload that may be unacknowledged, which is the memory cost of a stream without seek.
    The server's own window applies if it is smaller."""

    spool_bytes: int = 4 * 1024 * MIB
    """Most bytes of a compressed stream on disk, where it is kept to be sent again after a broken connection. The same
    limit applies to a stream of a format that is not read from front to end, such as a workbook."""

    reader_limits: ReaderLimits = ReaderLimits()
    """The most that a file converted by the client may be."""

    upload_attempts: int = 30
    """Most times that an upload is opened again without a committed byte in between."""

    stall_timeout_s: float = 60.0
    """An upload without a message of the server for this long is opened again; pauses of the source do not count."""

    keepalive_s: float = 60.0
    """While calls run, a connection that is silent for this long is pinged."""

    max_message_bytes: int = 32 * MIB
    """Largest message that the client receives."""

    plaintext: bool | None = None
    """True to connect without TLS. None: only to this machine (loopback addresses and unix sockets), and only if no
    certificates are given."""

    root_certificates: bytes | None = None
    """Certificate authorities to trust, PEM. None: those of gRPC."""

    certificate: tuple[bytes, bytes] | None = field(default=None, repr=False)
    """The client's own certificate chain and its private key, PEM, if the service requires one."""

    user_agent: str = "bossjy-python"
    """The client's name in the user-agent header."""

    interceptors: Sequence[grpc.aio.ClientInterceptor] = ()
    """Interceptors of `grpc.aio` for all calls. Those of a synchronous client run in its thread."""

    load_balancing: str = ""
    """The policy for a target with several addresses, such as `round_robin`. If empty, `round_robin` for `consul://`,
    else gRPC's own (`pick_first`)."""

    consul_token: str = field(default="", repr=False)
    """Token for the agent of a target `consul://`: `service:read` for the service and `node:read`."""

    channel_options: Sequence[tuple[str, Any]] = ()
    """Additional options of the gRPC channel. They replace those of this package with the same name."""

    def speaks_plaintext(self, target: str) -> bool:
        """True if a connection to `target` is made without TLS."""
        if self.plaintext is not None:
            return self.plaintext
        return is_local(target) and self.root_certificates is None and self.certificate is None


def is_local(target: str) -> bool:
    """True if a gRPC target names this machine, judged by its text."""
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
