"""The command `bossjy-server health`: the health of the server on this machine, for probes of containers."""

from __future__ import annotations

import sys
from http.client import HTTPConnection, HTTPException

from bossjy_server.errors import StartError
from bossjy_server.telemetry.options import MetricsOptions
from bossjy_server.telemetry.text_pages import LIVE, READY

_WAIT_S = 5.0
_LONGEST_ANSWER = 1000


def ask_health(options: MetricsOptions, *, live: bool) -> int:
    """Ask the operations port. Prints its answer; returns 0 if the server is ready (`live`: if it runs), else 1.

    The operations port has no TLS and no credentials, so the command works in front of every server. Raises StartError
    if the settings switch the port off.
    """
    if not options.port:
        raise StartError("health is asked at the operations port: set BOSSJY_METRICS_PORT, which is 0")
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(options.host, options.host)  # noqa: S104 - compared, not bound
    try:
        connection = HTTPConnection(host, options.port, timeout=_WAIT_S)
        connection.request("GET", LIVE if live else READY)
        answer = connection.getresponse()
        text = answer.read(_LONGEST_ANSWER).decode("utf-8", "replace").strip()
    except (OSError, HTTPException) as error:
        print(f"no answer from {host}:{options.port}: {error}", file=sys.stderr)
        return 1
    print(text)
    return 0 if answer.status == 200 else 1
