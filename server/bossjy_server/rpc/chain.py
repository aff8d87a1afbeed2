"""The ordered chain of interceptors.

Outside in: context, tracing, metrics, logging, errors, limits, access, quotas, streams, validation.

Metrics and logging are outside errors, so they see the final status, also of refused calls. The front end
(`rpc/server.py`) creates the request context before the chain begins. Quotas come after access, because they need the
caller. The watchdog of open streams (`streams`) is inside both: it watches admitted streams. A test checks this order.
"""

from __future__ import annotations

from opentelemetry.trace import Tracer

from bossjy_server.rpc.access import Authenticate, Refused, access_concern
from bossjy_server.rpc.call import Concern
from bossjy_server.rpc.errors import errors_concern
from bossjy_server.rpc.limits import Limits
from bossjy_server.rpc.log import logging_concern
from bossjy_server.rpc.metrics import CallMetrics
from bossjy_server.rpc.quotas import Quotas
from bossjy_server.rpc.refusals import Refusals
from bossjy_server.rpc.request_context import request_context_concern
from bossjy_server.rpc.streams import StreamGuard
from bossjy_server.rpc.tracing import tracing_concern
from bossjy_server.rpc.validation import validation_concern
from bossjy_server.telemetry.logging import Log


def build_chain(  # noqa: PLR0913 - the parts of the chain
    *,
    tracer: Tracer | None,
    trace_ratio: float = 1.0,
    address: str = "",
    metrics: CallMetrics,
    log: Log,
    limits: Limits,
    authenticate: Authenticate,
    by_certificate: Authenticate | None = None,
    refused: Refused | None = None,
    quotas: Quotas,
    refusals: Refusals | None = None,
    streams: StreamGuard,
) -> list[Concern]:
    """The interceptors in their order.

    If `tracer` is None, calls are not traced. `trace_ratio`: the share of calls that are traced when their caller did
    not decide. `address`: that of the server, for spans. If `refusals` is None, the log of refused calls has its
    default bounds.
    """
    return [
        request_context_concern(),
        tracing_concern(tracer, trace_ratio, address),
        metrics.concern,
        logging_concern(log, refusals),
        errors_concern(log),
        limits.concern,
        access_concern(authenticate, by_certificate, refused),
        quotas.concern,
        streams.concern,
        validation_concern(),
    ]
