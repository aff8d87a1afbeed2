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
    status, text = ask_page(options, LIVE if live else READY, _WAIT_S)
    print(text, file=sys.stdout if status else sys.stderr)
    return 0 if status == 200 else 1


def ask_page(options: MetricsOptions, path: str, wait_s: float) -> tuple[int, str]:
    """The status and the text of a page of the operations port; status 0 if there is no answer in `wait_s`."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(options.host, options.host)  # noqa: S104 - compared, not bound
    connection = HTTPConnection(host, options.port, timeout=wait_s)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read(_LONGEST_ANSWER).decode("utf-8", "replace").strip()
    except (OSError, HTTPException) as error:
        return 0, f"no answer from {host}:{options.port}: {error}"
    finally:
        connection.close()
