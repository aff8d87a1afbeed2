"""Free TCP ports for servers that tests start. No two of them get one port, however long a server takes to listen."""

from __future__ import annotations

import itertools
import os
import random
import socket

# Below the default ports of the service, of embedded servers (embedded.system), and of clients.
_FIRST, _COUNT, _PROCESSES = 10_000, 8_000, 8
_steps = itertools.count(random.SystemRandom().randrange(_COUNT // _PROCESSES))


def free_port() -> int:
    """A loopback port that is free, and that neither this test process nor one beside it hands out again."""
    beside = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % _PROCESSES
    for step in itertools.islice(_steps, _COUNT // _PROCESSES):
        port = _FIRST + (step * _PROCESSES + beside) % _COUNT
        if _is_free(port):
            return port
    raise OSError(f"no port is free on 127.0.0.1 from {_FIRST} to {_FIRST + _COUNT - 1}")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
