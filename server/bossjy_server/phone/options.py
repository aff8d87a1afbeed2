"""Options of the threads that answer columns of numbers."""

from __future__ import annotations

from dataclasses import dataclass

from bossjy_server import setting_texts as read
from bossjy_server.setting_texts import setting


@dataclass(frozen=True, slots=True)
class ThreadOptions:
    """Limits of the threads, for all calls in total, for one stream, and for one call that has a bound."""

    threads: int = setting(
        "BOSSJY_PHONE_THREADS",
        2,
        read.whole(1, 64),
        "Threads that answer columns of numbers, in one process; another thread gives short answers.",
    )
    ahead: int = setting(
        "BOSSJY_PHONE_AHEAD", 3, read.whole(1, 64), "Messages of one stream of numbers that are processed at once."
    )
    call_s: float = setting(
        "BOSSJY_PHONE_CALL_S",
        5.0,
        read.decimal(0.1, 3600),
        "CPU time of one FindNumbers or ExplainNumber; beyond it the call is rejected.",
    )
