"""The server without its observation: no metrics of calls, no log lines of calls, no traces. For bench_unary.

python -m tests.performance.unary.unobserved_server serve
"""

from __future__ import annotations

import sys

from bossjy_server.cli import main
from bossjy_server.rpc import chain
from bossjy_server.rpc.call import Concern, Proceed
from bossjy_server.rpc.method import Method
from bossjy_server.rpc.metrics import CallMetrics


def _nothing(*_: object) -> Concern:
    return lambda _method, proceed: proceed


def _uncounted(_self: CallMetrics, _method: Method, proceed: Proceed) -> Proceed:
    return proceed


if __name__ == "__main__":
    chain.logging_concern = _nothing  # type: ignore[attr-defined, assignment]
    CallMetrics.concern = _uncounted  # type: ignore[method-assign, assignment] # a server that nobody but the benchmark starts
    sys.exit(main())
