"""Addresses of a service in Consul: a target `consul://HOST:PORT/SERVICE`, and the thread that watches its instances.

gRPC for Python accepts no resolver of its users. The watch therefore keeps the addresses of the healthy instances by
blocking queries, and `consul_channel.py` opens a channel to each. If the agent does not answer, or knows no
healthy instance, the last known addresses remain in use.
"""

from __future__ import annotations

import concurrent.futures
import http.client
import json
import random
import re
import socket
import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from bossjy_client.errors import InvalidRequestError

_SCHEMES = {"consul": False, "consul+https": True}
_PORTS = {False: 8500, True: 8501}
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,126}[A-Za-z0-9])?")
_FORM = "consul://HOST:PORT/SERVICE, optional ?tag=TAG&dc=DATACENTER&server_name=NAME"
# Seconds: of one request, of a query that waits for a change, and between two queries.
_TIMEOUT_S, _QUERY_S, _PAUSE_S = 5.0, 20.0, 0.2
# Waits after a failure: random times below a doubling limit.
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.25, 5.0
# An entry has about 1 kB.
_ANSWER_BYTES = 8 * 1024 * 1024
# Most servers that a client connects to.
_MOST = 100

Place = tuple[str, int]


class AgentFailed(Exception):
    """The agent gave no list of instances. The text says why, without the token."""


@dataclass(frozen=True, slots=True)
class ConsulTarget:
    """A target as text, and its parts."""

    text: str
    host: str
    port: int
    tls: bool
    service: str
    query: tuple[tuple[str, str], ...]
    server_name: str
    """The name that the certificates of the servers have. If empty, each has the address that Consul gives for it."""

    @property
    def path(self) -> str:
        """The path of the query for healthy instances."""
        return f"/v1/health/service/{quote(self.service, safe='')}?{urlencode([('passing', '1'), *self.query])}"


def consul_target(text: str) -> ConsulTarget:
    """The parts of a target. Raises InvalidRequestError."""
    try:
        parts = urlsplit(text)
        tls = _SCHEMES[parts.scheme]
        host, port = parts.hostname or "", parts.port or _PORTS[tls]
        options = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
    except ValueError:
        raise InvalidRequestError(f"the target {text} cannot be read: give {_FORM}") from None
    if parts.username is not None:
        raise InvalidRequestError("the target has a user: give the token of Consul as ClientConfig(consul_token=...)")
    service = parts.path.strip("/")
    server_name = options.pop("server_name", "")
    if not host or not _NAME.fullmatch(service) or not _NAME.fullmatch(server_name or service):
        raise InvalidRequestError(f"the target {text} names no host or no service: give {_FORM}")
    if unknown := options.keys() - {"tag", "dc"}:
        raise InvalidRequestError(f"the target {text} has unknown options {', '.join(sorted(unknown))}: give {_FORM}")
    return ConsulTarget(text, host, port, tls, service, tuple(options.items()), server_name)


class Watch:
    """Thread that keeps `places`, the sorted addresses of the healthy instances. `close` it."""

    def __init__(self, target: ConsulTarget, token: str = "") -> None:
        self._target = target
        self._headers = {"x-consul-token": token} if token else {}
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._connection: http.client.HTTPConnection | None = None
        self.places: tuple[Place, ...] = ()
        self.failure = "it did not answer in time"
        self.first: concurrent.futures.Future[None] = concurrent.futures.Future()
        """Done with the first addresses. Fails for a cause that does not pass."""

        threading.Thread(target=self._run, name="bossjy-consul", daemon=True).start()

    def close(self) -> None:
        """End the thread, also in the middle of a query."""
        with self._lock:
            self._ended.set()
            self._disconnect()

    def _run(self) -> None:
        index = failures = 0
        while not self._ended.is_set():
            try:
                former, (index, places) = index, self._ask(index)
            except AgentFailed as error:
                self.failure, index = str(error), 0  # an agent that restarted may count from 1 again
                bound = min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2.0 ** min(failures, 10))
                failures += 1
                self._ended.wait(random.uniform(0.3, 1.0) * bound)  # noqa: S311 (spreads load, guards nothing)
                continue
            failures = 0
            if index < former:
                index = 0
            if places:
                self.places = self.places if places == self.places else places
                if not self.first.done():
                    self.first.set_result(None)
            else:
                self.failure = f"no healthy instance of {self._target.service}"
            self._ended.wait(random.uniform(0.5, 1.0) * _PAUSE_S)  # noqa: S311 (as above)

    def _ask(self, index: int) -> tuple[int, tuple[Place, ...]]:
        """One query, which waits for a change after `index`. Raises AgentFailed."""
        path = self._target.path + (f"&index={index}&wait={_QUERY_S:g}s" if index else "")
        try:
            connection = self._connected()
            # The agent adds a sixteenth to the wait.
            timeout_s = _TIMEOUT_S + (_QUERY_S * 17 / 16 if index else 0)
            if connection.sock is None:
                connection.connect()
            connection.sock.settimeout(timeout_s)
            connection.request("GET", path, headers=self._headers)
            answer = connection.getresponse()
            body = answer.read(_ANSWER_BYTES + 1)
            next_index = int(answer.headers.get("x-consul-index", "0"))
        except TimeoutError:
            self._reset()
            raise AgentFailed("it did not answer in time") from None
        except ssl.SSLError as error:
            self._reset()
            raise AgentFailed(f"the TLS handshake failed ({error.reason})") from None
        except (OSError, http.client.HTTPException, ValueError, AttributeError) as error:
            # AttributeError: `close` took the connection away.
            self._reset()
            raise AgentFailed(f"the connection failed ({type(error).__name__})") from None
        if answer.status in {401, 403}:
            raise self._refused()
        if answer.status != http.client.OK or len(body) > _ANSWER_BYTES:
            self._reset()
            raise AgentFailed(f"it answered {answer.status} with {len(body)} bytes")
        try:
            return max(0, next_index), _places(json.loads(body), id(self))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise AgentFailed("its answer is no list of instances: check the address") from None

    def _refused(self) -> AgentFailed:
        error = AgentFailed("it refuses: give a token with service:read and node:read (CONSUL_HTTP_TOKEN)")
        if not self.first.done():
            self.first.set_exception(error)
        return error

    def _connected(self) -> http.client.HTTPConnection:
        with self._lock:
            if self._connection is None and not self._ended.is_set():
                target = self._target
                self._connection = (
                    http.client.HTTPSConnection(
                        target.host, target.port, timeout=_TIMEOUT_S, context=ssl.create_default_context()
                    )
                    if target.tls
                    else http.client.HTTPConnection(target.host, target.port, timeout=_TIMEOUT_S)
                )
            if self._connection is None:
                raise ConnectionAbortedError
            return self._connection

    def _reset(self) -> None:
        with self._lock:
            self._disconnect()

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            # A close does not wake a thread that reads.
            with suppress(OSError, AttributeError):
                connection.sock.shutdown(socket.SHUT_RDWR)
            connection.close()


def _places(entries: list[dict[str, Any]], salt: int) -> tuple[Place, ...]:
    """The addresses of an answer: of very many, a choice that remains the same and differs between clients."""
    places = {
        (str(entry["Service"]["Address"] or entry["Node"]["Address"]), int(entry["Service"]["Port"]))
        for entry in entries
    }
    return tuple(sorted(sorted(places, key=lambda place: hash((salt, place)))[:_MOST]))
