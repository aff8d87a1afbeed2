"""The planned mix of calls: of six, three validate a number, two log in, one reads its user.

Run by `bench_load.py`, or by hand against any server:

    TARGET=127.0.0.1:18001 locust -f tests/performance/load/locustfile.py

Users make one call each 0.4 s on average, so forty of them make a hundred calls per second. Each has its own tenant;
the server must be open for registration.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from typing import Any

import gevent  # type: ignore[import-untyped] # locust brings it, without types
import grpc
import grpc.experimental.gevent as grpc_gevent
from locust import User, constant_throughput, events, task

from bossjy.auth.v1 import auth_service_pb2, auth_service_pb2_grpc
from bossjy.phone.v1 import phone_service_pb2, phone_service_pb2_grpc

grpc_gevent.init_gevent()
# grpc waits for each call in a thread of gevent's pool. With its ten, calls of forty users wait for the logins of
# others.
gevent.get_hub().threadpool.maxsize = 100

EMAIL, PASSWORD = "load@example.com", "umbrella over the quiet harbour 7"
CALLS_A_SECOND = 2.5  # of one user


def look_at_the_clock(**_: object) -> None:
    """gevent reads its clock once per turn of its loop: after slow imports, timers would end that much too early."""
    gevent.get_hub().loop.update_now()


events.init.add_listener(look_at_the_clock)  # type: ignore[no-untyped-call] # locust's


class Caller(User):
    """The owner of one tenant, with its own connection."""

    wait_time = constant_throughput(CALLS_A_SECOND)

    def on_start(self) -> None:
        """Make the tenant; not counted."""
        self.channel = grpc.insecure_channel(os.environ["TARGET"], options=[("grpc.use_local_subchannel_pool", 1)])
        self.phone = phone_service_pb2_grpc.PhoneServiceStub(self.channel)
        self.auth = auth_service_pb2_grpc.AuthServiceStub(self.channel)
        request = auth_service_pb2.RegisterRequest(tenant_display_name="Load", email=EMAIL, password=PASSWORD)
        made = self.registered(request)
        self.tenant_id = made.tenant.tenant_id
        self.metadata = (("authorization", f"Bearer {made.tokens.access_token}"),)
        # Users start ten at once: without different start times, all ten would always call at once.
        gevent.sleep(random.uniform(0, 1 / CALLS_A_SECOND))

    def registered(self, request: auth_service_pb2.RegisterRequest) -> Any:
        """Make a tenant. Ten users start at once, so some must retry: without them the mix would be wrong."""
        for _ in range(40):
            try:
                return self.auth.Register(request, timeout=60)
            except grpc.RpcError as error:
                if error.code() is not grpc.StatusCode.RESOURCE_EXHAUSTED:
                    raise
                gevent.sleep(0.5)
        raise RuntimeError("no tenant could be made in 20 s")

    def on_stop(self) -> None:
        """Close the connection."""
        self.channel.close()

    @task(3)
    def validate(self) -> None:
        """Validate a number."""
        request = phone_service_pb2.ValidateNumberRequest(phone_number="138 0000 0000", default_region="CN")
        self.timed("phone.ValidateNumber", lambda: self.phone.ValidateNumber(request, metadata=self.metadata))

    @task(2)
    def login(self) -> None:
        """Log in with a password."""
        request = auth_service_pb2.LoginRequest(tenant_id=self.tenant_id, email=EMAIL, password=PASSWORD)
        self.timed("auth.Login", lambda: self.auth.Login(request))

    @task(1)
    def me(self) -> None:
        """Read the user of the session."""
        self.timed("auth.GetMe", lambda: self.auth.GetMe(auth_service_pb2.GetMeRequest(), metadata=self.metadata))

    def timed(self, name: str, call: Callable[[], Any]) -> None:
        """Make a call and report it to locust."""
        began, failure, size = time.perf_counter(), None, 0
        try:
            size = call().ByteSize()
        except grpc.RpcError as error:
            failure = error
        self.environment.events.request.fire(
            request_type="grpc",
            name=name,
            response_time=(time.perf_counter() - began) * 1000,
            response_length=size,
            exception=failure,
        )
