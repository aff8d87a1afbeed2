"""Run of a server until a signal ends it: the commands `serve` and `demo`."""

from __future__ import annotations

import asyncio
import os
import signal

from bossjy_server.config import Settings

_EXIT_AT_ONCE = 1


def _stop_on_signals() -> asyncio.Event:
    """An event that the first SIGTERM or Ctrl-C sets. A second one ends the process immediately."""
    stop = asyncio.Event()

    def on_signal() -> None:
        if stop.is_set():
            os._exit(_EXIT_AT_ONCE)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, on_signal)
    return stop


def _event_of(number: signal.Signals) -> asyncio.Event:
    """An event that a signal sets, in place of ending the process."""
    event = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(number, event.set)
    return event


async def serve(settings: Settings) -> int:
    """Serve until SIGTERM or Ctrl-C. Returns 0. Raises StartError."""
    from bossjy_server.workers.supervisor import serve_with_workers, workers_for  # noqa: PLC0415 - as below

    stop, served = _stop_on_signals(), asyncio.Event()
    hangup, switched = _event_of(signal.SIGHUP), _event_of(signal.SIGUSR1)
    ending = asyncio.create_task(_end_start(stop, served, asyncio.current_task()))
    try:
        if (count := workers_for(settings)) > 1:
            # Before this process loads anything of gRPC.
            await serve_with_workers(settings, count, stop, served)
        else:
            await _serve_alone(settings, stop, served, hangup, switched)
    except asyncio.CancelledError:
        if not stop.is_set():
            raise
    finally:
        ending.cancel()
    return 0


async def _end_start(stop: asyncio.Event, served: asyncio.Event, starting: asyncio.Task[int] | None) -> None:
    """Cancel a start that has not ended when `stop` is set: it may wait for PostgreSQL."""
    await stop.wait()
    if starting is not None and not served.is_set():
        starting.cancel()


async def _serve_alone(
    settings: Settings, stop: asyncio.Event, started: asyncio.Event, hangup: asyncio.Event, switched: asyncio.Event
) -> None:
    from bossjy_server.app import running  # noqa: PLC0415 - wrong settings are reported before anything is loaded

    async with running(settings) as served:
        started.set()
        tasks = [
            asyncio.create_task(served.reload_when(hangup)),
            asyncio.create_task(served.switch_log_when(switched)),
        ]
        await stop.wait()
        for task in tasks:
            task.cancel()


async def demo(settings: Settings, *, once: bool) -> int:
    """Serve with the demonstration. Returns its exit code. Raises StartError."""
    from bossjy_server.demo import run_demo  # noqa: PLC0415 - loads the client, which a server does not need

    for number in (signal.SIGHUP, signal.SIGUSR1):
        _event_of(number)
    return await run_demo(settings, once=once, stop=_stop_on_signals())
