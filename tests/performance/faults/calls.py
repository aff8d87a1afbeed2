"""The calls of a load and their outcomes: answered, refused with a documented reason, or failed."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Self

import grpc
import grpc.aio
from google.rpc import error_details_pb2, status_pb2

from bossjy.auth.v1 import auth_service_pb2, auth_service_pb2_grpc
from bossjy.contacts.v1 import contact_service_pb2, contact_service_pb2_grpc
from bossjy.imports.v1 import import_pb2, import_service_pb2, import_service_pb2_grpc
from bossjy.phone.v1 import phone_service_pb2, phone_service_pb2_grpc

EMAIL, PASSWORD = "owner@example.com", "umbrella over the quiet harbour 7"
# gRPC's own retries, as a client may be configured. grpc answers CANCELLED to a call that reaches a server in the
# instant of its end; no handler has seen it, so repeating it is safe.
RETRIES = json.dumps(
    {
        "methodConfig": [
            {
                "name": [{}],
                "retryPolicy": {
                    "maxAttempts": 4,
                    "initialBackoff": "0.05s",
                    "maxBackoff": "0.5s",
                    "backoffMultiplier": 2,
                    "retryableStatusCodes": ["UNAVAILABLE", "CANCELLED"],
                },
            }
        ]
    }
)
# Accounts that log in, in turn: at most ten logins of one account are admitted at once; a slow machine has more
# running.
TENANTS = 10
NUMBERS = [f"+86138{number:08d}" for number in range(200)]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One call. Times in seconds; `began` on the monotonic clock; `reason` is empty if the server gave none."""

    kind: str
    began: float
    took: float
    code: str
    reason: str = ""
    retry_after: bool = False
    message: str = ""

    @property
    def ok(self) -> bool:
        return self.code == "OK"

    @property
    def refused(self) -> bool:
        """True if the server refused with a reason that a program may branch on."""
        return not self.ok and bool(self.reason) and self.reason != "INTERNAL"

    @property
    def failed(self) -> bool:
        return not self.ok and not self.refused


@dataclass
class Caller:
    """A tenant's owner, and others who only log in, on several connections in turn."""

    target: str
    connections: int = 2
    timeout_s: float = 15.0
    retrying: bool = False
    tenant_id: str = ""
    token: str = ""
    outcomes: list[Outcome] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        options: list[tuple[str, int | str]] = [
            ("grpc.use_local_subchannel_pool", 1),
            ("grpc.max_reconnect_backoff_ms", 500),
        ]
        if self.retrying:
            options.append(("grpc.service_config", RETRIES))
        self._channels = [
            grpc.aio.insecure_channel(self.target, options=[*options, ("grpc.initial_reconnect_backoff_ms", 100)])
            for _ in range(self.connections)
        ]
        self._turn = itertools.cycle(self._channels)
        self._number = itertools.count()
        return self

    async def __aexit__(self, *_: object) -> None:
        for channel in self._channels:
            await channel.close()

    def channel(self) -> Any:
        """The next connection."""
        return next(self._turn)

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        return (("authorization", f"Bearer {self.token}"),)

    async def register(self, registration_token: str = "") -> None:
        """Make the tenant."""
        request = auth_service_pb2.RegisterRequest(
            tenant_display_name="Load", email=EMAIL, password=PASSWORD, registration_token=registration_token
        )
        stub = auth_service_pb2_grpc.AuthServiceStub(self._channels[0])
        made = await stub.Register(request, timeout=60)
        self.tenant_id, self.token = made.tenant.tenant_id, made.tokens.access_token
        tenants = [self.tenant_id]
        if not registration_token:
            for _ in range(TENANTS - 1):
                tenants.append((await stub.Register(request, timeout=60)).tenant.tenant_id)
        self._tenants = itertools.cycle(tenants)

    async def call(self, kind: str) -> Outcome:
        """Make one call of a kind, keep and return its outcome."""
        began = time.monotonic()
        try:
            await KINDS[kind](self, next(self._turn))
        except grpc.aio.AioRpcError as error:
            outcome = outcome_of(kind, began, error)
        else:
            outcome = Outcome(kind, began, time.monotonic() - began, "OK")
        self.outcomes.append(outcome)
        return outcome

    async def validate(self, channel: Any) -> None:
        request = phone_service_pb2.ValidateNumberRequest(phone_number="138 0000 0000", default_region="CN")
        stub = phone_service_pb2_grpc.PhoneServiceStub(channel)
        await stub.ValidateNumber(request, metadata=self.metadata, timeout=self.timeout_s)

    async def login(self, channel: Any) -> None:
        tenant_id = next(self._tenants)
        request = auth_service_pb2.LoginRequest(tenant_id=tenant_id, email=EMAIL, password=PASSWORD)
        answer = await auth_service_pb2_grpc.AuthServiceStub(channel).Login(request, timeout=self.timeout_s)
        if tenant_id == self.tenant_id:
            self.token = answer.tokens.access_token  # access tokens live ten minutes, a soak an hour

    async def me(self, channel: Any) -> None:
        stub = auth_service_pb2_grpc.AuthServiceStub(channel)
        await stub.GetMe(auth_service_pb2.GetMeRequest(), metadata=self.metadata, timeout=self.timeout_s)

    async def contacts(self, channel: Any) -> None:
        stub = contact_service_pb2_grpc.ContactServiceStub(channel)
        request = contact_service_pb2.ListContactsRequest(page_size=50)
        await stub.ListContacts(request, metadata=self.metadata, timeout=self.timeout_s)

    async def stats(self, channel: Any) -> None:
        stub = contact_service_pb2_grpc.ContactServiceStub(channel)
        request = contact_service_pb2.GetContactStatsRequest()
        await stub.GetContactStats(request, metadata=self.metadata, timeout=self.timeout_s)

    async def stream(self, channel: Any) -> None:
        """Five messages of 200 numbers."""

        async def messages() -> AsyncIterator[phone_service_pb2.StreamValidateNumbersRequest]:
            for sequence in range(5):
                texts = phone_service_pb2.NumberTexts(phone_numbers=NUMBERS)
                yield phone_service_pb2.StreamValidateNumbersRequest(sequence=sequence, texts=texts)

        stub = phone_service_pb2_grpc.PhoneServiceStub(channel)
        async for _ in stub.StreamValidateNumbers(messages(), metadata=self.metadata, timeout=self.timeout_s):
            pass

    async def upload(self, channel: Any) -> None:
        """A small import of always the same twenty rows, so that the database does not grow much."""
        stub = import_service_pb2_grpc.ImportServiceStub(channel)
        number = next(self._number) % 10
        rows = "".join(f"{text},name {number}\n" for text in NUMBERS[number * 20 : number * 20 + 20])
        data = f"phone,name\n{rows}".encode()
        made = await stub.CreateImport(
            import_service_pb2.CreateImportRequest(spec=import_pb2.ImportSpec(default_region="CN")),
            metadata=self.metadata,
            timeout=self.timeout_s,
        )

        async def messages() -> AsyncIterator[import_service_pb2.UploadRequest]:
            opened = import_service_pb2.UploadRequest()
            opened.open.import_id = made.import_job.import_id
            yield opened
            chunk = import_service_pb2.UploadRequest()
            chunk.chunk.data = data
            yield chunk
            end = import_service_pb2.UploadRequest()
            end.finish.size_bytes = len(data)
            yield end

        try:
            async for _ in stub.Upload(messages(), metadata=self.metadata, timeout=self.timeout_s):
                pass
        except grpc.aio.AioRpcError:
            # A tenant may have only a limited number of open imports: this one is abandoned.
            with suppress(grpc.aio.AioRpcError):
                gone = import_service_pb2.CancelImportRequest(import_id=made.import_job.import_id)
                await stub.CancelImport(gone, metadata=self.metadata, timeout=self.timeout_s)
            raise


KINDS: dict[str, Callable[[Caller, Any], Awaitable[None]]] = {
    "validate": Caller.validate,
    "login": Caller.login,
    "me": Caller.me,
    "contacts": Caller.contacts,
    "stats": Caller.stats,
    "stream": Caller.stream,
    "import": Caller.upload,
}


def outcome_of(kind: str, began: float, error: grpc.aio.AioRpcError) -> Outcome:
    """The outcome of a failed call."""
    reason, retry_after = "", False
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin" and isinstance(value, bytes):
            for detail in status_pb2.Status.FromString(value).details:
                info = error_details_pb2.ErrorInfo()
                if detail.Is(info.DESCRIPTOR):
                    detail.Unpack(info)
                    reason = info.reason
                retry_after |= detail.Is(error_details_pb2.RetryInfo.DESCRIPTOR)
    took = time.monotonic() - began
    return Outcome(kind, began, took, error.code().name, reason, retry_after, error.details() or "")
