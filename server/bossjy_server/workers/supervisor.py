"""Parent process of the workers: starts them and the embedded servers, restarts workers, renews them one by one."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
import time
from collections.abc import Mapping
from concurrent.futures import TimeoutError as LateError
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial
from http import HTTPStatus

from prometheus_client import CollectorRegistry, Counter, Gauge

from bossjy_server.blocking import in_thread
from bossjy_server.config import Settings
from bossjy_server.discovery.opening import discoverable
from bossjy_server.embedded.servers import start_embedded
from bossjy_server.errors import StartError
from bossjy_server.storage.setup import at_parts, set_up
from bossjy_server.tasks import end_task, end_tasks
from bossjy_server.telemetry.human import form_for
from bossjy_server.telemetry.log_receiver import sink_for
from bossjy_server.telemetry.logging import LEVELS, Log, console_stream, library_logs_in
from bossjy_server.telemetry.metrics import MetricsEndpoint
from bossjy_server.telemetry.text_pages import JWKS, LIVE, READY, OperationsPages, Page
from bossjy_server.workers.metrics import WorkersCollector
from bossjy_server.workers.worker_process import WorkerProcess

# A dead worker is restarted after a wait, which doubles while new ones die early.
_FIRST_WAIT_S, _LONGEST_WAIT_S, _YOUNG_S = 0.1, 10.0, 30.0
_BEYOND_DRAIN_S = 10.0
# Longest wait for a page of the operations port.
_PAGE_S = 5.0


async def serve_with_workers(settings: Settings, count: int, stop: asyncio.Event, started: asyncio.Event) -> None:
    """Serve with `count` processes on one port until `stop` is set. SIGHUP renews them. Raises StartError.

    `started` is set when they serve.

    New code and environment files apply at the next full start; SIGHUP keeps the settings.
    """
    async with AsyncExitStack() as stack:
        settings.process.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        log = Log(
            level=LEVELS[settings.log.level],
            console=console_stream(),
            console_level=LEVELS[settings.log.console],
            console_form=form_for(console_stream(), settings.log.form, settings.log.no_color),
            file=settings.process.data_dir / "logs" / "bossjy.log",
            max_bytes=settings.log.file_bytes,
            keep=settings.log.files,
            shipping=sink_for(settings.log, settings.traces),
        )
        stack.callback(log.close)
        stack.enter_context(library_logs_in(log))
        if settings.links:
            log.info("variables of service links are ignored", names=settings.links)
        stack.enter_context(hold_port(settings.server.host, settings.server.port))
        parts = await stack.enter_async_context(
            start_embedded(settings.process.data_dir, postgres=not settings.database.url, redis=not settings.redis.url)
        )
        if not settings.database.url:
            options = at_parts(
                settings.database, parts, audit_days=settings.auth.audit_days, tenant_share=settings.limits.tenant_share
            )
            await set_up(options)  # here, so that no worker has the superuser's password
        of_worker = replace(
            settings,
            database=replace(
                settings.database,
                url=settings.database.url or parts.service_url,
                pool=max(2, settings.database.pool // count),
            ),
            redis=replace(settings.redis, url=settings.redis.url or parts.redis_url),
            metrics=replace(settings.metrics, port=0),
        )
        workers = Workers(of_worker, count, log)
        stack.push_async_callback(workers.end)
        if settings.metrics.port:
            endpoint = MetricsEndpoint(
                workers.registry, settings.metrics.host, settings.metrics.port, pages=workers.pages()
            )
            stack.push_async_callback(in_thread, endpoint.close)
        renew = asyncio.Event()  # first: a SIGHUP during the start must not end the parent
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, renew.set)
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, workers.switch_log)
        await workers.start()
        started.set()
        place = settings.server
        await stack.enter_async_context(
            discoverable(settings.discovery, place.host, place.port, tls=bool(place.tls_certificate))
        )
        renewing = asyncio.create_task(workers.renew_when(renew))
        await stop.wait()
        await end_task(renewing)


def hold_port(host: str, port: int) -> socket.socket:
    """Reserve the port for this server: bound, not listening, so no connection comes here. Raises StartError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.create_server((host, port), family=family):
            pass  # another server with SO_REUSEPORT would share our calls: the port must be free of any
        held = socket.socket(family, socket.SOCK_STREAM)
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        held.bind((host, port))
    except OSError as error:
        raise StartError(
            f"cannot listen on {host}:{port}: another process uses the port; stop it, or set BOSSJY_PORT to a free one"
        ) from error
    return held


def workers_for(settings: Settings) -> int:
    """The number of workers: by the settings if the system distributes a port's connections evenly, else one."""
    if settings.process.workers > 1 and sys.platform != "linux":
        print(  # noqa: T201 - only the console exists yet
            "bossjy-server: one worker: this system does not distribute a port's connections among processes",
            file=sys.stderr,
        )
        return 1
    return settings.process.workers


class Workers:
    """A number of places, each with a running worker."""

    def __init__(self, settings: Settings, count: int, log: Log) -> None:
        self._settings, self._count, self._log = settings, count, log
        self._places: list[WorkerProcess | None] = [None] * count
        self._numbers: set[int] = set()
        self._keeping: list[asyncio.Task[None]] = []
        self._ending = False
        self.registry = CollectorRegistry()
        serving = Gauge("bossjy_workers", "Running worker processes.", registry=self.registry)
        serving.set_function(lambda: len(self.serving))
        self._died = Counter("bossjy_workers_died", "Worker processes that ended unexpectedly.", registry=self.registry)
        self._renewed = Counter("bossjy_workers_renewed", "Worker processes renewed.", registry=self.registry)
        self.registry.register(WorkersCollector(asyncio.get_running_loop(), self.metrics))

    @property
    def serving(self) -> list[WorkerProcess]:
        """The running workers."""
        return [worker for worker in self._places if worker is not None]

    async def start(self) -> None:
        """Start all. The first one starts before the others: it creates their schema, keys and plan tables."""
        self._places[0] = await self._started()
        others = await asyncio.gather(*(self._started() for _ in range(1, self._count)), return_exceptions=True)
        for place, worker in enumerate(others, start=1):
            if isinstance(worker, WorkerProcess):
                self._places[place] = worker
        for worker in others:
            if isinstance(worker, BaseException):
                raise worker
        self._keeping = [asyncio.create_task(self._keep(place)) for place in range(self._count)]
        self._log.info("workers serve", count=self._count, pids=[worker.pid for worker in self.serving])

    async def end(self) -> None:
        """Let all drain at the same time."""
        self._ending = True
        await end_tasks(self._keeping)
        await asyncio.gather(*(self._end(worker) for worker in self.serving))

    async def metrics(self) -> Mapping[int, str]:
        """The metrics of each worker, by its number."""
        asked = self.serving
        texts = await asyncio.gather(*(worker.metrics() for worker in asked))
        return {worker.number: text for worker, text in zip(asked, texts, strict=True)}

    def pages(self) -> OperationsPages:
        """The pages of the operations port: those of a worker that serves, `/livez` of this process."""
        loop = asyncio.get_running_loop()

        async def ask(path: str) -> Page:
            for worker in self.serving:
                page = await worker.page(path)
                if page is not None and page.status == HTTPStatus.OK:
                    return page
            return Page("no worker serves: see the log\n", status=HTTPStatus.SERVICE_UNAVAILABLE)

        def page_of(path: str) -> Page:
            try:
                return asyncio.run_coroutine_threadsafe(ask(path), loop).result(_PAGE_S)
            except (LateError, RuntimeError):
                return Page("the workers do not answer\n", status=HTTPStatus.SERVICE_UNAVAILABLE)

        return {LIVE: lambda: Page("alive\n"), READY: partial(page_of, READY), JWKS: partial(page_of, JWKS)}

    def switch_log(self) -> None:
        """Switch the level of the log, here and in each worker that serves."""
        self._log.switch()
        for worker in self.serving:
            worker.send(signal.SIGUSR1)

    async def renew_when(self, wanted: asyncio.Event) -> None:
        """Renew all, one after the other, each time `wanted` is set."""
        while True:
            await wanted.wait()
            wanted.clear()
            renewed = [await self._renew(place) for place in range(self._count)]
            self._log.info("workers were renewed, with the present keys and certificates", count=sum(renewed))

    async def _renew(self, place: int) -> bool:
        """True if the worker of the place was replaced."""
        old = self._places[place]
        if old is None:
            return True  # it died and is being restarted: it will be new
        try:
            new = await self._started()
        except StartError as error:
            self._log.warning(
                "a worker could not be renewed: the old one continues", error=str(error), worker=old.number
            )
            return False
        if self._places[place] is not old:  # it died meanwhile, and another was started
            await self._end(new)
            return True
        self._places[place] = new
        self._renewed.inc()
        self._log.info("worker renewed", old=old.number, new=new.number)
        await self._end(old)
        return True

    async def _keep(self, place: int) -> None:
        """Restart the worker of a place whenever it dies."""
        wait_s = _FIRST_WAIT_S
        while True:
            worker = self._places[place]
            if worker is None:
                await asyncio.sleep(wait_s)
                wait_s = min(2 * wait_s, _LONGEST_WAIT_S)
                try:
                    self._places[place] = await self._started()
                except StartError as error:
                    self._log.warning("a worker could not be restarted", error=str(error), again_in_s=wait_s)
                continue
            since = time.monotonic()
            code = await worker.ended()
            if self._places[place] is not worker:
                continue  # it was renewed
            if time.monotonic() - since > _YOUNG_S:
                wait_s = _FIRST_WAIT_S
            self._places[place] = None
            self._numbers.discard(worker.number)
            self._died.inc()
            self._log.warning("a worker died and is restarted", worker=worker.number, exit_code=code)

    async def _started(self) -> WorkerProcess:
        # The lowest free number: logs and metrics have as many names as there are workers, and one for renewals.
        number = next(number for number in range(1, 2 * self._count + 2) if number not in self._numbers)
        self._numbers.add(number)
        try:
            return await WorkerProcess.start(number, self._settings)
        except BaseException:
            self._numbers.discard(number)
            raise

    async def _end(self, worker: WorkerProcess) -> None:
        await worker.end(self._settings.process.drain_s + _BEYOND_DRAIN_S)
        self._numbers.discard(worker.number)
